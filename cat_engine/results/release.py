"""Release: a scored sitting becomes a score report, in one transaction with everything that follows from it.

The sitting's log says that it was released, the report exists with its number and code, the ledger names who
did it, and the postings to the talent record are promised: all of it or nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Protocol
from zlib import crc32

import msgspec
from sqlalchemy import Row, Select, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import events as e
from cat_engine.delivery.tables import roster_entries, sitting_log, sittings, test_packages
from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import agencies, people, policies
from cat_engine.results.documents import (
    ReleasedReport,
    ReportDocument,
    ReportedArea,
    ReportedSection,
    Validity,
    document_text,
    verification_code,
)
from cat_engine.results.tables import score_reports

NUMBERING_LOCK = 0x72707274  # PostgreSQL advisory lock, first key; the second one is the agency's
ZONE_HOURS = {"WIB": 7, "WITA": 8, "WIT": 9}
EXAMPLE_VALIDITY: Mapping[str, Any] = {"version": 1, "years": 3, "is_example": True}
"""An example: three years, as assessments of civil servants are recognised. Kind `score_validity`."""

_decode_events = msgspec.json.Decoder(tuple[e.AnyEvent, ...]).decode


class SittingReleaser(Protocol):
    """Whoever keeps the sittings: marks one as released inside the caller's transaction."""

    async def release(self, connection: AsyncConnection, sitting_id: str, actor: Actor, at_ms: int) -> None:
        """Append the event."""
        ...


class PostingPromiser(Protocol):
    """Whoever hands reports over: promises it inside the caller's transaction."""

    async def __call__(self, connection: AsyncConnection, report: ReleasedReport, at_ms: int) -> None:
        """Promise."""
        ...


async def release(
    storage: Storage,
    sittings_service: SittingReleaser,
    promise: PostingPromiser,
    actor: Actor,
    sitting_ids: Sequence[str],
    at_ms: int,
) -> tuple[ReleasedReport, ...]:
    """Release these sittings, in the order given; nothing at all when one of them cannot be.

    All are looked at first, then each has its own transaction: a room of forty neither holds its locks for
    the whole of it nor is undone by a power cut at the last one.
    """
    actor.require(Permission.RESULT_RELEASE)
    wanted = tuple(dict.fromkeys(sitting_ids))
    async with storage.reading() as connection:
        for sitting_id in wanted:
            await _scored_sitting(connection, actor, sitting_id)
    reports = []
    for sitting_id in wanted:
        async with storage.transaction() as connection:
            await _lock(connection, actor.agency_id, sitting_id)
            report = await _report(connection, actor, sitting_id, at_ms)
            await sittings_service.release(connection, sitting_id, actor, at_ms)
            await _store(connection, report)
            await promise(connection, report, at_ms)
            await ledger.append(
                connection,
                actor,
                action="result.released",
                subject=f"sitting:{sitting_id}",
                at_ms=at_ms,
                detail={
                    "report_number": report.report_number,
                    "verification_code": report.verification_code,
                    "sitting_chain": report.sitting_chain,
                },
            )
        reports.append(report)
    return tuple(reports)


async def _lock(connection: AsyncConnection, agency_id: str, sitting_id: str) -> None:
    """One release of an agency at a time (numbers have no gaps), then the sitting. SQLite has one writer."""
    if connection.dialect.name == "postgresql":
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(:lock, :agency)"),
            {"lock": NUMBERING_LOCK, "agency": crc32(agency_id.encode()) - 2**31},
        )
    await connection.execute(
        select(sittings.c.id).where(sittings.c.id == sitting_id).with_for_update(key_share=True)
    )


async def _scored_sitting(
    connection: AsyncConnection, actor: Actor, sitting_id: str
) -> tuple[Row[Any], e.Scored]:
    """The newest entry with what a report needs, and the score; refused unless scored and unreleased."""
    row = (await connection.execute(_newest_entry(actor.agency_id, sitting_id))).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    if row.report_id is not None or row.status == "released":
        raise Refused(Refusal.RESULT_ALREADY_RELEASED, sitting_id=sitting_id)
    scored = [event for event in _decode_events(row.events or "[]") if isinstance(event, e.Scored)]
    if row.status != "scored" or not scored:
        raise Refused(Refusal.RESULT_NOT_SCORED, sitting_id=sitting_id)
    return row, scored[-1]


def _newest_entry(agency_id: str, sitting_id: str) -> Select[Any]:
    return (
        select(
            sittings.c.is_simulated,
            roster_entries.c.person_id,
            people.c.nip,
            test_packages.c.content_hash,
            agencies.c.code,
            agencies.c.zone,
            sitting_log.c.status,
            sitting_log.c.chain,
            sitting_log.c.at_ms,
            sitting_log.c.events,
            score_reports.c.id.label("report_id"),
        )
        .select_from(sittings)
        .join(roster_entries, roster_entries.c.id == sittings.c.roster_entry_id)
        .join(people, people.c.id == roster_entries.c.person_id)
        .join(test_packages, test_packages.c.id == sittings.c.package_id)
        .join(agencies, agencies.c.id == sittings.c.agency_id)
        .outerjoin(sitting_log, sitting_log.c.sitting_id == sittings.c.id)
        .outerjoin(score_reports, score_reports.c.sitting_id == sittings.c.id)
        .where(sittings.c.id == sitting_id, sittings.c.agency_id == agency_id)
        .order_by(sitting_log.c.revision.desc())
        .limit(1)
    )


