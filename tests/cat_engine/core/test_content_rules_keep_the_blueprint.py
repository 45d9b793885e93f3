"""Content item by item: priority index, weighted deviations, shares; strict lines; what gives way."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cat_engine.core import families
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.content_lines import area_demand, counts, give_way, lines_of, strictly_allowed
from cat_engine.core.events import ItemPresented, SectionEnded
from cat_engine.core.pool import Pool
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import Constraint, PackageFile, PoolItem, RuleChoice, Share
from cat_engine.core.views import Eligible, SectionView
from cat_engine.integrity.replay import replay
from tests.cat_engine import small_packages as small
from tests.cat_engine.recorded_sittings import chain_of

RULES = ("unbalanced", "shares", "maximum_priority_index", "weighted_deviation")
AREAS = ("law.civil", "law.service", "ethics", "economy")


def items_of(n: int = 60, seed: int = 2) -> list[PoolItem]:
    rng = random.Random(seed)
    made = []
    for number in range(n):
        base = small.choice_item(number, rng, area=AREAS[number % 4])
        made.append(
            replace(
                base,
                word_count=rng.randint(20, 80),
                time_intensity=3.5 + rng.random(),
                time_discrimination=2.0,
            )
        )
    return made


def file_of(rule: str, lines: Sequence[Constraint], *, length: int = 12, **changes: Any) -> PackageFile:
    items = changes.pop("items", None) or items_of()
    stopping = (RuleChoice("fixed_length", {"items": length}),)
    section = small.adaptive_section("s", items, stopping=stopping, sizes=(1,))
    changed = replace(section, constraints=tuple(lines), content=RuleChoice(rule), **changes)
    return freeze(small.package_of(items, [changed]))


def pool_of(lines: Sequence[Constraint], **more: Any) -> Pool:
    return compile_package(file_of("unbalanced", lines, **more)).sections[0].pool


def apply(rule: str, view: SectionView, utility: Sequence[int] | None = None, **settings: Any) -> Eligible:
    bound = families.bind("cat_engine.core.content", RuleChoice(rule, settings))
    values = np.array(utility if utility is not None else [10**9] * view.pool.size, dtype=np.int64)
    found: Eligible = bound(view, values, view.unseen)
    return found


def best(found: Eligible) -> int:
    """The column an exposure rule without chance would take."""
    return int(found.indices[np.argmax(found.utility[found.indices])])


def at(pool: Pool, answered: Sequence[int], length: int = 12) -> SectionView:
    base = small.view(pool, answered, [0] * len(answered))
    return SectionView(
        evidence=base.evidence,
        start=base.start,
        estimate=base.estimate,
        chance=base.chance,
        shown=len(answered),
        most_items=length,
    )


def area(name: str, value: str, low: int = 0, high: int | None = None, **more: Any) -> Constraint:
    return Constraint(name=name, attribute="area", value=value, minimum=low, maximum=high, **more)


def sitting(compiled: CompiledPackage, seed: str, theta: float) -> tuple[list[PoolItem], list[Any]]:
    events = [event for p in small.simulated(compiled, seed, theta) for event in p.events]
    shown = [event for event in events if isinstance(event, ItemPresented)]
    return [compiled.items[event.item_id] for event in shown], events


# ----------------------------------------------------------------------------------- whole sittings

LINES = (
    area("law", "law", 5, 7),
    area("civil", "law.civil", 2, 4),
    area("ethics", "ethics", 3, 4),
    area("economy", "economy", 1, 3),
)


@pytest.mark.parametrize("rule", ["maximum_priority_index", "weighted_deviation"])
def test_soft_lines_are_met_where_they_can_be(rule: str) -> None:
    held = file_of(rule, LINES)
    compiled = compile_package(held)
    for seed in range(25):
        items, events = sitting(compiled, f"soft-{seed}", (seed - 12) / 5)
        assert len(items) == 12
        for line in LINES:
            inside = sum(f"{item.area}.".startswith(f"{line.value}.") for item in items)
            assert line.minimum <= inside <= (line.maximum or 99)
        assert not any(event.relaxed for event in events if isinstance(event, ItemPresented))
        assert [event.unmet for event in events if isinstance(event, SectionEnded)] == [()]
    entries = tuple(progress.entry for progress in small.simulated(compiled, "soft-1", -2.2))
    assert replay(held, held.content_hash, entries, chain_of(entries)) is None


def test_without_balance_the_same_lines_are_broken_and_every_break_is_named() -> None:
    compiled = compile_package(file_of("unbalanced", LINES))
    broken = 0
    for seed in range(25):
        items, events = sitting(compiled, f"soft-{seed}", (seed - 12) / 5)
        over = {name for event in events if isinstance(event, ItemPresented) for name in event.relaxed}
        under = {name for event in events if isinstance(event, SectionEnded) for name in event.unmet}
        for line in LINES:
            inside = sum(f"{item.area}.".startswith(f"{line.value}.") for item in items)
            assert (inside > (line.maximum or 99)) == (line.name in over)
            assert (inside < line.minimum) == (line.name in under)
            broken += line.name in over | under
    assert broken > 10


STRICT = (
    *(replace(line, strict=True) for line in LINES),
    Constraint(name="words", attribute="words", maximum=520, strict=True),
    Constraint(name="seconds", attribute="seconds", maximum=800, strict=True),
    Constraint(name="first key", attribute="key", value="1", maximum=2, strict=True),
)


@pytest.mark.parametrize("rule", RULES)
def test_strict_maxima_are_never_broken_and_strict_minima_of_one_attribute_are_reached(rule: str) -> None:
    shares = (Share("law", 500), Share("ethics", 300), Share("economy", 200))
    compiled = compile_package(file_of(rule, STRICT, blueprint=shares if rule == "shares" else ()))
    for seed in range(20):
        items, events = sitting(compiled, f"strict-{seed}", (seed - 10) / 4)
        assert sum(item.word_count for item in items) <= 520
        assert sum(item.option_points[0] for item in items) <= 2
        for line in STRICT[:4]:
            inside = sum(f"{item.area}.".startswith(f"{line.value}.") for item in items)
            assert inside <= (line.maximum or 99)
            assert inside >= line.minimum or len(items) < 12
        if len(items) < 12:  # words or seconds ran out: the end says so
            ended = next(event for event in events if isinstance(event, SectionEnded))
            assert ended.reason == "blueprint_infeasible"
            assert set(ended.unmet) & {"words", "seconds"}


def test_a_strict_minimum_is_kept_in_sight_from_the_first_item_on() -> None:
    """Economy is worth nothing to the rule, and four of twelve must be of it: they come in time."""
    lines = (area("economy", "economy", 4, strict=True),)
    pool = pool_of(lines)
    utility = [0 if item.area == "economy" else 100 for item in pool.items]
    others = [column for column, item in enumerate(pool.items) if item.area != "economy"]
    early = apply("unbalanced", at(pool, others[:7]), utility)
    assert {pool.items[column].area for column in early.indices} == set(AREAS)
    late = apply("unbalanced", at(pool, others[:8]), utility)
    assert {pool.items[column].area for column in late.indices} == {"economy"}
    assert late.relaxed == ()
    too_late = apply("unbalanced", at(pool, others[:9]), utility)
    assert too_late.relaxed == ("economy",), "what can no longer be met is said"
    assert too_late.indices.size == pool.size - 9


# ------------------------------------------------------------------------------------- priority index


def test_two_lines_over_their_quota_do_not_make_a_priority() -> None:
    """The product of two negative remainders would be as good as that of two open quotas."""
    lines = (
        area("law", "law", 0, 2),
        Constraint(name="key", attribute="key", value="1", maximum=2),
    )
    items = items_of()
    pool = pool_of(lines, items=items)
    both = [c for c, i in enumerate(items) if i.area.startswith("law") and i.option_points[0] == 1]
    neither = [c for c, i in enumerate(items) if not i.area.startswith("law") and i.option_points[0] != 1]
    found = apply("maximum_priority_index", at(pool, both[:3]))
    assert found.relaxed == ()
    assert set(found.indices) == set(neither)


def test_the_index_is_utility_times_what_is_left_of_each_quota() -> None:
    """Second phase, two lines over one another: I f_1 f_2 by hand, up to a common factor."""
    lines = (area("law", "law", 0, 8), area("civil", "law.civil", 0, 4, weight=1))
    pool = pool_of(lines)
    shown = [0, 1]  # one of each branch of law
    view = at(pool, shown)
    utility = [100 + column for column in range(pool.size)]
    found = apply("maximum_priority_index", view, utility)
    expected = []
    for column in found.indices:
        value = float(utility[column])
        if pool.items[column].area.startswith("law"):
            value *= (8 - 2) / 8
        if pool.items[column].area == "law.civil":
            value *= (4 - 1) / 4
        expected.append(value)
    ratios = found.utility[found.indices] / np.array(expected)
    assert np.allclose(ratios, ratios[0], rtol=1e-9)
    assert found.indices.size == pool.size - 2


def test_minima_come_first_and_only_what_helps_is_eligible() -> None:
    lines = (area("ethics", "ethics", 2, 4), area("economy", "economy", 1, 4))
    pool = pool_of(lines)
    first = apply("maximum_priority_index", at(pool, []))
    assert {pool.items[column].area for column in first.indices} == {"ethics", "economy"}
    ethics = [column for column, item in enumerate(pool.items) if item.area == "ethics"]
    second = apply("maximum_priority_index", at(pool, ethics[:2]))
    assert {pool.items[column].area for column in second.indices} == {"economy"}
    economy = [column for column, item in enumerate(pool.items) if item.area == "economy"]
    then = apply("maximum_priority_index", at(pool, [*ethics[:2], economy[0]]))
    assert {pool.items[column].area for column in then.indices} == set(AREAS)


def test_a_weight_makes_a_line_come_sooner() -> None:
    light = (area("ethics", "ethics", 2), area("economy", "economy", 2, weight=3))
    pool = pool_of(light)
    assert pool.items[best(apply("maximum_priority_index", at(pool, [])))].area == "economy"


@pytest.mark.parametrize("utility", [[-5] * 60, [0] * 60, list(range(-60, 0))])
def test_utilities_that_are_not_positive_are_ranked_too(utility: list[int]) -> None:
    pool = pool_of((area("law", "law", 0, 8),))
    found = apply("maximum_priority_index", at(pool, []), utility)
    assert found.indices.size == pool.size
    ranked = found.utility[found.indices]
    assert (ranked > 0).all()
    outside = [column for column, item in enumerate(pool.items) if not item.area.startswith("law")]
    order = np.argsort(np.array(utility)[outside], kind="stable")
    assert (np.diff(found.utility[outside][order]) >= 0).all()


# ------------------------------------------------------------------------------------- giving way


def test_lines_give_way_in_their_order_and_only_as_many_as_must() -> None:
    """Every area is full: the line of the lowest priority gives way, the others hold."""
    lines = (
        area("law", "law", 0, 2, priority=3),
        area("ethics", "ethics", 0, 1, priority=1),
        area("economy", "economy", 0, 1, priority=2),
    )
    pool = pool_of(lines)
    found = apply("maximum_priority_index", at(pool, [0, 1, 2, 3]))
    assert found.relaxed == ("ethics",)
    assert {pool.items[column].area for column in found.indices} == {"ethics"}
    strict = pool_of((*lines[:1], replace(lines[1], strict=True), lines[2]))
    found = apply("maximum_priority_index", at(strict, [0, 1, 2, 3]))
    assert found.relaxed == ("economy",)
    all_strict = pool_of([replace(line, strict=True) for line in lines])
    assert apply("maximum_priority_index", at(all_strict, [0, 1, 2, 3])).indices.size == 0


def test_a_line_that_gave_way_for_nothing_is_taken_back() -> None:
    """Key gives way first by its priority, but law is what is full: law alone is named."""
    lines = (
        Constraint(name="key", attribute="key", value="5", maximum=0, priority=1),
        area("all law", "law", 0, 2, priority=2),
        area("ethics", "ethics", 0, 1, priority=3),
        area("economy", "economy", 0, 1, priority=3),
    )
    pool = pool_of(lines)
    held = lines_of(pool)
    assert held is not None
    view = at(pool, [0, 1, 2, 3])
    columns = np.flatnonzero(view.unseen)
    fits, relaxed = give_way(held, counts(pool, held, view.answered), columns)
    assert held.names(relaxed) == ("all law",)
    taken = [pool.items[column] for column in columns[fits]]
    assert taken
    assert all(item.area.startswith("law") and item.option_points[4] != 1 for item in taken)


# ------------------------------------------------------------------------------- weighted deviations


def test_deviations_are_those_of_the_finished_test_by_hand() -> None:
    """q = x + a + (L - n - 1) mean a of the other free items; deviation times weight, plus utility's part."""
    lines = (area("law", "law", 2, 3, weight=2), area("ethics", "ethics", 6, 9, weight=5))
    pool = pool_of(lines)
    view = at(pool, [0, 2, 3])
    utility = [random.Random(column).randrange(1000) for column in range(pool.size)]
    found = apply("weighted_deviation", view, utility, utility_weight=3)
    free = [column for column in range(pool.size) if column not in view.answered]
    values = [utility[column] for column in free]
    expected = []
    for column in free:
        value = 3 * (utility[column] - min(values)) / (max(values) - min(values))
        for line in lines:
            inside = [f"{item.area}.".startswith(f"{line.value}.") for item in pool.items]
            mean = (sum(inside[other] for other in free) - inside[column]) / (len(free) - 1)
            q = sum(inside[other] for other in view.answered) + inside[column] + (12 - 3 - 1) * mean
            value -= line.weight * (max(line.minimum - q, 0) + max(q - (line.maximum or 0), 0))
        expected.append(value)
    assert np.allclose(found.utility[free] / 2**20, expected, atol=1e-5)
    assert found.indices.tolist() == free


