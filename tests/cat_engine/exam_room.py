"""An agency, a room, a package and its candidates on a real database; and processes that serve it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from sqlalchemy import event, func, insert, select

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import Progress
from cat_engine.core.state import SittingState, fold
from cat_engine.core.test_package import TestPackage
from cat_engine.delivery.exam_sessions import open_session
from cat_engine.delivery.exposure import LiveExposure
from cat_engine.delivery.journal import Journal
from cat_engine.delivery.packages import ItemView, PackageStore, install
from cat_engine.delivery.sittings import Decide, SittingRef, Sittings, read_log
from cat_engine.delivery.tables import exam_sessions, rooms, roster_entries, seats, sitting_log, sittings
from cat_engine.foundation.actors import Actor, Role
from cat_engine.foundation.storage import Storage, metadata
from cat_engine.foundation.tables import agencies, people
from cat_engine.proctoring.acts import Order, carry_out
from tests.cat_engine import small_packages as small

AGENCY = "agency-1"
SESSION = "session-1"
MANAGER = Actor("manager-1", AGENCY, "Panitia", frozenset({Role.ADMINISTRATOR}))
PROCTOR = Actor("proctor-1", AGENCY, "Pengawas", frozenset({Role.PROCTOR}))


@dataclass
class HandClock:
    """A clock moved by hand; several processes may share it."""

    at_ms: int = small.START_MS

    def now_ms(self) -> int:
        return self.at_ms


@dataclass
class Process:
    """What one serving process holds: its own connections, memory and writer."""

    storage: Storage
    packages: PackageStore
    journal: Journal
    sittings: Sittings


@asynccontextmanager
async def process(url: str, clock: HandClock, redis_url: str | None = None) -> AsyncIterator[Process]:
    storage = Storage(url)
    packages, journal = PackageStore(storage), Journal(storage)
    sittings = Sittings(storage, packages, journal, clock, LiveExposure(storage, redis_url))
    journal.start()
    try:
        yield Process(storage, packages, journal, sittings)
    finally:
        await journal.stop()
        await sittings.exposure.close()
        await storage.close()


@dataclass
class ExamRoom:
    """The room, and its first serving process."""

    url: str
    clock: HandClock
    package_id: str
    server: Process
    sitting_ids: list[str] = field(default_factory=list)

    @property
    def storage(self) -> Storage:
        return self.server.storage

    @property
    def sittings(self) -> Sittings:
        return self.server.sittings

    async def ref(self, number: int = 0) -> SittingRef:
        """The sitting as a request's authorisation reads it: with its newest revision."""
        async with self.storage.reading() as connection:
            newest = await connection.execute(
                select(func.max(sitting_log.c.revision)).where(
                    sitting_log.c.sitting_id == self.sitting_ids[number]
                )
            )
            return SittingRef(self.sitting_ids[number], AGENCY, self.package_id, newest.scalar_one())

    async def log(self, number: int = 0) -> list[e.Entry]:
        async with self.storage.reading() as connection:
            entries, _ = await read_log(connection, self.sitting_ids[number])
        return entries

    async def stored(self, number: int = 0) -> SittingState:
        """The state as the database alone gives it."""
        return fold(await self.log(number))

    async def rows(self) -> int:
        async with self.storage.reading() as connection:
            return (await connection.execute(select(func.count()).select_from(sitting_log))).scalar_one()

    async def act(self, name: str, number: int = 0, *, reason: str = "", amount_ms: int = 0) -> None:
        """A proctor's act that must succeed."""
        order = Order(name, reason, amount_ms)
        outcomes = await carry_out(
            self.storage, self.sittings, PROCTOR, [await self.ref(number)], order, self.clock.now_ms()
        )
        if outcomes[0].refused:
            raise outcomes[0].refused

    async def begin(self, number: int = 0) -> SittingState:
        """The whole way from the door to the first item."""
        await self.arrive(number)
        return await self.go_on(number)

    async def arrive(self, number: int = 0) -> None:
        """From the door to admission."""
        who = small.CANDIDATE
        arrivals: tuple[e.AnyEvent, ...] = (
            e.CheckedIn(seat="A1"),
            e.PledgeSigned(text_hash="a" * 64),
            e.DeviceChecked(javascript=True),
        )
        for arrival in arrivals:
            await self.sittings.apply(await self.ref(number), plain(arrival))
        await self.sittings.apply(
            await self.ref(number), lambda _c, state, now: engine.enter_waiting(state, now_ms=now, actor=who)
        )
        await self.act("admit", number)

    async def go_on(self, number: int = 0) -> SittingState:
        live = await self.sittings.begin(await self.ref(number), candidate(number))
        return live.state


