"""Criteria that look one response ahead: what would be known after each answer the item may get.

An answer counts with its chance. Two conventions exist for the chance: P_k at the interim estimate (as most
programs do), or the posterior predictive, integral of P_k over the posterior (van der Linden, 1998), which
also counts that the estimate is uncertain.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np

from psychometrics.arrays import NOT_ADMINISTERED, FloatArray, IntArray, member
from psychometrics.estimation.errors import InformationKind
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.grids import NormalPrior
from psychometrics.estimation.search import DEFAULT_BOUNDS, Bounds, refine_maxima
from psychometrics.information import expected_moments_at
from psychometrics.models.items import (
    ItemColumns,
    category_log_probabilities,
    log_derivatives_at,
)
from psychometrics.responses import administered_responses, sum_chosen
from psychometrics.selection.reading import PoolAt, pool_at
from psychometrics.selection.tables import CriterionTables, Evidence

BatchEstimator = Callable[[ItemColumns, IntArray], Estimates]
"""Estimates of candidates whose responses are a matrix (N, n)."""


class AnswerChance(StrEnum):
    """The chance with which an answer that has not come yet counts."""

    AT_ESTIMATE = "at_estimate"
    POSTERIOR_PREDICTIVE = "posterior_predictive"


def expected_posterior_variance(
    tables: CriterionTables,
    evidence: Evidence,
    at: PoolAt,
    *,
    chance: AnswerChance = AnswerChance.AT_ESTIMATE,
) -> FloatArray:
    """MEPV: expected variance of the posterior after one more answer, shape (n,); wanted small (Owen, 1975).

    With the posterior predictive chance it never exceeds the present variance; at the estimate it may.
    """
    mass = evidence.posterior_mass()
    reach, mean, square = _moments_after(tables, mass)
    return _expected(square - mean * mean, reach, at, chance)


def expected_information(
    tables: CriterionTables,
    evidence: Evidence,
    at: PoolAt,
    *,
    chance: AnswerChance = AnswerChance.AT_ESTIMATE,
) -> FloatArray:
    """MEI at the updated posterior mean: sum_k chance_k I_i(EAP after answer k), shape (n,); wanted large.

    All from tables. `expected_information_after` takes any other estimator (van der Linden & Pashley, 2010).
    """
    centre = evidence.posterior_mass()
    reach, mean, _ = _moments_after(tables, centre)
    updated = mean + centre @ tables.nodes
    return _expected(tables.reader.own_information_at(updated), reach, at, chance)


def expected_information_after_mode(
    items: ItemColumns,
    administered: Sequence[int],
    responses: Sequence[int],
    theta: float,
    prior: NormalPrior,
    *,
    kind: InformationKind = InformationKind.EXPECTED,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> FloatArray:
    """MEI at the updated posterior mode: sum_k P_k(theta) I_i(MAP after answer k), shape (n,); wanted large.

    `kind` takes Fisher's information or the observed one of the answer. Each mode is sought over the whole
    range of `bounds` and refined, for all items at once. Refused is what `evidence` refuses, and a theta that
    is not finite. This is catR's MEI.
    """
    columns, given = administered_responses(items, administered, responses)
    kind, given_items = member(InformationKind, kind), items.take(columns)
    nodes, chances = bounds.nodes(), pool_at(items, theta).probabilities
    known = sum_chosen(category_log_probabilities(given_items, nodes), given[None, :])[0]
    known = known - 0.5 * ((nodes - prior.mean) / prior.sd) ** 2
    heights = category_log_probabilities(items, nodes)
    own = np.arange(given.size)
    total = np.zeros(len(items))
    for category in range(chances.shape[1]):
        rows = np.flatnonzero(category < items.category_counts)
        asked = items.take(rows)

        def slope(at: FloatArray, asked: ItemColumns = asked, category: int = category) -> FloatArray:
            known_slope = log_derivatives_at(given_items, at[:, None]).score[:, own, given].sum(axis=1)
            next_slope = log_derivatives_at(asked, at).score[:, category]
            return np.asarray(known_slope + next_slope - (at - prior.mean) / prior.sd**2, dtype=np.float64)

        best = np.argmax(known[:, None] + heights[:, rows, category], axis=0)
        mode = refine_maxima(slope, nodes, best)
        total[rows] += chances[rows, category] * _own_information(asked, mode, category, kind)
    return total


def expected_information_after(
    items: ItemColumns,
    administered: Sequence[int],
    responses: Sequence[int],
    theta: float,
    estimator: BatchEstimator,
    *,
    kind: InformationKind = InformationKind.EXPECTED,
) -> FloatArray:
    """MEI with any batch estimator: sum_k P_k(theta) I_i(estimate after answer k), shape (n,).

    Costs n estimates per category; items already administered get NaN, since they have no next answer.
    Refused is what `evidence` refuses, and a theta that is not finite.
    """
    columns, given = administered_responses(items, administered, responses)
    kind = member(InformationKind, kind)
    chances = pool_at(items, theta).probabilities
    base = np.full(len(items), NOT_ADMINISTERED, dtype=np.int64)
    base[columns] = given
    total = np.zeros(len(items))
    for category in range(chances.shape[1]):
        rows = np.flatnonzero((category < items.category_counts) & (base == NOT_ADMINISTERED))
        matrix = np.repeat(base[None, :], rows.size, axis=0)
        matrix[np.arange(rows.size), rows] = category
        updated = estimator(items, matrix).theta
        total[rows] += chances[rows, category] * _own_information(items.take(rows), updated, category, kind)
    return np.where(base == NOT_ADMINISTERED, total, np.nan)


def _own_information(
    items: ItemColumns, theta: FloatArray, category: int, kind: InformationKind
) -> FloatArray:
    """Information of item i at theta[i] when it is answered with this category, shape (n,)."""
    if kind is InformationKind.EXPECTED:
        return expected_moments_at(items, theta).information
    return np.asarray(-log_derivatives_at(items, theta).curvature[:, category], dtype=np.float64)


def _moments_after(tables: CriterionTables, mass: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Chance of each answer, and mean and mean square of the posterior after it, (n, m) each.

    Both moments are taken about the present mean, where the difference of large numbers is harmless. An
    answer that cannot come leaves the posterior as it is.
    """
    distance = tables.nodes - mass @ tables.nodes
    weighted = mass * distance
    powers = np.stack([mass, weighted, weighted * distance]) @ tables.probabilities
    reach, first, second = (tables.by_item(row) for row in powers)
    possible = reach > 0
    whole = np.where(possible, reach, 1.0)
    return reach, first / whole, second / whole


def _expected(after: FloatArray, reach: FloatArray, at: PoolAt, chance: AnswerChance) -> FloatArray:
    chance = member(AnswerChance, chance)
    weights = at.probabilities if chance is AnswerChance.AT_ESTIMATE else reach
    return np.asarray(np.einsum("nm,nm->n", weights, after), dtype=np.float64)
