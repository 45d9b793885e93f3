"""One adaptive step: `python -m benchmarks.adaptive_step`.

The whole of `record_response` - parse and score the answer, estimate, ask the stopping rules, find what may
come next, rank it, control its exposure, fold the events - for sittings of 30 items on 3PL pools of 500, 1000
and 10,000 items with a blueprint of ten areas. No database, no HTTP: what the decision itself costs.

`median_us` and `p99_us` are time on the wall, which other programs of a busy machine lengthen; `cpu_...` is
this thread's own time. `reference_us` is the least that numpy needs for the arithmetic of a step alone - a
posterior on 41 nodes, its mean, the information of every item there, the best item not seen - measured
between the sittings, and `times_reference` the median step in units of it: that travels between machines.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

import msgspec
import numpy as np

from benchmarks.measuring.machine import machine, percentile
from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.exact import draw
from cat_engine.core.state import SittingState
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import PoolItem, RuleChoice, Scale, Section, Share, TestPackage
from cat_engine.interactions.choice.scoring import score

POOL_SIZES = (500, 1_000, 10_000)
AREAS = 10
LENGTH = 30
SITTINGS = 40
WARM_UP = 5
ACTOR = "candidate:benchmark"


def package(size: int, length: int = LENGTH) -> TestPackage:
    """A pool as calibrations give it: slopes around 1.1, difficulties like the candidates."""
    rng = np.random.default_rng(size)
    items = tuple(_item(number, rng) for number in range(size))
    section = Section(
        section_id="s",
        title={"id": "Kemampuan", "en": "Ability"},
        aspect="potential",
        mode="adaptive",
        item_ids=tuple(item.item_id for item in items),
        scale=Scale(name="T", slope=10, intercept=50, minimum=10, maximum=90, cuts=()),
        blueprint=tuple(Share(f"a{area}", 1000 // AREAS) for area in range(AREAS)),
        stopping=(RuleChoice("fixed_length", {"items": length}),),
    )
    return TestPackage(
        code="BENCHMARK",
        version=1,
        title={"id": "Tolok ukur", "en": "Benchmark"},
        languages=("id", "en"),
        metric_d=1.7,
        items=items,
        sections=(section,),
        time_allowed_s=3600,
    )


def _item(number: int, rng: np.random.Generator) -> PoolItem:
    key = int(rng.integers(5))
    return PoolItem(
        item_id=f"item-{number:06d}",
        code=f"{number:06d}",
        content_hash=f"content-{number}",
        interaction="choice",
        model="3PL",
        a=float(rng.lognormal(0.1, 0.3)),
        b=(float(rng.normal()),),
        c=float(rng.uniform(0.05, 0.3)),
        option_points=tuple(int(option == key) for option in range(5)),
        area=f"a{number % AREAS}",
    )


def begun(compiled: CompiledPackage, number: int) -> SittingState:
    """A sitting whose first item is shown."""
    at: dict[str, Any] = {"now_ms": 0, "actor": ACTOR}
    created = e.Created(
        sitting_id=f"sitting-{number}",
        package_hash=compiled.content_hash,
        seed=f"{number:032x}",
        time_allowed_ms=3_600_000,
        accommodation_ms=0,
        candidate="benchmark",
    )
    state = engine.create(created, **at).state
    for event in (e.CheckedIn(seat="A1"), e.PledgeSigned(text_hash="p"), e.DeviceChecked(javascript=True)):
        state = engine.act(state, event, **at).state
    state = engine.enter_waiting(state, **at).state
    state = engine.act(state, e.Authorised(), **at).state
    return engine.begin(compiled, state, **at).state


class Reference:
    """The bare arithmetic of a step: no rounding, no blueprint, no lot, no log, nothing to replay."""

    def __init__(self, pool: TestPackage) -> None:
        a, b, c = (np.array(column) for column in zip(*((i.a, i.b[0], i.c) for i in pool.items), strict=True))
        self.nodes = np.linspace(-4.0, 4.0, 41)
        self.a, self.c, self.metric_d = a, c, pool.metric_d
        self.b = b
        p = c + (1.0 - c) / (1.0 + np.exp(-self.metric_d * a * (self.nodes[:, None] - b)))
        self.by_node = np.ascontiguousarray(np.stack([1.0 - p.T, p.T], axis=1))

    def sitting_us(self) -> list[float]:
        """Microseconds of each step of a sitting of alternating answers."""
        weights = np.exp(-0.5 * self.nodes * self.nodes)
        free = np.ones(self.a.size, dtype=np.bool_)
        found, item = [], 0
        for step in range(LENGTH):
            started = time.thread_time_ns()
            weights = weights * self.by_node[item, step % 2]
            free[item] = False
            theta = (weights * self.nodes).sum() / weights.sum()
            rest = 1.0 / (1.0 + np.exp(-self.metric_d * self.a * (theta - self.b)))
            p = self.c + (1.0 - self.c) * rest
            information = (self.metric_d * self.a * rest) ** 2 * (1.0 - self.c) * (1.0 - rest) / p
            item = int(np.where(free, information, -1.0).argmax())
            found.append((time.thread_time_ns() - started) / 1000)
        return found


def measure(size: int) -> dict[str, float]:
    """Microseconds of a step, over all steps of all sittings."""
    content = package(size)
    started = time.perf_counter()
    compiled = compile_package(freeze(content))
    freezing_s = time.perf_counter() - started
    wall_us: list[float] = []
    cpu_us: list[float] = []
    reference = Reference(content)
    reference_us: list[float] = []
    for number in range(SITTINGS + WARM_UP):
        state = begun(compiled, number)
        for position in range(1, LENGTH + 1):
            response = f"o{1 + draw('benchmark', f'answer-{number}', position, 5)}"
            wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
            item = compiled.items[state.presentations[position - 1].item_id]
            progress = engine.record_response(
                compiled,
                state,
                position=position,
                scored=score(item, response),
                now_ms=position * 1000,
                actor=ACTOR,
            )
            cpu, wall = time.thread_time_ns() - cpu, time.perf_counter_ns() - wall
            if number >= WARM_UP:
                wall_us.append(wall / 1000)
                cpu_us.append(cpu / 1000)
            state = progress.state
        assert state.score is not None, "the sitting did not end with its score"
        reference_us += reference.sitting_us()
    return {
        "times_reference": round(statistics.median(cpu_us) / statistics.median(reference_us), 2),
        "reference_us": round(statistics.median(reference_us), 1),
        "median_us": round(statistics.median(wall_us), 1),
        "p99_us": round(percentile(wall_us, 0.99), 1),
        "cpu_median_us": round(statistics.median(cpu_us), 1),
        "cpu_p99_us": round(percentile(cpu_us, 0.99), 1),
        "steps": len(wall_us),
        "freezing_s": round(freezing_s, 2),
    }


def main() -> int:
    """Print one JSON line."""
    pools = {str(size): measure(size) for size in POOL_SIZES}
    result = {"benchmark": "adaptive_step", "pools": pools, "machine": machine()}
    print(msgspec.json.encode(result).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
