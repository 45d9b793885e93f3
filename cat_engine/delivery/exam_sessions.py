"""Exam sessions: opening and closing the room, and the board's one query."""

import secrets
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import chain, engine
from cat_engine.core.events import Created
from cat_engine.core.transitions import Status
from cat_engine.delivery.journal import insert_rows
from cat_engine.delivery.packages import PackageStore
from cat_engine.delivery.sittings import log_row, newest_entries
from cat_engine.delivery.tables import exam_sessions, roster_entries, seats, sittings
from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Actor
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import people


@dataclass(frozen=True)
class BoardRow:
    """One seat of the room as the proctor sees it; no theta, no correctness."""

    sitting_id: str
    package_id: str
    revision: int
    candidate_number: str
    name: str
    post_title: str
    seat: str
    accommodation_s: int
    status: Status
    answered: int
    last_at_ms: int


async def open_session(
    storage: Storage, packages: PackageStore, actor: Actor, exam_session_id: str, at_ms: int
) -> None:
    """Open the room: candidates may sign in. Every roster entry gets its sitting and its seed, once."""
    async with storage.transaction() as connection:
        # held first: who is put on the roster or given more time meanwhile waits, and is not overlooked
        session = await _session(connection, exam_session_id, for_update=True)
        if session.status == "closed":
            raise Refused(Refusal.SESSION_CLOSED)
        compiled = (await packages.get_in(connection, session.package_id)).compiled
        without = await connection.execute(
            select(roster_entries.c.id, roster_entries.c.accommodation_s)
            .outerjoin(sittings, sittings.c.roster_entry_id == roster_entries.c.id)
            .where(roster_entries.c.exam_session_id == exam_session_id, sittings.c.id.is_(None))
        )
        for entry in without.all():
            created = Created(
                sitting_id=new_id(at_ms),
                package_hash=compiled.content_hash,
                seed=secrets.token_hex(16),
                time_allowed_ms=compiled.package.time_allowed_s * 1000,
                accommodation_ms=entry.accommodation_s * 1000,
                candidate=entry.id,
            )
            await create_sitting(connection, session, created, actor=actor, at_ms=at_ms)
        await connection.execute(
            update(exam_sessions).where(exam_sessions.c.id == exam_session_id).values(status="open")
        )
        await ledger.append(
            connection, actor, action="exam_session.open", subject=exam_session_id, at_ms=at_ms
        )


async def create_sitting(
    connection: AsyncConnection,
    session: "SessionRow",
    created: Created,
    *,
    actor: Actor,
    at_ms: int,
    is_simulated: bool = False,
) -> None:
    """Store a sitting and the first entry of its log."""
    progress = engine.create(created, now_ms=at_ms, actor=actor.label)
    await connection.execute(
        insert(sittings).values(
            id=created.sitting_id,
            agency_id=session.agency_id,
            exam_session_id=session.id,
            roster_entry_id=created.candidate,
            package_id=session.package_id,
            created_at_ms=at_ms,
            is_simulated=is_simulated,
        )
    )
    head = chain.extend(chain.GENESIS, progress.entry)
    await insert_rows(connection, [log_row(created.sitting_id, progress, head)])


async def close_session(storage: Storage, actor: Actor, exam_session_id: str, at_ms: int) -> None:
    """Close the room: nobody may sign in any more. Sittings in progress are not touched."""
    async with storage.transaction() as connection:
        await _session(connection, exam_session_id)
        await connection.execute(
            update(exam_sessions).where(exam_sessions.c.id == exam_session_id).values(status="closed")
        )
        await ledger.append(
            connection, actor, action="exam_session.close", subject=exam_session_id, at_ms=at_ms
        )


@dataclass(frozen=True)
class SessionRow:
    """What opening needs to know of an exam session."""

    id: str
    agency_id: str
    package_id: str
    status: str


async def _session(
    connection: AsyncConnection, exam_session_id: str, *, for_update: bool = False
) -> SessionRow:
    query = select(
        exam_sessions.c.id,
        exam_sessions.c.agency_id,
        exam_sessions.c.package_id,
        exam_sessions.c.status,
    ).where(exam_sessions.c.id == exam_session_id)
    row = (await connection.execute(query.with_for_update() if for_update else query)).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    return SessionRow(row.id, row.agency_id, row.package_id, row.status)


async def board(connection: AsyncConnection, exam_session_id: str) -> list[BoardRow]:
    """Every seat of the room with its sitting's newest entry: one statement."""
    newest = newest_entries().subquery()
    rows = await connection.execute(
        select(
            sittings.c.id.label("sitting_id"),
            sittings.c.package_id,
            newest.c.revision,
            roster_entries.c.candidate_number,
            people.c.name,
            roster_entries.c.post_title,
            seats.c.label.label("seat"),
            roster_entries.c.accommodation_s,
            newest.c.status,
            newest.c.answered,
            newest.c.at_ms.label("last_at_ms"),
        )
        .join(newest, newest.c.sitting_id == sittings.c.id)
        .join(roster_entries, roster_entries.c.id == sittings.c.roster_entry_id)
        .join(people, people.c.id == roster_entries.c.person_id)
        .outerjoin(seats, seats.c.id == roster_entries.c.seat_id)
        .where(sittings.c.exam_session_id == exam_session_id)
        .order_by(seats.c.row, seats.c.column, roster_entries.c.candidate_number)
    )
    return [
        BoardRow(**{**row, "status": Status(row["status"]), "seat": row["seat"] or ""})
        for row in rows.mappings()
    ]
