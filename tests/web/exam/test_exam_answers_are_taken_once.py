"""Duplicates, disorder, second tabs, second machines: one response for each presentation, whatever comes."""

from __future__ import annotations

import asyncio

import pytest

from cat_engine.core import events as e
from cat_engine.core.transitions import Status
from tests.web.exam.playing import JSON, Room, options_on, position_on

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_same_response_twice_is_kept_once(room: Room) -> None:
    async with room.begun() as candidate:
        first = await candidate.answer(1, "o2")
        again = await candidate.answer(1, "o2")
        assert (first.status_code, again.status_code) == (200, 200)
        assert position_on(first.text) == position_on(again.text) == 2
        assert options_on(first.text) == options_on(again.text)
        log = await candidate.checked()
    assert [(event.position, event.response) for event in log.responses] == [(1, "o2")]


async def test_ten_at_once_are_one(room: Room) -> None:
    async with room.begun() as candidate:
        for position in (1, 2, 3):
            answers = await asyncio.gather(*(candidate.answer(position, "o1") for _ in range(10)))
            assert {answer.status_code for answer in answers} == {200}
            assert {position_on(answer.text) for answer in answers} == {position + 1}
        log = await candidate.checked()
    assert [event.position for event in log.responses] == [1, 2, 3]


async def test_of_ten_different_responses_at_once_one_counts(room: Room) -> None:
    async with room.begun() as candidate:
        answers = await asyncio.gather(*(candidate.answer(1, f"o{1 + n % 5}") for n in range(10)))
        log = await candidate.checked()
        assert len(log.responses) == 1
        kept = log.responses[0].response
        for number, answer in enumerate(answers):
            assert answer.status_code == 200
            if f"o{1 + number % 5}" == kept:
                assert position_on(answer.text) == 2
            else:
                assert answer.headers["hx-redirect"] == candidate.url
        assert position_on((await candidate.page()).text) == 2


async def test_a_response_that_overtook_another_does_not_count(room: Room) -> None:
    """The line delivers the third before the second: it was never shown, so it is refused and asked again."""
    async with room.begun() as candidate:
        await candidate.answer(1, "o1")
        early = await candidate.answer(3, "o1")
        assert early.status_code == 409
        refused = await candidate.post(
            "responses", {"presentation": "3", "response": "o1", "confirm": "1"}, **JSON
        )
        assert (refused.status_code, refused.json()["code"]) == (409, "presentation_not_current")
        assert position_on((await candidate.answer(2, "o3")).text) == 3
        assert position_on((await candidate.answer(3, "o1")).text) == 4
        late = await candidate.answer(2, "o3")
        assert position_on(late.text) == 4
        log = await candidate.checked()
    assert [(event.position, event.response) for event in log.responses] == [(1, "o1"), (2, "o3"), (3, "o1")]


async def test_two_tabs_and_the_first_answer_counts(room: Room) -> None:
    async with room.begun() as candidate:
        left, right = (await candidate.page()).text, (await candidate.page()).text
        assert position_on(left) == position_on(right) == 1
        assert position_on((await candidate.answer(1, "o4")).text) == 2
        other = await candidate.answer(1, "o5", htmx=False)
        assert (other.status_code, other.headers["location"]) == (303, candidate.url)
        assert position_on((await candidate.page()).text) == 2
        log = await candidate.checked()
    assert [event.response for event in log.responses] == ["o4"]


@pytest.mark.parametrize("htmx", [True, False])
async def test_the_back_button_brings_nothing_back(room: Room, htmx: bool) -> None:
    async with room.begun() as candidate:
        for position in (1, 2, 3):
            await candidate.answer(position, "o1")
        before = await candidate.checked()
        for response in ("o1", "o2"):
            answer = await candidate.answer(1, response, htmx=htmx)
            if not htmx:
                assert answer.status_code == 303
                assert answer.headers["location"].partition("?")[0] == candidate.url
            elif response == "o1":
                assert position_on(answer.text) == 4
            else:
                assert answer.headers["hx-redirect"] == candidate.url
            assert position_on((await candidate.page()).text) == 4
        # the confirmation of a page that Back has shown again is not asked for either
        asked = await candidate.post(
            "responses", {"presentation": "1", "response": "o2", "confirm": "0", "ask_first": "1"}
        )
        assert asked.status_code == 303
        log = await candidate.checked()
    assert log.heads == before.heads


