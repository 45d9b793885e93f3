"""Robust estimation, Jeffreys' prior, and grids of other priors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from psychometrics.arrays import NOT_ADMINISTERED
from psychometrics.estimation.eap import eap_estimate, eap_estimates, log_likelihood
from psychometrics.estimation.grids import (
    STANDARD_NORMAL,
    NormalPrior,
    converged_grid,
    density_grid,
    trapezoid_grid,
    truncated_normal_grid,
    uniform_grid,
)
from psychometrics.estimation.jeffreys import (
    JeffreysError,
    jeffreys_eap_estimates,
    jeffreys_mode_estimates,
    jeffreys_standard_errors,
)
from psychometrics.estimation.posterior_mode import maximum_likelihood_estimates
from psychometrics.estimation.robust import (
    ResidualMetric,
    RobustSettings,
    RobustWeight,
    residual_weights,
    robust_estimates,
    robust_standard_errors,
)
from psychometrics.estimation.search import Bounds
from psychometrics.estimation.weighted_likelihood import warm_estimates
from psychometrics.information import fisher_information, total_information
from psychometrics.models.items import ItemParameters, dichotomous_columns, item_columns

SPREAD = dichotomous_columns(np.linspace(0.7, 1.8, 9), np.linspace(-2.4, 2.4, 9), 0.0, 1.0, D=1.0)
GUESSED = dichotomous_columns(np.linspace(0.7, 1.8, 9), np.linspace(-2.4, 2.4, 9), 0.22, 0.98, D=1.702)
POLYTOMOUS = item_columns(
    [
        ItemParameters("GRM", 1.6, (-1.2, -0.1, 0.9)),
        ItemParameters("GPCM", 0.9, (0.4, -0.3, 1.1)),
        ItemParameters("NRM", 1.0, (0.3, -0.4), slopes=(0.8, 1.7)),
    ],
    D=1.0,
)
HUBER, TUKEY = RobustSettings(), RobustSettings(RobustWeight.TUKEY, 4.0)


def test_weights_are_those_of_huber_and_tukey() -> None:
    items = dichotomous_columns([1.0, 2.0], [0.0, 0.0], 0.0, 1.0, D=1.702)
    theta = np.array([[0.0], [1.0], [-3.0]])
    huber = residual_weights(items, theta, RobustSettings(tuning=2.0))
    expected = [[1.0, 1.0], [1.0, 2 / (2 * 1.702)], [2 / (3 * 1.702), 2 / (6 * 1.702)]]
    np.testing.assert_allclose(huber, expected, rtol=1e-14)
    forgotten = residual_weights(items, theta, RobustSettings(tuning=2.0, residual=ResidualMetric.CATR))
    np.testing.assert_allclose(forgotten, [[1.0, 1.0], [1.0, 1.0], [2 / 3, 1 / 3]], rtol=1e-14)
    tukey = residual_weights(items, theta, RobustSettings(RobustWeight.TUKEY, 4.0, ResidualMetric.CATR))
    np.testing.assert_allclose(
        tukey, [[1.0, 1.0], [(15 / 16) ** 2, 0.75**2], [(7 / 16) ** 2, 0.0]], rtol=1e-14
    )


@pytest.mark.parametrize("settings", [HUBER, TUKEY])
def test_a_lucky_guess_moves_a_robust_estimate_less(settings: RobustSettings) -> None:
    honest, lucky = [1, 1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0, 1]
    usual = maximum_likelihood_estimates(SPREAD, [honest, lucky]).theta
    robust = robust_estimates(SPREAD, [honest, lucky], settings).theta
    assert abs(robust[1] - robust[0]) < 0.8 * abs(usual[1] - usual[0])


def test_wide_tuning_is_maximum_likelihood() -> None:
    rows = [[1, 1, 1, 0, 1, 0, 0, 0, 0], [1, 0, 1, 1, 1, 1, 0, 1, 0]]
    usual = maximum_likelihood_estimates(GUESSED, rows)
    for weight in RobustWeight:
        got = robust_estimates(GUESSED, rows, RobustSettings(weight, 1e6))
        np.testing.assert_allclose(got.theta, usual.theta, atol=1e-7)
        np.testing.assert_allclose(got.standard_error, usual.standard_error, atol=1e-7)


def test_residuals_on_the_metric_of_the_items_do_not_depend_on_how_d_is_written() -> None:
    """Slopes times 1.702 with D = 1 are the same items; only the compatible residual sees a difference."""
    same = dichotomous_columns(GUESSED.a * 1.702, GUESSED.thresholds[:, 0], 0.22, 0.98, D=1.0)
    row = [1, 1, 0, 1, 1, 0, 0, 0, 1]
    for weight in RobustWeight:
        settings = RobustSettings(weight, 2.0)
        here, there = robust_estimates(GUESSED, row, settings)[0], robust_estimates(same, row, settings)[0]
        assert there.theta == pytest.approx(here.theta, abs=1e-10)
        assert there.standard_error == pytest.approx(here.standard_error, abs=1e-10)
    catr = RobustSettings(tuning=2.0, residual=ResidualMetric.CATR)
    apart = robust_estimates(GUESSED, row, catr).theta - robust_estimates(same, row, catr).theta
    assert abs(apart[0]) > 1e-3


@given(seed=st.integers(0, 10_000), weight=st.sampled_from(list(RobustWeight)))
def test_robust_batches_equal_single_candidates(seed: int, weight: RobustWeight) -> None:
    chance = np.random.default_rng(seed)
    rows = chance.integers(-1, 2, size=(7, len(GUESSED)))
    rows = rows[(rows >= 0).any(axis=1)]
    settings = RobustSettings(weight, 2.5)
    together = robust_estimates(GUESSED, rows, settings)
    alone = [robust_estimates(GUESSED, row, settings)[0] for row in rows]
    assert [together[candidate] for candidate in range(len(rows))] == alone
    assert (np.abs(together.theta) <= 4.0).all()


def test_robust_error_is_the_formula_and_refusals_say_why() -> None:
    theta, row = 0.4, [1, 1, 0, 1, NOT_ADMINISTERED, 0, 0, 0, 1]
    given_items = np.array([item for item, x in enumerate(row) if x >= 0])
    weight = residual_weights(GUESSED, np.array([[theta]]), HUBER)[0, given_items]
    information = fisher_information(GUESSED, theta)[0, given_items]
    expected = np.sqrt((weight**2 * information).sum()) / (weight * information).sum()
    assert robust_standard_errors(GUESSED, row, theta, HUBER)[0] == pytest.approx(expected, rel=1e-13)
    assert robust_standard_errors(GUESSED, row, 400.0, TUKEY).tolist() == [np.inf]
    with pytest.raises(ValueError, match="row 0: robust weights are defined"):
        robust_estimates(POLYTOMOUS, [0, 0, 0], HUBER)
    with pytest.raises(ValueError, match="row 0: no response"):
        robust_estimates(GUESSED, np.full(9, NOT_ADMINISTERED), HUBER)
    with pytest.raises(ValueError, match="tuning constant"):
        RobustSettings(tuning=0.0)


def test_jeffreys_mode_is_warms_estimate_without_asymptotes_only() -> None:
    """Equal where I' = J (2PL, GRM, GPCM, nominal), apart where guessing makes them differ."""
    for items, row in ((SPREAD, [1, 1, 0, 1, 1, 0, 1, 0, 0]), (POLYTOMOUS, [1, 2, 2])):
        apart = jeffreys_mode_estimates(items, row).theta - warm_estimates(items, row).theta
        assert abs(apart[0]) < 1e-10
    rows = np.array([[1, 1, 0, 1, 0, 0, 0, 0, 1], [0, 1, 0, 0, 0, 1, 0, 0, 0]])
    apart = jeffreys_mode_estimates(GUESSED, rows).theta - warm_estimates(GUESSED, rows).theta
    assert np.abs(apart).max() > 0.02


