"""From the sittings of a room to what its proctor sees: who needs somebody first, and nothing about answers.

One statement reads every seat's newest log entry; the states behind them are kept in memory by `Sittings`, so
a refresh reads only the logs that have grown since the last one.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core.state import CorruptLogError, SittingState
from cat_engine.core.transitions import FINISHED, Status
from cat_engine.delivery import exam_sessions as delivery
from cat_engine.delivery.exam_sessions import BoardRow
from cat_engine.delivery.sittings import SittingRef, newest_entries
from cat_engine.delivery.tables import exam_sessions, rooms, roster_entries, seats, sittings
from cat_engine.foundation.actors import Actor
from cat_engine.foundation.tables import people
from web.access import ExamSession
from web.language import Translator
from web.proctor.views import Filter, RosterSeat, Seat, SessionHead, SessionLine
from web.services import Services

BASE_URL: Final = "/proctor"
log = logging.getLogger("cat_engine.board")

IDLE_FROM_S: Final = 5 * 60
SILENT_FROM_MS: Final = 45_000  # three signs of life of a candidate's page
"""Working time without an answer after which a seat is pointed out: perhaps help is needed."""

S = Status
ORDER: Final[tuple[Status, ...]] = (
    S.PAUSED,
    S.WAITING_RESUME,
    S.WAITING,
    S.IN_PROGRESS,
    S.AUTHORISED,
    S.CHECKED_IN,
    S.SCHEDULED,
    S.TERMINATED,
    S.DENIED,
    S.CANCELLED,
    S.EXPIRED,
    S.COMPLETED,
    S.SCORED,
    S.RELEASED,
)
ATTENTION: Final = "attention"
FILTERS: Final[Mapping[str, frozenset[Status]]] = {
    ATTENTION: frozenset({S.PAUSED, S.WAITING_RESUME}),
    "waiting": frozenset({S.WAITING}),
    "working": frozenset({S.AUTHORISED, S.IN_PROGRESS}),
    "preparing": frozenset({S.CHECKED_IN}),
    "absent": frozenset({S.SCHEDULED}),
    "ended": frozenset({S.TERMINATED, S.DENIED, S.CANCELLED}),
    "finished": frozenset(FINISHED),
}
_QUICK: Final[Mapping[str, str]] = {
    S.WAITING: "admit",
    S.PAUSED: "resume",
    S.WAITING_RESUME: "resume",
}


def session_url(exam_session_id: str) -> str:
    """The board of one exam session."""
    return f"{BASE_URL}/exam-sessions/{exam_session_id}"


def head_of(session: ExamSession) -> SessionHead:
    """The session as the heads of pages name it."""
    return SessionHead(
        url=session_url(session.id),
        title=session.title,
        room=session.room_name,
        starts_at_ms=session.starts_at_ms,
        status=session.status,
    )


def reason_word(t: Translator, code: str) -> str:
    """A coded reason in the reader's language; codes of another release are shown as they are."""
    key = f"proctor.reason.{code.replace('.', '_')}"
    return t(key) if code and t.has(key) else code


async def read_rows(services: Services, exam_session_id: str) -> list[BoardRow]:
    """Every seat that has a sitting."""
    async with services.storage.reading() as connection:
        return await delivery.board(connection, exam_session_id)


def ref_of(row: BoardRow, session: ExamSession) -> SittingRef:
    """Where the sitting of a seat is."""
    return SittingRef(row.sitting_id, session.agency_id, row.package_id, row.revision)


async def read_seats(
    services: Services, session: ExamSession, t: Translator, now_ms: int
) -> tuple[Seat, ...]:
    """All seats of the room, incident first."""
    rows = await read_rows(services, session.id)
    heard = await services.presence.last_heard([row.sitting_id for row in rows])
    found = []
    for row in rows:
        state = None
        if row.status not in FINISHED:
            state = await _state(services, ref_of(row, session))
        found.append(seat_of(session, row, state, t, now_ms, heard_at_ms=heard.get(row.sitting_id)))
    return tuple(sorted(found, key=_urgency))


async def _state(services: Services, ref: SittingRef) -> SittingState | None:
    try:
        return (await services.sittings.load(ref)).state
    except CorruptLogError:
        # the seat is shown by its newest row; a damaged log must not take the whole board away
        log.exception("sitting %s cannot be read", ref.sitting_id)
        return None


