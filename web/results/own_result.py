"""From a released report to the page its owner reads.

Sections are measured: scale score, band of error, level. Areas are only described: an adaptive test gives
everybody items near the own ability, so the share of right answers in an area says nothing, and is not shown.
Shown are mean points of graded items (1 to 5) and points of a fixed form, in words that say what they are.
"""

import io
from collections.abc import Sequence
from typing import Final

import msgspec
import segno
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import chain
from cat_engine.core.compiled import CompiledPackage, CompiledSection
from cat_engine.core.test_package import Scale
from cat_engine.delivery.tables import exam_sessions, roster_entries, sittings
from cat_engine.panel.tables import applications, posts
from cat_engine.results.documents import ReleasedReport, ReportedArea
from cat_engine.results.reports import BAND_PERCENT, ReportView, SectionView, report_view
from web.candidate.result_views import AreaPicture, CompetencyResult, ResultView, SectionResult
from web.candidate.views import ErrorBand, Tick
from web.competencies import competency_name
from web.formats import Formats
from web.language import Translator
from web.results.verify_pages import grouped_code, verify_url

COMPETENCY: Final = "competency"
GRADED_MINIMUM, GRADED_MAXIMUM = 1, 5
NAMED_LEVELS: Final = 5
AXIS_PARTS: Final = 4


class PostStandard(msgspec.Struct, frozen=True):
    """The post that was applied for, and the level its standard asks."""

    title: str
    required_level: int


async def post_standard(connection: AsyncConnection, sitting_id: str) -> PostStandard | None:
    """The post behind a sitting: of several applications the one that the roster names."""
    rows = (
        await connection.execute(
            select(posts.c.title, posts.c.required_level, roster_entries.c.post_title)
            .select_from(sittings)
            .join(roster_entries, roster_entries.c.id == sittings.c.roster_entry_id)
            .join(exam_sessions, exam_sessions.c.id == sittings.c.exam_session_id)
            .join(posts, posts.c.selection_id == exam_sessions.c.selection_id)
            .join(
                applications,
                (applications.c.post_id == posts.c.id)
                & (applications.c.person_id == roster_entries.c.person_id),
            )
            .where(sittings.c.id == sitting_id)
            .order_by(posts.c.title, posts.c.id)
        )
    ).all()
    if not rows:
        return None
    named = next((row for row in rows if row.title == row.post_title), rows[0])
    return PostStandard(named.title, named.required_level)


class Owner(msgspec.Struct, frozen=True):
    """Whose result it is."""

    name: str
    candidate_number: str


def result_view(
    report: ReleasedReport,
    compiled: CompiledPackage,
    owner: Owner,
    standard: PostStandard | None,
    t: Translator,
    *,
    public_url: str,
    now_ms: int,
) -> ResultView:
    """The page's view; `public_url` is where verification is reached from outside."""
    parts = {part.section.section_id: part for part in compiled.sections}
    cuts = {section_id: _bounds(part.section.scale) for section_id, part in parts.items()}
    shown = report_view(report, now_ms, cuts)
    formats = Formats(t.language)
    sections = tuple(_section(section, parts[section.section_id], t, formats) for section in shown.sections)
    address = f"{public_url}{verify_url(report.verification_code)}"
    title = compiled.package.title
    return ResultView(
        name=owner.name,
        candidate_number=owner.candidate_number,
        test_name=title.get(t.language, title["id"]),
        taken_at_ms=report.measured_at_ms,
        released_at_ms=report.released_at_ms,
        valid_until_ms=report.expires_at_ms,
        is_expired=shown.is_expired,
        is_partial=report.document.completeness != "complete",
        passed=report.document.passed,
        confidence=BAND_PERCENT / 100,
        sections=sections,
        competencies=_against_standard(shown, sections, parts, standard, t),
        areas=_areas(shown, parts, t),
        post=standard.title if standard else "",
        report_number=report.report_number,
        receipt_code=chain.receipt(report.sitting_chain),
        verification_url=verify_url(report.verification_code),
        verification_code=grouped_code(report.verification_code),
        verification_picture=qr_picture(address),
        my_data_url=f"/sittings/{report.sitting_id}/data",
    )


def qr_picture(address: str) -> Markup:
    """The address as a picture to scan: SVG of black squares, which prints as it is."""
    buffer = io.BytesIO()
    segno.make(address, error="m").save(
        buffer, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=2, svgclass=None, lineclass=None
    )
    return Markup(buffer.getvalue().decode().strip())  # noqa: S704 - made here, of black squares


def _bounds(scale: Scale) -> tuple[int, ...]:
    return tuple(cut.from_score for cut in scale.cuts)


