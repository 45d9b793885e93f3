"""One post: the ranked list under blind codes, as a page and as a file, and the names behind the codes."""

import string
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response
from sqlalchemy import select

from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.panel import selections
from cat_engine.panel.applicants import Applicant
from cat_engine.panel.ranking import RankedRow
from cat_engine.panel.selections import PostTable, SelectionPolicy
from cat_engine.panel.tables import posts
from web.access import Selection, access_selection
from web.exports import csv_response
from web.formats import Formats
from web.language import Translator
from web.pages import Page, formats_of, language_of, render, translator_of
from web.panel.pages import RULE, URL, post_url, rule_facts, selection_url, statement_url
from web.panel.plot import ranked_plot
from web.panel.views import (
    ApartLine,
    GroupLine,
    NameLine,
    NamesView,
    PostView,
    RankLine,
    SectionCell,
    SortColumn,
)
from web.requests import WebRequest, read_form
from web.results.readings import note_reading
from web.rules import actor_of
from web.services import services_of

SORTS: Final = ("rank", "code", "score", "error", "probability")
LETTERS: Final = string.ascii_letters


@get(URL + "/posts/{post_id:str}", opt=RULE)
async def post_page(request: WebRequest, post_id: FromPath[str]) -> Page | Redirect:
    """The ranked list of a post; reading it is written down for the applicants to see."""
    try:
        found, table = await _table(request, post_id)
    except Refused as refused:
        if refused.code is not Refusal.CONFLICT_STATEMENT_MISSING:
            raise
        return Redirect(statement_url(str(refused.details["selection_id"])), status_code=303)
    await _note(request, post_id, table)
    return render(request, "panel/post.html", _view(request, found, table))


@get(URL + "/posts/{post_id:str}/ranking.csv", opt=RULE)
async def ranking_export(request: WebRequest, post_id: FromPath[str]) -> Response[bytes]:
    """The ranked list as a file, in the order of the ranks."""
    found, table = await _table(request, post_id)
    await _note(request, post_id, table)
    t = translator_of(request)
    heading = [
        t(f"panel.column.{name}")
        for name in ("rank", "code", "score", "error", "low", "high", "probability", "decided", "groups")
    ]
    comma = "," if language_of(request) == "id" else "."
    letters = _letters(table)
    rows = [
        [
            row.rank,
            row.blind_code,
            *(
                str(value).replace(".", comma)
                for value in (
                    row.scale_score,
                    row.scale_error,
                    row.band_low,
                    row.band_high,
                    "" if row.probability_above_cut is None else row.probability_above_cut,
                )
            ),
            _decided_by(row, t),
            letters.get(row.blind_code, ""),
        ]
        for row in table.ranking.rows
    ]
    return csv_response(f"ranking-{found.year}.csv", heading, rows)


