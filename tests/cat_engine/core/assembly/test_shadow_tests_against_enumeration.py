"""On small pools the assembler is compared with looking at every test there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_engine.core.assembly.assembler import Assembler, ShadowTest
from cat_engine.core.assembly.conflicts import check_blueprint, conflict
from cat_engine.core.assembly.constraints import Constraints, Count, InfeasibleBlueprint, Length, Total
from cat_engine.core.assembly.program import program_of
from cat_engine.core.assembly.ranges import ranges_of
from cat_engine.core.assembly.relaxation import Breach
from cat_engine.core.assembly.search import Limits, Search
from tests.cat_engine.core.assembly.exhaustive import Candidates, candidates, least_broken
from tests.cat_engine.core.assembly.shadow_oracle import ties
from tests.cat_engine.core.assembly.small_blueprints import Case, cases


def _assemble(case: Case) -> ShadowTest:
    assembler = Assembler(case.constraints, ties(case.constraints.size))
    return assembler.assemble(case.utility, case.taken, case.barred)


def _best(found: Candidates, case: Case) -> int:
    return int((found.tests @ case.utility).max())


@settings(max_examples=300)
@given(cases(soft=False))
def test_the_best_test_is_found_and_proven_or_there_is_none(case: Case) -> None:
    every = candidates(case.constraints, case.taken, case.barred)
    if not every.tests.size:
        with pytest.raises(InfeasibleBlueprint) as refused:
            _assemble(case)
        assert refused.value.names
        return
    shadow = _assemble(case)
    assert shadow.proven
    assert shadow.objective == shadow.bound == _best(every, case)
    assert int(case.utility[shadow.columns].sum()) == shadow.objective
    chosen = np.isin(np.arange(case.constraints.size), shadow.columns)
    assert (every.tests == chosen).all(axis=1).any(), "the test is not one of those that meet every line"
    assert shadow.relaxed == ()


@settings(max_examples=400)
@given(cases(soft=True))
def test_what_must_give_way_is_broken_least_in_the_declared_order(case: Case) -> None:
    every = candidates(case.constraints, case.taken, case.barred)
    if not every.tests.shape[0]:
        with pytest.raises(InfeasibleBlueprint):
            _assemble(case)
        return
    least = least_broken(every)
    shadow = _assemble(case)
    chosen = np.isin(np.arange(case.constraints.size), shadow.columns)
    among = (least.tests == chosen).all(axis=1)
    assert among.any(), f"{shadow} is not among the tests that break least"
    assert shadow.proven
    assert shadow.objective == _best(least, case)
    broken = dict(zip(least.names, least.broken[among][0].tolist(), strict=True))
    assert {breach.line: abs(breach.amount) for breach in shadow.breaches} == {
        name: amount for name, amount in broken.items() if amount
    }
    assert shadow.relaxed == tuple(breach.line for breach in shadow.breaches)


@settings(max_examples=60)
@given(cases(soft=False))
def test_a_conflict_names_lines_of_which_none_can_be_left_out(case: Case) -> None:
    names = conflict(case.constraints, case.taken, case.barred)
    every = candidates(case.constraints, case.taken, case.barred)
    assert bool(names) == (not every.tests.shape[0])
    if not names:
        check_blueprint(case.constraints, case.taken, case.barred)
        return
    with pytest.raises(InfeasibleBlueprint) as refused:
        check_blueprint(case.constraints, case.taken, case.barred)
    assert refused.value.names == names
    softened = _all_soft(case.constraints)
    loose = candidates(softened, case.taken, case.barred)
    members = [loose.names.index(name) for name in names]
    assert not (loose.broken[:, members] == 0).all(axis=1).any(), "these lines can hold together"
    for left_out in members:
        rest = [member for member in members if member != left_out]
        assert (loose.broken[:, rest] == 0).all(axis=1).any(), f"{loose.names[left_out]} is not needed"


def _all_soft(constraints: Constraints) -> Constraints:
    return replace(
        constraints,
        length=replace(constraints.length, priority=1),
        counts=tuple(replace(line, priority=1) for line in constraints.counts),
        totals=tuple(replace(line, priority=1) for line in constraints.totals),
        item_sets=tuple(replace(line, priority=1) for line in constraints.item_sets),
        set_counts=tuple(replace(line, priority=1) for line in constraints.set_counts),
        enemies=tuple(replace(line, priority=1) for line in constraints.enemies),
    )


@st.composite
def _nested(draw: st.DrawFn) -> Case:
    """Areas, some with subareas: only nested count ranges, hence the shortcut."""
    size = draw(st.integers(6, 12))
    area = np.array(draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
    sub = np.array(draw(st.lists(st.integers(0, 1), min_size=size, max_size=size)))
    groups = [area == 0, area == 1, area == 2, (area == 0) & (sub == 0), (area == 0) & (sub == 1), area >= 1]
    wanted = draw(st.sets(st.integers(0, len(groups) - 1)))
    counts = []
    for number in sorted(wanted):
        minimum = draw(st.integers(0, 2))
        maximum = draw(st.one_of(st.none(), st.integers(minimum, minimum + 2)))
        counts.append(Count(f"group {number}", np.flatnonzero(groups[number]), minimum, maximum))
    longest = draw(st.integers(1, size))
    largest = draw(st.sampled_from([2, 10**9]))
    return Case(
        constraints=Constraints(size, Length(draw(st.integers(1, longest)), longest), tuple(counts)),
        utility=np.array(draw(st.lists(st.integers(-largest // 4, largest), min_size=size, max_size=size))),
        taken=np.array(sorted(draw(st.sets(st.integers(0, size - 1), max_size=3))), dtype=np.int64),
        barred=np.array(draw(st.lists(st.integers(0, 4), min_size=size, max_size=size))) == 0,
    )


@settings(max_examples=300)
@given(_nested())
def test_the_shortcut_for_nested_ranges_gives_the_test_of_the_solver(case: Case) -> None:
    every = candidates(case.constraints, case.taken, case.barred)
    if not every.tests.shape[0]:
        with pytest.raises(InfeasibleBlueprint):
            _assemble(case)
        return
    assert ranges_of(case.constraints) is not None
    shadow = _assemble(case)
    assert shadow.source == "ranges"
    assert shadow.objective == _best(every, case)
    assembler = Assembler(case.constraints, ties(case.constraints.size))
    assembler._ranges = None  # without the shortcut: the same test, equals included
    solved = assembler.assemble(case.utility, case.taken, case.barred)
    assert solved.source != "ranges"
    assert solved.columns.tolist() == shadow.columns.tolist()


@settings(max_examples=200)
@given(cases(soft=False))
def test_a_search_cut_short_keeps_a_true_bound_and_never_falls_behind_its_start(case: Case) -> None:
    every = candidates(case.constraints, case.taken, case.barred)
    if not every.tests.shape[0]:
        return
    incumbent = np.flatnonzero(every.tests[0])
    assembler = Assembler(case.constraints, ties(case.constraints.size))
    assembler._ranges = None
    shadow = assembler.assemble(case.utility, case.taken, case.barred, incumbent, Limits(nodes=1))
    chosen = np.isin(np.arange(case.constraints.size), shadow.columns)
    assert (every.tests == chosen).all(axis=1).any()
    assert int(case.utility[incumbent].sum()) <= shadow.objective <= _best(every, case) <= shadow.bound
    assert shadow.proven == (shadow.gap == 0) or shadow.objective == _best(every, case)


@settings(max_examples=300)
@given(cases(soft=True), st.integers(0, 3))
def test_no_claim_is_made_that_was_not_searched_to_the_end(case: Case, nodes: int) -> None:
    every = candidates(case.constraints, case.taken, case.barred)
    if not every.tests.shape[0]:
        return
    assembler = Assembler(case.constraints, ties(case.constraints.size))
    assembler._ranges = None
    shadow = assembler.assemble(case.utility, case.taken, case.barred, None, Limits(nodes=nodes))
    chosen = np.isin(np.arange(case.constraints.size), shadow.columns)
    assert (every.tests == chosen).all(axis=1).any(), "a hard line is broken"
    least = least_broken(every)
    if shadow.proven:
        assert (least.tests == chosen).all(axis=1).any()
        assert shadow.objective == _best(least, case)


@settings(max_examples=150)
@given(cases(soft=False), st.integers(1, 6))
def test_a_small_kernel_grows_until_the_optimum_is_proven(case: Case, size: int) -> None:
    every = candidates(case.constraints, case.taken, case.barred)
    if not every.tests.shape[0]:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cat_engine.core.assembly.search.KERNEL", size)
        assembler = Assembler(case.constraints, ties(case.constraints.size))
        assembler._ranges = None
        shadow = assembler.assemble(case.utility, case.taken, case.barred)
    assert shadow.proven
    assert shadow.objective == _best(every, case)


def test_rounded_relaxations_are_not_believed_where_integers_need_more() -> None:
    """Three values of 4 or 8 never make 17 to 19; halves of items would, so the relaxation sees no breach."""
    odd = Total("odd", np.array([4, 4, 4, 8, 8, 8]), 17, 19, priority=1)
    constraints = Constraints(size=6, length=Length(3, 3), totals=(odd,))
    shadow = Assembler(constraints, ties(6)).assemble(np.arange(6), np.empty(0, dtype=np.int64))
    assert shadow.breaches == (Breach("odd", -1),) or shadow.breaches == (Breach("odd", 1),)
    assert shadow.proven


def test_the_search_says_that_there_is_nothing() -> None:
    constraints = Constraints(
        4, Length(2, 2), (Count("two", np.array([0, 1]), 2), Count("one", np.array([1]), 0, 0))
    )
    program = program_of(constraints)
    ones = np.ones(program.size, dtype=np.int64)
    found = Search(program).best(ones, ones * 0, ones, None, Limits())
    assert found.vector is None
    assert found.finished
