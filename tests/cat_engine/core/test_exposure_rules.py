"""Exposure rules take items as often as their theory says."""

from __future__ import annotations

import math
import random
from collections import Counter
from functools import cache

import msgspec
import numpy as np
import pytest

from cat_engine.core import families
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.pool import Pool
from cat_engine.core.test_package import RuleChoice
from cat_engine.core.views import Choice, Estimate
from cat_engine.foundation.refusals import Refusal, Refused
from tests.cat_engine import small_packages as small

EXPOSURE = "cat_engine.core.exposure"
DRAWS = 20_000
UTILITY = np.array([50, 90, 70, 80, 60, 40, 30, 20, 10, 0], dtype=np.int64)
RANKED = [1, 3, 2, 4, 0, 5, 6, 7, 8, 9]


def section_package(size: int, **rules: RuleChoice) -> CompiledPackage:
    rng = random.Random(5)
    items = [small.choice_item(number, rng, area="a") for number in range(size)]
    section = msgspec.structs.replace(small.adaptive_section("s", items), **rules)
    return small.compiled_of(small.package_of(items, [section]))


@cache
def ten_items() -> Pool:
    return section_package(10).sections[0].pool


def shares(choice: RuleChoice, eligible: list[int], *, shown: int = 0, theta: int = 0) -> dict[int, float]:
    """How often each item is taken over many sittings."""
    expose = families.bind(EXPOSURE, choice)
    columns = np.array(eligible, dtype=np.int64)
    taken: Counter[int] = Counter()
    for number in range(DRAWS):
        view = small.view(
            ten_items(), range(shown), [0] * shown, Estimate(theta, 500_000), seed=f"sitting-{number}"
        )
        found: Choice = expose(view, UTILITY, columns)
        taken[found.index] += 1
    return {index: count / DRAWS for index, count in taken.items()}


def assert_shares(found: dict[int, float], expected: dict[int, float]) -> None:
    """Within five standard errors of what theory gives, and nothing that it excludes."""
    for index in {*found, *expected}:
        p = expected.get(index, 0.0)
        assert abs(found.get(index, 0.0) - p) <= 5 * math.sqrt(p * (1 - p) / DRAWS), (index, found, expected)


def walked(parameters: list[float]) -> list[float]:
    """P_j = k_j prod (1 - k_l), divided by their sum where no parameter is 1."""
    found, left = [], 1.0
    for k in parameters:
        found.append(left * k)
        left *= 1 - k
    return [p / sum(found) for p in found]


def by_code(values: dict[int, int]) -> dict[str, int]:
    return {ten_items().items[column].code: value for column, value in values.items()}


def test_a_walk_takes_the_first_that_passes() -> None:
    choice = RuleChoice("sympson_hetter", {"parameters": by_code({1: 300, 3: 500, 2: 0})})
    expected = dict(zip(RANKED[:4], walked([0.3, 0.5, 0.0, 1.0]), strict=True))
    assert_shares(shares(choice, list(range(10))), expected)


def test_where_nobody_passes_the_last_resort_is_in_proportion() -> None:
    """Of a list of three, none certain to pass: the walk on condition that it ends."""
    settings = {"parameters": by_code({1: 300, 3: 200, 2: 100}), "list_length": 3}
    expected = dict(zip(RANKED[:3], walked([0.3, 0.2, 0.1]), strict=True))
    assert_shares(shares(RuleChoice("sympson_hetter", settings), list(range(10))), expected)


def test_if_no_item_may_ever_pass_the_best_is_taken() -> None:
    none = by_code(dict.fromkeys(range(10), 0))
    expose = families.bind(EXPOSURE, RuleChoice("sympson_hetter", {"parameters": none}))
    assert expose(small.view(ten_items()), UTILITY, np.arange(10)).index == RANKED[0]


