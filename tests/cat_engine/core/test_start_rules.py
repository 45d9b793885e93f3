"""Where a section begins: prior, former result, routing set, spread; and what the final score makes of it."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from cat_engine.core import events as e
from cat_engine.core import families
from cat_engine.core.chance import Chance
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.pool import Pool
from cat_engine.core.simulation import simulate_sitting
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import PackageFile, PoolItem, RuleChoice
from cat_engine.core.views import Estimate, Start
from cat_engine.foundation.refusals import Refused
from cat_engine.integrity.replay import replay
from tests.cat_engine import small_packages as small
from tests.cat_engine.recorded_sittings import chain_of

FORMER = e.FormerEstimate(section_id="s", theta_millionths=1_200_000, standard_error_millionths=300_000)


def items() -> list[PoolItem]:
    rng = random.Random(6)
    made = [small.choice_item(number, rng, area="a") for number in range(60)]
    return list(small.with_enemies(made, [("R0004", "R0009")]))


def file_of(rule: str, **settings: Any) -> PackageFile:
    section = replace(small.adaptive_section("s", items(), sizes=(1,)), start=RuleChoice(rule, settings))
    return freeze(small.package_of(items(), [section]))


@cache
def pool() -> Pool:
    return compile_package(file_of("prior")).sections[0].pool


def start(rule: str, former: e.FormerEstimate | None = None, seed: str = "s", **settings: Any) -> Start:
    bound = families.bind("cat_engine.core.start", RuleChoice(rule, settings))
    found: Start = bound(pool(), former, Chance(seed, 0))
    return found


def simulated(
    compiled: CompiledPackage, seed: str, former: tuple[e.FormerEstimate, ...] = (), theta: float = 0.5
) -> tuple[e.Entry, ...]:
    created = replace(small.created_on(compiled, seed=seed), former=former)
    made = simulate_sitting(compiled, created, {"s": theta}, small.START_MS, f"responder-{seed}")
    return tuple(progress.entry for progress in made)


def shown(entries: tuple[e.Entry, ...]) -> list[e.ItemPresented]:
    return [event for entry in entries for event in entry.events if isinstance(event, e.ItemPresented)]


def scored(entries: tuple[e.Entry, ...]) -> e.Scored:
    last = entries[-1].events[-1]
    assert isinstance(last, e.Scored)
    return last


def test_a_former_result_is_widened_and_never_too_sharp() -> None:
    own = Estimate(0, 1_000_000)
    found = start("former_result", FORMER, widened_per_mille=2000, least_error_millionths=100_000)
    assert found.prior == Estimate(1_200_000, 600_000)
    assert found.theta_millionths == 1_200_000
    assert found.final_prior is None
    sharp = replace(FORMER, standard_error_millionths=10_000)
    assert start("former_result", sharp).prior == Estimate(1_200_000, 400_000)
    beyond = replace(FORMER, theta_millionths=9_000_000)
    assert start("former_result", beyond).theta_millionths == 6_000_000
    assert start("former_result").prior == own
    aim = start("former_result", FORMER, use="aim")
    assert (aim.prior, aim.theta_millionths) == (own, 1_200_000)


def test_whoever_has_no_former_result_starts_like_everybody() -> None:
    with_rule, plain = (compile_package(file_of(rule)) for rule in ("former_result", "prior"))
    one, other = (
        [(event.item_id, event.theta_millionths) for event in shown(simulated(compiled, "plain"))]
        for compiled in (with_rule, plain)
    )
    assert one == other


def test_the_first_item_is_aimed_at_the_former_result_and_the_score_forgets_it() -> None:
    """The score is that of the answers under the section's prior, unless the rule says otherwise."""
    compiled = compile_package(file_of("former_result"))
    entries = simulated(compiled, "former", (FORMER,))
    assert shown(entries)[0].theta_millionths == 1_200_000
    part = compiled.sections[0]
    answers = [event for entry in entries for event in entry.events if isinstance(event, e.ResponseRecorded)]
    columns = [part.pool.index_of[event.item_id] for event in shown(entries)]
    own = part.final(small.evidence(part.pool, columns, [answer.category for answer in answers]))
    section = scored(entries).sections[0]
    assert section.theta_millionths == own.theta_millionths
    together = compile_package(file_of("former_result", in_final_score=True))
    other = scored(simulated(together, "former", (FORMER,))).sections[0]
    assert other.theta_millionths != own.theta_millionths
    assert other.standard_error_millionths is not None
    assert other.standard_error_millionths < own.standard_error_millionths


