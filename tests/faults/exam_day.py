"""What stands around the servers that are killed: an agency, its test, rosters, slips, and a proctor.

Everything goes through the services that a real exam day uses; only agency, room and exam session are rows
put in directly, as an operator's first set-up is.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError, InterfaceError

from cat_engine.core.transitions import Status
from cat_engine.delivery.exam_sessions import board, open_session
from cat_engine.delivery.journal import Journal
from cat_engine.delivery.packages import ItemView, PackageStore, install
from cat_engine.delivery.roster import ParsedRoster, RosterRow
from cat_engine.delivery.rosters import Slip, import_roster, make_slips
from cat_engine.delivery.sittings import SittingRef, Sittings
from cat_engine.delivery.tables import exam_sessions, rooms
from cat_engine.foundation.actors import Actor, Role
from cat_engine.foundation.clock import SystemClock
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import agencies
from cat_engine.proctoring.acts import Order, carry_out
from item_bank.demonstration.bank import demonstration_items
from item_bank.packages import publish
from item_bank.store import add_drafts
from tests.cat_engine.small_packages import mixed_package
from tests.faults.web_server import SECRET_KEY
from web.accounts.pins import new_pin, seal_pin
from web.database import load_tables, upgrade
from web.demonstration.design import demonstration_design
from web.demonstration.texts import demonstration_pledge

AGENCY_ID = "agency-of-the-day"
ROOM_ID = "room-of-the-day"
MANAGER = Actor("manager", AGENCY_ID, "Panitia", frozenset({Role.ADMINISTRATOR}))
PROCTOR = Actor("proctor", AGENCY_ID, "Pengawas", frozenset({Role.PROCTOR}))
PSYCHOMETRICIAN = Actor("psychometrician", AGENCY_ID, "Psikometrikawan", frozenset({Role.PSYCHOMETRICIAN}))
WRITER = Actor("writer", AGENCY_ID, "Penulis", frozenset({Role.ITEM_WRITER}))

LOOKS_EVERY_S = 0.3
DATABASE_AWAY = (DBAPIError, InterfaceError, OSError, TimeoutError)
"""What a program of ours meets while the database is down or coming back."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class ExamDay:
    """The database as the proctor and the administrator reach it, from a process that is never killed."""

    storage: Storage
    package_id: str = ""
    session_ids: list[str] = field(default_factory=list)
    _candidates: int = 0

    def __post_init__(self) -> None:
        self.packages = PackageStore(self.storage)
        self._sittings = Sittings(self.storage, self.packages, Journal(self.storage), SystemClock())

    async def prepare(self, test: str) -> None:
        """Schema, agency, room, and the test package: `demonstration` or `small`."""
        load_tables()
        await upgrade(self.storage)
        async with self.storage.transaction() as connection:
            await connection.execute(
                insert(agencies).values(
                    id=AGENCY_ID, code="UJI", name="Instansi uji", zone="WIB", is_demonstration=True
                )
            )
            await connection.execute(
                insert(rooms).values(id=ROOM_ID, agency_id=AGENCY_ID, name="Ruang uji", building="Gedung uji")
            )
            if test == "demonstration":
                await add_drafts(
                    connection, WRITER, demonstration_items(), status="operational", at_ms=now_ms()
                )
                design = demonstration_design()
                self.package_id = await publish(connection, PSYCHOMETRICIAN, design, at_ms=now_ms())
                return
            package = mixed_package()
            views = {
                (item.item_id, "id"): ItemView(
                    stem=f"<p>Butir {item.code}</p>",
                    options=tuple(f"Pilihan {number}" for number in range(len(item.option_points))),
                )
                for item in package.items
            }
            self.package_id, _ = await install(connection, AGENCY_ID, package, views, at_ms=now_ms())

    async def another_session(self, candidates: int) -> tuple[Slip, ...]:
        """One more exam session, its roster imported, its slips made, its room opened."""
        session_id, at_ms = new_id(now_ms()), now_ms()
        numbers = range(self._candidates, self._candidates + candidates)
        self._candidates += candidates
        rows = tuple(
            RosterRow(
                row_number=2 + place,
                nip=f"19800101200501{1 + number // 1000}{number % 1000:03d}",
                name=f"Peserta {number}",
                candidate_number=f"UJI-{number:05d}",
                accommodation_s=600 if number % 5 == 0 else 0,
            )
            for place, number in enumerate(numbers)
        )
        async with self.storage.transaction() as connection:
            await connection.execute(
                insert(exam_sessions).values(
                    id=session_id,
                    agency_id=AGENCY_ID,
                    room_id=ROOM_ID,
                    package_id=self.package_id,
                    selection_id=None,
                    title=f"Sesi {len(self.session_ids) + 1}",
                    starts_at_ms=at_ms,
                    status="scheduled",
                    pledge=msgspec.json.encode(demonstration_pledge()).decode(),
                )
            )
            await import_roster(connection, MANAGER, session_id, ParsedRoster(rows, ()), at_ms)
            slips = await make_slips(
                connection,
                MANAGER,
                session_id,
                at_ms,
                new_pin=new_pin,
                seal_pin=partial(seal_pin, SECRET_KEY.encode()),
            )
        await open_session(self.storage, self.packages, MANAGER, session_id, at_ms)
        self.session_ids.append(session_id)
        return slips

    async def admit_for_ever(self) -> None:
        """The proctor: whoever waits is admitted; while the database is away the proctor tries again."""
        while True:
            try:
                await self._admit()
            except DATABASE_AWAY:
                await asyncio.sleep(LOOKS_EVERY_S)
            await asyncio.sleep(LOOKS_EVERY_S)

    async def _admit(self) -> None:
        for session_id in self.session_ids[-2:]:
            async with self.storage.reading() as connection:
                rows = await board(connection, session_id)
                open_status = await connection.scalar(
                    select(exam_sessions.c.status).where(exam_sessions.c.id == session_id)
                )
            acts = {Status.WAITING: "admit", Status.PAUSED: "resume", Status.WAITING_RESUME: "resume"}
            for row in rows if open_status == "open" else ():
                if row.status in acts:
                    ref = SittingRef(row.sitting_id, AGENCY_ID, row.package_id, row.revision)
                    order = Order(acts[row.status])
                    await carry_out(self.storage, self._sittings, PROCTOR, [ref], order, now_ms())
