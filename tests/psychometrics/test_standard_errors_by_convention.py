"""Each named standard error against its definition, published numbers and the exact sampling distribution."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from psychometrics.arrays import FloatArray, IntArray
from psychometrics.estimation.conventions import NEED_PRIOR, ErrorConvention, standard_errors_by
from psychometrics.estimation.eap import eap_estimates, log_likelihood
from psychometrics.estimation.finite_sample import sampling_distribution
from psychometrics.estimation.grids import STANDARD_NORMAL, NormalPrior, converged_grid
from psychometrics.estimation.jeffreys import jeffreys_mode_estimates
from psychometrics.estimation.moment_slopes import moment_slopes_at
from psychometrics.estimation.posterior_mode import map_estimates, maximum_likelihood_estimates
from psychometrics.estimation.search import Bounds
from psychometrics.estimation.weighted_likelihood import warm_estimates
from psychometrics.information import expected_moments, total_information
from psychometrics.models.items import (
    ItemColumns,
    ItemParameters,
    category_log_derivatives,
    category_probabilities,
    dichotomous_columns,
    item_columns,
)

Bank = Callable[[str, float], ItemColumns]
Published = Callable[[dict[str, Any]], ItemColumns]
PRIOR = NormalPrior(0.4, 1.3)
MIXED = item_columns(
    [
        ItemParameters("3PL", 1.4, (-0.6,), 0.2),
        ItemParameters("GPCM", 0.9, (0.4, -0.3, 1.1)),
        ItemParameters("2PL", 1.1, (0.5,)),
        ItemParameters("GRM", 1.6, (-1.2, -0.1, 0.9, 2.0)),
        ItemParameters("4PL", 1.8, (0.2,), 0.15, 0.95),
        ItemParameters("NRM", 1.0, (0.3, -0.4), slopes=(0.8, 2.7)),
    ],
    D=1.702,
)
ROW, THETA = np.array([1, 2, 0, 3, 1, 2]), 0.3


def test_each_convention_is_its_formula() -> None:
    h = 1e-4
    before, here, after = log_likelihood(MIXED, ROW, [THETA - h, THETA, THETA + h])[0]
    observed = -(after - 2 * here + before) / h**2
    scores = category_log_derivatives(MIXED, THETA).score[0, np.arange(len(MIXED)), ROW]
    information = total_information(MIXED, THETA)[0]
    precision = PRIOR.sd**-2

    def added(r: Callable[[FloatArray], FloatArray]) -> float:
        low, high = r(np.array([THETA - h, THETA + h]))
        return float(high - low) / (2 * h)

    def warm(theta: FloatArray) -> FloatArray:
        moments = expected_moments(MIXED, theta)
        return np.asarray(moments.bias_term.sum(axis=1) / (2 * moments.information.sum(axis=1)))

    def jeffreys(theta: FloatArray) -> FloatArray:
        moments = expected_moments(MIXED, theta)
        return np.asarray(moments.derivative.sum(axis=1) / (2 * moments.information.sum(axis=1)))

    formulas = {
        ErrorConvention.EXPECTED_INFORMATION: information**-0.5,
        ErrorConvention.OBSERVED_INFORMATION: observed**-0.5,
        ErrorConvention.SANDWICH: np.sqrt((scores**2).sum()) / observed,
        ErrorConvention.BAYES_MODAL: (information + precision) ** -0.5,
        ErrorConvention.BAYES_MODAL_OBSERVED: (observed + precision) ** -0.5,
        ErrorConvention.BAYES_MODAL_SAMPLING: information**0.5 / (information + precision),
        ErrorConvention.POSTERIOR_DEVIATION: eap_estimates(MIXED, ROW, converged_grid(PRIOR)).standard_error[
            0
        ],
        ErrorConvention.WARM_SAMPLING: information**0.5 / (information - added(warm)),
        ErrorConvention.JEFFREYS: (information - added(jeffreys)) ** -0.5,
        ErrorConvention.JEFFREYS_SAMPLING: information**0.5 / (information - added(jeffreys)),
    }
    got = {
        kind: standard_errors_by(kind, MIXED, ROW, THETA, prior=PRIOR if kind in NEED_PRIOR else None)[0]
        for kind in ErrorConvention
    }
    for kind, value in formulas.items():
        assert got[kind] == pytest.approx(value, rel=2e-6), kind
    assert got.keys() - formulas.keys() == {ErrorConvention.JEFFREYS_CATR}
    assert got[ErrorConvention.JEFFREYS_CATR] != pytest.approx(got[ErrorConvention.JEFFREYS], rel=1e-4)
    assert len(set(np.round(list(got.values()), 6))) == len(got)  # no two are the same number here


def test_a_batch_gives_the_bits_of_one_candidate_under_every_convention() -> None:
    rows = np.array([ROW, [0, -1, 1, 4, 0, 1], [1, 3, 1, 4, 1, -1]])
    theta = np.array([0.3, -0.8, 1.9])
    for kind in ErrorConvention:
        prior = PRIOR if kind in NEED_PRIOR else None
        together = standard_errors_by(kind, MIXED, rows, theta, prior=prior)
        alone = [
            standard_errors_by(kind, MIXED, row, at, prior=prior)[0]
            for row, at in zip(rows, theta, strict=True)
        ]
        assert together.tolist() == alone, kind


def test_priors_belong_where_they_are_used() -> None:
    with pytest.raises(ValueError, match="bayes_modal takes a normal prior"):
        standard_errors_by(ErrorConvention.BAYES_MODAL, MIXED, ROW, 0.0)
    with pytest.raises(ValueError, match="sandwich takes no normal prior"):
        standard_errors_by(ErrorConvention.SANDWICH, MIXED, ROW, 0.0, prior=PRIOR)


def test_information_that_is_not_positive_gives_an_infinite_error() -> None:
    """A right answer far below the difficulty of a 3PL item has negative observed information."""
    lucky = dichotomous_columns(2.0, 1.5, 0.25, 1.0, D=1.0)
    for kind in (ErrorConvention.OBSERVED_INFORMATION, ErrorConvention.SANDWICH):
        assert standard_errors_by(kind, lucky, [1], 0.0).tolist() == [np.inf]
    assert np.isfinite(standard_errors_by(ErrorConvention.EXPECTED_INFORMATION, lucky, [1], 0.0)).all()
    silent = dichotomous_columns(0.0, 0.0, 0.0, 1.0, D=1.0)
    for kind in set(ErrorConvention) - NEED_PRIOR:
        assert standard_errors_by(kind, silent, [1], 0.0).tolist() == [np.inf], kind


def test_slopes_of_the_moments_against_wide_differences() -> None:
    theta, h = np.linspace(-2.0, 2.0, len(MIXED)), 1e-4
    got = moment_slopes_at(MIXED, theta)
    for item, at in enumerate(theta):
        low, high = (expected_moments(MIXED.take([item]), at + step) for step in (-h, h))
        second = (high.derivative[0, 0] - low.derivative[0, 0]) / (2 * h)
        bias = (high.bias_term[0, 0] - low.bias_term[0, 0]) / (2 * h)
        assert got.second_derivative[item] == pytest.approx(second, rel=1e-5, abs=1e-6)
        assert got.bias_slope[item] == pytest.approx(bias, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    ("entry", "convention", "prior"),
    [
        ("adt/se_eid", ErrorConvention.EXPECTED_INFORMATION, None),
        ("adt/se_4pl", ErrorConvention.EXPECTED_INFORMATION, None),
        ("adt/se_bm_4pl", ErrorConvention.BAYES_MODAL, STANDARD_NORMAL),
        ("adt/gpcm_se0", ErrorConvention.EXPECTED_INFORMATION, None),
    ],
)
def test_published_standard_errors(
    entry: str,
    convention: ErrorConvention,
    prior: NormalPrior | None,
    oracle: dict[str, Any],
    published_items: Published,
) -> None:
    (found,) = [one for one in oracle["published"] if one["id"] == entry]
    items = published_items(found["given"])
    row = np.zeros(len(items), dtype=np.int64)
    got = standard_errors_by(convention, items, row, float(found["given"]["theta"]), prior=prior)[0]
    assert got == pytest.approx(found["expected"], abs=found["abs_tol"])
    assert got == pytest.approx(found["recomputed"], abs=1e-9)


def _map(items: ItemColumns, patterns: IntArray) -> FloatArray:
    return map_estimates(items, patterns, STANDARD_NORMAL).theta


def _warm(items: ItemColumns, patterns: IntArray) -> FloatArray:
    return warm_estimates(items, patterns, bounds=Bounds(-9.0, 9.0)).theta


def _map_as_r_finds_it(items: ItemColumns, patterns: IntArray) -> FloatArray:
    """Brent's root finder with the default tolerance of R's uniroot, which catR does not tighten."""

    def equation(theta: float, pattern: IntArray) -> float:
        score = category_log_derivatives(items, theta).score[0, np.arange(len(items)), pattern].sum()
        return float(score - theta)

    tolerance = np.finfo(np.float64).eps ** 0.25
    return np.array([brentq(equation, -4.0, 4.0, args=(row,), xtol=tolerance) for row in patterns])


def test_exact_standard_errors_of_short_tests(oracle: dict[str, Any], bank_of_oracle: Bank) -> None:
    """catR's numbers carry its loose roots (off by up to 3e-5): with the same roots they agree to ten digits,
    with exact roots to what the tolerance leaves."""
    for case in oracle["exact_se_2PL100"]:
        items = bank_of_oracle("2PL100", 1.0).take(case["items"])
        at = float(_map_as_r_finds_it(items, np.array([case["responses"]]))[0])
        assert at == pytest.approx(case["theta_BM"], abs=1e-10)
        assert _map(items, np.array(case["responses"]))[0] == pytest.approx(at, abs=3e-5)
        exact = sampling_distribution(items, _map)
        assert exact.standard_error(at)[0] == pytest.approx(case["exact_SE"], abs=3e-5)
        loose = sampling_distribution(items, _map_as_r_finds_it)
        assert loose.standard_error(at)[0] == pytest.approx(case["exact_SE"], abs=1e-10)
        asymptotic = standard_errors_by(
            ErrorConvention.BAYES_MODAL, items, case["responses"], at, prior=STANDARD_NORMAL
        )
        assert asymptotic[0] == pytest.approx(case["asymptotic_SE"], abs=1e-9)


def test_the_exact_distribution_is_what_simulation_approaches() -> None:
    distribution = sampling_distribution(MIXED, _map)
    assert distribution.patterns.shape == (2 * 4 * 2 * 5 * 2 * 3, 6)
    at = [-0.7, 1.2]
    np.testing.assert_allclose(distribution.probabilities(at).sum(axis=1), 1.0, atol=1e-12)
    chance, n = np.random.default_rng(20240501), 8_000
    for place, theta in enumerate(at):
        p = category_probabilities(MIXED, theta)[0]
        drawn = np.stack([chance.choice(p.shape[1], size=n, p=row / row.sum()) for row in p], axis=1)
        estimates = _map(MIXED, drawn)
        spread = distribution.standard_error(at)[place]
        assert estimates.mean() - theta == pytest.approx(
            distribution.bias(at)[place], abs=5 * spread / np.sqrt(n)
        )
        assert estimates.std() == pytest.approx(spread, rel=5 / np.sqrt(2 * n) * 1.5)
        both = np.hypot(spread, distribution.bias(at)[place])
        assert distribution.root_mean_square_error(at)[place] == pytest.approx(both, rel=1e-12)


def test_the_sampling_conventions_approach_the_exact_error_as_the_test_grows() -> None:
    """Ten 2PL items: the error of M-estimation is near the truth, the posterior's curvature is not."""
    items = dichotomous_columns(np.linspace(0.8, 1.6, 10), np.linspace(-1.5, 1.5, 10), 0.0, 1.0, D=1.0)
    row, theta = [1, 0] * 5, 0.1
    exact = {
        ErrorConvention.BAYES_MODAL_SAMPLING: sampling_distribution(items, _map).standard_error(theta)[0],
        ErrorConvention.WARM_SAMPLING: sampling_distribution(items, _warm).standard_error(theta)[0],
    }
    for kind, truth in exact.items():
        prior = STANDARD_NORMAL if kind in NEED_PRIOR else None
        got = standard_errors_by(kind, items, row, theta, prior=prior)[0]
        assert got == pytest.approx(truth, rel=0.08), kind
    curvature = standard_errors_by(ErrorConvention.BAYES_MODAL, items, row, theta, prior=STANDARD_NORMAL)[0]
    assert curvature > 1.1 * exact[ErrorConvention.BAYES_MODAL_SAMPLING]


