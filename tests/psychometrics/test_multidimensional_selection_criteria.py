"""The criteria of multidimensional selection against their definitions, with and without a prior."""

import numpy as np
import pytest

from psychometrics.information import fisher_information as unidimensional_information
from psychometrics.models.items import dichotomous_columns
from psychometrics.multidimensional.estimation import posterior_mass
from psychometrics.multidimensional.grids import correlated_prior, normal_grid, uniform_grid
from psychometrics.multidimensional.information import fisher_information, log_likelihood
from psychometrics.multidimensional.items import (
    MultidimensionalColumns,
    MultidimensionalItem,
    between_item_columns,
    category_log_probabilities,
    category_probabilities,
    multidimensional_columns,
)
from psychometrics.multidimensional.selection import (
    a_optimality,
    c_optimality,
    d_optimality,
    divergences,
    finite_log_probabilities,
    kullback_leibler,
    precision_so_far,
)


def pool(dimensions: int, count: int = 40) -> MultidimensionalColumns:
    chance = np.random.default_rng(11 + dimensions)
    rows = []
    for item in range(count):
        a = tuple(float(value) for value in chance.uniform(0, 1.8, dimensions))
        e = chance.normal(size=3)
        if item % 4 == 0:
            rows.append(MultidimensionalItem("M3PL", a, (e[0],), 0.2))
        elif item % 4 == 1:
            rows.append(MultidimensionalItem("MGRM", a, tuple(np.sort(e)[::-1])))
        elif item % 4 == 2:
            rows.append(MultidimensionalItem("MGPCM", a, tuple(e[:2])))
        else:
            rows.append(MultidimensionalItem("M2PL", a, (e[0],)))
    return multidimensional_columns(rows, D=1.0)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("with_prior", [True, False])
def test_closed_forms_are_determinant_and_inverse_of_the_updated_precision(
    dimensions: int, with_prior: bool
) -> None:
    items, theta = pool(dimensions), np.linspace(-0.6, 0.7, dimensions)
    chance = np.random.default_rng(5)
    correlation = np.full((dimensions, dimensions), 0.5) + 0.5 * np.eye(dimensions)
    prior = correlated_prior(chance.normal(size=dimensions), [1.0] * dimensions, correlation)
    given = [0, 5, 6, 11]
    M = precision_so_far(items, given, theta, prior if with_prior else None)
    own = fisher_information(items, theta)[0]
    plain = own[given].sum(axis=0)
    np.testing.assert_allclose(
        M, plain + np.linalg.inv(prior.covariance) if with_prior else plain, rtol=1e-10
    )
    updated = M + own
    weights = np.arange(1.0, dimensions + 1)
    inverse = np.linalg.inv(updated)
    np.testing.assert_allclose(d_optimality(items, theta, M), np.linalg.det(updated), rtol=1e-9)
    np.testing.assert_allclose(a_optimality(items, theta, M), -np.trace(inverse, axis1=1, axis2=2), rtol=1e-9)
    np.testing.assert_allclose(
        c_optimality(items, theta, M, weights), -np.einsum("k,nkl,l->n", weights, inverse, weights), rtol=1e-9
    )


def test_without_a_prior_the_item_that_completes_the_precision_counts() -> None:
    """One item given in two dimensions leaves a precision of rank one."""
    items, theta = pool(2), [0.2, -0.4]
    M = precision_so_far(items, [3], theta, None)
    updated = M + fisher_information(items, theta)[0]
    others = np.delete(np.arange(len(items)), 3)
    np.testing.assert_allclose(
        d_optimality(items, theta, M)[others], np.linalg.det(updated)[others], rtol=1e-7, atol=1e-14
    )
    trace = np.array([-np.trace(np.linalg.inv(updated[item])) for item in others])
    np.testing.assert_allclose(a_optimality(items, theta, M)[others], trace, rtol=1e-7)
    assert d_optimality(items, theta, M)[3] == 0  # the same direction again completes nothing
    assert a_optimality(items, theta, M)[3] == -np.inf
    with pytest.raises(ValueError, match="no finite error variance yet"):
        c_optimality(items, theta, M, [1.0, 1.0])


def test_where_no_item_can_complete_the_precision_all_are_alike() -> None:
    items, theta = pool(3), [0.0, 0.0, 0.0]
    nothing = precision_so_far(items, [], theta, None)
    assert (nothing == 0).all()
    assert (d_optimality(items, theta, nothing) == 0).all()
    assert (a_optimality(items, theta, nothing) == -np.inf).all()


def test_in_one_dimension_both_choose_the_most_informative_item() -> None:
    chance = np.random.default_rng(2)
    plain = dichotomous_columns(chance.uniform(0.6, 2, 30), chance.normal(size=30), 0.2, 1.0, D=1.702)
    items = between_item_columns(plain, np.zeros(30, dtype=np.int64), 1)
    order = np.argsort(unidimensional_information(plain, 0.3)[0])
    for utility in (d_optimality(items, [0.3], [[2.0]]), a_optimality(items, [0.3], [[2.0]])):
        np.testing.assert_array_equal(np.argsort(utility), order)


