"""One open promotion from the opening of the room to the talent record, in real browsers, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.candidates import KeyboardCandidate, PlainCandidate
from tests.journeys.installation import Installation
from tests.journeys.line import Line
from tests.journeys.staff import Proctor, sign_in
from tests.journeys.window import Window
from tests.services.chromium import ARGUMENTS
from web.demonstration.design import demonstration_design
from web.demonstration.loader import SignIns

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]

DESIGN = demonstration_design(potential=6, competency=9, knowledge=4)


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest) -> Iterator[tuple[Installation, Line, SignIns]]:
    """The product on one kind of database (with Redis beside PostgreSQL), behind a line that can be cut."""
    database_url = request.getfixturevalue(f"{request.param}_url")
    redis_url = request.getfixturevalue("redis_url") if request.param == "postgresql" else None
    server = Installation(database_url, redis_url)
    with Line(lambda: server.port) as line:
        server.public_port = line.port
        sign_ins = server.load(DESIGN)
        with server:
            yield server, line, sign_ins


@pytest.fixture
def browser(installation: object, chromium_path: Path) -> Iterator[Browser]:
    """Started after the installation: Playwright's loop and ours do not share a thread at the same time."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=str(chromium_path), args=[*ARGUMENTS])


def test_open_promotion(
    installation: tuple[Installation, Line, SignIns], browser: Browser
) -> None:
    server, line, sign_ins = installation
    url = server.url
    slips = sign_ins.candidates[:2]
    names = (slips[0].name, slips[1].name)
    with (
        Window(browser, url, "proctor") as room,
        Window(browser, url, "keyboard") as first,
        Window(browser, url, "no script", javascript=False) as second,
    ):
        sign_in(room, sign_ins, "pengawas")
        proctor = Proctor(room)
        proctor.open_room()
        keyboard, plain = KeyboardCandidate(first, slips[0]), PlainCandidate(second, slips[1])
        keyboard.enter()
        plain.enter()
        proctor.admit_all(names)
        room.inspect("board")
        keyboard.sees_first_item()
        plain.begin()
        keyboard.answer_adaptive(line)
        plain.answer_adaptive(3)
        proctor.act(names[1], "pause", reason="technical.machine")
        plain.finds_the_sitting_paused()
        proctor.sees(names[1], "paused")
        room.inspect("board, one paused")
        proctor.act(names[1], "extend", reason="technical.machine", minutes=7)
        proctor.act(names[1], "resume")
        plain.goes_on()
        plain.answer_adaptive()
        plain.answer_fixed_form()
        keyboard.answer_fixed_form()
        receipts = {keyboard.finish(), plain.finish()}
        assert len(receipts) == 2
        totals = sorted(trip.total for trip in keyboard.round_trips)
        print(totals)
        assert [*room.complaints, *first.complaints, *second.complaints] == []
