"""Multistage sections: panels by lot, routes by theta or points, item by item, replayed; what is refused."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.multistage import panel_of, route
from cat_engine.core.state import CorruptLogError, fold
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import (
    Module,
    PackageFile,
    Panel,
    PoolItem,
    Route,
    RuleChoice,
    Section,
    Stage,
)
from cat_engine.core.transitions import Status
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.integrity.replay import replay
from tests.cat_engine import small_packages as small
from tests.cat_engine.recorded_sittings import chain_of

SIZE = 5  # items of a module
CUTS = (-400_000, 400_000)


def items_of() -> list[PoolItem]:
    """Two panels of seven modules: 70 items, easy modules easy and hard ones hard."""
    rng = random.Random(12)
    shift = {0: 0.0, 1: -1.0, 2: 0.0, 3: 1.0, 4: -1.3, 5: 0.0, 6: 1.3}
    made = []
    for number in range(2 * 7 * SIZE):
        base = small.choice_item(number, rng, area="a")
        made.append(replace(base, b=(round(rng.gauss(shift[number // SIZE % 7], 0.3), 3),)))
    return made


def panel_from(items: list[PoolItem], name: str, first: int, by: str, cuts: tuple[int, ...]) -> Panel:
    """A 1-3-3 panel; the last stage may not be reached from the other end."""
    ids = [item.item_id for item in items]

    def module(place: int, label: str, *follows: str) -> Module:
        start = first + place * SIZE
        named = tuple(f"{name}{before}" for before in follows)
        return Module(module_id=f"{name}{label}", item_ids=tuple(ids[start : start + SIZE]), follows=named)

    return Panel(
        panel_id=name,
        stages=(
            Stage(modules=(module(0, "1"),)),
            Stage(
                modules=(module(1, "2e"), module(2, "2m"), module(3, "2h")),
                by=by,
                routes=(Route(cuts=cuts),),
            ),
            Stage(
                modules=(module(4, "3e", "2e", "2m"), module(5, "3m"), module(6, "3h", "2m", "2h")),
                by=by,
                routes=(Route(cuts=cuts),),
            ),
        ),
    )


def section_of(items: list[PoolItem], by: str = "theta", cuts: tuple[int, ...] = CUTS) -> Section:
    base = small.multistage_section("s", items, [])
    panels = (panel_from(items, "P", 0, by, cuts), panel_from(items, "Q", 7 * SIZE, by, cuts))
    return replace(base, panels=panels)


@cache
def held(by: str = "theta", cuts: tuple[int, ...] = CUTS) -> PackageFile:
    items = items_of()
    return freeze(small.package_of(items, [section_of(items, by, cuts)]))


def entries_of(compiled: CompiledPackage, seed: str, theta: float) -> tuple[e.Entry, ...]:
    return tuple(progress.entry for progress in small.simulated(compiled, seed, theta))


def of_kind(entries: tuple[e.Entry, ...], kind: type[Any]) -> list[Any]:
    return [event for entry in entries for event in entry.events if isinstance(event, kind)]


def test_modules_come_whole_in_their_order_and_the_path_is_recorded() -> None:
    compiled = compile_package(held())
    paths = set()
    for seed in range(40):
        theta = (seed - 20) / 7
        entries = entries_of(compiled, f"path-{seed}", theta)
        panel = panel_of(compiled.sections[0], f"path-{seed}")
        routed = of_kind(entries, e.ModuleRouted)
        assert [event.stage for event in routed] == [1, 2, 3]
        assert {event.panel_id for event in routed} == {panel.panel_id}
        modules = {module.module_id: module for stage in panel.stages for module in stage.modules}
        asked = [event.item_id for event in of_kind(entries, e.ItemPresented)]
        assert asked == [item_id for event in routed for item_id in modules[event.module_id].item_ids]
        paths.add(tuple(event.module_id[1:] for event in routed))
        assert of_kind(entries, e.SectionEnded)[0].reason == "multistage_complete"
        assert replay(held(), held().content_hash, entries, chain_of(entries)) is None
    assert paths >= {("1", "2e", "3e"), ("1", "2m", "3m"), ("1", "2h", "3h")}
    assert not {path for path in paths if path[1:] in {("2e", "3h"), ("2h", "3e")}}


def test_the_route_follows_the_interim_estimate() -> None:
    compiled = compile_package(held())
    part = compiled.sections[0]
    seen = Counter()
    for seed in range(30):
        entries = entries_of(compiled, f"theta-{seed}", (seed - 15) / 6)
        presented = of_kind(entries, e.ItemPresented)
        categories = [event.category for event in of_kind(entries, e.ResponseRecorded)]
        for event in of_kind(entries, e.ModuleRouted)[1:]:
            count = SIZE * (event.stage - 1)
            columns = [part.pool.index_of[shown.item_id] for shown in presented[:count]]
            estimate = part.interim(small.evidence(part.pool, columns, categories[:count]))
            assert event.theta_millionths == estimate.theta_millionths
            if event.stage == 2:
                level = sum(estimate.theta_millionths >= cut for cut in CUTS)
                assert event.module_id[1:] == ("2e", "2m", "2h")[level]
                seen[level] += 1
    assert len(seen) == 3


@pytest.mark.parametrize(("by", "cuts"), [("points", (3, 7)), ("module_points", (2, 4))])
def test_the_route_follows_the_points_of_the_section_or_of_the_module_before(
    by: str, cuts: tuple[int, ...]
) -> None:
    package_file = held(by, cuts)
    compiled = compile_package(package_file)
    stages = {2: ("2e", "2m", "2h"), 3: ("3e", "3m", "3h")}
    differed = 0
    for seed in range(30):
        entries = entries_of(compiled, f"points-{seed}", (seed - 15) / 6)
        points = [event.points for event in of_kind(entries, e.ResponseRecorded)]
        for event in of_kind(entries, e.ModuleRouted)[1:]:
            end = SIZE * (event.stage - 1)
            counted = sum(points[:end] if by == "points" else points[end - SIZE : end])
            assert event.points == counted
            wanted = stages[event.stage][sum(counted >= cut for cut in cuts)]
            if event.module_id[1:] != wanted:
                assert event.module_id[1:] == "3m", "only where the ends may not follow each other"
                differed += 1
        assert replay(package_file, package_file.content_hash, entries, chain_of(entries)) is None
    assert differed > 0 or by == "points"


def test_every_panel_is_equally_likely() -> None:
    """2,000 seeds over two panels: within 3.3 standard errors (74) of 1,000 each."""
    part = compile_package(held()).sections[0]
    drawn = Counter(panel_of(part, f"seed-{number}").panel_id for number in range(2000))
    assert abs(drawn["P"] - 1000) < 74
    assert sum(drawn.values()) == 2000


def test_there_is_no_way_back_and_no_handing_in() -> None:
    compiled = compile_package(held())
    state = small.begun(compiled)
    state = small.respond(compiled, state, 1, "o1", small.START_MS).state
    with pytest.raises(Refused) as refused:
        small.respond(compiled, state, 1, "o2", small.START_MS)
    assert refused.value.code is Refusal.ALREADY_ANSWERED
    with pytest.raises(Refused) as refused:
        engine.finish_section(compiled, state, now_ms=small.START_MS, actor=small.CANDIDATE)
    assert refused.value.code is Refusal.SECTION_NOT_LINEAR


def test_the_score_is_that_of_the_section_s_estimator_over_all_modules() -> None:
    compiled = compile_package(held())
    state = small.simulated(compiled, "scored", 0.8)[-1].state
    assert state.status is Status.SCORED
    assert state.score is not None
    part, section = compiled.sections[0], state.score.sections[0]
    columns = [part.pool.index_of[p.item_id] for p in state.presentations]
    final = part.final(small.evidence(part.pool, columns, [p.category for p in state.presentations]))
    assert section.theta_millionths == final.theta_millionths
    assert (section.mode, section.items, section.stop_reason) == ("multistage", 15, "multistage_complete")
    assert state.score.completeness == "complete"
    assert part.most_items == 15


def test_estimates_follow_ability() -> None:
    compiled = compile_package(held())
    errors = []
    for seed in range(120):
        theta = random.Random(seed).gauss(0, 1)
        score = small.simulated(compiled, f"ability-{seed}", theta)[-1].state.score
        assert score is not None
        estimate = score.sections[0].theta_millionths
        assert estimate is not None
        errors.append(estimate / 1e6 - theta)
    assert abs(sum(errors) / 120) < 0.15
    assert (sum(error**2 for error in errors) / 120) ** 0.5 < 0.6


def test_a_stopping_rule_is_heard_between_stages_only() -> None:
    items = items_of()
    stop = RuleChoice("fixed_length", {"items": 7})
    section = replace(section_of(items), stopping=(stop,))
    compiled = small.compiled_of(small.package_of(items, [section]))
    state = small.simulated(compiled, "early", 0.0)[-1].state
    assert state.score is not None
    assert (state.score.sections[0].items, state.score.sections[0].stop_reason) == (10, "fixed_length")


def test_items_seen_before_and_their_enemies_are_passed_over() -> None:
    items = items_of()
    first = [small.choice_item(900, random.Random(1), area="a", prefix="F")]
    everything = list(
        small.with_enemies([*items, *first], [("F0900", items[0].code), ("F0900", items[35].code)])
    )
    sections = [small.adaptive_section("first", first), section_of(items)]
    compiled = small.compiled_of(small.package_of(everything, sections))
    state = small.simulated(compiled, "passed", 0.0)[-1].state
    asked = [p.item_id for p in state.in_section(1)]
    assert len(asked) == 14
    assert not {items[0].item_id, items[35].item_id} & set(asked)


def test_a_module_that_was_forged_does_not_replay() -> None:
    compiled = compile_package(held())
    entries = entries_of(compiled, "forged", -1.5)
    forged = []
    for entry in entries:
        events = tuple(
            replace(event, module_id=event.module_id[0] + "2h")
            if isinstance(event, e.ModuleRouted) and event.stage == 2
            else event
            for event in entry.events
        )
        forged.append(replace(entry, events=events))
    found = replay(held(), held().content_hash, tuple(forged), chain_of(tuple(forged)))
    assert found is not None
    assert "ModuleRouted, module_id" in found.where


def test_stages_are_folded_in_order() -> None:
    entries = entries_of(compile_package(held()), "order", 0.0)
    wrong = tuple(
        replace(
            entry,
            events=tuple(
                replace(event, stage=event.stage + 1) if isinstance(event, e.ModuleRouted) else event
                for event in entry.events
            ),
        )
        for entry in entries
    )
    with pytest.raises(CorruptLogError, match="stage 2 is out of order"):
        fold(wrong)


def test_a_route_of_the_module_before_has_its_own_cuts_and_the_nearest_that_may_follow_comes() -> None:
    modules = tuple(Module(module_id=name, item_ids=("x",)) for name in ("low", "middle", "high"))
    stage = Stage(modules=modules, by="points", routes=(Route(cuts=(3, 6)), Route(after="hard", cuts=(1, 2))))
    assert [route(stage, "easy", points).module_id for points in (2, 3, 5, 6)] == [
        "low",
        "middle",
        "middle",
        "high",
    ]
    assert [route(stage, "hard", points).module_id for points in (0, 1, 2)] == ["low", "middle", "high"]
    barred = (replace(modules[0], follows=("easy",)), modules[1], replace(modules[2], follows=("easy",)))
    assert route(replace(stage, modules=barred), "hard", 0).module_id == "middle"
    ends = (modules[0], replace(modules[1], follows=("easy",)), modules[2])
    assert route(replace(stage, modules=ends), "hard", 1).module_id == "low", "of two equally near the easier"
