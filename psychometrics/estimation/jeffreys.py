"""Estimation under Jeffreys' (1946) prior, whose density is proportional to sqrt(I(theta)).

    mode:  theta = argmax ln L(theta) + ln I(theta) / 2,   that is   l' + I' / (2 I) = 0
    mean:  the posterior mean over a stated range; the prior need not be proper beyond it

I is the information of the items the candidate was given, so the prior is each candidate's own. The mode is
what mirt and some other programs answer when asked for "WLE" (after Firth, 1993). It is Warm's estimate for
the 1PL, 2PL, GRM and GPCM only; with asymptotes the two differ by up to 0.8 (see `weighted_likelihood`).
"""

from dataclasses import replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, IntArray, candidate_thetas, member, refuse_rows
from psychometrics.estimation.eap import eap_from_log_likelihood
from psychometrics.estimation.errors import error_of_information
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.grids import uniform_grid
from psychometrics.estimation.moment_slopes import moment_slopes_at
from psychometrics.estimation.search import DEFAULT_BOUNDS, Bounds, highest_points
from psychometrics.information import expected_moments_at, fisher_information
from psychometrics.models.items import (
    ItemColumns,
    category_log_probabilities,
    log_derivatives_at,
    log_probabilities_at,
)
from psychometrics.responses import (
    Pairs,
    response_matrix,
    response_pairs,
    sum_administered,
    sum_chosen,
)


class JeffreysError(StrEnum):
    """How the curvature of Jeffreys' prior enters the standard error of the mode.

    CURVATURE: 1 / sqrt(I - (ln I)'' / 2), the curvature of the log posterior with expected information in
    place of observed, on the metric of the items. CATR: the same, but with the prior's curvature computed as
    if D were 1, which is what catR 3.17 answers; equal for D = 1. INFORMATION: 1 / sqrt(I).
    """

    CURVATURE = "curvature"
    CATR = "catr"
    INFORMATION = "information"


def jeffreys_mode_estimates(
    items: ItemColumns,
    responses: ArrayLike,
    *,
    bounds: Bounds = DEFAULT_BOUNDS,
    error: JeffreysError = JeffreysError.CURVATURE,
) -> Estimates:
    """Mode of the posterior under Jeffreys' prior of each candidate, responses (N, n).

    Finite for all right and all wrong, unless the mode lies outside the bounds. Refused are candidates
    without a response and candidates whose items carry no information within the bounds.
    """
    matrix = response_matrix(items, responses)
    nodes = bounds.nodes()
    log_prior = _log_prior(items, matrix, nodes)
    heights = sum_chosen(category_log_probabilities(items, nodes), matrix) + log_prior
    pairs = response_pairs(items, matrix)

    def slope(theta: FloatArray) -> FloatArray:
        own = theta[pairs.candidate]
        at = expected_moments_at(pairs.items, own)
        information, derivative = pairs.total(at.information), pairs.total(at.derivative)
        some = information > 0
        drift = np.where(some, derivative / np.where(some, 2.0 * information, 1.0), 0.0)
        return pairs.total(pairs.chosen(log_derivatives_at(pairs.items, own).score)) + drift

    def height(theta: FloatArray) -> FloatArray:
        own = theta[pairs.candidate]
        information = pairs.total(expected_moments_at(pairs.items, own).information)
        log_p = pairs.total(pairs.chosen(log_probabilities_at(pairs.items, own)))
        return log_p + _half_log(information)

    theta = highest_points(nodes, heights, slope, height).theta
    return Estimates(theta, jeffreys_standard_errors(items, matrix, theta, error=error))


def jeffreys_eap_estimates(
    items: ItemColumns, responses: ArrayLike, *, lower: float, upper: float, count: int
) -> Estimates:
    """Posterior mean under Jeffreys' prior on [lower, upper], trapezoid rule with `count` nodes, and the
    posterior's standard deviation; responses (N, n). Refuses what the mode refuses."""
    matrix = response_matrix(items, responses)
    grid = uniform_grid(lower=lower, upper=upper, count=count)
    log_prior = _log_prior(items, matrix, grid.nodes)
    log_l = sum_chosen(category_log_probabilities(items, grid.nodes), matrix)
    return eap_from_log_likelihood(log_l + log_prior, grid)


def jeffreys_standard_errors(
    items: ItemColumns, responses: ArrayLike, theta: ArrayLike, *, error: JeffreysError
) -> FloatArray:
    """Standard error (N,) of the mode at theta (N,); infinite where the precision is not positive. Refuses
    a theta that is not finite.

    precision = I - (I'' I - I'^2) / (2 I^2)
    """
    matrix = response_matrix(items, responses)
    at, error = candidate_thetas(theta, matrix.shape[0]), member(JeffreysError, error)
    pairs = response_pairs(items, matrix)
    information = pairs.total(expected_moments_at(pairs.items, at[pairs.candidate]).information)
    if error is JeffreysError.INFORMATION:
        return error_of_information(information, None)
    if error is JeffreysError.CURVATURE:
        return error_of_information(information - prior_curvature(pairs, at), None)
    at_one = response_pairs(replace(items, D=1.0), matrix)
    return error_of_information(information - prior_curvature(at_one, at), None)


def prior_curvature(pairs: Pairs, theta: FloatArray) -> FloatArray:
    """Second derivative (N,) of ln I / 2 at theta (N,); 0 where there is no information."""
    own = theta[pairs.candidate]
    at = expected_moments_at(pairs.items, own)
    information, first = pairs.total(at.information), pairs.total(at.derivative)
    second = pairs.total(moment_slopes_at(pairs.items, own).second_derivative)
    some = information > 0
    divisor = np.where(some, 2.0 * information**2, 1.0)
    return np.where(some, (second * information - first**2) / divisor, 0.0)


def _log_prior(items: ItemColumns, matrix: IntArray, nodes: FloatArray) -> FloatArray:
    """ln I / 2 of the items each candidate was given, (N, q); refuses candidates who have none."""
    refuse_rows((matrix < 0).all(axis=1), "no response to take a likelihood of")
    information = sum_administered(fisher_information(items, nodes), matrix)
    refuse_rows((information <= 0).all(axis=1), "the items given carry no information in this range")
    return _half_log(information)


def _half_log(information: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):  # no information, no prior mass
        return np.asarray(0.5 * np.log(information), dtype=np.float64)