def seat_of(
    session: ExamSession,
    row: BoardRow,
    state: SittingState | None,
    t: Translator,
    now_ms: int,
    *,
    heard_at_ms: int | None = None,
) -> Seat:
    """One seat; without a state (a finished sitting) nothing is said of its clock."""
    status = state.status if state else row.status
    runs = state is not None and state.time.running_since_ms is not None
    idle_s = (state.time.used_at(now_ms) - state.answer_clock_ms) // 1000 if state and runs else None
    added_ms = (
        sum(line.amount_ms for line in state.time.lines[1:] if line.kind != "accommodation") if state else 0
    )
    return Seat(
        sitting_id=row.sitting_id,
        url=f"{session_url(session.id)}/sittings/{row.sitting_id}",
        seat=row.seat,
        name=row.name,
        candidate_number=row.candidate_number,
        status=status.value,
        answered=state.answered if state else row.answered,
        remaining_s=state.time.remaining_at(now_ms) // 1000 if state and not state.is_over else None,
        clock_runs=runs,
        idle_s=idle_s,
        is_idle=idle_s is not None and idle_s >= IDLE_FROM_S,
        is_silent=runs and heard_at_ms is not None and now_ms - heard_at_ms >= SILENT_FROM_MS,
        accommodation_s=row.accommodation_s,
        added_s=added_ms // 1000,
        note=_note(state, t),
        since_ms=row.last_at_ms,
        quick_act=_QUICK.get(status.value, ""),
    )


def _note(state: SittingState | None, t: Translator) -> str:
    if state is None:
        return ""
    if state.status in {S.PAUSED, S.WAITING_RESUME}:
        by = f"proctor.paused_by.{state.pause_by}"
        return reason_word(t, state.pause_reason) or (t(by) if t.has(by) else "")
    return reason_word(t, state.end_reason) if state.is_over else ""


def _urgency(seat: Seat) -> tuple[int, bool]:
    return ORDER.index(Status(seat.status)), not (seat.is_silent or seat.is_idle)


def belongs(seat: Seat, state: str) -> bool:
    """Whether a filter shows the seat; whoever has long not answered also needs attention."""
    return (
        not state
        or seat.status in FILTERS[state]
        or (state == ATTENTION and (seat.is_idle or seat.is_silent))
    )


def filters_of(found: Iterable[Seat], url: str, chosen: str) -> tuple[Filter, ...]:
    """The counters, the whole room first."""
    counted = tuple(found)
    return tuple(
        Filter(
            key=key or "all",
            count=sum(belongs(seat, key) for seat in counted),
            url=f"{url}?state={key}" if key else url,
            current=key == chosen,
        )
        for key in ("", *FILTERS)
    )


async def read_expected(connection: AsyncConnection, exam_session_id: str) -> tuple[RosterSeat, ...]:
    """The roster in the order of the seats, for a room that is not open yet."""
    rows = await connection.execute(
        select(
            seats.c.label.label("seat"),
            people.c.name,
            roster_entries.c.candidate_number,
            roster_entries.c.accommodation_s,
        )
        .select_from(roster_entries)
        .join(people, people.c.id == roster_entries.c.person_id)
        .outerjoin(seats, seats.c.id == roster_entries.c.seat_id)
        .where(roster_entries.c.exam_session_id == exam_session_id)
        .order_by(seats.c.row, seats.c.column, roster_entries.c.candidate_number)
    )
    return tuple(RosterSeat(**{**row, "seat": row["seat"] or ""}) for row in rows.mappings())


async def read_sessions(connection: AsyncConnection, actor: Actor) -> tuple[SessionLine, ...]:
    """The agency's exam sessions, with how many are on the roster and how many have finished."""
    newest = newest_entries().subquery()
    finished = case((newest.c.status.in_([status.value for status in FINISHED]), 1), else_=0)
    rows = await connection.execute(
        select(
            exam_sessions.c.id,
            exam_sessions.c.title,
            exam_sessions.c.starts_at_ms,
            exam_sessions.c.status,
            rooms.c.name.label("room"),
            func.count(roster_entries.c.id).label("candidates"),
            func.coalesce(func.sum(finished), 0).label("finished"),
        )
        .join(rooms, rooms.c.id == exam_sessions.c.room_id)
        .outerjoin(roster_entries, roster_entries.c.exam_session_id == exam_sessions.c.id)
        .outerjoin(sittings, sittings.c.roster_entry_id == roster_entries.c.id)
        .outerjoin(newest, newest.c.sitting_id == sittings.c.id)
        .where(exam_sessions.c.agency_id == actor.agency_id)
        .group_by(
            exam_sessions.c.id,
            exam_sessions.c.title,
            exam_sessions.c.starts_at_ms,
            exam_sessions.c.status,
            rooms.c.name,
        )
        .order_by(
            case({"open": 0, "scheduled": 1}, value=exam_sessions.c.status, else_=2),
            exam_sessions.c.starts_at_ms.desc(),
            exam_sessions.c.id,
        )
    )
    return tuple(
        SessionLine(
            url=session_url(row.id),
            title=row.title,
            room=row.room,
            starts_at_ms=row.starts_at_ms,
            status=row.status,
            candidates=row.candidates,
            finished=row.finished,
        )
        for row in rows
    )
