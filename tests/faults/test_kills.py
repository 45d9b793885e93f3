"""Servers die in the middle of an exam: nothing that was acknowledged is lost, and nothing is doubled."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from tests.faults.harness import Plan, Report, run
from tests.faults.table import table

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

SQLITE = Plan(database="sqlite", kills=6, candidates=20, seed=11, seconds=180.0, quiet_s=(0.4, 2.0))
POSTGRESQL = replace(
    SQLITE, database="postgresql", targets=("web", "web", "postgresql", "redis"), workers=2, seed=14
)


async def shown(plan: Plan) -> Report:
    report = await run(plan)
    sys.stdout.write(f"\n{table(report)}\n")
    return report


def assert_nothing_was_lost(report: Report, *, answers: int = 100, recovery_s: float = 10.0) -> None:
    audit = report.audit
    assert (audit.lost, audit.doubled, audit.findings) == (0, 0, []), report.web_log[-4000:]
    assert len(report.outages) == report.plan.kills
    assert audit.acknowledged > answers, "too few answers to say anything"
    # on a machine with nothing else to do; where others compute too, in proportion later
    assert [o for o in report.outages if o.recovery_s >= recovery_s * o.crowding] == []


async def test_twenty_sittings_outlive_the_kills_of_a_server_on_sqlite() -> None:
    assert_nothing_was_lost(await shown(SQLITE))


async def test_twenty_sittings_outlive_the_kills_of_servers_database_and_redis() -> None:
    report = await shown(POSTGRESQL)
    assert_nothing_was_lost(report)
    assert {outage.target for outage in report.outages} == {"web", "postgresql", "redis"}


async def test_a_server_that_acknowledges_before_it_writes_is_found_out() -> None:
    """The control: the same harness, durability broken on purpose."""
    report = await shown(replace(SQLITE, kills=1, quiet_s=(2.0, 2.0), command=("tests.faults.early_server",)))
    assert report.audit.lost > 0


async def test_a_database_that_commits_asynchronously_is_found_out() -> None:
    """The other control: PostgreSQL says "committed" before the write-ahead log is on its way to the disk."""
    broken = replace(POSTGRESQL, kills=1, targets=("postgresql",), workers=1, asynchronous_commit=True)
    report = await shown(replace(broken, quiet_s=(2.0, 2.0)))
    assert report.audit.lost > 0


async def test_time_that_the_database_was_away_is_given_back_while_the_server_lives_on() -> None:
    plan = replace(POSTGRESQL, kills=1, targets=("postgresql",), candidates=4, workers=2, down_s=8.0)
    report = await shown(plan)
    assert_nothing_was_lost(report, answers=1, recovery_s=25.0)
    assert report.audit.worst_lost_time_ms < 2500
