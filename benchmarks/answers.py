"""Durable answers per second through real HTTP: `python -m benchmarks.answers`.

The real server (one worker) with candidates who are signed in; their programs run in another process, each on
one keep-alive connection, and answer again as soon as an answer is acknowledged. Afterwards the answers in
the database are counted: what was acknowledged must be there. In the same run the same rows are written
without the product, a commit for each and in groups: the ratio of the two numbers means more than either.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import psutil  # type: ignore[import-untyped]  # it ships no types

from benchmarks.exam_hall.bare import postgresql_rows_per_s, sqlite_rows_per_s
from benchmarks.exam_hall.clients import Orders, Report
from benchmarks.exam_hall.setting import durable_answers, prepare
from benchmarks.measuring.machine import machine, percentile
from tests.faults.web_server import SECRET_KEY, WebServer
from tests.services.postgresql import PostgreSQL
from tests.services.redis import Redis

CANDIDATES = 50
ANSWERS = 60
LIMIT_S = 300


def answer_all(url: str, redis_url: str = "") -> dict[str, Any]:
    """Serve, answer, count."""
    candidates = asyncio.run(prepare(url, SECRET_KEY.encode(), candidates=CANDIDATES, answers=ANSWERS))
    with WebServer(url, redis_url=redis_url) as server:
        orders = Orders(server.port, candidates, ANSWERS)
        before_s = cpu_s(server)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.exam_hall.clients"],
            input=msgspec.json.encode(orders),
            stdout=subprocess.PIPE,
            check=False,
            timeout=LIMIT_S,
        )
        if done.returncode != 0:
            raise RuntimeError(f"the clients gave up; the server wrote:\n{server.log[-3000:]}")
        spent_s = cpu_s(server) - before_s
    report = msgspec.json.decode(done.stdout, type=Report)
    durable, _ = asyncio.run(durable_answers(url))
    assert durable == report.acknowledged == CANDIDATES * ANSWERS, "acknowledged answers are missing"
    return {
        "answers_per_s": round(report.acknowledged / report.took_s),
        "median_ms": round(statistics.median(report.response_ms), 1),
        "p99_ms": round(percentile(report.response_ms, 0.99), 1),
        "server_cpu_us_per_answer": round(spent_s * 1e6 / report.acknowledged),
        "acknowledged": report.acknowledged,
        "durable": durable,
    }


def cpu_s(server: WebServer) -> float:
    """Processor time of the server and its worker so far: it holds also on a machine that others use."""
    supervisor = psutil.Process(int((server.directory / "server.pid").read_text()))
    times = [process.cpu_times() for process in (supervisor, *supervisor.children(recursive=True))]
    return float(sum(spent.user + spent.system for spent in times))


def on_sqlite() -> dict[str, Any]:
    """The embedded default."""
    with tempfile.TemporaryDirectory(prefix="cat-engine-benchmark-") as scratch:
        file = Path(scratch) / "benchmark.sqlite3"
        url = f"sqlite+aiosqlite:///{file}"
        result = answer_all(url)
        _, rows = asyncio.run(durable_answers(url))
        result["bare_commit_each_per_s"] = round(sqlite_rows_per_s(file, rows, 1))
        result["bare_group_commit_per_s"] = round(sqlite_rows_per_s(file, rows, CANDIDATES))
        return result


def on_postgresql() -> dict[str, Any]:
    """As large installations run it, with Redis beside."""
    with PostgreSQL() as server, Redis() as redis:
        url = server.create_database("benchmark")
        result = answer_all(url, redis.url)
        _, rows = asyncio.run(durable_answers(url))

        def bare(connections: int, group: int) -> int:
            return round(asyncio.run(postgresql_rows_per_s(url, rows, connections=connections, group=group)))

        result["bare_commit_each_per_s"] = bare(CANDIDATES, 1)
        result["bare_commit_each_one_connection_per_s"] = bare(1, 1)
        result["bare_group_commit_per_s"] = bare(1, CANDIDATES)
        return result


def main() -> int:
    """Print one JSON line."""
    result = {
        "benchmark": "answers",
        "candidates": CANDIDATES,
        "workers": 1,
        "sqlite": on_sqlite(),
        "postgresql_redis": on_postgresql(),
        "machine": machine(),
    }
    print(msgspec.json.encode(result).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
