"""What must hold of every selection criterion, and each one against a plain loop over its definition."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychometrics.arrays import FloatArray
from psychometrics.estimation.eap import eap_estimate, eap_estimates, posterior
from psychometrics.estimation.grids import STANDARD_NORMAL, NormalPrior, trapezoid_grid
from psychometrics.information import fisher_information, kullback_leibler_information
from psychometrics.models.items import (
    ItemColumns,
    ItemParameters,
    category_log_probabilities,
    category_probabilities,
    dichotomous_columns,
    item_columns,
)
from psychometrics.selection.choice import Sense, best_item, best_items, drawn_item, randomesque_item
from psychometrics.selection.criteria import CRITERIA
from psychometrics.selection.divergence import discrimination_index, window_divergence
from psychometrics.selection.expected import (
    AnswerChance,
    expected_information,
    expected_information_after,
    expected_posterior_variance,
)
from psychometrics.selection.information_criteria import information_per_second
from psychometrics.selection.location import difficulties, distance_to, information_maxima
from psychometrics.selection.reading import pool_at
from psychometrics.selection.tables import CriterionTables, criterion_tables, evidence, evidence_of

NODES = np.linspace(-6.0, 6.0, 121)
GRID = trapezoid_grid(STANDARD_NORMAL, lower=-6.0, upper=6.0, count=121)
MIXED = (
    ItemParameters("2PL", 1.3, (0.2,)),
    ItemParameters("3PL", 1.7, (-0.8,), 0.22),
    ItemParameters("4PL", 1.1, (1.0,), 0.1, 0.93),
    ItemParameters("GRM", 1.4, (-1.2, -0.1, 0.9, 1.6)),
    ItemParameters("GPCM", 0.9, (0.4, -0.6, 1.1)),
    ItemParameters("1PL", 1.0, (-1.5,)),
    ItemParameters("PCM", 1.0, (-0.3, 0.7)),
)
THETAS = st.floats(-3.5, 3.5)
STATES = st.lists(st.sampled_from([0, 1, 3, 4]), max_size=4, unique=True).flatmap(
    lambda given: st.tuples(
        st.just(given), st.tuples(*(st.integers(0, 1 if item < 3 else 3) for item in given))
    )
)


@pytest.fixture(scope="module")
def tables() -> CriterionTables:
    return criterion_tables(item_columns(MIXED, D=1.702), NODES)


def _values(
    tables: CriterionTables, name: str, state: tuple[Sequence[int], Sequence[int]], theta: float
) -> FloatArray:
    known = evidence(tables, *state, STANDARD_NORMAL)
    return CRITERIA[name].values(tables, known, pool_at(tables.items, theta))


@pytest.mark.parametrize("name", CRITERIA)
def test_the_order_of_the_pool_does_not_matter(name: str, tables: CriterionTables) -> None:
    order = [6, 2, 0, 5, 3, 1, 4]
    shuffled = criterion_tables(tables.items.take(order), NODES)
    here = _values(tables, name, ([0, 3], [1, 2]), 0.4)
    there = _values(shuffled, name, ([2, 4], [1, 2]), 0.4)
    np.testing.assert_allclose(there, here[order], rtol=1e-12)


@pytest.mark.parametrize("name", CRITERIA)
def test_the_same_item_has_the_same_value_by_every_model_it_can_be_written_in(name: str) -> None:
    a, b, D = 1.3, 0.35, 1.702
    same = item_columns(
        [
            ItemParameters("2PL", a, (b,)),
            ItemParameters("3PL", a, (b,), 0.0),
            ItemParameters("4PL", a, (b,), 0.0, 1.0),
            ItemParameters("GRM", a, (b,)),
            ItemParameters("GPCM", a, (b,)),
            ItemParameters("GRM", 0.8, (-0.4, 0.9)),
        ],
        D=D,
    )
    values = _values(criterion_tables(same, NODES), name, ([5], [1]), -0.3)
    np.testing.assert_allclose(values[1:5], values[0], rtol=1e-9)
    assert abs(values[5] - values[0]) > 1e-6 * abs(values[0])


@pytest.mark.parametrize("name", CRITERIA)
def test_a_value_does_not_depend_on_the_rest_of_the_pool(name: str, tables: CriterionTables) -> None:
    """Also not on the number of categories of other items, which only widens the tables."""
    whole = _values(tables, name, ([0], [1]), 0.8)
    pair = criterion_tables(tables.items.take([0, 5]), NODES)
    np.testing.assert_allclose(_values(pair, name, ([0], [1]), 0.8), whole[[0, 5]], rtol=1e-12)
    alone = criterion_tables(tables.items.take([3]), NODES)
    before = _values(tables, name, ([], []), 0.8)
    np.testing.assert_allclose(_values(alone, name, ([], []), 0.8), before[[3]], rtol=1e-12)


@pytest.mark.parametrize("name", CRITERIA)
def test_only_the_shape_of_the_likelihood_ranks(name: str, tables: CriterionTables) -> None:
    state = ([0, 3, 4], [1, 0, 2])
    at = pool_at(tables.items, 0.1)
    plain, relative = (
        CRITERIA[name].values(tables, evidence(tables, *state, STANDARD_NORMAL, relative=relative), at)
        for relative in (False, True)
    )
    np.testing.assert_allclose(relative / relative[0], plain / plain[0], rtol=1e-9)


@given(STATES)
def test_the_posterior_is_that_of_the_estimator(state: tuple[list[int], tuple[int, ...]]) -> None:
    items = item_columns(MIXED, D=1.0)
    row = np.full(len(items), -1)
    row[state[0]] = state[1]
    known = evidence(criterion_tables(items, NODES), *state, STANDARD_NORMAL)
    log_likelihood = np.log(known.likelihood)
    np.testing.assert_allclose(known.posterior_mass(), posterior(log_likelihood, GRID), atol=1e-14)
    mean = float(known.posterior_mass() @ NODES)
    assert mean == pytest.approx(eap_estimate(items, row, GRID).theta, abs=1e-12)


@given(STATES, THETAS)
def test_expected_posterior_variance_against_updating_answer_by_answer(
    state: tuple[list[int], tuple[int, ...]], theta: float
) -> None:
    items = item_columns(MIXED, D=1.0)
    tables = criterion_tables(items, NODES)
    known, at = evidence(tables, *state, STANDARD_NORMAL), pool_at(items, theta)
    mass = known.posterior_mass()
    for chance in AnswerChance:
        got = expected_posterior_variance(tables, known, at, chance=chance)
        for item in range(len(items)):
            p = category_probabilities(items, NODES)[:, item]
            total = 0.0
            for k in range(int(items.category_counts[item])):
                after = mass * p[:, k] / (mass @ p[:, k])
                variance = after @ NODES**2 - (after @ NODES) ** 2
                total += variance * (
                    at.probabilities[item, k] if chance is AnswerChance.AT_ESTIMATE else mass @ p[:, k]
                )
            assert got[item] == pytest.approx(total, rel=1e-9)


@given(STATES)
def test_one_more_answer_is_not_expected_to_leave_less_known(
    state: tuple[list[int], tuple[int, ...]],
) -> None:
    """Law of total variance: under the posterior predictive the expected variance never exceeds today's."""
    tables = criterion_tables(item_columns(MIXED, D=1.0), NODES)
    known = evidence(tables, *state, STANDARD_NORMAL)
    mass = known.posterior_mass()
    today = mass @ NODES**2 - (mass @ NODES) ** 2
    at = pool_at(tables.items, 0.0)
    after = expected_posterior_variance(tables, known, at, chance=AnswerChance.POSTERIOR_PREDICTIVE)
    assert (after < today).all()


