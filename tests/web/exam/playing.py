"""Candidates who sit an exam over HTTP, with htmx or without JavaScript, and what the log says afterwards."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx
from sqlalchemy import func, select

from cat_engine.core import chain
from cat_engine.core import events as e
from cat_engine.core.state import SittingState, fold
from cat_engine.delivery.sittings import SittingRef, read_log
from cat_engine.delivery.tables import roster_entries, sitting_log, sittings
from cat_engine.foundation.actors import Actor, Role
from cat_engine.foundation.refusals import Refused
from cat_engine.proctoring.acts import Order, carry_out
from tests.web.agency import PIN, Agency, csrf_token, sign_in_candidate
from tests.web.serving import Served
from web.services import Services

HTMX = {"hx-request": "true"}
JSON = {"accept": "application/json"}


class Fields(HTMLParser):
    """The names and values of a page's inputs."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in {"input", "button"} and (name := named.get("name")):
            self.found.append((name, named.get("value") or ""))

    def all(self, name: str) -> list[str]:
        return [value for each, value in self.found if each == name]


def position_on(html: str) -> int:
    """Which presentation a page or fragment shows."""
    return int(Fields(html).all("presentation")[0])


def options_on(html: str) -> list[str]:
    """The responses that a page or fragment offers."""
    return Fields(html).all("response")


def without_secrets(html: str) -> str:
    """A page without what differs from one answer to the next by design: nonce and form token."""
    html = re.sub(r'(name="csrf_token" value=")[^"]*', r"\1", html)
    html = re.sub(r'("X-CSRF-Token": ?")[^"]*', r"\1", html)
    return re.sub(r"[A-Za-z0-9_-]{43}|(?<=nonce=\")[^\"]*", "", html)


@dataclass
class Log:
    """A sitting's log as stored."""

    entries: list[e.Entry]
    heads: list[str]

    @property
    def events(self) -> list[e.Event]:
        return [event for entry in self.entries for event in entry.events]

    @property
    def state(self) -> SittingState:
        return fold(self.entries)

    @property
    def responses(self) -> list[e.ResponseRecorded]:
        return [event for event in self.events if isinstance(event, e.ResponseRecorded)]

    def check(self) -> None:
        """Gapless revisions, a chain that holds, and one response at most for each adaptive presentation."""
        assert [entry.revision for entry in self.entries] == list(range(1, len(self.entries) + 1))
        head = chain.GENESIS
        for entry, stored in zip(self.entries, self.heads, strict=True):
            head = chain.extend(head, entry)
            assert head == stored
        shown = [event.position for event in self.events if isinstance(event, e.ItemPresented)]
        answered = [event.position for event in self.responses if event.position in set(shown)]
        assert len(answered) == len(set(answered))
        given = {event.position: event.response for event in self.responses}
        for presentation in self.state.presentations:
            if presentation.position in set(answered):
                assert presentation.response == given[presentation.position]


@dataclass
class Candidate:
    """Somebody at a machine."""

    server: Served
    client: httpx.AsyncClient
    number: str
    sitting_id: str
    token: str = ""
    received: list[httpx.Response] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"/sittings/{self.sitting_id}"

    async def sign_in(self, pin: str = PIN) -> httpx.Response:
        answer = await sign_in_candidate(self.client, self.number, pin)
        if answer.status_code == 303:
            self.token = await csrf_token(self.client, "/candidate/sign-in")
        return answer

    async def page(self, query: str = "", **headers: str) -> httpx.Response:
        return await self.client.get(self.url + query, headers=headers)

    async def post(
        self, act: str, fields: Mapping[str, str] | None = None, *, htmx: bool = False, **headers: str
    ) -> httpx.Response:
        form = {"csrf_token": self.token, **(fields or {})}
        headers = {**(HTMX if htmx else {}), **headers}
        return await self.client.post(f"{self.url}/{act}", data=form, headers=headers)

    async def prepare(self) -> None:
        """Identity, pledge and device: to the waiting room."""
        assert (await self.post("identity")).status_code == 303
        text_hash = Fields((await self.page()).text).all("text_hash")[0]
        form = {"text_hash": text_hash, "accepted": "1", "consented": "1"}
        assert (await self.post("pledge", form)).status_code == 303
        assert (await self.post("device", {"javascript": ""})).headers["location"] == f"{self.url}/practice"

    async def answer(
        self, position: int, response: str, *, htmx: bool = True, **fields: str
    ) -> httpx.Response:
        form = {"presentation": str(position), "response": response, "confirm": "1", **fields}
        return await self.post("responses", form, htmx=htmx)

    async def log(self) -> Log:
        async with self.server.storage.reading() as connection:
            return Log(*await read_log(connection, self.sitting_id))

    async def checked(self) -> Log:
        """The log, after checking what must always hold."""
        log = await self.log()
        log.check()
        return log

    async def play_adaptive(self, *, htmx: bool = True) -> int:
        """Answer until the fixed form or the end comes; how many answers it took."""
        html, count = (await self.page()).text, 0
        while True:
            position = position_on(html)
            answer = await self.answer(position, options_on(html)[position % 2], htmx=htmx)
            count += 1
            onward = answer.headers.get("hx-redirect") or answer.headers.get("location")
            html = (await self.page()).text if onward else answer.text
            if 'name="go"' in html or not options_on(html):
                return count


