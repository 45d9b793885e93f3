"""What nobody's browser sends: refused by its code, in the reader's language, without leaving a trace."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select

from cat_engine.delivery.tables import sitting_log
from cat_engine.foundation.storage import metadata
from tests.web.agency import PIN, Agency, add_agency, csrf_token
from tests.web.exam.playing import JSON, Candidate, Fields, Room, without_secrets
from web.accounts.principals import CANDIDATE_ABSOLUTE_MS
from web.accounts.tables import login_sessions

pytestmark = pytest.mark.asyncio(loop_scope="module")

LANGUAGES = ("id", "en")
FORM = "application/x-www-form-urlencoded"
GOOD = {"presentation": "1", "response": "o1", "confirm": "1"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def neighbours(room: Room) -> Agency:
    """Another agency on the same server."""
    return await add_agency(room.server.storage, "dua", candidates=1)


async def rows_in(room: Room) -> dict[str, int]:
    """How much of everything there is, but for the server's own signs of life."""
    async with room.server.storage.reading() as connection:
        return {
            table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in metadata.sorted_tables
            if table.name != "service_beats"
        }


@asynccontextmanager
async def nothing_stored(room: Room) -> AsyncIterator[None]:
    """Whatever happens in the block leaves the database as it was."""
    async with room.server.storage.reading() as connection:
        before = (await connection.execute(select(func.max(sitting_log.c.chain)))).scalar_one()
    counts = await rows_in(room)
    yield
    assert await rows_in(room) == counts
    async with room.server.storage.reading() as connection:
        assert (await connection.execute(select(func.max(sitting_log.c.chain)))).scalar_one() == before


async def assert_refused(
    client: httpx.AsyncClient, method: str, url: str, status: int, code: str, **options: Any
) -> None:
    """As data, as a page and as a fragment, in both languages: the same status, the same words."""
    headers = options.pop("headers", {})
    sentences = set()
    for language in LANGUAGES:
        own = {**headers, "accept-language": language}
        data = await client.request(method, url, headers={**own, **JSON}, **options)
        assert (data.status_code, data.json()["code"]) == (status, code)
        assert data.headers["content-language"] == language
        sentence = data.json()["sentence"]
        sentences.add(sentence)
        page = await client.request(method, url, headers={**own, "accept": "text/html"}, **options)
        assert page.status_code == status
        assert f'<html lang="{language}"' in page.text
        assert sentence.split("<")[0] in page.text.replace("&#39;", "'").replace("&quot;", '"')
        fragment = await client.request(method, url, headers={**own, "hx-request": "true"}, **options)
        assert fragment.status_code == status
        assert "<html" not in fragment.text
    assert len(sentences) == 2


MALFORMED = (
    (b"", 422, "field_missing"),
    (b"presentation=&response=o1", 422, "field_missing"),
    (b"response=o1&confirm=1", 422, "field_missing"),
    (b"presentation=one&response=o1", 422, "field_invalid"),
    (b"presentation=0&response=o1", 422, "field_invalid"),
    (b"presentation=-1&response=o1", 422, "field_invalid"),
    (b"presentation=10000&response=o1", 422, "field_invalid"),
    (b"presentation=99999999999999999999999999&response=o1", 422, "field_invalid"),
    (b"presentation=1.5&response=o1", 422, "field_invalid"),
    (b"presentation=%EF%BC%91&response=o1", 422, "field_invalid"),
    (b"presentation=true&response=o1", 422, "field_invalid"),
    (b"presentation=1&response=" + b"o" * 41, 422, "field_invalid"),
    (b"presentation=1&response=o1%00", 422, "field_invalid"),
    (b"presentation=1&response=%1B%5B2J", 422, "field_invalid"),
    (b"presentation=1&response=o1%C2%85", 422, "field_invalid"),
    (b"presentation=1&response=o1&go=%07", 422, "field_invalid"),
    (b"presentation=1&response=o1&confirm=1&score=1", 400, "form_malformed"),
    (b"presentation=1&response=o1&theta=3", 400, "form_malformed"),
    (b"presentation=1&presentation=2&response=o1", 400, "form_malformed"),
    (b"presentation=1&response=o1&response=o2", 400, "form_malformed"),
    (b"presentation=1&response=%FF%FE", 400, "form_malformed"),
    (b"presentation=1&response=\xff\xfe", 400, "form_malformed"),
    (b"&".join(b"response=o1" for _ in range(501)), 400, "form_malformed"),
    (b"presentation=1&response=" + b"o" * 66_000, 413, "too_large"),
)


