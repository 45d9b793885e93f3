"""Time is given back while candidates answer and a proctor acts: nobody hangs, nobody gets it twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from cat_engine.core.transitions import Status
from cat_engine.delivery import outages
from cat_engine.delivery.tables import service_beats
from tests.cat_engine.exam_room import ExamRoom, candidate, exam_room, process

pytestmark = pytest.mark.faults

SITTINGS = 12


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[ExamRoom]:
    async with exam_room(database_url, candidates=SITTINGS) as opened:
        yield opened


async def test_a_beat_that_was_held_up_does_not_take_a_younger_one_back(room: ExamRoom) -> None:
    at_ms = room.clock.now_ms()
    for beat_ms in (at_ms, at_ms + 5000, at_ms + 1000):
        await outages.beat(room.storage, beat_ms)
    async with room.storage.reading() as connection:
        assert await connection.scalar(select(service_beats.c.at_ms)) == at_ms + 5000


async def test_answers_acts_and_two_processes_that_give_back_get_along(room: ExamRoom) -> None:
    for number in range(SITTINGS):
        await room.begin(number)
    await outages.beat(room.storage, room.clock.now_ms())
    room.clock.at_ms += 60_000
    async with process(room.url, room.clock) as other:

        async def answer(number: int) -> None:
            for position in (1, 2, 3):
                await room.sittings.respond(await room.ref(number), candidate(number), position, "o1")

        async with asyncio.timeout(60):
            await asyncio.gather(
                *(
                    outages.give_back(each.storage, each.sittings, room.clock.now_ms())
                    for each in (other, room)
                ),
                *(answer(number) for number in range(SITTINGS - 3)),
                *(
                    room.act("pause", number, reason="technical.network")
                    for number in range(SITTINGS - 3, SITTINGS)
                ),
            )
    for number in range(SITTINGS):
        state = await room.stored(number)
        given = [line for line in state.time.lines if line.kind == "incident"]
        if state.status is Status.PAUSED:
            assert len(given) <= 1  # whoever was paused first has no clock that ran
        else:
            assert (state.answered, [line.amount_ms for line in given]) == (3, [60_000])
