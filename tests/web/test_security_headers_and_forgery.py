"""Headers, cookies, forged requests, body limits, refusals and addresses, over HTTP."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from litestar import get
from playwright.async_api import async_playwright

from cat_engine.foundation.actors import Role
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from tests.services.postgresql import PostgreSQL
from tests.web.agency import PASSWORD, SECRET_KEY, Agency, add_agency, csrf_token, sign_in_staff
from tests.web.serving import Served, free_port, served
from web.database import upgrade
from web.exports import csv_bytes
from web.language import load_translators
from web.refusals import STATUSES
from web.requests import WebRequest, convert_fields
from web.rules import PUBLIC
from web.security import client_address
from web.settings import Settings, SettingsError, settings_from_environment


@pytest.fixture
async def place(sqlite_url: str) -> AsyncIterator[tuple[Served, Agency]]:
    async with served(sqlite_url) as server:
        yield server, await add_agency(server.storage, "satu", candidates=1)


def policy_of(answer: httpx.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("GET", "/nothing-here", 404), ("DELETE", "/", 405), ("POST", "/staff/sign-in", 403)],
)
async def test_every_answer_carries_the_headers(
    place: tuple[Served, Agency], method: str, path: str, status: int
) -> None:
    server, _ = place
    async with server.client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    policy = policy_of(answer)
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in answer.headers


async def test_each_answer_has_its_own_nonce(place: tuple[Served, Agency]) -> None:
    server, _ = place
    async with server.client() as client:
        first, second = [policy_of(await client.get("/"))["script-src"] for _ in range(2)]
    assert first != second


async def test_behind_https_the_cookie_is_secure_and_bound_to_the_host(sqlite_url: str) -> None:
    async with served(sqlite_url, public_url="https://cat.example.go.id") as server:
        agency = await add_agency(server.storage, "satu", candidates=1)
        async with server.client() as client:
            page = await client.get("/staff/sign-in")
            visit = page.headers["set-cookie"].split(";")[0]
            token = page.text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
            form = {"csrf_token": token, "username": agency.username(Role.AUDITOR), "password": PASSWORD}
            answer = await client.post("/staff/sign-in", data=form, headers={"cookie": visit})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=strict"} <= flags
        assert not any(flag.startswith("domain") for flag in flags)
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


@pytest.mark.parametrize(
    ("headers", "token", "status"),
    [
        ({}, "right", 303),
        ({"origin": "own", "sec-fetch-site": "same-origin"}, "right", 303),
        ({}, "", 403),
        ({}, "wrong", 403),
        ({}, "of another session", 403),
        ({"origin": "https://evil.example"}, "right", 403),
        ({"origin": "null"}, "right", 403),
        ({"sec-fetch-site": "cross-site"}, "right", 403),
        ({"sec-fetch-site": "same-site"}, "right", 403),
    ],
)
@pytest.mark.parametrize("where", ["field", "header"])
async def test_forged_requests_are_refused(
    place: tuple[Served, Agency], headers: dict[str, str], token: str, status: int, where: str
) -> None:
    server, agency = place
    async with server.client() as other:
        await sign_in_staff(other, agency.username(Role.ADMINISTRATOR))
        foreign = await csrf_token(other, "/desk")
    async with server.client() as client:
        await sign_in_staff(client, agency.username(Role.AUDITOR))
        own = await csrf_token(client, "/desk")
        sent = {"right": own, "wrong": own[:-2] + "AA", "of another session": foreign, "": ""}[token]
        headers = {name: server.url if value == "own" else value for name, value in headers.items()}
        if where == "field":
            answer = await client.post("/sign-out", data={"csrf_token": sent}, headers=headers)
        else:
            answer = await client.post("/sign-out", headers={**headers, "x-csrf-token": sent})
        assert answer.status_code == status


async def test_a_body_that_is_too_large_is_refused_as_such(place: tuple[Served, Agency]) -> None:
    server, _ = place
    async with server.client() as client:
        form = {"csrf_token": await csrf_token(client, "/staff/sign-in"), "username": "x" * 70_000}
        answer = await client.post("/staff/sign-in", data=form, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_refusals_come_as_page_fragment_or_data_in_the_readers_language(
    place: tuple[Served, Agency],
) -> None:
    server, _ = place
    async with server.client() as client:
        page = await client.get("/nothing-here")
        assert "<!doctype html>" in page.text
        assert "Halaman tidak ditemukan" in page.text
        fragment = await client.get("/nothing-here", headers={"hx-request": "true"})
        assert "<!doctype html>" not in fragment.text
        assert "Halaman tidak ditemukan" in fragment.text
        data = await client.get("/nothing-here?language=en", headers={"accept": "application/json"})
        assert data.json()["code"] == "not_found"
        assert data.headers["content-language"] == "en"
        assert data.json()["sentence"].isascii()


async def test_language_is_asked_remembered_preferred_in_that_order(place: tuple[Served, Agency]) -> None:
    server, _ = place
    async with server.client(headers={"accept-language": "en-GB,en;q=0.9"}) as client:
        assert '<html lang="en">' in (await client.get("/")).text
        assert '<html lang="id">' in (await client.get("/?language=id")).text
        assert '<html lang="id">' in (await client.get("/")).text
        assert '<html lang="id">' in (await client.get("/?language=xx")).text
    async with server.client() as client:
        assert '<html lang="id">' in (await client.get("/")).text


@get("/bug", opt=PUBLIC)
async def bug_page(request: WebRequest) -> str:
    """Fails as a bug does, with somebody's words in the message."""
    raise ValueError(request.query_params["words"])


