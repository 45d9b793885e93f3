"""What maximum likelihood answers when there is nothing to answer.

All right, all wrong, only top or only bottom categories: the likelihood rises for ever towards one side and
has no maximum at any finite ability. After three answers of an adaptive 3PL test this is one candidate in
three. With asymptotes it also happens to mixed responses: guessing explains right answers to hard items after
wrong ones to easy items best at minus infinity. Each policy below is a convention in use; none is maximum
likelihood any more, so every candidate to whom it was applied is marked.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import BoolArray, FloatArray, IntArray, member, refuse_rows
from psychometrics.estimation.eap import eap_estimates
from psychometrics.estimation.errors import InformationKind, standard_errors
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.grids import STANDARD_NORMAL, NormalPrior, converged_grid
from psychometrics.estimation.posterior_mode import Penalty, likelihood_tops, map_estimates
from psychometrics.estimation.search import DEFAULT_BOUNDS, Bounds, Tops
from psychometrics.estimation.weighted_likelihood import warm_estimates
from psychometrics.models.dichotomous import log_derivatives_at, log_probabilities_at
from psychometrics.models.items import ItemColumns, category_log_probabilities
from psychometrics.responses import response_matrix, sum_chosen


class NoMaximumPolicy(StrEnum):
    """The answer in place of a maximum that does not exist.

    BOUNDED: the highest point within the bounds, usually a bound. POSTERIOR_MEAN and POSTERIOR_MODE: EAP and
    MAP under the stated prior. WARM: Warm's weighted likelihood, within the bounds. FENCES: maximum
    likelihood after an imaginary right answer to a very easy and a wrong one to a very hard item (Han, 2016).
    """

    BOUNDED = "bounded"
    POSTERIOR_MEAN = "posterior_mean"
    POSTERIOR_MODE = "posterior_mode"
    WARM = "warm"
    FENCES = "fences"


@dataclass(frozen=True, slots=True)
class Fences:
    """Two imaginary 2PL items of difficulty `lower` (answered right) and `upper` (answered wrong).

    The steeper their slope, the less they pull estimates between them. It is on the metric of the items.
    """

    lower: float = -3.5
    upper: float = 3.5
    slope: float = 3.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.lower) and np.isfinite(self.upper) and self.lower < self.upper):
            raise ValueError(f"no fences from {self.lower} to {self.upper}")
        if not (np.isfinite(self.slope) and self.slope > 0):
            raise ValueError(f"slope of the fences must be positive and finite, not {self.slope}")


@dataclass(frozen=True, slots=True)
class NoMaximum:
    """The policy and what it needs: the prior of the posterior policies, the fences of the fenced one."""

    policy: NoMaximumPolicy = NoMaximumPolicy.BOUNDED
    prior: NormalPrior = STANDARD_NORMAL
    fences: Fences = Fences()

    def __post_init__(self) -> None:
        object.__setattr__(self, "policy", member(NoMaximumPolicy, self.policy))


@dataclass(frozen=True, slots=True, eq=False)
class LikelihoodEstimates(Estimates):
    """Estimates, and for each candidate (N,) whether there was no maximum, so that the policy answered."""

    without_maximum: BoolArray


def likelihood_estimates(
    items: ItemColumns,
    responses: ArrayLike,
    *,
    no_maximum: NoMaximum,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> LikelihoodEstimates:
    """Maximum likelihood of each candidate, responses (N, n), and the policy's answer where there is none.

    There is none where the highest point of the range is one of its ends, and where the likelihood is as high
    at infinity as anywhere in the range. Standard errors are 1 / sqrt(I), under FENCES also of the real items
    only; the posterior's deviation under POSTERIOR_MEAN; 1 / sqrt(I + 1 / sd^2) under POSTERIOR_MODE. A
    candidate without any response is refused, and under BOUNDED and WARM one whose items say nothing in the
    range.
    """
    matrix = response_matrix(items, responses)
    refuse_rows((matrix < 0).all(axis=1), "no response to take a likelihood of")
    found = likelihood_tops(items, matrix, None, bounds)
    if no_maximum.policy is NoMaximumPolicy.BOUNDED:
        refuse_rows(found.flat, "the items given say nothing about ability in this range")
    without = _without_maximum(items, matrix, found.tops, bounds)
    theta = found.tops.theta.copy()
    error = standard_errors(items, matrix, theta, kind=InformationKind.EXPECTED, prior=None)
    if no_maximum.policy is not NoMaximumPolicy.BOUNDED and without.any():
        answer = _answer(items, matrix[without], no_maximum, bounds)
        theta[without], error[without] = answer.theta, answer.standard_error
    return LikelihoodEstimates(theta, error, without)


def fenced_likelihood_estimates(
    items: ItemColumns,
    responses: ArrayLike,
    *,
    fences: Fences,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> Estimates:
    """Maximum likelihood with fences (MLEF; Han, 2016) of each candidate, responses (N, n).

    Here every candidate gets the fences, not only those without a maximum. Standard errors are those of the
    real items at the estimate. Fences outside the bounds could not hold anybody and are refused.
    """
    if fences.lower < bounds.lower or fences.upper > bounds.upper:
        raise ValueError(f"fences {fences.lower} and {fences.upper} lie outside the bounds")
    matrix = response_matrix(items, responses)
    theta = likelihood_tops(items, matrix, _fence_penalty(fences, items.D), bounds).tops.theta
    error = standard_errors(items, matrix, theta, kind=InformationKind.EXPECTED, prior=None)
    return Estimates(theta, error)


def stepped_ability(
    previous: ArrayLike, *, all_right: ArrayLike, easiest: float, hardest: float
) -> FloatArray:
    """Dodd's (1990) variable step while all answers are alike: half the way to the hardest item of the pool
    after right answers, to the easiest after wrong ones; elementwise.

    The step is zero where that item lies on the other side, so that wrong answers never raise ability and
    right ones never lower it, however easy or hard the whole pool is.
    """
    if not (np.isfinite(easiest) and np.isfinite(hardest) and easiest <= hardest):
        raise ValueError(f"no pool has difficulties from {easiest} to {hardest}")
    theta = np.asarray(previous, dtype=np.float64)
    up, down = np.maximum(hardest - theta, 0.0), np.maximum(theta - easiest, 0.0)
    return np.asarray(theta + 0.5 * np.where(all_right, up, -down), dtype=np.float64)


def _answer(items: ItemColumns, matrix: IntArray, no_maximum: NoMaximum, bounds: Bounds) -> Estimates:
    match no_maximum.policy:
        case NoMaximumPolicy.POSTERIOR_MEAN:
            return eap_estimates(items, matrix, converged_grid(no_maximum.prior))
        case NoMaximumPolicy.POSTERIOR_MODE:
            return map_estimates(items, matrix, no_maximum.prior, bounds=bounds)
        case NoMaximumPolicy.WARM:
            return warm_estimates(items, matrix, bounds=bounds)
        case _:
            return fenced_likelihood_estimates(items, matrix, fences=no_maximum.fences, bounds=bounds)


def _without_maximum(items: ItemColumns, matrix: IntArray, tops: Tops, bounds: Bounds) -> BoolArray:
    """At an end of the range, or no higher than the likelihood's limit at minus or plus infinity."""
    at_an_end = (tops.theta <= bounds.lower) | (tops.theta >= bounds.upper)
    limits = sum_chosen(category_log_probabilities(items, [-_FAR, _FAR]), matrix).max(axis=1)
    rounding = 1e-12 * (1.0 + np.abs(tops.height))
    return np.asarray(at_an_end | (limits >= tops.height - rounding), dtype=np.bool_)


_FAR = 1e9
"""An ability at which every item that discriminates at all has reached its asymptote."""


def _fence_penalty(fences: Fences, D: float) -> Penalty:
    slope, place = np.array(fences.slope), np.array([fences.lower, fences.upper])
    lower, upper = np.array(0.0), np.array(1.0)

    def of_answers(table: FloatArray) -> FloatArray:
        return np.asarray(table[..., 0, 1] + table[..., 1, 0], dtype=np.float64)

    return Penalty(
        lambda theta: of_answers(log_probabilities_at(theta[..., None], slope, place, lower, upper, D=D)),
        lambda theta: of_answers(log_derivatives_at(theta[..., None], slope, place, lower, upper, D=D).score),
    )