async def test_an_answer_is_only_kept_when_it_was_confirmed(room: Room) -> None:
    async with room.begun() as candidate:
        asked = await candidate.answer(1, "o2", confirm="0", ask_first="1")
        assert 'value="change"' in asked.text
        changed = await candidate.answer(1, "o2", confirm="change", ask_first="1")
        assert position_on(changed.text) == 1
        missing = await candidate.answer(1, "", confirm="0", ask_first="1")
        assert position_on(missing.text) == 1
        assert (await candidate.checked()).responses == []
        assert position_on((await candidate.answer(1, "o2", confirm="0")).text) == 2
        assert len((await candidate.checked()).responses) == 1


@pytest.mark.parametrize(
    ("response", "code"), [("o6", "response_unknown"), ("O1", "response_unknown"), ("1", "response_unknown")]
)
async def test_an_option_that_the_item_has_not_is_refused(room: Room, response: str, code: str) -> None:
    async with room.begun() as candidate:
        form = {"presentation": "1", "response": response, "confirm": "1"}
        refused = await candidate.post("responses", form, **JSON)
        assert (refused.status_code, refused.json()["code"]) == (422, code)
        assert (await candidate.checked()).responses == []
        assert position_on((await candidate.page()).text) == 1


async def test_at_a_second_machine_the_sitting_waits_for_the_proctor(room: Room) -> None:
    async with room.begun() as first, room.machine(first.number) as second:
        await first.answer(1, "o1")
        room.server.clock.at_ms += 60_000
        assert (await second.sign_in()).status_code == 303

        for told in (
            await first.answer(2, "o1"),
            await first.page(),
            await first.answer(2, "o1", htmx=False),
        ):
            assert told.status_code == 409
        told = await first.page(**JSON)
        assert (told.status_code, told.json()["code"]) == (409, "sitting_moved")

        log = await second.checked()
        paused = log.events[-1]
        assert isinstance(paused, e.Paused)
        assert (paused.by, paused.reason, paused.used_ms) == ("system", "technical.machine", 60_000)
        assert (log.state.status, log.state.answered) == (Status.PAUSED, 1)
        assert log.entries[-1].actor == "system:sign_in"
        shown = (await second.page()).text
        assert "Saudara masuk dari komputer lain" in shown
        assert "You signed in at another computer" in (await second.page("?language=en")).text
        # the candidate cannot go on alone, and the clock stands meanwhile
        assert (await second.answer(2, "o1")).headers["hx-redirect"] == second.url
        assert (await second.post("begin")).status_code == 303
        assert (await second.log()).state.status is Status.PAUSED
        room.server.clock.at_ms += 600_000

        await room.act("resume", second)
        assert (await second.post("begin")).status_code == 303
        assert position_on((await second.page()).text) == 2
        assert position_on((await second.answer(2, "o1")).text) == 3
        assert (await first.answer(3, "o1")).status_code == 409
        log = await second.checked()
    assert log.state.time.used_at(room.server.clock.now_ms()) == 60_000


async def test_signing_in_again_at_the_same_machine_stops_nothing(room: Room) -> None:
    async with room.begun() as candidate:
        await candidate.answer(1, "o1")
        assert (await candidate.sign_in()).status_code == 303
        assert position_on((await candidate.answer(2, "o1")).text) == 3
        log = await candidate.checked()
    assert not [event for event in log.events if isinstance(event, e.Paused)]


async def test_a_machine_that_was_left_is_another_machine_again(room: Room) -> None:
    async with room.begun() as first, room.machine(first.number) as second:
        await second.sign_in()
        await room.act("resume", second)
        await second.post("begin")
        await first.sign_in()
        assert (await second.page()).status_code == 409
        log = await first.checked()
        assert [event.reason for event in log.events if isinstance(event, e.Paused)] == [
            "technical.machine"
        ] * 2
        assert log.state.status is Status.PAUSED


async def test_moving_before_the_beginning_stops_nothing(room: Room) -> None:
    async with room.waiting() as first, room.machine(first.number) as second:
        await second.sign_in()
        assert (await first.page()).status_code == 409
        assert (await second.checked()).state.status is Status.WAITING
