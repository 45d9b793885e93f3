"""A post's applicants under their blind codes, with what the panel may know of their sittings.

Scores are read from the sittings' logs, the only truth, and only where the log says that they were released:
the scores of other sittings do not leave the database. Nothing here touches a name.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Literal

import msgspec
from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import events as e
from cat_engine.core.transitions import Status
from cat_engine.delivery.tables import exam_sessions, roster_entries, sitting_log, sittings
from cat_engine.panel.tables import applications, posts

State = Literal["not_started", "in_progress", "ended_unscored", "scored", "released"]

STATES: Mapping[Status, State] = {
    Status.SCHEDULED: "not_started",
    Status.CHECKED_IN: "not_started",
    Status.WAITING: "not_started",
    Status.AUTHORISED: "in_progress",
    Status.IN_PROGRESS: "in_progress",
    Status.PAUSED: "in_progress",
    Status.WAITING_RESUME: "in_progress",
    Status.COMPLETED: "in_progress",
    Status.EXPIRED: "in_progress",
    Status.TERMINATED: "ended_unscored",
    Status.DENIED: "ended_unscored",
    Status.CANCELLED: "ended_unscored",
    Status.SCORED: "scored",
    Status.RELEASED: "released",
}
"""What the panel is told of each status of a sitting."""

HUNDREDTH = Decimal("0.01")

_decode_events = msgspec.json.Decoder(tuple[e.AnyEvent, ...]).decode


class ShownScore(msgspec.Struct, frozen=True):
    """One section's released score. `scale_error` is None for a fixed form, whose points carry no error."""

    section_id: str
    aspect: str
    scale_score: Decimal
    scale_error: Decimal | None
    level: int
    passed: bool | None
    items: int = 1


class Composite(msgspec.Struct, frozen=True):
    """Weighted mean of the sections and its error; `is_error_partial` when a part brought no error."""

    scale_score: Decimal
    scale_error: Decimal
    is_error_partial: bool


class Applicant(msgspec.Struct, frozen=True):
    """One application as the panel sees it. Scores are empty unless `state` is "released"."""

    blind_code: str
    state: State
    sitting_id: str | None
    completeness: str | None
    scores: tuple[ShownScore, ...]


async def applicants(
    connection: AsyncConnection, selection_id: str, *, post_id: str | None = None
) -> tuple[Applicant, ...]:
    """Of one post, or of the whole selection, by blind code. Of several sittings the newest one is shown."""
    query = _query(selection_id)
    if post_id is not None:
        query = query.where(applications.c.post_id == post_id)
    newest = {row.blind_code: row for row in await connection.execute(query)}
    return tuple(
        _applicant(row.blind_code, row.sitting_id, row.status, row.events) for row in newest.values()
    )


def composite(scores: tuple[ShownScore, ...], weights: Mapping[str, int]) -> Composite | None:
    """X = sum(w x) / sum(w) over aspects, SE = sqrt(sum(w^2 SE^2)) / sum(w); half to even, two decimals.

    x is the aspect's mean over its n sections and SE = sqrt(sum SE_i^2) / n: however many sections measure
    an aspect, it has the weight that the policy gives it. Without weights every aspect counts alike. Sections
    are measured apart, so their errors are independent. They must share one reporting scale, which is the
    policy maker's to see to. None when an aspect that counts is missing or a section of it was never
    answered: a score that was not measured ranks nobody.
    """
    by_aspect: dict[str, list[ShownScore]] = {}
    for score in scores:
        by_aspect.setdefault(score.aspect, []).append(score)
    asked = weights or dict.fromkeys(by_aspect, 1)
    counting = {aspect: weight for aspect, weight in asked.items() if weight}
    if not counting or not counting.keys() <= by_aspect.keys():
        return None
    parts = [(weight, by_aspect[aspect]) for aspect, weight in counting.items()]
    if any(score.items == 0 for _, found in parts for score in found):
        return None
    total = sum(counting.values())
    means = aspect_means(scores)
    mean = sum((weight * means[aspect] for aspect, weight in counting.items()), Decimal(0)) / total
    variance = sum(
        (
            (weight * (score.scale_error or Decimal(0)) / len(found)) ** 2
            for weight, found in parts
            for score in found
        ),
        Decimal(0),
    )
    return Composite(
        scale_score=mean.quantize(HUNDREDTH, ROUND_HALF_EVEN),
        scale_error=(Decimal(variance).sqrt(Context(prec=28)) / total).quantize(HUNDREDTH, ROUND_HALF_EVEN),
        is_error_partial=any(score.scale_error is None for _, found in parts for score in found),
    )


def aspect_means(scores: tuple[ShownScore, ...]) -> dict[str, Decimal]:
    """Each aspect's mean scale score over its sections: the values of a tie-break list."""
    gathered: dict[str, list[Decimal]] = {}
    for score in scores:
        gathered.setdefault(score.aspect, []).append(score.scale_score)
    return {aspect: sum(values, Decimal(0)) / len(values) for aspect, values in gathered.items()}


def _query(selection_id: str) -> Select[Any]:
    """Applications with the newest entry of their sittings, and the score where that entry is a release."""
    sitting = (
        select(sittings.c.id, sittings.c.created_at_ms, roster_entries.c.person_id)
        .join(roster_entries, roster_entries.c.id == sittings.c.roster_entry_id)
        .join(exam_sessions, exam_sessions.c.id == sittings.c.exam_session_id)
        .where(exam_sessions.c.selection_id == selection_id)
        .subquery("sitting")
    )
    newest, scored, other = (sitting_log.alias(name) for name in ("newest", "scored", "other"))
    newest_revision = (
        select(func.max(other.c.revision)).where(other.c.sitting_id == sitting.c.id).scalar_subquery()
    )
    is_scored = and_(
        scored.c.sitting_id == sitting.c.id,
        scored.c.status == Status.SCORED.value,
        newest.c.status == Status.RELEASED.value,
    )
    return (
        select(
            applications.c.blind_code,
            sitting.c.id.label("sitting_id"),
            newest.c.status,
            scored.c.events,
        )
        .join(posts, posts.c.id == applications.c.post_id)
        .outerjoin(sitting, sitting.c.person_id == applications.c.person_id)
        .outerjoin(newest, and_(newest.c.sitting_id == sitting.c.id, newest.c.revision == newest_revision))
        .outerjoin(scored, is_scored)
        .where(posts.c.selection_id == selection_id)
        .order_by(applications.c.blind_code, sitting.c.created_at_ms, sitting.c.id, scored.c.revision)
    )


def _applicant(blind_code: str, sitting_id: str | None, status: str | None, events: str | None) -> Applicant:
    state: State = "not_started" if status is None else STATES[Status(status)]
    found = [event for event in _decode_events(events or "[]") if isinstance(event, e.Scored)]
    if state != "released" or not found:
        return Applicant(blind_code, state, sitting_id, None, ())
    scores = tuple(
        ShownScore(
            section_id=section.section_id,
            aspect=section.aspect,
            scale_score=Decimal(section.scale_score),
            scale_error=Decimal(section.scale_error) if section.scale_error else None,
            level=section.level,
            passed=section.passed,
            items=section.items,
        )
        for section in found[-1].sections
    )
    return Applicant(blind_code, state, sitting_id, found[-1].completeness, scores)