async def test_an_unexpected_error_shows_a_reference_and_logs_no_words(
    place: tuple[Served, Agency], caplog: pytest.LogCaptureFixture
) -> None:
    server, _ = place
    server.app.register(bug_page)
    async with server.client() as client:
        answer = await client.get("/bug?words=RAHASIA-PRIBADI")
    assert answer.status_code == 500
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name == "cat_engine.web")
    reference = logged.split("unexpected error ", 1)[1].split(":", 1)[0]
    assert reference in answer.text
    assert "RAHASIA" not in logged
    assert "ValueError" not in answer.text


@get("/address", opt=PUBLIC)
async def address_page(request: WebRequest) -> str:
    """Tells the visitor's address, as the application understands it."""
    return client_address(request)


@pytest.mark.parametrize(("trusted", "expected"), [(False, "127.0.0.1"), (True, "198.51.100.7")])
async def test_a_forwarded_address_counts_only_from_our_own_proxy(
    sqlite_url: str, trusted: bool, expected: str
) -> None:
    headers = {"x-forwarded-for": "203.0.113.9, 198.51.100.7"}
    async with served(sqlite_url, trusted_proxy=trusted) as server:
        server.app.register(address_page)
        async with server.client() as client:
            assert (await client.get("/address", headers=headers)).text == expected


async def test_health_tells_what_is_missing(own_postgresql_server: PostgreSQL) -> None:
    database_url = own_postgresql_server.create_database("health")
    async with (
        served(database_url, redis_url="redis://127.0.0.1:1/0") as server,
        server.client() as client,
    ):
        answer = await client.get("/health")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        own_postgresql_server.stop()
        answer = await client.get("/health")
        assert (answer.status_code, answer.json()["database"]) == (503, "unreachable")


def test_every_refusal_has_a_status_and_words_in_both_languages() -> None:
    assert set(STATUSES) == set(Refusal)
    for translator in load_translators().values():
        for code in Refusal:
            assert translator(f"refusals.{code.value}.title")
            assert translator(f"refusals.{code.value}.sentence")


