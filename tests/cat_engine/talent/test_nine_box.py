"""The nine boxes by their numbers, and what puts a person into one."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_engine.talent.nine_box import (
    BANDS,
    BOX_NUMBERS,
    EXAMPLE_POLICY,
    missing_to_next,
    place,
    policy_from,
    potential_value,
)

POLICY = policy_from(EXAMPLE_POLICY)
values = st.decimals(0, 100, places=2)
scale_scores = st.decimals(100, 900, places=0)


def test_the_numbering_is_the_regulation_s() -> None:
    """PermenPANRB 3/2020, rows from high potential down, columns from low performance up."""
    rows = [[BOX_NUMBERS[potential, performance] for performance in BANDS] for potential in reversed(BANDS)]
    assert rows == [[6, 8, 9], [3, 5, 7], [1, 2, 4]]


@pytest.mark.parametrize(
    ("x", "y", "number"),
    [
        ("80", "80", 9),
        ("79.99", "80", 7),
        ("80", "79.99", 8),
        ("60", "60", 5),
        ("59.99", "60", 2),
        ("60", "59.99", 3),
        ("0", "0", 1),
        ("100", "0", 6),
        ("0", "100", 4),
    ],
)
def test_a_value_on_a_cut_belongs_above_it(x: str, y: str, number: int) -> None:
    box = place(Decimal(x), Decimal(y), POLICY)
    assert (box.number, box.recommendation_key) == (number, f"talent.recommendation.box_{number}")


def test_potential_is_the_weighted_mean_on_the_policy_s_scale() -> None:
    """(20 * (513-200)/6 + 25 * (560-200)/6) / 45 = (20 * 52.1667 + 25 * 60) / 45 = 56.5185"""
    scores = {"competency": Decimal(513), "potential": Decimal(560), "knowledge": Decimal(999)}
    assert potential_value(scores, POLICY) == Decimal("56.52")


def test_what_is_shown_decides() -> None:
    """59.995 is shown as 60.00 and is in the middle band: nobody reads 60 and is told "below 60"."""
    body = {
        **EXAMPLE_POLICY,
        "potential_parts": [{"aspect": "potential", "weight": 1, "scale_floor": 0, "scale_ceiling": 20000}],
    }
    policy = policy_from(body)
    assert potential_value({"potential": Decimal(11999)}, policy) == Decimal("60.00")
    assert place(potential_value({"potential": Decimal(11999)}, policy), Decimal(0), policy).number == 3


def test_a_missing_part_is_not_left_out_silently() -> None:
    with pytest.raises(KeyError):
        potential_value({"competency": Decimal(513)}, POLICY)


@settings(deadline=None)
@given(scale_scores, scale_scores, scale_scores)
def test_more_score_never_means_less_potential(low: Decimal, more: Decimal, other: Decimal) -> None:
    low, more = sorted((low, more))
    before = potential_value({"competency": low, "potential": other}, POLICY)
    after = potential_value({"competency": more, "potential": other}, POLICY)
    assert 0 <= before <= after <= 100


@settings(deadline=None)
@given(values, values)
def test_what_is_missing_is_what_it_takes(x: Decimal, y: Decimal) -> None:
    box, missing = place(x, y, POLICY), missing_to_next(x, y, POLICY)
    for band, gap in ((box.potential_band, missing.potential), (box.performance_band, missing.performance)):
        assert (gap is None) == (band == "high")
        assert gap is None or gap > 0
    moved = place(x + (missing.potential or 0), y + (missing.performance or 0), POLICY)
    for before, after in (
        (box.potential_band, moved.potential_band),
        (box.performance_band, moved.performance_band),
    ):
        assert BANDS.index(after) == min(BANDS.index(before) + 1, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"potential_cuts": {"middle": 80, "high": 60}},
        {"potential_parts": []},
        {"potential_parts": [{"aspect": "a", "weight": 0, "scale_floor": 0, "scale_ceiling": 1}]},
        {"potential_parts": [{"aspect": "a", "weight": 1, "scale_floor": 5, "scale_ceiling": 5}]},
        {"potential_parts": [{"aspect": "a", "weight": 1, "scale_floor": 0, "scale_ceiling": 5}] * 2},
        {"surplus": 1},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        policy_from({**EXAMPLE_POLICY, **change})


def test_the_shipped_policy_says_that_it_is_an_example() -> None:
    assert POLICY.is_example
