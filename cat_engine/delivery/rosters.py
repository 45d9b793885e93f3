"""Rosters on disk: what an import has to know, and the import itself in one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.roster import ParsedRoster, RosterContext, RosterRow
from cat_engine.delivery.tables import exam_sessions, roster_entries, seats
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.ledger import append
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.tables import people

JAKARTA = timedelta(hours=7)  # the calendar day that dates in a NIP are compared with


@dataclass(frozen=True, kw_only=True)
class Slip:
    """What is printed and handed to one candidate; the PIN exists nowhere else."""

    roster_entry_id: str
    candidate_number: str
    name: str
    seat: str
    post_title: str
    pin: str


async def roster_context(
    connection: AsyncConnection, exam_session_id: str, posts: frozenset[str] | None, now_ms: int
) -> RosterContext:
    """What is known before the import; `posts` come from the selection, which delivery does not know."""
    on_roster = (
        await connection.execute(
            select(people.c.nip, seats.c.label)
            .select_from(roster_entries.join(people, people.c.id == roster_entries.c.person_id))
            .outerjoin(seats, seats.c.id == roster_entries.c.seat_id)
            .where(roster_entries.c.exam_session_id == exam_session_id)
        )
    ).all()
    numbers = (await connection.execute(select(roster_entries.c.candidate_number))).scalars()
    return RosterContext(
        seats=frozenset(await seat_ids(connection, exam_session_id)),
        posts=posts,
        taken_seats=frozenset(row.label for row in on_roster if row.label),
        known_nips=frozenset(row.nip for row in on_roster if row.nip),
        known_numbers=frozenset(numbers),
        today=(datetime.fromtimestamp(now_ms / 1000, UTC) + JAKARTA).date(),
    )


async def seat_ids(connection: AsyncConnection, exam_session_id: str) -> Mapping[str, str]:
    """The seats of the exam session's room: label to identity."""
    rows = await connection.execute(
        select(seats.c.label, seats.c.id)
        .join(exam_sessions, exam_sessions.c.room_id == seats.c.room_id)
        .where(exam_sessions.c.id == exam_session_id)
    )
    return {row.label: row.id for row in rows}


async def import_roster(
    connection: AsyncConnection, actor: Actor, exam_session_id: str, parsed: ParsedRoster, now_ms: int
) -> int:
    """Put the good rows on the roster, all of them or none; returns how many.

    A person whom the agency knows by the NIP keeps the record there is; an unknown one is added. No PIN is
    made here: an entry without a slip cannot sign in.
    """
    actor.require(Permission.ROSTER_MANAGE)
    await require_scheduled(connection, exam_session_id)
    if not parsed.rows:
        raise Refused(Refusal.ROSTER_EMPTY)
    places = await seat_ids(connection, exam_session_id)
    known = await _known_people(connection, actor.agency_id, [row.nip for row in parsed.rows])
    unknown = [row for row in parsed.rows if row.nip not in known]
    added = {row.nip: new_id(now_ms) for row in unknown}
    if unknown:
        await connection.execute(
            insert(people), [_person(row, added[row.nip], actor.agency_id) for row in unknown]
        )
    person_ids = {**known, **added}
    await connection.execute(
        insert(roster_entries),
        [
            _entry(row, actor.agency_id, exam_session_id, person_ids[row.nip], places.get(row.seat), now_ms)
            for row in parsed.rows
        ],
    )
    await append(
        connection,
        actor,
        action="roster.imported",
        subject=exam_session_id,
        at_ms=now_ms,
        detail={"rows": len(parsed.rows), "refused": len(parsed.refused)},
    )
    return len(parsed.rows)


async def make_slips(
    connection: AsyncConnection,
    actor: Actor,
    exam_session_id: str,
    now_ms: int,
    *,
    only_missing: bool = False,
    roster_entry_id: str | None = None,
    new_pin: Callable[[], str],
    seal_pin: Callable[[str, str], str],
) -> tuple[Slip, ...]:
    """New PINs for the roster, for those without one, or for one entry; what was printed before stops
    working.

    `seal_pin` turns entry and PIN into what may be stored; the key is the server's, not ours.
    """
    actor.require(Permission.ROSTER_MANAGE)
    entries = await connection.execute(_entries_for_slips(exam_session_id, only_missing, roster_entry_id))
    slips = tuple(
        Slip(
            roster_entry_id=row.id,
            candidate_number=row.candidate_number,
            name=row.name,
            seat=row.label or "",
            post_title=row.post_title,
            pin=new_pin(),
        )
        for row in entries
    )
    for slip in slips:
        await connection.execute(
            update(roster_entries)
            .where(roster_entries.c.id == slip.roster_entry_id)
            .values(
                pin_hash=seal_pin(slip.roster_entry_id, slip.pin),
                failed_pin_attempts=0,
                pin_locked_until_ms=0,
            )
        )
    detail = {"slips": len(slips), "only_missing": only_missing}
    await append(
        connection, actor, action="roster.slips_made", subject=exam_session_id, at_ms=now_ms, detail=detail
    )
    return slips


def _entries_for_slips(exam_session_id: str, only_missing: bool, roster_entry_id: str | None) -> Select[Any]:
    """Entries with name and seat, in the order in which slips are handed out: by seat."""
    statement = (
        select(roster_entries, people.c.name, seats.c.label)
        .join(people, people.c.id == roster_entries.c.person_id)
        .outerjoin(seats, seats.c.id == roster_entries.c.seat_id)
        .where(roster_entries.c.exam_session_id == exam_session_id)
        .order_by(seats.c.row, seats.c.column, roster_entries.c.candidate_number)
    )
    if only_missing:
        statement = statement.where(roster_entries.c.pin_hash == "")
    if roster_entry_id is not None:
        statement = statement.where(roster_entries.c.id == roster_entry_id)
    return statement


async def require_scheduled(connection: AsyncConnection, exam_session_id: str) -> None:
    """A roster is imported before its exam session opens; the row is held, so that it stays so."""
    statement = select(exam_sessions.c.status).where(exam_sessions.c.id == exam_session_id)
    status = (await connection.execute(statement.with_for_update())).scalar_one()
    if status != "scheduled":
        raise Refused(Refusal.CONFLICT)


async def _known_people(connection: AsyncConnection, agency_id: str, nips: list[str]) -> dict[str, str]:
    rows = await connection.execute(
        select(people.c.nip, people.c.id).where(people.c.agency_id == agency_id, people.c.nip.in_(nips))
    )
    return {row.nip: row.id for row in rows}


def _person(row: RosterRow, person_id: str, agency_id: str) -> dict[str, object]:
    return {
        "id": person_id,
        "agency_id": agency_id,
        "nip": row.nip,
        "name": row.name,
        "post": "",  # the post held now comes from the personnel record, not from the roster
        "unit": row.unit,
        "rank": row.rank,
        "is_simulated": False,
    }


def _entry(
    row: RosterRow, agency_id: str, exam_session_id: str, person_id: str, seat_id: str | None, now_ms: int
) -> dict[str, object]:
    return {
        "id": new_id(now_ms),
        "agency_id": agency_id,
        "exam_session_id": exam_session_id,
        "person_id": person_id,
        "candidate_number": row.candidate_number,
        "pin_hash": "",
        "seat_id": seat_id,
        "post_title": row.post,
        "accommodation_s": row.accommodation_s,
        "accommodation_note": row.accommodation_note,
        "failed_pin_attempts": 0,
        "pin_locked_until_ms": 0,
    }
