"""Posterior mode (MAP, also called Bayes modal) and, without a prior, maximum likelihood.

    theta_MAP = argmax ln L(theta) - (theta - mean)^2 / (2 sd^2)

sought over the whole range, so that the highest of several maxima is found. Standard errors are the inverse
root of the expected information at the estimate, with the prior's precision added for the MAP.
"""

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, IntArray, refuse_rows
from psychometrics.estimation.errors import InformationKind, standard_errors_of_pairs
from psychometrics.estimation.estimates import Estimate, Estimates
from psychometrics.estimation.grids import NormalPrior
from psychometrics.estimation.search import DEFAULT_BOUNDS, Bounds, refine_maxima
from psychometrics.models.items import ItemColumns, category_log_probabilities, log_derivatives_at
from psychometrics.responses import response_matrix, response_pairs, sum_chosen


def map_estimate(
    items: ItemColumns, responses: ArrayLike, prior: NormalPrior, *, bounds: Bounds = DEFAULT_BOUNDS
) -> Estimate:
    """Posterior mode of one candidate, responses (n,)."""
    return map_estimates(items, responses, prior, bounds=bounds)[0]


def map_estimates(
    items: ItemColumns, responses: ArrayLike, prior: NormalPrior, *, bounds: Bounds = DEFAULT_BOUNDS
) -> Estimates:
    """Posterior mode of each candidate, responses (N, n); the prior's mean where there is no response."""
    return _modes(items, response_matrix(items, responses), prior, bounds)


def maximum_likelihood_estimates(
    items: ItemColumns, responses: ArrayLike, *, bounds: Bounds = DEFAULT_BOUNDS
) -> Estimates:
    """Maximum likelihood of each candidate, responses (N, n).

    All right or all wrong has no finite maximum: the bound is answered, with the (large) error that belongs
    to it. A candidate without any response has no likelihood and is refused.
    """
    matrix = response_matrix(items, responses)
    refuse_rows((matrix < 0).all(axis=1), "no response to take a likelihood of")
    return _modes(items, matrix, None, bounds)


def _modes(items: ItemColumns, matrix: IntArray, prior: NormalPrior | None, bounds: Bounds) -> Estimates:
    nodes = bounds.nodes()
    height = sum_chosen(category_log_probabilities(items, nodes), matrix)
    if prior is not None:
        height = height - 0.5 * ((nodes - prior.mean) / prior.sd) ** 2
    pairs = response_pairs(items, matrix)

    def slope(theta: FloatArray) -> FloatArray:
        own = log_derivatives_at(pairs.items, theta[pairs.candidate]).score
        total = pairs.total(pairs.chosen(own))
        return total if prior is None else total - (theta - prior.mean) / prior.sd**2

    theta = refine_maxima(slope, nodes, np.argmax(height, axis=1))
    error = standard_errors_of_pairs(pairs, theta, kind=InformationKind.EXPECTED, prior=prior)
    return Estimates(theta, error)