def test_a_former_result_of_another_section_is_not_looked_at() -> None:
    compiled = compile_package(file_of("former_result"))
    entries = simulated(compiled, "elsewhere", (replace(FORMER, section_id="t"),))
    assert shown(entries)[0].theta_millionths == 0


def test_a_sitting_that_started_from_a_former_result_replays_and_a_lie_about_it_is_found() -> None:
    held = file_of("former_result")
    entries = simulated(compile_package(held), "replayed", (FORMER,))
    assert replay(held, held.content_hash, entries, chain_of(entries)) is None
    created = entries[0].events[0]
    lie = replace(entries[0], events=(replace(created, former=()),))
    told = (lie, *entries[1:])
    found = replay(held, held.content_hash, told, chain_of(told))
    assert found is not None
    assert "ItemPresented" in found.where


def test_the_routing_set_comes_first_in_its_order_and_leaves_out_what_may_not_come() -> None:
    codes = ["R0017", "R0004", "R0030"]
    held = file_of("routing_set", items=codes)
    compiled = compile_package(held)
    for seed in range(5):
        entries = simulated(compiled, f"routing-{seed}", theta=seed - 2.0)
        assert [compiled.items[event.item_id].code for event in shown(entries)[:3]] == codes
        assert len(shown(entries)) == len({event.item_id for event in shown(entries)}) == 10
        assert replay(held, held.content_hash, entries, chain_of(entries)) is None
    other = replace(small.adaptive_section("first", items()[9:10]), stopping=())
    routed = replace(
        small.adaptive_section("s", items(), sizes=(1,)), start=RuleChoice("routing_set", {"items": codes})
    )
    barred = small.compiled_of(small.package_of(items(), [other, routed]))
    made = small.simulated(barred, "barred", 0.0)[-1].state
    asked = [barred.items[p.item_id].code for p in made.in_section(1)]
    assert asked[:2] == ["R0017", "R0030"]
    assert "R0004" not in asked, "its enemy was asked in the section before"


@pytest.mark.parametrize(
    ("rule", "settings", "reason"),
    [
        ("routing_set", {"items": ["R0001", "R9999"]}, "R9999"),
        ("routing_set", {"items": ["R0001", "R0001"]}, "twice"),
        ("routing_set", {"items": ["R0004", "R0009"]}, "enemy"),
        ("routing_set", {"items": []}, "items"),
        ("former_result", {"widened_per_mille": 900}, "widened_per_mille"),
        ("former_result", {"use": "aim", "in_final_score": True}, "final score"),
        ("spread", {"reach_millionths": 0}, "reach_millionths"),
    ],
)
def test_a_start_that_cannot_be_is_refused_at_freezing(
    rule: str, settings: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        file_of(rule, **settings)
    assert reason in str(refused.value)


def test_first_aims_are_spread_evenly_and_only_the_first_item_sees_them() -> None:
    """1,000 seeds in ten bins: chi-square with 9 degrees below its 99.9th percentile, 27.9."""
    reach = 700_000
    aims = [start("spread", seed=f"seed-{n}", reach_millionths=reach).theta_millionths for n in range(1000)]
    assert min(aims) >= -reach
    assert max(aims) <= reach
    bins = Counter((aim + reach) * 10 // (2 * reach + 1) for aim in aims)
    assert sum((bins[place] - 100) ** 2 / 100 for place in range(10)) < 27.9
    assert start("spread", reach_millionths=reach).prior == Estimate(0, 1_000_000)
    spread, plain = (compile_package(file_of(rule)) for rule in ("spread", "prior"))
    first = {shown(simulated(spread, f"first-{n}"))[0].item_id for n in range(30)}
    assert len(first) > 3
    assert len({shown(simulated(plain, f"first-{n}"))[0].item_id for n in range(30)}) == 1
    entries = simulated(spread, "once")
    answers = [event for entry in entries for event in entry.events if isinstance(event, e.ResponseRecorded)]
    part = spread.sections[0]
    evidence = small.evidence(
        part.pool, [part.pool.index_of[shown(entries)[0].item_id]], [answers[0].category]
    )
    assert shown(entries)[1].theta_millionths == part.interim(evidence).theta_millionths
