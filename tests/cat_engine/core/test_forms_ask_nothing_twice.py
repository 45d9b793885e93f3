"""Fixed forms whose items another section may have asked, or that hold enemies, are refused when frozen."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from cat_engine.core.tables import freeze
from cat_engine.core.test_package import PoolItem, Section
from cat_engine.foundation.refusals import Refused
from tests.cat_engine import small_packages as small


def items() -> tuple[PoolItem, ...]:
    """Twelve items, of which R0000 and R0005 are enemies."""
    rng = random.Random(9)
    made = [small.choice_item(number, rng, area="a") for number in range(12)]
    return small.with_enemies(made, [("R0000", "R0005")])


def form(name: str, places: Sequence[int]) -> Section:
    return small.linear_section(name, [items()[place] for place in places])


def chosen(name: str, places: Sequence[int]) -> Section:
    return small.adaptive_section(name, [items()[place] for place in places])


STAGED = small.multistage_section("staged", items()[:6], [[[1], [2], [3]]])
TWICE = "R0004 may have been asked in"
CASES: dict[str, tuple[tuple[Section, ...], str]] = {
    "enemies in one form": ((form("f", [0, 1, 5]),), "f: R0000 is an enemy of R0005 in the same form"),
    "an item in two forms": ((form("e", [3, 4]), form("f", [4, 6])), f"f: {TWICE} e"),
    "an item of an adaptive pool before": ((chosen("p", [1, 2, 4]), form("f", [4, 6])), f"f: {TWICE} p"),
    "an item of a multistage pool before": ((STAGED, form("f", [4, 6])), f"f: {TWICE} staged"),
    "enemies in two forms": (
        (form("e", [0, 1]), form("f", [5, 6])),
        "f: R0005 is an enemy of R0000 in e",
    ),
    "an enemy in a pool before": (
        (chosen("p", [0, 1]), form("f", [5, 6])),
        "f: R0005 is an enemy of R0000 in p",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_form_that_would_ask_again_is_refused_with_its_item(case: str) -> None:
    sections, reason = CASES[case]
    with pytest.raises(Refused) as refused:
        freeze(small.package_of(items(), sections))
    assert refused.value.details["reason"] == reason


def test_a_section_that_chooses_its_items_may_come_after_a_form_of_the_same_pool() -> None:
    """It leaves out what was asked, and the enemies of that."""
    sections = (form("f", [0, 1]), chosen("p", range(12)))
    compiled = small.compiled_of(small.package_of(items(), sections))
    state = small.simulated(compiled, "after", 0.0)[-1].state
    asked = [compiled.items[p.item_id].code for p in state.in_section(1)]
    assert len(asked) == 9
    assert not {"R0000", "R0001", "R0005"} & set(asked)
