"""Exposure with counts that many processes share: `python -m benchmarks.exposure_control`.

Eight processes run sittings of 30 items on a 3PL pool of 500 items at the same time, through the engine's own
verbs, and share their counts in a real Redis as servers do (`cat_engine.delivery.exposure`). Item eligibility
with r_max 0.25 and a proportional draw against the same sittings without any control: highest rate, share of
the pool never used, overlap of two sittings, root mean square error. No database writes, no HTTP.

    python -m benchmarks.exposure_control --processes 4 --sittings 400 --pool 200 --length 15
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.adaptive_step import package
from benchmarks.measuring.machine import machine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.simulation import simulate_sitting
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import RuleChoice, decode_file, encode_file
from cat_engine.delivery import tables as _tables  # noqa: F401 - the tables that lost counts are read from
from cat_engine.delivery.exposure import LiveExposure
from cat_engine.foundation import tables as _foundation  # noqa: F401 - what those refer to
from cat_engine.foundation.storage import Storage, metadata
from psychometrics.exposure import exposure_summary
from tests.services.redis import Redis

LIMIT = 0.25
CONTROLLED = {
    "eligibility": RuleChoice("item_eligibility", {"rate_per_mille": 250}),
    "exposure": RuleChoice("proportional_draw"),
}
UNCONTROLLED = {"eligibility": RuleChoice("everything"), "exposure": RuleChoice("best")}
PACKAGE_ID = "benchmark"


class Sitting(msgspec.Struct, frozen=True):
    """What the summary needs of one sitting."""

    number: int
    theta: float
    estimate: float
    columns: list[int]


class Work(msgspec.Struct, frozen=True):
    """What a process is to do: the sittings of its number, of all."""

    file: str
    database_url: str
    redis_url: str
    number: int
    processes: int
    sittings: int


def theta_of(number: int) -> float:
    return float(np.random.default_rng((17, number)).normal())


async def sit(work: Work, compiled: CompiledPackage) -> list[Sitting]:
    """The sittings of one process, one after another, counts read and told as a server does."""
    storage = Storage(work.database_url)
    exposure = LiveExposure(storage, work.redis_url)
    done = []
    for number in range(work.number, work.sittings, work.processes):
        read = await exposure.read(PACKAGE_ID, compiled)
        done.append(one(compiled, number, read, exposure))
        await asyncio.sleep(0)
    await exposure.close()
    await storage.close()
    return done


def one(
    compiled: CompiledPackage, number: int, read: tuple[e.ExposureRead, ...], exposure: LiveExposure
) -> Sitting:
    """One sitting; each entry is counted as if it had just been committed."""
    created = e.Created(
        sitting_id=f"sitting-{number}",
        package_hash=compiled.content_hash,
        seed=f"{number:032x}",
        time_allowed_ms=compiled.package.time_allowed_s * 1000,
        accommodation_ms=0,
        candidate=f"candidate-{number}",
    )
    theta = theta_of(number)
    progresses = simulate_sitting(compiled, created, {"s": theta}, 0, f"person-{number}", exposure=read)
    for progress in progresses:
        exposure.note(PACKAGE_ID, compiled, progress.state, progress.entry)
    state = progresses[-1].state
    assert state.score is not None
    estimate = state.score.sections[0].theta_millionths or 0
    index_of = compiled.sections[0].pool.index_of
    return Sitting(number, theta, estimate / 1e6, [index_of[p.item_id] for p in state.presentations])


def run(
    directory: Path, redis: Redis, size: int, length: int, sittings: int, processes: int, **rules: RuleChoice
) -> dict[str, float | int]:
    """All processes at once; what came of it."""
    file = directory / "package.json"
    test = package(size, length)
    section = msgspec.structs.replace(test.sections[0], **rules)
    test = msgspec.structs.replace(test, sections=(section,), time_allowed_s=86_400)
    file.write_bytes(encode_file(freeze(test)))
    redis.empty()
    database_url = f"sqlite+aiosqlite:///{directory / 'empty.sqlite3'}"
    asyncio.run(_make(database_url))
    work = Work(str(file), database_url, redis.url, 0, processes, sittings)
    command = [sys.executable, "-m", "benchmarks.exposure_control", "--work"]
    started = time.perf_counter()
    running = [
        subprocess.Popen(
            [*command, msgspec.json.encode(msgspec.structs.replace(work, number=number)).decode()],
            stdout=subprocess.PIPE,
        )
        for number in range(processes)
    ]
    outputs = [process.communicate()[0] for process in running]
    assert not any(process.returncode for process in running), "a process failed"
    found = [sitting for output in outputs for sitting in msgspec.json.decode(output, type=list[Sitting])]
    assert sorted(sitting.number for sitting in found) == list(range(sittings))
    seen = np.zeros((sittings, size), dtype=np.bool_)
    for sitting in found:
        seen[sitting.number, sitting.columns] = True
    errors = np.array([sitting.estimate - sitting.theta for sitting in found])
    summary = exposure_summary(seen, limit=LIMIT)
    return {
        "highest_rate": round(summary.highest_rate, 4),
        "unused_share": round(summary.unused_share, 4),
        "overlap": round(summary.overlap, 4),
        "rmse": round(float(np.sqrt((errors**2).mean())), 4),
        "seconds": round(time.perf_counter() - started, 1),
    }


async def _make(url: str) -> None:
    storage = Storage(url)
    async with storage.transaction() as connection:
        await connection.run_sync(metadata.create_all)
    await storage.close()


def measure(size: int, length: int, sittings: int, processes: int) -> dict[str, Any]:
    """With control and without."""
    found: dict[str, Any] = {"pool": size, "length": length, "sittings": sittings, "processes": processes}
    with Redis() as redis:
        for name, rules in (("controlled", CONTROLLED), ("uncontrolled", UNCONTROLLED)):
            with tempfile.TemporaryDirectory(prefix="cat-engine-exposure-") as directory:
                found[name] = run(Path(directory), redis, size, length, sittings, processes, **rules)
    found["rmse_loss"] = round(found["controlled"]["rmse"] / found["uncontrolled"]["rmse"] - 1, 4)
    return found


def main() -> int:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=int, default=500)
    parser.add_argument("--length", type=int, default=30)
    parser.add_argument("--sittings", type=int, default=2_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work = msgspec.json.decode(given.work, type=Work)
        compiled = compile_package(decode_file(Path(work.file).read_bytes()))
        print(msgspec.json.encode(asyncio.run(sit(work, compiled))).decode())
        return 0
    found = measure(given.pool, given.length, given.sittings, given.processes)
    print(msgspec.json.encode({"benchmark": "exposure_control", **found, "machine": machine()}).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
