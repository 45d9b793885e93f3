"""A whole exam with a bank of canaries: no key, parameter, estimate or note leaves the engine, by any door.

The server is granian, as in production; everything it sends, writes to its output and leaves in Redis is kept
and looked through.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from cat_engine.core.transitions import Status
from cat_engine.foundation.actors import GRANTS, Permission, Role
from cat_engine.foundation.storage import Storage
from cat_engine.results.release import release
from cat_engine.talent.postings import promise
from tests.web.agency import SECRET_KEY, T0, Agency, HandClock, sign_in_staff
from tests.web.exam.canaries import add_canaries, bank_secrets, found_in, identity_secrets, thetas_of
from tests.web.exam.playing import Candidate, Room, position_on
from tests.web.serving import Served, free_port
from web.accounts.staff import STAFF_ROLES
from web.app import create_app
from web.database import upgrade
from web.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAY_SEE_KEYS = {Permission.BANK_READ, Permission.SITTING_EXPORT}
"""Whoever writes, reviews, calibrates or verifies; exports are taken under one's name."""


@dataclass
class Exam:
    """A running server, its room, and where it writes."""

    room: Room
    output: Path
    redis_url: str | None

    @property
    def agency(self) -> Agency:
        return self.room.agency

    @property
    def storage(self) -> Storage:
        return self.room.server.storage


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def exam(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Exam]:
    folder = tmp_path_factory.mktemp("canaries")
    database_url, redis_url = f"sqlite+aiosqlite:///{folder / 'database.sqlite3'}", None
    if request.param == "postgresql":
        redis = request.getfixturevalue("redis_server")
        redis.empty()
        database_url = request.getfixturevalue("postgresql_server").create_database("canaries")
        redis_url = redis.url
    storage, port = Storage(database_url), free_port()
    await upgrade(storage)
    url = f"http://127.0.0.1:{port}"
    settings = Settings(
        database_url=database_url, secret_key=SECRET_KEY, redis_url=redis_url, port=port, public_url=url
    )
    # this process's own application serves nobody: it knows the routes, and carries out the proctor's acts
    app = create_app(settings, storage=storage)
    room = Room(Served(url, storage, HandClock(), app), await add_canaries(storage), 3)
    output = folder / "output.txt"
    environment = {
        **os.environ,
        "CAT_ENGINE_DATABASE_URL": database_url,
        "CAT_ENGINE_SECRET_KEY": SECRET_KEY.decode(),
        "CAT_ENGINE_PORT": str(port),
        **({"CAT_ENGINE_REDIS_URL": redis_url} if redis_url else {}),
    }
    with output.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--port", str(port)),
            *("--workers-kill-timeout", "5", "--access-log", "--log-level", "debug", "web.app:create"),
            env=environment,
            stdout=sink,
            stderr=sink,
        )
        try:
            await _answering(url)
            yield Exam(room, output, redis_url)
        finally:
            process.terminate()
            await process.wait()
            await storage.close()
    if request.param == "postgresql":
        request.getfixturevalue("postgresql_server").drop_database("canaries")