def _section(section: SectionView, part: CompiledSection, t: Translator, formats: Formats) -> SectionResult:
    title = part.section.title
    low, high = section.band_low, section.band_high
    return SectionResult(
        id=section.section_id,
        title=title.get(t.language, title["id"]),
        aspect=t(section.aspect_key),
        scale_score=float(section.scale_score),
        standard_error=float(section.scale_error) if section.scale_error else None,
        low=float(low) if low else None,
        high=float(high) if high else None,
        band=_band(section, part.section.scale, t, formats),
        points=section.points,
        points_maximum=section.points_maximum,
        items=section.items,
        level=section.level,
        level_name=_level_name(section.level, t),
        level_share=_level_share(section),
        passed=section.passed,
        ended=t(section.stop_reason_key) if t.has(section.stop_reason_key) else "",
    )


def _level_name(level: int, t: Translator) -> str:
    return t(f"results.level.name_{level}") if 1 <= level <= NAMED_LEVELS else ""


def _level_share(section: SectionView) -> float | None:
    """How probable the reported level is; below the lowest bound stands level 0."""
    shares = section.level_probabilities
    return shares[section.level] if shares and section.level < len(shares) else None


def _band(section: SectionView, scale: Scale, t: Translator, formats: Formats) -> ErrorBand | None:
    """The picture, in shares of the scale; what reaches beyond its ends is cut at them."""
    if section.band_low is None or section.band_high is None:
        return None
    span = scale.maximum - scale.minimum

    def at(value: float) -> float:
        return round(min(max(100 * (value - scale.minimum) / span, 0.0), 100.0), 2)

    low, high = float(section.band_low), float(section.band_high)
    score = formats.number(float(section.scale_score))
    ends = (formats.number(scale.minimum), formats.number(scale.maximum))
    ticks = [scale.minimum + span * part / AXIS_PARTS for part in range(AXIS_PARTS + 1)]
    return ErrorBand(
        id=f"band-{section.section_id}",
        title=t("results.own.band_title", score=score, minimum=ends[0], maximum=ends[1]),
        description=t("results.own.band_description", low=formats.number(low), high=formats.number(high)),
        low=at(low),
        point=at(float(section.scale_score)),
        high=at(high),
        point_label=score,
        ticks=tuple(Tick(at=at(tick), label=formats.number(tick)) for tick in ticks),
        cuts=tuple(
            Tick(at=at(cut.from_score), label=t("results.own.level_mark", level=cut.level))
            for cut in scale.cuts
            if scale.minimum < cut.from_score < scale.maximum
        ),
    )


def _against_standard(
    shown: ReportView,
    sections: Sequence[SectionResult],
    parts: dict[str, CompiledSection],
    standard: PostStandard | None,
    t: Translator,
) -> tuple[CompetencyResult, ...]:
    """Measured competency levels beside the standard of the post; only sections that have levels."""
    if standard is None:
        return ()
    return tuple(
        CompetencyResult(
            name=result.title,
            level=section.level,
            required=standard.required_level,
            highest=max(cut.level for cut in cuts),
            meaning=t(f"results.level.meaning_{section.level}") if 0 <= section.level <= NAMED_LEVELS else "",
        )
        for section, result in zip(shown.sections, sections, strict=True)
        if (cuts := parts[section.section_id].section.scale.cuts)
        and parts[section.section_id].section.aspect == COMPETENCY
    )


def _areas(shown: ReportView, parts: dict[str, CompiledSection], t: Translator) -> tuple[AreaPicture, ...]:
    return tuple(
        picture
        for section in shown.sections
        for area in section.areas
        if (picture := _area(area, parts[section.section_id], t)) is not None
    )


def _area(area: ReportedArea, part: CompiledSection, t: Translator) -> AreaPicture | None:
    """None where nothing honest can be said: right-or-wrong items that were chosen by ability."""
    items = [item for item in part.pool.items if item.area == area.area]
    is_graded = all(
        item.points_minimum == GRADED_MINIMUM and item.points_maximum == GRADED_MAXIMUM for item in items
    )
    if not area.items or not (is_graded or part.is_linear):
        return None
    mean = area.points / area.items if is_graded else None
    return AreaPicture(
        name=competency_name(t.language, area.area),
        points=area.points,
        points_maximum=area.points_maximum,
        items=area.items,
        mean=mean,
        meaning="" if mean is None else t(f"results.area.meaning_{_tendency(mean)}"),
    )


def _tendency(mean: float) -> str:
    if mean >= 4.25:
        return "most"
    if mean >= 3.5:
        return "often"
    return "mixed" if mean >= 2.5 else "seldom"