def test_jeffreys_mode_is_finite_for_all_right_and_all_wrong() -> None:
    got = jeffreys_mode_estimates(SPREAD, [[1] * 9, [0] * 9], bounds=Bounds(-12, 12))
    assert 2.0 < got.theta[0] < 11.0
    assert -11.0 < got.theta[1] < -2.0


def test_jeffreys_error_is_the_curvature_with_expected_information() -> None:
    theta, row, h = 0.35, np.array([1, 1, 0, 1, 0, 0, 0, 0, 1]), 1e-3
    around = 0.5 * np.log(total_information(GUESSED, [theta - h, theta, theta + h]))
    bend = (around[0] - 2 * around[1] + around[2]) / h**2
    information = total_information(GUESSED, theta)[0]
    got = {kind: jeffreys_standard_errors(GUESSED, row, theta, error=kind)[0] for kind in JeffreysError}
    assert got[JeffreysError.CURVATURE] == pytest.approx((information - bend) ** -0.5, rel=1e-5)
    assert got[JeffreysError.INFORMATION] == pytest.approx(information**-0.5, rel=1e-12)
    assert abs(got[JeffreysError.CATR] - got[JeffreysError.CURVATURE]) > 1e-3  # D is 1.702 here
    same = dichotomous_columns(GUESSED.a * 1.702, GUESSED.thresholds[:, 0], 0.22, 0.98, D=1.0)
    for kind in (JeffreysError.CURVATURE, JeffreysError.CATR):
        there = jeffreys_standard_errors(same, row, theta, error=kind)[0]
        assert there == pytest.approx(got[JeffreysError.CURVATURE], rel=1e-10)


