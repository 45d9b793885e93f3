"""Stopping by time, and several stopping rules as one."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest

from cat_engine.core import families
from cat_engine.core.pool import Pool
from cat_engine.core.test_package import RuleChoice
from cat_engine.core.views import Estimate, SectionView
from cat_engine.foundation.refusals import Refused
from tests.cat_engine import small_packages as small

STOPPING = "cat_engine.core.stopping"


def rule(name: str, **settings: Any) -> Any:
    return families.bind(STOPPING, RuleChoice(name, settings))


@cache
def pool() -> Pool:
    rng = random.Random(8)
    items = [small.choice_item(number, rng, area="a") for number in range(20)]
    return small.compiled_of(small.package_of(items, [small.adaptive_section("s", items)])).sections[0].pool


def after(time_used_ms: int) -> SectionView:
    """Three answers of thirty seconds each, in a sitting that has used so much time."""
    base = small.view(pool(), [1, 2, 3], [0, 0, 0])
    return SectionView(
        evidence=base.evidence,
        start=base.start,
        estimate=base.estimate,
        chance=base.chance,
        shown=3,
        response_times_ms=base.response_times_ms,
        time_used_ms=time_used_ms,
    )


def test_time_used_is_the_sitting_s_or_the_section_s() -> None:
    late = after(600_000)
    assert rule("time_used", limit_s=600)(late) == "time_used"
    assert rule("time_used", limit_s=601)(late) is None
    assert rule("time_used", limit_s=90, of="section")(late) == "time_used"
    assert rule("time_used", limit_s=91, of="section")(late) is None
    assert rule("time_used", limit_s=1, minimum_items=4)(late) is None


def test_a_combination_says_which_parts_decided() -> None:
    time = {"rule": "time_used", "settings": {"limit_s": 90}}
    error = {"rule": "standard_error", "settings": {"target_millionths": 300_000}}
    cut = {"rule": "classification_interval", "settings": {"cuts_millionths": [0]}}
    precise = small.view(pool(), [1, 2, 3], [0, 0, 0], Estimate(900_000, 200_000))
    vague = small.view(pool(), [1, 2, 3], [0, 0, 0], Estimate(900_000, 800_000))
    both = rule("combination", all_of=[error, cut])
    assert both(precise) == "combination:standard_error+classification_interval:above"
    assert both(vague) is None
    either = rule("combination", any_of=[error, time])
    assert either(precise) == "combination:standard_error"
    assert either(vague) == "combination:time_used"
    assert rule("combination", any_of=[error, time], minimum_items=4)(vague) is None
    assert rule("combination", any_of=[error], maximum_items=3)(vague) == "combination:maximum_items"
    inner = {"rule": "combination", "settings": {"all_of": [error, cut]}}
    assert rule("combination", any_of=[inner, time])(precise) == (
        "combination:combination:standard_error+classification_interval:above"
    )


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        ({"maximum_items": 30}, 30),
        ({"any_of": [{"rule": "fixed_length", "settings": {"items": 12}}]}, 12),
        ({"any_of": [{"rule": "fixed_length", "settings": {"items": 12}}], "minimum_items": 15}, 15),
        ({"any_of": [{"rule": "fixed_length", "settings": {"items": 12}}], "maximum_items": 9}, 9),
        (
            {
                "all_of": [
                    {"rule": "fixed_length", "settings": {"items": 12}},
                    {"rule": "standard_error", "settings": {"target_millionths": 1}},
                ]
            },
            None,
        ),
        (
            {
                "all_of": [
                    {"rule": "fixed_length", "settings": {"items": 12}},
                    {"rule": "combination", "settings": {"maximum_items": 20}},
                ]
            },
            20,
        ),
    ],
)
def test_the_most_items_of_a_combination_are_seen_from_outside(
    settings: dict[str, Any], most: int | None
) -> None:
    choice = RuleChoice("combination", settings)
    assert families.most_items(STOPPING, choice) == most
    rng = random.Random(1)
    items = [small.choice_item(number, rng, area="a") for number in range(40)]
    section = small.adaptive_section("s", items, stopping=(choice,))
    compiled = small.compiled_of(small.package_of(items, [section]))
    assert compiled.sections[0].most_items == (40 if most is None else most)
    if most is not None:
        state = small.simulated(compiled, "most", 0.0)[-1].state
        assert len(state.presentations) == most


@pytest.mark.parametrize(
    "settings",
    [
        {"any_of": [{"rule": "no_such_rule", "settings": {}}]},
        {"all_of": [{"rule": "fixed_length", "settings": {"items": 0}}]},
        {"any_of": [{"rule": "combination", "settings": {"any_of": [{"rule": "nothing"}]}}]},
    ],
)
def test_a_combination_of_rules_that_do_not_exist_is_refused_when_bound(settings: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        rule("combination", **settings)
