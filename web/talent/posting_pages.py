"""Postings to the talent record: what waits, what arrived with which receipt, what needs a person."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.tables import outbox_messages
from cat_engine.results.tables import score_reports
from cat_engine.talent import postings
from cat_engine.talent.postings import Posting
from cat_engine.talent.tables import postings as posting_table
from web.access import access_posting
from web.language import Translator
from web.pages import Page, render, translator_of
from web.requests import WebRequest, read_form
from web.results.release_pages import connector_name
from web.rules import actor_of, requires
from web.services import services_of
from web.talent.views import PostingLine, PostingsView, StateChoice

URL: Final = "/talent/postings"
RULE = requires(Permission.POSTING_MANAGE)
STATES: Final = ("dead", "waiting", "delivered")
PAGE_SIZE: Final = 50


@get(URL, opt=RULE)
async def postings_page(request: WebRequest) -> Page:
    """The agency's postings, newest first; `state` narrows them."""
    actor = actor_of(request)
    state = request.query_params.get("state", "")
    state = state if state in STATES else ""
    async with services_of(request).storage.reading() as connection:
        counts = await _counts(connection, actor)
        total = counts.get(state, 0) if state else sum(counts.values())
        last_page = max(1, -(-total // PAGE_SIZE))
        number = min(_page_number(request), last_page)
        found = await postings.list_postings(
            connection, actor, state=state or None, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE
        )
        numbers = await _report_numbers(connection, found)
        due = await _due(connection, found)
    t = translator_of(request)
    view = PostingsView(
        lines=tuple(_line(posting, numbers, due, t) for posting in found),
        states=tuple(
            StateChoice(
                state=name,
                count=counts.get(name, 0) if name else sum(counts.values()),
                url=f"{URL}?state={name}" if name else URL,
                chosen=name == state,
            )
            for name in ("", *STATES)
        ),
        state=state,
        total=total,
        pages=_pages(state, number, last_page),
        retried=request.query_params.get("retried") == "1",
        talent_url="/talent" if actor.may(Permission.TALENT_READ) else "",
    )
    return render(request, "talent/postings.html", view)


class RetryForm(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is typed."""


@post(URL + "/{posting_id:str}/retry", opt=RULE, status_code=200)
async def retry_posting(request: WebRequest, posting_id: FromPath[str]) -> Redirect:
    """Give a dead posting all its tries again."""
    await read_form(request, RetryForm)
    services, actor = services_of(request), actor_of(request)
    async with services.storage.reading() as connection:
        posting = await access_posting(connection, actor, posting_id)
    await postings.retry(services.storage, actor, posting.id, services.clock.now_ms())
    return Redirect(f"{URL}?retried=1", status_code=303)


async def _counts(connection: AsyncConnection, actor: Actor) -> dict[str, int]:
    rows = await connection.execute(
        select(posting_table.c.state, func.count())
        .where(posting_table.c.agency_id == actor.agency_id)
        .group_by(posting_table.c.state)
    )
    return {row[0]: row[1] for row in rows}


async def _report_numbers(connection: AsyncConnection, found: Sequence[Posting]) -> dict[str, str]:
    rows = await connection.execute(
        select(score_reports.c.id, score_reports.c.report_number).where(
            score_reports.c.id.in_([posting.report_id for posting in found])
        )
    )
    return {row.id: row.report_number for row in rows}


async def _due(connection: AsyncConnection, found: Sequence[Posting]) -> dict[str, int]:
    """When each waiting posting is tried next."""
    rows = await connection.execute(
        select(outbox_messages.c.id, outbox_messages.c.not_before_ms).where(
            outbox_messages.c.id.in_([posting.id for posting in found]), outbox_messages.c.state == "waiting"
        )
    )
    return {row.id: row.not_before_ms for row in rows}


def _line(posting: Posting, numbers: Mapping[str, str], due: Mapping[str, int], t: Translator) -> PostingLine:
    return PostingLine(
        id=posting.id,
        report_number=numbers[posting.report_id],
        connector=connector_name(t, posting.connector),
        state=posting.state,
        attempts=posting.attempts,
        reason=_reason(posting.last_error, t),
        receipt=posting.receipt.receipt_id if posting.receipt else "",
        created_at_ms=posting.created_at_ms,
        delivered_at_ms=posting.delivered_at_ms,
        next_try_at_ms=due.get(posting.id),
        retry_url=f"{URL}/{posting.id}/retry" if posting.state == "dead" else "",
    )


def _reason(code: str, t: Translator) -> str:
    """A sentence for the codes that ours give; what another side answered is shown as it is."""
    kind, _, rest = code.partition(":" if ":" in code else "_")
    if kind in {"status", "connection"}:
        return t(f"talent.failure.{kind}", detail=rest.strip())
    key = f"talent.failure.{code}"
    return t(key) if code and t.has(key) else code


def _page_number(request: WebRequest) -> int:
    text = request.query_params.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _pages(state: str, number: int, last_page: int) -> tuple[tuple[str, str, bool], ...]:
    if last_page == 1:
        return ()
    wanted = sorted({1, last_page, *range(max(1, number - 2), min(last_page, number + 2) + 1)})
    pages: list[tuple[str, str, bool]] = []
    for before, page in zip([0, *wanted], wanted, strict=False):
        if page - before > 1:
            pages.append(("…", "", False))
        given = {"state": state, "page": str(page)} if state else {"page": str(page)}
        pages.append((str(page), f"{URL}?{urlencode(given)}", page == number))
    return tuple(pages)


route_handlers = (postings_page, retry_posting)
