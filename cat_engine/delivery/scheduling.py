"""Scheduling: an exam session before its room is opened, and the accommodations of those on its roster.

What candidates sign and sit is fixed when the room opens; until then everything may be changed. The row of
the exam session is held meanwhile, as it is when a roster is imported.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.roster import MAXIMUM_ACCOMMODATION_MINUTES
from cat_engine.delivery.tables import exam_sessions, rooms, roster_entries, seats, sittings, test_packages
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.ledger import append
from cat_engine.foundation.refusals import Refusal, Refused

PAST_ALLOWED: Final = timedelta(days=1)  # a session may be entered on the morning after
FUTURE_ALLOWED: Final = timedelta(days=2 * 366)  # what lies further ahead is a mistyped year


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What an administrator decides about an exam session. Whoever calls has made sure of the selection."""

    title: str
    room_id: str
    package_id: str
    selection_id: str | None
    starts_at_ms: int
    pledge: str  # JSON: language -> rules and pledge


def start_at_ms(date_text: str, time_text: str, zone: tzinfo, now_ms: int) -> int:
    """The moment of a date `2023-08-14` and a time `13:05` or `13.05` at a place.

    Refused are dates and times that do not exist, and moments that nobody can have meant.
    """
    try:
        day = date.fromisoformat(date_text)
    except ValueError:
        raise Refused(Refusal.FIELD_INVALID, field="date") from None
    try:
        hour, minute = (int(part) for part in time_text.replace(".", ":").split(":"))
        moment = datetime.combine(day, time(hour, minute), zone)
    except ValueError:
        raise Refused(Refusal.FIELD_INVALID, field="time") from None
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    if not now - PAST_ALLOWED <= moment <= now + FUTURE_ALLOWED:
        raise Refused(Refusal.FIELD_INVALID, field="date")
    return round(moment.timestamp() * 1000)


async def schedule(connection: AsyncConnection, actor: Actor, wanted: Schedule, now_ms: int) -> str:
    """A new exam session without a roster; its identity."""
    actor.require(Permission.EXAM_SESSION_MANAGE)
    await _require_own(connection, actor, wanted)
    exam_session_id = new_id(now_ms)
    await connection.execute(
        insert(exam_sessions).values(
            id=exam_session_id, agency_id=actor.agency_id, status="scheduled", **_columns(wanted)
        )
    )
    await append(
        connection,
        actor,
        action="exam_session.scheduled",
        subject=exam_session_id,
        at_ms=now_ms,
        detail=_told(wanted),
    )
    return exam_session_id


async def reschedule(
    connection: AsyncConnection, actor: Actor, exam_session_id: str, wanted: Schedule, now_ms: int
) -> None:
    """Change an exam session that is not open yet.

    A roster that is there already follows into another room seat by seat, where that room has the same seats;
    it never follows into another selection, since its people have applied in this one.
    """
    actor.require(Permission.EXAM_SESSION_MANAGE)
    session = await _held(connection, actor, exam_session_id)
    await _require_own(connection, actor, wanted)
    if session.selection_id not in (None, wanted.selection_id) and await _has_roster(connection, session.id):
        raise Refused(Refusal.CONFLICT, field="selection_id")
    if wanted.room_id != session.room_id:
        await _move_seats(connection, session.id, wanted.room_id)
    await connection.execute(
        update(exam_sessions).where(exam_sessions.c.id == session.id).values(**_columns(wanted))
    )
    await append(
        connection,
        actor,
        action="exam_session.rescheduled",
        subject=session.id,
        at_ms=now_ms,
        detail=_told(wanted),
    )