def test_simple_structure_asks_about_the_ability_known_worst() -> None:
    """Equal items for two uncorrelated abilities, the first already measured well."""
    plain = dichotomous_columns([1.0, 1.0], [0.0, 0.0], 0.0, 1.0, D=1.0)
    items = between_item_columns(plain, [0, 1], 2)
    M = np.diag([5.0, 1.5])
    for utility in (
        d_optimality(items, [0.0, 0.0], M),
        a_optimality(items, [0.0, 0.0], M),
        c_optimality(items, [0.0, 0.0], M, [1.0, 1.0]),
    ):
        assert np.argmax(utility) == 1
    assert np.argmax(c_optimality(items, [0.0, 0.0], M, [1.0, 0.0])) == 0


@pytest.mark.parametrize("with_prior", [True, False])
def test_divergence_is_the_sum_over_the_posterior_and_the_categories(with_prior: bool) -> None:
    items, theta = pool(2, 12), np.array([0.3, -0.5])
    prior = correlated_prior([0, 0], [1, 1], [[1, 0.4], [0.4, 1]])
    grid = normal_grid(prior, count=15) if with_prior else uniform_grid(-4, 4, 15, 2)
    answers = np.full(12, -1)
    answers[[0, 1, 6]] = [1, 2, 0]
    mass = posterior_mass(log_likelihood(items, answers, grid.nodes), grid)[0]
    got = kullback_leibler(items, theta, grid.nodes, mass)
    here, there = category_probabilities(items, theta)[0], category_probabilities(items, grid.nodes)
    for item, count in enumerate(items.composite.category_counts):
        want = sum(
            mass[q] * here[item, k] * np.log(here[item, k] / there[q, item, k])
            for q in range(grid.weights.size)
            for k in range(count)
        )
        assert got[item] == pytest.approx(want, rel=1e-10)
    assert (got > 0).all()


def test_divergence_over_a_narrow_posterior_is_half_the_information() -> None:
    """sum mass KL -> (1 / 2) tr(I V) as the covariance V of the mass shrinks (Chang & Ying, 1996)."""
    items, theta = pool(2, 12), np.array([0.3, -0.5])
    V = 1e-6 * np.array([[1.0, 0.3], [0.3, 0.8]])
    root = np.linalg.cholesky(V)
    nodes = theta + np.sqrt(2) * np.array([root[:, 0], -root[:, 0], root[:, 1], -root[:, 1]])
    got = kullback_leibler(items, theta, nodes, np.full(4, 0.25))
    want = 0.5 * np.einsum("nkl,kl->n", fisher_information(items, theta)[0], V)
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-15)


def test_a_pool_larger_than_a_block_gets_the_same_values() -> None:
    items = pool(2, 300)
    grid = normal_grid(correlated_prior([0, 0], [1, 1], np.eye(2)), count=101)
    whole = kullback_leibler(items, [0.1, 0.2], grid.nodes, grid.weights)
    rows = np.arange(250, 300)
    part = kullback_leibler(items.take(rows), [0.1, 0.2], grid.nodes, grid.weights)
    np.testing.assert_allclose(whole[rows], part, rtol=1e-12)
    here = category_log_probabilities(items, [0.1, 0.2])[0]
    stored = divergences(here, finite_log_probabilities(items, grid.nodes), grid.weights)
    np.testing.assert_allclose(whole, stored, rtol=1e-12)


def test_impossible_arguments_are_refused() -> None:
    items, theta = pool(2, 4), [0.0, 0.0]
    with pytest.raises(ValueError, match=r"a finite \(2, 2\) matrix"):
        d_optimality(items, theta, np.eye(3))
    with pytest.raises(ValueError, match="not symmetric"):
        a_optimality(items, theta, [[1.0, 0.5], [0.0, 1.0]])
    with pytest.raises(ValueError, match="negative eigenvalue"):
        d_optimality(items, theta, [[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(ValueError, match="ranked at one theta"):
        d_optimality(items, [theta, theta], np.eye(2))
    with pytest.raises(ValueError, match="2 finite numbers"):
        c_optimality(items, theta, np.eye(2), [1.0])
    with pytest.raises(ValueError, match="sum to 1"):
        kullback_leibler(items, theta, [theta, theta], [0.5, 0.6])
    with pytest.raises(ValueError, match="mass must be 2"):
        kullback_leibler(items, theta, [theta, theta], [1.5, -0.5])
    with pytest.raises(ValueError, match="about one theta"):
        kullback_leibler(items, [theta, theta], [theta], [1.0])
