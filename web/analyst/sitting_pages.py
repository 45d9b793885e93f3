"""Files of finished sittings, for whoever does not trust the database: take one away, or decide it again."""

import asyncio
import time
from typing import Any, Final
from urllib.parse import urlencode

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import chain
from cat_engine.core.events import Scored
from cat_engine.core.test_package import decode_file
from cat_engine.core.transitions import FINISHED, Status
from cat_engine.delivery.sittings import newest_entries
from cat_engine.delivery.tables import exam_sessions, roster_entries, sittings, test_packages
from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.integrity.exports import SittingFile, decode_sitting, export_package, export_sitting
from cat_engine.integrity.replay import Finding, replay_sitting
from web.access import StaffSitting, access_staff_sitting, panel_scope, reaches_as_panel_only
from web.analyst.package_pages import URL as PACKAGES_URL
from web.analyst.package_pages import file_response
from web.analyst.views import ReplayView, SittingLine, SittingListView
from web.pages import Page, render
from web.requests import WebRequest, is_clean
from web.rules import actor_of, requires
from web.services import services_of

RULE = requires(Permission.SITTING_EXPORT)
URL: Final = "/sitting-files"
PATH: Final = URL + "/{sitting_id:str}"
PAGE_SIZE: Final = 25
SHOWN: Final = tuple(status.value for status in (*FINISHED, Status.TERMINATED))