async def _answering(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/health")).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise TimeoutError("the server does not answer")


def told(answer: httpx.Response) -> str:
    """Everything that one response says: status line, headers, body."""
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
    return f"{answer.status_code} {answer.request.url}\n{head}\n\n{answer.text}"


async def play(candidate: Candidate, room: Room, *, htmx: bool, watch: httpx.AsyncClient) -> None:
    """Everything that a candidate can do, with a proctor who looks on all the time."""
    board = f"/proctor/exam-sessions/{room.agency.ids['exam_session_id']}"
    await candidate.client.get(f"{candidate.url}/practice")
    html = (await candidate.page()).text
    while 'name="go"' not in html:
        position = position_on(html)
        await candidate.answer(position, "o1", htmx=htmx, confirm="0", ask_first="1")
        answer = await candidate.answer(position, f"o{1 + position % 4}", htmx=htmx)
        await candidate.answer(position, "o4", htmx=htmx)
        await candidate.answer(position, "o9", htmx=htmx)
        for headers in ({}, {"hx-request": "true"}):
            assert (await watch.get(board, headers=headers)).status_code == 200
        if position == 3:
            await room.act("pause", candidate, reason="environment.noise")
            await candidate.page()
            await watch.get(f"{board}/sittings/{candidate.sitting_id}")
            await room.act("resume", candidate)
            await candidate.page()
            await candidate.post("begin", htmx=htmx)
        onward = "hx-redirect" in answer.headers or "location" in answer.headers
        html = (await candidate.page()).text if onward or position == 3 else answer.text
    first = position_on((await candidate.page("?go=1")).text)
    for place in range(3):
        fields = {"presentation": str(first + place), "response": "o2", "go": "next", "flag": "1"}
        await candidate.post("responses", fields, htmx=htmx)
    for confirm in ("0", "1"):
        await candidate.post("finish", {"confirm": confirm, "section": "pengetahuan"}, htmx=htmx)
    await candidate.page()
    await candidate.page("?language=en")


async def test_no_secret_reaches_the_exam_room(exam: Exam) -> None:
    room, responses = exam.room, []
    async with room.server.client() as proctor:
        await sign_in_staff(proctor, room.agency.username(Role.PROCTOR))
        for htmx in (True, False):
            async with room.begun() as candidate:
                watched: list[httpx.Response] = []

                async def keep(response: httpx.Response, into: list[httpx.Response] = watched) -> None:
                    await response.aread()
                    into.append(response)

                proctor.event_hooks["response"] = [keep]
                await play(candidate, room, htmx=htmx, watch=proctor)
                log = await candidate.checked()
                assert log.state.status is Status.SCORED
                responses.append((log, [*candidate.received, *watched]))
    async with exam.storage.reading() as connection:
        identities = await identity_secrets(connection, exam.agency)
    everything = (*bank_secrets(), *identities)
    for log, answers in responses:
        seed = log.entries[0].events[0].seed  # type: ignore[union-attr] # the first event is Created
        estimates = thetas_of(log.events)
        assert len(estimates) > 50
        assert len(answers) > 60
        for answer in answers:
            assert found_in(told(answer), (*everything, *estimates, seed)) == [], answer.request.url
    assert_options_look_alike(responses[0][1])
    await assert_nothing_left_behind(
        exam, (*everything, *(t for log, _ in responses for t in thetas_of(log.events)))
    )


def assert_options_look_alike(answers: list[httpx.Response]) -> None:
    """Nothing in the page's own text sets one option apart from the others but its letter and its words."""
    compared = 0
    for answer in answers:
        if "/practice" in answer.request.url.path:
            continue
        parts = answer.text.split(OPTION)
        plain = {option_alone(part, place) for place, part in enumerate(parts[1:])}
        compared += bool(plain)
        assert len(plain) <= 1, sorted(plain)
    assert compared > 20


OPTION = '<div class="option" '


def option_alone(part: str, place: int) -> str:
    """The markup of one option without its identity, letter and words, and without the own choice."""
    markup = part.partition("</label>")[0].replace(f'"o{place + 1}"', '""').replace(" checked", "")
    letter = "ABCD"[place]
    return markup.replace(f"Pilihan {letter}", "").replace(f">{letter}<", "><")


async def assert_nothing_left_behind(exam: Exam, secrets: tuple[str, ...]) -> None:
    output = exam.output.read_text(encoding="utf-8", errors="replace")
    assert "POST /sittings/" in output, "the access log is what is looked through"
    assert found_in(output, secrets) == []
    if exam.redis_url is None:
        return
    async with Redis.from_url(exam.redis_url) as redis:
        held = []
        async for key in redis.scan_iter():
            kind = (await redis.type(key)).decode()
            reads = {
                "string": redis.get,
                "hash": redis.hgetall,
                "set": redis.smembers,
                "list": lambda name: redis.lrange(name, 0, -1),
                "zset": lambda name: redis.zrange(name, 0, -1, withscores=True),
            }
            held.append(repr((key, await reads[kind](key))))
    assert found_in("\n".join(held), secrets) == []


async def test_no_page_of_a_role_without_keys_shows_one(exam: Exam) -> None:
    """Every address that answers to GET, asked as every role, with the identities of what there is."""
    room = exam.room
    async with room.begun() as candidate, room.server.client() as proctor:
        await sign_in_staff(proctor, room.agency.username(Role.PROCTOR))
        await play(candidate, room, htmx=True, watch=proctor)
        log = await candidate.checked()
        chair = room.agency.actor(Role.PANEL_CHAIR)
        sittings = room.services.sittings
        await release(exam.storage, sittings, promise, chair, [candidate.sitting_id], T0)
        addresses = await addresses_of(exam, candidate)
        assert len(addresses) > 25
        estimates, seed = thetas_of(log.events), log.state.seed
        pages = {"candidate": await crawl(candidate.client, addresses)}
        async with room.server.client() as nobody:
            pages["nobody"] = await crawl(nobody, addresses)
        for role in STAFF_ROLES:
            if not MAY_SEE_KEYS & GRANTS[role]:
                async with room.server.client() as client:
                    await sign_in_staff(client, room.agency.username(role))
                    pages[role.value] = await crawl(client, addresses)
        assert {"administrator", "panel_member", "proctor", "talent_manager"} <= set(pages)
        for role_name, answers in pages.items():
            assert [str(a.request.url) for a in answers if a.status_code >= 500] == []
            for answer in answers:
                hits = found_in(told(answer), (*bank_secrets(), *estimates, seed))
                assert hits == [], (role_name, str(answer.request.url))
        shown = {
            role_name: sum(a.status_code == 200 for a in answers) for role_name, answers in pages.items()
        }
        assert min(shown.values()) >= 3, shown
        # the detector detects: the psychometrician reads parameters and takes the package's file
        async with room.server.client() as client:
            await sign_in_staff(client, room.agency.username(Role.PSYCHOMETRICIAN))
            hits = {
                hit
                for answer in await crawl(client, addresses)
                for hit in found_in(answer.text, bank_secrets())
            }
            assert len(hits) > 20
        # the pages of those who verify show no key either: it is in the files that they take under their name
        for role in (Role.AUDITOR, Role.PANEL_CHAIR):
            async with room.server.client() as client:
                await sign_in_staff(client, room.agency.username(role))
                for answer in await crawl(client, addresses):
                    if "content-disposition" not in answer.headers:
                        assert found_in(told(answer), bank_secrets()) == [], (role, str(answer.request.url))


async def addresses_of(exam: Exam, candidate: Candidate) -> list[str]:
    """Every address for GET, filled with what exists."""
    from sqlalchemy import select

    from cat_engine.results.tables import score_reports

    async with exam.storage.reading() as connection:
        report = (await connection.execute(select(score_reports))).mappings().one()
    known = {
        **exam.agency.ids,
        "sitting_id": candidate.sitting_id,
        "report_id": report["id"],
        "code": report["verification_code"],
        "report_number": report["report_number"],
        "language": "id",
        "path": "site.css",
    }
    found = set()
    for route in exam.room.server.app.routes:
        if "GET" in getattr(route, "methods", ()):
            parts = [
                known.get(part[1:-1].partition(":")[0], "x") if part.startswith("{") else part
                for part in str(route.path).split("/")
            ]
            found.add("/".join(parts))
    return sorted(found)


async def crawl(client: httpx.AsyncClient, addresses: list[str]) -> list[httpx.Response]:
    return [await client.get(address) for address in addresses]
