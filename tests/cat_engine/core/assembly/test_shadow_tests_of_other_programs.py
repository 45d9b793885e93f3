"""The optima on which HiGHS through scipy and GLPK through R agree (tests/oracles/cat), every case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cat_engine.core.assembly.assembler import Assembler, ShadowTest
from cat_engine.core.assembly.constraints import penalised
from cat_engine.core.exact import UNIT, Integers
from tests.cat_engine.core.assembly.shadow_oracle import constraints, oracle, ties, utility

CASES = oracle()["shadow_tests"]["cases"]
ASSEMBLERS = {sets: Assembler(constraints(sets=sets), ties(300)) for sets in (False, True)}


def _columns(numbers: list[int]) -> Integers:
    return np.array(sorted(numbers), dtype=np.int64)


def _assemble(case: dict[str, Any]) -> ShadowTest:
    return ASSEMBLERS[case["sets"]].assemble(utility(case["theta"]), _columns(case["administered"]))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_same_test_with_the_same_objective_proven(case: dict[str, Any]) -> None:
    shadow = _assemble(case)
    assert shadow.columns.tolist() == case["items"]
    assert shadow.objective / UNIT == pytest.approx(case["objective"], abs=30 / UNIT)  # rounding of 30 items
    assert shadow.proven
    assert shadow.gap == 0
    assert shadow.relaxed == ()
    stimuli = oracle()["shadow_tests"]["attributes"]["stimulus"]
    assert sorted({stimuli[column] for column in shadow.columns if stimuli[column]}) == case["stimuli"]
    free = np.setdiff1d(shadow.columns, _columns(case["administered"]))
    best = int(free[np.argmax(utility(case["theta"])[free])])
    assert best == case["max_info_item_not_administered"]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_second_best_test_has_the_second_best_objective(case: dict[str, Any]) -> None:
    """Any other test lacks an item of the best one: the best of those that lack a given one, over all."""
    values = utility(case["theta"])
    administered = _columns(case["administered"])
    best = _columns(case["items"])
    others = []
    for column in np.setdiff1d(best, administered):
        barred = np.arange(300) == column
        other = ASSEMBLERS[case["sets"]].assemble(values, administered, barred)
        assert other.proven
        assert column not in other.columns
        others.append(other.objective)
    assert max(others) / UNIT == pytest.approx(case["second_best_objective"], abs=30 / UNIT)


def test_items_that_should_rest_are_left_out_hard_or_by_penalty() -> None:
    """Items of the best test rest: barred none is used; penalised the same test is found."""
    case = CASES[0]
    values = utility(case["theta"])
    ineligible = np.isin(np.arange(300), case["items"][:10])
    hard = ASSEMBLERS[False].assemble(values, _columns([]), ineligible)
    soft = ASSEMBLERS[False].assemble(penalised(values, ineligible, 100 * UNIT), _columns([]))
    assert not ineligible[hard.columns].any()
    assert soft.columns.tolist() == hard.columns.tolist()
    assert soft.objective == hard.objective < round(case["objective"] * UNIT)
    assert soft.proven
    assert hard.proven


def test_a_penalty_gives_way_where_the_blueprint_needs_the_items() -> None:
    """All items of content E but one rest, two are due: one is used although it should rest."""
    content = np.array(oracle()["shadow_tests"]["attributes"]["content"], dtype=object)
    of_e = np.flatnonzero((content == "E") & (np.arange(300) < 240))
    ineligible = np.isin(np.arange(300), of_e[1:])
    soft = ASSEMBLERS[False].assemble(penalised(utility(0.0), ineligible, 100 * UNIT), _columns([]))
    assert soft.relaxed == ()
    assert int(ineligible[soft.columns].sum()) == 1  # two of E are due, one may be used freely
    assert of_e[0] in soft.columns
