"""Search for the highest point of a function of ability, for many candidates at once.

Likelihoods of the 3PL and 4PL may have several maxima (Samejima, 1973), so every search starts from a grid
over the whole range and only then refines around the highest node.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from psychometrics.arrays import FloatArray, IntArray
from psychometrics.estimation.grids import equally_spaced

STEP = 0.05
"""Distance of the nodes of the first, global look; two maxima closer than this count as one."""


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


def refine_maxima(slope: Callable[[FloatArray], FloatArray], nodes: FloatArray, best: IntArray) -> FloatArray:
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
    slope: Callable[[FloatArray], FloatArray],
    ends: tuple[FloatArray, FloatArray],
    slopes: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """Illinois variant of false position: the secant of the bracket, halving the end that would not move.

    Where the ends do not differ in sign (a wave shorter than the bracket) the middle is taken instead; the
    sign at the new point alone decides which end moves. A candidate whose last step was below 1e-13 is not
    moved again, so that company in the batch does not change a result.
    """
    (low, high), (slope_low, slope_high) = ends, slopes
    point, moving = 0.5 * (low + high), low < high
    last_side = np.zeros(low.size)
    for _ in range(100):
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
        moving = moving & (here != 0) & (step > 1e-13) & (high - low > 1e-14)
        if not moving.any():
            break
    return point
