"""Several abilities, items that share a stimulus, and speed."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from psychometrics.arrays import FloatArray, IntArray
from psychometrics.estimation.eap import eap_estimates as plain_eap_estimates
from psychometrics.estimation.grids import converged_grid
from psychometrics.models.items import ItemColumns
from psychometrics.multidimensional.estimation import eap_estimates, posterior_mass
from psychometrics.multidimensional.grids import MultivariateNormalPrior, correlated_prior, normal_grid
from psychometrics.multidimensional.items import (
    MultidimensionalColumns,
    between_item_columns,
    category_log_probabilities,
)
from psychometrics.multidimensional.selection import d_optimality, precision_so_far
from psychometrics.multidimensional.testlets import ItemSetColumns, marginal_eap_estimates
from psychometrics.response_time import TimeColumns, maximum_likelihood_speeds, time_misfit
from psychometrics.selection.choice import Sense, best_item
from tests.validation.banks import answers, drawn_normal, three_parameter, two_parameter
from tests.validation.findings import Effort, Finding, Say, Topic, above, below, equal, together
from tests.validation.monte_carlo import Measured, deviation, error_ratio, share
from tests.validation.sittings import Design, most_informative, run, tables_of

SIZE, LENGTH, SHORTER = 300, 30, 20
DIMENSIONS = (2, 3)
CORRELATION = 0.8
SETS, SET_SIZE, EFFECT = 6, 6, 0.8


def topic(effort: Effort, say: Say) -> Topic:
    """Three parts with a bank each."""
    found = [finding for K in DIMENSIONS for finding in _abilities(K, effort, say)]
    found += _testlets(effort)
    say("  item sets")
    found += _speeds(effort)
    say("  speeds")
    return Topic(
        "Several abilities, item sets, speed",
        f"Two and three abilities that correlate {CORRELATION}, {SIZE} 3PL items of which each measures one"
        f" of them: one adaptive test of {LENGTH} items (D-optimality, correlated prior) against separate"
        f" ones that share the {LENGTH} items. Item sets: {SETS} sets of {SET_SIZE} 2PL items whose effects"
        f" have deviation {EFFECT}. Speed: 25 items of the lognormal model.",
        tuple(found),
    )


def _abilities(K: int, effort: Effort, say: Say) -> list[Finding]:
    count = effort.candidates(600, 40)
    pool, dimension = three_parameter(SIZE, 81), np.arange(SIZE) % K
    items = between_item_columns(pool, dimension, K)
    table = np.full((K, K), CORRELATION)
    np.fill_diagonal(table, 1.0)
    prior = correlated_prior(np.zeros(K), np.ones(K), table)
    theta = np.random.default_rng(82).multivariate_normal(np.zeros(K), table, count)
    given = np.empty((count, SIZE), dtype=np.int64)
    for k in range(K):
        rows = np.flatnonzero(dimension == k)
        given[:, rows] = answers(pool.take(rows), theta[:, k], 83 + k)
    matrix = {length: np.full((count, SIZE), -1, dtype=np.int64) for length in (SHORTER, LENGTH)}
    tester = _Tester(items, prior)
    for candidate in range(count):
        chosen = tester.columns(given[candidate])
        for length, sat in matrix.items():
            sat[candidate, chosen[:length]] = given[candidate, chosen[:length]]
    say(f"  {count} tests of {K} abilities and of {LENGTH} items")
    grid = normal_grid(prior, reach=5.0, count=25 if K > 2 else 61)
    got = {length: eap_estimates(items, sat, grid) for length, sat in matrix.items()}
    errors = {length: one.theta - theta for length, one in got.items()}
    alone = _lengths(_separate_tests(pool, dimension, given) - theta)
    same, shorter = (error_ratio(_lengths(errors[length]), alone) for length in (LENGTH, SHORTER))
    precision = np.linalg.inv(got[LENGTH].covariance)
    covered = share(np.einsum("nk,nkl,nl->n", errors[LENGTH], precision, errors[LENGTH]) < chi2.ppf(0.95, K))
    calibrated = error_ratio(_lengths(errors[LENGTH]), _lengths(got[LENGTH].standard_error))
    return [
        Finding(
            f"borrowed_strength_{K}",
            f"{K} abilities: with a correlated prior one test is more exact than separate ones",
            "Segall (1996)",
            "substantial improvement",
            f"RMSE ratio {same.shown()}",
            below(same, 1.0),
        ),
        Finding(
            f"a_third_fewer_items_{K}",
            f"{K} abilities: it is as exact with a third fewer items",
            "Segall (1996)",
            "equal or higher reliability with about one-third fewer items; read as RMSE up to 2 % higher",
            f"RMSE ratio {shorter.shown()} with {SHORTER} against {LENGTH} items",
            below(shorter, 1.02),
        ),
        Finding(
            f"posterior_of_several_abilities_{K}",
            f"{K} abilities: the 95 % ellipsoid of the posterior covers 95 % of the candidates",
            "theory",
            "95 %; RMSE / deviation 1",
            f"{covered.per_cent()}; {calibrated.shown()}",
            together(equal(covered, 0.95, 0.01), equal(calibrated, 1.0, 0.01)),
        ),
    ]


def _lengths(vectors: FloatArray) -> FloatArray:
    """Root sum of squares of each candidate's (N, K), so that candidates and not abilities are counted."""
    return np.asarray(np.linalg.norm(vectors, axis=1), dtype=np.float64)