async def test_a_malformed_response_is_refused(room: Room) -> None:
    seen = set()
    async with whoever(room) as candidate, nothing_stored(room):
        headers = {"content-type": FORM, "x-csrf-token": candidate.token}
        url = f"{candidate.url}/responses"
        for body, status, code in MALFORMED:
            if code not in seen:
                seen.add(code)
                await assert_refused(
                    candidate.client, "POST", url, status, code, content=body, headers=headers
                )
            answer = await candidate.client.post(url, content=body, headers={**headers, **JSON})
            assert (answer.status_code, answer.json()["code"]) == (status, code), body[:60]


OTHER_TYPES = (
    ("application/json", b'{"presentation": 1, "response": "o1", "confirm": "1"}', 422, "field_missing"),
    ("text/plain", b"presentation=1&response=o1&confirm=1", 422, "field_missing"),
    ("", b"presentation=1&response=o1&confirm=1", 422, "field_missing"),
    ("multipart/form-data", b"presentation=1", 400, "form_malformed"),
    ("multipart/form-data; boundary=x", b"--x\r\nno head and no end", 400, "form_malformed"),
)


async def test_another_content_type_is_refused(room: Room) -> None:
    async with whoever(room) as candidate, nothing_stored(room):
        url = f"{candidate.url}/responses"
        for media_type, body, status, code in OTHER_TYPES:
            headers = {"content-type": media_type, "x-csrf-token": candidate.token}
            await assert_refused(candidate.client, "POST", url, status, code, content=body, headers=headers)


async def test_a_file_instead_of_a_response_is_refused(room: Room) -> None:
    async with whoever(room) as candidate, nothing_stored(room):
        answer = await candidate.client.post(
            f"{candidate.url}/responses",
            data={"presentation": "1", "csrf_token": candidate.token},
            files={"response": ("o1.txt", b"o1")},
            headers=JSON,
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "form_malformed")


@asynccontextmanager
async def whoever(room: Room) -> AsyncIterator[Candidate]:
    """A candidate at the first item: the same one for all refusals, since nothing happens to the sitting."""
    if room.used == 0:
        async with room.begun():
            pass
    async with room.machine(room.agency.candidate_number(1)) as candidate:
        # the machine that came before has paused the sitting: the proctor lets it go on
        assert (await candidate.sign_in()).status_code == 303
        await room.act("resume", candidate)
        await candidate.post("begin")
        yield candidate


PAGES = (
    ("GET", ""),
    ("GET", "/waiting"),
    ("GET", "/practice"),
    ("POST", "/practice"),
    ("POST", "/responses"),
    ("POST", "/begin"),
    ("POST", "/finish"),
    ("POST", "/identity"),
    ("POST", "/pledge"),
    ("POST", "/device"),
)


async def test_foreign_sittings_and_sittings_that_never_were_look_alike(
    room: Room, neighbours: Agency
) -> None:
    other = room.machine(room.agency.candidate_number(2))
    async with whoever(room) as candidate, other as neighbour, nothing_stored(room):
        unknown = [
            neighbour.sitting_id,
            neighbours.ids["sitting_id"],
            str(uuid4()),
            "1",
            "tidak-ada",
            "%27%20OR%201=1--",
            "%F0%9F%98%80",
            "x" * 500,
            "%00",
            "%ff",
        ]
        form = {"csrf_token": candidate.token, **GOOD}
        for method, page in PAGES:
            shown = set()
            for sitting_id in unknown:
                options: Mapping[str, Any] = {"data": form} if method == "POST" else {}
                answer = await candidate.client.request(method, f"/sittings/{sitting_id}{page}", **options)
                assert answer.status_code == 404, (method, sitting_id, page)
                shown.add(re.sub(r'href="/sittings/[^"]*"', "", without_secrets(answer.text)))
            assert len(shown) == 1, (method, page)