class _Form(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    count: int = 0
    roles: tuple[Role, ...] = ()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": ["a"], "is_admin": ["1"]}, Refusal.FORM_MALFORMED),
        ({"name": ["a", "b"]}, Refusal.FORM_MALFORMED),
        ({}, Refusal.FIELD_MISSING),
        ({"name": ["  "]}, Refusal.FIELD_MISSING),
        ({"name": ["a"], "count": ["two"]}, Refusal.FIELD_INVALID),
        ({"name": ["a"], "roles": ["owner"]}, Refusal.FIELD_INVALID),
    ],
)
def test_forms_are_read_strictly(fields: dict[str, list[str]], code: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        convert_fields(fields, _Form)
    assert refused.value.code is code


def test_a_form_is_read_into_its_type() -> None:
    fields = {"csrf_token": ["x"], "name": ["a"], "count": ["2"], "roles": ["auditor", "proctor"]}
    assert convert_fields(fields, _Form) == _Form(name="a", count=2, roles=(Role.AUDITOR, Role.PROCTOR))


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "|calc", "%0A"])
def test_no_exported_cell_is_a_formula(cell: str) -> None:
    line = csv_bytes(["a"], [[cell]]).decode("utf-8-sig").split("\r\n")[1]
    assert line.strip('"').startswith("'")


@pytest.mark.parametrize(
    "change",
    [
        {"CAT_ENGINE_SECRET_KEY": "short"},
        {"CAT_ENGINE_PUBLIC_URL": "http://cat.example.go.id"},
        {"CAT_ENGINE_PORT": "eighty"},
        {"CAT_ENGINE_TRUSTED_PROXY": "perhaps"},
        {"CAT_ENGINE_SECRET_KEY_FILE": "/nowhere"},
        {"CAT_ENGINE_DATABASE_URL": None},
    ],
)
def test_settings_refuse_what_would_be_unsafe(change: dict[str, str | None]) -> None:
    base = {"CAT_ENGINE_SECRET_KEY": "k" * 32, "CAT_ENGINE_DATABASE_URL": "sqlite+aiosqlite:///x"}
    environment = {name: value for name, value in {**base, **change}.items() if value is not None}
    with pytest.raises(SettingsError):
        settings_from_environment(environment)


def test_settings_read_secrets_from_files(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("k" * 40 + "\n")
    environment = {
        "CAT_ENGINE_SECRET_KEY_FILE": str(secret),
        "CAT_ENGINE_DATABASE_URL": "sqlite+aiosqlite:///x",
        "CAT_ENGINE_PUBLIC_URL": "https://cat.example.go.id/",
    }
    settings = settings_from_environment(environment)
    assert settings == Settings(
        database_url="sqlite+aiosqlite:///x", secret_key=b"k" * 40, public_url="https://cat.example.go.id"
    )
    assert settings.secure_cookies


async def test_the_browser_keeps_the_cookie_and_runs_nothing_foreign(
    place: tuple[Served, Agency], chromium_path: Path
) -> None:
    """In Chromium: signing in works under the policy, and an inline script is not run."""
    server, agency = place
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(chromium_path), args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(f"{server.url}/staff/sign-in")
        await page.fill("#username", agency.username(Role.ADMINISTRATOR))
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await page.wait_for_url("**/desk")
        assert [text for text in complaints if "Content Security Policy" in text or "rror" in text] == []
        ran = await page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
            " document.body.append(s); return window.ran === 1 }"
        )
        assert ran is False
        cookies = {cookie["name"]: cookie for cookie in await page.context.cookies()}
        assert cookies["session"]["httpOnly"]
        assert cookies["session"]["sameSite"] == "Strict"
        await browser.close()


async def test_granian_serves_the_application_too(sqlite_url: str) -> None:
    storage = Storage(sqlite_url)
    await upgrade(storage)
    await storage.close()
    port = free_port()
    environment = {
        **os.environ,
        "CAT_ENGINE_DATABASE_URL": sqlite_url,
        "CAT_ENGINE_SECRET_KEY": SECRET_KEY.decode(),
        "CAT_ENGINE_PORT": str(port),
    }
    arguments = ["--interface", "asgi", "--factory", "--port", str(port), "--workers-kill-timeout", "5"]
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "granian",
            *arguments,
            "web.app:create",
            env=environment,
            stdout=output,
            stderr=output,
        )
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                for _ in range(300):
                    with contextlib.suppress(httpx.TransportError):
                        answer = await client.get("/health")
                        break
                    await asyncio.sleep(0.1)
                assert answer.json()["status"] == "ok"
                assert (await client.get("/staff/sign-in")).status_code == 200
        finally:
            process.terminate()
            await process.wait()