def test_expected_information_from_tables_is_that_after_the_posterior_mean(tables: CriterionTables) -> None:
    given, answers = [0, 3], [1, 2]
    known = evidence(tables, given, answers, STANDARD_NORMAL)
    got = expected_information(tables, known, pool_at(tables.items, 0.3))
    exact = expected_information_after(
        tables.items, given, answers, 0.3, lambda items, matrix: eap_estimates(items, matrix, GRID)
    )
    free = ~np.isnan(exact)
    assert free.sum() == 5
    np.testing.assert_allclose(got[free], exact[free], rtol=1e-5)


@given(THETAS, THETAS)
def test_divergence_is_positive_and_close_by_it_is_information(theta: float, other: float) -> None:
    items = item_columns(MIXED, D=1.0)
    assert (kullback_leibler_information(items, theta, other) >= -1e-15).all()
    near = kullback_leibler_information(items, theta, theta + 1e-3)[0]
    np.testing.assert_allclose(near, 0.5e-6 * fisher_information(items, theta)[0], rtol=1e-2, atol=1e-12)
    window = window_divergence(items, theta, 0.01)
    np.testing.assert_allclose(
        window, fisher_information(items, theta)[0] * 0.01**3 / 3, rtol=1e-2, atol=1e-12
    )


def test_a_window_of_divergence_against_a_fine_sum() -> None:
    items = item_columns(MIXED, D=1.0)
    points = np.linspace(-0.7, 1.3, 4001)
    values = kullback_leibler_information(items, 0.3, points)
    rough = 0.5 * (values[1:] + values[:-1]).sum(axis=0) * (points[1] - points[0])
    np.testing.assert_allclose(window_divergence(items, 0.3, 1.0), rough, rtol=1e-6)