async def test_a_login_session_opens_what_it_may_and_ends_when_it_must(room: Room) -> None:
    async with whoever(room) as candidate:
        genuine = candidate.client.cookies["session"]
        await candidate.checked()
        forged = [
            genuine[:-1] + ("A" if genuine[-1] != "A" else "B"),
            genuine.upper(),
            "x",
            "a" * 4000,
            "null",
        ]
        async with nothing_stored(room), room.server.client() as stranger:
            for value in forged:
                cookie = {"cookie": f"session={value}"}
                page = await stranger.get(candidate.url, headers=cookie)
                assert (page.status_code, page.headers["location"]) == (303, "/candidate/sign-in"), value
                await assert_refused(
                    stranger,
                    "POST",
                    f"{candidate.url}/responses",
                    403,
                    "form_expired",
                    data={"csrf_token": candidate.token, **GOOD},
                    headers=cookie,
                )
                own_token = await csrf_token_for(stranger, cookie)
                await assert_refused(
                    stranger,
                    "POST",
                    f"{candidate.url}/responses",
                    401,
                    "not_signed_in",
                    data={"csrf_token": own_token, **GOOD},
                    headers=cookie,
                )
            nobody = await stranger.post(f"{candidate.url}/responses", data=GOOD, headers=JSON)
            assert (nobody.status_code, nobody.json()["code"]) == (401, "not_signed_in")
        room.server.clock.at_ms += CANDIDATE_ABSOLUTE_MS
        try:
            old = await candidate.page()
            assert (old.status_code, old.headers["location"]) == (303, "/candidate/sign-in")
            late = await candidate.answer(1, "o1")
            assert late.status_code == 401
        finally:
            room.server.clock.at_ms -= CANDIDATE_ABSOLUTE_MS


async def csrf_token_for(client: httpx.AsyncClient, headers: dict[str, str]) -> str:
    """The token that belongs to a cookie, whatever the cookie is worth."""
    page = await client.get("/candidate/sign-in", headers=headers)
    return Fields(page.text).all("csrf_token")[0]


@pytest.mark.parametrize("token", ["", "forged", "of a visitor"])
async def test_without_the_token_of_the_page_nothing_happens(room: Room, token: str) -> None:
    async with whoever(room) as candidate, room.server.client() as visitor, nothing_stored(room):
        sent = await csrf_token(visitor, "/candidate/sign-in") if token == "of a visitor" else token
        form, header = {"csrf_token": sent, **GOOD}, {"x-csrf-token": sent, **JSON}
        twice = f"{urlencode({'csrf_token': candidate.token})}&{urlencode(form)}"
        for act in ("responses", "begin", "finish", "identity", "pledge", "device", "practice"):
            url = f"{candidate.url}/{act}"
            answers = (
                await candidate.client.post(url, data=form, headers=JSON),
                await candidate.client.post(url, data=GOOD, headers=header),
                await candidate.client.post(url, data=GOOD, headers=JSON),
                await candidate.client.post(url, content=twice, headers={"content-type": FORM, **JSON}),
            )
            for answer in answers:
                assert (answer.status_code, answer.json()["code"]) == (403, "form_expired")


ELSEWHERE = (
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:1"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none, cross-site"},
)


async def test_a_request_from_another_place_is_refused(room: Room) -> None:
    async with whoever(room) as candidate, nothing_stored(room):
        form = {"csrf_token": candidate.token, **GOOD}
        url = f"{candidate.url}/responses"
        for headers in ELSEWHERE:
            await assert_refused(
                candidate.client, "POST", url, 403, "form_expired", data=form, headers=headers
            )


METHODS = (
    ("GET", "/responses", "POST"),
    ("PUT", "/responses", "POST"),
    ("DELETE", "", "GET"),
    ("PATCH", "/begin", "POST"),
    ("POST", "", "GET"),
    ("POST", "/waiting", "GET"),
)