def plain(event: e.AnyEvent) -> Decide:
    """The candidate's act, as a decision to apply."""

    def decide(_compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
        return engine.act(state, event, now_ms=now_ms, actor=small.CANDIDATE)

    return decide


def candidate(number: int = 0) -> Actor:
    return Actor(f"roster-{number}", AGENCY, f"Peserta {number}", frozenset({Role.CANDIDATE}))


@asynccontextmanager
async def exam_room(
    url: str, *, candidates: int = 1, package: TestPackage | None = None, opened: bool = True
) -> AsyncIterator[ExamRoom]:
    clock = HandClock()
    async with process(url, clock) as server:
        async with server.storage.transaction() as connection:
            await connection.run_sync(metadata.create_all)
            await connection.execute(
                insert(agencies).values(id=AGENCY, code="KAB", name="Kab.", zone="WIB", is_demonstration=True)
            )
            test = package or small.mixed_package()
            package_id, _ = await install(connection, AGENCY, test, views_of(test), at_ms=clock.at_ms)
            await connection.execute(
                insert(rooms).values(id="room-1", agency_id=AGENCY, name="R1", building="G1")
            )
            await connection.execute(
                insert(exam_sessions).values(
                    id=SESSION,
                    agency_id=AGENCY,
                    room_id="room-1",
                    package_id=package_id,
                    title="Sesi 1",
                    starts_at_ms=clock.at_ms,
                    status="scheduled",
                    pledge="{}",
                )
            )
        room = ExamRoom(url, clock, package_id, server)
        for number in range(candidates):
            await add_candidate(room, number)
        if opened:
            await open_room(room)
        yield room


def views_of(package: TestPackage) -> dict[tuple[str, str], ItemView]:
    """Words for every item: five options, in the package's first language."""
    return {
        (item.item_id, "id"): ItemView(
            stem=f"Butir {item.code}", options=tuple(f"Pilihan {n}" for n in range(len(item.option_points)))
        )
        for item in package.items
    }


async def add_candidate(room: ExamRoom, number: int, *, accommodation_s: int = 0) -> None:
    async with room.storage.transaction() as connection:
        await connection.execute(
            insert(people).values(
                id=f"person-{number}",
                agency_id=AGENCY,
                nip=f"{number:018d}",
                name=f"Peserta {number}",
                post="Analis",
                unit="Dinas",
                rank="III/d",
                is_simulated=True,
            )
        )
        await connection.execute(
            insert(seats).values(
                id=f"seat-{number}", room_id="room-1", label=f"A{number}", row=1, column=number
            )
        )
        await connection.execute(
            insert(roster_entries).values(
                id=f"roster-{number}",
                agency_id=AGENCY,
                exam_session_id=SESSION,
                person_id=f"person-{number}",
                candidate_number=f"P-{number:04d}",
                pin_hash="",
                seat_id=f"seat-{number}",
                post_title="Kepala Bidang",
                accommodation_s=accommodation_s,
                accommodation_note="",
                failed_pin_attempts=0,
                pin_locked_until_ms=0,
            )
        )


async def open_room(room: ExamRoom) -> None:
    await open_session(room.storage, room.server.packages, MANAGER, SESSION, room.clock.now_ms())
    async with room.storage.reading() as connection:
        rows = await connection.execute(select(sittings.c.id, sittings.c.roster_entry_id))
        by_roster = {row.roster_entry_id: row.id for row in rows}
    room.sitting_ids = [by_roster[f"roster-{number}"] for number in range(len(by_roster))]


@contextmanager
def statements(*storages: Storage) -> Iterator[list[str]]:
    """Every statement that reaches the database meanwhile, but for the borders of transactions."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            seen.append(statement)

    watched = [one.sync_engine for storage in storages for one in storage.engines]
    for one in watched:
        event.listen(one, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for one in watched:
            event.remove(one, "before_cursor_execute", note)
