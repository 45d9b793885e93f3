"""The mathematics that selection rules share: weights on the nodes, expectations, curves at an ability.

Sums over nodes are products of whole numbers (`exact.ExactTable`), everything else is elementwise: one matrix
product or two rank a whole pool, and the same bits come out everywhere.
"""

import math
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np

from cat_engine.core.exact import (
    THETA_UNIT,
    UNIT,
    WEIGHT_BITS,
    ExactTable,
    Floats,
    Integers,
    decay,
    exponential,
)
from cat_engine.core.local_polynomial import COEFFICIENTS, REACH, STEP
from cat_engine.core.pool import Pool
from cat_engine.core.tables import (
    GRID_LIMIT_MILLIONTHS,
    GRID_STEP_MILLIONTHS,
    NODE_LIMIT_MILLIONTHS,
    NODE_STEP_MILLIONTHS,
)
from cat_engine.core.views import SectionView, Utility

Limit = Annotated[
    int, msgspec.Meta(ge=NODE_STEP_MILLIONTHS, le=NODE_LIMIT_MILLIONTHS, multiple_of=NODE_STEP_MILLIONTHS)
]
"""Setting of a range of ability that ends on nodes, in millionths of theta."""
_WHOLE = float(1 << WEIGHT_BITS)
_PLACE_BITS = 22
_NEWTON_STEPS = 4


def utility_of(values: Floats, unit: float = float(UNIT)) -> Utility:
    """Values (n,) as whole numbers, billionths unless stated otherwise."""
    return np.asarray(np.rint(values * unit), dtype=np.int64)


# ----------------------------------------------------------------------------------- weights on the nodes


def likelihood_shares(view: SectionView, limit_millionths: int) -> Floats:
    """The likelihood between minus and plus the limit as whole shares (`exact.ExactTable`), (nodes,).

    The limit is a multiple of the nodes' step; the two nodes at its ends count half (trapezoid rule).
    """
    log_likelihood = view.evidence.log_likelihood
    skipped = (NODE_LIMIT_MILLIONTHS - limit_millionths) // NODE_STEP_MILLIONTHS
    inside = slice(skipped, log_likelihood.size - skipped)
    height = log_likelihood[inside]
    weights = np.rint(decay(height.max() - height) * float(1 << 40))
    weights[[0, -1]] *= 0.5
    total = float(weights.astype(np.int64).sum())  # an integer sum: order does not matter
    shares = np.zeros(log_likelihood.size)
    shares[inside] = np.floor(weights / total * (_WHOLE - 1.0))
    return shares


def mean_over(table: ExactTable, shares: Floats) -> Floats:
    """The mean of each column over whole shares (nodes,)."""
    return np.asarray(table.weighted(shares) * (table.unit / whole_sum(shares)), dtype=np.float64)


def whole_sum(shares: Floats) -> float:
    """The sum of whole numbers, which is exact in any order."""
    return float(shares.astype(np.int64).sum())


def window_weights(lower: float, upper: float) -> Floats:
    """Whole weights w (nodes,) with sum_q w_q f(theta_q) proportional to the integral of f over the window.

    Between two nodes the curve is the cubic through the four nearest (in the two outermost intervals the
    straight line), integrated from end to end of what of the interval lies in the window. Absolute values sum
    to less than what `exact.ExactTable` allows. What lies beyond the nodes is left out; a window of which
    nothing else is left has all its weight on the nearest node.
    """
    size = 2 * NODE_LIMIT_MILLIONTHS // NODE_STEP_MILLIONTHS + 1
    limit = NODE_LIMIT_MILLIONTHS / THETA_UNIT
    start = min(max((lower + limit) / STEP, 0.0), size - 1.0)
    end = min(max((upper + limit) / STEP, 0.0), size - 1.0)
    weights = np.zeros(size)
    if end - start <= 1e-6:
        weights[math.floor(start + 0.5)] = 0.5 * _WHOLE
        return weights
    left = np.arange(size - 1, dtype=np.float64)
    parts = [
        at_end - at_start
        for at_end, at_start in zip(
            _cubic_integrals(np.clip(end - left, 0.0, 1.0)),
            _cubic_integrals(np.clip(start - left, 0.0, 1.0)),
            strict=True,
        )
    ]
    for offset, part in enumerate(parts[:4]):
        weights[offset : offset + size - 3] += part[1:-1]
    for edge in (0, size - 2):
        weights[edge] += parts[4][edge]
        weights[edge + 1] += parts[5][edge]
    return np.asarray(np.rint(weights * (0.5 * _WHOLE / (end - start))), dtype=np.float64)


def _cubic_integrals(t: Floats) -> tuple[Floats, ...]:
    """From 0 to t: the four cubics of Lagrange on -1, 0, 1, 2, then the two straight lines on 0, 1."""
    square = t * t
    cube, fourth = square * t, square * square / 4.0
    return (
        (cube - fourth - square) / 6.0,
        (fourth - cube * (2.0 / 3.0) - square / 2.0 + 2.0 * t) / 2.0,
        (cube / 3.0 + square - fourth) / 2.0,
        (fourth - square / 2.0) / 6.0,
        t - square / 2.0,
        square / 2.0,
    )


