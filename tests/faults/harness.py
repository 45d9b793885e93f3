"""The kill harness: real servers, real candidates, random kills, and a comparison at the end.

A seat of the room is one candidate at a time; when a sitting is over, the next candidate takes the seat. The
killer waits a random while after the last recovery, kills one target without warning, and starts it again at
once. Chance is seeded, but where a kill meets the server's work is up to the machine: that is the point.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cat_engine.delivery.rosters import Slip
from cat_engine.foundation.storage import Storage
from tests.faults.audit import Audit, Outage, compare
from tests.faults.candidates import Candidate, Memory
from tests.faults.exam_day import ExamDay, now_ms
from tests.faults.web_server import SERVE, WebServer
from tests.services.postgresql import PostgreSQL
from tests.services.redis import Redis
from tests.services.throw_away import ThrowAwayServer

DATABASE = "exam_day"
RECOVERY_LIMIT_S = 60.0
LEAVE_LIMIT_S = 40.0
UNDERWAY_LIMIT_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run does."""

    database: str  # sqlite or postgresql
    kills: int
    candidates: int
    targets: tuple[str, ...] = ("web",)  # drawn from; naming one twice makes it twice as likely
    seconds: float = 60.0  # no kill begins later than this
    seed: int = 1
    workers: int = 1
    test: str = "small"  # or demonstration
    replays: int = 3
    think_s: float = 0.15
    quiet_s: tuple[float, float] = (0.5, 2.5)  # between a recovery and the next kill
    down_s: float = 0.0  # how long what was killed stays down
    command: tuple[str, ...] = SERVE
    asynchronous_commit: bool = False  # PostgreSQL's, broken on purpose


@dataclass
class Report:
    """What came of it."""

    plan: Plan
    outages: list[Outage]
    audit: Audit
    seconds: float
    web_log: str = field(repr=False, default="")


@dataclass
class _Room:
    """The servers and the candidates of one run."""

    plan: Plan
    day: ExamDay
    targets: dict[str, ThrowAwayServer]
    say: Callable[[str], None]
    memory: Memory = field(default_factory=Memory)
    outages: list[Outage] = field(default_factory=list)
    slips: deque[Slip] = field(default_factory=deque)
    newcomers: asyncio.Lock = field(default_factory=asyncio.Lock)
    sitting: set[Candidate] = field(default_factory=set)
    dead_ms: int = 0  # when the last victim was seen to be gone; 0 while nothing is down
    good_ms: int = 0
    is_closing: bool = False

    def note_good(self, sent_ms: int) -> None:
        """A good reply; the first to something sent after the victim was gone ends the outage."""
        if self.dead_ms and not self.good_ms and sent_ms > self.dead_ms:
            self.good_ms = now_ms()


async def run(plan: Plan, say: Callable[[str], None] = lambda _: None) -> Report:
    """One whole run."""
    begun_s = time.monotonic()
    async with _opened(plan, say) as room:
        seats = [asyncio.create_task(_seat(room, number)) for number in range(plan.candidates)]
        proctor = asyncio.create_task(room.day.admit_for_ever())
        try:
            await _until(
                lambda: room.memory.begun >= plan.candidates, UNDERWAY_LIMIT_S, "everybody sits", seats
            )
            await _kill_some(room, seats)
        finally:
            room.is_closing = True
            for candidate in room.sitting:
                candidate.leave.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*seats), LEAVE_LIMIT_S)
            proctor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await proctor
        web = room.targets["web"]
        log = web.log
        await asyncio.to_thread(web.kill)
        audit = await compare(room.day.storage, room.memory, room.outages, replays=plan.replays)
    return Report(plan, room.outages, audit, time.monotonic() - begun_s, log)