@get(URL, opt=RULE)
async def sitting_list_page(request: WebRequest) -> Page:
    """The finished sittings that the actor may see, newest first."""
    actor = actor_of(request)
    chosen = request.query_params.get("exam_session", "")[:40]
    chosen = chosen if is_clean(chosen) else ""
    text = request.query_params.get("page", "1")
    async with services_of(request).storage.reading() as connection:
        sessions = await _sessions(connection, actor)
        narrowed = [exam_sessions.c.id == chosen] if chosen in dict(sessions) else []
        total = (await connection.execute(_finished(actor, narrowed, [func.count()]))).scalar_one()
        last_page = max(1, -(-total // PAGE_SIZE))
        asked = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1
        number = min(max(1, asked), last_page)
        lines = await _lines(connection, actor, narrowed, (number - 1) * PAGE_SIZE)
    first = (number - 1) * PAGE_SIZE
    view = SittingListView(
        sittings=lines,
        filter_url=URL,
        exam_sessions=sessions,
        exam_session=chosen if narrowed else "",
        total=total,
        first=first + 1 if lines else 0,
        last=first + len(lines),
        pages=tuple(
            (str(page), _list_url(chosen if narrowed else "", page), page == number)
            for page in range(1, last_page + 1)
        ),
    )
    return render(request, "analyst/sitting_files.html", view)


def _list_url(exam_session: str, page: int) -> str:
    query = {"exam_session": exam_session, "page": str(page)}
    return f"{URL}?{urlencode({name: value for name, value in query.items() if value})}"


def _finished(actor: Actor, narrowed: list[ColumnElement[bool]], columns: list[Any]) -> Select[Any]:
    newest = newest_entries().subquery("newest")
    shown = [newest.c[column] if isinstance(column, str) else column for column in columns]
    return (
        select(*shown)
        .select_from(sittings)
        .join(newest, newest.c.sitting_id == sittings.c.id)
        .join(exam_sessions, exam_sessions.c.id == sittings.c.exam_session_id)
        .join(roster_entries, roster_entries.c.id == sittings.c.roster_entry_id)
        .join(test_packages, test_packages.c.id == sittings.c.package_id)
        .where(
            sittings.c.agency_id == actor.agency_id,
            newest.c.status.in_(SHOWN),
            panel_scope(actor, Permission.SITTING_EXPORT, exam_sessions.c.selection_id),
            *narrowed,
        )
    )


async def _lines(
    connection: AsyncConnection, actor: Actor, narrowed: list[ColumnElement[bool]], offset: int
) -> tuple[SittingLine, ...]:
    columns = [
        "sitting_id",
        "status",
        "answered",
        "at_ms",
        exam_sessions.c.title,
        test_packages.c.code,
        test_packages.c.version,
        roster_entries.c.candidate_number,
    ]
    statement = _finished(actor, narrowed, columns).order_by(
        exam_sessions.c.starts_at_ms.desc(), roster_entries.c.candidate_number
    )
    is_blind = reaches_as_panel_only(actor, Permission.SITTING_EXPORT)
    rows = await connection.execute(statement.limit(PAGE_SIZE).offset(offset))
    return tuple(
        SittingLine(
            sitting_id=row.sitting_id,
            code=_code(row.sitting_id, row.candidate_number, is_blind=is_blind),
            exam_session=row.title,
            package=f"{row.code} v{row.version}",
            status=row.status,
            answered=row.answered,
            ended_at_ms=row.at_ms,
            file_url=f"{URL}/{row.sitting_id}",
            replay_url=f"{URL}/{row.sitting_id}/replay",
        )
        for row in rows
    )


def _code(sitting_id: str, candidate_number: str, *, is_blind: bool) -> str:
    """How a sitting is called: the panel judges blind, so it gets no candidate number."""
    return sitting_id[-8:].upper() if is_blind else candidate_number


async def _sessions(connection: AsyncConnection, actor: Actor) -> tuple[tuple[str, str], ...]:
    rows = await connection.execute(
        select(exam_sessions.c.id, exam_sessions.c.title)
        .where(
            exam_sessions.c.agency_id == actor.agency_id,
            panel_scope(actor, Permission.SITTING_EXPORT, exam_sessions.c.selection_id),
        )
        .order_by(exam_sessions.c.starts_at_ms.desc(), exam_sessions.c.id)
    )
    return tuple((row.id, row.title) for row in rows)


async def _access_finished(connection: AsyncConnection, actor: Actor, sitting_id: str) -> StaffSitting:
    """A sitting whose log may leave: finished, and for the panel released."""
    sitting = await access_staff_sitting(connection, actor, sitting_id, Permission.SITTING_EXPORT)
    newest = newest_entries().subquery()
    status = await connection.scalar(select(newest.c.status).where(newest.c.sitting_id == sitting.id))
    is_panel = reaches_as_panel_only(actor, Permission.SITTING_EXPORT)
    if status not in ({Status.RELEASED} if is_panel else set(SHOWN)):
        raise Refused(Refusal.NOT_FOUND)
    return sitting


@get(PATH, opt=RULE)
async def sitting_file(request: WebRequest, sitting_id: FromPath[str]) -> Response[bytes]:
    """The log of a sitting with its chain; who took it and when is written down."""
    services, actor = services_of(request), actor_of(request)
    async with services.storage.transaction() as connection:
        sitting = await _access_finished(connection, actor, sitting_id)
        content = await export_sitting(connection, sitting.id)
        await ledger.append(
            connection, actor, action="sitting.export", subject=sitting.id, at_ms=services.clock.now_ms()
        )
    return file_response(content, f"sitting-{sitting.id}")


@post(PATH + "/replay", opt=RULE, status_code=200)
async def sitting_replay(request: WebRequest, sitting_id: FromPath[str]) -> Page:
    """Decide every step of the sitting again, beside the event loop, and say whether anything differs."""
    services, actor = services_of(request), actor_of(request)
    async with services.storage.reading() as connection:
        sitting = await _access_finished(connection, actor, sitting_id)
        package_content = await export_package(connection, sitting.package_id)
        content = await export_sitting(connection, sitting.id)
        names = (await connection.execute(_names(sitting))).one()
    started_s = time.perf_counter()
    finding = await asyncio.to_thread(_decide_again, package_content, content)
    took_ms = round((time.perf_counter() - started_s) * 1000)
    async with services.storage.transaction() as connection:
        await ledger.append(
            connection,
            actor,
            action="sitting.replay",
            subject=sitting.id,
            at_ms=services.clock.now_ms(),
            detail={"identical": finding is None},
        )
    recorded = decode_sitting(content)
    head = recorded.chain[-1] if recorded.chain else chain.GENESIS
    scored = _scored_head(recorded)
    is_blind = reaches_as_panel_only(actor, Permission.SITTING_EXPORT)
    view = ReplayView(
        code=_code(sitting.id, names.candidate_number, is_blind=is_blind),
        exam_session=names.title,
        package=f"{names.code} v{names.version}",
        package_hash=recorded.package_hash,
        entries=len(recorded.entries),
        events=sum(len(entry.events) for entry in recorded.entries),
        head=head,
        receipt=chain.receipt(scored) if scored else "",
        took_ms=took_ms,
        is_identical=finding is None,
        where=finding.where if finding else "",
        recorded=finding.recorded[:200] if finding else "",
        decided=finding.decided[:200] if finding else "",
        file_url=f"{URL}/{sitting.id}",
        package_file_url=f"{PACKAGES_URL}/{sitting.package_id}/file",
        back_url=URL,
    )
    return render(request, "analyst/replay.html", view)


def _decide_again(package_content: bytes, content: bytes) -> Finding | None:
    return replay_sitting(decode_file(package_content), decode_sitting(content))


def _scored_head(recorded: SittingFile) -> str:
    """The chain's value when the score was written, which is the candidate's receipt; "" before that."""
    pairs = zip(recorded.entries, recorded.chain, strict=False)
    heads = [head for entry, head in pairs if any(isinstance(event, Scored) for event in entry.events)]
    return heads[-1] if heads else ""


def _names(sitting: StaffSitting) -> Select[Any]:
    return (
        select(
            exam_sessions.c.title,
            roster_entries.c.candidate_number,
            test_packages.c.code,
            test_packages.c.version,
        )
        .select_from(sittings)
        .join(exam_sessions, exam_sessions.c.id == sittings.c.exam_session_id)
        .join(roster_entries, roster_entries.c.id == sittings.c.roster_entry_id)
        .join(test_packages, test_packages.c.id == sittings.c.package_id)
        .where(sittings.c.id == sitting.id)
    )


route_handlers: tuple[HTTPRouteHandler, ...] = (sitting_list_page, sitting_file, sitting_replay)
