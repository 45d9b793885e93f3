"""Posterior means and modes of several abilities, against unidimensional results and plain integration."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from psychometrics.arrays import FloatArray, IntArray
from psychometrics.estimation.eap import eap_estimates as unidimensional_eap
from psychometrics.estimation.grids import NormalPrior, trapezoid_grid
from psychometrics.estimation.posterior_mode import map_estimates as unidimensional_map
from psychometrics.models.items import ItemColumns, ItemParameters, item_columns
from psychometrics.multidimensional.estimation import (
    MultidimensionalEstimates,
    eap_estimates,
    map_estimates,
    posterior_mass,
)
from psychometrics.multidimensional.grids import (
    MultivariateNormalPrior,
    ProductGrid,
    correlated_prior,
    gauss_hermite_grid,
    normal_grid,
    uniform_grid,
)
from psychometrics.multidimensional.information import log_likelihood, log_likelihood_gradient
from psychometrics.multidimensional.items import (
    MultidimensionalColumns,
    MultidimensionalItem,
    between_item_columns,
    multidimensional_columns,
)

UNCORRELATED = MultivariateNormalPrior(np.array([0.3, -0.2]), np.diag([1.0, 1.5**2]))
CORRELATED = correlated_prior([0.2, -0.1], [1.0, 1.3], [[1.0, 0.7], [0.7, 1.0]])


def within_items() -> MultidimensionalColumns:
    rows = [
        MultidimensionalItem("M2PL", (1.3, 0.2), (0.4,)),
        MultidimensionalItem("M3PL", (0.5, 1.1), (-0.6,), 0.2),
        MultidimensionalItem("MGRM", (0.9, 0.8), (1.1, 0.0, -1.4)),
        MultidimensionalItem("MGPCM", (0.3, 1.2), (0.5, -0.7)),
        MultidimensionalItem("M4PL", (1.6, 0.0), (0.1,), 0.1, 0.95),
    ]
    return multidimensional_columns(rows, D=1.0)


ANSWERS = np.array([[1, 0, 3, 2, 1], [0, 1, 0, 0, 0], [1, -1, 2, -1, 0], [-1, -1, -1, -1, -1]])


def between_bank() -> tuple[ItemColumns, IntArray, IntArray]:
    """Sixteen mixed items, the dimension of each, and answers of six candidates."""
    chance = np.random.default_rng(20230814)
    rows: list[ItemParameters] = []
    for _ in range(4):
        a, b = chance.uniform(0.8, 1.8), chance.normal(size=3)
        rows += [
            ItemParameters("2PL", a, (b[0],)),
            ItemParameters("GPCM", a, tuple(b)),
            ItemParameters("GRM", a, tuple(np.sort(b))),
            ItemParameters("PCM", 1.0, tuple(b[:2])),
        ]
    items = item_columns(rows, D=1.0)
    answers = (chance.random((6, len(rows))) * items.category_counts).astype(np.int64)
    answers[3, ::3] = -1
    return items, np.arange(len(rows)) % 2, answers


def test_without_correlation_simple_structure_is_two_separate_estimations() -> None:
    plain, dimension, answers = between_bank()
    items = between_item_columns(plain, dimension, 2)
    eap = eap_estimates(items, answers, normal_grid(UNCORRELATED, count=121))
    mode = map_estimates(items, answers, UNCORRELATED)
    for k, prior in enumerate((NormalPrior(0.3, 1.0), NormalPrior(-0.2, 1.5))):
        own = np.where(dimension == k, answers, -1)
        reach = 6.0 * prior.sd
        grid = trapezoid_grid(prior, lower=prior.mean - reach, upper=prior.mean + reach, count=121)
        one = unidimensional_eap(plain, own, grid)
        np.testing.assert_allclose(eap.theta[:, k], one.theta, atol=1e-12)
        np.testing.assert_allclose(eap.standard_error[:, k], one.standard_error, atol=1e-12)
        peak = unidimensional_map(plain, own, prior)
        np.testing.assert_allclose(mode.theta[:, k], peak.theta, atol=1e-9)
        np.testing.assert_allclose(mode.standard_error[:, k], peak.standard_error, atol=1e-9)
    assert np.abs(eap.covariance[:, 0, 1]).max() < 1e-13
    assert np.abs(mode.covariance[:, 0, 1]).max() < 1e-13


def test_posterior_means_are_those_of_plain_integration() -> None:
    """Against the rectangle rule on a fine square grid, with the prior's density written out."""
    items = within_items()
    axis = np.linspace(-9, 9, 361)
    x, y = (part.ravel() for part in np.meshgrid(axis, axis))
    points = np.stack([x, y], axis=1)
    away = points - CORRELATED.mean
    exponent = -0.5 * np.einsum("qi,ij,qj->q", away, np.linalg.inv(CORRELATED.covariance), away)
    got = eap_estimates(items, ANSWERS, normal_grid(CORRELATED))
    for candidate, answers in enumerate(ANSWERS):
        mass = np.exp(exponent + log_likelihood(items, answers, points)[0])
        mass /= mass.sum()
        mean = mass @ points
        np.testing.assert_allclose(got.theta[candidate], mean, atol=1e-7)
        np.testing.assert_allclose(
            got.covariance[candidate], (points - mean).T @ (mass[:, None] * (points - mean)), atol=2e-7
        )
    np.testing.assert_allclose(got.theta[3], CORRELATED.mean, atol=1e-8)
    np.testing.assert_allclose(got.covariance[3], CORRELATED.covariance, atol=2e-7)


