"""Deciding by a sequential test on which side of one or several cut scores a candidate stands.

At each cut two hypotheses are weighed, theta = cut + delta against theta = cut - delta. Their log-likelihood
ratio is compared with the bounds of Wald (1947), which hold the two error rates approximately:

    upper = ln((1 - beta) / alpha),    lower = ln(beta / (1 - alpha))

alpha is the chance of placing a candidate at cut - delta above, beta that of placing one at cut + delta
below. With several cuts a level is decided once every cut is: above all cuts below it, below all others
(Sobel & Wald, 1949; Eggen & Straetmans, 2000). Levels count from 0, below the first cut.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from psychometrics.arrays import BoolArray, FloatArray, IntArray, refuse_rows
from psychometrics.estimation.eap import log_likelihood
from psychometrics.estimation.search import DEFAULT_BOUNDS, Bounds, refine_maxima
from psychometrics.models.items import (
    ItemColumns,
    category_log_probabilities,
    log_derivatives_at,
    log_probabilities_at,
)
from psychometrics.responses import response_matrix, response_pairs, sum_chosen
from psychometrics.scaling import check_cut_scores

UNDECIDED = -1
"""Mark in place of a level: the evidence does not decide yet."""


class RatioBounds(NamedTuple):
    """Log-likelihood ratios at which a sequential test decides: below at `lower`, above at `upper`."""

    lower: float
    upper: float


def wald_bounds(alpha: float, beta: float) -> RatioBounds:
    """Wald's bounds for two error rates. Refuses rates that leave nothing to decide (alpha + beta >= 1)."""
    if not (0 < alpha < 1 and 0 < beta < 1 and alpha + beta < 1):
        raise ValueError(f"error rates {alpha} and {beta} must be positive with a sum below 1")
    return RatioBounds(float(np.log(beta / (1.0 - alpha))), float(np.log((1.0 - beta) / alpha)))


def likelihood_ratios(
    items: ItemColumns, responses: ArrayLike, cuts: Sequence[float], *, delta: float
) -> FloatArray:
    """ln L(cut + delta) - ln L(cut - delta) of each candidate at each cut, (N, n) to (N, K) (Eggen, 1999).

    0 without any response. Refuses cuts that do not rise and an indifference half-width delta that is not
    positive.
    """
    at = _hypotheses(cuts, delta)
    ratio = log_likelihood(items, responses, at.ravel())
    below, above = np.split(ratio, 2, axis=1)
    return np.asarray(above - below, dtype=np.float64)


def generalised_likelihood_ratios(
    items: ItemColumns,
    responses: ArrayLike,
    cuts: Sequence[float],
    *,
    delta: float,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> FloatArray:
    """max ln L over theta >= cut + delta, minus max ln L over theta <= cut - delta, (N, n) to (N, K).

    The generalised ratio (Bartroff, Finkelman & Lai, 2008; Thompson, 2009) decides sooner than the plain one
    for candidates far from the cut: it weighs the best hypothesis of either side. Maxima are sought within
    `bounds`, grid first. Refuses cuts whose hypotheses lie outside.
    """
    at = _hypotheses(cuts, delta)
    if at.min() <= bounds.lower or at.max() >= bounds.upper:
        raise ValueError(f"cuts -+ {delta} must lie between {bounds.lower} and {bounds.upper}")
    matrix = response_matrix(items, responses)
    columns = [
        _highest(items, matrix, Bounds(above, bounds.upper))
        - _highest(items, matrix, Bounds(bounds.lower, below))
        for below, above in at.T
    ]
    return np.stack(columns, axis=1)


def sequential_levels(ratios: ArrayLike, bounds: RatioBounds) -> IntArray:
    """Level of each candidate (N,) by log-likelihood ratios (N, K), UNDECIDED where a cut is not decided.

    Also undecided: ratios that contradict each other, above a cut but below a lower one.
    """
    ratio = np.atleast_2d(np.asarray(ratios, dtype=np.float64))
    refuse_rows(np.isnan(ratio).any(axis=1), "a ratio is not a number")
    return _levels(ratio >= bounds.upper, ratio <= bounds.lower)


def interval_levels(
    estimate: ArrayLike, standard_error: ArrayLike, cuts: Sequence[float], *, confidence: float
) -> IntArray:
    """Level of each candidate (N,) once no cut lies within the confidence interval, else UNDECIDED.

    The interval is estimate -+ z SE with z the normal quantile of the two-sided confidence (Kingsbury &
    Weiss, 1983). A cut at its very end, and an infinite error, leave it undecided. Refuses a confidence
    outside (0, 1).
    """
    check_cut_scores(cuts)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not at {confidence}")
    centre = np.atleast_1d(np.asarray(estimate, dtype=np.float64))
    error = np.broadcast_to(np.asarray(standard_error, dtype=np.float64), centre.shape)
    refuse_rows(~np.isfinite(centre), "the estimate is not finite")
    refuse_rows(~(error >= 0), "the standard error is negative or not a number")
    reach = float(ndtri(0.5 + 0.5 * confidence)) * error[:, None]
    distance = centre[:, None] - np.asarray(cuts, dtype=np.float64)
    return _levels(distance > reach, distance < -reach)


def forced_levels(ratios: ArrayLike) -> IntArray:
    """Level of each candidate (N,) when the test must end: how many cuts have a ratio (N, K) for above.

    The truncation rule of a sequential test (Spray & Reckase, 1996); an even ratio counts as above.
    """
    ratio = np.atleast_2d(np.asarray(ratios, dtype=np.float64))
    refuse_rows(np.isnan(ratio).any(axis=1), "a ratio is not a number")
    return np.asarray((ratio >= 0).sum(axis=1), dtype=np.int64)


def _hypotheses(cuts: Sequence[float], delta: float) -> FloatArray:
    """cut - delta and cut + delta, shape (2, K)."""
    check_cut_scores(cuts)
    if len(cuts) == 0:
        raise ValueError("there is no cut score to decide at")
    if not (np.isfinite(delta) and delta > 0):
        raise ValueError(f"delta must be positive and finite, not {delta}")
    middle = np.asarray(cuts, dtype=np.float64)
    return np.stack([middle - delta, middle + delta])


def _highest(items: ItemColumns, matrix: IntArray, bounds: Bounds) -> FloatArray:
    """max ln L over the range, shape (N,)."""
    nodes = bounds.nodes()
    height = sum_chosen(category_log_probabilities(items, nodes), matrix)
    pairs = response_pairs(items, matrix)

    def slope(theta: FloatArray) -> FloatArray:
        own = log_derivatives_at(pairs.items, theta[pairs.candidate]).score
        return pairs.total(pairs.chosen(own))

    theta = refine_maxima(slope, nodes, np.argmax(height, axis=1))
    own = log_probabilities_at(pairs.items, theta[pairs.candidate])
    return np.asarray(pairs.total(pairs.chosen(own)), dtype=np.float64)


def _levels(above: BoolArray, below: BoolArray) -> IntArray:
    """Number of cuts above which a candidate stands, if each is decided and none contradicts a lower one."""
    decided = (above != below).all(axis=1) & (above[:, :-1] >= above[:, 1:]).all(axis=1)
    return np.where(decided, above.sum(axis=1), UNDECIDED).astype(np.int64)
