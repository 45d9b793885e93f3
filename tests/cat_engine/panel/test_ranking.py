"""The ranked list: its order, its ties, its groups, and that the order of arrival has no influence."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_engine.panel.ranking import Contender, is_distinguishable, probability_above, ranked_list

D = Decimal


def person(code: str, score: str, error: str = "20", **tie_breaks: int) -> Contender:
    return Contender(code, D(score), D(error), {name: D(value) for name, value in tie_breaks.items()})


contenders = st.lists(
    st.builds(
        Contender,
        blind_code=st.text("ABCDEFGH23456789", min_size=3, max_size=6),
        scale_score=st.integers(440, 560).map(D),
        scale_error=st.integers(0, 40).map(D),
        tie_breaks=st.dictionaries(st.sampled_from(["competency", "potential"]), st.integers(0, 3).map(D)),
    ),
    max_size=14,
    unique_by=lambda contender: contender.blind_code,
)


def test_higher_scores_come_first_and_equal_ones_share_the_rank() -> None:
    found = ranked_list([person("C", "500"), person("A", "480"), person("B", "500"), person("D", "510")])
    assert [(row.rank, row.blind_code, row.is_tied) for row in found.rows] == [
        (1, "D", False),
        (2, "B", True),
        (2, "C", True),
        (4, "A", False),
    ]
    assert [row.decided_by for row in found.rows] == ["score", "score", "tied", "score"]


def test_the_tie_break_list_is_followed_in_its_order() -> None:
    people = [
        person("A", "500", competency=3, potential=9),
        person("B", "500", competency=5, potential=1),
        person("C", "500", competency=5, potential=2),
        person("D", "500", potential=99),
    ]
    found = ranked_list(people, tie_break=("competency", "potential"))
    assert [(row.blind_code, row.decided_by) for row in found.rows] == [
        ("C", "score"),
        ("B", "potential"),
        ("A", "competency"),
        ("D", "competency"),  # what is not known ranks below what is
    ]
    other = ranked_list(people, tie_break=("potential",))
    assert [row.blind_code for row in other.rows] == ["D", "A", "C", "B"]


def test_the_error_of_a_difference_is_larger_than_each_error() -> None:
    """1.96 * sqrt(20^2 + 20^2) = 55.44"""
    assert not is_distinguishable(person("A", "500"), person("B", "555.43"))
    assert is_distinguishable(person("A", "500"), person("B", "555.45"))
    assert not is_distinguishable(person("A", "500", "0"), person("B", "500", "0"))
    assert is_distinguishable(person("A", "500", "0"), person("B", "500.01", "0"))


def test_groups_overlap_where_the_middle_belongs_to_both() -> None:
    """A - B and B - C are 40 apart, too close; A - C are 80 apart and distinct; D stands alone."""
    found = ranked_list(
        [person("A", "580"), person("B", "540"), person("C", "500"), person("D", "400")], places=2
    )
    assert [(group.first, group.last) for group in found.groups] == [(0, 1), (1, 2), (3, 3)]
    assert [group.crosses_places for group in found.groups] == [False, True, False]
    assert [(group.low, group.high) for group in found.groups][1] == (D(500), D(540))
    assert [row.is_distinct_from_above for row in found.rows] == [False, False, False, True]


def test_a_precise_neighbour_ends_a_group_that_the_imprecise_would_continue() -> None:
    found = ranked_list([person("A", "520", "5"), person("B", "510", "40"), person("C", "500", "5")])
    assert is_distinguishable(person("A", "520", "5"), person("C", "500", "5"))
    assert [(group.first, group.last) for group in found.groups] == [(0, 1), (1, 2)]


def test_the_cut_passes_who_reaches_it_and_says_how_sure_that_is() -> None:
    found = ranked_list([person("A", "500"), person("B", "519.6"), person("C", "480.4")], cut_score=D(500))
    assert [(row.blind_code, row.is_above_cut) for row in found.rows] == [
        ("B", True),
        ("A", True),
        ("C", False),
    ]
    assert [row.probability_above_cut for row in found.rows] == [0.8365, 0.5, 0.1635]  # Phi(0.98)
    assert probability_above(person("A", "500", "0"), D(500)) == 1.0
    assert probability_above(person("A", "499", "0"), D(500)) == 0.0


def test_without_a_cut_nothing_is_said_about_it() -> None:
    (row,) = ranked_list([person("A", "500")]).rows
    assert (row.is_above_cut, row.probability_above_cut) == (None, None)
    assert (row.band_low, row.band_high) == (D("460.80"), D("539.20"))


def test_nobody_is_an_empty_list() -> None:
    found = ranked_list([], cut_score=D(500), places=3)
    assert (found.rows, found.groups) == ((), ())


def test_a_code_that_occurs_twice_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="blind code"):
        ranked_list([person("A", "500"), person("A", "510")])


@settings(deadline=None)
@given(contenders, st.randoms(use_true_random=False))
def test_the_order_of_arrival_has_no_influence(people: list[Contender], chance: random.Random) -> None:
    shuffled = list(people)
    chance.shuffle(shuffled)
    rules: dict[str, Any] = {"tie_break": ("competency", "potential"), "cut_score": D(500), "places": 3}
    assert ranked_list(people, **rules) == ranked_list(shuffled, **rules)


@settings(deadline=None)
@given(contenders)
def test_groups_are_the_longest_runs_without_a_distinguishable_pair(people: list[Contender]) -> None:
    found = ranked_list(people)
    by_code = {contender.blind_code: contender for contender in people}
    ordered = [by_code[row.blind_code] for row in found.rows]

    def is_close(first: int, last: int) -> bool:
        return not any(is_distinguishable(*pair) for pair in combinations(ordered[first : last + 1], 2))

    size = len(ordered)
    runs = [(first, last) for first in range(size) for last in range(first, size) if is_close(first, last)]
    longest = [run for run in runs if not any(o != run and o[0] <= run[0] and run[1] <= o[1] for o in runs)]
    assert [(group.first, group.last) for group in found.groups] == longest


@settings(deadline=None)
@given(contenders)
def test_ranks_follow_scores(people: list[Contender]) -> None:
    rows = ranked_list(people).rows
    assert sorted(row.blind_code for row in rows) == sorted(contender.blind_code for contender in people)
    for upper, lower in pairwise(rows):
        assert upper.scale_score >= lower.scale_score
        assert (upper.rank == lower.rank) == (upper.scale_score == lower.scale_score)
    for row in rows:
        assert row.rank == 1 + sum(other.scale_score > row.scale_score for other in rows)