# ---------------------------------------------------------------------------------- the pool at an ability


def log_probability_at(pool: Pool, theta_millionths: int) -> Floats:
    """ln P of each category at an ability, (n, categories); 0 where there is no category.

    By the polynomial through the six nearest nodes: error below 1e-6 for slopes D a up to 3.
    """
    limit = NODE_LIMIT_MILLIONTHS
    at = min(max(theta_millionths, -limit), limit) + limit
    row, part = divmod(at, NODE_STEP_MILLIONTHS)
    if part == 0:
        return np.asarray(pool.log_probability[:, :, row] / UNIT, dtype=np.float64)
    first = min(max(row - 2, 0), pool.log_probability.shape[2] - 6)
    x = row - first + part / NODE_STEP_MILLIONTHS
    weights = [round(_lagrange(x, place) * (1 << _PLACE_BITS)) for place in range(6)]
    weights[2] += (1 << _PLACE_BITS) - sum(weights)
    table = pool.log_probability[:, :, first : first + 6]
    total = (table * np.array(weights, dtype=np.int64)).sum(axis=2)  # integers: any order
    return np.asarray(np.minimum(total / float(UNIT << _PLACE_BITS), 0.0), dtype=np.float64)


def _lagrange(x: float, place: int) -> float:
    value = 1.0
    for other in range(6):
        if other != place:
            value = value * (x - other) / (place - other)
    return value


def probability_at(pool: Pool, theta_millionths: int) -> Floats:
    """P of each category at an ability, (n, categories); 0 where there is no category."""
    return np.asarray(
        exponential(log_probability_at(pool, theta_millionths)) * pool.has_category, dtype=np.float64
    )


def summed_categories(values: Floats) -> Floats:
    """The sum over the categories, in their order: (n, categories) to (n,)."""
    total = values[:, 0].copy()
    for category in range(1, values.shape[1]):
        total += values[:, category]
    return total


def divergence(view: SectionView, weights: Floats) -> Floats:
    """sum_q w_q KL_i(theta_hat || theta_q) / sum_q w_q, (n,); whole weights (nodes,).

    KL_i(theta || x) = sum_k P_k(theta) [ln P_k(theta) - ln P_k(x)].
    """
    pool = view.pool
    log_here = log_probability_at(pool, view.estimate.theta_millionths)
    elsewhere = mean_over(pool.log_probability_by_node, weights).reshape(log_here.shape)
    here = exponential(log_here) * pool.has_category
    return summed_categories(here * (log_here - elsewhere))


# ------------------------------------------------------------------------------------ one response ahead


@dataclass(frozen=True)
class Ahead:
    """After each answer that each item may get, (n, categories) each: its predictive chance, and the mean and
    mean square of the posterior then, in theta from the node `centre_millionths`.
    """

    chance: Floats
    mean: Floats
    square: Floats
    centre_millionths: int

    def means_millionths(self) -> Floats:
        """The posterior means in whole millionths, (n, categories)."""
        limit = float(NODE_LIMIT_MILLIONTHS)
        found = np.rint(self.mean * THETA_UNIT) + self.centre_millionths
        return np.asarray(np.clip(found, -limit, limit), dtype=np.float64)


def one_answer_ahead(view: SectionView) -> Ahead:
    """Posterior moments after one more answer, for all items and answers at once.

    Moments are taken about the highest node of the posterior, where the difference of large numbers is
    harmless. An answer that cannot come leaves a mean of 0.
    """
    pool, shares = view.pool, view.evidence.shares
    centre = int(shares.argmax())
    away = np.arange(shares.size, dtype=np.float64) - centre
    table = pool.probability
    first, first_unit = whole_weights(shares * away)
    second, second_unit = whole_weights(shares * (away * away))
    sums = table.weighted(np.stack([shares, first, second]))
    reach, one, two = (row.reshape(pool.size, -1) for row in sums)
    whole = np.where(reach > 0.0, reach, 1.0)
    return Ahead(
        chance=reach * (table.unit / whole_sum(shares)),
        mean=one / whole * (first_unit * STEP),
        square=two / whole * (second_unit * (STEP * STEP)),
        centre_millionths=centre * NODE_STEP_MILLIONTHS - NODE_LIMIT_MILLIONTHS,
    )


def whole_weights(values: Floats) -> tuple[Floats, float]:
    """Whole numbers that `exact.ExactTable` takes as weights, and the unit that makes them these values."""
    total = whole_sum(np.abs(values))
    unit = 1.0
    while total > (_WHOLE - values.size) * unit:
        unit *= 2.0
    return np.asarray(np.rint(values / unit), dtype=np.float64), unit


