"""Strict lines before exposure control before other lines; what an end waits for, and what it says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from cat_engine.core import events as e
from cat_engine.core.adaptive import BLUEPRINT_INFEASIBLE, EXPOSURE_RELAXED, POOL_EXHAUSTED
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.simulation import simulate_sitting
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import Constraint, ItemSet, PackageFile, PoolItem, RuleChoice, Share
from cat_engine.foundation.refusals import Refused
from cat_engine.integrity.replay import replay
from tests.cat_engine import small_packages as small
from tests.cat_engine.recorded_sittings import chain_of

HALVES = (Share("a", 500), Share("b", 500))
CAP = RuleChoice("live_cap")
SHADOW = RuleChoice("shadow_test", {"items": 6})
BY_ITEM = ("unbalanced", "shares", "maximum_priority_index", "weighted_deviation")


def items_of(n: int = 12, *, in_set: int = 0, **changes: Any) -> list[PoolItem]:
    """Items of areas a and b in turn, 100 words each; the first of them in the set q, in their order."""
    rng = random.Random(1)
    made = []
    for number in range(n):
        base = small.choice_item(number, rng, area="ab"[number % 2])
        name = "q" if number < in_set else ""
        made.append(replace(base, word_count=100, item_set=name, set_order=number, **changes))
    return made


def length(items: int) -> RuleChoice:
    return RuleChoice("fixed_length", {"items": items})


def file_of(items: Sequence[PoolItem], stopping: Sequence[RuleChoice], **changes: Any) -> PackageFile:
    section = small.adaptive_section("s", items, stopping=tuple(stopping), sizes=(1,))
    return freeze(small.package_of(items, [replace(section, **changes)]))


def line(name: str, attribute: str, low: int = 0, high: int | None = None, **more: Any) -> Constraint:
    return Constraint(name=name, attribute=attribute, minimum=low, maximum=high, **more)


def sitting(
    held: PackageFile, allowed: Sequence[int] | None = None, seed: str = "way"
) -> tuple[list[PoolItem], list[e.ItemPresented], e.SectionEnded]:
    """The items asked, their events and the end; `allowed` are the columns that exposure control allows."""
    compiled: CompiledPackage = compile_package(held)
    exposure: tuple[e.ExposureRead, ...] = ()
    if allowed is not None:
        row = np.zeros(compiled.sections[0].pool.size, dtype="<u2")
        row[list(allowed)] = 10_000
        exposure = (e.ExposureRead(section_id="s", probabilities=(row.tobytes(),)),)
    made = simulate_sitting(
        compiled, small.created_on(compiled, seed=seed), {"s": 0.0}, small.START_MS, "r", exposure=exposure
    )
    entries = tuple(progress.entry for progress in made)
    assert replay(held, held.content_hash, entries, chain_of(entries)) is None
    events = [event for entry in entries for event in entry.events]
    shown = [event for event in events if isinstance(event, e.ItemPresented)]
    ended = next(event for event in events if isinstance(event, e.SectionEnded))
    return [compiled.items[event.item_id] for event in shown], shown, ended


# ------------------------------------------------------------------------------------ exposure control


@pytest.mark.parametrize("rule", BY_ITEM)
def test_a_section_goes_on_where_exposure_leaves_nothing_even_if_lines_give_way_too(rule: str) -> None:
    """One item may be seen, and from the third on the words are too many: eight items all the same."""
    words = line("words", "words", 0, 250)
    held = file_of(
        items_of(), [length(8)], eligibility=CAP, content=RuleChoice(rule), constraints=(words,),
        blueprint=HALVES if rule == "shares" else (),
    )  # fmt: skip
    asked, shown, ended = sitting(held, allowed=[0])
    assert (len(asked), ended.reason) == (8, "fixed_length")
    assert [EXPOSURE_RELAXED in event.relaxed for event in shown[1:]] == [True] * 7
    assert all("words" in event.relaxed for event in shown[2:])


def test_a_shadow_test_whose_lines_must_give_way_is_asked_without_exposure_too() -> None:
    lines = (
        line("words", "words", 0, 250),
        line("all a", "area", 6, value="a"),
        line("all b", "area", 6, value="b"),
    )
    asked, shown, ended = sitting(
        file_of(items_of(), [length(6)], eligibility=CAP, content=SHADOW, constraints=lines), allowed=[]
    )
    assert (len(asked), ended.reason) == (6, "fixed_length")
    assert all(EXPOSURE_RELAXED in event.relaxed for event in shown)


def test_a_line_that_may_give_way_does_so_before_exposure_control() -> None:
    """Only items of a may be seen, and the line wants two of a at most: a it is, and the line is named."""
    most = line("few of a", "area", 0, 2, value="a")
    held = file_of(
        items_of(), [length(4)], eligibility=CAP, constraints=(most,),
        content=RuleChoice("maximum_priority_index"),
    )  # fmt: skip
    asked, shown, _ = sitting(held, allowed=range(0, 12, 2))
    assert [item.area for item in asked] == ["a"] * 4
    assert [event.relaxed for event in shown] == [(), (), ("few of a",), ("few of a",)]
    assert all(event.barred == 6 for event in shown)


@pytest.mark.parametrize("rule", BY_ITEM)
@pytest.mark.parametrize("limits", [(2, None), (0, 2)])
def test_exposure_control_gives_way_to_strict_lines(rule: str, limits: tuple[int, int | None]) -> None:
    """Only items of a may be seen: two of b must come, or two of a at most may."""
    value = "b" if limits[0] else "a"
    strict = line("strict", "area", *limits, value=value, strict=True)
    held = file_of(items_of(), [length(4)], eligibility=CAP, constraints=(strict,), content=RuleChoice(rule))
    asked, shown, ended = sitting(held, allowed=range(0, 12, 2))
    assert sorted(item.area for item in asked) == ["a", "a", "b", "b"]
    assert ended.unmet == ()
    for item, event in zip(asked, shown, strict=True):
        assert (EXPOSURE_RELAXED in event.relaxed) == (item.area == "b")


# ------------------------------------------------------------------------------ exposure within item sets


def set_of(*, least: int = 1, ordered: bool = False, **more: Any) -> PackageFile:
    """A set of four whose first item everybody sees first, then eight discrete items."""
    chosen = {"selection": RuleChoice("fixed_order"), "exposure": RuleChoice("best"), **more}
    sets = (ItemSet(set_id="q", minimum_items=least, ordered=ordered),)
    return file_of(items_of(in_set=4), [length(6)], eligibility=CAP, item_sets=sets, **chosen)


@pytest.mark.parametrize("ordered", [False, True])
def test_a_set_is_left_where_exposure_keeps_the_rest_of_it_back(ordered: bool) -> None:
    asked, shown, _ = sitting(set_of(ordered=ordered), allowed=[0, 2, *range(4, 12)])
    assert [item.code for item in asked] == ["R0000", "R0002", "R0004", "R0005", "R0006", "R0007"]
    assert not any(event.relaxed for event in shown)
    assert [event.barred for event in shown[:2]] == [0 if ordered else 2, 2]


def test_below_its_minimum_a_set_goes_on_and_exposure_is_named() -> None:
    """No item but two of the set and too few others may be seen: the set of four is asked whole."""
    sets = (ItemSet(set_id="q", minimum_items=4),)
    held = file_of(
        items_of(4, in_set=4), [length(4)], eligibility=CAP, item_sets=sets,
        selection=RuleChoice("fixed_order"), exposure=RuleChoice("best"),
    )  # fmt: skip
    asked, shown, _ = sitting(held, allowed=[1, 3])
    assert [item.code for item in asked] == ["R0000", "R0001", "R0003", "R0002"]
    relaxed = [event.relaxed for event in shown]
    assert relaxed == [(EXPOSURE_RELAXED,), (), (), (EXPOSURE_RELAXED,)]
    assert [event.barred for event in shown] == [0, 1, 1, 0]


def test_an_ordered_set_keeps_its_order_where_too_few_of_it_may_be_seen() -> None:
    sets = (ItemSet(set_id="q", minimum_items=4, ordered=True),)
    held = file_of(
        items_of(4, in_set=4), [length(4)], eligibility=CAP, item_sets=sets, exposure=RuleChoice("best")
    )
    asked, shown, _ = sitting(held, allowed=[0, 1, 3])
    assert [item.code for item in asked] == ["R0000", "R0001", "R0002", "R0003"]
    assert [EXPOSURE_RELAXED in event.relaxed for event in shown] == [True, False, True, False]


def test_a_set_of_which_too_few_may_be_seen_is_not_opened() -> None:
    asked, shown, _ = sitting(set_of(least=3), allowed=[0, 1, *range(4, 12)])
    assert not any(item.item_set for item in asked)
    assert not any(event.relaxed for event in shown)
    assert shown[0].barred == 4
    opened, _, _ = sitting(set_of(least=3), allowed=[0, 1, 2, *range(4, 12)])
    assert [item.code for item in opened[:3]] == ["R0000", "R0001", "R0002"]


def test_a_shadow_test_asks_the_items_of_a_set_that_it_wants_and_names_exposure() -> None:
    wanted = line("set", "item_set", 4, value="q", strict=True)
    asked, shown, _ = sitting(set_of(content=SHADOW, constraints=(wanted,)), allowed=range(2, 12))
    relaxed = {item.code: EXPOSURE_RELAXED in event.relaxed for item, event in zip(asked, shown, strict=True)}
    assert {"R0000", "R0001", "R0002", "R0003"} <= set(relaxed)
    assert relaxed["R0000"]
    assert relaxed["R0001"]


# -------------------------------------------------------------------------------------- the end of a section


@pytest.mark.parametrize("rule", BY_ITEM)
def test_an_end_that_the_blueprint_forces_names_the_lines(rule: str) -> None:
    strict = (
        line("words", "words", 0, 350, strict=True),
        line("key", "key", 0, 9, value="1", strict=True),
    )
    soft = line("some b", "area", 5, value="b")
    held = file_of(
        items_of(),
        [length(8)],
        constraints=(*strict, soft),
        content=RuleChoice(rule),
        blueprint=HALVES if rule == "shares" else (),
    )
    asked, _, ended = sitting(held)
    assert len(asked) == 3
    assert (ended.reason, ended.unmet[:1], ended.unmet[-1]) == (BLUEPRINT_INFEASIBLE, ("some b",), "words")
    assert "key" not in ended.unmet


def test_a_shadow_test_that_cannot_be_assembled_any_more_names_the_conflict() -> None:
    """The section before took every item of b but one, and strict lines want two."""
    items = items_of()
    before = replace(
        small.adaptive_section("t", items[1:10:2], stopping=(length(5),), sizes=(1,)), blueprint=()
    )
    section = small.adaptive_section("s", items, stopping=(length(6),), sizes=(1,))
    strict = (line("two b", "area", 2, value="b", strict=True),)
    held = freeze(small.package_of(items, [before, replace(section, content=SHADOW, constraints=strict)]))
    compiled = compile_package(held)
    made = small.simulated(compiled, "conflict", 0.0)
    ends = [x for p in made for x in p.events if isinstance(x, e.SectionEnded)]
    assert ends[1].reason == BLUEPRINT_INFEASIBLE
    assert "two b" in ends[1].unmet
    entries = tuple(progress.entry for progress in made)
    assert replay(held, held.content_hash, entries, chain_of(entries)) is None


@pytest.mark.parametrize("rule", BY_ITEM)
def test_a_pool_that_is_used_up_is_not_the_fault_of_its_lines(rule: str) -> None:
    lines = (
        line("b", "area", 3, value="b", strict=True),
        line("a", "area", 0, 2, value="a"),
    )
    _, _, ended = sitting(file_of(items_of(6), [length(9)], constraints=lines, content=RuleChoice(rule)))
    assert (ended.reason, ended.unmet) == (POOL_EXHAUSTED, ())


def test_items_of_no_share_do_not_make_a_blueprint_impossible() -> None:
    unreachable = RuleChoice("standard_error", {"target_millionths": 1})
    asked, _, ended = sitting(file_of(items_of(), [unreachable], blueprint=(Share("a", 1000),)))
    assert len(asked) == 6
    assert (ended.reason, ended.unmet) == (POOL_EXHAUSTED, ())


ERROR = RuleChoice("standard_error", {"target_millionths": 900_000})


@pytest.mark.parametrize("rule", BY_ITEM)
def test_strict_minima_are_met_before_a_rule_may_end_the_section(rule: str) -> None:
    """The error is small after a few items; three of b must come, and come then, not at the very end."""
    items = [replace(item, a=2.0 if item.area == "a" else 0.4) for item in items_of(40)]
    strict = line("three b", "area", 3, value="b", strict=True)
    held = file_of(items, [ERROR, length(20)], constraints=(strict,), content=RuleChoice(rule))
    asked, shown, ended = sitting(held)
    assert (ended.reason, ended.unmet) == ("standard_error", ())
    assert sum(item.area == "b" for item in asked) == 3
    waited = [
        item.area
        for item, event in zip(asked, shown, strict=True)
        if event.standard_error_millionths <= 900_000
    ]
    assert set(waited) <= {"b"}
    assert waited or rule == "maximum_priority_index", "only the priority index asks them before others"
    assert len(asked) < 10


def test_a_shadow_test_meets_strict_minima_before_a_rule_may_end_the_section() -> None:
    items = [replace(item, a=2.0 if item.area == "a" else 0.4) for item in items_of(40)]
    strict = line("three b", "area", 3, value="b", strict=True)
    asked, _, ended = sitting(
        file_of(
            items,
            [ERROR, length(12)],
            constraints=(strict,),
            content=RuleChoice("shadow_test", {"items": 12}),
        )
    )
    assert (ended.reason, ended.unmet) == ("standard_error", ())
    assert sum(item.area == "b" for item in asked) == 3
    assert len(asked) < 12


def test_an_end_does_not_wait_for_what_can_no_longer_be_reached() -> None:
    """Words want 900: two long items could give them, but both may not come together."""
    items = items_of(30)
    items[0], items[1] = (replace(item, word_count=700) for item in items[:2])
    items = list(small.with_enemies(items, [("R0000", "R0001")]))
    lines = (
        line("words", "words", 1200, strict=True),
        line("none of b", "area", 0, 4, value="b", strict=True),
    )
    asked, _, ended = sitting(file_of(items, [ERROR, length(6)], constraints=lines))
    assert ended.reason in {"standard_error", "fixed_length"}
    assert len(asked) <= 6
    hopeless = replace(lines[0], minimum=1400)
    asked, _, ended = sitting(file_of(items, [ERROR, length(6)], constraints=(hopeless, lines[1])))
    assert (ended.reason, ended.unmet) == ("standard_error", ("words",))
    assert len(asked) < 6


# ------------------------------------------------------------------------------------------- routing sets


def test_a_routing_set_is_asked_in_its_order_whatever_was_left_out() -> None:
    """Its first item is an enemy of one asked in the section before: both others still come first."""
    items = list(small.with_enemies(items_of(), [("R0000", "R0003")]))
    before = small.adaptive_section("t", items[3:4], stopping=(length(1),), sizes=(1,))
    routed = replace(
        small.adaptive_section("s", items, stopping=(length(5),), sizes=(1,)),
        start=RuleChoice("routing_set", {"items": ["R0000", "R0008", "R0007"]}),
    )
    compiled = small.compiled_of(small.package_of(items, [before, routed]))
    state = small.simulated(compiled, "routed", 0.0)[-1].state
    assert [compiled.items[p.item_id].code for p in state.in_section(1)][:2] == ["R0008", "R0007"]


STRICT_B = line("one b", "area", 0, 1, value="b", strict=True)
STRICT_WORDS = line("words", "words", 0, 150, strict=True)


@pytest.mark.parametrize(
    ("codes", "changes", "reason"),
    [
        (["R0009", "R0001"], {}, "R0001, which belongs to an item set"),
        (["R0005", "R0007"], {"constraints": (STRICT_B,)}, "one b"),
        (["R0004", "R0006"], {"constraints": (STRICT_WORDS,)}, "words"),
    ],
)
def test_a_routing_set_that_breaks_a_set_or_a_strict_maximum_is_refused(
    codes: list[str], changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        file_of(items_of(in_set=3), [length(6)], start=RuleChoice("routing_set", {"items": codes}), **changes)
    assert reason in str(refused.value)


def test_a_routing_set_that_no_shadow_test_can_hold_is_refused_with_the_lines() -> None:
    """Items of 200 words first: with four of 100 that is above the strict line, which four others keep."""
    items = [replace(item, word_count=200 if n < 2 else 100) for n, item in enumerate(items_of())]
    words = line("words", "words", 0, 750, strict=True)
    held = {"content": SHADOW, "constraints": (words,)}
    one = file_of(items, [length(6)], start=RuleChoice("routing_set", {"items": ["R0000"]}), **held)
    assert len(sitting(one)[0]) == 6
    with pytest.raises(Refused) as refused:
        file_of(items, [length(6)], start=RuleChoice("routing_set", {"items": ["R0000", "R0001"]}), **held)
    assert "words" in str(refused.value)


@pytest.mark.parametrize(
    ("items", "stopping", "constraints", "refused"),
    [
        (3, [length(6)], (), True),
        (3, [ERROR, length(6)], (), True),
        (
            3,
            [RuleChoice("combination", {"any_of": [{"rule": "theta_change"}], "maximum_items": 5})],
            (),
            True,
        ),
        (6, [ERROR, length(6)], (), False),
        (6, [ERROR], (), False),
        (8, [length(6)], (), False),
        (8, [length(6)], (line("b", "area", 3, value="b", strict=True),), True),
        (12, [length(40)], (), False),
    ],
)
def test_a_shadow_test_and_its_section_are_of_one_length(
    items: int, stopping: list[RuleChoice], constraints: tuple[Constraint, ...], refused: bool
) -> None:
    content = RuleChoice("shadow_test", {"items": items})
    if not refused:
        held = file_of(items_of(), stopping, content=content, constraints=constraints)
        assert len(sitting(held)[0]) <= items
        return
    with pytest.raises(Refused) as found:
        file_of(items_of(), stopping, content=content, constraints=constraints)
    assert f"a test of {items} items" in str(found.value)