class NamesForm(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is typed."""


@post(URL + "/posts/{post_id:str}/names", opt=RULE, status_code=200)
async def open_names(request: WebRequest, post_id: FromPath[str]) -> Page:
    """Who is behind the codes, where policy and releases allow it; on record."""
    await read_form(request, NamesForm)
    _, table = await _table(request, post_id)
    services, now_ms = services_of(request), services_of(request).clock.now_ms()
    names = await selections.open_names(services.storage, actor_of(request), post_id, now_ms)
    view = NamesView(
        title=table.post.title,
        unit=table.post.unit,
        names=tuple(NameLine(blind_code=code, name=name) for code, name in names.items()),
        opened_at_ms=now_ms,
        post_url=post_url(post_id),
    )
    return render(request, "panel/names.html", view)


async def _table(request: WebRequest, post_id: str) -> tuple[Selection, PostTable]:
    """The post's table, once its selection has let the actor in."""
    actor = actor_of(request)
    async with services_of(request).storage.reading() as connection:
        selection_id = await connection.scalar(select(posts.c.selection_id).where(posts.c.id == post_id))
        if selection_id is None:
            raise Refused(Refusal.NOT_FOUND)
        try:
            found = await access_selection(connection, actor, selection_id)
        except Refused as refused:
            if refused.code is not Refusal.CONFLICT_STATEMENT_MISSING:
                raise
            raise Refused(refused.code, selection_id=selection_id) from None
        return found, await selections.post_table(connection, actor, post_id)


async def _note(request: WebRequest, post_id: str, table: PostTable) -> None:
    if table.ranking.rows:
        await note_reading(request, f"post:{post_id}", {"page": "ranking"})


# ------------------------------------------------------------------------------------------------- the view


def _view(request: WebRequest, found: Selection, table: PostTable) -> PostView:
    t, formats, policy = translator_of(request), formats_of(request), selections.read_policy(found.policy)
    decimals = 0 if all(row.scale_score % 1 == 0 for row in table.ranking.rows) else 2
    sort, is_descending = _sorting(request)
    ranked = {applicant.blind_code for applicant in table.applicants} & {
        row.blind_code for row in table.ranking.rows
    }
    return PostView(
        title=table.post.title,
        unit=table.post.unit,
        required_level=table.post.required_level,
        selection_title=found.title,
        selection_url=selection_url(found.id),
        rules=rule_facts(policy),
        plot=ranked_plot(
            table.ranking,
            lambda score: _number(formats, score, decimals),
            lambda mark: _number(formats, mark, 0 if mark % 1 == 0 else 2),
            lambda score: t("panel.plot.cut", score=score),
        ),
        lines=_lines(table, t, formats, decimals, sort, is_descending=is_descending),
        columns=_columns(post_url(table.post.id), sort, is_descending=is_descending),
        aspects=_aspects(table),
        groups=_groups(table, formats, decimals),
        apart=tuple(
            ApartLine(blind_code=a.blind_code, state="incomplete" if a.state == "released" else a.state)
            for a in table.applicants
            if a.blind_code not in ranked
        ),
        is_error_partial=table.is_error_partial,
        is_sorted="sort" in request.query_params,
        export_url=f"{post_url(table.post.id)}/ranking.csv",
        names_url=_names_url(table, policy),
        above_cut=sum(bool(row.is_above_cut) for row in table.ranking.rows),
    )


def _names_url(table: PostTable, policy: SelectionPolicy) -> str:
    return f"{post_url(table.post.id)}/names" if policy.names_open == "after_release" else ""


def _number(formats: Formats, value: Decimal, decimals: int) -> str:
    return formats.number(float(value), decimals)


def _lines(
    table: PostTable, t: Translator, formats: Formats, decimals: int, sort: str, *, is_descending: bool
) -> tuple[RankLine, ...]:
    applicants = {applicant.blind_code: applicant for applicant in table.applicants}
    letters, section_ids = _letters(table), _section_ids(table)
    keys = {
        "rank": lambda row: (row.rank, row.blind_code),
        "code": lambda row: row.blind_code,
        "score": lambda row: (row.scale_score, row.blind_code),
        "error": lambda row: (row.scale_error, row.blind_code),
        "probability": lambda row: (row.probability_above_cut or 0.0, row.blind_code),
    }
    ordered = sorted(table.ranking.rows, key=keys[sort], reverse=is_descending)
    return tuple(
        RankLine(
            rank=row.rank,
            blind_code=row.blind_code,
            score=_number(formats, row.scale_score, decimals),
            error=formats.number(float(row.scale_error), 1),
            low=formats.number(float(row.band_low)),
            high=formats.number(float(row.band_high)),
            probability=""
            if row.probability_above_cut is None
            else _probability(formats, row.probability_above_cut),
            is_above_cut=row.is_above_cut,
            is_tied=row.is_tied,
            decided_by=_decided_by(row, t),
            groups=letters.get(row.blind_code, ""),
            is_partial=applicants[row.blind_code].completeness == "partial",
            sections=_cells(applicants[row.blind_code], section_ids, formats),
        )
        for row in ordered
    )


def _probability(formats: Formats, share: float) -> str:
    """No estimate is certain: what rounds to nothing or to all is said as a bound."""
    if share >= 0.995:
        return f"> {formats.percent(0.99)}"
    return f"< {formats.percent(0.01)}" if share < 0.005 else formats.percent(share)


def _decided_by(row: RankedRow, t: Translator) -> str:
    """The name of the tie-break that set the row below its upper neighbour; nothing where the score did."""
    if row.decided_by in {"score", "tied"}:
        return ""
    return t(f"results.aspect.{row.decided_by}")


def _section_ids(table: PostTable) -> tuple[str, ...]:
    return tuple(dict.fromkeys(score.section_id for a in table.applicants for score in a.scores))


def _aspects(table: PostTable) -> tuple[str, ...]:
    """The aspect of each section, in the order of the columns."""
    of_section = {score.section_id: score.aspect for a in table.applicants for score in a.scores}
    return tuple(of_section[section_id] for section_id in _section_ids(table))


def _cells(
    applicant: Applicant, section_ids: tuple[str, ...], formats: Formats
) -> tuple[SectionCell | None, ...]:
    scores = {score.section_id: score for score in applicant.scores}
    return tuple(
        SectionCell(
            scale_score=formats.number(float(score.scale_score)),
            scale_error="" if score.scale_error is None else formats.number(float(score.scale_error)),
            level=score.level,
        )
        if (score := scores.get(section_id))
        else None
        for section_id in section_ids
    )


def _letters(table: PostTable) -> Mapping[str, str]:
    """The letters of each applicant's groups; a group of one has none."""
    letters: dict[str, str] = {}
    shared = [group for group in table.ranking.groups if group.first < group.last]
    for letter, group in zip(LETTERS, shared, strict=False):
        for row in table.ranking.rows[group.first : group.last + 1]:
            letters[row.blind_code] = letters.get(row.blind_code, "") + letter
    return letters


def _groups(table: PostTable, formats: Formats, decimals: int) -> tuple[GroupLine, ...]:
    rows = table.ranking.rows
    shared = [group for group in table.ranking.groups if group.first < group.last]
    return tuple(
        GroupLine(
            letter=letter,
            codes=tuple(row.blind_code for row in rows[group.first : group.last + 1]),
            first_rank=rows[group.first].rank,
            last_rank=rows[group.last].rank,
            low=_number(formats, group.low, decimals),
            high=_number(formats, group.high, decimals),
            crosses_places=group.crosses_places,
        )
        for letter, group in zip(LETTERS, shared, strict=False)
    )


def _sorting(request: WebRequest) -> tuple[str, bool]:
    sort = request.query_params.get("sort", "rank")
    return sort if sort in SORTS else "rank", request.query_params.get("order") == "descending"


def _columns(url: str, sort: str, *, is_descending: bool) -> tuple[SortColumn, ...]:
    return tuple(
        SortColumn(
            key=key,
            url=f"{url}?sort={key}{'&order=descending' if key == sort and not is_descending else ''}#table",
            direction="" if key != sort else "descending" if is_descending else "ascending",
        )
        for key in SORTS
    )


route_handlers = (post_page, ranking_export, open_names)
