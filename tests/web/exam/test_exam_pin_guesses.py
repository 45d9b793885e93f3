"""Guessing PINs over HTTP, from as many addresses as one likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select, update

from cat_engine.core.transitions import Status
from cat_engine.delivery.tables import exam_sessions, roster_entries
from tests.web.agency import PIN, add_agency, csrf_token
from tests.web.exam.playing import Room, stop_the_beat
from tests.web.serving import served
from web.accounts.throttle import PIN_DELAY_CAP_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

GUESSES, AT_ONCE, EVALUATED_AT_MOST = 200, 10, 10


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def behind_a_proxy(backing: dict[str, str]) -> AsyncIterator[Room]:
    """The addresses that the requests name are believed: each guess seems to come from somewhere else."""
    async with served(**backing, trusted_proxy=True) as server:
        await stop_the_beat(server)
        yield Room(server, await add_agency(server.storage, "satu", candidates=3), 3)


async def guess(client: httpx.AsyncClient, token: str, number: str, pin: str, address: str) -> httpx.Response:
    form = {"csrf_token": token, "candidate_number": number, "pin": pin}
    return await client.post("/candidate/sign-in", data=form, headers={"x-forwarded-for": address})


async def attempts_of(room: Room, number: str) -> int:
    async with room.server.storage.reading() as connection:
        found = await connection.execute(
            select(roster_entries.c.failed_pin_attempts).where(roster_entries.c.candidate_number == number)
        )
        return found.scalar_one()


async def test_two_hundred_guesses_are_ten_at_most(behind_a_proxy: Room) -> None:
    room, clock = behind_a_proxy, behind_a_proxy.server.clock
    number, other = room.agency.candidate_number(1), room.agency.candidate_number(2)
    async with room.server.client(limits=httpx.Limits(max_connections=AT_ONCE)) as client:
        token = await csrf_token(client, "/candidate/sign-in")
        bodies = set()
        for first in range(0, GUESSES, AT_ONCE):
            answers = await asyncio.gather(
                *(
                    guess(client, token, number, f"{each:010d}", f"198.51.{each // 250}.{each % 250}")
                    for each in range(first, first + AT_ONCE)
                )
            )
            assert [answer.status_code for answer in answers] == [401] * AT_ONCE
            bodies |= {len(answer.text) for answer in answers}
            clock.at_ms += 1500  # the guesser needs five minutes for all of them
        assert len(bodies) == 1, "evaluated and unevaluated guesses look different"
        assert 5 <= await attempts_of(room, number) <= EVALUATED_AT_MOST
        # the right PIN is not evaluated either while the lock lasts, and nobody else is slowed
        assert (await guess(client, token, number, PIN, "203.0.113.1")).status_code == 401
        async with room.machine(other) as neighbour:
            assert (await neighbour.sign_in()).status_code == 303
        clock.at_ms += PIN_DELAY_CAP_S * 1000
        assert (await guess(client, token, number, PIN, "203.0.113.1")).status_code == 303
    assert await attempts_of(room, number) == 0


async def test_guesses_do_not_disturb_a_sitting_in_progress(behind_a_proxy: Room) -> None:
    """A rival who knows a candidate number can lock the sign-in for minutes, but stops no clock."""
    room = behind_a_proxy
    room.used = 2
    async with room.begun() as candidate, room.server.client() as rival:
        token = await csrf_token(rival, "/candidate/sign-in")
        for each in range(12):
            answer = await guess(rival, token, candidate.number, f"{each:010d}", f"198.51.100.{each}")
            assert answer.status_code == 401
        assert (await candidate.answer(1, "o1")).status_code == 200
        assert len((await candidate.checked()).responses) == 1


async def test_a_closed_room_lets_whoever_has_begun_go_on_elsewhere(behind_a_proxy: Room) -> None:
    """The room is closed while a candidate works and the computer dies: a proctor stands at the door."""
    room = behind_a_proxy
    number = room.agency.candidate_number(3)
    room.server.clock.at_ms += PIN_DELAY_CAP_S * 1000
    async with room.machine(number) as candidate:
        async with room.server.storage.transaction() as connection:
            await connection.execute(update(exam_sessions).values(status="closed"))
        assert (await candidate.sign_in()).status_code == 303
        after = await candidate.checked()
        assert after.state.status is Status.PAUSED
        assert after.state.pause_reason == "technical.machine"
