"""Every standard error in use, under its name and at any ability.

Estimators answer the error that usually goes with them. When two programs report different errors for the
same estimate, one of these names says which is which. I is expected information at theta, l the
log-likelihood, sd the deviation of a normal prior, J the bias term of `ExpectedMoments`.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, candidate_thetas, member
from psychometrics.estimation.eap import eap_estimates
from psychometrics.estimation.errors import InformationKind as Kind
from psychometrics.estimation.errors import error_of_information, standard_errors_of_pairs
from psychometrics.estimation.grids import NormalPrior, converged_grid
from psychometrics.estimation.jeffreys import JeffreysError, jeffreys_standard_errors, prior_curvature
from psychometrics.estimation.moment_slopes import moment_slopes_at
from psychometrics.information import expected_moments_at
from psychometrics.models.items import ItemColumns, log_derivatives_at
from psychometrics.responses import Pairs, response_matrix, response_pairs


class ErrorConvention(StrEnum):
    """The formula of each convention.

    EXPECTED_INFORMATION 1 / sqrt(I): maximum likelihood, and Warm's estimate as Warm (1989) reports it.
    OBSERVED_INFORMATION 1 / sqrt(-l'').
    SANDWICH sqrt(sum of the items' squared scores) / -l'': holds when the model does not (White, 1982).
    BAYES_MODAL 1 / sqrt(I + 1 / sd^2); BAYES_MODAL_OBSERVED 1 / sqrt(-l'' + 1 / sd^2).
    POSTERIOR_DEVIATION: of the posterior under the normal prior, about its mean, whatever theta is.
    JEFFREYS 1 / sqrt(I - (ln I)'' / 2) and JEFFREYS_CATR, the same with D forgotten in the second term.
    BAYES_MODAL_SAMPLING, WARM_SAMPLING, JEFFREYS_SAMPLING: sqrt(I) / (I - r'), with r the term the estimating
    equation l' + r = 0 adds: the spread of the estimator over repeated tests of one candidate, by the theory
    of M-estimation (Magis, 2016), which is smaller than a posterior's.
    """

    EXPECTED_INFORMATION = "expected_information"
    OBSERVED_INFORMATION = "observed_information"
    SANDWICH = "sandwich"
    BAYES_MODAL = "bayes_modal"
    BAYES_MODAL_OBSERVED = "bayes_modal_observed"
    BAYES_MODAL_SAMPLING = "bayes_modal_sampling"
    POSTERIOR_DEVIATION = "posterior_deviation"
    WARM_SAMPLING = "warm_sampling"
    JEFFREYS = "jeffreys"
    JEFFREYS_CATR = "jeffreys_catr"
    JEFFREYS_SAMPLING = "jeffreys_sampling"


NEED_PRIOR = frozenset(
    {
        ErrorConvention.BAYES_MODAL,
        ErrorConvention.BAYES_MODAL_OBSERVED,
        ErrorConvention.BAYES_MODAL_SAMPLING,
        ErrorConvention.POSTERIOR_DEVIATION,
    }
)
"""Conventions that contain a normal prior; the others refuse one."""


def standard_errors_by(
    convention: ErrorConvention,
    items: ItemColumns,
    responses: ArrayLike,
    theta: ArrayLike,
    *,
    prior: NormalPrior | None = None,
) -> FloatArray:
    """The standard error (N,) that the convention gives candidates with responses (N, n) at theta (N,).

    Infinite where the information it inverts is not positive, as observed information of aberrant responses
    may be under the 3PL and 4PL. Refused is a missing prior, one the
    convention would not use, and a theta that is not finite.
    """
    convention = member(ErrorConvention, convention)
    if (prior is None) is (convention in NEED_PRIOR):
        raise ValueError(f"{convention} takes {'a' if convention in NEED_PRIOR else 'no'} normal prior")
    matrix = response_matrix(items, responses)
    at = candidate_thetas(theta, matrix.shape[0])
    pairs = response_pairs(items, matrix)
    match convention:
        case ErrorConvention.EXPECTED_INFORMATION | ErrorConvention.BAYES_MODAL:
            return standard_errors_of_pairs(pairs, at, kind=Kind.EXPECTED, prior=prior)
        case ErrorConvention.OBSERVED_INFORMATION | ErrorConvention.BAYES_MODAL_OBSERVED:
            return standard_errors_of_pairs(pairs, at, kind=Kind.OBSERVED, prior=prior)
        case ErrorConvention.JEFFREYS:
            return jeffreys_standard_errors(items, matrix, at, error=JeffreysError.CURVATURE)
        case ErrorConvention.JEFFREYS_CATR:
            return jeffreys_standard_errors(items, matrix, at, error=JeffreysError.CATR)
        case ErrorConvention.SANDWICH:
            return _sandwich(pairs, at)
        case ErrorConvention.POSTERIOR_DEVIATION if prior is not None:
            return eap_estimates(items, matrix, converged_grid(prior)).standard_error
        case _:
            return _sampling(pairs, at, _added_slope(convention, pairs, at, prior))


def _sandwich(pairs: Pairs, theta: FloatArray) -> FloatArray:
    score, curvature = log_derivatives_at(pairs.items, theta[pairs.candidate])
    spread = pairs.total(pairs.chosen(score) ** 2)
    observed = -pairs.total(pairs.chosen(curvature))
    # 1 / sqrt(x) of x = observed^2 / spread is the sandwich; not positive information stays infinite
    return error_of_information(np.sign(observed) * observed**2 / np.where(spread > 0, spread, np.inf), None)


def _sampling(pairs: Pairs, theta: FloatArray, added: FloatArray) -> FloatArray:
    information = pairs.total(expected_moments_at(pairs.items, theta[pairs.candidate]).information)
    slope = information - added
    some = (information > 0) & (slope > 0)
    return np.where(some, np.sqrt(np.maximum(information, 0.0)) / np.where(some, slope, 1.0), np.inf)


def _added_slope(
    convention: ErrorConvention, pairs: Pairs, theta: FloatArray, prior: NormalPrior | None
) -> FloatArray:
    """r' of the estimating equation l' + r = 0, (N,)."""
    if prior is not None:
        return np.full(theta.size, -(prior.sd**-2))
    if convention is ErrorConvention.JEFFREYS_SAMPLING:
        return prior_curvature(pairs, theta)
    own = theta[pairs.candidate]
    at = expected_moments_at(pairs.items, own)
    information, derivative, bias_term = (pairs.total(column) for column in at)
    bias_slope = pairs.total(moment_slopes_at(pairs.items, own).bias_slope)
    some = information > 0
    divisor = np.where(some, 2.0 * information**2, 1.0)
    return np.where(some, (bias_slope * information - bias_term * derivative) / divisor, 0.0)
