"""Whole sittings over HTTP, with htmx and without JavaScript: from the waiting room to the receipt."""

from __future__ import annotations

import asyncio

import pytest

from cat_engine.core import chain
from cat_engine.core import events as e
from cat_engine.core.transitions import Status
from tests.web.exam.playing import Candidate, Fields, Log, Room, options_on, position_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORM_LENGTH = 5


async def to_the_form(candidate: Candidate, *, htmx: bool) -> int:
    """Through the adaptive sections; the position of the form's first item."""
    assert await candidate.play_adaptive(htmx=htmx) >= 14
    return position_on((await candidate.page("?go=1")).text)


async def save(
    candidate: Candidate, position: int, *, htmx: bool = True, response: str = "", **fields: str
) -> str:
    """One press of a button of the fixed form; what is shown then."""
    form = {"presentation": str(position), "response": response, **fields}
    answer = await candidate.post("responses", form, htmx=htmx)
    if htmx:
        assert answer.status_code == 200
        assert "<html" not in answer.text
        return answer.text
    assert answer.status_code == 303
    return (await candidate.client.get(answer.headers["location"])).text


@pytest.mark.parametrize("htmx", [True, False])
async def test_a_whole_sitting(room: Room, htmx: bool) -> None:
    async with room.begun() as candidate:
        first = await to_the_form(candidate, htmx=htmx)
        for place in range(FORM_LENGTH):
            shown = await save(candidate, first + place, htmx=htmx, response="o2", go="next")
            if place < FORM_LENGTH - 1:
                assert position_on(shown) == first + place + 1
        assert options_on(shown) == []  # the review
        asked = await candidate.post("finish", {"confirm": "0"}, htmx=htmx)
        onward = asked.headers["hx-redirect" if htmx else "location"]
        assert onward == f"{candidate.url}?go=review&asked=1"
        assert "1" in Fields((await candidate.client.get(onward)).text).all("confirm")
        assert (await candidate.checked()).state.status is Status.IN_PROGRESS

        finished = await asyncio.gather(
            *(candidate.post("finish", {"confirm": "1", "section": "knowledge"}, htmx=htmx) for _ in range(3))
        )
        assert {answer.headers["hx-redirect" if htmx else "location"] for answer in finished} == {
            candidate.url
        }
        log = await candidate.checked()
        assert log.state.status is Status.SCORED
        assert log.state.answered == first - 1 + FORM_LENGTH
        assert [type(event) for event in log.events].count(e.Scored) == 1
        assert chain.receipt(log.heads[-1]) in (await candidate.page()).text
        # nothing of an ended sitting can be changed, by whatever page was left open
        await candidate.answer(1, "o5", htmx=htmx)
        await candidate.answer(first, "o5", htmx=htmx)
        await candidate.post("finish", {"confirm": "1", "section": "knowledge"}, htmx=htmx)
        await candidate.post("begin", htmx=htmx)
        assert (await candidate.checked()).heads == log.heads
    assert_how(candidate, htmx)


def assert_how(candidate: Candidate, htmx: bool) -> None:
    """Without JavaScript every form is answered by a redirect, with htmx by a fragment or the way on."""
    posts = [
        answer for answer in candidate.received if answer.request.url.path == f"{candidate.url}/responses"
    ]
    assert len(posts) > 15
    for answer in posts:
        if not htmx:
            assert answer.status_code == 303
        elif "hx-redirect" in answer.headers:
            assert answer.content == b""
        else:
            assert "<html" not in answer.text
            assert "<form" in answer.text


async def test_a_fixed_form_is_changed_flagged_cleared_and_handed_in(room: Room) -> None:
    async with room.begun() as candidate:
        first = await to_the_form(candidate, htmx=True)

        def given(log: Log) -> list[tuple[str | None, bool]]:
            form = log.state.presentations[first - 1 :]
            return [(presentation.response, presentation.flagged) for presentation in form]

        await save(candidate, first, response="o1", go="next")
        await save(candidate, first + 2, response="o4", flag="1", go="3")
        assert given(await candidate.checked()) == [
            ("o1", False),
            (None, False),
            ("o4", True),
            (None, False),
            (None, False),
        ]
        # change by htmx, take the flag off without JavaScript
        await save(candidate, first, response="o2", go="2")
        await save(candidate, first + 2, htmx=False, response="o4", go="prev")
        assert given(await candidate.checked())[0:3] == [("o2", False), (None, False), ("o4", False)]
        before = await candidate.checked()
        # the same again from a second tab, ten at once: nothing new to keep
        await asyncio.gather(*(save(candidate, first, response="o2", go="1") for _ in range(10)))
        assert (await candidate.checked()).heads == before.heads
        # five different at once: the log holds whole entries, the state one response
        await asyncio.gather(*(save(candidate, first + 3, response=f"o{1 + n}") for n in range(5)))
        log = await candidate.checked()
        last = [event.response for event in log.responses if event.position == first + 3][-1]
        assert log.state.presentations[first + 2].response == last
        await save(candidate, first, response="o2", clear="1", go="1")
        await save(candidate, first, clear="1", go="1")
        log = await candidate.checked()
        assert given(log)[0] == (None, False)
        assert sum(isinstance(event, e.ResponseCleared) for event in log.events) == 1
        # going on without choosing keeps what is there
        await save(candidate, first + 2, go="next")
        assert given(await candidate.checked())[2] == ("o4", False)
        review = await save(candidate, first + 4, go="review")
        assert options_on(review) == []

        # a response to an item of the adaptive sections is not taken back any more
        before = await candidate.checked()
        await candidate.answer(1, "o5")
        assert (await candidate.checked()).heads == before.heads

        await candidate.post("finish", {"confirm": "1", "section": "knowledge"})
        log = await candidate.checked()
        assert log.state.status is Status.SCORED
        score = log.state.score
        assert score is not None
        form = score.sections[-1]
        assert (form.items, form.points_maximum) == (2, FORM_LENGTH)


async def test_an_adaptive_section_is_not_handed_in(room: Room) -> None:
    async with room.begun() as candidate:
        before = await candidate.log()
        assert (await candidate.post("finish", {"confirm": "1", "section": "knowledge"})).headers[
            "location"
        ] == candidate.url
        assert (await candidate.checked()).heads == before.heads
        assert position_on((await candidate.page()).text) == 1


@pytest.mark.parametrize("language", ["id", "en"])
async def test_the_confirmation_can_be_switched_off_in_either_language(room: Room, language: str) -> None:
    async with room.begun() as candidate:
        await candidate.page(f"?language={language}")
        asked = await candidate.answer(1, "o3", htmx=False, confirm="0", ask_first="1")
        assert f'<html lang="{language}"' in asked.text
        sent = await candidate.answer(1, "o3", htmx=False)
        assert sent.headers["location"] == f"{candidate.url}?ask_first=0"
        page = await candidate.client.get(sent.headers["location"])
        assert position_on(page.text) == 2
        await candidate.answer(2, "o3", htmx=False, confirm="0")
        assert len((await candidate.checked()).responses) == 2
