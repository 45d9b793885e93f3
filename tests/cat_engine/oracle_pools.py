"""The item banks of tests/oracles/cat as pools of the engine, and its recorded states as views."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from cat_engine.core.pool import Pool
from cat_engine.core.test_package import PoolItem
from cat_engine.core.views import Estimate, Evidence, SectionView
from tests.cat_engine import small_packages as small

ORACLE = Path(__file__).parents[1] / "oracles" / "cat" / "oracle.json"


@cache
def oracle() -> dict[str, Any]:
    """The whole file."""
    loaded: dict[str, Any] = json.loads(ORACLE.read_text(encoding="utf-8"))
    return loaded


@cache
def pool_of(bank: str, metric_d: float = 1.0) -> Pool:
    """A bank of the oracle as the pool of a section."""
    stored = oracle()["banks"][bank]
    items = [_item(number, stored["model"], row) for number, row in enumerate(stored["items"])]
    package = small.package_of(items, [small.adaptive_section("s", items)])
    return small.compiled_of(msgspec.structs.replace(package, metric_d=metric_d)).sections[0].pool


def _item(number: int, model: str | None, row: Sequence[float | None]) -> PoolItem:
    values = [value for value in row if value is not None]
    if model is None:
        a, b, c, d = values
        return pool_item(number, "4PL", a, (b,), c=c, d=d)
    return pool_item(number, model, values[0], tuple(values[1:]))


def pool_item(
    number: int, model: str, a: float, b: tuple[float, ...], *, c: float = 0.0, d: float = 1.0
) -> PoolItem:
    """An item with an option for each category."""
    return PoolItem(
        item_id=f"item-{number:04d}",
        code=f"{number:04d}",
        content_hash=f"content-{number}",
        interaction="choice",
        model=model,
        a=a,
        b=b,
        c=c,
        d=d,
        option_points=tuple(range(len(b) + 1)),
        area="a",
    )


def evidence(pool: Pool, answered: Sequence[int], categories: Sequence[int]) -> Evidence:
    """Responses under a standard normal prior."""
    return small.evidence(pool, answered, categories)


def view(
    pool: Pool, answered: Sequence[int], categories: Sequence[int], theta: float | Estimate
) -> SectionView:
    """A state as the rules see it, at a theta or an estimate."""
    at = theta if isinstance(theta, Estimate) else Estimate(round(theta * 1_000_000), 500_000)
    return small.view(pool, answered, categories, at)
