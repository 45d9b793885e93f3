"""Arithmetic that gives the same bits everywhere.

numpy's exponential may differ in the last bit between processors (its vector kernels are accurate to a few
units in the last place, not exact), and one bit can choose another item. Addition, multiplication, division
and the square root are exactly rounded by IEEE 754, so everything here is made of those, in a fixed order,
and sums are taken over integers, where order does not matter.
"""

import hashlib
import math
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
