"""Mistakes found in other adaptive testing programs; each has a test that ours does not make it."""

import numpy as np
import pytest

from psychometrics.estimation.errors import InformationKind
from psychometrics.estimation.grids import STANDARD_NORMAL
from psychometrics.information import fisher_information
from psychometrics.models.items import ItemColumns, ItemParameters, dichotomous_columns, item_columns
from psychometrics.selection.choice import Sense, best_item, best_items, randomesque_item
from psychometrics.selection.content import ContentBounds, content_group, priority_index, quota_shares
from psychometrics.selection.criteria import CRITERIA
from psychometrics.selection.divergence import window_divergence
from psychometrics.selection.expected import expected_information_after_mode
from psychometrics.selection.location import difficulties, distance_to, information_maxima
from psychometrics.selection.reading import pool_at
from psychometrics.selection.tables import criterion_tables, evidence

NODES = np.linspace(-4.0, 4.0, 33)
SLOPES = np.array([0.7, 1.3, 1.0, 1.8])


def _items(D: float, scale: float) -> ItemColumns:
    """The same four items on the metric D, slopes divided by `scale`."""
    a = SLOPES / scale
    return item_columns(
        [
            ItemParameters("2PL", a[0], (0.2,)),
            ItemParameters("4PL", a[1], (-0.5,), 0.2, 0.95),
            ItemParameters("GRM", a[2], (-1.0, 0.1, 1.2)),
            ItemParameters("GPCM", a[3], (0.6, -0.3)),
        ],
        D=D,
    )


def test_jscat_information_of_a_four_parameter_item_is_not_that_of_three() -> None:
    """It answers 0.313 at 0 and picks another item at 7 of 41 abilities."""
    item = dichotomous_columns(1.32, -0.63, 0.17, 0.87, D=1.0)
    assert fisher_information(item, 0.0)[0, 0] == pytest.approx(0.169, abs=5e-4)
    assert criterion_tables(item, NODES).reader.information_at(0.0)[0] == pytest.approx(0.169, abs=5e-4)


def test_jscat_closest_difficulty_is_closest_to_the_estimate_itself() -> None:
    """It aimed 0.481 above the estimate: a wrong sign and the constant of one guessing parameter."""
    b = np.array([-0.481, -0.05, 0.0, 0.03, 0.481])
    for c in (0.0, 0.25, 0.5):
        items = dichotomous_columns(np.ones(5), b, c, 1.0, D=1.0)
        chosen = best_item(distance_to(difficulties(items), 0.01), Sense.MINIMISE, np.ones(5, dtype=np.bool_))
        assert b[chosen] == 0.0
    guessed = dichotomous_columns(1.0, 0.0, 0.5, 1.0, D=1.0)
    assert information_maxima(guessed)[0] == pytest.approx(0.481, abs=1e-3)  # most information lies above b


@pytest.mark.parametrize("name", CRITERIA)
def test_catr_and_smarter_every_criterion_keeps_to_the_metric(name: str) -> None:
    """a on D = 1 is a / 1.702 on D = 1.702: the same pool, so the same values; forgetting D would differ."""
    values = []
    for items in (_items(1.0, 1.0), _items(1.702, 1.702), _items(1.702, 1.0)):
        tables = criterion_tables(items, NODES)
        known = evidence(tables, [0], [1], STANDARD_NORMAL)
        values.append(CRITERIA[name].values(tables, known, tables.reader.at(0.4)))
    np.testing.assert_allclose(values[0], values[1], rtol=1e-9)
    assert (np.abs(values[2] - values[0]) > 1e-3 * np.abs(values[0])).all()


