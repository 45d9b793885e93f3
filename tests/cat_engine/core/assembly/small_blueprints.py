"""Small pools and blueprints of every kind of line, for hypothesis to draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from cat_engine.core.assembly.constraints import (
    Constraints,
    Count,
    Enemies,
    ItemSet,
    Length,
    SetCount,
    Total,
)
from cat_engine.core.exact import Integers


@dataclass(frozen=True, eq=False)
class Case:
    """One question to the assembler."""

    constraints: Constraints
    utility: Integers
    taken: Integers
    barred: NDArray[np.bool_]

    def __repr__(self) -> str:
        lines = "\n  ".join(repr(line) for line in self.constraints.lines())
        fixed = f"excluded {self.constraints.excluded} forced {self.constraints.forced}"
        state = f"utility {self.utility.tolist()} taken {self.taken} barred {np.flatnonzero(self.barred)}"
        return f"{state} {fixed}\n  {lines}"


@st.composite
def cases(draw: st.DrawFn, *, soft: bool) -> Case:
    """A pool of 6 to 11 items; with `soft`, most lines may give way."""
    size = draw(st.integers(6, 11))
    priority = st.one_of(st.none(), st.integers(1, 3), st.integers(1, 3)) if soft else st.none()
    longest = draw(st.integers(1, size))
    item_sets = draw(_item_sets(size, priority))
    largest = draw(st.sampled_from([3, 1_000, 2_000_000_000]))
    fixed = draw(st.permutations(range(size)))
    excluded, forced = draw(st.integers(0, 1)), draw(st.integers(0, 1))
    constraints = Constraints(
        size=size,
        length=Length(draw(st.integers(1, longest)), longest, draw(priority)),
        counts=tuple(draw(st.lists(_count(size, priority), max_size=3, unique_by=lambda line: line.name))),
        totals=tuple(draw(st.lists(_total(size, priority), max_size=2, unique_by=lambda line: line.name))),
        item_sets=item_sets,
        set_counts=draw(_set_counts(len(item_sets), priority)),
        enemies=tuple(draw(st.lists(_enemies(size, priority), max_size=2, unique_by=lambda line: line.name))),
        excluded=np.array(fixed[:excluded], dtype=np.int64),
        forced=np.array(fixed[excluded : excluded + forced], dtype=np.int64),
    )
    barred = np.array(draw(st.lists(st.integers(0, 5), min_size=size, max_size=size))) == 0
    barred[constraints.forced] = False
    return Case(
        constraints=constraints,
        utility=np.array(draw(st.lists(st.integers(-largest // 3, largest), min_size=size, max_size=size))),
        taken=np.array(sorted(draw(st.sets(st.integers(0, size - 1), max_size=3))), dtype=np.int64),
        barred=barred,
    )


def _columns(size: int, least: int = 1) -> st.SearchStrategy[Integers]:
    members = st.sets(st.integers(0, size - 1), min_size=least, max_size=size)
    return members.map(lambda columns: np.array(sorted(columns), dtype=np.int64))


@st.composite
def _count(draw: st.DrawFn, size: int, priority: st.SearchStrategy[int | None]) -> Count:
    minimum = draw(st.integers(0, 3))
    maximum = draw(st.one_of(st.none(), st.integers(minimum, minimum + 2)))
    name = f"count {draw(st.integers(0, 99))}"
    return Count(name, draw(_columns(size)), minimum, maximum, draw(priority))


@st.composite
def _total(draw: st.DrawFn, size: int, priority: st.SearchStrategy[int | None]) -> Total:
    values = np.array(draw(st.lists(st.integers(0, 20), min_size=size, max_size=size)), dtype=np.int64)
    minimum = draw(st.integers(0, int(values.sum() * 0.6)))
    maximum = draw(st.one_of(st.none(), st.integers(minimum, minimum + 15)))
    return Total(f"total {draw(st.integers(0, 99))}", values, minimum, maximum, draw(priority))


@st.composite
def _enemies(draw: st.DrawFn, size: int, priority: st.SearchStrategy[int | None]) -> Enemies:
    return Enemies(f"enemies {draw(st.integers(0, 99))}", draw(_columns(size, 2))[:4], draw(priority))


@st.composite
def _item_sets(draw: st.DrawFn, size: int, priority: st.SearchStrategy[int | None]) -> tuple[ItemSet, ...]:
    order = draw(st.permutations(range(size)))
    sizes = draw(st.lists(st.integers(1, 4), max_size=2))
    made = []
    for number, members in enumerate(sizes):
        columns = np.array(order[:members], dtype=np.int64)
        order = order[members:]
        minimum = draw(st.integers(1, members))
        maximum = draw(st.one_of(st.none(), st.integers(minimum, members)))
        if columns.size == members:
            made.append(ItemSet(f"set {number}", columns, minimum, maximum, draw(priority)))
    return tuple(made)


@st.composite
def _set_counts(draw: st.DrawFn, sets: int, priority: st.SearchStrategy[int | None]) -> tuple[SetCount, ...]:
    if not sets or draw(st.booleans()):
        return ()
    minimum = draw(st.integers(0, sets))
    maximum = draw(st.one_of(st.none(), st.integers(minimum, sets)))
    return (SetCount("sets", tuple(range(sets)), minimum, maximum, draw(priority)),)
