"""Item sets: asked together, in their order, within their limits; enemies and lengths that get in the way."""

from __future__ import annotations

import random
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cat_engine.core.adaptive import SET_RELAXED
from cat_engine.core.blueprint import begun_set, set_openers, within_set
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.events import ItemPresented, SectionEnded
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import Constraint, ItemSet, PackageFile, PoolItem, RuleChoice
from cat_engine.integrity.replay import replay
from tests.cat_engine import small_packages as small
from tests.cat_engine.recorded_sittings import chain_of

SETS = (
    ItemSet(set_id="A", minimum_items=2, maximum_items=3),
    ItemSet(set_id="B", minimum_items=4, ordered=True),
    ItemSet(set_id="C"),
)


def items_of(discrete: int = 20, seed: int = 3) -> list[PoolItem]:
    """Five items in set A, four ordered in B, three in C, and discrete ones; sets are informative."""
    rng = random.Random(seed)
    names = ["A"] * 5 + ["B"] * 4 + ["C"] * 3 + [""] * discrete
    items = []
    for number, name in enumerate(names):
        base = small.choice_item(number, rng, area="a")
        items.append(replace(base, item_set=name, set_order=number % 4, a=2.2 if name else base.a))
    return items


def file_of(items: list[PoolItem], length: int = 14, **changes: Any) -> PackageFile:
    stopping = (RuleChoice("fixed_length", {"items": length}),)
    section = small.adaptive_section("s", items, stopping=stopping, sizes=(1,))
    return freeze(small.package_of(items, [replace(section, **{"item_sets": SETS, **changes})]))


def asked(compiled: CompiledPackage, seed: str, theta: float) -> tuple[list[PoolItem], list[ItemPresented]]:
    events = [
        event
        for progress in small.simulated(compiled, seed, theta)
        for event in progress.events
        if isinstance(event, ItemPresented)
    ]
    return [compiled.items[event.item_id] for event in events], events


def test_a_set_is_asked_together_within_its_limits_and_in_its_order() -> None:
    held = file_of(items_of())
    compiled = compile_package(held)
    used: set[str] = set()
    for seed in range(30):
        items, events = asked(compiled, f"sets-{seed}", (seed - 15) / 6)
        assert len(items) == 14
        runs = [(name, list(group)) for name, group in groupby(items, key=lambda item: item.item_set) if name]
        assert len({name for name, _ in runs}) == len(runs), "a set was left and entered again"
        for name, run in runs:
            used.add(name)
            whole = items[-1].item_set != name
            assert {"A": 2 <= len(run) <= 3, "B": len(run) == 4, "C": len(run) == 3}[name] or not whole
            if name == "B":
                assert [item.set_order for item in run] == sorted(item.set_order for item in run)
        for event, item, before in zip(events[1:], items[1:], items, strict=False):
            assert event.item_set == (item.item_set if item.item_set == before.item_set else "")
        entries = tuple(
            progress.entry for progress in small.simulated(compiled, f"sets-{seed}", (seed - 15) / 6)
        )
        if seed < 3:
            assert replay(held, held.content_hash, entries, chain_of(entries)) is None
    assert used == {"A", "B", "C"}


def test_a_stopping_rule_waits_for_the_end_of_a_set() -> None:
    """The error is reached within a set: the set goes on to its maximum, then the section ends."""
    items = items_of()
    stopping = (RuleChoice("standard_error", {"target_millionths": 420_000}),)
    compiled = compile_package(file_of(items, stopping=stopping))
    waited = 0
    for seed in range(40):
        asked_items, events = asked(compiled, f"wait-{seed}", (seed - 20) / 8)
        last = asked_items[-1].item_set
        if last:
            run = sum(item.item_set == last for item in asked_items)
            assert run == {"A": 3, "B": 4, "C": 3}[last]
            waited += events[-1].standard_error_millionths <= 420_000
    assert waited > 3, "no section ever reached its error within a set"


@pytest.mark.parametrize("length", range(1, 16))
def test_no_set_makes_a_section_longer_than_it_may_be(length: int) -> None:
    compiled = compile_package(file_of(items_of(), length))
    assert compiled.sections[0].most_items == length
    for seed in range(6):
        items, events = asked(compiled, f"length-{seed}", (seed - 3) / 2)
        assert len(items) == length
        assert not any(event.relaxed for event in events)
        for name, run in groupby(items, key=lambda item: item.item_set):
            assert len(list(run)) >= {"A": 2, "B": 4}.get(name, 1), "opened without room for its minimum"


def test_a_pool_of_sets_only_gives_up_a_minimum_and_says_so() -> None:
    """Ten items from sets that want four each: the last is cut at the length, and the event says it."""
    items = [replace(item, item_set=f"S{number // 4}") for number, item in enumerate(items_of(28))]
    sets = tuple(ItemSet(set_id=f"S{number}", minimum_items=4) for number in range(10))
    compiled = compile_package(file_of(items, 10, item_sets=sets))
    shown, events = asked(compiled, "only-sets", 0.0)
    assert [len(list(run)) for _, run in groupby(shown, key=lambda item: item.item_set)] == [4, 4, 2]
    assert [event.relaxed for event in events] == [()] * 8 + [(SET_RELAXED,), ()]