def test_warm_and_jeffreys_have_less_bias_than_maximum_likelihood() -> None:
    """What Warm (1989) set out to do, on the exact distribution of ten Rasch items."""
    items = dichotomous_columns(np.ones(10), np.linspace(-1.5, 1.5, 10), 0.0, 1.0, D=1.0)
    at, wide = np.linspace(-1.5, 1.5, 7), Bounds(-5.0, 5.0)
    estimators: dict[str, Callable[[ItemColumns, IntArray], FloatArray]] = {
        "ML": lambda items, x: maximum_likelihood_estimates(items, x, bounds=wide).theta,
        "WL": lambda items, x: warm_estimates(items, x, bounds=wide).theta,
        "Jeffreys": lambda items, x: jeffreys_mode_estimates(items, x, bounds=wide).theta,
    }
    by = {name: np.abs(sampling_distribution(items, one).bias(at)) for name, one in estimators.items()}
    assert by["WL"].max() < 0.5 * by["ML"].max()
    np.testing.assert_allclose(by["Jeffreys"], by["WL"], atol=1e-9)


def test_tests_with_too_many_patterns_are_refused() -> None:
    items = dichotomous_columns(np.ones(17), np.zeros(17), 0.0, 1.0, D=1.0)
    with pytest.raises(ValueError, match="17 items have 131072 patterns"):
        sampling_distribution(items, _map)
    with pytest.raises(ValueError, match="without items"):
        sampling_distribution(MIXED.take([]), _map)