def test_gauss_hermite_converges_to_the_same_and_is_exact_for_the_prior() -> None:
    items = within_items()
    fine = eap_estimates(items, ANSWERS, normal_grid(CORRELATED))
    hermite = eap_estimates(items, ANSWERS, gauss_hermite_grid(CORRELATED, 40))
    np.testing.assert_allclose(hermite.theta, fine.theta, atol=1e-6)
    few = gauss_hermite_grid(CORRELATED, 3)
    np.testing.assert_allclose(few.weights @ few.nodes, CORRELATED.mean, atol=1e-14)
    away = few.nodes - CORRELATED.mean
    np.testing.assert_allclose(away.T @ (few.weights[:, None] * away), CORRELATED.covariance, atol=1e-14)


def test_a_correlated_prior_lets_one_ability_speak_for_the_other() -> None:
    plain = item_columns([ItemParameters("2PL", 1.5, (0.0,))] * 5, D=1.0)
    items = between_item_columns(plain, [0] * 5, 2)
    prior = correlated_prior([0, 0], [1, 1], [[1, 0.8], [0.8, 1]])
    for estimates in (
        eap_estimates(items, [1] * 5, normal_grid(prior)),
        map_estimates(items, [1] * 5, prior),
    ):
        theta = estimates.theta[0]
        assert theta[1] == pytest.approx(0.8 * theta[0], abs=1e-9)  # the regression of one on the other
        assert estimates.standard_error[0, 0] < estimates.standard_error[0, 1] < 1.0


def three_dimensional() -> tuple[MultidimensionalColumns, MultivariateNormalPrior]:
    rows = [
        MultidimensionalItem("M2PL", (1.2, 0.0, 0.3), (0.2,)),
        MultidimensionalItem("M3PL", (0.0, 1.5, 0.2), (-0.4,), 0.15),
        MultidimensionalItem("MGPCM", (0.4, 0.1, 1.0), (0.6, -0.2)),
        MultidimensionalItem("MGRM", (0.7, 0.7, 0.7), (0.8, -0.9)),
    ]
    correlation = [[1.0, 0.5, 0.3], [0.5, 1.0, 0.6], [0.3, 0.6, 1.0]]
    return multidimensional_columns(rows, D=1.702), correlated_prior([0, 0, 0.5], [1, 1, 0.8], correlation)


def log_posterior(
    items: MultidimensionalColumns, answers: IntArray, prior: MultivariateNormalPrior, theta: FloatArray
) -> float:
    away = theta - prior.mean
    density = -0.5 * away @ np.linalg.inv(prior.covariance) @ away
    return float(log_likelihood(items, answers, theta)[0, 0] + density)


def highest(
    items: MultidimensionalColumns, answers: IntArray, prior: MultivariateNormalPrior
) -> tuple[float, FloatArray]:
    """Best of many starts of a general-purpose optimiser."""
    starts = np.random.default_rng(7).normal(scale=2.0, size=(12, items.dimensions))

    def depth(theta: FloatArray) -> float:
        return -log_posterior(items, answers, prior, theta)

    runs = [minimize(depth, start, options={"gtol": 1e-9}) for start in starts]
    best = min(runs, key=lambda run: float(run.fun))
    return -float(best.fun), np.asarray(best.x)


