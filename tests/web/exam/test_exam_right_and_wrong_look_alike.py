"""Whether a response was right does not show in what comes back.

Every item of this package reads the same, so every byte of the answers must be the same too.
"""

from __future__ import annotations

import httpx
import pytest

from tests.web.exam.playing import Candidate, Room, without_secrets

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST_SECTION = 10


async def response_for(room: Room, candidate: Candidate, position: int, *, right: bool) -> str:
    """The option that earns most, or one that earns least, at a presentation."""
    installed = await room.services.packages.get(room.agency.ids["package_id"])
    presentation = (await candidate.log()).state.presentations[position - 1]
    points = installed.compiled.items[presentation.item_id].option_points
    return f"o{points.index(max(points) if right else min(points)) + 1}"


def seen(answer: httpx.Response, candidate: Candidate) -> tuple[int, int, dict[str, str], str]:
    """Everything that somebody on the line can compare, without the names of the two candidates."""
    headers = {name: value for name, value in answer.headers.items() if name != "content-security-policy"}
    headers.pop("content-length", None)  # compressed: the form token's letters make a byte or two
    headers.pop("date", None)
    text = without_secrets(answer.text).replace(candidate.sitting_id, "").replace(candidate.number, "")
    return answer.status_code, len(answer.content), headers, text


@pytest.mark.parametrize("htmx", [True, False])
async def test_right_and_wrong_get_the_same_bytes(room: Room, htmx: bool) -> None:
    async with room.begun() as knows, room.begun() as guesses:
        for position in range(1, FIRST_SECTION + 1):
            answers = []
            for candidate, right in ((knows, True), (guesses, False)):
                response = await response_for(room, candidate, position, right=right)
                answers.append(
                    seen(await candidate.answer(position, response, htmx=htmx), candidate)
                    if htmx
                    else await followed(candidate, position, response)
                )
            assert answers[0] == answers[1]
        scores = [(await candidate.checked()).state for candidate in (knows, guesses)]
    assert sum(p.points for p in scores[0].presentations) == FIRST_SECTION
    assert sum(p.points for p in scores[1].presentations) == 0


async def followed(candidate: Candidate, position: int, response: str) -> tuple[int, str]:
    """Without JavaScript: the redirect, and the page after it without the candidate's own name."""
    answer = await candidate.answer(position, response, htmx=False)
    assert answer.status_code == 303
    page = (await candidate.client.get(answer.headers["location"])).text
    names = (
        candidate.sitting_id,
        candidate.number,
        f"Peserta {int(candidate.number[-3:])} ",
        f"A{candidate.number[-2:]}",
    )
    for name in names:
        page = page.replace(name, "")
    return answer.status_code, without_secrets(page)


async def test_the_question_before_an_answer_is_the_same_for_every_option(room: Room) -> None:
    async with room.begun() as candidate:
        shown = set()
        for number in range(1, 6):
            asked = await candidate.answer(1, f"o{number}", confirm="0", ask_first="1")
            text = asked.text.replace(f'value="o{number}"', "").replace(f"Pilihan {number - 1}", "")
            shown.add((asked.status_code, without_secrets(text).replace(f">{'ABCDE'[number - 1]}<", "><")))
        assert len(shown) == 1
