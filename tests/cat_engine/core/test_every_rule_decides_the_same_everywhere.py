"""Every rule, on stored tables: the same log as ever, without vector kernels, and when decided again."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cat_engine.core.compiled import compile_package
from cat_engine.integrity.replay import decide_again
from tests.cat_engine import every_rule

ROOT = Path(__file__).parents[3]
DIGESTS: dict[str, str] = json.loads((every_rule.GOLDEN / "digests.json").read_text(encoding="utf-8"))


def test_every_rule_of_every_family_is_among_the_designs() -> None:
    assert {name for name, _ in every_rule.designs()} == set(DIGESTS)
    assert len(DIGESTS) > 45


@pytest.mark.parametrize("name", DIGESTS)
def test_no_item_twice_no_enemies_and_every_decision_is_made_again(name: str) -> None:
    package_file = dict(every_rule.designs())[name]
    compiled = compile_package(package_file)
    items = compiled.items
    for progresses in every_rule.sittings_of(package_file):
        last = progresses[-1].state
        asked = [items[p.item_id] for p in last.presentations]
        assert asked
        assert len({item.item_id for item in asked}) == len(asked)
        assert not {enemy for item in asked for enemy in item.enemies} & {item.item_id for item in asked}
        assert last.score is not None
        assert last.score.sections[0].stop_reason
        state = None
        for progress in progresses:
            again = decide_again(compiled, state, progress.entry)
            assert again.entry == progress.entry
            state = again.state


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kernels", ["all", "none"])
def test_the_logs_are_those_that_were_written_down(kernels: str) -> None:
    """In a process of its own: numpy reads which kernels it may use when it is loaded."""
    umath = importlib.import_module("numpy._core._multiarray_umath")  # numpy shows it nowhere else
    switched_off = [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__.get(name)]
    environment = {**os.environ, "PYTHONHASHSEED": "11"}
    if kernels == "none":
        assert switched_off, "this processor offers numpy nothing to switch off"
        environment["NPY_DISABLE_CPU_FEATURES"] = " ".join(switched_off)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.cat_engine.every_rule"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert {name for name in DIGESTS if found.get(name) != DIGESTS[name]} == set()