@given(seed=st.integers(0, 10_000))
def test_jeffreys_batches_equal_single_candidates(seed: int) -> None:
    chance = np.random.default_rng(seed)
    rows = chance.integers(-1, 2, size=(6, len(GUESSED)))
    rows = rows[(rows >= 0).any(axis=1)]
    for estimates in (
        jeffreys_mode_estimates,
        lambda items, x: jeffreys_eap_estimates(items, x, lower=-4, upper=4, count=33),
    ):
        together = estimates(GUESSED, rows)
        assert [together[i] for i in range(len(rows))] == [estimates(GUESSED, row)[0] for row in rows]


def test_posterior_mean_under_jeffreys_prior_against_adaptive_integration() -> None:
    row = np.array([1, 1, 0, 1, 0, 0, 0, 0, NOT_ADMINISTERED])
    some = GUESSED.take(np.arange(8))

    def density(theta: float) -> float:
        information = total_information(some, theta)[0]
        return float(np.exp(log_likelihood(some, row[:8], theta)[0, 0]) * np.sqrt(information))

    mass, first, second = (
        quad(lambda t, k=k: t**k * density(t), -5, 5, epsabs=1e-13, epsrel=1e-11, limit=200)[0]
        for k in range(3)
    )
    got = jeffreys_eap_estimates(GUESSED, row, lower=-5, upper=5, count=2001)[0]
    assert got.theta == pytest.approx(first / mass, abs=1e-6)
    assert got.standard_error == pytest.approx(np.sqrt(second / mass - (first / mass) ** 2), abs=1e-6)


def test_a_uniform_prior_gives_the_mean_of_the_likelihood() -> None:
    row = [1, 1, 0, 1, 1, 0, 1, 0, 0]
    mass, first = (
        quad(lambda t, k=k: t**k * np.exp(log_likelihood(SPREAD, row, t)[0, 0]), -3, 5, epsabs=1e-14)[0]
        for k in range(2)
    )
    got = eap_estimate(SPREAD, row, uniform_grid(lower=-3.0, upper=5.0, count=4001))
    assert got.theta == pytest.approx(first / mass, abs=1e-6)
    nothing = eap_estimate(SPREAD, np.full(9, -1), uniform_grid(lower=-3.0, upper=5.0, count=4001))
    assert nothing.theta == pytest.approx(1.0)
    assert nothing.standard_error == pytest.approx(8 / np.sqrt(12), abs=1e-3)


def test_any_density_on_any_nodes() -> None:
    nodes = np.sort(np.concatenate([np.linspace(-6, 6, 401), np.linspace(-0.7, 0.9, 57)]))
    row = [1, 1, 0, 1, 1, 0, 1, 0, 0]
    uneven = eap_estimate(SPREAD, row, density_grid(nodes, stats.t(5).pdf(nodes)))
    even = np.linspace(-6, 6, 4001)
    assert uneven.theta == pytest.approx(
        eap_estimate(SPREAD, row, density_grid(even, stats.t(5).pdf(even))).theta, abs=1e-4
    )
    normal = trapezoid_grid(STANDARD_NORMAL, lower=-6, upper=6, count=101)
    same = density_grid(normal.nodes, 3.0 * stats.norm.pdf(normal.nodes))
    np.testing.assert_allclose(same.weights, normal.weights, rtol=1e-12)
    for density, reason in (
        (np.full(nodes.size, -1.0), "weights must be finite"),
        (np.zeros(nodes.size), "weights must be finite"),
        (np.ones(3), "share one axis"),
    ):
        with pytest.raises(ValueError, match=reason):
            density_grid(nodes, density)


@pytest.mark.parametrize(("lower", "upper"), [(-1.0, 0.5), (0.0, 4.0), (-2.0, 2.0)])
def test_a_truncated_prior_keeps_every_estimate_inside(lower: float, upper: float) -> None:
    prior = NormalPrior(0.2, 1.1)
    grid = truncated_normal_grid(prior, lower=lower, upper=upper)
    got = eap_estimates(SPREAD, [[1] * 9, [0] * 9, [-1] * 9], grid)
    assert ((got.theta > lower) & (got.theta < upper)).all()
    cut = stats.truncnorm((lower - 0.2) / 1.1, (upper - 0.2) / 1.1, loc=0.2, scale=1.1)
    assert got.theta[2] == pytest.approx(cut.mean(), abs=1e-8)
    assert got.standard_error[2] == pytest.approx(cut.std(), abs=1e-8)
    coarse = eap_estimate(SPREAD, [1] * 9, truncated_normal_grid(prior, lower=lower, upper=upper, count=81))
    assert coarse.theta == pytest.approx(got.theta[0], abs=1e-5)
    with pytest.raises(ValueError, match="at least 8"):
        truncated_normal_grid(prior, lower=lower, upper=upper, count=7)


def test_a_prior_truncated_far_out_is_the_prior() -> None:
    far = truncated_normal_grid(STANDARD_NORMAL, lower=-8, upper=8)
    row = [1, 1, 0, 1, 1, 0, 1, 0, 0]
    assert eap_estimate(SPREAD, row, far).theta == pytest.approx(
        eap_estimate(SPREAD, row, converged_grid()).theta, abs=1e-9
    )