async def set_accommodation(
    connection: AsyncConnection,
    actor: Actor,
    roster_entry_id: str,
    *,
    minutes: int,
    note: str,
    now_ms: int,
) -> None:
    """Extra time for one person before the sitting exists; after that only the proctor adds time.

    The ledger keeps the time and not the note, which may tell of somebody's health.
    """
    actor.require(Permission.ROSTER_MANAGE)
    if not 0 <= minutes <= MAXIMUM_ACCOMMODATION_MINUTES:
        raise Refused(Refusal.TIME_AMOUNT_INVALID, field="minutes")
    if minutes and not note:
        raise Refused(Refusal.FIELD_MISSING, field="note")
    session = (
        await connection.execute(
            select(exam_sessions.c.id, exam_sessions.c.status)
            .join(roster_entries, roster_entries.c.exam_session_id == exam_sessions.c.id)
            .where(roster_entries.c.id == roster_entry_id, roster_entries.c.agency_id == actor.agency_id)
            .with_for_update(of=exam_sessions)
        )
    ).first()
    if session is None:
        raise Refused(Refusal.NOT_FOUND)
    if session.status == "closed":
        raise Refused(Refusal.SESSION_CLOSED)
    sitting = select(sittings.c.id).where(sittings.c.roster_entry_id == roster_entry_id)
    if (await connection.execute(sitting)).first() is not None:
        raise Refused(Refusal.CONFLICT, field="minutes")
    await connection.execute(
        update(roster_entries)
        .where(roster_entries.c.id == roster_entry_id)
        .values(accommodation_s=60 * minutes, accommodation_note=note)
    )
    await append(
        connection,
        actor,
        action="roster.accommodation_set",
        subject=roster_entry_id,
        at_ms=now_ms,
        detail={"accommodation_s": 60 * minutes},
    )


async def _held(connection: AsyncConnection, actor: Actor, exam_session_id: str) -> Row[Any]:
    """The exam session's row, held until the transaction ends; refused once the room was opened."""
    row = (
        await connection.execute(
            select(exam_sessions)
            .where(exam_sessions.c.id == exam_session_id, exam_sessions.c.agency_id == actor.agency_id)
            .with_for_update()
        )
    ).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    if row.status != "scheduled":
        raise Refused(Refusal.CONFLICT, field="status")
    return row


async def _require_own(connection: AsyncConnection, actor: Actor, wanted: Schedule) -> None:
    """Room and package are the agency's own."""
    for field, table, identity in (
        ("room_id", rooms, wanted.room_id),
        ("package_id", test_packages, wanted.package_id),
    ):
        own = select(table.c.id).where(table.c.id == identity, table.c.agency_id == actor.agency_id)
        if (await connection.execute(own)).first() is None:
            raise Refused(Refusal.FIELD_INVALID, field=field)


async def _has_roster(connection: AsyncConnection, exam_session_id: str) -> bool:
    count = select(func.count()).where(roster_entries.c.exam_session_id == exam_session_id)
    return bool(await connection.scalar(count))


async def _move_seats(connection: AsyncConnection, exam_session_id: str, room_id: str) -> None:
    """Everybody to the seat of the same name; refused when the other room lacks one of them."""
    taken = (
        await connection.execute(
            select(roster_entries.c.id, seats.c.label)
            .join(seats, seats.c.id == roster_entries.c.seat_id)
            .where(roster_entries.c.exam_session_id == exam_session_id)
        )
    ).all()
    there = {
        row.label: row.id
        for row in await connection.execute(
            select(seats.c.label, seats.c.id).where(seats.c.room_id == room_id)
        )
    }
    if any(entry.label not in there for entry in taken):
        raise Refused(Refusal.CONFLICT, field="room_id")
    for entry in taken:
        await connection.execute(
            update(roster_entries).where(roster_entries.c.id == entry.id).values(seat_id=there[entry.label])
        )


def _columns(wanted: Schedule) -> dict[str, Any]:
    return {
        "title": wanted.title,
        "room_id": wanted.room_id,
        "package_id": wanted.package_id,
        "selection_id": wanted.selection_id,
        "starts_at_ms": wanted.starts_at_ms,
        "pledge": wanted.pledge,
    }


def _told(wanted: Schedule) -> dict[str, Any]:
    return {
        "room_id": wanted.room_id,
        "package_id": wanted.package_id,
        "selection_id": wanted.selection_id or "",
        "starts_at_ms": wanted.starts_at_ms,
    }
