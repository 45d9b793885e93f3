"""Every selection criterion on one pool: `python -m benchmarks.selection_criteria`.

A pool of 500 3PL items, 41 nodes, a candidate after 15 answers: milliseconds to value all items once, and how
often that is the cost of maximum information in the same run. `evidence` and `read_pool` are paid once per
answer and shared by all criteria; `read_pool` reads all curves of the pool at the estimate, `compute_pool`
computes them. `expected_information_after_mode` seeks a thousand posterior modes and is no rule for a live
sitting. Before anything is timed, the values are compared with those from curves that are computed.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import msgspec
import numpy as np

from benchmarks.measuring.machine import machine, percentile
from psychometrics.estimation.grids import STANDARD_NORMAL
from psychometrics.models.items import ItemColumns, dichotomous_columns
from psychometrics.selection.choice import Sense, best_item
from psychometrics.selection.criteria import CRITERIA
from psychometrics.selection.divergence import window_divergence
from psychometrics.selection.expected import expected_information_after_mode
from psychometrics.selection.information_criteria import information_per_second
from psychometrics.selection.location import difficulties, distance_to
from psychometrics.selection.mixtures import progressive_values, proportional_chances
from psychometrics.selection.reading import pool_at
from psychometrics.selection.tables import criterion_tables, evidence

ITEMS = 500
ANSWERED = 15
NODES = np.linspace(-4.0, 4.0, 41)
ROUNDS = 400
WARM_UP = 20


def pool() -> ItemColumns:
    """Slopes around 1.1, difficulties like the candidates."""
    rng = np.random.default_rng(ITEMS)
    return dichotomous_columns(
        rng.lognormal(0.1, 0.3, ITEMS), rng.normal(size=ITEMS), rng.uniform(0.05, 0.3, ITEMS), 1.0, D=1.0
    )


def measure(what: Callable[[], object], rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds of one call."""
    took_ms: list[float] = []
    for number in range(rounds + WARM_UP):
        started = time.perf_counter_ns()
        what()
        if number >= WARM_UP:
            took_ms.append((time.perf_counter_ns() - started) / 1e6)
    return {"median_ms": round(statistics.median(took_ms), 4), "p99_ms": round(percentile(took_ms, 0.99), 4)}


def calls() -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    items = pool()
    tables = criterion_tables(items, NODES)
    rng = np.random.default_rng(1)
    given = [int(item) for item in rng.choice(ITEMS, ANSWERED, replace=False)]
    answers = [int(answer) for answer in rng.integers(0, 2, ANSWERED)]
    known = evidence(tables, given, answers, STANDARD_NORMAL)
    theta = float(known.posterior_mass() @ NODES)
    at, exact = tables.reader.at(theta), pool_at(items, theta)
    free = np.ones(ITEMS, dtype=np.bool_)
    free[given] = False
    for criterion in CRITERIA.values():
        values, truth = (criterion.values(tables, known, curves) for curves in (at, exact))
        assert np.abs(values - truth).max() < 1e-4 * np.abs(truth).max()
        assert best_item(values, criterion.sense, free) == best_item(truth, criterion.sense, free)
    places, draws, time_s = difficulties(items), rng.random(ITEMS), rng.uniform(20.0, 120.0, ITEMS)
    shared: dict[str, Callable[[], object]] = {
        "evidence": lambda: evidence(tables, given, answers, STANDARD_NORMAL),
        "read_pool": lambda: tables.reader.at(theta),
        "compute_pool": lambda: pool_at(items, theta),
        "best_item": lambda: best_item(at.information, Sense.MAXIMISE, free),
        "maximum_information_read": lambda: tables.reader.information_at(theta),
        "closest_difficulty": lambda: distance_to(places, theta),
        "information_per_second": lambda: information_per_second(at.information, time_s),
        "progressive": lambda: progressive_values(at.information, free, draws, 0.5),
        "proportional": lambda: proportional_chances(
            at.information, free, position=16, length=30, acceleration=1.0
        ),
        "window_divergence": lambda: window_divergence(items, theta, 0.8),
        "expected_information_after_mode": lambda: expected_information_after_mode(
            items, given, answers, theta, STANDARD_NORMAL
        ),
    }
    of_tables: dict[str, Callable[[], object]] = {
        name: partial(criterion.values, tables, known, at)
        for name, criterion in CRITERIA.items()
        if name != "maximum_information"
    }
    return shared | of_tables


def main() -> int:
    """Print one JSON line."""
    slow = {"window_divergence", "expected_information_after_mode"}
    criteria: dict[str, dict[str, float]] = {
        name: measure(call, 30 if name in slow else ROUNDS) for name, call in calls().items()
    }
    base = criteria["maximum_information_read"]["median_ms"]
    for measured in criteria.values():
        measured["times_maximum_information"] = round(measured["median_ms"] / base, 1)
    result = {
        "benchmark": "selection_criteria",
        "items": ITEMS,
        "nodes": NODES.size,
        "answered": ANSWERED,
        "criteria": criteria,
        "machine": machine(),
    }
    print(msgspec.json.encode(result).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