def test_catr_and_smarter_criteria_of_one_point_keep_to_the_metric() -> None:
    same, other = (_items(1.0, 1.0), _items(1.702, 1.702)), _items(1.702, 1.0)
    for kind in InformationKind:
        one, two, three = (
            expected_information_after_mode(items, [0], [1], 0.4, STANDARD_NORMAL, kind=kind)
            for items in (*same, other)
        )
        np.testing.assert_allclose(one, two, rtol=1e-9)
        assert (np.abs(three - one) > 1e-3 * np.abs(one)).all()
    np.testing.assert_allclose(window_divergence(same[0], 0.4, 0.7), window_divergence(same[1], 0.4, 0.7))
    np.testing.assert_allclose(information_maxima(same[0]), information_maxima(same[1]), atol=1e-9)
    assert information_maxima(other)[1] != pytest.approx(information_maxima(same[0])[1], abs=1e-3)


@pytest.mark.parametrize("name", ["discrimination_index", "posterior_discrimination_index"])
def test_catr_the_discrimination_index_works_for_more_than_two_categories(name: str) -> None:
    tables = criterion_tables(_items(1.0, 1.0), NODES)
    values = CRITERIA[name].values(tables, evidence(tables, [], [], STANDARD_NORMAL), tables.reader.at(0.0))
    assert (values[2:] > 0.01).all()


@pytest.mark.parametrize("name", CRITERIA)
def test_catr_values_stay_numbers_where_the_exponent_would_overflow(name: str) -> None:
    """a (theta - b) > 709 overflows exp; there P was not a number."""
    items = item_columns(
        [
            ItemParameters("2PL", 300.0, (-3.0,)),
            ItemParameters("3PL", 300.0, (3.5,), 0.2),
            ItemParameters("GRM", 200.0, (-3.9, 3.9)),
            ItemParameters("GPCM", 200.0, (-3.9, 3.9)),
            ItemParameters("2PL", 1.0, (0.0,)),
        ],
        D=1.702,
    )
    tables = criterion_tables(items, NODES)
    for theta in (-4.0, 0.0, 4.0):
        known = evidence(tables, [4], [1], STANDARD_NORMAL)
        for at in (tables.reader.at(theta), pool_at(items, theta)):
            assert np.isfinite(CRITERIA[name].values(tables, known, at)).all()


def test_catr_ties_do_not_enlarge_the_group_that_is_drawn_from() -> None:
    """Seven items tie; of the best three exactly three may be drawn, each as often as the others."""
    values, free = np.array([0.5] * 7 + [0.1]), np.ones(8, dtype=np.bool_)
    drawn = [randomesque_item(values, Sense.MAXIMISE, free, 3, (step + 0.5) / 300) for step in range(300)]
    assert np.bincount(drawn).tolist() == [100, 100, 100]


def test_catr_a_content_group_with_target_zero_is_not_chosen_because_it_is_empty() -> None:
    """There a group without items given won before all others, 200 times of 200, target or not."""
    targets, counts = np.array([0.5, 0.0, 0.5]), np.zeros(3)
    for _ in range(200):
        chosen = content_group(targets, counts, np.ones(3, dtype=np.bool_))
        assert chosen != 1
        counts[chosen] += 1
    assert counts.tolist() == [100, 0, 100]
    assert content_group(targets, counts, np.array([False, True, False])) == 1  # nothing else is left


def test_adaptivetesting_two_quotas_used_up_do_not_multiply_to_a_priority() -> None:
    """There an item over both quotas had the priority of one under both: (-0.35)^2 = 0.35^2."""
    content = np.array([[1.0, 1.0, 0, 0], [0, 0, 1.0, 1.0], [1.0, 0, 0, 1.0]])
    bounds = ContentBounds(content, np.zeros(4), np.ones(4), np.ones(4))
    quota, information = np.array([-0.35, -0.35, 0.35, 0.35]), np.full(3, 0.5)
    priority = priority_index(bounds, quota, information)
    assert priority[1] == pytest.approx(0.5 * 0.35**2)
    assert priority[0] < priority[2] < 0 < priority[1]
    assert best_items(priority, Sense.MAXIMISE, np.ones(3, dtype=np.bool_), 3).tolist() == [1, 2, 0]


