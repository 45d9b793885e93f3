"""Every rule of every family, found by its registry, keeps the family's contract.

A rule that somebody adds is tried here without a line of test being written for it.
"""

from __future__ import annotations

import dataclasses
import random
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest

from cat_engine.core import exact, families
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.families import Rule
from cat_engine.core.pool import Pool
from cat_engine.core.test_package import PoolItem, RuleChoice
from cat_engine.core.views import Choice, Estimate, SectionView
from cat_engine.foundation.refusals import Refusal, Refused
from tests.cat_engine import small_packages as small
from tests.cat_engine.rule_settings import NEEDED

SELECTION, EXPOSURE, STOPPING, ESTIMATION = (
    f"cat_engine.core.{name}" for name in ("selection", "exposure", "stopping", "estimation")
)
FAMILIES = families.FAMILIES


def rules(*wanted: str) -> list[Any]:
    return [param for param in all_rules(*wanted) if param.values[1].abilities != families.SEVERAL]


def all_rules(*wanted: str) -> list[Any]:
    """Also those that only serve sections of several abilities, for what every rule must keep."""
    return [
        pytest.param(family, rule, id=f"{family.rpartition('.')[2]}-{name}")
        for family in wanted
        for name, rule in families.members(family).items()
    ]


def settings_of(rule: Rule) -> msgspec.Struct:
    return msgspec.convert(NEEDED.get(rule.name, {}), rule.settings)


@cache
def pool() -> Pool:
    rng = random.Random(11)
    items = [small.choice_item(number, rng, area="a") for number in range(30)]
    items += [small.graded_item(number, rng, model="GPCM", area="a") for number in range(10)]
    timed = [
        msgspec.structs.replace(
            item, time_intensity=rng.gauss(4.0, 0.5), time_discrimination=rng.uniform(1, 3)
        )
        for item in items
    ]
    return _compiled(timed).sections[0].pool


def _compiled(items: list[PoolItem]) -> CompiledPackage:
    return small.compiled_of(small.package_of(items, [small.adaptive_section("s", items)]))


@cache
def shuffled_pool() -> tuple[Pool, tuple[int, ...]]:
    """The same items in another order; `to_new[old column]` is the new column."""
    order = list(range(pool().size))
    random.Random(2).shuffle(order)
    items = [pool().items[old] for old in order]
    to_new = tuple(order.index(old) for old in range(len(order)))
    return _compiled(items).sections[0].pool, to_new


def views(of: Pool, to_column: tuple[int, ...] | None = None) -> list[SectionView]:
    """Sections after 0 to 12 answers, at abilities all over the range, also beyond the grid."""
    found = []
    for seed in range(40):
        rng = random.Random(seed)
        answered = tuple(rng.sample(range(of.size), rng.randint(0, 12)))
        categories = tuple(rng.randrange(pool().items[i].categories) for i in answered)
        estimate = Estimate(rng.randint(-6_000_000, 6_000_000), rng.randint(1, 1_200_000))
        columns = answered if to_column is None else tuple(to_column[i] for i in answered)
        found.append(small.view(of, columns, categories, estimate, seed=str(seed)))
    return found


# ------------------------------------------------------------------------------------------ every family


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_members_and_knows_them_by_name(family: str) -> None:
    members = families.members(family)
    assert members
    assert all(name == rule.name for name, rule in members.items())
    assert list(members) == sorted(members)


@pytest.mark.parametrize(("family", "rule"), all_rules(*FAMILIES))
def test_a_rule_says_what_it_does_and_is_bound_by_its_name(family: str, rule: Rule) -> None:
    assert len(rule.summary) > 20
    assert rule.summary.endswith((".", ";")) or "\n" in (rule.function.__doc__ or "")
    assert callable(families.bind(family, RuleChoice(rule.name, NEEDED.get(rule.name, {}))))


@pytest.mark.parametrize(("family", "rule"), all_rules(*FAMILIES))
def test_settings_are_frozen_typed_and_refuse_unknown_fields(family: str, rule: Rule) -> None:
    settings = settings_of(rule)
    assert settings.__struct_config__.frozen
    assert rule.settings.__doc__
    assert msgspec.json.decode(msgspec.json.encode(settings), type=rule.settings) == settings
    unknown = {**NEEDED.get(rule.name, {}), "no_such_setting": 1}
    with pytest.raises(Refused) as refused:
        families.bind(family, RuleChoice(rule.name, unknown))
    assert refused.value.code is Refusal.PACKAGE_INVALID
    assert rule.name in str(refused.value)
    for name in rule.settings.__struct_fields__:
        with pytest.raises(Refused):
            families.bind(family, RuleChoice(rule.name, {**NEEDED.get(rule.name, {}), name: "no number"}))