class _Tester:
    """Adaptive tests of several abilities: D-optimality at the posterior mean, on a grid laid out once."""

    def __init__(self, items: MultidimensionalColumns, prior: MultivariateNormalPrior) -> None:
        self._items, self._prior = items, prior
        self._grid = normal_grid(prior, reach=4.5, count=17)
        self._table = category_log_probabilities(items, self._grid.nodes)

    def columns(self, given: IntArray) -> list[int]:
        """The items of a candidate whose answers to all items are known (n,), in order."""
        log_likelihood = np.zeros((1, self._grid.weights.size))
        free = np.ones(len(self._items), dtype=np.bool_)
        theta, chosen = self._prior.mean, list[int]()
        for _ in range(LENGTH):
            precision = precision_so_far(self._items, chosen, theta, self._prior)
            chosen.append(best_item(d_optimality(self._items, theta, precision), Sense.MAXIMISE, free))
            free[chosen[-1]] = False
            log_likelihood[0] += self._table[:, chosen[-1], given[chosen[-1]]]
            theta = posterior_mass(log_likelihood, self._grid)[0] @ self._grid.nodes
        return chosen


def _separate_tests(pool: ItemColumns, dimension: IntArray, given: IntArray) -> FloatArray:
    """Posterior means of adaptive tests that know nothing of each other, (N, K)."""
    means, K = [], int(dimension.max()) + 1
    for k in range(K):
        rows = np.flatnonzero(dimension == k)
        part = pool.take(rows)
        sat = run(tables_of(part), given[:, rows], Design(most_informative, LENGTH // K))
        means.append(plain_eap_estimates(part, sat.matrix(), converged_grid()).theta)
    return np.stack(means, axis=1)


def _testlets(effort: Effort) -> list[Finding]:
    count = effort.candidates(2000, 400)
    items = two_parameter(SETS * SET_SIZE, 84)
    item_set = np.repeat(np.arange(SETS), SET_SIZE)
    theta = drawn_normal(count, 85)
    effects = np.random.default_rng(86).normal(0.0, EFFECT, (count, SETS))
    given = np.empty((count, len(items)), dtype=np.int64)
    for group in range(SETS):
        rows = np.flatnonzero(item_set == group)
        given[:, rows] = answers(items.take(rows), theta + effects[:, group], 87 + group)
    columns = ItemSetColumns(items, item_set, np.full(SETS, EFFECT))
    grid = converged_grid()
    right, wrong = marginal_eap_estimates(columns, given, grid), plain_eap_estimates(items, given, grid)
    covered = [share(np.abs(got.theta - theta) < 1.96 * got.standard_error) for got in (right, wrong)]
    reported = error_ratio(wrong.theta - theta, wrong.standard_error)
    calibrated = error_ratio(right.theta - theta, right.standard_error)
    return [
        Finding(
            "testlet_posterior",
            "The posterior of the testlet model is calibrated",
            "theory",
            "RMSE / deviation 1; 95 % covered",
            f"{calibrated.shown()}; {covered[0].per_cent()}",
            together(equal(calibrated, 1.0, 0.01), equal(covered[0], 0.95, 0.01)),
        ),
        Finding(
            "testlets_ignored",
            "Taking the items of a set as independent overstates precision",
            "Bradlow, Wainer & Wang (1999)",
            "direction",
            f"RMSE {reported.shown()} times what is reported; 95 % intervals cover {covered[1].per_cent()}",
            together(above(reported, 1.0), below(covered[1], 0.95)),
        ),
    ]


def _speeds(effort: Effort) -> list[Finding]:
    count = effort.candidates(4000, 1000)
    rng = np.random.default_rng(90)
    items = TimeColumns(rng.uniform(1.4, 2.4, 25), rng.normal(4.0, 0.4, 25))
    tau = rng.normal(0.0, 0.3, count)
    times = np.exp(items.beta - tau[:, None] + rng.normal(size=(count, 25)) / items.alpha)
    got = maximum_likelihood_speeds(items, times)
    expected = float(np.sum(items.alpha**2) ** -0.5)
    spread = deviation(got.tau - tau)
    unsteady = times.copy()
    unsteady[:, 13:] *= np.exp(-0.4)
    flagged = share(time_misfit(items, times).p_value < 0.05)
    found = share(time_misfit(items, unsteady).p_value < 0.05)
    return [
        Finding(
            "speed_recovery",
            "The error of speed is 1 / √Σα², exactly",
            "van der Linden (2006)",
            f"{expected:.4f}",
            spread.shown(4),
            equal(spread, expected),
        ),
        Finding(
            "time_misfit",
            "The misfit statistic of times is χ² under the model, and grows where speed changes within the"
            " test",
            "Marianti, Fox, Avetisyan, Veldkamp & Tijmstra (2014); Sinharay (2018)",
            "5 % flagged at the 5 % level",
            f"{flagged.per_cent()} of steady, {found.per_cent()} of candidates who become faster by a third",
            together(equal(flagged, 0.05), above(Measured(found.value - flagged.value, found.error), 0.0)),
        ),
    ]
