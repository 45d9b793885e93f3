"""What an answer and the first page weigh on a district's line, over a whole demonstration sitting."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from statistics import median
from urllib.parse import urljoin

import httpx
from sqlalchemy import select

from cat_engine.delivery.exam_sessions import open_session
from cat_engine.delivery.tables import exam_sessions
from cat_engine.foundation.actors import Actor, Role
from tests.web.agency import Agency
from tests.web.exam.playing import Candidate, Room, options_on, position_on
from tests.web.serving import served
from web.demonstration.loader import load_demonstration
from web.services import Services

TYPICAL_BYTES = 3 * 1024
HEAVIEST_BYTES = 4 * 1024  # a table or a drawing with its options
FIRST_LOAD_BYTES = 150 * 1024
# what a browser says with each request, beyond what the test's client says by itself
BROWSER_HEADERS = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36",
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "id-ID,id;q=0.9,en-US;q=0.8,en;q=0.7",
    "hx-current-url": "http://127.0.0.1:8000/sittings/0189f30f-1800-77ec-9626-e2eb77919ad3",
    "hx-request": "true",
    "hx-target": "item-region",
    "hx-trigger": "answer-form",
    "sec-fetch-dest": "empty",
    "sec-fetch-mode": "cors",
    "sec-fetch-site": "same-origin",
}


def head_bytes(first_line: str, headers: httpx.Headers) -> int:
    return len(first_line) + 2 + sum(len(name) + len(value) + 4 for name, value in headers.raw) + 2


def round_trip_bytes(answer: httpx.Response) -> int:
    """Heads and bodies of request and response, as they travel."""
    asked = answer.request
    up = head_bytes(f"POST {asked.url.raw_path.decode()} HTTP/1.1", asked.headers) + len(asked.content)
    return up + head_bytes("HTTP/1.1 200 OK", answer.headers) + answer.num_bytes_downloaded


@asynccontextmanager
async def demonstration(database_url: str) -> AsyncIterator[tuple[Room, Candidate]]:
    """The demonstration's open session, and its first candidate at the first item."""
    async with served(database_url) as server:
        services: Services = server.app.state["services"]
        sign_ins = await load_demonstration(services)
        async with server.storage.reading() as connection:
            waiting = select(exam_sessions).where(exam_sessions.c.status == "scheduled")
            session = (await connection.execute(waiting)).one()
        agency = Agency("KNL", {"package_id": session.package_id, "exam_session_id": session.id})
        proctor = Actor("proctor", session.agency_id, "Pengawas", frozenset({Role.PROCTOR}))
        await open_session(server.storage, services.packages, proctor, session.id, server.clock.now_ms())
        room = Room(server, agency, places=1)
        async with room.machine(sign_ins.candidates[0].who) as candidate:
            assert (await candidate.sign_in(sign_ins.candidates[0].secret)).status_code == 303
            await candidate.prepare()
            await room.act("admit", candidate)
            await candidate.post("begin")
            yield room, candidate


async def first_load(candidate: Candidate) -> dict[str, int]:
    """Bytes of the item's page and of everything that it makes a browser fetch."""
    page = await candidate.page(**{"accept-encoding": "gzip"})
    weights = {"page": page.num_bytes_downloaded}
    waiting = re.findall(r'(?:href|src)="(/static/[^"#]+)', page.text)
    while waiting:
        address = waiting.pop()
        if address in weights:
            continue
        fetched = await candidate.client.get(address, headers={"accept-encoding": "gzip"})
        assert fetched.status_code == 200, address
        weights[address] = fetched.num_bytes_downloaded
        if address.endswith(".css"):
            waiting += [urljoin(address, url) for url in re.findall(r'url\("([^"]+)"\)', fetched.text)]
    return weights


async def test_an_answer_fits_into_three_kilobytes_and_the_first_page_into_a_hundred_and_fifty(
    sqlite_url: str, record_property: Callable[[str, object], None]
) -> None:
    async with demonstration(sqlite_url) as (_room, candidate):
        loaded = await first_load(candidate)
        assert any(name.endswith(".woff2") for name in loaded)
        assert any(name.endswith(".js") for name in loaded)
        assert sum(loaded.values()) <= FIRST_LOAD_BYTES, loaded

        weights: list[int] = []
        html = (await candidate.page()).text
        while 'name="go"' not in html:
            form = {
                "presentation": str(position_on(html)),
                "response": options_on(html)[0],
                "client_at_ms": "1692000000000",
                "confirm": "1",
                "ask_first": "1",
            }
            answer = await candidate.post("responses", form, htmx=True, **BROWSER_HEADERS)
            if "hx-redirect" in answer.headers:
                html = (await candidate.page()).text
                continue
            assert answer.headers["content-encoding"] == "gzip"
            weights.append(round_trip_bytes(answer))
            html = answer.text
        assert len(weights) >= 25
        record_property("first_load_bytes", sum(loaded.values()))
        record_property("round_trip_bytes_median", median(weights))
        record_property("round_trip_bytes_maximum", max(weights))
        assert median(weights) <= TYPICAL_BYTES
        assert max(weights) <= HEAVIEST_BYTES
