"""The testlet model against integration of its definition, its limits, and the multidimensional model."""

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from psychometrics.arrays import IntArray
from psychometrics.estimation.eap import eap_estimates, log_likelihood
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.grids import STANDARD_NORMAL, NormalPrior, converged_grid, trapezoid_grid
from psychometrics.estimation.posterior_mode import map_estimates
from psychometrics.information import fisher_information, total_information
from psychometrics.models.items import ItemColumns, ItemParameters, category_probabilities, item_columns
from psychometrics.multidimensional.estimation import eap_estimates as multidimensional_eap
from psychometrics.multidimensional.grids import MultivariateNormalPrior, normal_grid
from psychometrics.multidimensional.items import MultidimensionalItem, multidimensional_columns
from psychometrics.multidimensional.testlets import (
    NO_SET,
    ItemSetColumns,
    marginal_eap_estimates,
    marginal_information,
    marginal_log_likelihood,
    marginal_log_likelihood_derivatives,
    marginal_map_estimates,
    set_information,
)

ROWS = [
    ItemParameters("2PL", 1.2, (0.3,)),
    ItemParameters("3PL", 1.4, (-0.6,), 0.2),
    ItemParameters("GPCM", 0.9, (0.4, -0.3, 1.1)),
    ItemParameters("2PL", 0.8, (0.9,)),
    ItemParameters("GRM", 1.6, (-1.2, 0.9)),
    ItemParameters("NRM", 1.0, (0.4, -0.7), slopes=(0.6, 1.1)),
    ItemParameters("2PL", 1.7, (-0.2,)),
]
SETS = np.array([0, 0, 0, NO_SET, 1, 1, NO_SET])
ANSWERS = np.array([[1, 0, 2, 1, 2, 1, 0], [0, 1, 0, 0, 0, 0, 0], [1, -1, 3, -1, -1, -1, 1], [-1] * 7])


def columns(effect_sd: list[float], D: float = 1.0) -> ItemSetColumns:
    return ItemSetColumns(item_columns(ROWS, D=D), SETS, np.array(effect_sd))


def given_probability(items: ItemColumns, rows: IntArray, answers: IntArray, theta: float) -> float:
    p = category_probabilities(items, theta)[0]
    return float(np.prod([p[row, answers[row]] for row in rows if answers[row] >= 0]))


def by_definition(model: ItemSetColumns, answers: IntArray, theta: float) -> float:
    """L(theta) with each effect integrated by adaptive quadrature."""
    value = given_probability(model.items, np.flatnonzero(model.item_set == NO_SET), answers, theta)
    for group, effect in enumerate(model.effect_sd):
        rows = np.flatnonzero(model.item_set == group)

        def integrand(g: float, rows: IntArray = rows, effect: float = float(effect)) -> float:
            return given_probability(model.items, rows, answers, theta + g) * float(norm.pdf(g, scale=effect))

        value *= quad(integrand, -9 * effect, 9 * effect, epsabs=0, epsrel=1e-11, limit=200)[0]
    return value


@pytest.mark.parametrize("D", [1.0, 1.702])
def test_marginal_likelihood_is_the_integral_of_the_definition(D: float) -> None:
    model, theta = columns([0.8, 1.3], D), [-1.7, 0.2, 2.4]
    got = marginal_log_likelihood(model, ANSWERS, theta)
    assert got.shape == (4, 3)
    for candidate, answers in enumerate(ANSWERS):
        want = [np.log(by_definition(model, answers, point)) for point in theta]
        np.testing.assert_allclose(got[candidate], want, atol=1e-9)


def test_posterior_mean_is_that_of_two_dimensional_integration() -> None:
    """Theta and one effect on a square grid, nothing taken out of the integral."""
    rows, effect = ROWS[:3], 0.9
    items = item_columns(rows, D=1.0)
    model = ItemSetColumns(items, np.zeros(3, dtype=np.int64), np.array([effect]))
    theta, gamma = np.linspace(-8, 8, 321), np.linspace(-8 * effect, 8 * effect, 321)
    table = category_probabilities(items, (theta[:, None] + gamma).ravel())
    weight = norm.pdf(theta)[:, None] * norm.pdf(gamma, scale=effect)
    for answers in ([1, 0, 2], [0, 1, 3], [1, 1, 3]):
        likelihood = np.prod([table[:, row, answer] for row, answer in enumerate(answers)], axis=0)
        mass = likelihood.reshape(321, 321) * weight
        mass /= mass.sum()
        mean = float((mass.sum(axis=1) * theta).sum())
        spread = float((mass.sum(axis=1) * (theta - mean) ** 2).sum())
        got = marginal_eap_estimates(model, answers, converged_grid())[0]
        assert got.theta == pytest.approx(mean, abs=1e-8)
        assert got.standard_error == pytest.approx(np.sqrt(spread), abs=1e-8)


