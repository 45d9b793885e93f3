"""Search for the highest point of a function of ability, for many candidates at once.

Likelihoods of the 3PL and 4PL may have several maxima (Samejima, 1973), so every search starts from a grid
over the whole range, climbs from each of its peaks that can still win, and compares the tops reached.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

import numpy as np

from psychometrics.arrays import FloatArray, IntArray
from psychometrics.estimation.grids import equally_spaced

STEP = 0.05
"""Distance of the nodes of the first, global look; two maxima closer than this count as one."""

RIVAL_MARGIN = 1.0
"""How far below the highest node another peak of the grid is still climbed. A maximum rises above its nearest
node by at most |l''| STEP^2 / 8, so a margin of 1 loses none until the information exceeds 3,000."""

OfAbilities: TypeAlias = Callable[[FloatArray], FloatArray]
"""A function that takes one ability per candidate (N,) and answers one value per candidate (N,)."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The range in which ability is sought; an estimate that would lie outside becomes the bound."""

    lower: float = -4.0
    upper: float = 4.0

    def __post_init__(self) -> None:
        equally_spaced(self.lower, self.upper, 2)

    def nodes(self) -> FloatArray:
        """Points of the global look, both bounds included."""
        return equally_spaced(self.lower, self.upper, int(np.ceil((self.upper - self.lower) / STEP)) + 1)


DEFAULT_BOUNDS = Bounds()


class Search(StrEnum):
    """Which solution of the estimating equation is answered; one solution is the same for all.

    HIGHEST: that of the highest top within the bounds. CROSSING, as catR searches: a root between the bounds
    if the equation rises at the lower and falls at the upper bound, else the bound it points to; of several
    roots it may be any, and roots in pairs are not seen.
    """

    HIGHEST = "highest"
    CROSSING = "crossing"


class Tops(NamedTuple):
    """Where each candidate's function is highest, and how high it is there; (N,) each."""

    theta: FloatArray
    height: FloatArray


def highest_points(nodes: FloatArray, heights: FloatArray, slope: OfAbilities, height: OfAbilities) -> Tops:
    """The highest point of each candidate's function over the range of the nodes (q,).

    heights (N, q) are its values at the nodes, `slope` its derivative and `height` its value anywhere. Of two
    tops of the same height the one of the higher node is answered, of equal nodes the lower ability.
    """
    rows, best = np.arange(heights.shape[0]), np.argmax(heights, axis=1)
    theta = refine_maxima(slope, nodes, best)
    reached = height(theta)
    edge = np.ones((heights.shape[0], 1), dtype=np.bool_)
    above_left = np.concatenate([edge, heights[:, 1:] > heights[:, :-1]], axis=1)
    level_right = np.concatenate([heights[:, :-1] >= heights[:, 1:], edge], axis=1)
    rivals = above_left & level_right & (heights >= heights[rows, best][:, None] - RIVAL_MARGIN)
    rivals[rows, best] = False
    for _ in range(int(rivals.sum(axis=1).max(initial=0))):
        rival = np.where(rivals.any(axis=1), np.argmax(rivals, axis=1), best)
        other = refine_maxima(slope, nodes, rival)
        there = height(other)
        better = (rival != best) & (there > reached)
        theta, reached = np.where(better, other, theta), np.where(better, there, reached)
        rivals[rows, rival] = False
    return Tops(theta, reached)


def crossings(slope: OfAbilities, candidates: int, bounds: Bounds) -> FloatArray:
    """Root of each candidate's slope where it changes sign from the lower to the upper bound, else the bound
    it points to, (N,)."""
    low, high = np.full(candidates, bounds.lower), np.full(candidates, bounds.upper)
    at_low, at_high = slope(low), slope(high)
    found = _crossing(slope, (low, high), (at_low, at_high))
    return np.where(at_low <= 0, low, np.where(at_high >= 0, high, found))


