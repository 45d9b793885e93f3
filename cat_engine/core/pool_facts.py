"""What some rules need to know of a pool beyond its tables: computed once, kept with the pool.

Everything here follows from the frozen tables and parameters by the operations of `exact`, so every machine
derives the same.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from cat_engine.core.exact import (
    THETA_UNIT,
    UNIT,
    ExactTable,
    Floats,
    Integers,
    exact_table,
    exponential,
    round_ratio,
)
from cat_engine.core.local_polynomial import (
    REACH,
    STEP,
    WIDE,
    coefficients,
    derivative,
    polynomial_rows,
    value_at,
)
from cat_engine.core.pool import Pool
from cat_engine.core.tables import GRID_LIMIT_MILLIONTHS, GRID_STEP_MILLIONTHS
from cat_engine.core.test_package import PoolItem
from cat_engine.foundation.refusals import Refusal, Refused

P = ParamSpec("P")
T = TypeVar("T")
_NEWTON_STEPS = 12
_NOMINAL = "NRM"


def kept_with_pool(function: Callable[Concatenate[Pool, P], T]) -> Callable[Concatenate[Pool, P], T]:
    """The function, computed once for each pool and arguments; what it gave lives as long as the pool.

    A pool holds arrays and cannot be hashed, so the answers are kept in the pool's own dictionary, as
    `cached_property` does. Two threads may both compute; they get the same.
    """

    name = f"kept:{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def kept(pool: Pool, /, *args: P.args, **kwargs: P.kwargs) -> T:
        store: dict[object, T] | None = vars(pool).get(name)
        if store is None:
            store = vars(pool).setdefault(name, {})
        key: object = (args, tuple(sorted(kwargs.items()))) if kwargs else args
        try:
            return store[key]
        except KeyError:
            return store.setdefault(key, function(pool, *args, **kwargs))

    return kept


@kept_with_pool
def probability_squares(pool: Pool) -> ExactTable:
    """Sum over the categories of P^2 on the nodes, matrix (nodes, n)."""
    p = exponential(pool.log_probability / UNIT) * pool.has_category[:, :, None]
    total = np.zeros((pool.size, p.shape[2]))
    for category in range(p.shape[1]):
        total += p[:, category] * p[:, category]
    return exact_table(np.ascontiguousarray(total.T))


@kept_with_pool
def difficulties(pool: Pool) -> Integers:
    """b of each item, the mean of its thresholds where it has several, in millionths, (n,)."""
    _refuse(difficulty_problem(pool.items))
    means = [round_ratio(sum(round(b * THETA_UNIT) for b in item.b), len(item.b)) for item in pool.items]
    return np.array(means, dtype=np.int64)


def difficulty_problem(items: tuple[PoolItem, ...]) -> str:
    """The first item that has no difficulty, because its categories have no order; or ""."""
    nominal = next((item for item in items if item.model == _NOMINAL), None)
    return f"{nominal.code}: a nominal item has no difficulty" if nominal else ""


def _refuse(problem: str) -> None:
    """Freezing a package finds the problem first; whoever computes without it is told here."""
    if problem:
        raise Refused(Refusal.PACKAGE_INVALID, reason=problem)


@kept_with_pool
def discriminations(pool: Pool) -> Integers:
    """a of each item in millionths, (n,); of a nominal item the range of its categories' slopes."""
    found = np.empty(pool.size, dtype=np.int64)
    for column, item in enumerate(pool.items):
        slopes = (0.0, *item.slopes) if item.model == _NOMINAL else (0.0, item.a)
        found[column] = round((max(slopes) - min(slopes)) * THETA_UNIT)
    return found


@kept_with_pool
def information_peaks(pool: Pool) -> Integers:
    """The largest Fisher information of each item on the package's grid, in billionths, (n,)."""
    found: Integers = pool.information.max(axis=0)
    return found


@kept_with_pool
def information_maxima(pool: Pool) -> Integers:
    """Where each item's Fisher information is largest, in millionths, (n,).

    The highest point of the grid, refined by the polynomial through the seven points around it. An item whose
    maximum lies beyond the grid gets the grid's edge.
    """
    return np.array([_maximum(pool.information[:, i]) for i in range(pool.size)], dtype=np.int64)


def _maximum(information: Integers) -> int:
    highest = int(information.argmax())
    centre = min(max(highest, REACH), information.size - 1 - REACH)
    around = information[centre - REACH : centre + REACH + 1]
    slope = derivative(coefficients([int(v - information[centre]) / UNIT for v in around]))
    bend = derivative(slope)
    x = start = float(highest - centre)
    left, right = max(start - 1.0, -float(REACH)), min(start + 1.0, float(REACH))
    for _ in range(_NEWTON_STEPS):
        curvature = value_at(bend, x)
        if curvature >= 0.0:
            break  # no information anywhere
        x = min(max(x - value_at(slope, x) / curvature, left), right)
    return centre * GRID_STEP_MILLIONTHS - GRID_LIMIT_MILLIONTHS + round(x * GRID_STEP_MILLIONTHS)


