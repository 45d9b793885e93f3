"""The shadow-test cases of the oracle as blueprints: `shadow_tests.rules` of oracle.json in code."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cat_engine.core.assembly.constraints import (
    Constraints,
    Enemies,
    ItemSet,
    Length,
    SetCount,
    Total,
    counts_by,
)
from cat_engine.core.exact import UNIT, Floats, Integers

ORACLE = Path(__file__).parents[3] / "oracles" / "cat" / "oracle.json"


@cache
def oracle() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(ORACLE.read_text(encoding="utf-8"))
    return loaded


def information(theta: float) -> Floats:
    """Fisher information of the bank's items, D = 1: a^2 (P - c)^2 (1 - P) / ((1 - c)^2 P)."""
    table = oracle()["banks"][oracle()["shadow_tests"]["bank"]]
    rows = table["items"] if isinstance(table, dict) else table
    a, b, c = np.array([row[:3] for row in rows], dtype=np.float64).T
    probability = c + (1 - c) / (1 + np.exp(-a * (theta - b)))
    value: Floats = (a * (probability - c) / (1 - c)) ** 2 * (1 - probability) / probability
    return value


def utility(theta: float) -> Integers:
    return np.rint(information(theta) * UNIT).astype(np.int64)


def ties(size: int) -> np.typing.NDArray[np.uint64]:
    digests = [hashlib.sha256(f"item {column}".encode()).digest()[:8] for column in range(size)]
    return np.array([int.from_bytes(digest) for digest in digests], dtype=np.uint64)


def constraints(*, sets: bool) -> Constraints:
    attributes = oracle()["shadow_tests"]["attributes"]
    stimuli = attributes["stimulus"]
    size = len(stimuli)
    names = sorted({stimulus for stimulus in stimuli if stimulus is not None})
    of = {name: np.flatnonzero(np.array(stimuli, dtype=object) == name) for name in names}
    content = {"A": (7, 10), "B": (6, 9), "C": (5, 8), "D": (3, 6), "E": (2, 5)}
    return Constraints(
        size=size,
        length=Length(30, 30),
        counts=(
            *counts_by("content", attributes["content"], content),
            *counts_by("key", attributes["key"], dict.fromkeys("abcd", (5, 10))),
        ),
        totals=(Total("words", np.array(attributes["words"], dtype=np.int64), 1700, 2000),),
        item_sets=tuple(ItemSet(name, of[name], 3, 4) for name in names) if sets else (),
        set_counts=(SetCount("stimuli", tuple(range(len(names))), 3, 3),) if sets else (),
        enemies=tuple(
            Enemies(f"enemies {number}", np.array(pair)) for number, pair in enumerate(attributes["enemies"])
        ),
        excluded=np.empty(0, dtype=np.int64) if sets else np.concatenate(list(of.values())),
    )
