"""Signing in and out over HTTP: sessions, limits, throttles, and what a guess learns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import func, select, update

from cat_engine.delivery.tables import exam_sessions, roster_entries
from cat_engine.foundation.actors import Role
from cat_engine.foundation.storage import metadata
from tests.web.agency import (
    PASSWORD,
    PIN,
    T0,
    Agency,
    add_agency,
    csrf_token,
    sign_in_candidate,
    sign_in_staff,
)
from tests.web.serving import Served, served
from web.accounts.pins import charge_pin_attempt
from web.accounts.principals import CANDIDATE_ABSOLUTE_MS, STAFF_ABSOLUTE_MS, STAFF_IDLE_MS, hash_token
from web.accounts.tables import accounts, login_sessions
from web.accounts.throttle import lock_delay_s


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[tuple[Served, Agency]]:
    async with served(database_url) as server:
        yield server, await add_agency(server.storage, "satu")


async def sessions_in(server: Served) -> list[str]:
    async with server.storage.reading() as connection:
        return list((await connection.execute(select(login_sessions.c.token_hash))).scalars())


async def test_staff_sign_in_gives_a_new_token_and_sign_out_kills_it(place: tuple[Served, Agency]) -> None:
    server, agency = place
    async with server.client() as client:
        answer = await sign_in_staff(client, agency.username(Role.ADMINISTRATOR))
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
        token = client.cookies["session"]
        assert await sessions_in(server) == [hash_token(token)]
        assert (await client.get("/desk")).status_code == 200

        again = await sign_in_staff(client, agency.username(Role.ADMINISTRATOR))
        assert again.status_code == 303
        assert client.cookies["session"] != token
        assert hash_token(token) not in await sessions_in(server)

        form = {"csrf_token": await csrf_token(client, "/desk")}
        second = client.cookies["session"]
        assert (await client.post("/sign-out", data=form)).status_code == 303
        assert await sessions_in(server) == []
        revived = await client.get("/desk", headers={"cookie": f"session={second}"})
        assert revived.status_code == 303
        assert revived.headers["location"] == "/staff/sign-in"


async def test_a_token_that_the_client_chose_never_becomes_valid(place: tuple[Served, Agency]) -> None:
    server, agency = place
    async with server.client(cookies={"session": "attacker-chosen"}) as client:
        answer = await sign_in_staff(client, agency.username(Role.ADMINISTRATOR))
        assert answer.status_code == 303
        assert answer.cookies["session"] != "attacker-chosen"
    async with server.client(cookies={"session": "attacker-chosen"}) as attacker:
        assert (await attacker.get("/desk")).status_code == 303


@pytest.mark.parametrize(("steps_ms", "alive"), [((STAFF_IDLE_MS - 1,), True), ((STAFF_IDLE_MS,), False)])
async def test_staff_are_signed_out_when_idle(
    place: tuple[Served, Agency], steps_ms: tuple[int, ...], alive: bool
) -> None:
    server, agency = place
    async with server.client() as client:
        await sign_in_staff(client, agency.username(Role.AUDITOR))
        for step_ms in steps_ms:
            server.clock.at_ms += step_ms
        assert (await client.get("/desk")).status_code == (200 if alive else 303)


async def test_staff_in_use_stay_signed_in_until_the_absolute_limit(place: tuple[Served, Agency]) -> None:
    server, agency = place
    async with server.client() as client:
        await sign_in_staff(client, agency.username(Role.AUDITOR))
        while server.clock.at_ms + STAFF_IDLE_MS // 2 < T0 + STAFF_ABSOLUTE_MS:
            server.clock.at_ms += STAFF_IDLE_MS // 2
            assert (await client.get("/desk")).status_code == 200
        server.clock.at_ms = T0 + STAFF_ABSOLUTE_MS
        assert (await client.get("/desk")).status_code == 303


async def test_candidates_have_no_idle_limit_but_an_absolute_one(place: tuple[Served, Agency]) -> None:
    server, agency = place
    async with server.client() as client:
        await sign_in_candidate(client, agency.candidate_number(1))
        server.clock.at_ms = T0 + CANDIDATE_ABSOLUTE_MS - 1
        assert (await client.get("/sitting")).headers["location"].startswith("/sittings/")
        server.clock.at_ms += 1
        assert (await client.get("/sitting")).headers["location"] == "/candidate/sign-in"


async def test_wrong_unknown_and_locked_look_alike(place: tuple[Served, Agency]) -> None:
    server, agency = place
    async with server.client() as client:
        token = await csrf_token(client, "/staff/sign-in")

        async def attempt(username: str, password: str) -> tuple[int, str]:
            form = {"csrf_token": token, "username": username, "password": password}
            answer = await client.post("/staff/sign-in", data=form)
            shown = answer.text.replace(username, "NAMA").split("<main")[-1]
            return answer.status_code, shown

        username = agency.username(Role.PROCTOR)
        wrong = await attempt(username, "salah")
        for _ in range(5):
            await attempt(username, "salah")
        locked = await attempt(username, PASSWORD)
        unknown = await attempt("tidak.ada.orangnya", "salah")
        assert wrong[0] == 401
        assert wrong == locked == unknown

        server.clock.at_ms += 1000 * lock_delay_s(6, 30, 900) + 1000
        assert (await attempt(username, PASSWORD))[0] == 303
        async with server.storage.reading() as connection:
            row = (await connection.execute(select(accounts).where(accounts.c.username == username))).one()
        assert (row.failed_attempts, row.locked_until_ms) == (0, 0)


async def test_only_the_right_password_learns_that_an_account_is_disabled(
    place: tuple[Served, Agency],
) -> None:
    server, agency = place
    username = agency.username(Role.REVIEWER)
    async with server.client() as client:
        await sign_in_staff(client, username)
        async with server.storage.transaction() as connection:
            await connection.execute(
                update(accounts).where(accounts.c.username == username).values(is_disabled=True)
            )
        assert (await client.get("/desk")).status_code == 303
        assert (await sign_in_staff(client, username, "salah")).status_code == 401
        assert (await sign_in_staff(client, username)).status_code == 403


async def test_candidate_sign_in_leads_to_the_sitting(place: tuple[Served, Agency]) -> None:
    server, agency = place
    async with server.client() as client:
        answer = await sign_in_candidate(client, agency.candidate_number(1).lower(), " 01234-56789 ")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sitting")
        assert (await client.get("/sitting")).headers["location"] == f"/sittings/{agency.ids['sitting_id']}"


async def test_crockford_letters_are_read_as_the_digits_they_look_like(place: tuple[Served, Agency]) -> None:
    server, agency = place
    async with server.client() as client:
        answer = await sign_in_candidate(client, agency.candidate_number(1), "oI23456789")
        assert answer.status_code == 303


async def test_a_second_machine_takes_over_and_the_first_is_told(place: tuple[Served, Agency]) -> None:
    server, agency = place
    sitting = f"/sittings/{agency.ids['sitting_id']}"
    async with server.client() as first, server.client() as second:
        await sign_in_candidate(first, agency.candidate_number(1))
        assert (await first.get(sitting)).status_code in {200, 303}
        await sign_in_candidate(second, agency.candidate_number(1))
        moved = await first.get(sitting, headers={"accept": "application/json"})
        assert (moved.status_code, moved.json()["code"]) == (409, "sitting_moved")
        assert (await second.get(sitting)).status_code in {200, 303}
        # signing out at the new machine does not bring the old one back to life
        form = {"csrf_token": await csrf_token(second, "/candidate/sign-in")}
        assert (await second.post("/sign-out", data=form)).status_code == 303
        gone = await first.get(sitting, headers={"accept": "application/json"})
        assert (gone.status_code, gone.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize(("status", "cause"), [("scheduled", "belum tiba"), ("closed", "sudah berakhir")])
async def test_the_cause_is_named_when_the_session_is_not_open(
    place: tuple[Served, Agency], status: str, cause: str
) -> None:
    server, agency = place
    async with server.storage.transaction() as connection:
        await connection.execute(update(exam_sessions).values(status=status))
    async with server.client() as client:
        for _ in range(7):  # whoever comes early and tries again is not locked out
            answer = await sign_in_candidate(client, agency.candidate_number(1))
            assert answer.status_code == 409
            assert cause in answer.text
        assert (await sign_in_candidate(client, agency.candidate_number(1), "WRONGWRONG")).status_code == 401
    assert await sessions_in(server) == []


async def test_ten_thousand_guesses_evaluate_ten_at_most(place: tuple[Served, Agency]) -> None:
    """Charged before it is looked at: guesses in parallel do not get round the counter."""
    server, agency = place
    number, total, parallel = agency.candidate_number(2), 10_000, 8
    async with server.client(limits=httpx.Limits(max_connections=parallel)) as client:
        token = await csrf_token(client, "/candidate/sign-in")
        answers: list[int] = []

        async def guess(first: int) -> None:
            for guess_number in range(first, 400, parallel):
                form = {"csrf_token": token, "candidate_number": number, "pin": f"{guess_number:010d}"}
                headers = {"x-forwarded-for": f"10.0.{guess_number // 256}.{guess_number % 256}"}
                answers.append(
                    (await client.post("/candidate/sign-in", data=form, headers=headers)).status_code
                )

        await asyncio.gather(*(guess(first) for first in range(parallel)))
        assert answers == [401] * 400
        evaluated = await attempts_of(server, number)
        assert evaluated == 5
        # the rest of the ten thousand, spread over five minutes, on the counter's own statement
        for _ in range(400, total, 50):
            server.clock.at_ms += 5 * 60 * 1000 * 50 // total
            async with server.storage.transaction() as connection:
                await charge_pin_attempt(connection, number, server.clock.now_ms())
        assert await attempts_of(server, number) <= 10
        locked = await sign_in_candidate(client, number)
        assert locked.status_code == 401


async def attempts_of(server: Served, number: str) -> int:
    async with server.storage.reading() as connection:
        statement = select(roster_entries.c.failed_pin_attempts).where(
            roster_entries.c.candidate_number == number
        )
        return (await connection.execute(statement)).scalar_one()


async def test_the_right_pin_after_the_lock_starts_the_counter_again(place: tuple[Served, Agency]) -> None:
    server, agency = place
    number = agency.candidate_number(2)
    async with server.client() as client:
        for _ in range(5):
            assert (await sign_in_candidate(client, number, "ZZZZZZZZZZ")).status_code == 401
        assert (await sign_in_candidate(client, number, PIN)).status_code == 401
        server.clock.at_ms += 20_000
        assert (await sign_in_candidate(client, number, PIN)).status_code == 303
    assert await attempts_of(server, number) == 0


async def test_no_token_pin_or_password_is_stored_in_clear(place: tuple[Served, Agency]) -> None:
    server, agency = place
    async with server.client() as client:
        await sign_in_candidate(client, agency.candidate_number(1))
        token = client.cookies["session"]
    async with server.storage.reading() as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(select(table)):
                told = repr(tuple(row))
                assert token not in told
                assert PASSWORD not in told
                assert f"'{PIN}'" not in told
        count = (await connection.execute(select(func.count()).select_from(login_sessions))).scalar_one()
    assert count == 1
