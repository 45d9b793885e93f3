"""Reading score reports: the view of one report for candidate and panel, and the check by its code.

Views carry numbers and the keys of sentences; the sentences are in the message catalogues. The band around a
scale score is the 95 % interval of the estimate, score -+ 1.96 * SE, cut to nothing: it may reach beyond the
scale's ends.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import msgspec
from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.tables import sittings
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.tables import agencies, people
from cat_engine.results.documents import (
    ReleasedReport,
    ReportedArea,
    ReportedSection,
    read_document,
    verification_code,
)
from cat_engine.results.tables import score_reports
from psychometrics.classification import level_probabilities

BAND_PERCENT = 95
BAND_FACTOR = Decimal("1.96")


class SectionView(msgspec.Struct, frozen=True):
    """One section as shown; the band and the levels' probabilities are None where no error is known."""

    section_id: str
    aspect_key: str
    mode: str
    scale_score: str
    scale_error: str | None
    band_low: str | None
    band_high: str | None
    level: int
    level_probabilities: tuple[float, ...] | None
    passed: bool | None
    verdict_key: str
    points: int | None
    points_maximum: int | None
    items: int
    stop_reason_key: str
    areas: tuple[ReportedArea, ...]


class ReportView(msgspec.Struct, frozen=True):
    """A whole report as shown."""

    report_id: str
    report_number: str
    verification_code: str
    band_percent: int
    completeness_key: str
    verdict_key: str
    sections: tuple[SectionView, ...]
    measured_at_ms: int
    released_at_ms: int
    expires_at_ms: int
    is_expired: bool
    validity_years: int
    validity_is_example: bool
    is_simulated: bool


class VerifiedReport(msgspec.Struct, frozen=True):
    """What the public page says to a code: enough to compare with the paper, not whose it is."""

    report_number: str
    agency_name: str
    sections: tuple[ReportedSection, ...]
    measured_at_ms: int
    released_at_ms: int
    expires_at_ms: int
    is_intact: bool


def report_view(
    report: ReleasedReport, now_ms: int, cuts: Mapping[str, Sequence[int]] | None = None
) -> ReportView:
    """The view; `cuts`: for each section the lower bounds of its levels on the reporting scale, rising."""
    document = report.document
    return ReportView(
        report_id=report.id,
        report_number=report.report_number,
        verification_code=report.verification_code,
        band_percent=BAND_PERCENT,
        completeness_key=f"results.completeness.{document.completeness}",
        verdict_key=_verdict_key(document.passed),
        sections=tuple(
            _section_view(
                section,
                (cuts or {}).get(section.section_id, ()),
                tuple(area for area in document.areas if area.section_id == section.section_id),
            )
            for section in document.sections
        ),
        measured_at_ms=document.measured_at_ms,
        released_at_ms=report.released_at_ms,
        expires_at_ms=report.expires_at_ms,
        is_expired=report.expires_at_ms <= now_ms,
        validity_years=document.validity.years,
        validity_is_example=document.validity.is_example,
        is_simulated=report.is_simulated,
    )


def _section_view(
    section: ReportedSection, cuts: Sequence[int], areas: tuple[ReportedArea, ...]
) -> SectionView:
    low, high = band(section.scale_score, section.scale_error)
    return SectionView(
        section_id=section.section_id,
        aspect_key=f"results.aspect.{section.aspect}",
        mode=section.mode,
        scale_score=section.scale_score,
        scale_error=section.scale_error,
        band_low=low,
        band_high=high,
        level=section.level,
        level_probabilities=_probabilities(section, cuts),
        passed=section.passed,
        verdict_key=_verdict_key(section.passed),
        points=section.points,
        points_maximum=section.points_maximum,
        items=section.items,
        stop_reason_key=f"results.stop_reason.{deciding_rule(section.stop_reason)}",
        areas=areas,
    )


def deciding_rule(stop_reason: str) -> str:
    """The rule that ended a section: of a combination the first part that decided, without details."""
    parts = stop_reason.partition("+")[0].split(":")
    return next((part for part in parts if part != "combination"), stop_reason)


