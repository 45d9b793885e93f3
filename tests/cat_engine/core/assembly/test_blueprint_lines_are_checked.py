"""Malformed blueprints and questions are refused where they enter, naming the line and the reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cat_engine.core.assembly.assembler import Assembler
from cat_engine.core.assembly.constraints import (
    Constraints,
    Count,
    Enemies,
    InfeasibleBlueprint,
    ItemSet,
    Length,
    SetCount,
    Total,
    penalised,
)
from cat_engine.core.assembly.relaxation import Breach
from tests.cat_engine.core.assembly.shadow_oracle import ties

NOTHING = np.empty(0, dtype=np.int64)


def _columns(*numbers: int) -> np.typing.NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"length": Length(0, 3)}, "length is less than one item"),
    ({"length": Length(3, 9)}, "length is more than the pool has"),
    ({"length": Length(3, 2)}, "length has its minimum above its maximum"),
    ({"counts": (Count("", _columns(0)),)}, "a line has no name"),
    ({"counts": (Count("A", _columns(0)), Count("A", _columns(1)))}, "A is the name of two lines"),
    ({"counts": (Count("A", _columns(8)),)}, "A has a column outside the pool of 8"),
    ({"counts": (Count("A", _columns(-1)),)}, "A has a column outside the pool of 8"),
    ({"counts": (Count("A", _columns(1, 1)),)}, "A has a column twice"),
    ({"counts": (Count("A", np.array([0.5])),)}, "A has columns that are no row of integers"),
    ({"counts": (Count("A", _columns(0), 2, 1),)}, "A has its minimum above its maximum"),
    ({"counts": (Count("A", _columns(0), -1),)}, "A has a negative minimum"),
    ({"totals": (Total("words", _columns(1, 2)),)}, "words needs one integer per column"),
    ({"totals": (Total("words", np.full(8, -1)),)}, "words has a value outside 0 to 1048576"),
    ({"item_sets": (ItemSet("S", _columns(0), 0),)}, "S is used with no item of it"),
    (
        {"item_sets": (ItemSet("S", _columns(0, 1)), ItemSet("T", _columns(1, 2)))},
        "T shares an item with another set",
    ),
    ({"set_counts": (SetCount("sets", (0,)),)}, "sets has no set 0"),
    (
        {"item_sets": (ItemSet("S", _columns(0)),), "set_counts": (SetCount("sets", (0, 0)),)},
        "sets names a set twice",
    ),
    ({"enemies": (Enemies("E", _columns(3, 3)),)}, "E has a column twice"),
    ({"excluded": _columns(2), "forced": _columns(2)}, "forced has an excluded item"),
    ({"excluded": _columns(9)}, "excluded has a column outside the pool of 8"),
]


@pytest.mark.parametrize(("lines", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_a_malformed_line_is_refused_by_name(lines: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$"):
        Constraints(**{"size": 8, "length": Length(3, 3), **lines})


def test_questions_that_do_not_fit_the_pool_are_refused() -> None:
    assembler = Assembler(Constraints(4, Length(2, 2)), ties(4))
    utility = np.arange(4)
    with pytest.raises(ValueError, match="ties"):
        Assembler(Constraints(4, Length(2, 2)), ties(5))
    with pytest.raises(ValueError, match="utility: one integer"):
        assembler.assemble(np.arange(3), NOTHING)
    with pytest.raises(ValueError, match="utility: one integer"):
        assembler.assemble(np.linspace(0, 1, 4), NOTHING)  # type: ignore[arg-type] # the refusal under test
    with pytest.raises(ValueError, match="too large"):
        assembler.assemble(np.full(4, 1 << 58), NOTHING)
    with pytest.raises(ValueError, match="barred"):
        assembler.assemble(utility, NOTHING, np.zeros(3, dtype=np.bool_))
    with pytest.raises(ValueError, match="taken: different columns"):
        assembler.assemble(utility, _columns(1, 1))
    with pytest.raises(ValueError, match="incumbent: different columns"):
        assembler.assemble(utility, NOTHING, None, _columns(4))
    with pytest.raises(ValueError, match="penalty is negative"):
        penalised(utility, np.zeros(4, dtype=np.bool_), -1)


def test_an_item_taken_stays_although_it_is_barred_or_excluded() -> None:
    constraints = Constraints(4, Length(2, 2), excluded=_columns(0))
    shadow = Assembler(constraints, ties(4)).assemble(
        _columns(0, 5, 4, 3), _columns(0), np.array([True, True, False, False])
    )
    assert shadow.columns.tolist() == [0, 2]


def test_a_forced_item_that_is_barred_is_a_conflict_with_a_name() -> None:
    assembler = Assembler(Constraints(4, Length(2, 2), forced=_columns(0)), ties(4))
    with pytest.raises(InfeasibleBlueprint) as refused:
        assembler.assemble(np.arange(4), NOTHING, np.array([True, False, False, False]))
    assert refused.value.names == ("forced", "barred")


def test_hard_lines_that_contradict_are_named_and_the_innocent_are_not() -> None:
    constraints = Constraints(
        8,
        Length(4, 4),
        counts=(
            Count("A", _columns(0, 1, 2), 3),
            Count("B", _columns(3, 4), 2),
            Count("C", _columns(5, 6), 0, 1),
            Count("D", _columns(6, 7), 1, priority=1),
        ),
    )
    with pytest.raises(InfeasibleBlueprint) as refused:
        Assembler(constraints, ties(8)).assemble(np.arange(8), NOTHING)
    assert refused.value.names == ("length", "A", "B")
    assert str(refused.value) == "no test meets these lines together: length, A, B"


def test_the_line_with_the_lower_priority_gives_way_and_says_by_how_much() -> None:
    def broken(a: int, b: int) -> tuple[Breach, ...]:
        lines = (Count("A", _columns(0, 1, 2), 3, priority=a), Count("B", _columns(3, 4, 5), 3, priority=b))
        shadow = Assembler(Constraints(8, Length(4, 4), lines), ties(8)).assemble(np.arange(8), NOTHING)
        assert shadow.proven
        return shadow.breaches

    assert broken(1, 2) == (Breach("A", -2),)
    assert broken(2, 1) == (Breach("B", -2),)


def test_no_set_is_called_used_without_an_item_of_it() -> None:
    """Where two sets are due and only one has items left, the number of sets is short, not a set empty."""
    constraints = Constraints(
        6,
        Length(3, 3),
        item_sets=(ItemSet("S", _columns(0, 1), 1, priority=1), ItemSet("T", _columns(2, 3), 1, priority=1)),
        set_counts=(SetCount("sets", (0, 1), 2, priority=5),),
    )
    barred = np.array([False, False, True, True, False, False])
    shadow = Assembler(constraints, ties(6)).assemble(np.arange(6), NOTHING, barred)
    assert shadow.breaches == (Breach("sets", -1),)
