"""Posterior mode (MAP, also called Bayes modal) and, without a prior, maximum likelihood.

    theta_MAP = argmax ln L(theta) - (theta - mean)^2 / (2 sd^2)

sought over the whole range, so that the highest of several maxima is found. Standard errors are the inverse
root of the expected information at the estimate, with the prior's precision added for the MAP.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import BoolArray, FloatArray, IntArray, member, refuse_rows
from psychometrics.estimation.errors import InformationKind, standard_errors_of_pairs
from psychometrics.estimation.estimates import Estimate, Estimates
from psychometrics.estimation.grids import NormalPrior
from psychometrics.estimation.search import (
    DEFAULT_BOUNDS,
    Bounds,
    OfAbilities,
    Search,
    Tops,
    crossings,
    highest_points,
)
from psychometrics.models.items import (
    ItemColumns,
    category_log_probabilities,
    log_derivatives_at,
    log_probabilities_at,
)
from psychometrics.responses import Pairs, response_matrix, response_pairs, sum_chosen


class Penalty(NamedTuple):
    """What is added to ln L before the highest point is sought, with its slope; elementwise in theta."""

    height: OfAbilities
    slope: OfAbilities


class LikelihoodTops(NamedTuple):
    """Tops of the (penalised) log-likelihood, and whether it is the same at all points of the range; (N,)."""

    tops: Tops
    flat: BoolArray


def map_estimate(
    items: ItemColumns, responses: ArrayLike, prior: NormalPrior, *, bounds: Bounds = DEFAULT_BOUNDS
) -> Estimate:
    """Posterior mode of one candidate, responses (n,)."""
    return map_estimates(items, responses, prior, bounds=bounds)[0]


def map_estimates(
    items: ItemColumns, responses: ArrayLike, prior: NormalPrior, *, bounds: Bounds = DEFAULT_BOUNDS
) -> Estimates:
    """Posterior mode of each candidate, responses (N, n); the prior's mean where there is no response.

    The standard error is 1 / sqrt(I + 1 / sd^2) with I the expected information at the estimate, whatever the
    bounds. Where the mode lies outside the bounds, the bound is answered.
    """
    matrix = response_matrix(items, responses)
    top = likelihood_tops(items, matrix, normal_penalty(prior), bounds).tops
    return Estimates(top.theta, _expected_errors(items, matrix, top.theta, prior))


def maximum_likelihood_estimates(
    items: ItemColumns,
    responses: ArrayLike,
    *,
    bounds: Bounds = DEFAULT_BOUNDS,
    search: Search = Search.HIGHEST,
) -> Estimates:
    """Maximum likelihood of each candidate, responses (N, n): the highest point within the bounds.

    All right or all wrong has no finite maximum: the bound is answered, with the (large) error that belongs
    to it; `no_maximum` offers other answers and says whom they concern. A candidate without any response, or
    whose items say nothing about ability anywhere in the range, has no likelihood to maximise and is refused.

    The bound is answered too where it is higher than every maximum inside, as happens under the 3PL and 4PL;
    `search` may take catR's answer, a root of the score, in its place.
    """
    matrix = response_matrix(items, responses)
    refuse_rows((matrix < 0).all(axis=1), "no response to take a likelihood of")
    found = likelihood_tops(items, matrix, None, bounds)
    refuse_rows(found.flat, "the items given say nothing about ability in this range")
    theta = found.tops.theta
    if member(Search, search) is Search.CROSSING:
        pairs = response_pairs(items, matrix)
        theta = crossings(lambda at: _score(pairs, at), matrix.shape[0], bounds)
    return Estimates(theta, _expected_errors(items, matrix, theta, None))


def normal_penalty(prior: NormalPrior) -> Penalty:
    """Log density of a normal prior, up to its constant."""
    return Penalty(
        lambda theta: -0.5 * ((theta - prior.mean) / prior.sd) ** 2,
        lambda theta: -(theta - prior.mean) / prior.sd**2,
    )


def likelihood_tops(
    items: ItemColumns, matrix: IntArray, penalty: Penalty | None, bounds: Bounds
) -> LikelihoodTops:
    """Highest point of ln L plus the penalty within the bounds, for each row of a checked matrix (N, n)."""
    nodes = bounds.nodes()
    heights = sum_chosen(category_log_probabilities(items, nodes), matrix)
    if penalty is not None:
        heights = heights + penalty.height(nodes)
    pairs = response_pairs(items, matrix)

    def slope(theta: FloatArray) -> FloatArray:
        total = _score(pairs, theta)
        return total if penalty is None else total + penalty.slope(theta)

    def height(theta: FloatArray) -> FloatArray:
        own = log_probabilities_at(pairs.items, theta[pairs.candidate])
        total = pairs.total(pairs.chosen(own))
        return total if penalty is None else total + penalty.height(theta)

    flat = np.asarray(heights.max(axis=1) == heights.min(axis=1), dtype=np.bool_)
    return LikelihoodTops(highest_points(nodes, heights, slope, height), flat)


def _score(pairs: Pairs, theta: FloatArray) -> FloatArray:
    """Slope of ln L of each candidate (N,)."""
    own = log_derivatives_at(pairs.items, theta[pairs.candidate]).score
    return pairs.total(pairs.chosen(own))


def _expected_errors(
    items: ItemColumns, matrix: IntArray, theta: FloatArray, prior: NormalPrior | None
) -> FloatArray:
    return standard_errors_of_pairs(
        response_pairs(items, matrix), theta, kind=InformationKind.EXPECTED, prior=prior
    )