def test_stocking_lewis_uses_the_table_of_the_segment() -> None:
    tables = [by_code({1: 100}), by_code({1: 900, 3: 500})]
    choice = RuleChoice("stocking_lewis", {"cuts_millionths": [500_000], "parameters": tables})
    low = dict(zip(RANKED[:2], walked([0.1, 1.0]), strict=True))
    high = dict(zip(RANKED[:3], walked([0.9, 0.5, 1.0]), strict=True))
    assert_shares(shares(choice, list(range(10)), theta=499_999), low)
    assert_shares(shares(choice, list(range(10)), theta=500_000), high)


def test_an_item_passed_over_stays_so_for_the_whole_sitting() -> None:
    """At whatever step it is considered, whatever else is eligible, an item passes always or never."""
    expose = families.bind(EXPOSURE, RuleChoice("sympson_hetter", {"parameters": by_code({1: 500})}))
    verdicts = []
    for seed in range(200):
        rng = random.Random(seed)
        passed = set()
        for step in range(8):
            others = rng.sample([0, 2, 3, 4, 5], 3)
            view = small.view(ten_items(), range(6, 6 + step % 4), [0] * (step % 4), seed=str(seed))
            eligible = np.array(sorted([1, *others]), dtype=np.int64)
            passed.add(expose(view, UTILITY, eligible).index == 1)
        assert len(passed) == 1
        verdicts.append(passed.pop())
    assert 60 < sum(verdicts) < 140


@pytest.mark.parametrize("rule", ["sympson_hetter", "stocking_lewis"])
def test_with_all_parameters_at_one_the_best_is_taken(rule: str) -> None:
    one, best = (families.bind(EXPOSURE, RuleChoice(name)) for name in (rule, "best"))
    for seed in range(300):
        rng = np.random.default_rng(seed)
        utility = rng.integers(0, 5, size=10).astype(np.int64)
        eligible = np.sort(rng.choice(10, size=int(rng.integers(1, 10)), replace=False)).astype(np.int64)
        view = small.view(ten_items(), seed=str(seed))
        assert one(view, utility, eligible) == best(view, utility, eligible)


def test_a_draw_is_in_proportion_to_the_power_of_the_utility() -> None:
    choice = RuleChoice("proportional_draw", {"powers": [0, 3]})
    eligible = [0, 1, 3, 9]
    assert_shares(shares(choice, eligible), dict.fromkeys(eligible, 0.25))
    cubes = {index: float(UTILITY[index]) ** 3 for index in eligible}
    expected = {index: cube / sum(cubes.values()) for index, cube in cubes.items()}
    assert_shares(shares(choice, eligible, shown=2), expected)


def test_a_draw_among_the_best_leaves_the_others_out() -> None:
    choice = RuleChoice("proportional_draw", {"powers": [0], "size": 3})
    assert_shares(shares(choice, list(range(10))), dict.fromkeys(RANKED[:3], 1 / 3))


def test_a_draw_where_no_utility_is_positive_is_even() -> None:
    expose = families.bind(EXPOSURE, RuleChoice("proportional_draw", {"powers": [4]}))
    utility = np.full(10, -3, dtype=np.int64)
    taken = {expose(small.view(ten_items(), seed=str(n)), utility, np.arange(10)).index for n in range(200)}
    assert taken == set(range(10))


@pytest.mark.parametrize(
    ("rule", "settings", "reason"),
    [
        ("sympson_hetter", {"parameters": {"R0000": 1001}}, "1000"),
        ("sympson_hetter", {"parameters": {"NONE": 500}}, "NONE"),
        ("stocking_lewis", {"cuts_millionths": [1, 1], "parameters": [{}, {}, {}]}, "must rise"),
        ("stocking_lewis", {"cuts_millionths": [0], "parameters": [{}]}, "2 segments, 1 tables"),
        ("stocking_lewis", {"cuts_millionths": [], "parameters": [{"NONE": 1}]}, "NONE"),
        ("proportional_draw", {"powers": []}, "length"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_with_the_reason(
    rule: str, settings: dict[str, object], reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        section_package(10, exposure=RuleChoice(rule, settings))
    assert refused.value.code is Refusal.PACKAGE_INVALID
    assert reason in str(refused.value)
