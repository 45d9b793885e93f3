"""What the tests of staff's pages share: a room with candidates in every state, and a signed-in browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import httpx
from playwright.async_api import Page, async_playwright
from sqlalchemy import select

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import Progress
from cat_engine.core.state import SittingState
from cat_engine.delivery import outages
from cat_engine.delivery.sittings import Decide, SittingRef, find, read_log
from cat_engine.delivery.tables import sittings
from cat_engine.foundation.actors import Actor, Role
from cat_engine.foundation.tables import ledger_entries
from cat_engine.proctoring.acts import Order, carry_out
from tests.web.agency import Agency, sign_in_staff
from tests.web.serving import Served
from web.services import Services

AXE = Path(__file__).parent / "axe" / "axe.min.js"


def services(server: Served) -> Services:
    found: Services = server.app.state["services"]
    return found


async def sitting_ids(server: Served, agency: Agency) -> list[str]:
    """The sittings of the agency's room in the order of their candidates."""
    async with server.storage.reading() as connection:
        rows = await connection.execute(
            select(sittings.c.id)
            .where(sittings.c.agency_id == agency.id)
            .order_by(sittings.c.roster_entry_id)
        )
        return list(rows.scalars())


async def ref_of(server: Served, sitting_id: str) -> SittingRef:
    """The sitting at its newest revision, as an authorisation reads it."""
    async with server.storage.reading() as connection:
        ref = await find(connection, sitting_id)
        entries, _ = await read_log(connection, sitting_id)
    return replace(ref, revision=len(entries))


def _event(event: e.AnyEvent) -> Decide:
    def decide(_compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
        return engine.act(state, event, now_ms=now_ms, actor="candidate:test")

    return decide


def _wait(_compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
    return engine.enter_waiting(state, now_ms=now_ms, actor="candidate:test")


def _begin(compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
    return engine.begin(compiled, state, now_ms=now_ms, actor="candidate:test")


async def to_waiting(server: Served, sitting_id: str) -> None:
    """Everything that a candidate does before admission."""
    ref = await ref_of(server, sitting_id)
    for decide in (
        _event(e.CheckedIn(seat="A01")),
        _event(e.PledgeSigned(text_hash="p")),
        _event(e.DeviceChecked(javascript=True)),
        _wait,
    ):
        await services(server).sittings.apply(ref, decide)


async def order(server: Served, agency: Agency, sitting_id: str, act: str, reason: str = "") -> None:
    ref, proctor = await ref_of(server, sitting_id), agency.actor(Role.PROCTOR)
    outcomes = await carry_out(
        server.storage, services(server).sittings, proctor, [ref], Order(act, reason), server.clock.at_ms
    )
    assert outcomes[0].refused is None


async def begin(server: Served, agency: Agency, sitting_id: str, *, answers: int = 0) -> None:
    """Admitted, begun, and some items answered; a minute passes with each."""
    await to_waiting(server, sitting_id)
    await order(server, agency, sitting_id, "admit")
    ref, sittings_of = await ref_of(server, sitting_id), services(server).sittings
    live = await sittings_of.apply(ref, _begin)
    candidate = Actor(live.state.candidate, agency.id, "", frozenset({Role.CANDIDATE}))
    for _ in range(answers):
        server.clock.at_ms += 60_000
        current = live.state.current
        assert current is not None
        live = await sittings_of.respond(ref, candidate, current.position, "o1")


async def finish(server: Served, agency: Agency, sitting_id: str) -> None:
    """To the score: the time runs out."""
    await begin(server, agency, sitting_id, answers=3)
    server.clock.at_ms += 3 * 3600 * 1000
    await outages.beat(server.storage, server.clock.at_ms)  # the servers were there all the time
    sittings_of = services(server).sittings
    await sittings_of.expire(await sittings_of.load(await ref_of(server, sitting_id)))
    live = await sittings_of.load(
        await ref_of(server, sitting_id)
    )  # the server's own sweep may have been first
    assert live.state.score is not None


async def signed_in(server: Served, agency: Agency, role: Role) -> httpx.AsyncClient:
    client = server.client()
    assert (await sign_in_staff(client, agency.username(role))).status_code == 303
    return client


@asynccontextmanager
async def signed_in_for(server: Served, agency: Agency, role: Role) -> AsyncIterator[httpx.AsyncClient]:
    client = await signed_in(server, agency, role)
    yield client
    await client.aclose()


async def ledger_subjects(server: Served, action: str) -> list[str]:
    async with server.storage.reading() as connection:
        rows = await connection.execute(
            select(ledger_entries.c.subject)
            .where(ledger_entries.c.action == action)
            .order_by(ledger_entries.c.sequence)
        )
        return list(rows.scalars())


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def text_of(html: str) -> str:
    """What a page says, with single spaces."""
    parser = _Text()
    parser.feed(html)
    return re.sub(r"\s+", " ", " ".join(parser.parts))


def token_of(html: str) -> str:
    return html.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


@asynccontextmanager
async def browser_page(
    chromium_path: Path, server: Served, client: httpx.AsyncClient, width: int = 1366
) -> AsyncIterator[Page]:
    """A page of a real browser with the client's login."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(chromium_path), args=["--no-sandbox", "--disable-gpu"]
        )
        context = await browser.new_context(viewport={"width": width, "height": 768}, locale="id-ID")
        await context.add_cookies(
            [{"name": name, "value": value, "url": server.url} for name, value in client.cookies.items()]
        )
        yield await context.new_page()
        await browser.close()


async def faults(page: Page, urls: Sequence[str]) -> list[str]:
    """What axe finds on pages, and which of them are wider than a narrow screen."""
    found = []
    for url in urls:
        await page.set_viewport_size({"width": 1366, "height": 768})
        answer = await page.goto(url)
        assert answer is not None
        assert answer.status == 200, url
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        result = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [
            f"{url}: {one['id']} {[node['html'][:120] for node in one['nodes']]}"
            for one in result["violations"]
        ]
        await page.set_viewport_size({"width": 320, "height": 640})
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > 320:
            found.append(f"{url}: {width} wide")
    return found
