"""Contradictions are found when a package is frozen: each kind is refused, with its place and the reason."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from cat_engine.core.tables import freeze
from cat_engine.core.test_package import (
    Constraint,
    ItemSet,
    Route,
    RuleChoice,
    Section,
    Share,
    TestPackage,
)
from cat_engine.foundation.refusals import Refusal, Refused
from tests.cat_engine import small_packages as small


@cache
def base() -> TestPackage:
    """20 items in areas law.civil, law.service and ethics, five of them in a set, of which ten may be asked;
    and a multistage section.
    """
    rng = random.Random(4)
    areas = ("law.civil", "law.service", "ethics")
    items = [small.choice_item(number, rng, area=areas[number % 3]) for number in range(20)]
    items[:5] = [replace(item, item_set="A", set_order=place) for place, item in enumerate(items[:5])]
    section = replace(
        small.adaptive_section("s", items),
        blueprint=(Share("law", 600), Share("ethics", 400)),
        constraints=(line("law", "law", 2, 8),),
        item_sets=(ItemSet(set_id="A", minimum_items=2, maximum_items=4),),
    )
    staged = small.multistage_section("m", items, [[[5, 6], [7, 8], [9, 10]]])
    return small.package_of(items, [section, staged])


def line(name: str, value: str = "", low: int = 0, high: int | None = None, **more: Any) -> Constraint:
    given = {"attribute": "area", "strict": True, **more}
    return Constraint(name=name, value=value, minimum=low, maximum=high, **given)


Change = Callable[[TestPackage], TestPackage]


def item(place: int, **changes: Any) -> Change:
    def changed(package: TestPackage) -> TestPackage:
        items = list(package.items)
        items[place] = replace(items[place], **changes)
        return replace(package, items=tuple(items))

    return changed


def section(place: int = 0, **changes: Any) -> Change:
    def changed(package: TestPackage) -> TestPackage:
        sections = list(package.sections)
        sections[place] = replace(sections[place], **changes)
        return replace(package, sections=tuple(sections))

    return changed


def lines(*added: Constraint) -> Change:
    return section(constraints=(*base().sections[0].constraints, *added))


def item_set(**changes: Any) -> Change:
    return section(item_sets=(replace(base().sections[0].item_sets[0], **changes),))


def panels(change: Callable[[Section], Any]) -> Change:
    return section(1, panels=change(base().sections[1]))


def stage(place: int, **changes: Any) -> Change:
    def changed(held: Section) -> Any:
        panel = held.panels[0]
        stages = list(panel.stages)
        stages[place] = replace(stages[place], **changes)
        return (replace(panel, stages=tuple(stages)),)

    return panels(changed)


def module(stage_: int, place: int, **changes: Any) -> Change:
    held = base().sections[1].panels[0].stages[stage_].modules
    modules = [replace(one, **changes) if number == place else one for number, one in enumerate(held)]
    return stage(stage_, modules=tuple(modules))


def enemies(one: int, other: int) -> Change:
    def changed(package: TestPackage) -> TestPackage:
        ids = [held.item_id for held in package.items]
        return item(other, enemies=(ids[one],))(item(one, enemies=(ids[other],))(package))

    return changed


STOP = "cat_engine.core.stopping"
TOO_MANY = tuple(line(name, name, 4) for name in ("law.civil", "law.service", "ethics"))
BAD: dict[str, tuple[Change, str]] = {
    # items
    "negative words": (item(3, word_count=-1), "word count"),
    "half a response time": (item(3, time_intensity=3.0), "both an intensity and a discrimination"),
    "an infinite intensity": (item(3, time_intensity=float("inf"), time_discrimination=1.0), "intensity"),
    "an intensity of aeons": (item(3, time_intensity=20.5, time_discrimination=1.0), "intensity is not betw"),
    "no time discrimination": (item(3, time_intensity=3.0, time_discrimination=0.0), "0.1 and 100"),
    "a time discrimination of next to nothing": (
        item(3, time_intensity=3.0, time_discrimination=1e-200),
        "0.1 and 100",
    ),
    "response times beyond any test": (item(3, time_intensity=9.0, time_discrimination=0.2), "seconds"),
    "a slope beyond the tables": (item(3, a=18.0), "slope D a is above 30"),
    "a categories' slope beyond the tables": (
        item(3, model="NRM", a=1.0, b=(0.0, 0.0), c=0.0, slopes=(-9.0, 9.0), option_points=(0, 1, 2, 0, 0)),
        "slope D a is above 30",
    ),
    "information beyond 64 bits": (
        item(3, model="GPCM", a=17.0, b=(0.0,) * 9, c=0.0, option_points=tuple(range(10))),
        "information is above",
    ),
    "two items with one code": (item(3, code="R0004"), "R0004"),
    # frame
    "one content twice": (item(3, content_hash="R-content-2"), "R0002 and R0003 are one item"),
    "a prior too narrow for the nodes": (section(prior_deviation=0.04), "the prior's deviation"),
    "a prior without width": (section(prior_deviation=0.0), "the prior's deviation"),
    "a prior wider than any population": (section(prior_deviation=20.5), "the prior's deviation"),
    "a prior beyond the tables": (section(prior_mean=-6.1), "the prior's mean"),
    "a prior around nothing": (section(prior_mean=float("nan")), "the prior's mean"),
    "a start beyond the tables": (section(start_theta_millionths=6_000_001), "beyond the tables"),
    "an unknown rule": (section(content=RuleChoice("nothing")), "nothing"),
    "an unknown setting": (section(content=RuleChoice("shares", {"depth": 1})), "depth"),
    "a setting of another type": (section(start=RuleChoice("spread", {"reach_millionths": "far"})), "reach"),
    "a nested rule that is unknown": (
        section(stopping=(RuleChoice("combination", {"any_of": [{"rule": "nothing"}]}),)),
        "nothing",
    ),
    "nothing to combine": (section(stopping=(RuleChoice("combination", {}),)), "nothing is combined"),
    "a combination that stops before it may": (
        section(stopping=(RuleChoice("combination", {"maximum_items": 3, "minimum_items": 4}),)),
        "above the maximum",
    ),
    "cuts that fall": (
        section(stopping=(RuleChoice("classification_sprt", {"cuts_millionths": [1, 0]}),)),
        "do not rise",
    ),
    "a zone beyond the tables": (
        section(
            stopping=(
                RuleChoice(
                    "classification_glr", {"cuts_millionths": [5_900_000], "delta_millionths": 200_000}
                ),
            )
        ),
        "beyond theta 6",
    ),
    "error rates that leave nothing": (
        section(
            stopping=(RuleChoice("classification_sprt", {"cuts_millionths": [0], "alpha_per_mille": 500}),)
        ),
        "alpha_per_mille",
    ),
    "reductions the wrong way round": (
        section(stopping=(RuleChoice("predicted_error_reduction", {"least_reduction_millionths": 40_000}),)),
        "less than the least",
    ),
    # shares and lines
    "a negative share": (section(blueprint=(Share("law", -1),)), "law"),
    "shares above the whole": (section(blueprint=(Share("law", 700), Share("ethics", 400))), "1100"),
    "two shares of an area": (section(blueprint=(Share("law", 1), Share("law", 1))), "law"),
    "shares that nobody reads": (
        section(content=RuleChoice("maximum_priority_index")),
        "maximum_priority_index keeps no shares",
    ),
    "shares of less than the length": (
        section(blueprint=(Share("ethics", 1000),)),
        "the shares hold 6 items of 10, and R0000 is in none of them",
    ),
    "a share of an unknown area": (section(blueprint=(Share("la", 100),)), "la"),
    "two lines of one name": (lines(line("law", "ethics", 1)), "two lines are named law"),
    "a line without a name": (lines(line("", "ethics", 1)), "no name"),
    "an unknown attribute": (lines(line("x", "y", 1, attribute="colour")), "colour"),
    "a minimum above the maximum": (lines(line("x", "ethics", 3, 2)), "line x: the minimum is above"),
    "a negative minimum": (lines(line("x", "ethics", -1)), "line x"),
    "an unknown area": (lines(line("x", "chemistry", 0, 3)), "line x: no item has area chemistry"),
    "an unknown interaction": (lines(line("x", "drawing", 0, 3, attribute="interaction")), "drawing"),
    "an unknown set": (lines(line("x", "Z", 0, 3, attribute="item_set")), "item_set Z"),
    "a key that is no place": (lines(line("x", "first", 0, 3, attribute="key")), "no place of an option"),
    "more than the pool has": (lines(line("x", "ethics", 7)), "6 at most"),
    "more sets than there are": (lines(line("x", low=2, attribute="item_sets")), "1 item sets"),
    "more words than the longest test": (lines(line("x", low=1, attribute="words")), "0 at most"),
    "seconds of items without times": (lines(line("x", high=9, attribute="seconds")), "no response time"),
    "minima beyond the length": (lines(*TOO_MANY), "sum to 12, the test has 10"),
    "minima beyond the area's maximum": (
        lines(line("one", "law.civil", 5), line("two", "law.service", 4)),
        "line law: the minima below it sum to 9",
    ),
    "two lines of one value that exclude each other": (lines(line("more", "law", 9)), "law and more"),
    # item sets
    "a set without items": (section(item_sets=(ItemSet(set_id="Z"),)), "Z: no item"),
    "a set twice": (section(item_sets=(ItemSet(set_id="A"), ItemSet(set_id="A"))), "A is defined twice"),
    "a set of nothing": (item_set(minimum_items=0), "below 1"),
    "a set's minimum above its maximum": (item_set(minimum_items=5), "above its maximum"),
    "a set's minimum above its size": (item_set(minimum_items=6, maximum_items=None), "has 5 items"),
    "an order with a tie": (
        lambda package: item_set(ordered=True)(item(2, set_order=1)(package)),
        "the same place",
    ),
    "enemies that should travel together": (enemies(0, 3), "R0000 and R0003 are enemies"),
    # multistage
    "panels of an adaptive section": (section(1, mode="adaptive"), "panels belong"),
    "a multistage section without panels": (section(1, panels=()), "needs panels"),
    "a panel twice": (panels(lambda held: held.panels * 2), "panel 0 is defined twice"),
    "a panel without stages": (panels(lambda held: (replace(held.panels[0], stages=()),)), "no modules"),
    "a stage without modules": (stage(1, modules=()), "no modules"),
    "a module without items": (module(1, 0, item_ids=()), "module 0-easy has no items"),
    "a module of unknown items": (module(1, 0, item_ids=("nobody",)), "names nobody"),
    "an item in two modules": (module(1, 0, item_ids=("item-R-0009",)), "R0009 stands in two places"),
    "a module twice": (module(1, 0, module_id="0-hard"), "0-hard is defined twice"),
    "enemies in a panel": (enemies(5, 9), "are enemies"),
    "a decision by nothing": (stage(1, by="luck"), "luck"),
    "no route": (stage(1, routes=()), "no route"),
    "too few cuts": (stage(1, routes=(Route(cuts=()),)), "0 cuts between 2 modules"),
    "too many cuts": (stage(1, routes=(Route(cuts=(1, 2)),)), "2 cuts between 2 modules"),
    "two routes from one module": (stage(1, routes=(Route(cuts=(1,)),) * 2), "two routes"),
    "a route from an unknown module": (
        stage(1, routes=(Route(cuts=(1,)), Route(after="x", cuts=(1,)))),
        "after x",
    ),
    "a module that follows an unknown one": (module(1, 0, follows=("x",)), "follows x"),
    "a first stage decided by points": (
        stage(0, by="points", modules=base().sections[1].panels[0].stages[1].modules),
        "first stage",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_contradiction_is_refused_with_its_place(case: str) -> None:
    change, reason = BAD[case]
    with pytest.raises(Refused) as refused:
        freeze(change(base()))
    code = refused.value.code
    assert code in {Refusal.PACKAGE_INVALID, Refusal.PACKAGE_PARAMETERS, Refusal.PACKAGE_RULE_UNKNOWN}
    assert reason in " ".join(str(value) for value in refused.value.details.values())
    if code is Refusal.PACKAGE_PARAMETERS:
        assert refused.value.details["item"] == "R0003"


def test_cuts_of_a_route_rise() -> None:
    extra = replace(
        base().sections[1].panels[0].stages[1].modules[0], module_id="more", item_ids=("item-R-0012",)
    )
    modules = (*base().sections[1].panels[0].stages[1].modules, extra)
    with pytest.raises(Refused) as refused:
        freeze(stage(1, modules=modules, routes=(Route(cuts=(2, 2)),))(base()))
    assert "do not rise" in str(refused.value)


def test_the_package_that_all_these_were_made_from_is_sound() -> None:
    assert freeze(base()).content_hash


def test_soft_lines_may_ask_for_what_the_pool_cannot_give() -> None:
    """They are aims: they give way during the sitting, and say so. Only strict ones are promises."""
    soft = [replace(wish, strict=False, name=f"soft {wish.name}") for wish in TOO_MANY]
    assert freeze(lines(*soft, line("x", "ethics", 7, strict=False))(base())).content_hash


def test_a_line_may_stand_on_one_area_twice_strictly_and_softly() -> None:
    assert freeze(lines(line("aim", "law", 3, 6, strict=False))(base())).content_hash