def test_discrimination_of_two_and_of_more_categories(tables: CriterionTables) -> None:
    known = evidence(tables, [0], [1], STANDARD_NORMAL)
    mass = known.likelihood / known.likelihood.sum()
    p = category_probabilities(tables.items, NODES)
    variance = (mass[:, None, None] * (p - np.einsum("q,qnm->nm", mass, p)) ** 2).sum(axis=0)
    got = discrimination_index(tables, known, pool_at(tables.items, 0.0))
    np.testing.assert_allclose(got[:3], variance[:3, 1], rtol=1e-10)
    np.testing.assert_allclose(got, 0.5 * variance.sum(axis=1), rtol=1e-10)


@given(st.floats(0.2, 3.0), st.floats(-3.0, 3.0), st.floats(0.0, 0.5), st.sampled_from([1.0, 1.702]))
def test_place_of_most_information_in_closed_form(a: float, b: float, c: float, D: float) -> None:
    """Birnbaum (1968): b + ln((1 + sqrt(1 + 8c)) / 2) / (D a)."""
    found = information_maxima(dichotomous_columns(a, b, c, 1.0, D=D))[0]
    assert found == pytest.approx(b + math.log((1 + math.sqrt(1 + 8 * c)) / 2) / (D * a), abs=1e-6)


def test_places_of_items_of_every_kind() -> None:
    items = item_columns(MIXED, D=1.0)
    np.testing.assert_allclose(difficulties(items)[[0, 3, 4]], [0.2, 0.3, 0.3])
    places, fine = information_maxima(items), np.linspace(-4, 4, 80001)
    np.testing.assert_allclose(places, fine[np.argmax(fisher_information(items, fine), axis=0)], atol=1e-4)
    idle = information_maxima(dichotomous_columns([0.0, 1.0], [0.0, 0.5], 0.0, 1.0, D=1.0))
    assert math.isnan(idle[0])
    assert idle[1] == pytest.approx(0.5)
    assert best_item(distance_to(idle, 0.0), Sense.MINIMISE, np.ones(2, dtype=np.bool_)) == 1


def test_a_nominal_item_has_information_but_no_difficulty() -> None:
    items = item_columns(
        [ItemParameters("NRM", 1.0, (0.3, -0.2), slopes=(0.7, 1.5)), ItemParameters("2PL", 1.0, (0.5,))],
        D=1.0,
    )
    with pytest.raises(ValueError, match="row 0: the item has no difficulty"):
        difficulties(items)
    tables = criterion_tables(items, NODES)
    for name in CRITERIA:
        assert (_values(tables, name, ([1], [1]), 0.2) > 0).all(), name