def band(scale_score: str, scale_error: str | None) -> tuple[str | None, str | None]:
    """Both ends of the 95 % band, with as many decimals as the score itself is printed with."""
    if scale_error is None:
        return None, None
    centre = Decimal(scale_score)
    unit = Decimal(1).scaleb(int(centre.as_tuple().exponent))
    half = BAND_FACTOR * Decimal(scale_error)
    low, high = ((centre + sign * half).quantize(unit, ROUND_HALF_EVEN) for sign in (-1, 1))
    return str(low), str(high)


def _probabilities(section: ReportedSection, cuts: Sequence[int]) -> tuple[float, ...] | None:
    """How probable each level is, the lowest first: normal around the score with its error."""
    if section.scale_error is None or not cuts:
        return None
    row = level_probabilities(
        float(section.scale_score), float(section.scale_error), [float(c) for c in cuts]
    )
    return tuple(round(float(value), 4) for value in row[0])


def _verdict_key(passed: bool | None) -> str:
    return {
        True: "results.verdict.passed",
        False: "results.verdict.not_passed",
        None: "results.verdict.none",
    }[passed]


async def report_of_sitting(connection: AsyncConnection, agency_id: str, sitting_id: str) -> ReleasedReport:
    """The report of a sitting; before its release that is said. Access is the caller's to check."""
    row = (
        await connection.execute(
            _reports().where(sittings.c.id == sitting_id, sittings.c.agency_id == agency_id)
        )
    ).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    if row.id is None:
        raise Refused(Refusal.RESULT_NOT_RELEASED)
    return _released(row)


async def report(connection: AsyncConnection, agency_id: str, report_id: str) -> ReleasedReport:
    """One report of the agency by its identity."""
    row = (
        await connection.execute(
            _reports().where(score_reports.c.id == report_id, score_reports.c.agency_id == agency_id)
        )
    ).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    return _released(row)


async def reports_of_person(
    connection: AsyncConnection, agency_id: str, person_id: str
) -> tuple[ReleasedReport, ...]:
    """All reports of one person, newest first."""
    rows = await connection.execute(
        _reports()
        .where(score_reports.c.person_id == person_id, score_reports.c.agency_id == agency_id)
        .order_by(score_reports.c.released_at_ms.desc(), score_reports.c.id)
    )
    return tuple(_released(row) for row in rows)


async def verify(connection: AsyncConnection, typed_code: str) -> VerifiedReport:
    """The report behind a printed code; spaces, hyphens and small letters are forgiven.

    `is_intact` computes the code again from what is stored: a score that was changed in the database shows
    here.
    """
    code = "".join(character for character in typed_code.upper() if character.isalnum())
    row = (
        await connection.execute(
            _reports()
            .add_columns(agencies.c.name.label("agency_name"))
            .join(agencies, agencies.c.id == score_reports.c.agency_id)
            .where(score_reports.c.verification_code == code)
        )
    ).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    found = _released(row)
    expected = verification_code(found.sitting_chain, found.report_number, found.person_id, row.scores)
    return VerifiedReport(
        report_number=found.report_number,
        agency_name=row.agency_name,
        sections=found.sections,
        measured_at_ms=found.measured_at_ms,
        released_at_ms=found.released_at_ms,
        expires_at_ms=found.expires_at_ms,
        is_intact=expected == code,
    )


def _reports() -> Select[Any]:
    return (
        select(score_reports, people.c.nip, sittings.c.is_simulated)
        .select_from(sittings)
        .outerjoin(score_reports, score_reports.c.sitting_id == sittings.c.id)
        .outerjoin(people, people.c.id == score_reports.c.person_id)
    )


def _released(row: Row[Any]) -> ReleasedReport:
    return ReleasedReport(
        id=row.id,
        agency_id=row.agency_id,
        sitting_id=row.sitting_id,
        person_id=row.person_id,
        person_nip=row.nip,
        is_simulated=row.is_simulated,
        report_number=row.report_number,
        verification_code=row.verification_code,
        package_hash=row.package_hash,
        sitting_chain=row.sitting_chain,
        document=read_document(row.scores),
        released_at_ms=row.released_at_ms,
        released_by=row.released_by,
        expires_at_ms=row.expires_at_ms,
    )