async def stop_the_beat(server: Served) -> None:
    """A clock moved by hand looks like an outage to the server, which would give the time back."""
    services: Services = server.app.state["services"]
    services.sittings.give_back = None
    for task in asyncio.all_tasks():
        if task.get_name() == "beat":
            task.cancel()
            await asyncio.wait([task])


@dataclass
class Room:
    """An open exam session with candidates nobody has used yet."""

    server: Served
    agency: Agency
    places: int
    used: int = 0

    @property
    def services(self) -> Services:
        found: Services = self.server.app.state["services"]
        return found

    @property
    def proctor(self) -> Actor:
        return self.agency.actor(Role.PROCTOR)

    @asynccontextmanager
    async def machine(self, number: str) -> AsyncIterator[Candidate]:
        """A browser that nobody is signed in at; everything it receives is kept."""
        async with self.server.storage.reading() as connection:
            sitting_id = (
                await connection.execute(
                    select(sittings.c.id)
                    .join(roster_entries, roster_entries.c.id == sittings.c.roster_entry_id)
                    .where(roster_entries.c.candidate_number == number)
                )
            ).scalar_one()
        received: list[httpx.Response] = []

        async def keep(response: httpx.Response) -> None:
            await response.aread()
            received.append(response)

        async with self.server.client(event_hooks={"response": [keep]}) as client:
            yield Candidate(self.server, client, number, sitting_id, received=received)

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[Candidate]:
        """The next candidate, in the waiting room."""
        self.used += 1
        assert self.used <= self.places, "the room needs more candidates"
        async with self.machine(self.agency.candidate_number(self.used)) as candidate:
            assert (await candidate.sign_in()).status_code == 303
            await candidate.prepare()
            yield candidate

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Candidate]:
        """The next candidate, at the first item."""
        async with self.waiting() as candidate:
            await self.act("admit", candidate)
            assert (await candidate.post("begin")).status_code == 303
            yield candidate

    async def act(self, name: str, candidate: Candidate, *, reason: str = "", amount_ms: int = 0) -> None:
        """A proctor's act that must succeed."""
        outcome = await self.order(name, candidate, reason=reason, amount_ms=amount_ms)
        if outcome is not None:
            raise outcome

    async def order(
        self, name: str, candidate: Candidate, *, reason: str = "", amount_ms: int = 0
    ) -> Refused | None:
        """A proctor's act; why it was refused, if it was."""
        async with self.server.storage.reading() as connection:
            newest = await connection.execute(
                select(func.max(sitting_log.c.revision)).where(
                    sitting_log.c.sitting_id == candidate.sitting_id
                )
            )
            revision = newest.scalar_one()
        ref = SittingRef(candidate.sitting_id, self.agency.id, self.agency.ids["package_id"], revision)
        order, now_ms = Order(name, reason, amount_ms), self.server.clock.now_ms()
        outcomes = await carry_out(
            self.server.storage, self.services.sittings, self.proctor, [ref], order, now_ms
        )
        return outcomes[0].refused