def test_words_deviate_in_average_items_so_that_their_unit_does_not_rule() -> None:
    """The same aim in words, and with every word counted ten times: the same utilities."""
    ranked = []
    for factor in (1, 10):
        items = [replace(item, word_count=item.word_count * factor) for item in items_of()]
        aim = Constraint(name="words", attribute="words", minimum=0, maximum=300 * factor, weight=2)
        pool = pool_of((aim, area("law", "law", 4, 6)), items=items)
        utility = [random.Random(column).randrange(1000) for column in range(pool.size)]
        ranked.append(apply("weighted_deviation", at(pool, [5, 6]), utility).utility)
    assert np.abs(ranked[0] - ranked[1]).max() <= 2, "in units of 2**-20 items"
    assert np.ptp(ranked[0]) > 2**18


# ------------------------------------------------------------------------------------------ helpers


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=6, unique_by=lambda x: x[0]
    )
)
def test_the_demand_of_a_tree_of_areas_is_the_least_number_of_items(asked: list[tuple[int, int]]) -> None:
    """Against brute force: the fewest items, each in one leaf, so that every area has what it needs."""
    names = ("x", "x.a", "x.a.1", "x.a.2", "x.b", "y", "y.c")
    areas = [names[place] for place, _ in asked]
    deficit = np.array([[need] for _, need in asked], dtype=np.int64)
    needs = dict(zip(areas, deficit[:, 0].tolist(), strict=True))

    def least(node: str) -> int:
        below = [
            other
            for other in names
            if other.startswith(f"{node}.") and other.count(".") == node.count(".") + 1
        ]
        return max(needs.get(node, 0), sum(least(child) for child in below))

    assert area_demand(areas, deficit).tolist() == [least("x") + least("y")]


@given(st.sets(st.integers(0, 59), max_size=11), st.integers(0, 4))
def test_what_is_strictly_allowed_never_breaks_a_maximum(answered: set[int], spare: int) -> None:
    view = at(STRICT_POOL, sorted(answered), length=len(answered) + 1 + spare)
    allowed, _ = strictly_allowed(view, view.unseen)
    for column in np.flatnonzero(view.unseen):
        items = [STRICT_POOL.items[place] for place in (*sorted(answered), int(column))]
        last = items[-1]
        law = [item.area.startswith("law") for item in items]
        over = sum(item.word_count for item in items) > 520
        over |= law[-1] and sum(law) > 7
        over |= bool(last.option_points[0]) and sum(item.option_points[0] for item in items) > 2
        assert not (over and allowed[column])


STRICT_POOL = pool_of(STRICT)