async def test_another_method_is_refused(room: Room) -> None:
    async with whoever(room) as candidate, nothing_stored(room):
        headers = {"x-csrf-token": candidate.token}
        for method, path, allowed in METHODS:
            url = candidate.url + path
            await assert_refused(candidate.client, method, url, 405, "method_not_allowed", headers=headers)
            answer = await candidate.client.request(method, url, headers=headers)
            assert allowed in answer.headers["allow"]


SIGN_IN_FAULTS = (
    ({"pin": "SALAHSALAH"}, 401),
    ({"pin": ""}, 422),
    ({"pin": "x" * 41}, 422),
    ({"pin": "0123\x0056789"}, 422),
    ({"pin": "0123456789", "candidate_number": "CAT-TIDAK-ADA"}, 401),
    ({"pin": "0123456789", "role": "administrator"}, 400),
)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_was_typed_is_kept_on_the_sign_in_form(room: Room, language: str) -> None:
    async with room.server.client(headers={"accept-language": language}) as client, nothing_stored(room):
        number = room.agency.candidate_number(19).lower()
        token = await csrf_token(client, "/candidate/sign-in")
        for fields, status in SIGN_IN_FAULTS:
            form = {"csrf_token": token, "candidate_number": number, **fields}
            answer = await client.post("/candidate/sign-in", data=form)
            assert answer.status_code == status
            assert f'<html lang="{language}"' in answer.text
            assert f'value="{form["candidate_number"]}"' in answer.text
            assert "aria-invalid" in answer.text
            if form["pin"]:
                assert form["pin"] not in answer.text
            assert "session" not in client.cookies


async def test_an_impossible_candidate_number_is_refused(room: Room) -> None:
    async with room.server.client() as client, nothing_stored(room):
        token = await csrf_token(client, "/candidate/sign-in")
        for number in ("", " ", "\x00", "x" * 41, "' OR 1=1 --", "\N{GRINNING FACE}", "%00"):
            form = {"csrf_token": token, "candidate_number": number, "pin": PIN}
            assert (await client.post("/candidate/sign-in", data=form)).status_code in {401, 422}


async def test_what_the_browser_measured_bars_nobody(room: Room) -> None:
    """Odd measurements are taken or refused as fields; none of them is a fault of the server."""
    room.used = max(room.used, 3)
    async with room.machine(room.agency.candidate_number(3)) as candidate:
        await candidate.sign_in()
        await candidate.post("identity")
        form = {"text_hash": Fields((await candidate.page()).text).all("text_hash")[0], "accepted": "1"}
        changed = await candidate.post("pledge", {"text_hash": "0" * 16, "accepted": "1"}, **JSON)
        assert (changed.status_code, changed.json()["code"]) == (409, "pledge_text_changed")
        declined = await candidate.post("pledge", {**form, "accepted": ""})
        assert declined.headers["location"].endswith("?refused=1")
        before = await candidate.log()
        early = await candidate.post("device", {"javascript": "1"}, **JSON)
        await candidate.post("pledge", form)
        for offset in ("-", "--5", "1e9", "9" * 20, "9" * 21, "\N{ARABIC-INDIC DIGIT ONE}", "nan"):
            answer = await candidate.post("device", {"javascript": "1", "clock_offset_ms": offset}, **JSON)
            assert answer.status_code in {303, 409, 422}, offset
        log = await candidate.checked()
        assert early.status_code == 409
        assert len(log.entries) > len(before.entries)


async def test_sign_ins_leave_no_more_rows_than_machines(room: Room) -> None:
    """Signing in again and again from one browser replaces its login session."""
    async with room.machine(room.agency.candidate_number(18)) as candidate:
        for _ in range(3):
            await candidate.sign_in()
        async with room.server.storage.reading() as connection:
            count = select(func.count()).where(
                login_sessions.c.roster_entry_id == f"entry-{room.agency.key}-18"
            )
            assert (await connection.execute(count)).scalar_one() == 1
