"""The content rule `shadow_test` in whole sittings: every line kept, replayed, contradictions refused."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from msgspec.structs import replace

from cat_engine.core.engine import Progress
from cat_engine.core.events import ItemPresented
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import Constraint, ItemSet, PackageFile, PoolItem, RuleChoice, Section
from cat_engine.foundation.refusals import Refused
from cat_engine.integrity.replay import replay
from tests.cat_engine import small_packages as small
from tests.cat_engine.recorded_sittings import chain_of

LENGTH = 12
AREAS = ("law.civil", "law.service", "ethics")
LINES = (
    Constraint(name="law", attribute="area", value="law", minimum=6, maximum=8, strict=True),
    Constraint(name="ethics", attribute="area", value="ethics", minimum=4, maximum=6, strict=True),
    Constraint(name="key 1", attribute="key", value="1", minimum=1, maximum=4),
    Constraint(name="words", attribute="words", maximum=700, strict=True),
    Constraint(name="seconds", attribute="seconds", maximum=900, strict=True),
    Constraint(name="sets", attribute="item_sets", minimum=1, maximum=2, strict=True),
)
SETS = tuple(ItemSet(set_id=f"s{n}", minimum_items=2, maximum_items=3) for n in range(4))


def items_of(seed: int = 1) -> list[PoolItem]:
    """60 items in three areas; the first 16 in four sets, the last of which is ordered."""
    rng = random.Random(seed)
    items = []
    for number in range(60):
        base = small.choice_item(number, rng, area=AREAS[number % 3])
        in_set = number < 16
        items.append(
            replace(
                base,
                area=AREAS[0] if in_set else base.area,
                item_set=f"s{number // 4}" if in_set else "",
                set_order=number % 4,
                word_count=rng.randint(20, 90),
                time_intensity=3.7 + rng.random() * 0.5,
                time_discrimination=1.8,
            )
        )
    return list(small.with_enemies(items, [(f"R{n:04d}", f"R{n + 3:04d}") for n in range(20, 50, 6)]))


def section_of(items: list[PoolItem], **settings: int) -> Section:
    base = small.adaptive_section(
        "s", items, stopping=(RuleChoice("fixed_length", {"items": LENGTH}),), sizes=(1,)
    )
    return replace(
        base,
        constraints=LINES,
        item_sets=SETS,
        content=RuleChoice("shadow_test", {"items": LENGTH, **settings}),
    )


def file_of(items: list[PoolItem], section: Section) -> PackageFile:
    return freeze(small.package_of(items, [section]))


def shown_in(progresses: list[Progress]) -> list[ItemPresented]:
    return [event for p in progresses for event in p.events if isinstance(event, ItemPresented)]


@pytest.mark.parametrize("settings", [{}, {"refresh_items": 3}, {"refresh_change_millionths": 150_000}])
def test_every_line_is_kept_in_every_sitting(settings: dict[str, int]) -> None:
    items = items_of()
    held = file_of(items, section_of(items, **settings))
    compiled = small.compile_package(held)
    by_id = {item.item_id: item for item in items}
    for seed in range(12):
        progresses = small.simulated(compiled, f"shadow-{seed}", (seed - 6) / 3)
        shown = shown_in(progresses)
        asked = [by_id[event.item_id] for event in shown]
        assert len({item.item_id for item in asked}) == len(asked) == LENGTH
        assert 6 <= sum(item.area.startswith("law") for item in asked) <= 8
        assert 4 <= sum(item.area == "ethics" for item in asked) <= 6
        assert 1 <= sum(item.option_points[0] == 1 for item in asked) <= 4
        assert sum(item.word_count for item in asked) <= 700
        assert not {enemy for item in asked for enemy in item.enemies} & {item.item_id for item in asked}
        used = Counter(item.item_set for item in asked if item.item_set)
        assert 1 <= len(used) <= 2
        assert set(used.values()) <= {2, 3}
        places = {name: [n for n, item in enumerate(asked) if item.item_set == name] for name in used}
        assert all(at == list(range(at[0], at[0] + len(at))) for at in places.values()), "a set was left"
        assert not any(event.relaxed for event in shown)
        assert all(len(event.assembled) == LENGTH for event in shown)
        entries = tuple(progress.entry for progress in progresses)
        assert replay(held, held.content_hash, entries, chain_of(entries)) is None


def test_an_ordered_set_is_asked_whole_and_in_its_order() -> None:
    items = items_of()
    ordered = ItemSet(set_id="s3", minimum_items=4, ordered=True)
    wanted = Constraint(name="s3", attribute="item_set", value="s3", minimum=4, strict=True)
    section = replace(section_of(items), item_sets=(*SETS[:3], ordered), constraints=(*LINES, wanted))
    compiled = small.compile_package(file_of(items, section))
    by_id = {item.item_id: item for item in items}
    for seed in range(5):
        asked = [by_id[e.item_id] for e in shown_in(small.simulated(compiled, f"ordered-{seed}", 0.3))]
        assert [item.set_order for item in asked if item.item_set == "s3"] == [0, 1, 2, 3]


def test_contradictory_lines_are_refused_when_the_package_is_frozen() -> None:
    items = items_of()
    section = section_of(items)
    too_many = Constraint(name="more law", attribute="area", value="law", minimum=9, strict=True)
    with pytest.raises(Refused) as refused:
        file_of(items, replace(section, constraints=(*LINES, too_many)))
    assert "law" in str(refused.value)
    assert "more law" in str(refused.value)


def test_a_line_that_may_give_way_gives_way_and_is_named() -> None:
    """No item has its key at the first place: the soft line is broken and said, the strict one is not."""
    items = [item for item in items_of() if item.option_points[0] != 1]
    soft = Constraint(name="key 1", attribute="key", value="1", minimum=1)
    section = replace(section_of(items), constraints=(*LINES[:2], soft))
    shown = shown_in(small.simulated(small.compile_package(file_of(items, section)), "soft", 0.0))
    assert len(shown) == LENGTH
    assert {event.relaxed for event in shown if not event.item_set} == {("key 1",)}
    with pytest.raises(Refused) as refused:
        file_of(items, replace(section, constraints=(*LINES[:2], replace(soft, strict=True))))
    assert "key 1" in str(refused.value)
