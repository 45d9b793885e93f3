"""Summed scores: the recursion against every pattern of responses written out."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psychometrics.estimation.eap import eap_estimates
from psychometrics.estimation.grids import NormalPrior, converged_grid
from psychometrics.estimation.sum_scores import (
    summed_score_estimates,
    summed_score_probabilities,
    summed_score_table,
    summed_scores,
)
from psychometrics.models.items import (
    ItemColumns,
    ItemParameters,
    category_probabilities,
    dichotomous_columns,
    item_columns,
)

GRID = converged_grid(NormalPrior(0.2, 1.2))
MIXED = item_columns(
    [
        ItemParameters("3PL", 1.4, (-0.6,), 0.2),
        ItemParameters("GPCM", 0.9, (0.4, -0.3, 1.1)),
        ItemParameters("2PL", 1.1, (0.5,)),
        ItemParameters("GRM", 1.6, (-1.2, -0.1, 0.9, 2.0)),
        ItemParameters("4PL", 1.8, (0.2,), 0.15, 0.95),
    ],
    D=1.702,
)
POINTS = np.array([[0, 2, 0, 0, 0], [0, 1, 3, 4, 0], [1, 0, 0, 0, 0], [0, 0, 1, 1, 5], [0, 3, 0, 0, 0]])


def _by_enumeration(items: ItemColumns, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pattern, its likelihood multiplied up, added to the others of its score."""
    p, counts = category_probabilities(items, GRID.nodes), items.category_counts
    top = int(sum(points[item, :count].max() for item, count in enumerate(counts)))
    joint = np.zeros((GRID.nodes.size, top + 1))
    for pattern in product(*(range(count) for count in counts)):
        likelihood = np.prod([p[:, item, x] for item, x in enumerate(pattern)], axis=0)
        joint[:, sum(points[item, x] for item, x in enumerate(pattern))] += likelihood * GRID.weights
    mass = joint.sum(axis=0)
    with np.errstate(invalid="ignore"):  # a score nobody can have
        mean = (joint * GRID.nodes[:, None]).sum(axis=0) / mass
        second = (joint * GRID.nodes[:, None] ** 2).sum(axis=0) / mass
    return mass, mean, np.sqrt(second - mean**2)


