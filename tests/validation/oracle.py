"""The reference numbers of other programs, read for the validation."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from psychometrics.arrays import FloatArray
from psychometrics.models.items import ItemColumns, ItemParameters, item_columns

FOLDER = Path(__file__).parents[1] / "oracles"


@cache
def of_cat() -> dict[str, Any]:
    """Estimates, information, criteria, whole tests of catR and others."""
    loaded: dict[str, Any] = json.loads((FOLDER / "cat" / "oracle.json").read_text(encoding="utf-8"))
    return loaded


@cache
def of_times() -> tuple[dict[str, Any], FloatArray]:
    """A fitted lognormal model of response times, and the times in seconds (N, n)."""
    folder = FOLDER / "calibration"
    loaded: dict[str, Any] = json.loads((folder / "rt_lognormal.json").read_text(encoding="utf-8"))
    with (folder / "rt_800x20.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return loaded, np.array(rows[1:], dtype=np.float64)


@cache
def bank(name: str, D: float = 1.0) -> ItemColumns:
    """An item bank of the reference on the metric D."""
    stored = of_cat()["banks"][name]
    return item_columns([_item(stored["model"], row) for row in stored["items"]], D=D)


def _item(model: str | None, row: list[float | None]) -> ItemParameters:
    a, *rest = (0.0 if value is None else value for value in row)
    present = tuple(value for value, known in zip(rest, row[1:], strict=True) if known is not None)
    if model is None:
        b, c, d = present
        return ItemParameters("4PL", a, (b,), c, d)
    return ItemParameters(model, a, present)
