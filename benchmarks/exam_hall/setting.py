"""A database with candidates who are signed in and have their first item before them."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from sqlalchemy import func, insert, select

from benchmarks.adaptive_step import ACTOR, package
from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.engine import Progress
from cat_engine.core.test_package import TestPackage
from cat_engine.core.transitions import Status
from cat_engine.delivery.exam_sessions import open_session
from cat_engine.delivery.journal import Journal
from cat_engine.delivery.packages import ItemView, PackageStore, install
from cat_engine.delivery.sittings import Decide, SittingRef, Sittings
from cat_engine.delivery.tables import exam_sessions, rooms, roster_entries, sitting_log, sittings
from cat_engine.foundation.actors import Actor, Role
from cat_engine.foundation.clock import SystemClock
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import agencies, people
from web.accounts.principals import hash_token
from web.accounts.sessions import begin_candidate_session
from web.database import load_tables, upgrade
from web.demonstration.texts import demonstration_pledge
from web.security import csrf_token_for

AGENCY, ROOM, SESSION = "benchmark-agency", "benchmark-room", "benchmark-session"
MANAGER = Actor("manager", AGENCY, "Panitia", frozenset({Role.ADMINISTRATOR}))
POOL_SIZE = 1_000
STEM = "<p>Pernyataan di bawah ini menguji pemahaman Saudara atas sebuah aturan kepegawaian.</p>"


class Candidate(msgspec.Struct, frozen=True):
    """What a candidate's program needs: where to answer, and the cookie and token of its login session."""

    sitting_id: str
    cookie: str
    csrf_token: str


async def prepare(url: str, secret_key: bytes, *, candidates: int, answers: int) -> list[Candidate]:
    """Schema, test, roster, sittings begun, login sessions."""
    load_tables()
    storage = Storage(url)
    journal = Journal(storage)
    journal.start()
    try:
        await upgrade(storage)
        package_id = await _rows(storage, package(POOL_SIZE, answers), candidates)
        packages = PackageStore(storage)
        await open_session(storage, packages, MANAGER, SESSION, now_ms())
        service = Sittings(storage, packages, journal, SystemClock())
        async with storage.reading() as connection:
            found = (await connection.execute(select(sittings.c.id, sittings.c.roster_entry_id))).all()
        prepared = []
        for sitting_id, roster_entry_id in found:
            await _begin(service, sitting_id, package_id)
            async with storage.transaction() as connection:
                cookie = await begin_candidate_session(connection, roster_entry_id, now_ms(), None)
            prepared.append(Candidate(sitting_id, cookie, csrf_token_for(secret_key, hash_token(cookie))))
        return prepared
    finally:
        await journal.stop()
        await storage.close()


def now_ms() -> int:
    """The machine's clock."""
    return time.time_ns() // 1_000_000


async def _rows(storage: Storage, test: TestPackage, candidates: int) -> str:
    at_ms = now_ms()
    views = {
        (item.item_id, "id"): ItemView(stem=STEM, options=tuple(f"Pilihan {n}" for n in range(5)))
        for item in test.items
    }
    async with storage.transaction() as connection:
        await connection.execute(
            insert(agencies).values(id=AGENCY, code="BM", name="BM", zone="WIB", is_demonstration=True)
        )
        await connection.execute(insert(rooms).values(id=ROOM, agency_id=AGENCY, name="R", building="G"))
        package_id, _ = await install(connection, AGENCY, test, views, at_ms=at_ms)
        await connection.execute(
            insert(exam_sessions).values(
                id=SESSION,
                agency_id=AGENCY,
                room_id=ROOM,
                package_id=package_id,
                selection_id=None,
                title="Sesi",
                starts_at_ms=at_ms,
                status="scheduled",
                pledge=msgspec.json.encode(demonstration_pledge()).decode(),
            )
        )
        await connection.execute(insert(people), [_person(number) for number in range(candidates)])
        await connection.execute(insert(roster_entries), [_entry(number) for number in range(candidates)])
    return package_id


def _person(number: int) -> dict[str, Any]:
    return {
        "id": f"person-{number}",
        "agency_id": AGENCY,
        "nip": f"{number:018d}",
        "name": f"Peserta {number}",
        "post": "",
        "unit": "",
        "rank": "",
        "is_simulated": True,
    }


def _entry(number: int) -> dict[str, Any]:
    return {
        "id": f"roster-{number}",
        "agency_id": AGENCY,
        "exam_session_id": SESSION,
        "person_id": f"person-{number}",
        "candidate_number": f"BM-{number:05d}",
        "pin_hash": "",
        "seat_id": None,
        "post_title": "",
        "accommodation_s": 0,
        "accommodation_note": "",
        "failed_pin_attempts": 0,
        "pin_locked_until_ms": 0,
    }


def _plain(event: e.AnyEvent) -> Decide:
    def decide(_compiled: object, state: Any, at_ms: int) -> Progress:
        return engine.act(state, event, now_ms=at_ms, actor=ACTOR)

    return decide


async def _begin(service: Sittings, sitting_id: str, package_id: str) -> None:
    ref = SittingRef(sitting_id, AGENCY, package_id, revision=1)
    steps: tuple[Decide, ...] = (
        _plain(e.CheckedIn(seat="")),
        _plain(e.PledgeSigned(text_hash="0" * 64)),
        _plain(e.DeviceChecked(javascript=True)),
        lambda _compiled, state, at_ms: engine.enter_waiting(state, now_ms=at_ms, actor=ACTOR),
        _plain(e.Authorised()),
        lambda compiled, state, at_ms: engine.begin(compiled, state, now_ms=at_ms, actor=ACTOR),
    )
    for step in steps:
        live = await service.apply(ref, step)
    assert live.state.status is Status.IN_PROGRESS, "the sitting did not begin"


async def durable_answers(url: str) -> tuple[int, list[tuple[Any, ...]]]:
    """How many answers the database holds, and the rows they are in."""
    storage = Storage(url)
    try:
        async with storage.reading() as connection:
            answered = select(func.max(sitting_log.c.answered).label("n")).group_by(sitting_log.c.sitting_id)
            total = await connection.scalar(select(func.sum(answered.subquery().c.n)))
            rows = await connection.execute(select(sitting_log).where(sitting_log.c.answered > 0))
            return int(total or 0), [tuple(row) for row in rows]
    finally:
        await storage.close()
