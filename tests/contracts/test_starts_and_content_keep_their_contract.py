"""Every start rule and every content rule, found by its registry, keeps its family's contract."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from cat_engine.core import families
from cat_engine.core.blueprint import set_openers
from cat_engine.core.chance import Chance
from cat_engine.core.events import FormerEstimate, ItemPresented
from cat_engine.core.families import Rule
from cat_engine.core.pool import Pool
from cat_engine.core.test_package import Constraint, ItemSet, PoolItem, RuleChoice, Section, Share
from cat_engine.core.views import Eligible, SectionView, Start
from tests.cat_engine import small_packages as small
from tests.cat_engine.rule_settings import NEEDED

START, CONTENT = "cat_engine.core.start", "cat_engine.core.content"
AREAS = ("law", "ethics", "economy")
FORMER = FormerEstimate(section_id="s", theta_millionths=700_000, standard_error_millionths=350_000)


def members(family: str) -> list[Any]:
    return [pytest.param(rule, id=name) for name, rule in families.members(family).items()]


def bound(family: str, rule: Rule) -> Any:
    return families.bind(family, RuleChoice(rule.name, NEEDED.get(rule.name, {})))


def items_of() -> list[PoolItem]:
    rng = random.Random(21)
    items = [small.choice_item(number, rng, area=AREAS[number % 3]) for number in range(30)]
    items += [small.graded_item(number, rng, model="GPCM", area="ethics") for number in range(10)]
    items[20:24] = [replace(item, item_set="A", set_order=n) for n, item in enumerate(items[20:24])]
    return items


def section_of(items: list[PoolItem], **changes: Any) -> Section:
    lines = (
        Constraint(name="law", attribute="area", value="law", minimum=2, maximum=4, strict=True),
        Constraint(name="economy", attribute="area", value="economy", minimum=2, maximum=5),
        Constraint(name="key", attribute="key", value="2", maximum=3),
        Constraint(name="sets", attribute="item_sets", maximum=1),
    )
    base = replace(
        small.adaptive_section("s", items, stopping=(RuleChoice("fixed_length", {"items": 8}),)),
        blueprint=(Share("law", 300), Share("ethics", 400), Share("economy", 300)),
        constraints=lines,
        item_sets=(ItemSet(set_id="A", minimum_items=2, maximum_items=3),),
    )
    return replace(base, **changes)


def pool_of(items: list[PoolItem]) -> Pool:
    return small.compiled_of(small.package_of(items, [section_of(items)])).sections[0].pool


@cache
def pool() -> Pool:
    return pool_of(items_of())


@cache
def shuffled() -> tuple[Pool, tuple[int, ...]]:
    order = list(range(pool().size))
    random.Random(5).shuffle(order)
    return pool_of([pool().items[old] for old in order]), tuple(order.index(old) for old in range(len(order)))


def views(of: Pool, to_column: tuple[int, ...] | None = None) -> list[SectionView]:
    found = []
    for seed in range(30):
        rng = random.Random(seed)
        count = rng.randint(0, 9)
        columns = rng.sample([c for c in range(pool().size) if not pool().items[c].item_set], count)
        categories = [rng.randrange(pool().items[column].categories) for column in columns]
        there = columns if to_column is None else [to_column[column] for column in columns]
        base = small.view(of, there, categories, seed=str(seed))
        found.append(replaced(base, most_items=10))
    return found


def replaced(view: SectionView, **changes: Any) -> SectionView:
    names = ("evidence", "start", "estimate", "chance", "shown", "most_items")
    return SectionView(**{name: getattr(view, name) for name in names} | changes)


def utilities(seed: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-5, 2000, size=size).astype(np.int64)


# ------------------------------------------------------------------------------------------------- start


@pytest.mark.parametrize("rule", members(START))
def test_a_start_is_a_proper_one_and_the_same_again(rule: Rule) -> None:
    start = bound(START, rule)
    for former in (None, FORMER):
        for seed in range(20):
            found: Start = start(pool(), former, Chance(str(seed), 0))
            assert found == start(pool(), former, Chance(str(seed), 0))
            assert found.prior.standard_error_millionths > 0
            assert abs(found.theta_millionths) <= 6_000_000
            assert len(set(found.first_items)) == len(found.first_items)
            assert set(found.first_items) <= set(range(pool().size))


@pytest.mark.parametrize("rule", members(START))
def test_a_start_does_not_look_at_the_order_of_the_pool(rule: Rule) -> None:
    start = bound(START, rule)
    other, to_new = shuffled()
    for former in (None, FORMER):
        one: Start = start(pool(), former, Chance("seed", 0))
        two: Start = start(other, former, Chance("seed", 0))
        assert [to_new[column] for column in one.first_items] == list(two.first_items)
        assert (one.prior, one.theta_millionths, one.final_prior) == (
            two.prior,
            two.theta_millionths,
            two.final_prior,
        )


# ----------------------------------------------------------------------------------------------- content


@pytest.mark.parametrize("rule", members(CONTENT))
def test_content_gives_free_items_that_keep_strict_lines_and_the_same_again(rule: Rule) -> None:
    content = bound(CONTENT, rule)
    for seed, view in enumerate(views(pool())):
        free = set_openers(pool(), view.unseen, view.answered, view.items_left)
        utility = utilities(seed, pool().size)
        kept = utility.copy()
        found: Eligible = content(view, utility, free)
        again: Eligible = content(view, utility, free)
        assert np.array_equal(utility, kept), "the utility it was given was changed"
        assert free[found.indices].all()
        assert np.unique(found.indices).size == found.indices.size
        assert found.utility.shape == (pool().size,)
        assert found.utility.dtype == np.int64
        assert np.array_equal(found.indices, again.indices)
        assert np.array_equal(found.utility[found.indices], again.utility[again.indices])
        law = sum(pool().items[column].area == "law" for column in view.answered)
        assert law < 4 or not any(pool().items[column].area == "law" for column in found.indices)


@pytest.mark.parametrize("rule", members(CONTENT))
def test_content_does_not_look_at_the_order_of_the_pool(rule: Rule) -> None:
    content = bound(CONTENT, rule)
    other, to_new = shuffled()
    for seed, (old, new) in enumerate(zip(views(pool()), views(other, to_new), strict=True)):
        utility = utilities(seed, pool().size)
        moved = np.empty_like(utility)
        moved[list(to_new)] = utility
        one: Eligible = content(old, utility, set_openers(pool(), old.unseen, old.answered))
        two: Eligible = content(new, moved, set_openers(other, new.unseen, new.answered))
        assert sorted(to_new[column] for column in one.indices) == sorted(two.indices.tolist())
        assert (one.area, one.relaxed) == (two.area, two.relaxed)
        for column in one.indices:
            assert one.utility[column] == two.utility[to_new[column]]


@pytest.mark.parametrize("rule", members(CONTENT))
def test_among_items_alike_in_content_the_better_one_stays_the_better(rule: Rule) -> None:
    content = bound(CONTENT, rule)
    traits = [
        (item.area, item.option_points.index(item.points_maximum), item.item_set) for item in pool().items
    ]
    for seed, view in enumerate(views(pool())):
        utility = utilities(seed, pool().size)
        found: Eligible = content(view, utility, set_openers(pool(), view.unseen, view.answered))
        for one in found.indices:
            for other in found.indices:
                if traits[one] == traits[other] and utility[one] > utility[other]:
                    assert found.utility[one] >= found.utility[other]


@pytest.mark.parametrize("rule", members(CONTENT))
def test_a_whole_sitting_keeps_its_strict_lines_with_the_rule(rule: Rule) -> None:
    items = items_of()
    choice = RuleChoice(rule.name, NEEDED.get(rule.name, {}))
    section = section_of(items, content=choice)
    section = section if rule.reads_shares else replace(section, blueprint=())
    compiled = small.compiled_of(small.package_of(items, [section]))
    for seed in range(5):
        shown = [
            compiled.items[event.item_id]
            for progress in small.simulated(compiled, f"whole-{seed}", (seed - 2) / 2)
            for event in progress.events
            if isinstance(event, ItemPresented)
        ]
        assert len({item.item_id for item in shown}) == len(shown) == 8
        assert 2 <= sum(item.area == "law" for item in shown) <= 4
        assert sum(item.item_set == "A" for item in shown) in {0, 1, 2, 3}