def test_modes_are_those_of_a_general_purpose_optimiser() -> None:
    three, prior = three_dimensional()
    for items, answers, own in (
        *((within_items(), row, CORRELATED) for row in ANSWERS),
        *((three, np.array(row), prior) for row in ([1, 0, 2, 1], [0, 1, 0, 2], [1, -1, -1, 0])),
    ):
        got = map_estimates(items, answers, own)
        height, place = highest(items, answers, own)
        assert log_posterior(items, answers, own, got.theta[0]) >= height - 1e-10
        np.testing.assert_allclose(got.theta[0], place, atol=2e-5)
        slope = log_likelihood_gradient(items, answers, got.theta)[0]
        np.testing.assert_allclose(
            slope, np.linalg.inv(own.covariance) @ (got.theta[0] - own.mean), atol=1e-9
        )


def test_three_dimensions_integrate_to_the_same_on_a_finer_grid() -> None:
    items, prior = three_dimensional()
    answers = [[1, 0, 2, 1], [0, 1, 0, 2]]
    rough = eap_estimates(items, answers, normal_grid(prior))
    fine = eap_estimates(items, answers, normal_grid(prior, count=71))
    np.testing.assert_allclose(rough.theta, fine.theta, atol=1e-7)
    np.testing.assert_allclose(rough.covariance, fine.covariance, atol=1e-6)


def four_peaked() -> MultidimensionalColumns:
    """For each of two abilities six steep, hard items that can be guessed, and two flat, easy ones."""
    rows = []
    for slopes in (lambda a: (a, 0.15), lambda a: (0.1, a)):
        rows += [MultidimensionalItem("M3PL", slopes(3.5), (-7.0,), 0.3)] * 6
        rows += [MultidimensionalItem("M3PL", slopes(1.4), (1.8,), 0.02)] * 2
    return multidimensional_columns(rows, D=1.0)


