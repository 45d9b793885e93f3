"""Estimation that mistrusts answers far from what the candidate's ability explains.

    sum_i w(r_i) d ln P_i(x_i) / d theta = 0,      r_i = D a_i (theta - b_i)

with Huber's or Tukey's weight of the residual r, after Mislevy and Bock (1982) and Schuster and Yuan (2011).
A slip on a very easy item or a lucky guess on a very hard one then moves the estimate little. Items scored 0
or 1 only: a residual from "the" difficulty of a polytomous item is not defined.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, candidate_thetas, member, refuse_rows
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.search import (
    DEFAULT_BOUNDS,
    Bounds,
    RunningIntegral,
    Search,
    crossings,
    highest_points,
    rooted_heights,
)
from psychometrics.information import expected_moments_at
from psychometrics.models.items import DICHOTOMOUS, ItemColumns, category_log_derivatives, log_derivatives_at
from psychometrics.responses import Pairs, response_matrix, response_pairs, sum_chosen


class RobustWeight(StrEnum):
    """HUBER: 1 up to the tuning constant k, then k / |r|. TUKEY (biweight): (1 - (r / k)^2)^2, then 0."""

    HUBER = "huber"
    TUKEY = "tukey"


class ResidualMetric(StrEnum):
    """ITEMS: r = D a (theta - b), the logit. CATR: r = a (theta - b), as catR 3.17 computes it: D is
    forgotten, so the same items written with D = 1.702 are down-weighted less."""

    ITEMS = "items"
    CATR = "catr"


@dataclass(frozen=True, slots=True)
class RobustSettings:
    """Weight function, its tuning constant (about 1 for Huber, 4 for Tukey) and the metric of residuals."""

    weight: RobustWeight = RobustWeight.HUBER
    tuning: float = 1.0
    residual: ResidualMetric = ResidualMetric.ITEMS

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", member(RobustWeight, self.weight))
        object.__setattr__(self, "residual", member(ResidualMetric, self.residual))
        if not (np.isfinite(self.tuning) and self.tuning > 0):
            raise ValueError(f"tuning constant must be positive and finite, not {self.tuning}")


def robust_estimates(
    items: ItemColumns,
    responses: ArrayLike,
    settings: RobustSettings,
    *,
    bounds: Bounds = DEFAULT_BOUNDS,
    search: Search = Search.HIGHEST,
) -> Estimates:
    """Robust estimate of each candidate, responses (N, n), with the error of `robust_standard_errors`.

    The equation is integrated along the grid and its highest root taken, so that of several it is the one
    with most weight behind it. A root goes before a bound, whatever the integral there: it is no likelihood,
    and its height at a bound means nothing. Without a root (all right, all wrong): the bound (Huber), or
    where the weights have vanished (Tukey). `search` may take catR's answer in its place. Refused are
    candidates without a response or whose items say nothing in this range, and items not scored 0 or 1.
    """
    matrix = response_matrix(items, responses)
    _refuse_polytomous(items)
    refuse_rows((matrix < 0).all(axis=1), "no response to take a likelihood of")
    nodes = bounds.nodes()
    weights = residual_weights(items, nodes[:, None], settings)[..., None]
    equation = RunningIntegral(
        nodes, sum_chosen(weights * category_log_derivatives(items, nodes).score, matrix)
    )
    refuse_rows((equation.values == 0).all(axis=1), "the items given say nothing about ability in this range")
    pairs = response_pairs(items, matrix)

    def slope(theta: FloatArray) -> FloatArray:
        own = theta[pairs.candidate]
        score = pairs.chosen(log_derivatives_at(pairs.items, own).score)
        return pairs.total(residual_weights(pairs.items, own, settings) * score)

    def height(theta: FloatArray) -> FloatArray:
        return equation.up_to(theta, slope(theta))

    if member(Search, search) is Search.CROSSING:
        theta = crossings(slope, matrix.shape[0], bounds)
    else:
        heights = rooted_heights(equation.at_nodes(), equation.values)
        theta = highest_points(nodes, heights, slope, height).theta
    return Estimates(theta, _errors_of_pairs(pairs, theta, settings))


def robust_standard_errors(
    items: ItemColumns, responses: ArrayLike, theta: ArrayLike, settings: RobustSettings
) -> FloatArray:
    """Asymptotic error (N,) at theta (N,), from M-estimation (Magis, 2014a):

        SE = sqrt(sum w^2 I) / sum w I

    with I the items' Fisher information; infinite where no item has weight. Refuses a theta that is
    not finite.
    """
    matrix = response_matrix(items, responses)
    _refuse_polytomous(items)
    at = candidate_thetas(theta, matrix.shape[0])
    return _errors_of_pairs(response_pairs(items, matrix), at, settings)


def residual_weights(items: ItemColumns, theta: FloatArray, settings: RobustSettings) -> FloatArray:
    """Weight of each item at theta that broadcasts against the items: (q, 1) crosses, (n,) pairs."""
    slope = items.a * (items.D if settings.residual is ResidualMetric.ITEMS else 1.0)
    distance = np.abs(slope * (theta - items.thresholds[:, 0])) / settings.tuning
    if settings.weight is RobustWeight.HUBER:
        return np.asarray(1.0 / np.maximum(1.0, distance), dtype=np.float64)
    return np.asarray((1.0 - np.minimum(1.0, distance) ** 2) ** 2, dtype=np.float64)


def _errors_of_pairs(pairs: Pairs, theta: FloatArray, settings: RobustSettings) -> FloatArray:
    own = theta[pairs.candidate]
    weight = residual_weights(pairs.items, own, settings)
    information = expected_moments_at(pairs.items, own).information
    spread, slope = pairs.total(weight**2 * information), pairs.total(weight * information)
    some = slope > 0
    return np.where(some, np.sqrt(spread) / np.where(some, slope, 1.0), np.inf)


def _refuse_polytomous(items: ItemColumns) -> None:
    refuse_rows(items.family != DICHOTOMOUS, "robust weights are defined for items scored 0 or 1 only")
