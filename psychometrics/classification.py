"""How sure a classification by cut scores is.

The true score is taken as normal around the estimate with the standard error as deviation (Rudner, 2001,
2005). The probability of level l is then Phi((cut_{l+1} - theta) / SE) - Phi((cut_l - theta) / SE).
Estimates, errors and cuts must be on the same scale: all theta, or all reporting scale.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from psychometrics.arrays import FloatArray, IntArray, refuse_rows
from psychometrics.scaling import check_cut_scores


class DecisionQuality(NamedTuple):
    """Expected share of candidates classified rightly, and share a parallel test would classify alike."""

    accuracy: float
    consistency: float


def level_probabilities(estimate: ArrayLike, standard_error: ArrayLike, cuts: Sequence[float]) -> FloatArray:
    """Probability of each level for each candidate, shape (N, len(cuts) + 1), rows summing to 1.

    A standard error of 0 leaves no doubt: all the mass is on the level of the estimate, a cut counting as
    reached. The interior differences are taken in the tail where the normal distribution is small, which
    keeps the probability of far levels right to the last digits.
    """
    check_cut_scores(cuts)
    centre, spread = _estimates(estimate, standard_error)
    bounds = np.array([-np.inf, *cuts, np.inf], dtype=np.float64)
    lower, upper = (_standardised(bound, centre, spread) for bound in (bounds[:-1], bounds[1:]))
    in_upper_tail = lower > 0
    return np.asarray(
        np.where(in_upper_tail, ndtr(-lower) - ndtr(-upper), ndtr(upper) - ndtr(lower)), dtype=np.float64
    )


def levels(estimate: ArrayLike, cuts: Sequence[float]) -> IntArray:
    """Level 0..len(cuts) of each estimate; an estimate on a cut has reached it. Refuses
    estimates that are not finite."""
    check_cut_scores(cuts)
    values = np.atleast_1d(np.asarray(estimate, dtype=np.float64))
    refuse_rows(~np.isfinite(values), "the estimate is not finite")
    return np.searchsorted(np.asarray(cuts, dtype=np.float64), values, side="right").astype(np.int64)


def decision_quality(
    estimate: ArrayLike, standard_error: ArrayLike, cuts: Sequence[float]
) -> DecisionQuality:
    """Classification accuracy mean(p[level assigned]) and consistency mean(sum_l p_l^2) over candidates."""
    p = level_probabilities(estimate, standard_error, cuts)
    assigned = levels(estimate, cuts)
    return DecisionQuality(
        accuracy=float(np.mean(p[np.arange(assigned.size), assigned])),
        consistency=float(np.mean(np.sum(p**2, axis=1))),
    )


def _estimates(estimate: ArrayLike, standard_error: ArrayLike) -> tuple[FloatArray, FloatArray]:
    centre = np.atleast_1d(np.asarray(estimate, dtype=np.float64))
    spread = np.broadcast_to(np.asarray(standard_error, dtype=np.float64), centre.shape)
    refuse_rows(~np.isfinite(centre), "the estimate is not finite")
    refuse_rows(~(np.isfinite(spread) & (spread >= 0)), "the standard error is not finite or is negative")
    return centre, spread


def _standardised(bound: FloatArray, centre: FloatArray, spread: FloatArray) -> FloatArray:
    """(bound - centre) / spread, shape (N, bounds); without spread -inf for bounds reached, else +inf."""
    distance = bound[None, :] - centre[:, None]
    certain = np.where(distance <= 0, -np.inf, np.inf)
    wide = np.broadcast_to(spread[:, None], distance.shape)
    with np.errstate(over="ignore"):  # a vanishing error is certainty: infinity is the right answer
        return np.divide(distance, wide, out=certain, where=wide > 0)
