"""The ledger as the auditor reads it: who did what and when, and whether the chain still holds."""

from typing import Any
from urllib.parse import urlencode

from litestar import get
from litestar.response import Response
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.ledger import first_break, head
from cat_engine.foundation.tables import ledger_entries
from web.administrator.views import LedgerLine, LedgerView
from web.exports import csv_response
from web.pages import Page, render
from web.requests import WebRequest, is_clean
from web.rules import actor_of, requires
from web.services import services_of

RULE = requires(Permission.LEDGER_READ)
URL = "/ledger"
PAGE_SIZE = 50
EXPORT_LIMIT = 100_000
FILTERS = ("actor", "action", "subject")
COLUMNS = ("sequence", "at_ms", "actor", "action", "subject", "detail", "hash")


@get(URL, opt=RULE)
async def ledger_page(request: WebRequest) -> Page:
    """Entries of the agency, newest first; `check=1` reads the whole chain again."""
    filters, number = _filters(request), _page_number(request)
    async with services_of(request).storage.reading() as connection:
        conditions = _conditions(actor_of(request), filters)
        statement = select(func.count()).select_from(ledger_entries).where(*conditions)
        total = (await connection.execute(statement)).scalar_one()
        last_page = max(1, -(-total // PAGE_SIZE))
        number = min(number, last_page)
        entries = await _entries(connection, conditions, PAGE_SIZE, (number - 1) * PAGE_SIZE)
        size, newest_hash = await head(connection)
        is_checked = request.query_params.get("check") == "1"
        broken_at = await first_break(connection) if is_checked else None
    first = (number - 1) * PAGE_SIZE
    view = LedgerView(
        entries=entries,
        total=total,
        first=first + 1 if entries else 0,
        last=first + len(entries),
        **filters,
        pages=_pages(filters, number, last_page),
        filter_url=URL,
        check_url=_url(filters, check="1"),
        check_state="" if not is_checked else "broken" if broken_at is not None else "intact",
        broken_at=broken_at or 0,
        head_size=size,
        head_hash=newest_hash,
    )
    return render(request, "administrator/ledger.html", view)


@get(URL + ".csv", opt=RULE)
async def ledger_export(request: WebRequest) -> Response[bytes]:
    """The filtered entries as a file."""
    async with services_of(request).storage.reading() as connection:
        conditions = _conditions(actor_of(request), _filters(request))
        entries = await _entries(connection, conditions, EXPORT_LIMIT, 0)
    rows = ([getattr(entry, name) for name in COLUMNS] for entry in entries)
    return csv_response("ledger.csv", COLUMNS, rows)


def _filters(request: WebRequest) -> dict[str, str]:
    given = {name: request.query_params.get(name, "").strip()[:120] for name in FILTERS}
    return {name: value if is_clean(value) else "" for name, value in given.items()}


def _page_number(request: WebRequest) -> int:
    text = request.query_params.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _conditions(actor: Actor, filters: dict[str, str]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [ledger_entries.c.agency_id == actor.agency_id]
    conditions.extend(
        ledger_entries.c[name].contains(value, autoescape=True) for name, value in filters.items() if value
    )
    return conditions


async def _entries(
    connection: AsyncConnection, conditions: list[ColumnElement[bool]], limit: int, offset: int
) -> tuple[LedgerLine, ...]:
    rows = await connection.execute(
        select(*(ledger_entries.c[name] for name in COLUMNS))
        .where(*conditions)
        .order_by(ledger_entries.c.sequence.desc())
        .limit(limit)
        .offset(offset)
    )
    return tuple(LedgerLine(**row) for row in rows.mappings())


def _pages(filters: dict[str, str], number: int, last_page: int) -> tuple[tuple[str, str, bool], ...]:
    """First, last and the neighbours; a gap has no address."""
    wanted = sorted({1, last_page, *range(max(1, number - 2), min(last_page, number + 2) + 1)})
    pages: list[tuple[str, str, bool]] = []
    for before, page in zip([0, *wanted], wanted, strict=False):
        if page - before > 1:
            pages.append(("…", "", False))
        pages.append((str(page), _url(filters, page=str(page)), page == number))
    return tuple(pages)


def _url(filters: dict[str, str], **more: Any) -> str:
    return f"{URL}?{urlencode({**{name: value for name, value in filters.items() if value}, **more})}"


route_handlers = (ledger_page, ledger_export)