def test_it_is_the_restricted_multidimensional_model() -> None:
    """Slopes (a, a) on theta and on an uncorrelated effect of variance s^2 (Rijmen, 2010)."""
    rows = [ItemParameters("2PL", 1.2, (0.3,)), ItemParameters("2PL", 0.7, (-0.8,))] * 3
    model = ItemSetColumns(item_columns(rows, D=1.0), np.zeros(6, dtype=np.int64), np.array([1.1]))
    same = multidimensional_columns(
        [MultidimensionalItem("M2PL", (row.a, row.a), (-row.a * row.b[0],)) for row in rows], D=1.0
    )
    prior = MultivariateNormalPrior(np.zeros(2), np.diag([1.0, 1.1**2]))
    answers = [[1, 1, 0, 1, 1, 0], [0, 0, 0, 1, 0, 0], [1, 1, 1, 1, 1, 1]]
    got = marginal_eap_estimates(model, answers, converged_grid())
    want = multidimensional_eap(same, answers, normal_grid(prior, reach=7.0, count=101))
    np.testing.assert_allclose(got.theta, want.theta[:, 0], atol=1e-9)
    np.testing.assert_allclose(got.standard_error, want.standard_error[:, 0], atol=1e-9)


def test_without_an_effect_it_is_the_ordinary_model() -> None:
    model, items = columns([0.0, 0.0]), item_columns(ROWS, D=1.0)
    theta = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(
        marginal_log_likelihood(model, ANSWERS, theta), log_likelihood(items, ANSWERS, theta), atol=1e-13
    )
    np.testing.assert_allclose(marginal_information(model, theta), total_information(items, theta))
    eap, plain = (
        marginal_eap_estimates(model, ANSWERS, converged_grid()),
        eap_estimates(items, ANSWERS, converged_grid()),
    )
    np.testing.assert_allclose(eap.theta, plain.theta, atol=1e-13)
    np.testing.assert_allclose(eap.standard_error, plain.standard_error, atol=1e-13)
    mode = marginal_map_estimates(model, ANSWERS, STANDARD_NORMAL)
    np.testing.assert_allclose(mode.theta, map_estimates(items, ANSWERS, STANDARD_NORMAL).theta, atol=1e-11)


def test_a_vanishing_effect_approaches_the_ordinary_model() -> None:
    items, theta = item_columns(ROWS, D=1.0), np.linspace(-3, 3, 7)
    model = columns([1e-4, 1e-4])
    np.testing.assert_allclose(
        marginal_log_likelihood(model, ANSWERS, theta), log_likelihood(items, ANSWERS, theta), atol=1e-6
    )
    np.testing.assert_allclose(marginal_information(model, theta), total_information(items, theta), rtol=1e-6)


def test_derivatives_are_those_of_the_marginal_log_likelihood() -> None:
    model, theta, h = columns([0.8, 1.3]), np.array([-1.2, 0.4, 1.9, 0.0]), 1e-4
    first, second = marginal_log_likelihood_derivatives(model, ANSWERS, theta)
    for candidate, point in enumerate(theta):
        before, here, after = marginal_log_likelihood(
            model, ANSWERS[candidate], [point - h, point, point + h]
        )[0]
        assert first[candidate] == pytest.approx((after - before) / (2 * h), abs=1e-6)
        assert second[candidate] == pytest.approx((after - 2 * here + before) / h**2, abs=1e-5)
    assert first[3] == second[3] == 0


@pytest.mark.parametrize("prior", [STANDARD_NORMAL, NormalPrior(0.5, 1.5)])
def test_the_mode_is_the_top_of_the_marginal_posterior(prior: NormalPrior) -> None:
    model = columns([0.8, 1.3])
    got = marginal_map_estimates(model, ANSWERS, prior)
    nodes = np.linspace(-4, 4, 1601)
    height = marginal_log_likelihood(model, ANSWERS, nodes) - 0.5 * ((nodes - prior.mean) / prior.sd) ** 2
    np.testing.assert_allclose(got.theta, nodes[np.argmax(height, axis=1)], atol=0.0026)
    first, second = marginal_log_likelihood_derivatives(model, ANSWERS, got.theta)
    np.testing.assert_allclose(first, (got.theta - prior.mean) / prior.sd**2, atol=1e-9)
    np.testing.assert_allclose(got.standard_error, (prior.sd**-2 - second) ** -0.5, rtol=1e-12)
    assert got.theta[3] == pytest.approx(prior.mean, abs=1e-12)
    assert got.standard_error[3] == pytest.approx(prior.sd)