@given(st.floats(-5.0, 5.0))
def test_reading_a_pool_between_its_nodes(theta: float) -> None:
    items = item_columns(MIXED, D=1.0)
    tables = criterion_tables(items, NODES)
    read, exact = tables.reader.at(theta), pool_at(items, theta)
    np.testing.assert_allclose(read.probabilities, exact.probabilities, atol=1e-6)
    np.testing.assert_allclose(read.probabilities.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(read.information, exact.information, atol=1e-6)
    np.testing.assert_allclose(tables.reader.information_at(theta), read.information)
    own = tables.reader.own_information_at(np.full((len(items), 2), theta))
    np.testing.assert_allclose(own, np.stack([read.information] * 2, axis=1), atol=1e-12)


@pytest.mark.parametrize("theta", [-7.5, 5.5])
def test_outside_its_table_the_pool_is_computed(theta: float, tables: CriterionTables) -> None:
    read, exact = tables.reader.at(theta), pool_at(tables.items, theta)
    np.testing.assert_array_equal(read.probabilities, exact.probabilities)
    np.testing.assert_array_equal(tables.reader.information_at(theta), exact.information)


def test_information_for_the_time_it_takes() -> None:
    information, time_s = np.array([0.8, 0.6, 0.2]), np.array([120.0, 60.0, 10.0])
    np.testing.assert_allclose(information_per_second(information, time_s), [0.8 / 120, 0.01, 0.02])
    np.testing.assert_array_equal(information_per_second(information, time_s, power=0.0), information)
    assert np.argmax(information_per_second(information, time_s, power=0.5)) == 1
    with pytest.raises(ValueError, match="row 2: the expected time"):
        information_per_second(information, [1.0, 2.0, 0.0])


@given(st.lists(st.integers(0, 4), min_size=3, max_size=9), st.integers(1, 4), st.floats(0, 0.999))
def test_best_and_drawn_among_the_best(values: list[int], count: int, draw: float) -> None:
    free = np.arange(len(values)) % 3 != 1
    for sense, sign in ((Sense.MAXIMISE, -1), (Sense.MINIMISE, 1)):
        expected = sorted((i for i in range(len(values)) if free[i]), key=lambda i: (sign * values[i], i))
        assert best_items(values, sense, free, count).tolist() == expected[:count]
        assert best_item(values, sense, free) == expected[0]
        group = expected[:count]
        assert randomesque_item(values, sense, free, count, draw) == group[int(draw * len(group))]


def test_a_drawn_item_has_its_chance() -> None:
    chances = np.array([0.0, 0.2, 0.0, 0.5, 0.3, 0.0])
    draws = (np.arange(1000) + 0.5) / 1000
    counts = np.bincount([drawn_item(chances, draw) for draw in draws], minlength=6)
    assert counts.tolist() == [0, 200, 0, 500, 300, 0]
    assert drawn_item(chances, np.nextafter(1.0, 0.0)) == 4
    assert drawn_item(chances, 0.0) == 1


def test_what_tables_and_evidence_refuse(tables: CriterionTables) -> None:
    empty: ItemColumns = tables.items.take([])
    with pytest.raises(ValueError, match="the pool is empty"):
        criterion_tables(empty, NODES)
    for nodes in ([0.0], [0.0, 1.0, 3.0], [1.0, 0.0], [0.0, math.inf]):
        with pytest.raises(ValueError, match="nodes"):
            criterion_tables(tables.items, nodes)
    for administered, responses, reason in (
        ([7], [0], "row 0: the item is not of this pool"),
        ([0, 3], [0, 5], "row 1: the item has no such category"),
        ([0, 5], [1, 2], "row 1: the item has no such category"),
        ([0, 0], [0, 1], "administered twice"),
        ([0], [], "0 responses"),
    ):
        with pytest.raises(ValueError, match=reason):
            evidence(tables, administered, responses, STANDARD_NORMAL)
    with pytest.raises(ValueError, match="prior must be finite"):
        evidence(tables, [], [], np.full(NODES.size, -1.0))
    with pytest.raises(ValueError, match="exclude each other"):
        evidence_of(tables, NODES > 0, NODES < 0)


def test_a_test_too_long_for_a_likelihood_is_told_and_has_a_way_out() -> None:
    items = dichotomous_columns(np.ones(3000), np.zeros(3000), 0.0, 1.0, D=1.0)
    tables = criterion_tables(items, NODES)
    given, answers = list(range(2000)), [item % 2 for item in range(2000)]
    with pytest.raises(ValueError, match="relative"):
        evidence(tables, given, answers, STANDARD_NORMAL)
    known = evidence(tables, given, answers, NormalPrior(0.0, 2.0), relative=True)
    values = CRITERIA["posterior_weighted_information"].values(tables, known, pool_at(items, 0.0))
    assert np.isfinite(values).all()
    assert (values > 0).all()


def test_categories_an_item_does_not_have_weigh_nothing(tables: CriterionTables) -> None:
    log_p = category_log_probabilities(tables.items, NODES)
    stored = tables.log_probabilities.reshape(log_p.shape)
    assert (stored[~np.isfinite(log_p)] == 0).all()
    np.testing.assert_array_equal(stored[np.isfinite(log_p)], log_p[np.isfinite(log_p)])
