"""One answer for one question: whatever was asked before, in whichever thread, however often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from cat_engine.core.assembly.assembler import Assembler, ShadowTest
from cat_engine.core.assembly.constraints import (
    Constraints,
    Count,
    Enemies,
    ItemSet,
    Length,
    SetCount,
    Total,
    counts_by,
)
from cat_engine.core.assembly.search import Limits
from cat_engine.core.exact import Integers
from tests.cat_engine.core.assembly.shadow_oracle import ties

SIZE = 200
STATES = 200
Movable = TypeVar("Movable", Count, ItemSet, Enemies)
State = tuple[Integers, Integers, NDArray[np.bool_], Integers | None]


@cache
def blueprint() -> Constraints:
    rng = np.random.default_rng(7)
    area, key = rng.integers(5, size=SIZE).astype(str), rng.integers(4, size=SIZE).astype(str)
    sets = [np.arange(150 + 5 * number, 155 + 5 * number) for number in range(10)]
    return Constraints(
        size=SIZE,
        length=Length(20, 20),
        counts=(
            *counts_by("area", area.tolist(), {str(number): (2, 6) for number in range(5)}, priority=2),
            *counts_by("key", key.tolist(), {str(number): (3, 7) for number in range(4)}, priority=1),
        ),
        totals=(Total("words", rng.integers(20, 80, size=SIZE), 960, 1_010, priority=1),),
        item_sets=tuple(ItemSet(f"set {number}", columns, 2, 4) for number, columns in enumerate(sets)),
        set_counts=(SetCount("sets", tuple(range(10)), 1, 2, priority=3),),
        enemies=tuple(Enemies(f"enemies {n}", rng.choice(150, size=3, replace=False)) for n in range(8)),
    )


@cache
def states() -> tuple[State, ...]:
    """Questions as a sitting asks them, and worse: equal utilities, items taken at random, items barred."""
    rng = np.random.default_rng(11)
    made: list[State] = []
    enemies = [line.columns for line in blueprint().enemies]
    for number in range(STATES):
        fine = rng.integers(0, 10**9, size=SIZE)
        utility = fine if number % 2 else rng.integers(0, 8, size=SIZE)  # every second: nothing but ties
        if number % 4 == 1:
            utility = (fine // 10**8) * 10**8  # large and equal
        taken = rng.choice(150, size=number % 13, replace=False)
        for group in enemies:
            both = np.intersect1d(taken, group)
            taken = np.setdiff1d(taken, both[1:])
        barred = rng.uniform(size=SIZE) < 0.1 * (number % 3)
        previous = made[-1][1] if made and number % 5 == 0 else None
        made.append((utility.astype(np.int64), np.sort(taken).astype(np.int64), barred, previous))
    return tuple(made)


def _said(shadow: ShadowTest) -> tuple[object, ...]:
    numbers = (shadow.objective, shadow.bound, shadow.proven, shadow.source, shadow.nodes, shadow.iterations)
    return (shadow.columns.tolist(), shadow.breaches, *numbers)


@pytest.mark.parametrize("limits", [Limits(), Limits(nodes=3)], ids=["enough work", "cut short"])
def test_an_assembler_that_has_answered_hundreds_of_questions_says_what_a_new_one_says(
    limits: Limits,
) -> None:
    old = Assembler(blueprint(), ties(SIZE))
    for number, (utility, taken, barred, previous) in enumerate(states()):
        warm = old.assemble(utility, taken, barred, previous, limits)
        if number % 3 == 0:  # the same question again, from the state that the first answer left
            assert _said(old.assemble(utility, taken, barred, previous, limits)) == _said(warm)
        fresh = Assembler(blueprint(), ties(SIZE)).assemble(utility, taken, barred, previous, limits)
        assert _said(fresh) == _said(warm)


def test_the_order_of_questions_and_other_threads_change_nothing() -> None:
    one = Assembler(blueprint(), ties(SIZE))
    forwards = [_said(one.assemble(*state)) for state in states()[:60]]
    other = Assembler(blueprint(), ties(SIZE))
    with ThreadPoolExecutor(4) as threads:
        backwards = list(threads.map(lambda state: _said(other.assemble(*state)), states()[59::-1]))
    assert backwards[::-1] == forwards


def test_equal_utilities_are_told_apart_by_the_hash_not_by_the_pools_order() -> None:
    """The same items in another order give the same test: for every state that was solved to the end."""
    rng = np.random.default_rng(3)
    constraints, order = blueprint(), rng.permutation(SIZE)
    place = np.argsort(order)
    moved = Constraints(
        size=SIZE,
        length=constraints.length,
        counts=tuple(_moved(line, place) for line in constraints.counts),
        totals=tuple(
            Total(line.name, line.values[order], line.minimum, line.maximum, line.priority)
            for line in constraints.totals
        ),
        item_sets=tuple(_moved(line, place) for line in constraints.item_sets),
        set_counts=constraints.set_counts,
        enemies=tuple(_moved(line, place) for line in constraints.enemies),
    )
    here, there = Assembler(constraints, ties(SIZE)), Assembler(moved, ties(SIZE)[order])
    compared = 0
    for utility, taken, barred, _ in states()[:120]:
        one = here.assemble(utility, taken, barred)
        two = there.assemble(utility[order], np.sort(place[taken]), barred[order])
        if one.proven and two.proven:
            compared += 1
            assert (one.objective, one.relaxed) == (two.objective, two.relaxed)
            assert np.sort(order[two.columns]).tolist() == one.columns.tolist()
    assert compared > 100


def _moved(line: Movable, place: Integers) -> Movable:
    return replace(line, columns=place[line.columns])


def test_an_incumbent_that_fits_is_never_given_up_for_less() -> None:
    assembler = Assembler(blueprint(), ties(SIZE))
    for utility, taken, barred, _ in states()[:40]:
        good = assembler.assemble(utility, taken, barred)
        if good.relaxed:
            continue
        again = assembler.assemble(utility, taken, barred, good.columns, Limits(nodes=0, iterations=0))
        assert again.columns.tolist() == good.columns.tolist()
        assert again.source in ("incumbent", "relaxation")
        assert again.bound >= good.objective


def test_a_solver_that_gives_up_leaves_the_incumbent_and_a_true_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assembler = Assembler(blueprint(), ties(SIZE))
    utility, taken, barred, _ = states()[1]
    good = assembler.assemble(utility, taken, barred)
    monkeypatch.setattr("cat_engine.core.assembly.linear.ITERATIONS_OF_ONE_SOLVE", 1)
    kept = assembler.assemble(utility, taken, barred, good.columns)
    assert good.proven
    assert kept.columns.tolist() == good.columns.tolist()
    assert kept.source == "incumbent"
    assert not kept.proven
    assert kept.bound > good.objective


def test_the_size_of_the_first_kernel_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """From a kernel far too small it grows until what is outside cannot matter: the same proven tests."""
    assembler, much = Assembler(blueprint(), ties(SIZE)), Limits(nodes=5_000, iterations=50_000)
    questions = [(utility, taken, barred) for utility, taken, barred, _ in states()[1:100:2]]
    usual = [assembler.assemble(*question, None, much) for question in questions]
    monkeypatch.setattr("cat_engine.core.assembly.search.KERNEL", 12)
    small = [assembler.assemble(*question, None, much) for question in questions]
    assert sum(shadow.source == "search" for shadow in small) > len(questions) / 2
    for one, two in zip(usual, small, strict=True):
        assert one.proven
        assert two.proven
        assert one.columns.tolist() == two.columns.tolist()
