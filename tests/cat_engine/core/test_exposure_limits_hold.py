"""Limits to exposure and overlap hold in whole populations of sittings, some of them always under way."""

from __future__ import annotations

import math
from collections import deque
from functools import cache
from typing import Any

import numpy as np
import pytest

from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import Progress
from cat_engine.core.exposure_counts import controls
from psychometrics.exposure import conditional_exposure_rates, exposure_summary, pairwise_overlap
from tests.cat_engine.counted_packages import (
    COUNTING,
    CUTS,
    cells_after,
    compiled_with,
    control_of,
    finished,
)

SITTINGS = 400
TOGETHER = 8  # so many sittings are under way and not yet counted


@cache
def population(
    rule: str, together: int = TOGETHER, **settings: Any
) -> tuple[np.ndarray[Any, Any], list[float]]:
    """Which items the sittings saw, each beginning with the counts of those that were over."""
    return played(compiled_with(rule, settings), together)


def played(compiled: CompiledPackage, together: int) -> tuple[np.ndarray[Any, Any], list[float]]:
    held = controls(compiled)
    cells = [np.zeros(control.cells, dtype=np.int64) for control in held]
    pool = compiled.sections[0].pool
    seen = np.zeros((SITTINGS, pool.size), dtype=np.bool_)
    thetas = np.random.default_rng(6).normal(size=SITTINGS).tolist()
    under_way: deque[list[Progress]] = deque()
    for number, theta in enumerate(thetas):
        exposure = [control.read(row) for control, row in zip(held, cells, strict=True)]
        progresses = finished(compiled, number, theta, exposure)
        seen[number, [pool.index_of[p.item_id] for p in progresses[-1].state.presentations]] = True
        under_way.append(progresses)
        if len(under_way) == together:
            over = under_way.popleft()
            for control, row in zip(held, cells, strict=True):
                np.add(row, cells_after(control, over), out=row)
    return seen, thetas


def test_without_control_items_are_worn_out() -> None:
    seen, _ = population("everything")
    summary = exposure_summary(seen, limit=0.25)
    assert summary.highest_rate == 1.0
    assert summary.overlap > 0.35


@pytest.mark.parametrize("name", COUNTING)
def test_the_limit_holds_whatever_the_rule(name: str) -> None:
    """Above the limit at most by those under way and by chance, for the draws of 400 sittings."""
    seen, _ = population(name)
    error = math.sqrt(0.25 * 0.75 / SITTINGS)
    assert exposure_summary(seen, limit=0.25).highest_rate <= 0.25 + TOGETHER / SITTINGS + error


def test_the_overlap_holds_once_the_first_have_been_counted() -> None:
    free, _ = population("item_eligibility")
    kept, _ = population("overlap_control")
    assert pairwise_overlap(free[SITTINGS // 2 :]) > 0.17
    assert pairwise_overlap(kept[SITTINGS // 2 :]) < 0.15


def test_limits_by_ability_reach_people_of_every_ability() -> None:
    """Estimates stray, so the rate among people of one ability is a little above that among estimates."""
    one, thetas = population("item_eligibility")
    each, _ = population("item_eligibility", cuts_millionths=tuple(CUTS), horizon_sittings=50)
    group = np.searchsorted(np.array(CUTS) / 1e6, np.array(thetas))
    highest = [float(conditional_exposure_rates(seen, group, 3).max()) for seen in (one, each)]
    assert highest[0] > 0.5, "an overall limit leaves items that most people of one level see"
    assert highest[1] < 0.40
    assert exposure_summary(each, limit=0.25).highest_rate < 0.27


def test_people_who_begin_together_need_a_start() -> None:
    """All at the same second: counts are of no use, probabilities that were learned before are."""
    everybody = SITTINGS + 1
    assert population("item_eligibility", everybody)[0].mean(axis=0).max() == 1.0
    start = {"start": [learned_start(compiled_with("item_eligibility"))]}
    seen, _ = played(compiled_with("item_eligibility", start), everybody)
    assert seen.mean(axis=0).max() < 0.25 + 4 * math.sqrt(0.25 * 0.75 / SITTINGS)


def learned_start(compiled: CompiledPackage) -> dict[str, int]:
    """What item eligibility arrives at when sittings come one after another."""
    control = control_of(compiled)
    cells = np.zeros(control.cells, dtype=np.int64)
    for number in range(400):
        theta = float(np.random.default_rng(number).normal())
        cells += cells_after(control, finished(compiled, 10_000 + number, theta, [control.read(cells)]))
    shares = np.frombuffer(control.read(cells).probabilities[0], dtype="<u2")
    return {
        item.code: int(share) // 10
        for item, share in zip(control.pool.items, shares, strict=True)
        if share < 10_000
    }