def modes_ahead(view: SectionView) -> Floats:
    """The posterior's mode after each answer that each item may get, in millionths, (n, categories).

    The highest node, refined by Newton's method on the polynomial through the seven nodes around it.
    """
    pool = view.pool
    heights = (pool.log_probability + view.evidence.log_posterior).reshape(-1, view.evidence.shares.size)
    highest = heights.argmax(axis=1)
    centre = np.clip(highest, REACH, heights.shape[1] - 1 - REACH)
    values = _around(heights, centre)
    slope = [k * _weighted_sum(COEFFICIENTS[k], values) for k in range(1, 2 * REACH + 1)]
    bend = [k * slope[k] for k in range(1, 2 * REACH)]
    start = (highest - centre).astype(np.float64)
    x = start
    for _ in range(_NEWTON_STEPS):
        curvature = np.minimum(_columns_at(bend, x), -1e-12)
        x = np.clip(x - _columns_at(slope, x) / curvature, start - 1.0, start + 1.0)
        x = np.clip(x, -float(REACH), float(REACH))
    theta = (centre + x) * NODE_STEP_MILLIONTHS - NODE_LIMIT_MILLIONTHS
    return np.asarray(np.rint(theta).reshape(pool.size, -1), dtype=np.float64)


def own_information_at(pool: Pool, theta_millionths: Floats) -> Floats:
    """Fisher information of item i at each of theta[i], (n, k) to (n, k).

    Between the points of the grid by the cubic through the four nearest; beyond the grid its edge.
    """
    rows = pool.information.shape[0]
    place = np.clip((theta_millionths + GRID_LIMIT_MILLIONTHS) / GRID_STEP_MILLIONTHS, 0.0, rows - 1.0)
    first = np.clip(np.floor(place).astype(np.int64) - 1, 0, rows - 4)
    x = place - first
    flat, columns = pool.information.reshape(-1), np.arange(pool.size)[:, None]
    at = first * pool.size + columns
    one, two, three = x - 1.0, x - 2.0, x - 3.0
    total = flat[at] * (one * two * three * (-1.0 / 6.0))
    total += flat[at + pool.size] * (x * two * three * 0.5)
    total += flat[at + 2 * pool.size] * (x * one * three * -0.5)
    total += flat[at + 3 * pool.size] * (x * one * two * (1.0 / 6.0))
    return np.asarray(np.maximum(total, 0.0) / UNIT, dtype=np.float64)


def own_observed_information_at(pool: Pool, theta_millionths: Floats) -> Floats:
    """-(ln P_k)'' of item i at each of theta[i, k], its own answer k, (n, categories)."""
    rows = pool.log_probability.shape[2]
    place = (theta_millionths + NODE_LIMIT_MILLIONTHS) / NODE_STEP_MILLIONTHS
    centre = np.clip(np.rint(place).astype(np.int64), REACH, rows - 1 - REACH).reshape(-1)
    x = place.reshape(-1) - centre
    table = pool.log_probability.reshape(-1, rows)
    values = _around(table, centre)
    bend = [k * (k - 1) * _weighted_sum(COEFFICIENTS[k], values) for k in range(2, 2 * REACH + 1)]
    return (_columns_at(bend, x) / -(STEP * STEP)).reshape(theta_millionths.shape)


def _around(table: Integers, centre: Integers) -> Floats:
    """From rows of billionths (r, nodes) the seven values around each row's centre (r,), less the value at
    the centre: (7, r).
    """
    first = np.arange(centre.size) * table.shape[1] + (centre - REACH)
    near = table.reshape(-1).take(first + np.arange(2 * REACH + 1)[:, None])
    return np.asarray((near - near[REACH]) / UNIT, dtype=np.float64)


def _weighted_sum(weights: tuple[float, ...], values: Floats) -> Floats:
    """Weights (7,) times values (7, r), added from first to last: (r,)."""
    total = weights[0] * values[0]
    for weight, value in zip(weights[1:], values[1:], strict=True):
        if weight:
            total += weight * value
    return np.asarray(total, dtype=np.float64)


def _columns_at(polynomial: list[Floats], x: Floats) -> Floats:
    """Polynomials with coefficients (r,) each, lowest power first, at x (r,)."""
    total = polynomial[-1] * x
    for coefficient in polynomial[-2:0:-1]:
        total += coefficient
        total *= x
    return np.asarray(total + polynomial[0], dtype=np.float64)


def mixture_parts(position: int, length: int, acceleration: int) -> tuple[int, int]:
    """Numerator and denominator of the weight of information at a position (from 1) of a test of this length.

    W = sum_{f=2}^{position} (f - 1)^t / sum_{f=2}^{length} (f - 1)^t (Barrada, Olea, Ponsoda & Abad, 2008), t
    the acceleration: 0 at the first item, 1 at the last and after it.
    """
    if position <= 1:
        return 0, 1
    terms = [(f - 1) ** acceleration for f in range(2, max(length, 2) + 1)]
    return sum(terms[: position - 1]), sum(terms)