def test_a_set_that_enemies_made_too_small_is_not_opened() -> None:
    """Two of B's four items are enemies of the first item: B is never begun; A can spare one and is."""
    items = items_of()
    enemies = [("R0012", "R0005"), ("R0012", "R0006"), ("R0012", "R0000")]
    items = list(small.with_enemies(items, enemies))
    start = RuleChoice("routing_set", {"items": ["R0012"]})
    compiled = compile_package(file_of(items, start=start))
    met = 0
    for seed in range(20):
        shown, _ = asked(compiled, f"enemies-{seed}", (seed - 10) / 4)
        assert shown[0].code == "R0012"
        assert not any(item.item_set == "B" for item in shown)
        assert "R0000" not in {item.code for item in shown}
        met += any(item.item_set == "A" for item in shown)
    assert met > 5


def test_a_strict_line_is_not_broken_inside_a_set() -> None:
    """Set C holds three items of 50 words and the section allows 120: the third is never asked."""
    items = [replace(item, word_count=50 if item.item_set == "C" else 5) for item in items_of()]
    words = Constraint(name="words", attribute="words", maximum=120, strict=True)
    compiled = compile_package(file_of(items, 10, constraints=(words,)))
    met = 0
    for seed in range(20):
        shown, _ = asked(compiled, f"words-{seed}", (seed - 10) / 5)
        assert sum(item.word_count for item in shown) <= 120
        met += sum(item.item_set == "C" for item in shown)
    assert met > 0


@given(st.data())
def test_openers_are_what_the_words_say(data: st.DataObject) -> None:
    """By looping over sets and items, for any mask, any past and any number of items left."""
    pool = PROPERTY_POOL
    free = np.array(data.draw(st.lists(st.booleans(), min_size=pool.size, max_size=pool.size)))
    shown = data.draw(st.lists(st.integers(0, pool.size - 1), max_size=4, unique=True))
    left = data.draw(st.none() | st.integers(0, 6))
    free[shown] = False
    expected = []
    begun = {pool.items[column].item_set for column in shown} - {""}
    for column, item in enumerate(pool.items):
        opens = bool(free[column])
        if item.item_set:
            item_set = pool.item_sets[item.item_set]
            members = [c for c in range(pool.size) if pool.items[c].item_set == item.item_set and free[c]]
            opens &= item.item_set not in begun and len(members) >= item_set.minimum_items
            opens &= left is None or item_set.minimum_items <= left
            if item_set.ordered and opens:
                opens = column == min(members, key=lambda c: pool.items[c].set_order)
        expected.append(opens)
    assert set_openers(pool, free, tuple(shown), left).tolist() == expected


PROPERTY_POOL = compile_package(file_of(items_of(4), 10)).sections[0].pool


def test_what_is_left_of_a_set() -> None:
    pool = PROPERTY_POOL
    everything = np.ones(pool.size, dtype=np.bool_)
    assert begun_set(pool, ()) is None
    assert begun_set(pool, (13,)) is None
    held = begun_set(pool, (0, 1))
    assert held is not None
    assert held.set_id == "A"
    assert begun_set(pool, (0, 1, 2)) is None, "its maximum is three"
    assert begun_set(pool, (0, 13)) is None, "another item came after it"
    rest, due = within_set(pool, held, (), everything)
    assert (sorted(rest.tolist()), due) == ([0, 1, 2, 3, 4], 2)
    assert within_set(pool, held, (0, 1), everything)[1] == 0
    ordered = [pool.index_of[f"item-R-000{number}"] for number in (8, 5, 6, 7)]
    everything[ordered[1]] = False
    rest, due = within_set(pool, pool.item_sets["B"], ordered[:1], everything)
    assert (rest.tolist(), due) == (ordered[2:], 3)
    everything[ordered[1]] = True
    rest, due = within_set(pool, pool.item_sets["B"], (ordered[0], ordered[2]), everything)
    assert (rest.tolist(), due) == (ordered[3:], 2), "what was passed over does not come back"


def test_the_end_of_a_section_names_minima_that_were_not_met() -> None:
    items = items_of()
    lines = (
        Constraint(name="sets", attribute="item_sets", minimum=3),
        Constraint(name="all", attribute="area", value="a", minimum=3),
    )
    compiled = compile_package(file_of(items, 3, constraints=lines))
    ended = [
        event
        for progress in small.simulated(compiled, "unmet", 0.0)
        for event in progress.events
        if isinstance(event, SectionEnded)
    ]
    assert [event.unmet for event in ended] == [("sets",)]
