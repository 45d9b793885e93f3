"""One adaptive step by selection rule and by estimator: `python -m benchmarks.criteria_steps`.

The whole of `record_response` (see `adaptive_step`) in sittings of 30 items on a 3PL pool of 500 with
response times, once for each selection rule and for the settings that cost more, and once for each interim
estimator. Both families are found by their registries. CPU time of this thread in microseconds: other
programs do not count in. `first_ms` is the slowest step of the first sitting, which derives from the pool
what the rule needs.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from benchmarks.adaptive_step import ACTOR, LENGTH, begun, package
from benchmarks.measuring.machine import machine, percentile
from cat_engine.core import engine, families
from cat_engine.core.compiled import compile_package
from cat_engine.core.exact import draw
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import PackageFile, RuleChoice, TestPackage
from cat_engine.interactions.choice.scoring import score

POOL_SIZE = 500
SITTINGS = 8
WARM_UP = 1
NEEDED: dict[str, dict[str, Any]] = {
    "maximum_information_at_cut": {"cuts_millionths": [-500_000, 500_000]},
    "progressive": {"items": LENGTH},
    "proportional": {"items": LENGTH},
    "stratified": {"items": LENGTH},
}
COSTLIER: dict[str, dict[str, Any]] = {
    "expected_information": {"updated": "mode", "information": "observed", "weights": "at_estimate"},
    "expected_posterior_variance": {"weights": "at_estimate"},
    "global_discrimination": {"weights": "likelihood"},
}


def choices() -> Iterator[tuple[str, str, RuleChoice]]:
    """Which field of the section, a label, the rule."""
    for field, family in (("selection", "selection"), ("interim_estimator", "estimation")):
        for name, rule in families.members(f"cat_engine.core.{family}").items():
            if rule.abilities == families.SEVERAL:
                continue
            yield field, name, RuleChoice(name, NEEDED.get(name, {}))
            if field == "selection" and name in COSTLIER:
                options = " ".join(COSTLIER[name].values())
                yield field, f"{name} ({options})", RuleChoice(name, COSTLIER[name])


def timed_package() -> TestPackage:
    """The pool of `adaptive_step`; longer items take longer."""
    plain = package(POOL_SIZE)
    items = tuple(
        msgspec.structs.replace(item, time_intensity=3.5 + 0.01 * (number % 100), time_discrimination=1.8)
        for number, item in enumerate(plain.items)
    )
    return msgspec.structs.replace(plain, items=items)


def measure(frozen: PackageFile, field: str, choice: RuleChoice) -> dict[str, float]:
    """CPU microseconds of a step with this rule."""
    section = msgspec.structs.replace(frozen.package.sections[0], **{field: choice})
    changed = msgspec.structs.replace(frozen.package, sections=(section,))
    compiled = compile_package(msgspec.structs.replace(frozen, package=changed))
    steps_us: list[float] = []
    first_us = 0.0
    for number in range(SITTINGS + WARM_UP):
        started = time.thread_time_ns()
        state = begun(compiled, number)
        if number < WARM_UP:
            first_us = max(first_us, (time.thread_time_ns() - started) / 1000)
        for position in range(1, LENGTH + 1):
            item = compiled.items[state.presentations[position - 1].item_id]
            response = f"o{1 + draw('benchmark', f'answer-{number}', position, 5)}"
            started = time.thread_time_ns()
            progress = engine.record_response(
                compiled,
                state,
                position=position,
                scored=score(item, response),
                now_ms=position * 1000,
                actor=ACTOR,
            )
            step_us = (time.thread_time_ns() - started) / 1000
            if number >= WARM_UP:
                steps_us.append(step_us)
            else:
                first_us = max(first_us, step_us)
            state = progress.state
        assert state.score is not None, "the sitting did not end with its score"
    return {
        "cpu_median_us": round(statistics.median(steps_us), 1),
        "cpu_p99_us": round(percentile(steps_us, 0.99), 1),
        "first_ms": round(first_us / 1000, 1),
    }


def main() -> int:
    """Print one JSON line."""
    frozen = freeze(timed_package())
    rules: dict[str, dict[str, dict[str, float]]] = {"selection": {}, "interim_estimator": {}}
    for field, label, choice in choices():
        rules[field][label] = measure(frozen, field, choice)
    result = {"benchmark": "criteria_steps", "pool": POOL_SIZE, **rules, "machine": machine()}
    print(msgspec.json.encode(result).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