async def _report(connection: AsyncConnection, actor: Actor, sitting_id: str, at_ms: int) -> ReleasedReport:
    row, scored = await _scored_sitting(connection, actor, sitting_id)
    zone = timezone(timedelta(hours=ZONE_HOURS[row.zone]))
    validity = await validity_in_force(connection, actor.agency_id, at_ms)
    document = _document(scored, row.at_ms, validity)
    number = await _next_number(connection, actor.agency_id, row.code, local_year(at_ms, zone))
    return ReleasedReport(
        id=new_id(at_ms),
        agency_id=actor.agency_id,
        sitting_id=sitting_id,
        person_id=row.person_id,
        person_nip=row.nip,
        is_simulated=row.is_simulated,
        report_number=number,
        verification_code=verification_code(row.chain, number, row.person_id, document_text(document)),
        package_hash=row.content_hash,
        sitting_chain=row.chain,
        document=document,
        released_at_ms=at_ms,
        released_by=actor.label,
        expires_at_ms=years_later(row.at_ms, validity.years, zone),
    )


def _document(scored: e.Scored, measured_at_ms: int, validity: Validity) -> ReportDocument:
    return ReportDocument(
        completeness=scored.completeness,
        passed=scored.passed,
        sections=tuple(
            ReportedSection(
                section_id=section.section_id,
                mode=section.mode,
                aspect=section.aspect,
                scale_score=section.scale_score,
                scale_error=section.scale_error or None,
                level=section.level,
                passed=section.passed,
                points=section.points,
                points_maximum=section.points_maximum,
                items=section.items,
                stop_reason=section.stop_reason,
            )
            for section in scored.sections
        ),
        areas=tuple(
            ReportedArea(area.section_id, area.area, area.points, area.points_maximum, area.items)
            for area in scored.areas
        ),
        measured_at_ms=measured_at_ms,
        validity=validity,
    )


async def validity_in_force(connection: AsyncConnection, agency_id: str, at_ms: int) -> Validity:
    """The agency's policy at a time; the example, marked as such, where it has none."""
    body = await connection.scalar(
        select(policies.c.body)
        .where(
            policies.c.agency_id == agency_id,
            policies.c.kind == "score_validity",
            policies.c.valid_from_ms <= at_ms,
        )
        .order_by(policies.c.valid_from_ms.desc(), policies.c.version.desc())
        .limit(1)
    )
    return msgspec.convert(msgspec.json.decode(body) if body else EXAMPLE_VALIDITY, Validity)


async def _next_number(connection: AsyncConnection, agency_id: str, agency_code: str, year: int) -> str:
    """ "CE/<agency>/<year>/<six digits>": without gaps in an agency's year, and unique among all agencies."""
    prefix = f"CE/{agency_code}/{year}/"
    newest = await connection.scalar(
        select(score_reports.c.report_number)
        .where(
            score_reports.c.agency_id == agency_id,
            score_reports.c.report_number.startswith(prefix, autoescape=True),
        )
        # by length first: the millionth report of a year has seven digits
        .order_by(func.length(score_reports.c.report_number).desc(), score_reports.c.report_number.desc())
        .limit(1)
    )
    return f"{prefix}{int(newest.removeprefix(prefix)) + 1 if newest else 1:06d}"


async def _store(connection: AsyncConnection, report: ReleasedReport) -> None:
    await connection.execute(
        insert(score_reports).values(
            id=report.id,
            agency_id=report.agency_id,
            sitting_id=report.sitting_id,
            person_id=report.person_id,
            report_number=report.report_number,
            verification_code=report.verification_code,
            package_hash=report.package_hash,
            sitting_chain=report.sitting_chain,
            scores=document_text(report.document),
            released_at_ms=report.released_at_ms,
            released_by=report.released_by,
            expires_at_ms=report.expires_at_ms,
        )
    )


def local_year(at_ms: int, zone: timezone) -> int:
    """The calendar year at the agency's seat: on New Year's Eve in Jayapura, not in London."""
    return datetime.fromtimestamp(at_ms / 1000, zone).year


def years_later(at_ms: int, years: int, zone: timezone) -> int:
    """The same local time of day on the same date so many years on; 29 February becomes 28 February."""
    moment = datetime.fromtimestamp(at_ms // 1000, zone)
    try:
        later = moment.replace(year=moment.year + years)
    except ValueError:
        later = moment.replace(year=moment.year + years, day=28)
    return int(later.astimezone(UTC).timestamp()) * 1000 + at_ms % 1000
