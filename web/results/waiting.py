"""Scored sittings that wait for release, with what their logs say about how they went.

Whether a log is intact is found by computing its chain again, entry by entry; scores are not shown before
their release, not even here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import chain
from cat_engine.core import events as e
from cat_engine.core.transitions import Status
from cat_engine.delivery.sittings import newest_entries
from cat_engine.delivery.tables import exam_sessions, roster_entries, sitting_log, sittings
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.panel.tables import applications, posts, selections
from web.access import panel_scope
from web.results.views import WaitingGroup, WaitingLine

MOST_SITTINGS: Final = 200
_decode_events = msgspec.json.Decoder(tuple[e.AnyEvent, ...]).decode


async def waiting_groups(
    connection: AsyncConnection, actor: Actor, sitting_ids: Sequence[str] | None = None
) -> tuple[WaitingGroup, ...]:
    """By exam session, those the actor may release; `sitting_ids` narrows to these."""
    actor.require(Permission.RESULT_RELEASE)
    query = _query(actor)
    if sitting_ids is not None:
        query = query.where(sittings.c.id.in_(sitting_ids))
    by_sitting: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in await connection.execute(query):
        by_sitting[row.sitting_id].append(row)
    chosen = dict(list(by_sitting.items())[:MOST_SITTINGS])
    logs = await _logs(connection, tuple(chosen))
    by_session: dict[str, list[tuple[Row[Any], WaitingLine]]] = defaultdict(list)
    for sitting_id, rows in chosen.items():
        by_session[rows[0].exam_session_id].append((rows[0], _line(rows, logs[sitting_id])))
    return tuple(
        WaitingGroup(
            selection=members[0][0].selection,
            exam_session=members[0][0].exam_session,
            starts_at_ms=members[0][0].starts_at_ms,
            lines=tuple(line for _, line in members),
        )
        for members in by_session.values()
    )


def _query(actor: Actor) -> Select[Any]:
    """One row for each application of a person to the session's selection, the oldest session first."""
    newest = newest_entries().subquery()
    return (
        select(
            sittings.c.id.label("sitting_id"),
            sittings.c.exam_session_id,
            exam_sessions.c.title.label("exam_session"),
            exam_sessions.c.starts_at_ms,
            selections.c.title.label("selection"),
            roster_entries.c.candidate_number,
            roster_entries.c.post_title,
            applications.c.blind_code,
        )
        .join(newest, newest.c.sitting_id == sittings.c.id)
        .join(exam_sessions, exam_sessions.c.id == sittings.c.exam_session_id)
        .join(selections, selections.c.id == exam_sessions.c.selection_id)
        .join(roster_entries, roster_entries.c.id == sittings.c.roster_entry_id)
        .outerjoin(posts, posts.c.selection_id == selections.c.id)
        .outerjoin(
            applications,
            (applications.c.post_id == posts.c.id) & (applications.c.person_id == roster_entries.c.person_id),
        )
        .where(
            newest.c.status == Status.SCORED.value,
            sittings.c.agency_id == actor.agency_id,
            panel_scope(actor, Permission.RESULT_RELEASE, exam_sessions.c.selection_id),
        )
        .order_by(
            exam_sessions.c.starts_at_ms,
            exam_sessions.c.id,
            applications.c.blind_code,  # any other order would tell who is who to somebody with the roster
            sittings.c.id,
        )
    )


async def _logs(connection: AsyncConnection, sitting_ids: Sequence[str]) -> Mapping[str, list[Row[Any]]]:
    logs: dict[str, list[Row[Any]]] = defaultdict(list)
    query: Select[Any] = (
        select(
            sitting_log.c.sitting_id,
            sitting_log.c.revision,
            sitting_log.c.at_ms,
            sitting_log.c.actor,
            sitting_log.c.events,
            sitting_log.c.chain,
        )
        .where(sitting_log.c.sitting_id.in_(sitting_ids))
        .order_by(sitting_log.c.sitting_id, sitting_log.c.revision)
    )
    for row in await connection.execute(query):
        logs[row.sitting_id].append(row)
    return logs


def _line(rows: Sequence[Row[Any]], log: Sequence[Row[Any]]) -> WaitingLine:
    events = [event for row in log for event in _decode_events(row.events)]
    scored = [event for event in events if isinstance(event, e.Scored)]
    incident_ms = sum(event.amount_ms for event in events if isinstance(event, e.TimeAdded))
    codes = dict.fromkeys(row.blind_code for row in rows if row.blind_code)
    return WaitingLine(
        sitting_id=rows[0].sitting_id,
        code=", ".join(codes) or rows[0].sitting_id[-8:].upper(),
        post=rows[0].post_title,
        scored_at_ms=log[-1].at_ms,
        completeness=scored[-1].completeness,
        pauses=sum(isinstance(event, e.Paused) for event in events),
        incident_s=incident_ms // 1000,
        ended_by=_ended_by(events),
        is_intact=is_intact(log),
    )


def _ended_by(events: Sequence[e.AnyEvent]) -> str:
    """The last ending counts: one that was undone is followed by another."""
    kinds = {e.Completed: "rule", e.Expired: "time", e.Terminated: "proctor"}
    return next((kinds[type(event)] for event in reversed(events) if type(event) in kinds), "rule")


def is_intact(log: Sequence[Row[Any]]) -> bool:
    """Whether each entry's chain value follows from the one before and the entry as it is stored now."""
    head = chain.GENESIS
    for number, row in enumerate(log, start=1):
        entry = e.Entry(
            revision=row.revision, at_ms=row.at_ms, actor=row.actor, events=_decode_events(row.events)
        )
        head = chain.extend(head, entry)
        if row.revision != number or row.chain != head:
            return False
    return True