@pytest.mark.parametrize("points", [None, POINTS])
def test_the_table_against_every_pattern(points: np.ndarray | None) -> None:
    worth = np.broadcast_to(np.arange(5), (5, 5)) if points is None else points
    mass, mean, deviation = _by_enumeration(MIXED, worth)
    got = summed_score_table(MIXED, GRID, points=points)
    np.testing.assert_allclose(got.probability, mass, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(got.theta, mean, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(got.standard_error, deviation, rtol=1e-8)
    assert got.probability.sum() == pytest.approx(1.0, abs=1e-12)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.floats(0.2, 2.5), st.lists(st.floats(-3, 3), min_size=1, max_size=4)),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([1.0, 1.702]),
)
def test_any_short_test_against_every_pattern(rows: list[tuple[float, list[float]]], D: float) -> None:
    items = item_columns([ItemParameters("GPCM", a, tuple(steps)) for a, steps in rows], D=D)
    mass, mean, _ = _by_enumeration(items, np.broadcast_to(np.arange(5), (len(rows), 5)))
    got = summed_score_table(items, GRID)
    np.testing.assert_allclose(got.probability, mass, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(got.theta, mean, rtol=1e-7, atol=1e-8)


def test_the_sum_is_sufficient_for_rasch_and_partial_credit_items() -> None:
    """There the pattern says no more than its sum, so both give one ability."""
    items = item_columns(
        [
            ItemParameters("1PL", 1.0, (-0.5,)),
            ItemParameters("PCM", 1.0, (0.4, -0.3, 1.1)),
            ItemParameters("1PL", 1.0, (1.5,)),
        ],
        D=1.702,
    )
    rows = np.array(list(product(range(2), range(4), range(2))))
    by_sum, by_pattern = summed_score_estimates(items, rows, GRID), eap_estimates(items, rows, GRID)
    np.testing.assert_allclose(by_sum.theta, by_pattern.theta, atol=1e-12)
    np.testing.assert_allclose(by_sum.standard_error, by_pattern.standard_error, atol=1e-12)


def test_ability_and_error_of_the_sum_are_averages_over_its_patterns() -> None:
    """E[theta | s] averages E[theta | pattern]; its variance is never smaller than the average variance."""
    rows = np.array(list(product(range(2), range(4), range(2), range(5), range(2))))
    by_pattern, table = eap_estimates(MIXED, rows, GRID), summed_score_table(MIXED, GRID)
    p = category_probabilities(MIXED, GRID.nodes)
    chance = GRID.weights @ np.prod(p[:, np.arange(5), rows], axis=2)
    score = summed_scores(MIXED, rows)
    mean = np.bincount(score, chance * by_pattern.theta) / np.bincount(score, chance)
    inside = np.bincount(score, chance * by_pattern.standard_error**2) / np.bincount(score, chance)
    np.testing.assert_allclose(table.theta, mean, atol=1e-10)
    assert (table.standard_error**2 >= inside - 1e-12).all()
    assert (np.diff(table.theta) > 0).all()


def test_scores_given_ability_add_up_and_rise_with_it() -> None:
    theta = np.linspace(-6, 6, 49)
    got = summed_score_probabilities(MIXED, theta)
    np.testing.assert_allclose(got.sum(axis=1), 1.0, atol=1e-13)
    assert (np.diff(got @ np.arange(got.shape[1])) > 0).all()


def test_candidates_with_other_items_get_the_table_of_their_own_items() -> None:
    rows = np.array([[1, 3, 0, 4, 1], [1, -1, 0, 4, -1], [-1] * 5, [0, -1, 1, 2, -1]])
    together = summed_score_estimates(MIXED, rows, GRID, points=POINTS)
    for candidate, row in enumerate(rows):
        assert summed_score_estimates(MIXED, row, GRID, points=POINTS)[0] == together[candidate]
    part = summed_score_table(MIXED.take([0, 2, 3]), GRID, points=POINTS[[0, 2, 3]])
    assert together.theta[1] == part.theta[2 + 1 + 5]
    assert together.theta[2] == pytest.approx(0.2, abs=1e-10)
    assert summed_scores(MIXED, rows, points=POINTS).tolist() == [2 + 4 + 1 + 5 + 3, 8, 0, 1]


def test_scores_nobody_can_have_are_marked_and_bad_points_refused() -> None:
    items = dichotomous_columns([1.0, 1.0], [0.0, 1.0], 0.0, 1.0, D=1.0)
    table = summed_score_table(items, GRID, points=[[0, 2], [0, 2]])
    assert (table.probability > 0).tolist() == [True, False, True, False, True]
    assert np.isnan(table.theta).tolist() == [False, True, False, True, False]
    for points, reason in (
        ([[0.0, 1.0], [0.0, 1.0]], "whole numbers"),
        ([[0], [0]], "expected"),
        ([[0, 1]], "whole numbers of shape"),
        ([[0, 1], [0, -1]], "row 1: points are negative"),
    ):
        with pytest.raises(ValueError, match=reason):
            summed_score_table(items, GRID, points=points)


def test_nominal_categories_earn_what_is_stated_and_nothing_else() -> None:
    nominal = item_columns([ItemParameters("NRM", 1.0, (0.3, -0.4), slopes=(0.8, 1.7))], D=1.0)
    with pytest.raises(ValueError, match="row 0: categories of a nominal item"):
        summed_score_table(nominal, GRID)
    table = summed_score_table(nominal, GRID, points=[[0, 0, 1]])
    assert table.theta[1] == pytest.approx(eap_estimates(nominal, [2], GRID).theta[0], abs=1e-12)


def test_a_long_form_and_a_hopeless_one() -> None:
    """300 items take no time and lose no mass; a score that no float can hold is refused, not answered."""
    many = MIXED.take(np.tile(np.arange(5), 60))
    got = summed_score_table(many, GRID)
    assert got.probability.sum() == pytest.approx(1.0, abs=1e-10)
    guessed = dichotomous_columns(np.full(1600, 1.0), np.zeros(1600), 0.4, 1.0, D=1.0)
    with pytest.raises(ValueError, match="row 0: the probability of this summed score underflows"):
        summed_score_estimates(guessed, np.zeros(1600, dtype=np.int64), GRID)
