"""The reference numbers of tests/oracles/cat, and its item banks as this package holds them."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from psychometrics.models.items import ItemColumns, ItemParameters, item_columns

ORACLE = Path(__file__).parents[1] / "oracles" / "cat" / "oracle.json"


@cache
def _oracle() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(ORACLE.read_text(encoding="utf-8"))
    return loaded


def _item(model: str | None, row: list[float | None]) -> ItemParameters:
    a, *rest = row
    assert a is not None
    present = tuple(value for value in rest if value is not None)
    if len(present) == 1:  # a slope and one step; such entries name no model
        return ItemParameters("GPCM", a, present)
    if model is None:
        b, c, d = present
        return ItemParameters("4PL", a, (b,), c, d)
    return ItemParameters(model, a, present)


@pytest.fixture(scope="session")
def oracle() -> dict[str, Any]:
    """The whole file."""
    return _oracle()


@pytest.fixture(scope="session")
def bank_of_oracle() -> Callable[[str, float], ItemColumns]:
    """Bank by name, on the metric D."""

    @cache
    def bank(name: str, D: float) -> ItemColumns:
        stored = _oracle()["banks"][name]
        return item_columns([_item(stored["model"], row) for row in stored["items"]], D=D)

    return bank


@pytest.fixture(scope="session")
def published_items() -> Callable[[dict[str, Any]], ItemColumns]:
    """The items of an entry of `published`: one or several, D = 1 unless the entry says so."""

    def items(given: dict[str, Any]) -> ItemColumns:
        rows = given["items"] if "items" in given else [given["item"]]
        return item_columns([_item(given.get("model"), row) for row in rows], D=given.get("D", 1.0))

    return items
