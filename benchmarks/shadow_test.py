"""Shadow tests: `python -m benchmarks.shadow_test`.

Whole adaptive tests of 30 items in which every item is taken from a shadow test assembled anew at the
estimate. Two blueprints:

* `sixty_lines`: a 1000-item 3PL pool and 60 lines: length; ranges for ten areas, four levels, three formats
  and five positions of the key; words and seconds within 4 %; two or three of 17 item sets with three to five
  of their six items each; 17 groups of two to five enemies.
* `four_ranges`: a 500-item pool and ranges for four areas, the case that TestDesign was timed on.

Beside them scipy's `milp`, which is HiGHS without a kept model, a kernel or a previous test, on a sample of
the same steps; it must find the same optimum. Times are on the wall, which other programs of a busy machine
lengthen; `cpu_...` is this thread's own.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from scipy import optimize, sparse

from benchmarks.measuring.machine import machine, percentile
from cat_engine.core.assembly.assembler import Assembler, ShadowTest
from cat_engine.core.assembly.constraints import (
    Constraints,
    Enemies,
    ItemSet,
    Length,
    SetCount,
    Total,
    counts_by,
)
from cat_engine.core.assembly.linear import unbounded_as_infinite
from cat_engine.core.assembly.program import program_of
from cat_engine.core.exact import UNIT, Floats, Integers

LENGTH = 30
SETS, SET_SIZE, GROUPS = 17, 6, 17
CANDIDATES = 20
NODES = np.linspace(-5.0, 5.0, 81)
EVERY = 7  # scipy solves every seventh step


@dataclass(frozen=True, eq=False)
class Bank:
    """Parameters (n,) of a 3PL pool, D = 1.7."""

    a: Floats
    b: Floats
    c: Floats

    def probabilities(self, theta: Floats | float) -> Floats:
        """P (..., n)."""
        z = 1.7 * self.a * (np.asarray(theta)[..., None] - self.b)
        value: Floats = self.c + (1 - self.c) / (1 + np.exp(-z))
        return value

    def utility(self, theta: float) -> Integers:
        """Fisher information in billionths."""
        p = self.probabilities(theta)
        information = (1.7 * self.a * (p - self.c) / (1 - self.c)) ** 2 * (1 - p) / p
        return np.rint(information * UNIT).astype(np.int64)


@dataclass
class Timings:
    """What the steps of one assembler took."""

    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    answers: list[ShadowTest] = field(default_factory=list)
    milp_ms: list[float] = field(default_factory=list)
    ours_beside_milp_ms: list[float] = field(default_factory=list)


def bank(size: int) -> Bank:
    """Slopes around 1, difficulties like the candidates."""
    rng = np.random.default_rng(size)
    return Bank(rng.lognormal(-0.1, 0.3, size), rng.normal(size=size), rng.uniform(0.05, 0.25, size))


def sixty_lines(size: int = 1_000) -> Constraints:
    """Sixty named lines over a pool whose last columns are item sets of six."""
    rng = np.random.default_rng(60)
    area, level = rng.integers(10, size=size), rng.choice(4, p=[0.3, 0.3, 0.25, 0.15], size=size)
    kind, key = rng.choice(3, p=[0.6, 0.25, 0.15], size=size), rng.integers(5, size=size)
    words, seconds = rng.integers(20, 81, size=size), rng.integers(40, 121, size=size)
    discrete = size - SETS * SET_SIZE
    sets = [np.arange(discrete + SET_SIZE * s, discrete + SET_SIZE * (s + 1)) for s in range(SETS)]
    for columns in sets:  # one stimulus, one area
        area[columns] = rng.integers(10)
    levels = {"0": (6, 12), "1": (6, 12), "2": (5, 10), "3": (3, 8)}
    counts = (
        *counts_by("area", area.astype(str).tolist(), {str(number): (2, 5) for number in range(10)}),
        *counts_by("level", level.astype(str).tolist(), levels),
        *counts_by("format", kind.astype(str).tolist(), {"0": (14, 22), "1": (5, 10), "2": (3, 8)}),
        *counts_by("key", key.astype(str).tolist(), {str(number): (4, 8) for number in range(5)}),
    )
    return Constraints(
        size=size,
        length=Length(LENGTH, LENGTH),
        counts=counts,
        totals=(Total("words", words, 1_440, 1_560), Total("seconds", seconds, 2_250, 2_350)),
        item_sets=tuple(ItemSet(f"set {s}", columns, 3, 5) for s, columns in enumerate(sets)),
        set_counts=(SetCount("sets", tuple(range(SETS)), 2, 3),),
        enemies=tuple(
            Enemies(
                f"enemies {number}", np.sort(rng.choice(discrete, size=rng.integers(2, 6), replace=False))
            )
            for number in range(GROUPS)
        ),
    )


def four_ranges(size: int = 500) -> Constraints:
    """Length and four areas."""
    rng = np.random.default_rng(4)
    area = rng.integers(4, size=size).astype(str).tolist()
    ranges = {"0": (7, 10), "1": (6, 9), "2": (6, 9), "3": (5, 8)}
    return Constraints(size, Length(LENGTH, LENGTH), counts_by("area", area, ranges))


def administer(constraints: Constraints, items: Bank, candidates: int, *, beside: bool) -> Timings:
    """Whole tests, timed step by step; `beside`: every seventh step is solved by scipy too."""
    rng = np.random.default_rng(1)
    timings = Timings()
    ties = rng.integers(0, 2**63, size=constraints.size, dtype=np.uint64)
    assembler = Assembler(constraints, ties)
    table = np.log(items.probabilities(NODES)), np.log1p(-items.probabilities(NODES))
    for _ in range(candidates):
        ability = float(rng.normal())
        posterior = -0.5 * NODES**2
        taken: list[int] = []
        shadow: ShadowTest | None = None
        for _ in range(LENGTH):
            weight = np.exp(posterior - posterior.max())
            utility = items.utility(float(NODES @ weight / weight.sum()))
            administered = np.array(sorted(taken), dtype=np.int64)
            incumbent = None if shadow is None else shadow.columns
            wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
            shadow = assembler.assemble(utility, administered, incumbent=incumbent)
            cpu, wall = time.thread_time_ns() - cpu, time.perf_counter_ns() - wall
            timings.wall_ms.append(wall / 1e6)
            timings.cpu_ms.append(cpu / 1e6)
            timings.answers.append(shadow)
            assert assembler.feasible(shadow.columns, administered)
            if beside and (len(timings.wall_ms) - 1) % EVERY == 0:
                _beside(constraints, utility, administered, shadow, timings)
            free = np.setdiff1d(shadow.columns, administered)
            item = int(free[np.argmax(utility[free])])
            taken.append(item)
            right = rng.uniform() < items.probabilities(ability)[item]
            posterior = posterior + table[0 if right else 1][:, item]
    return timings


def _beside(
    constraints: Constraints, utility: Integers, taken: Integers, shadow: ShadowTest, timings: Timings
) -> None:
    """The same step by scipy's `milp`, cold, to a gap of zero."""
    program = program_of(constraints)
    matrix = sparse.csc_array((program.values, program.rows, program.starts))
    rows = optimize.LinearConstraint(
        matrix, unbounded_as_infinite(program.lower), unbounded_as_infinite(program.upper)
    )
    lower, costs = np.zeros(program.size), np.zeros(program.size)
    lower[taken] = 1
    costs[: utility.size] = -utility / UNIT
    started = time.perf_counter()
    solution = optimize.milp(
        costs,
        constraints=[rows],
        integrality=np.ones(program.size, dtype=np.int64),
        bounds=optimize.Bounds(lower, np.ones(program.size)),
        options={"mip_rel_gap": 0.0},
    )
    timings.milp_ms.append((time.perf_counter() - started) * 1e3)
    timings.ours_beside_milp_ms.append(timings.wall_ms[-1])
    if shadow.proven:
        assert solution.fun is not None
        assert abs(-solution.fun - shadow.objective / UNIT) < 1e-6, "the two optima differ"