@pytest.mark.parametrize("family", FAMILIES)
def test_an_unknown_rule_is_refused_by_name(family: str) -> None:
    with pytest.raises(Refused) as refused:
        families.bind(family, RuleChoice("no_such_rule"))
    assert refused.value.code is Refusal.PACKAGE_RULE_UNKNOWN
    assert refused.value.details == {"family": family.rpartition(".")[2], "rule": "no_such_rule"}


# --------------------------------------------------------------------------------------------- selection


@pytest.mark.parametrize(("family", "rule"), rules(SELECTION))
def test_a_selection_rule_gives_one_integer_per_item_and_the_same_again(family: str, rule: Rule) -> None:
    select = families.bind(family, RuleChoice(rule.name, NEEDED.get(rule.name, {})))
    for view in views(pool()):
        utility = select(view)
        assert utility.shape == (pool().size,)
        assert utility.dtype == np.int64
        assert np.array_equal(utility, select(view))


@pytest.mark.parametrize(("family", "rule"), rules(SELECTION))
def test_a_selection_rule_does_not_look_at_the_order_of_the_pool(family: str, rule: Rule) -> None:
    select = families.bind(family, RuleChoice(rule.name, NEEDED.get(rule.name, {})))
    other, to_new = shuffled_pool()
    for old_view, new_view in zip(views(pool()), views(other, to_new), strict=True):
        assert np.array_equal(select(old_view), select(new_view)[list(to_new)])


# ---------------------------------------------------------------------------------------------- exposure


def _some_eligible(seed: int) -> tuple[exact.Integers, exact.Integers]:
    """Utilities with many equals, and the columns that may come next."""
    rng = np.random.default_rng(seed)
    utility = rng.integers(0, 6, size=pool().size).astype(np.int64)
    eligible = np.sort(rng.choice(pool().size, size=int(rng.integers(1, 25)), replace=False)).astype(np.int64)
    return utility, eligible


@pytest.mark.parametrize(("family", "rule"), rules(EXPOSURE))
def test_an_exposure_rule_takes_an_eligible_item_among_the_best(family: str, rule: Rule) -> None:
    expose = families.bind(family, RuleChoice(rule.name, NEEDED.get(rule.name, {})))
    for seed in range(200):
        utility, eligible = _some_eligible(seed)
        choice: Choice = expose(
            small.view(pool(), range(seed % 12), [0] * (seed % 12), seed=str(seed)), utility, eligible
        )
        assert choice.index in eligible.tolist()
        assert 0 <= choice.drawn < choice.considered <= eligible.size
        better = (utility[eligible] > utility[choice.index]).sum()
        assert better <= choice.drawn, "more items were better than the place in the ranking says"


@pytest.mark.parametrize(("family", "rule"), rules(EXPOSURE))
def test_an_exposure_rule_orders_equals_by_content_not_by_column(family: str, rule: Rule) -> None:
    expose = families.bind(family, RuleChoice(rule.name, NEEDED.get(rule.name, {})))
    other, to_new = shuffled_pool()
    for seed in range(200):
        utility, eligible = _some_eligible(seed)
        moved = np.empty_like(utility)
        moved[list(to_new)] = utility
        there = np.sort(np.array([to_new[i] for i in eligible], dtype=np.int64))
        shown = range(seed % 12)
        one: Choice = expose(small.view(pool(), shown, [0] * len(shown), seed=str(seed)), utility, eligible)
        there_view = small.view(other, [to_new[i] for i in shown], [0] * len(shown), seed=str(seed))
        two: Choice = expose(there_view, moved, there)
        assert to_new[one.index] == two.index
        assert (one.considered, one.drawn) == (two.considered, two.drawn)


def test_randomesque_draws_from_exactly_the_best_k_and_ties_go_by_hash() -> None:
    sizes = {"sizes": [4, 2]}
    expose = families.bind(EXPOSURE, RuleChoice("randomesque", sizes))
    drawn: list[float] = []
    for seed in range(100):
        utility, eligible = _some_eligible(seed)
        ranked = sorted(eligible.tolist(), key=lambda i: (-utility[i], int(pool().ties[i])))
        for step, size in ((0, 4), (1, 2), (2, 2), (12, 2)):
            k = min(size, len(ranked))
            given = range(step)
            views_of_k = [small.view(pool(), given, [0] * step, seed=f"{seed}-{n}") for n in range(12 * k)]
            taken = {expose(view, utility, eligible).index for view in views_of_k}
            assert taken <= set(ranked[:k])
            drawn.append(len(taken) / k)
    assert np.mean(drawn) > 0.99, "hardly any of the k best is never drawn"


# ---------------------------------------------------------------------------------------------- stopping


