"""Arithmetic that gives the same bits everywhere.

numpy's exponential may differ in the last bit between processors (its vector kernels are accurate to a few
units in the last place, not exact), and one bit can choose another item. Addition, multiplication, division
and the square root are exactly rounded by IEEE 754, so everything here is made of those, in a fixed order,
and sums are taken over integers, where order does not matter.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

UNIT = 1_000_000_000  # tables hold billionths
THETA_UNIT = 1_000_000  # thetas and standard errors are carried as millionths

_LN2_HIGH = 6.93147180369123816490e-01  # Cody and Waite's split of ln 2: the product with k stays exact
_LN2_LOW = 1.90821492927058770002e-10
_LN2_INVERSE = 1.44269504088896338700e00
_COEFFICIENTS = tuple(1.0 / math.factorial(n) for n in range(13, -1, -1))

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


def exponential(x: Floats) -> Floats:
    """e**x by Cody-Waite reduction and a Taylor polynomial of degree 13; relative error below 4e-16.

    x (any shape), within [-700, 700]; smaller values are raised to -700.
    """
    bounded = np.maximum(x, -700.0)
    k = np.floor(bounded * _LN2_INVERSE + 0.5)
    r = (bounded - k * _LN2_HIGH) - k * _LN2_LOW
    total = np.full_like(r, _COEFFICIENTS[0])
    for coefficient in _COEFFICIENTS[1:]:
        total *= r
        total += coefficient
    return np.ldexp(total, k.astype(np.int32))


_TABLE_STEP_BITS = 20
_TABLE_SIZE = 1 << 15
_TABLE_MASK = (1 << _TABLE_STEP_BITS) - 1
_DECAY = exponential(-(np.arange(_TABLE_SIZE, dtype=np.float64) * (1 << _TABLE_STEP_BITS)) / UNIT)
_DECAY[-1] = 0.0  # everything from exp(-34.3) downwards, which is below half of 2**-48


def decay(billionths: Integers) -> Floats:
    """exp(-x) for x >= 0 given in billionths (any shape), to a relative 1e-13; 0 from x = 34.3 on.

    One look into a table for the high bits, three terms of the series for the low ones: a third of the
    operations of `exponential`, and like it the same bits everywhere.
    """
    low = (billionths & _TABLE_MASK) * (1.0 / UNIT)
    series = np.asarray(low * (1.0 / 6.0))  # 1 - low (1 - low (0.5 - low / 6)), in place
    np.subtract(0.5, series, out=series)
    series *= low
    np.subtract(1.0, series, out=series)
    series *= low
    np.subtract(1.0, series, out=series)
    series *= _DECAY.take(billionths >> _TABLE_STEP_BITS, mode="clip")
    return np.asarray(series, dtype=np.float64)


WEIGHT_BITS = 22
TABLE_BITS = 30


@dataclass(frozen=True, eq=False)
class ExactTable:
    """A matrix (nodes, columns) of whole numbers carried in floats; a value is `matrix * unit`.

    With about 2**22 of weight over entries of at most 2**30, no partial sum of a product reaches 2**53: the
    result is exact in whatever order, with whatever instructions a linear algebra library adds it up.
    """

    matrix: Floats
    unit: float

    def weighted(self, weights: Floats) -> Floats:
        """Sum over the nodes: weights (nodes,) or (candidates, nodes), whole, summing to about 2**22."""
        return np.asarray(weights @ self.matrix, dtype=np.float64)


def exact_table(values: Floats) -> ExactTable:
    """The values rounded to the finest power of two that keeps them within 2**30."""
    largest = float(np.abs(values).max(initial=0.0))
    exponent = 0 if largest == 0.0 else TABLE_BITS - math.frexp(largest)[1]
    matrix = np.rint(np.ldexp(values, exponent))
    return ExactTable(np.ascontiguousarray(matrix), math.ldexp(1.0, -exponent))


def round_ratio(numerator: int, denominator: int) -> int:
    """numerator / denominator rounded to the nearest integer, halves to even, in exact arithmetic."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient


def draw(seed: str, purpose: str, step: int, choices: int) -> int:
    """A number in [0, choices), from a hash of seed, purpose and step: no generator, no state.

    64 bits reduced modulo `choices`; the bias is below choices / 2**64.
    """
    digest = hashlib.sha256(f"{seed}|{purpose}|{step}".encode()).digest()
    return int.from_bytes(digest[:8]) % choices