@kept_with_pool
def strata(pool: Pool, count: int, by: str, blocked: bool) -> Integers:
    """Stratum 0 to count - 1 of each item by rising discrimination or largest information, (n,).

    Of equal size to within one item. Blocked, the items in order of difficulty are first cut into blocks of
    `count`, and every block gives one item to each stratum (Chang, Qian & Ying, 2001); a last block that is
    not full gives its items to strata spread over the range. Equals are ordered by their content.
    """
    _refuse(strata_problem(pool.size, count))
    value = discriminations(pool) if by == "discrimination" else information_peaks(pool)
    found = np.empty(pool.size, dtype=np.int64)
    if not blocked:
        found[np.lexsort((pool.ties, value))] = np.arange(pool.size) * count // pool.size
        return found
    block = np.empty(pool.size, dtype=np.int64)
    block[np.lexsort((pool.ties, difficulties(pool)))] = np.arange(pool.size) // count
    order = np.lexsort((pool.ties, value, block))
    found[order] = np.arange(pool.size) % count
    rest = pool.size % count
    if rest:
        found[order[-rest:]] = ((2 * np.arange(rest) + 1) * count) // (2 * rest)
    return found


def strata_problem(size: int, count: int) -> str:
    """Why so many items cannot be cut into so many strata; or ""."""
    return f"{size} items cannot be cut into {count} strata" if count > size else ""


@kept_with_pool
def time_columns(pool: Pool) -> tuple[Floats, Floats]:
    """Time discrimination alpha and time intensity beta (ln seconds) of each item, (n,) each."""
    _refuse(time_problem(pool.items))
    alpha = np.array([item.time_discrimination for item in pool.items], dtype=np.float64)
    return alpha, np.array([item.time_intensity for item in pool.items], dtype=np.float64)


def time_problem(items: tuple[PoolItem, ...]) -> str:
    """The first item without response time parameters; or ""."""
    for item in items:
        if item.time_discrimination is None or item.time_intensity is None:
            return f"{item.code}: no response time parameters"
    return ""


MOMENT_BITS = 50
"""The finest unit of `score_moments`, 2**-50: what is left of information far from an item is still told from
nothing."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Whole numbers (n, nodes) of the unit, a power of two so large that no sum over items leaves 63 bits."""

    information: Integers
    bias_term: Integers
    unit: float


@kept_with_pool
def score_moments(pool: Pool) -> Moments:
    """I = sum_k P l'^2 and J = sum_k P l' (l'' + l'^2) on the nodes.

    l = ln P_k; I is Fisher's information and J the sum of P' P'' / P in Warm's (1989) correction. Slopes are
    those of the polynomial through nine nodes, good to about 1e-6 for slopes D a up to 3.
    """
    nodes = pool.log_probability.shape[2]
    information = np.zeros((pool.size, nodes))
    bias_term = np.zeros((pool.size, nodes))
    for category in range(pool.log_probability.shape[1]):
        log_p = pool.log_probability[:, category, :]
        p = exponential(log_p / UNIT) * pool.has_category[:, category, None]
        first, second = _slopes(log_p / UNIT)
        information += p * (first * first)
        bias_term += p * (first * (second + first * first))
    most = max(
        int(np.ceil(np.abs(moment)).astype(np.int64).sum(axis=0).max()) for moment in (information, bias_term)
    )
    bits = min(MOMENT_BITS, 62 - most.bit_length())
    scaled = [np.rint(np.ldexp(moment, bits)).astype(np.int64) for moment in (information, bias_term)]
    return Moments(scaled[0], scaled[1], math.ldexp(1.0, -bits))


def _slopes(values: Floats) -> tuple[Floats, Floats]:
    """First and second derivative by theta of rows of values on the nodes (n, nodes)."""
    nodes = values.shape[1]
    first, second = np.empty_like(values), np.empty_like(values)
    for offset in range(-WIDE, WIDE + 1):
        # in the middle the nine nodes lie around the node itself, at the ends they are the last nine
        if offset == 0:
            at = np.arange(WIDE, nodes - WIDE)
        else:
            at = np.array([WIDE + offset if offset < 0 else nodes - 1 - WIDE + offset])
        for power, into in ((1, first), (2, second)):
            total = np.zeros((values.shape[0], at.size))
            for place, weight in enumerate(_derivative_weights(offset, power)):
                total += weight * values[:, at - offset - WIDE + place]
            into[:, at] = total / (STEP if power == 1 else STEP * STEP)
    return first, second


@cache
def _derivative_weights(x: int, power: int) -> tuple[float, ...]:
    """Weights of nine values at -4..4 in the derivative (first or second) of their polynomial at x."""
    weights = []
    rows = polynomial_rows(WIDE)
    for place in range(len(rows)):
        row = [rows[k][place] for k in range(len(rows))]
        for _ in range(power):
            row = [k * c for k, c in enumerate(row)][1:]
        total = row[-1]
        for c in reversed(row[:-1]):
            total = total * x + c
        weights.append(float(total))
    return tuple(weights)