def rooted_heights(heights: FloatArray, slopes: FloatArray) -> FloatArray:
    """Heights (N, q) at the nodes, -inf away from the roots where the slope (N, q) falls through zero.

    For equations whose integral means something at a root only. Who has no such root keeps all heights. A
    node that is itself the root belongs to both sides.
    """
    after = np.concatenate([slopes[:, 1:], slopes[:, -1:]], axis=1)
    sign = np.where(slopes == 0, after, slopes)
    falls = (slopes[:, :-1] > 0) & (sign[:, 1:] < 0)
    edge = np.zeros((falls.shape[0], 1), dtype=np.bool_)
    beside = np.concatenate([falls, edge], axis=1) | np.concatenate([edge, falls], axis=1)
    return np.where(beside | ~falls.any(axis=1, keepdims=True), heights, -np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class RunningIntegral:
    """Integral from the first node of a function known by its values (N, q), for estimating equations that
    are the derivative of nothing in closed form. Trapezoid rule between the nodes."""

    nodes: FloatArray
    values: FloatArray

    def at_nodes(self) -> FloatArray:
        """Up to each node, shape (N, q)."""
        rise = 0.5 * (self.values[:, 1:] + self.values[:, :-1]) * np.diff(self.nodes)
        start = np.zeros((self.values.shape[0], 1))
        return np.concatenate([start, np.cumsum(rise, axis=1)], axis=1)

    def up_to(self, theta: FloatArray, value: FloatArray) -> FloatArray:
        """Up to one ability per candidate (N,), where the function has this value (N,)."""
        left = np.clip(np.searchsorted(self.nodes, theta, side="right") - 1, 0, self.nodes.size - 2)
        rows = np.arange(theta.size)
        part = 0.5 * (self.values[rows, left] + value) * (theta - self.nodes[left])
        return np.asarray(self.at_nodes()[rows, left] + part, dtype=np.float64)


def refine_maxima(slope: OfAbilities, nodes: FloatArray, best: IntArray) -> FloatArray:
    """Where the slope crosses zero beside the best node of each candidate, or the bound it points out of.

    `slope` maps abilities (N,) to the derivatives (N,) of the function climbed; `best` (N,) is the index of
    each candidate's highest node. Rising at the best node means that the maximum lies before the next node,
    falling that it lies after the previous one.
    """
    at_best = slope(nodes[best])
    rising = at_best > 0
    low = np.where(rising, best, np.maximum(best - 1, 0))
    high = np.where(rising, np.minimum(best + 1, nodes.size - 1), best)
    slope_low = np.where(rising, at_best, slope(nodes[low]))
    slope_high = np.where(rising, slope(nodes[high]), at_best)
    found = _crossing(slope, (nodes[low], nodes[high]), (slope_low, slope_high))
    settled = (low == high) | (at_best == 0)
    return np.where(settled, nodes[best], found)


def _crossing(
    slope: OfAbilities,
    ends: tuple[FloatArray, FloatArray],
    slopes: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """Illinois variant of false position: the secant of the bracket, halving the end that would not move.

    Where the ends do not differ in sign (a wave shorter than the bracket) the middle is taken instead; the
    sign at the new point alone decides which end moves. A candidate whose last step was below 1e-13 is not
    moved again, so that company in the batch does not change a result. The first step is not judged, because
    the first point proposed may be the middle, where the search begins.
    """
    (low, high), (slope_low, slope_high) = ends, slopes
    point, moving = 0.5 * (low + high), low < high
    last_side = np.zeros(low.size)
    for iteration in range(100):
        opposite = (slope_low > 0) & (slope_high < 0)
        span = np.where(opposite, slope_high - slope_low, 1.0)
        secant = (low * slope_high - high * slope_low) / span
        inside = opposite & (secant > low) & (secant < high)
        proposal = np.where(inside, secant, 0.5 * (low + high))
        step = np.abs(proposal - point)
        point = np.where(moving, proposal, point)
        here = slope(point)
        side = np.where(here > 0, 1.0, -1.0)
        stuck = side == last_side
        slope_high = np.where(side < 0, here, np.where(stuck, 0.5 * slope_high, slope_high))
        slope_low = np.where(side > 0, here, np.where(stuck, 0.5 * slope_low, slope_low))
        low, high = np.where(side > 0, point, low), np.where(side < 0, point, high)
        last_side = side
        moving = moving & (here != 0) & ((step > 1e-13) | (iteration == 0)) & (high - low > 1e-14)
        if not moving.any():
            break
    return point
