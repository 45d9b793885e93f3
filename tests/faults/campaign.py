"""`python -m tests.faults.campaign`: kill for as long as it takes, then print what was lost.

Ends with 1 when an acknowledged answer was lost or doubled, or anything else did not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.faults.harness import Plan, run
from tests.faults.table import table

DATABASES = ("sqlite", "postgresql")
TARGETS = {"sqlite": ("web",), "postgresql": ("web", "web", "postgresql", "redis")}
"""Drawn from when nothing is said; the web server twice as often as its neighbours."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def read_options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description=__doc__)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--kills", type=int, default=100, help="on each database")
    parser.add_argument("--candidates", type=int, default=40, help="sitting at the same time")
    parser.add_argument(
        "--targets", help="comma-separated: web, postgresql, redis; naming one twice doubles it"
    )
    parser.add_argument("--seconds", type=float, default=360.0, help="no kill begins later; on each database")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="web processes (PostgreSQL only)")
    parser.add_argument("--test", choices=("demonstration", "small"), default="demonstration")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = read_options(arguments)
    failed = False
    for database in DATABASES if options.database == "both" else (options.database,):
        targets = tuple(options.targets.split(",")) if options.targets else TARGETS[database]
        plan = Plan(
            database=database,
            kills=options.kills,
            candidates=options.candidates,
            targets=tuple(name for name in targets if name in TARGETS[database]),
            seconds=options.seconds,
            seed=options.seed,
            workers=1 if database == "sqlite" else options.workers,
            test=options.test,
            replays=10,
        )
        report = asyncio.run(run(plan, say))
        say(table(report))
        failed = failed or bool(report.audit.lost or report.audit.doubled or report.audit.findings)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