def test_information_is_the_expected_square_of_the_numerical_score() -> None:
    model, h = columns([0.8, 1.3]), 1e-4
    for theta in (-1.0, 0.6):
        got = set_information(model, theta)[0]
        for group, rows in enumerate(([0, 1, 2], [4, 5])):
            counts = [int(model.items.category_counts[row]) for row in rows]
            patterns = np.full((int(np.prod(counts)), 7), -1)
            patterns[:, rows] = list(product(*(range(count) for count in counts)))
            lower, here, upper = np.exp(
                marginal_log_likelihood(model, patterns, [theta - h, theta, theta + h])
            ).T
            assert here.sum() == pytest.approx(1.0, abs=1e-12)
            want = (((upper - lower) / (2 * h)) ** 2 / here).sum()
            assert got[group] == pytest.approx(want, rel=1e-6)
        single = fisher_information(model.items, theta)[0][[3, 6]].sum()
        assert marginal_information(model, theta)[0] == pytest.approx(got.sum() + single)


def test_a_set_never_tells_more_than_its_effect_leaves_over() -> None:
    """Below the sum of its items, and below 1 / s^2, however many and sharp they are."""
    rows, s = [ItemParameters("2PL", 2.5, (0.0,))] * 10, 0.7
    items = item_columns(rows, D=1.702)
    model = ItemSetColumns(items, np.zeros(10, dtype=np.int64), np.array([s]))
    theta = [-0.5, 0.0, 0.5]
    got = set_information(model, theta)[:, 0]
    assert (got < total_information(items, theta)).all()
    assert (got < 1 / s**2).all()
    bigger = ItemSetColumns(items, np.zeros(10, dtype=np.int64), np.array([1.4]))
    assert (set_information(bigger, theta)[:, 0] < got).all()


def test_ignoring_the_effect_overstates_the_precision() -> None:
    model, items = columns([1.2, 1.2]), item_columns(ROWS, D=1.0)
    effect = marginal_eap_estimates(model, ANSWERS[:2], converged_grid()).standard_error
    assert (effect > eap_estimates(items, ANSWERS[:2], converged_grid()).standard_error + 0.02).all()


def test_a_candidate_gets_the_same_bits_alone_and_in_a_batch() -> None:
    model = columns([0.8, 1.3])
    grid = trapezoid_grid(STANDARD_NORMAL, lower=-6, upper=6, count=61)

    def mean(rows: IntArray) -> Estimates:
        return marginal_eap_estimates(model, rows, grid)

    def mode(rows: IntArray) -> Estimates:
        return marginal_map_estimates(model, rows, STANDARD_NORMAL)

    for estimates in (mean, mode):
        batch = estimates(np.tile(ANSWERS, (130, 1)))
        for candidate in (0, 1, 2, 3, 257, 518, 519):
            assert estimates(ANSWERS[candidate % 4])[0] == batch[candidate]


@pytest.mark.parametrize(
    ("item_set", "effect_sd", "reason"),
    [
        ([0, 0, 0, -1, 1, 2, -1], [1.0, 1.0], "row 5: the item belongs to a set that is not there"),
        ([0, 0, 0, -2, 1, 1, -1], [1.0, 1.0], "row 3: the item belongs to a set that is not there"),
        (SETS, [1.0, -0.1], "row 1: the deviation of a set"),
        (SETS, [np.nan, 1.0], "row 0: the deviation of a set"),
        ([0, 0], [1.0], "item_set has shape"),
    ],
)
def test_impossible_sets_are_refused(item_set: list[int], effect_sd: list[float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ItemSetColumns(item_columns(ROWS, D=1.0), np.array(item_set), np.array(effect_sd))


def test_a_set_of_too_many_patterns_is_refused_rather_than_started() -> None:
    items = item_columns([ItemParameters("2PL", 1.0, (0.0,))] * 15, D=1.0)
    model = ItemSetColumns(items, np.zeros(15, dtype=np.int64), np.array([0.5]))
    with pytest.raises(ValueError, match="row 0: the set has more than 16384"):
        set_information(model, 0.0)
    with pytest.raises(ValueError, match="2 thetas for 1 candidates"):
        marginal_log_likelihood_derivatives(model, [1] * 15, [0.0, 1.0])
