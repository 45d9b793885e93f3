"""The testlet model (Bradlow, Wainer & Wang, 1999): items of one set share more than the ability.

    P(X_i = k | theta, gamma) = P_i(k | theta + gamma_g),    gamma_g ~ N(0, s_g^2)

for an item i of set g, with the response function P_i of its ordinary model: for the 2PL the logit is
D a (theta + gamma_g - b). The effects gamma of different sets are independent given theta, so the likelihood
of theta is a product over sets of one-dimensional integrals

    L_g(theta) = integral prod_{i in g} P_i(x_i | theta + gamma) phi(gamma; s_g) d gamma

whatever the number of sets: the dimension reduction of Gibbons and Hedeker (1992). With s_g = 0 it is the
ordinary model. Taking the items as independent instead overstates how precisely theta is known.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from psychometrics.arrays import NOT_ADMINISTERED, FloatArray, IntArray, frozen_copy, refuse_rows, theta_axis
from psychometrics.estimation.eap import eap_from_log_likelihood
from psychometrics.estimation.errors import error_of_information
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.grids import STANDARD_NORMAL, Grid, NormalPrior, trapezoid_grid
from psychometrics.estimation.search import DEFAULT_BOUNDS, Bounds, refine_maxima
from psychometrics.information import fisher_information
from psychometrics.models.items import (
    ItemColumns,
    category_log_derivatives,
    category_log_probabilities,
    log_derivatives_at,
    log_probabilities_at,
)
from psychometrics.responses import response_matrix, response_pairs, sum_chosen

NO_SET = -1
"""Mark of an item that belongs to no set."""

BLOCK = 4_000_000
"""Numbers held at once while candidates are taken in blocks; the blocks do not change any result."""

CANDIDATES_AT_ONCE = 500
"""The same for the search of modes."""

MAXIMUM_PATTERNS = 16_384
"""Response patterns of one set that `set_information` sums over at most: 14 items scored 0 or 1."""


@dataclass(frozen=True, slots=True, eq=False)
class ItemSetColumns:
    """Items (n,), the set of each (n,) as 0 .. G - 1 or NO_SET, and the deviation s (G,) of each set."""

    items: ItemColumns
    item_set: IntArray
    effect_sd: FloatArray

    def __post_init__(self) -> None:
        index, effect = np.array(self.item_set, dtype=np.int64), frozen_copy(self.effect_sd)
        index.setflags(write=False)
        if index.shape != (len(self.items),) or effect.ndim != 1:
            raise ValueError(f"item_set has shape {index.shape}, expected ({len(self.items)},)")
        refuse_rows((index < NO_SET) | (index >= effect.size), "the item belongs to a set that is not there")
        refuse_rows(
            ~(np.isfinite(effect) & (effect >= 0)), "the deviation of a set is not finite or negative"
        )
        object.__setattr__(self, "item_set", index)
        object.__setattr__(self, "effect_sd", effect)

    def members(self) -> Iterator[tuple[float, IntArray]]:
        """Deviation and rows of each set that has an effect and items."""
        for group, effect in enumerate(self.effect_sd):
            rows = np.flatnonzero(self.item_set == group)
            if effect > 0 and rows.size:
                yield float(effect), rows

    def single(self) -> IntArray:
        """Rows of the items without an effect: in no set, or in one of deviation 0."""
        free = self.item_set == NO_SET
        free[~free] = self.effect_sd[self.item_set[~free]] == 0
        return np.flatnonzero(free)


def effect_grid() -> Grid:
    """81 points over eight deviations to either side: the standard normal rule that effects are summed on."""
    return trapezoid_grid(STANDARD_NORMAL, lower=-8.0, upper=8.0, count=81)


def marginal_log_likelihood(columns: ItemSetColumns, responses: ArrayLike, theta: ArrayLike) -> FloatArray:
    """Marginal ln L(theta) of each candidate's responses (N, n) at theta (q,), shape (N, q)."""
    matrix, points, rule = response_matrix(columns.items, responses), theta_axis(theta), effect_grid()
    single = columns.single()
    table = category_log_probabilities(columns.items.take(single), points)
    total = sum_chosen(table, matrix[:, single])
    for effect, rows in columns.members():
        taken = np.flatnonzero((matrix[:, rows] != NOT_ADMINISTERED).any(axis=1))
        shifted = (points[:, None] + effect * rule.nodes).ravel()
        table = category_log_probabilities(columns.items.take(rows), shifted)
        size = max(1, BLOCK // shifted.size)
        for start in range(0, taken.size, size):
            some = taken[start : start + size]
            total[some] += _summed_out(sum_chosen(table, matrix[np.ix_(some, rows)]), rule)
    return total


def _summed_out(joint: FloatArray, rule: Grid) -> FloatArray:
    """ln of the mean of exp over the rule: (N, q J) to (N, q), the largest exponent taken out first."""
    by_point = joint.reshape(joint.shape[0], -1, rule.nodes.size) + np.log(rule.weights)
    top = by_point.max(axis=2)
    return np.asarray(top + np.log(np.exp(by_point - top[..., None]).sum(axis=2)), dtype=np.float64)


def marginal_eap_estimates(columns: ItemSetColumns, responses: ArrayLike, grid: Grid) -> Estimates:
    """Mean and deviation of the posterior of theta, responses (N, n), the effects summed out."""
    return eap_from_log_likelihood(marginal_log_likelihood(columns, responses, grid.nodes), grid)


def marginal_map_estimates(
    columns: ItemSetColumns, responses: ArrayLike, prior: NormalPrior, *, bounds: Bounds = DEFAULT_BOUNDS
) -> Estimates:
    """Mode of the marginal posterior of theta, responses (N, n), sought over the whole range.

    Its standard error is the inverse root of the *observed* marginal information plus the prior's precision:
    expected information would have to sum over all response patterns of every set.
    """
    matrix = response_matrix(columns.items, responses)
    parts = [
        _modes(columns, matrix[start : start + CANDIDATES_AT_ONCE], prior, bounds)
        for start in range(0, matrix.shape[0], CANDIDATES_AT_ONCE)
    ]
    if not parts:
        return Estimates(np.empty(0), np.empty(0))
    theta, error = (np.concatenate(values) for values in zip(*parts, strict=True))
    return Estimates(theta, error)


def _modes(
    columns: ItemSetColumns, matrix: IntArray, prior: NormalPrior, bounds: Bounds
) -> tuple[FloatArray, FloatArray]:
    """Mode and standard error of each candidate of one block."""
    nodes = bounds.nodes()
    height = marginal_log_likelihood(columns, matrix, nodes) - 0.5 * ((nodes - prior.mean) / prior.sd) ** 2
    marginal = _Marginal(columns, matrix)

    def slope(theta: FloatArray) -> FloatArray:
        return marginal.derivatives(theta)[0] - (theta - prior.mean) / prior.sd**2

    theta = refine_maxima(slope, nodes, np.argmax(height, axis=1))
    return theta, error_of_information(-marginal.derivatives(theta)[1], prior)


def marginal_log_likelihood_derivatives(
    columns: ItemSetColumns, responses: ArrayLike, theta: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """First and second derivative of the marginal ln L at each candidate's own theta (N,), shape (N,) each.

    By Louis (1982), with S = sum of the scores of a set and the expectation over gamma given the responses:
    d ln L_g = E[S] and d^2 ln L_g = E[dS / d theta] + Var[S].
    """
    matrix = response_matrix(columns.items, responses)
    points = theta_axis(theta)
    if points.size != matrix.shape[0]:
        raise ValueError(f"{points.size} thetas for {matrix.shape[0]} candidates")
    return _Marginal(columns, matrix).derivatives(points)


def set_information(columns: ItemSetColumns, theta: ArrayLike) -> FloatArray:
    """Fisher information about theta of each set's whole response pattern, shape (q, G).

    I_g(theta) = sum over patterns x of L_g(x | theta) (d ln L_g(x | theta))^2. It falls short of the sum of
    the items' information, and however many items a set has it stays below 1 / s_g^2. The patterns are
    enumerated; a set with more than MAXIMUM_PATTERNS is refused. 0 for a set without items.
    """
    points, rule = theta_axis(theta), effect_grid()
    total = np.zeros((points.size, columns.effect_sd.size))
    for group, effect in enumerate(columns.effect_sd):
        rows = np.flatnonzero(columns.item_set == group)
        some = columns.items.take(rows)
        if effect == 0:
            total[:, group] = fisher_information(some, points).sum(axis=1)
        elif rows.size:
            patterns = _patterns(group, some)
            for at, point in enumerate(points):
                total[at, group] = _pattern_information(some, patterns, point + effect * rule.nodes, rule)
    return total


def marginal_information(columns: ItemSetColumns, theta: ArrayLike) -> FloatArray:
    """Fisher information about theta of all items, sets and singles together, shape (q,)."""
    alone = columns.items.take(np.flatnonzero(columns.item_set == NO_SET))
    single = fisher_information(alone, theta).sum(axis=1)
    return np.asarray(single + set_information(columns, theta).sum(axis=1), dtype=np.float64)


def _patterns(group: int, items: ItemColumns) -> IntArray:
    """All response patterns (R, n) of a set."""
    counts = tuple(int(count) for count in items.category_counts)
    if np.prod(counts, dtype=np.float64) > MAXIMUM_PATTERNS:
        raise ValueError(f"row {group}: the set has more than {MAXIMUM_PATTERNS} response patterns")
    return np.indices(counts).reshape(len(counts), -1).T.astype(np.int64)


def _pattern_information(items: ItemColumns, patterns: IntArray, shifted: FloatArray, rule: Grid) -> float:
    """Information of one set at one theta; `shifted` (J,) is theta plus the effects."""
    with np.errstate(divide="ignore"):  # a point of weight 0 has no mass
        joint = sum_chosen(category_log_probabilities(items, shifted), patterns) + np.log(rule.weights)
    score = sum_chosen(category_log_derivatives(items, shifted).score, patterns)
    marginal = logsumexp(joint, axis=1)
    mean = (np.exp(joint - marginal[:, None]) * score).sum(axis=1)
    return float((np.exp(marginal) * mean**2).sum())


class _Marginal:
    """Derivatives of the marginal log-likelihood of many candidates, each at its own theta.

    A group is one candidate's responses to one set: they share an effect, which is summed out for all groups
    at once.
    """

    def __init__(self, columns: ItemSetColumns, matrix: IntArray) -> None:
        single = columns.single()
        grouped = np.setdiff1d(np.arange(len(columns.items)), single)
        self._rule = effect_grid()
        self._single = response_pairs(columns.items.take(single), matrix[:, single])
        self._pairs = response_pairs(columns.items.take(grouped), matrix[:, grouped])
        item = grouped[np.nonzero(matrix[:, grouped] != NOT_ADMINISTERED)[1]]
        count = max(columns.effect_sd.size, 1)
        key = self._pairs.candidate * count + columns.item_set[item]
        groups, self._group = np.unique(key, return_inverse=True)
        self._owner = groups // count
        self._effect = columns.effect_sd[columns.item_set[item]]

    def derivatives(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """First and second derivative at theta (N,), shape (N,) each."""
        pairs = self._single
        at = log_derivatives_at(pairs.items, theta[pairs.candidate])
        first, second = pairs.total(pairs.chosen(at.score)), pairs.total(pairs.chosen(at.curvature))
        slope, bend = self._of_groups(theta)
        return (
            first + np.bincount(self._owner, weights=slope, minlength=theta.size),
            second + np.bincount(self._owner, weights=bend, minlength=theta.size),
        )

    def _of_groups(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        own = theta[self._pairs.candidate] + self._effect * self._rule.nodes[:, None]
        at = log_derivatives_at(self._pairs.items, own)
        joint, score, curvature = (
            self._by_node(table) for table in (log_probabilities_at(self._pairs.items, own), *at)
        )
        joint += np.log(self._rule.weights)
        weight = np.exp(joint - joint.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        mean = (weight * score).sum(axis=1)
        spread = (weight * (score - mean[:, None]) ** 2).sum(axis=1)
        return mean, (weight * curvature).sum(axis=1) + spread

    def _by_node(self, table: FloatArray) -> FloatArray:
        """Of a (J, p, m) table at the responses given, the sum over each group at each node, (groups, J)."""
        chosen = table[:, np.arange(self._group.size), self._pairs.category]
        J, count = table.shape[0], self._owner.size
        place = np.arange(J)[:, None] * count + self._group
        total = np.bincount(place.ravel(), weights=chosen.ravel(), minlength=J * count)
        return np.ascontiguousarray(total.reshape(J, count).T, dtype=np.float64)