def summary(timings: Timings) -> dict[str, Any]:
    """Quantiles, how answers were found, and scipy beside them."""
    answers = timings.answers
    unproven = [answer.gap / answer.objective for answer in answers if not answer.proven]
    sources = {answer.source for answer in answers}
    return {
        "steps": len(answers),
        "p50_ms": round(statistics.median(timings.wall_ms), 2),
        "p95_ms": round(percentile(timings.wall_ms, 0.95), 2),
        "p99_ms": round(percentile(timings.wall_ms, 0.99), 2),
        "max_ms": round(max(timings.wall_ms), 2),
        "cpu_p50_ms": round(statistics.median(timings.cpu_ms), 2),
        "cpu_p99_ms": round(percentile(timings.cpu_ms, 0.99), 2),
        "per_30_items_ms": round(sum(timings.wall_ms) / len(answers) * LENGTH, 2),
        "share_proven": round(sum(answer.proven for answer in answers) / len(answers), 4),
        "largest_gap_per_cent": round(100 * max(unproven, default=0.0), 4),
        "largest_nodes": max(answer.nodes for answer in answers),
        "largest_iterations": max(answer.iterations for answer in answers),
        "sources": {s: round(sum(a.source == s for a in answers) / len(answers), 4) for s in sorted(sources)},
        "scipy_milp": {
            "steps": len(timings.milp_ms),
            "p50_ms": round(statistics.median(timings.milp_ms), 2),
            "max_ms": round(max(timings.milp_ms), 2),
            "times_ours": round(sum(timings.milp_ms) / sum(timings.ours_beside_milp_ms), 1),
        },
    }


def main() -> int:
    """Print one JSON line."""
    cases = {"sixty_lines": (sixty_lines(), bank(1_000)), "four_ranges": (four_ranges(), bank(500))}
    results = {}
    for name, (constraints, items) in cases.items():
        administer(constraints, items, 1, beside=False)  # warm up
        results[name] = {
            "pool": constraints.size,
            "lines": len(list(constraints.lines())),
            **summary(administer(constraints, items, CANDIDATES, beside=True)),
        }
    print(msgspec.json.encode({"benchmark": "shadow_test", **results, "machine": machine()}).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
