"""The clock over HTTP: the deadline and its grace, interruptions, extensions, and answers that race them."""

from __future__ import annotations

import asyncio

import pytest

from cat_engine.core import events as e
from cat_engine.core.transitions import Status
from cat_engine.foundation.refusals import Refusal
from tests.web.exam.playing import JSON, Candidate, Log, Room, options_on, position_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE_MS = 60_000


async def deadline_of(candidate: Candidate) -> int:
    deadline_ms = (await candidate.log()).state.time.deadline_ms
    assert deadline_ms is not None
    return deadline_ms


async def grace_of(room: Room) -> int:
    installed = await room.services.packages.get(room.agency.ids["package_id"])
    return installed.compiled.package.answer_grace_ms


def assert_expired(log: Log, answered: int) -> None:
    assert log.state.status is Status.SCORED
    assert [type(event) for event in log.events[-2:]] == [e.Expired, e.Scored]
    assert log.state.score is not None
    assert log.state.score.completeness == "partial"
    assert log.state.answered == answered


@pytest.mark.parametrize("htmx", [True, False])
async def test_an_answer_under_way_at_the_deadline_still_counts(room: Room, htmx: bool) -> None:
    async with room.begun() as candidate:
        await candidate.answer(1, "o1")
        room.server.clock.at_ms = await deadline_of(candidate) + await grace_of(room)
        answer = await candidate.answer(2, "o2", htmx=htmx)
        assert answer.status_code == (200 if htmx else 303)
        log = await candidate.checked()
        assert [event.position for event in log.responses] == [1, 2]
        # the next one comes a second later, and is late
        room.server.clock.at_ms += 1000
        late = await candidate.answer(3, "o2", htmx=htmx)
        assert late.headers["hx-redirect" if htmx else "location"] == candidate.url
        assert_expired(await candidate.checked(), 2)


@pytest.mark.parametrize("htmx", [True, False])
async def test_an_answer_after_the_grace_ends_and_scores_the_sitting(room: Room, htmx: bool) -> None:
    async with room.begun() as candidate:
        await candidate.answer(1, "o1")
        room.server.clock.at_ms = await deadline_of(candidate) + await grace_of(room) + 1
        late = await candidate.answer(2, "o2", htmx=htmx)
        assert late.headers["hx-redirect" if htmx else "location"] == candidate.url
        log = await candidate.checked()
        assert_expired(log, 1)
        assert [event.position for event in log.responses] == [1]
        page = (await candidate.page()).text
        assert "Waktu pengerjaan telah habis" in page
        assert options_on(page) == []
        # and again: nothing more happens
        await candidate.answer(2, "o2", htmx=htmx)
        assert (await candidate.checked()).heads == log.heads


async def test_ten_late_answers_at_once_end_the_sitting_once(room: Room) -> None:
    async with room.begun() as candidate:
        room.server.clock.at_ms = await deadline_of(candidate) + await grace_of(room) + 1
        answers = await asyncio.gather(*(candidate.answer(1, "o1") for _ in range(10)))
        assert {answer.headers["hx-redirect"] for answer in answers} == {candidate.url}
        log = await candidate.checked()
    assert_expired(log, 0)
    assert sum(isinstance(event, e.Expired) for event in log.events) == 1


async def test_moving_to_another_machine_gives_no_time_back(room: Room) -> None:
    """Signing in elsewhere after the grace does not stop a clock that has run out."""
    async with room.begun() as first, room.machine(first.number) as second:
        room.server.clock.at_ms = await deadline_of(first) + await grace_of(room) + 1
        await second.sign_in()
        assert "Waktu pengerjaan telah habis" in (await second.page()).text
        log = await second.checked()
    assert_expired(log, 0)
    assert not [event for event in log.events if isinstance(event, e.Paused)]