@pytest.mark.parametrize(
    "answers",
    [
        [1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 1, 1, 0, -1, 1, 1, 1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, -1],
        [1, 1, 1, 1, 1, 1, 0, -1, 1, 1, 1, 1, 1, 1, 0, -1],
    ],
)
def test_the_highest_of_several_maxima_is_answered(answers: list[int]) -> None:
    """Hard items right and easy ones wrong: the candidate is very able, or guessed."""
    items, matrix = four_peaked(), np.array(answers)
    prior = MultivariateNormalPrior(np.zeros(2), np.diag([9.0, 9.0]))
    axis = np.linspace(-6, 6, 241)
    points = np.stack([part.ravel() for part in np.meshgrid(axis, axis)], axis=1)
    height = log_likelihood(items, matrix, points)[0] - (points**2).sum(axis=1) / 18.0
    folded = height.reshape(241, 241)
    neighbours = [folded[1 + i : 240 + i, 1 + j : 240 + j] for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    peaks = folded[1:-1, 1:-1] > np.maximum.reduce(neighbours)
    assert peaks.sum() == 4  # otherwise the case proves nothing
    got = map_estimates(items, matrix, prior).theta[0]
    assert log_posterior(items, matrix, prior, got) >= height.max()
    np.testing.assert_allclose(got, points[np.argmax(height)], atol=0.04)


def test_newton_arrives_from_a_coarse_look_too() -> None:
    """Four dimensions leave few starting points, far apart: steep items overshoot, guessing bends upwards."""
    chance = np.random.default_rng(4)
    rows = [
        MultidimensionalItem("M3PL", tuple(6.0 * np.eye(4)[k] + 0.4), (e,), 0.25)
        for k in range(4)
        for e in chance.normal(scale=6.0, size=5).tolist()
    ]
    items = multidimensional_columns(rows, D=1.702)
    prior = MultivariateNormalPrior(np.full(4, 0.37), np.diag([4.0, 9.0, 4.0, 9.0]))
    answers = chance.integers(0, 2, size=(60, len(rows)))
    got = map_estimates(items, answers, prior)
    slope = log_likelihood_gradient(items, answers, got.theta) - (got.theta - prior.mean) / np.diag(
        prior.covariance
    )
    np.testing.assert_allclose(slope, 0.0, atol=1e-7)
    for candidate in range(60):
        top = log_posterior(items, answers[candidate], prior, got.theta[candidate])
        for side in 1e-3 * np.vstack([np.eye(4), -np.eye(4)]):
            assert log_posterior(items, answers[candidate], prior, got.theta[candidate] + side) < top


def test_a_candidate_gets_the_same_bits_alone_and_in_a_batch() -> None:
    items = within_items()
    many = np.tile(ANSWERS, (3, 1))
    grid = normal_grid(CORRELATED)

    def mean(rows: IntArray) -> MultidimensionalEstimates:
        return eap_estimates(items, rows, grid)

    def mode(rows: IntArray) -> MultidimensionalEstimates:
        return map_estimates(items, rows, CORRELATED)

    for alone in (mean, mode):
        batch = alone(many)
        assert len(batch) == 12
        for candidate, row in enumerate(many):
            one = alone(row)[0]
            np.testing.assert_array_equal(one.theta, batch[candidate].theta)
            np.testing.assert_array_equal(one.covariance, batch[candidate].covariance)
            np.testing.assert_array_equal(one.standard_error, batch.standard_error[candidate])


def test_a_likelihood_without_a_prior_is_normalised_on_a_uniform_grid() -> None:
    items = within_items()
    grid = uniform_grid(-4, 4, 41, 2)
    table = log_likelihood(items, ANSWERS[:2], grid.nodes)
    mass = posterior_mass(table, grid)
    np.testing.assert_allclose(mass, np.exp(table) / np.exp(table).sum(axis=1, keepdims=True), rtol=1e-12)


def test_recovery_of_correlated_abilities_is_unbiased() -> None:
    """500 simulated candidates: mean posterior error 0 within four Monte Carlo errors, spread as stated."""
    plain, dimension, _ = between_bank()
    items = between_item_columns(plain.take(np.tile(np.arange(16), 2)), np.tile(dimension, 2), 2)
    prior = correlated_prior([0, 0], [1, 1], [[1, 0.6], [0.6, 1]])
    chance = np.random.default_rng(3)
    theta = chance.multivariate_normal(prior.mean, prior.covariance, size=500)
    draws = chance.random((500, len(items)))
    answers = np.empty((500, len(items)), dtype=np.int64)
    for candidate in range(500):
        for item in range(len(items)):
            answers[candidate, item] = _drawn(items, item, theta[candidate], draws[candidate, item])
    got = eap_estimates(items, answers, normal_grid(prior, count=41))
    z = (got.theta - theta) / got.standard_error
    assert np.abs(z.mean(axis=0)).max() < 4 / np.sqrt(500)
    assert np.abs((z**2).mean(axis=0) - 1).max() < 4 * np.sqrt(2 / 500)


def _drawn(items: MultidimensionalColumns, item: int, theta: FloatArray, u: float) -> int:
    """Category by inversion, from the model's formulas."""
    a, e = items.slopes[item], items.intercepts[item]
    present = e[~np.isnan(e)]
    eta = float(a @ theta)
    if items.family[item] == 1:
        return int((u < expit(eta + present)).sum())
    weights = np.exp(np.concatenate([[0.0], np.cumsum(eta + present)]))
    return int((u > np.cumsum(weights / weights.sum())[:-1]).sum())


@pytest.mark.parametrize(
    ("mean", "covariance", "reason"),
    [
        ([0.0, 0.0], [[1.0, 1.0], [1.0, 1.0]], "not positive definite"),
        ([0.0, 0.0], [[1.0, 0.0], [0.0, 0.0]], "a variance is not positive"),
        ([0.0, 0.0], [[1.0, 0.3], [0.2, 1.0]], "not symmetric"),
        ([0.0, np.nan], [[1.0, 0.0], [0.0, 1.0]], "must be finite"),
        ([0.0], [[1.0, 0.0], [0.0, 1.0]], "do not belong together"),
    ],
)
def test_impossible_priors_are_refused(mean: list[float], covariance: list[list[float]], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        MultivariateNormalPrior(np.array(mean), np.array(covariance))


def test_impossible_grids_and_mixtures_are_refused() -> None:
    items = within_items()
    three = MultivariateNormalPrior(np.zeros(3), np.eye(3))
    with pytest.raises(ValueError, match="a grid of 3 dimensions for items of 2"):
        eap_estimates(items, ANSWERS, normal_grid(three, count=5))
    with pytest.raises(ValueError, match="a prior of 3 dimensions for items of 2"):
        map_estimates(items, ANSWERS, three)
    with pytest.raises(ValueError, match="no product grid of 200 points"):
        normal_grid(three, count=200)
    with pytest.raises(ValueError, match="name the count"):
        normal_grid(MultivariateNormalPrior(np.zeros(4), np.eye(4)))
    with pytest.raises(ValueError, match="correlation of an ability with itself"):
        correlated_prior([0, 0], [1, 1], [[2.0, 0.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match="no rule of 1 points"):
        gauss_hermite_grid(three, 1)
    with pytest.raises(ValueError, match="is not that of 4 points"):
        ProductGrid(np.zeros((4, 2)), np.ones(4), (2, 3))
