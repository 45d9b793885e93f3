"""Strata, mixtures with chance, and content rules: against their definitions and worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychometrics.selection.choice import drawn_item
from psychometrics.selection.content import (
    ContentBounds,
    content_group,
    priority_index,
    quota_shares,
    weighted_deviations,
)
from psychometrics.selection.mixtures import (
    mixture_weight,
    precision_weight,
    progressive_values,
    proportional_chances,
    random_values,
)
from psychometrics.selection.stratification import b_blocked_strata, strata_by, stratum_at

ALL = np.ones(4, dtype=np.bool_)
BOUNDS = ContentBounds(
    content=np.array([[1, 0], [1, 1], [0, 1], [0, 0]], dtype=np.float64),
    lower=np.array([1.0, 0.0]),
    upper=np.array([2.0, 1.0]),
    weights=np.array([1.0, 2.0]),
)


@given(st.integers(1, 40), st.integers(1, 8), st.integers(0, 2**31))
def test_strata_have_equal_size_and_rise(items: int, count: int, seed: int) -> None:
    if count > items:
        with pytest.raises(ValueError, match="cannot be cut"):
            strata_by(np.zeros(items), count)
        return
    values = np.random.default_rng(seed).integers(0, 6, items).astype(np.float64)
    strata = strata_by(values, count)
    sizes = np.bincount(strata, minlength=count)
    assert sizes.max() - sizes.min() <= 1
    highest = [values[strata == stratum].max() for stratum in range(count - 1)]
    lowest = [values[strata == stratum].min() for stratum in range(1, count)]
    assert all(low >= high for high, low in zip(highest, lowest, strict=True))


@given(st.integers(2, 40), st.integers(2, 8), st.integers(0, 2**31))
def test_blocks_give_every_stratum_the_same_spread_of_difficulty(items: int, count: int, seed: int) -> None:
    if count > items:
        return
    rng = np.random.default_rng(seed)
    a, b = rng.lognormal(0, 0.3, items), rng.normal(size=items)
    strata = b_blocked_strata(a, b, count)
    order = np.argsort(b)
    for start in range(0, items - count + 1, count):
        block = order[start : start + count]
        assert strata[block[np.argsort(a[block])]].tolist() == list(range(count))
    rest = order[items - items % count :]
    assert len(set(strata[rest])) == rest.size
    assert (np.diff(strata[rest[np.argsort(a[rest])]]) > 0).all()


def test_strata_serve_equal_stages_of_the_test() -> None:
    assert [stratum_at(position, 10, 4) for position in range(1, 11)] == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]
    with pytest.raises(ValueError, match="position 11"):
        stratum_at(11, 10, 4)


@given(st.integers(2, 60), st.floats(0.0, 6.0))
def test_the_weight_of_information_rises_from_nothing_to_all(length: int, acceleration: float) -> None:
    weights = [mixture_weight(position, length, acceleration) for position in range(1, length + 1)]
    assert weights[0] == 0
    assert weights[-1] == pytest.approx(1.0)
    assert (np.diff(weights) > 0).all() or acceleration > 1
    assert (np.diff(weights) >= 0).all()


def test_weights_worked_by_hand() -> None:
    """Length 4: terms 0, 1, 2^t, 3^t."""
    assert mixture_weight(3, 4, 1.0) == pytest.approx(3 / 6)
    assert mixture_weight(3, 4, 2.0) == pytest.approx(5 / 14)
    assert mixture_weight(2, 4, 0.0) == pytest.approx(1 / 3)
    assert mixture_weight(1, 1, 1.0) == 0
    assert precision_weight(4.0, 10.0, 3, 21, 1.0) == pytest.approx(0.4)
    assert precision_weight(1.0, 10.0, 11, 21, 2.0) == pytest.approx(0.25)
    assert precision_weight(12.0, 10.0, 3, 21, 1.0) == 1.0


def test_progressive_goes_from_the_draws_to_the_information() -> None:
    information, draws = np.array([0.1, 0.8, 0.5, 2.0]), np.array([0.9, 0.2, 0.4, 0.6])
    free = np.array([True, True, True, False])
    np.testing.assert_allclose(progressive_values(information, free, draws, 0.0), 0.8 * draws)
    np.testing.assert_allclose(progressive_values(information, free, draws, 1.0), information)
    half = progressive_values(information, free, draws, 0.5)
    np.testing.assert_allclose(half, 0.4 * draws + 0.5 * information)
    np.testing.assert_array_equal(random_values(draws), draws)
    for wrong in ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3, 1.0]):
        with pytest.raises(ValueError, match="draw"):
            progressive_values(information, free, wrong, 0.5)


def test_proportional_goes_from_all_alike_to_the_best() -> None:
    information, free = np.array([0.1, 0.8, 0.4, 2.0]), np.array([True, True, True, False])
    first = proportional_chances(information, free, position=1, length=20, acceleration=1.0)
    np.testing.assert_allclose(first, [1 / 3, 1 / 3, 1 / 3, 0])
    second = proportional_chances(information, free, position=2, length=20, acceleration=0.0)
    power = np.array([0.1, 0.8, 0.4]) ** (20 / 19)
    np.testing.assert_allclose(second, [*(power / power.sum()), 0])
    last = proportional_chances(information, free, position=20, length=20, acceleration=1.0)
    assert last[1] > 0.99999
    assert drawn_item(last, 0.5) == 1
    with pytest.raises(ValueError, match="no item"):
        proportional_chances(information, np.zeros(4, dtype=np.bool_), position=1, length=5, acceleration=1.0)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=5).filter(any), st.integers(1, 60))
def test_content_shares_come_out_as_wanted(targets: list[int], length: int) -> None:
    """The largest deficit first keeps every group within one item of its share at any length."""
    counts, total = np.zeros(len(targets)), sum(targets)
    for position in range(1, length + 1):
        group = content_group(targets, counts, np.ones(len(targets), dtype=np.bool_))
        counts[group] += 1
        wanted = position * np.array(targets) / total
        assert np.abs(counts - wanted).max() < len(targets) - 1 + 1e-9
        assert (counts[np.array(targets) == 0] == 0).all()


def test_deviations_against_their_definition() -> None:
    information, given, free, length = (
        np.array([0.5, 0.9, 0.7, 0.2]),
        [0],
        np.array([False, True, True, True]),
        3,
    )
    got = weighted_deviations(BOUNDS, given, free, information, length=length, information_weight=4.0)
    for item in (1, 2, 3):
        others = [other for other in (1, 2, 3) if other != item]
        total = 0.0
        for k in range(2):
            mean = np.mean([BOUNDS.content[other, k] for other in others])
            end = BOUNDS.content[0, k] + BOUNDS.content[item, k] + (length - 2) * mean
            total += BOUNDS.weights[k] * (max(0.0, BOUNDS.lower[k] - end) + max(0.0, end - BOUNDS.upper[k]))
        assert got[item] == pytest.approx(total + 4.0 * (0.9 - information[item]))
    with pytest.raises(ValueError, match="test of 1"):
        weighted_deviations(BOUNDS, given, free, information, length=1, information_weight=1.0)


def test_deviations_follow_content_when_it_weighs_more_and_information_otherwise() -> None:
    information, free = np.array([2.0, 0.5, 1.0, 3.0]), ALL
    for weight, best in ((0.0, 0), (100.0, 3)):
        values = weighted_deviations(BOUNDS, [], free, information, length=1, information_weight=weight)
        assert int(np.argmin(values)) == best


def test_quota_left_in_two_phases() -> None:
    np.testing.assert_allclose(quota_shares(BOUNDS, []), [1.0, 0.0])  # a lower bound is still unmet
    np.testing.assert_allclose(quota_shares(BOUNDS, [0]), [0.5, 1.0])
    np.testing.assert_allclose(quota_shares(BOUNDS, [0, 1]), [0.0, 0.0])
    np.testing.assert_allclose(quota_shares(BOUNDS, [0, 1, 2]), [0.0, -1.0])
    free = ContentBounds(BOUNDS.content, np.zeros(2), np.array([np.inf, 1.0]), np.ones(2))
    np.testing.assert_allclose(quota_shares(free, [0]), [1.0, 1.0])


def test_priority_worked_by_hand() -> None:
    quota, information = np.array([0.5, 1.0]), np.array([0.8, 0.6, 0.4, 0.3])
    got = priority_index(BOUNDS, quota, information, item_quota=[1.0, 1.0, 0.5, 1.0])
    np.testing.assert_allclose(got, [0.8 * 0.5, 0.6 * 0.5 * 2.0, 0.4 * 2.0 * 0.5, 0.3])


def test_what_content_rules_refuse() -> None:
    content = BOUNDS.content
    for lower, upper, weights, reason in (
        ([2.0, 0], [1.0, 1], [1, 1], "row 0: lower is above upper"),
        ([0, 0], [1, 1], [1, -1], "row 1: weights is negative"),
        ([0, np.nan], [1, 1], [1, 1], "row 1: lower is negative or not a number"),
        ([0], [1], [1], "lower has shape"),
    ):
        with pytest.raises(ValueError, match=reason):
            ContentBounds(content, np.array(lower), np.array(upper), np.array(weights))
    with pytest.raises(ValueError, match="row 1: the target"):
        content_group([1.0, -0.5], [0, 0], ALL[:2])
    with pytest.raises(ValueError, match="all targets are 0"):
        content_group([0.0, 0.0], [0, 0], ALL[:2])
    with pytest.raises(ValueError, match="no group"):
        content_group([1.0, 1.0], [0, 0], ~ALL[:2])