async def test_a_pause_and_an_answer_race_and_the_log_knows_who_won(room: Room) -> None:
    async with room.begun() as candidate:
        position = 1
        for turn in range(4):
            pause = room.order("pause", candidate, reason="technical.network")
            answer = candidate.answer(position, "o1")
            tasks = (pause, answer) if turn % 2 else (answer, pause)
            await asyncio.gather(*tasks)
            log = await candidate.checked()
            assert log.state.status is Status.PAUSED
            position = len(log.responses) + 1
            # an answer that came after the pause leads to the page that says so, and is not kept
            refused = await candidate.answer(position, "o1")
            assert refused.headers["hx-redirect"] == candidate.url
            assert "Pengerjaan dihentikan sementara" in (await candidate.page()).text
            assert (await candidate.checked()).heads == log.heads
            await room.act("resume", candidate)
            await candidate.post("begin")
            shown = await candidate.page()
            assert position_on(shown.text) == position
        assert sum(isinstance(event, e.Paused) for event in (await candidate.checked()).events) == 4


async def test_a_pause_costs_no_time_and_the_same_item_comes_back(room: Room) -> None:
    async with room.begun() as candidate:
        await candidate.answer(1, "o1")
        before = await candidate.page()
        room.server.clock.at_ms += 5 * MINUTE_MS
        await room.act("pause", candidate, reason="environment.noise")
        room.server.clock.at_ms += 90 * MINUTE_MS  # longer than the whole test
        polled = await candidate.client.get(f"{candidate.url}/waiting", headers={"hx-request": "true"})
        assert (polled.status_code, polled.content, "hx-redirect" in polled.headers) == (200, b"", False)
        await room.act("resume", candidate)
        polled = await candidate.client.get(f"{candidate.url}/waiting", headers={"hx-request": "true"})
        assert polled.headers["hx-redirect"] == candidate.url
        answers = await asyncio.gather(*(candidate.post("begin") for _ in range(5)))
        assert {answer.headers["location"] for answer in answers} == {candidate.url}
        after = await candidate.page()
        assert (position_on(after.text), options_on(after.text)) == (2, options_on(before.text))
        log = await candidate.checked()
        assert log.state.time.used_at(room.server.clock.now_ms()) == 5 * MINUTE_MS
        assert sum(isinstance(event, e.Resumed) for event in log.events) == 1
        await candidate.answer(2, "o1")
        response_times = [event.response_time_ms for event in (await candidate.log()).responses]
    assert response_times[1] == 5 * MINUTE_MS


async def test_an_extension_counts_from_the_moment_it_is_given(room: Room) -> None:
    async with room.begun() as candidate:
        deadline_ms = await deadline_of(candidate)
        await room.act("extend", candidate, reason="technical.freezing", amount_ms=10 * MINUTE_MS)
        room.server.clock.at_ms = deadline_ms + 9 * MINUTE_MS
        assert position_on((await candidate.answer(1, "o1")).text) == 2
        room.server.clock.at_ms = deadline_ms + 10 * MINUTE_MS + await grace_of(room) + 1
        assert (await candidate.answer(2, "o1")).headers["hx-redirect"] == candidate.url
        assert_expired(await candidate.checked(), 1)
        refused = await room.order("extend", candidate, reason="technical.freezing", amount_ms=MINUTE_MS)
        assert refused is not None
        assert refused.code is Refusal.SITTING_STATE


async def test_whoever_is_ended_by_the_proctor_answers_nothing_more(room: Room) -> None:
    async with room.begun() as candidate:
        await room.act("end", candidate, reason="candidate.behaviour")
        before = await candidate.checked()
        assert (await candidate.answer(1, "o1")).headers["hx-redirect"] == candidate.url
        assert "diakhiri oleh pengawas ruang" in (await candidate.page()).text
        assert (await candidate.checked()).heads == before.heads


async def test_nothing_is_answered_before_the_beginning(room: Room) -> None:
    async with room.waiting() as candidate:
        before = await candidate.log()
        for _ in range(2):
            assert (await candidate.post("begin")).headers["location"] == candidate.url
            assert (await candidate.answer(1, "o1", htmx=False)).headers["location"] == candidate.url
            assert (await candidate.log()).heads == before.heads
            assert options_on((await candidate.page()).text) == []
        again = await candidate.post("identity", **JSON)
        assert again.status_code in {303, 409}
        assert (await candidate.log()).heads == before.heads
        await room.act("admit", candidate)
        assert options_on((await candidate.page()).text) == []
        assert (await candidate.answer(1, "o1", htmx=False)).headers["location"] == candidate.url
        assert (await candidate.checked()).responses == []