@asynccontextmanager
async def _opened(plan: Plan, say: Callable[[str], None]) -> AsyncIterator[_Room]:
    """The servers running, the first exam session open."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cat-engine-exam-day-")))
        targets: dict[str, ThrowAwayServer] = {}
        url, redis_url = f"sqlite+aiosqlite:///{folder / 'exam-day.sqlite'}", ""
        if plan.database == "postgresql":
            postgresql = stack.enter_context(PostgreSQL())
            redis = stack.enter_context(Redis())
            url, redis_url = postgresql.create_database(DATABASE), redis.url
            targets |= {"postgresql": postgresql, "redis": redis}
        storage = Storage(url)
        stack.push_async_callback(storage.close)
        day = ExamDay(storage)
        await day.prepare(plan.test)
        slips = await day.another_session(plan.candidates)
        if plan.asynchronous_commit and isinstance(targets["postgresql"], PostgreSQL):
            _break_durability(targets["postgresql"])
        web = WebServer(url, redis_url=redis_url, workers=plan.workers, command=plan.command)
        await asyncio.to_thread(web.start)
        stack.callback(web.stop)
        room = _Room(plan, day, {"web": web, **targets}, say)
        room.slips.extend(slips)
        say(
            f"{plan.database}: {plan.candidates} candidates, test {plan.test}, {plan.workers} web process(es)"
        )
        yield room


def crowding() -> float:
    """How many programs share a processor, over the last minute: each makes the others slower."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _break_durability(server: PostgreSQL) -> None:
    """From now on answers wait up to ten seconds in memory that a kill of the database takes away."""
    for setting in ("wal_writer_delay = '10s'", "wal_writer_flush_after = '64MB'"):
        server.execute(f"ALTER SYSTEM SET {setting}")
    server.execute("SELECT pg_reload_conf()")
    server.execute(f"ALTER DATABASE {DATABASE} SET synchronous_commit = off")


async def _until(
    is_so: Callable[[], bool], limit_s: float, what: str, seats: list[asyncio.Task[None]]
) -> None:
    deadline = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {limit_s} s: {what}")
        for seat in seats:
            if seat.done():
                seat.result()
        await asyncio.sleep(0.02)


async def _seat(room: _Room, number: int) -> None:
    """Candidates on one seat, one after another."""
    rng = random.Random(f"{room.plan.seed} {number}")
    while not room.is_closing:
        async with room.newcomers:
            if not room.slips:
                room.slips.extend(await room.day.another_session(room.plan.candidates))
            slip = room.slips.popleft()
        candidate = Candidate(
            room.targets["web"].url,
            slip,
            room.memory,
            rng,
            on_good=room.note_good,
            think_s=room.plan.think_s,
        )
        room.sitting.add(candidate)
        try:
            await candidate.sit()
        finally:
            room.sitting.discard(candidate)


async def _kill_some(room: _Room, seats: list[asyncio.Task[None]]) -> None:
    plan, rng = room.plan, random.Random(room.plan.seed)
    deadline = time.monotonic() + plan.seconds
    for number in range(1, plan.kills + 1):
        await asyncio.sleep(rng.uniform(*plan.quiet_s))
        if time.monotonic() > deadline:
            break
        name = rng.choice(plan.targets)
        target = room.targets[name]
        async with room.newcomers:  # nobody makes a roster just now: that program is not under test
            killed_ms, room.good_ms = now_ms(), 0
            await asyncio.to_thread(target.kill)
            room.dead_ms = now_ms()
            await asyncio.sleep(plan.down_s)
            await asyncio.to_thread(target.restart)
        await _until(lambda: room.good_ms > 0, RECOVERY_LIMIT_S, f"a good reply after killing {name}", seats)
        outage = Outage(name, killed_ms, room.good_ms, crowding())
        room.outages.append(outage)
        room.dead_ms = 0
        room.say(
            f"kill {number:>4}  {name:<10}  back after {outage.recovery_s:5.2f} s  "
            f"{len(room.memory.acknowledged)} answers acknowledged"
        )
    await asyncio.sleep(plan.quiet_s[1])
