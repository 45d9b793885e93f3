"""Simulation studies: `python -m benchmarks.simulation`.

Sittings of 30 items on a 3PL pool of 500 items: one by one through the engine's verbs, and in batches; with a
blueprint of ten areas and randomesque exposure, and plain (the most informative item, nothing else). In the
same run catsim 0.21.0 does its plain test on the same pool and people, in an environment of its own that is
made for it and thrown away; where it cannot be installed the line says so.

Times are CPU seconds, the shortest of the repeats: other programs of a busy machine lengthen the wall. A step
is everything that a simulated answer costs: drawing it, deciding, folding the events. `memory_mb` is the
highest memory of a whole study with so many candidates, in a process of its own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.adaptive_step import package
from benchmarks.measuring.machine import machine
from cat_engine.core.batch import Hall
from cat_engine.core.compiled import compile_package
from cat_engine.core.simulation.outcomes import sitting_seed, through_engine
from cat_engine.core.simulation.people import Crowd
from cat_engine.core.simulation.population import Candidate, Normal, Speed, candidate
from cat_engine.core.simulation.study import Study, run
from cat_engine.core.simulation.truth import truth_of
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import PackageFile, RuleChoice

POOL, LENGTH, CANDIDATES = 500, 30, 1_000
ONE_BY_ONE = 100
OF_CATSIM = 40
OF_A_LARGE_STUDY = 32_000  # a process takes two seconds to start
REPEATS = 5
CATSIM = "catsim==0.21.0"
INSTALLING_LIMIT_S = 300
MEMORY_CANDIDATES = (1_000, 8_000)
SEED = "benchmark"


def packages() -> dict[str, PackageFile]:
    """The pool with a blueprint and lots, and plain."""
    full = package(POOL, LENGTH)
    section = msgspec.structs.replace(full.sections[0], blueprint=(), exposure=RuleChoice("best"))
    plain = msgspec.structs.replace(full, sections=(section,))
    return {"blueprint": freeze(full), "plain": freeze(plain)}


class Case:
    """One package with its simulated people."""

    def __init__(self, package_file: PackageFile) -> None:
        self.compiled = compile_package(package_file)
        self.truth = truth_of(self.compiled.sections[0].pool, package_file.package.metric_d)
        population = Normal(candidates=CANDIDATES)
        self.people: list[Candidate] = [
            candidate(self.compiled, population, Speed(), seed=SEED, number=number)
            for number in range(CANDIDATES)
        ]
        self.hall = Hall(self.compiled)

    def one_by_one(self) -> None:
        """The first people through the engine."""
        for person in self.people[:ONE_BY_ONE]:
            outcome, _, _ = through_engine(self.compiled, (self.truth,), person, SEED)
            assert outcome.sections[0].answered == LENGTH

    def batch(self) -> None:
        """Everybody at once."""
        crowd = Crowd(
            self.truth,
            np.array([person.composites[0] for person in self.people]),
            np.zeros(CANDIDATES),
            np.array([person.key for person in self.people], dtype=np.uint64),
        )
        found = self.hall.run([sitting_seed(SEED, person.number) for person in self.people], crowd)
        assert (found.lengths == LENGTH).all()


def shortest_cpu_s(work: Callable[[], None], repeats: int = REPEATS) -> float:
    """CPU seconds of the shortest of some runs, after one to warm up."""
    work()
    found = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def catsim_s(case: Case) -> dict[str, Any]:
    """What catsim needs for a step, in the same minute on the same machine."""
    items = case.compiled.sections[0].pool.items
    task = {
        "items": [[1.7 * item.a, item.b[0], item.c, item.d] for item in items],
        "thetas": [person.composites[0] for person in case.people[:OF_CATSIM]],
        "length": LENGTH,
        "repeats": 3,
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "task.json").write_text(json.dumps(task), encoding="utf-8")
        python = place / "environment" / "bin" / "python"
        script = Path(__file__).parent / "measuring" / "catsim_study.py"
        commands = (
            [sys.executable, "-m", "venv", str(place / "environment")],
            [str(python), "-m", "pip", "install", "--quiet", CATSIM],
            [str(python), str(script), str(place / "task.json")],
        )
        printed = ""
        for command in commands:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=INSTALLING_LIMIT_S, check=False
            )
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                return {"unavailable": f"{CATSIM} could not be installed or run: {last}"[:200]}
            printed = done.stdout
    found: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    found["ms_per_step"] = round(1000 * found["cpu_s"] / OF_CATSIM / LENGTH, 4)
    return found


def memory_mb(candidates: int) -> float:
    """The highest memory of a study, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.simulation", "--memory", str(candidates)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _memory_of_a_study(candidates: int) -> None:
    run(Study(package_file=packages()["blueprint"], population=Normal(candidates=candidates), seed=SEED))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure() -> dict[str, Any]:
    """Everything but the memory."""
    files = packages()
    cases = {name: Case(file) for name, file in files.items()}
    result: dict[str, Any] = {}
    for name, case in cases.items():
        step_s = shortest_cpu_s(case.one_by_one) / ONE_BY_ONE / LENGTH
        result[name] = {
            "one_by_one_ms_per_step": round(1000 * step_s, 4),
            "batch_s": round(shortest_cpu_s(case.batch), 3),
        }
    population = Normal(candidates=OF_A_LARGE_STUDY)
    study = Study(package_file=files["blueprint"], population=population, seed=SEED)
    wall = {}
    for processes in (1, 2):
        started = time.perf_counter()
        run(study, processes=processes)
        wall[str(processes)] = round(time.perf_counter() - started, 2)
    result["large_study"] = {"candidates": OF_A_LARGE_STUDY, "wall_s_by_processes": wall}
    peer = catsim_s(cases["plain"])
    result["catsim"] = peer
    if "ms_per_step" in peer:
        whole_s = peer["ms_per_step"] / 1000 * CANDIDATES * LENGTH
        for name in cases:
            own = result[name]
            own["one_by_one_times_catsim"] = round(peer["ms_per_step"] / own["one_by_one_ms_per_step"], 1)
            own["batch_times_catsim"] = round(whole_s / own["batch_s"], 1)
    return result


def main() -> int:
    """Print one JSON line."""
    if len(sys.argv) == 3:
        _memory_of_a_study(int(sys.argv[2]))
        return 0
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    result = {
        "benchmark": "simulation",
        "pool": POOL,
        "length": LENGTH,
        "candidates": CANDIDATES,
        **measure(),
        "memory_mb": {str(number): round(memory_mb(number), 1) for number in MEMORY_CANDIDATES},
        "machine": machine(),
    }
    print(msgspec.json.encode(result).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
