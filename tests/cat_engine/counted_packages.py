"""Packages whose eligibility rule counts, and sittings on them."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import msgspec
import numpy as np

from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import Progress
from cat_engine.core.exposure_counts import Control, controls
from cat_engine.core.simulation import simulate_sitting
from cat_engine.core.test_package import PoolItem, RuleChoice
from tests.cat_engine import small_packages as small

COUNTING = ("item_eligibility", "live_cap", "overlap_control")
CUTS = [-500_000, 500_000]


@cache
def items(size: int) -> tuple[PoolItem, ...]:
    rng = random.Random(8)
    return tuple(small.choice_item(number, rng, area="a") for number in range(size))


def compiled_with(
    rule: str, settings: dict[str, Any] | None = None, *, size: int = 120, order: tuple[int, ...] = ()
) -> CompiledPackage:
    pool = [items(size)[place] for place in order] or list(items(size))
    section = msgspec.structs.replace(
        small.adaptive_section("s", pool),
        eligibility=RuleChoice(rule, settings or {}),
        exposure=RuleChoice("best"),
    )
    return small.compiled_of(small.package_of(pool, [section], time_allowed_s=86_400))


def control_of(compiled: CompiledPackage) -> Control:
    return controls(compiled)[0]


def finished(compiled: CompiledPackage, number: int, theta: float, exposure: Any = ()) -> list[Progress]:
    created = small.created_on(compiled, seed=f"candidate-{number}")
    return simulate_sitting(
        compiled, created, {"s": theta}, small.START_MS, f"responder-{number}", exposure=exposure
    )


def cells_after(control: Control, progresses: list[Progress]) -> np.ndarray[Any, Any]:
    cells = np.zeros(control.cells, dtype=np.int64)
    for progress in progresses:
        control.add(cells, progress.state, progress.entry)
    return cells