def test_adaptivetesting_a_quota_used_up_is_no_number_to_take_a_root_of() -> None:
    """An item may bring half of a constraint; below zero the power would not be a number."""
    bounds = ContentBounds(np.array([[0.5], [0.25]]), np.zeros(1), np.ones(1), np.ones(1))
    np.testing.assert_allclose(priority_index(bounds, [-0.4], [1.0, 1.0]), [-0.4, -0.4])
    np.testing.assert_allclose(priority_index(bounds, [0.25], [1.0, 1.0]), [0.5, 0.25**0.25])


def test_adaptivetesting_an_item_over_quota_and_overexposed_is_no_better_for_it() -> None:
    bounds = ContentBounds(np.ones((2, 1)), np.zeros(1), np.ones(1), np.ones(1))
    both = priority_index(bounds, quota_shares(bounds, [0, 1]), [0.9, 0.9], item_quota=[-0.5, 0.5])
    assert both[0] < both[1] < 0


def test_adaptivetesting_content_and_exposure_are_weighed_together() -> None:
    bounds = ContentBounds(np.array([[1.0, 0], [0, 1.0]]), np.zeros(2), np.array([4.0, 2.0]), np.ones(2))
    got = priority_index(bounds, quota_shares(bounds, [0]), [1.0, 1.0], item_quota=[0.4, 0.6])
    np.testing.assert_allclose(got, [0.75 * 0.4, 1.0 * 0.6])


def test_concerto_a_group_that_runs_out_gives_way_to_the_next_and_content_stays_in_force() -> None:
    targets, counts = np.array([0.6, 0.3, 0.1]), np.array([3.0, 3.0, 0.0])
    assert content_group(targets, counts, np.array([True, True, True])) == 0
    assert content_group(targets, counts, np.array([False, True, True])) == 2


@pytest.mark.parametrize("name", CRITERIA)
def test_concerto_the_last_category_and_items_of_fewer_categories_count_rightly(name: str) -> None:
    """A test of the last category of each item; the shorter item is not asked for one it does not have."""
    items = item_columns(
        [ItemParameters("GRM", 1.2, (-1.0, 0.0, 0.8, 1.5)), ItemParameters("GRM", 1.2, (-0.5, 0.6))], D=1.0
    )
    tables = criterion_tables(items, NODES)
    top = evidence(tables, [0, 1], [4, 2], STANDARD_NORMAL)
    assert np.diff(top.likelihood).min() > 0
    assert np.isfinite(CRITERIA[name].values(tables, top, tables.reader.at(1.0))).all()
    with pytest.raises(ValueError, match="no such category"):
        evidence(tables, [0, 1], [4, 3], STANDARD_NORMAL)


@pytest.mark.parametrize("name", CRITERIA)
def test_concerto_a_pool_of_one_item_is_a_pool(name: str) -> None:
    tables = criterion_tables(dichotomous_columns(1.0, 0.0, 0.0, 1.0, D=1.0), NODES)
    values = CRITERIA[name].values(tables, evidence(tables, [], [], STANDARD_NORMAL), tables.reader.at(0.0))
    assert values.shape == (1,)
    assert best_item(values, CRITERIA[name].sense, np.ones(1, dtype=np.bool_)) == 0


def test_mirtcat_an_item_administered_is_never_chosen_again() -> None:
    values = np.array([9.0, 1.0])
    assert best_item(values, Sense.MAXIMISE, np.array([False, True])) == 1
    with pytest.raises(ValueError, match="no item is available"):
        best_item(values, Sense.MAXIMISE, np.zeros(2, dtype=np.bool_))


@pytest.mark.parametrize("name", CRITERIA)
def test_catr_selection_neither_uses_nor_disturbs_a_hidden_generator(name: str) -> None:
    """There every selection reset the generator, so that no simulation could be repeated."""
    tables = criterion_tables(_items(1.0, 1.0), NODES)
    np.random.seed(5)
    expected = np.random.random(3)
    np.random.seed(5)
    known = evidence(tables, [0], [1], STANDARD_NORMAL)
    first, second = (CRITERIA[name].values(tables, known, tables.reader.at(0.2)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(np.random.random(3), expected)