@pytest.mark.parametrize(("family", "rule"), rules(STOPPING))
def test_a_stopping_rule_gives_a_reason_or_none_and_stays_with_it(family: str, rule: Rule) -> None:
    stop = families.bind(family, RuleChoice(rule.name, NEEDED.get(rule.name, {})))
    answers = [stop(view) for view in views(pool())]
    assert all(answer is None or answer.startswith(rule.name) for answer in answers)
    assert answers == [stop(view) for view in views(pool())]
    other, to_new = shuffled_pool()
    assert answers == [stop(view) for view in views(other, to_new)]


@pytest.mark.parametrize(("family", "rule"), rules(STOPPING))
def test_a_stopping_rule_does_not_stop_what_has_not_begun(family: str, rule: Rule) -> None:
    stop = families.bind(family, RuleChoice(rule.name, NEEDED.get(rule.name, {})))
    assert stop(small.view(pool(), estimate=Estimate(0, 1))) is None


# -------------------------------------------------------------------------------------------- estimation


@pytest.mark.parametrize(("family", "rule"), rules(ESTIMATION))
def test_an_estimator_gives_integers_and_does_not_look_at_order(family: str, rule: Rule) -> None:
    estimate = families.bind(family, RuleChoice(rule.name, NEEDED.get(rule.name, {})))
    other, to_new = shuffled_pool()
    for old, new in zip(views(pool()), views(other, to_new), strict=True):
        one = estimate(small.evidence(pool(), old.answered, old.categories))
        assert type(one.theta_millionths) is type(one.standard_error_millionths) is int
        assert -6_000_000 <= one.theta_millionths <= 6_000_000
        assert one.standard_error_millionths > 0
        assert one == estimate(small.evidence(other, new.answered, new.categories))
        backwards = estimate(small.evidence(pool(), old.answered[::-1], old.categories[::-1]))
        assert one == backwards


@pytest.mark.parametrize(("family", "rule"), rules(ESTIMATION))
def test_an_estimator_rises_with_a_better_answer(family: str, rule: Rule) -> None:
    estimate = families.bind(family, RuleChoice(rule.name, NEEDED.get(rule.name, {})))
    for view in views(pool()):
        for place, column in enumerate(view.answered):
            if view.categories[place] + 1 < pool().items[column].categories:
                better = list(view.categories)
                better[place] += 1
                low = estimate(small.evidence(pool(), view.answered, view.categories))
                high = estimate(small.evidence(pool(), view.answered, better))
                assert high.theta_millionths >= low.theta_millionths
                bounded = abs(high.theta_millionths) >= 4_000_000 or abs(low.theta_millionths) >= 4_000_000
                assert bounded or high.theta_millionths > low.theta_millionths
                break


# ------------------------------------------------------------------------- all of them, in a whole sitting


def test_relabelling_the_items_relabels_the_sitting_and_nothing_else() -> None:
    """Other identities and codes, another order of the pool: the same contents are asked."""
    rng = random.Random(3)
    items = [small.choice_item(number, rng, area="a") for number in range(40)]
    renamed = [
        msgspec.structs.replace(item, item_id=f"other-{number}", code=f"Z{number}")
        for number, item in enumerate(items)
    ]
    rng.shuffle(renamed)
    asked = []
    for variant in (items, renamed):
        compiled = _compiled(variant)
        state = small.simulated(compiled, "relabelled", 0.4)[-1].state
        asked.append([(compiled.items[p.item_id].content_hash, p.response) for p in state.presentations])
    assert asked[0] == asked[1]


@pytest.mark.parametrize(("family", "rule"), rules(SELECTION, EXPOSURE, ESTIMATION))
def test_a_whole_sitting_runs_with_the_rule(family: str, rule: Rule) -> None:
    kind = {SELECTION: "selection", EXPOSURE: "exposure", ESTIMATION: "interim_estimator"}[family]
    choice = RuleChoice(rule.name, NEEDED.get(rule.name, {}))
    items = list(pool().items)
    section = msgspec.structs.replace(small.adaptive_section("s", items), **{kind: choice})
    state = small.simulated(small.compiled_of(small.package_of(items, [section])), "whole", 0.0)[-1].state
    assert state.score is not None
    assert state.score.sections[0].items == 10
    assert len({p.item_id for p in state.presentations}) == 10


def test_the_pool_is_laid_out_as_its_docstring_says() -> None:
    columns = pool()
    n = columns.size
    assert columns.log_probability.shape[0] == columns.information.shape[1] == n
    assert columns.information.flags["C_CONTIGUOUS"]
    assert len(set(columns.ties.tolist())) == n
    assert dataclasses.is_dataclass(columns)
    assert (columns.information >= 0).all()
    assert (columns.log_probability <= 0).all()
