"""One open promotion, from the opening of the room to the talent record, in a real browser."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.journeys import replaying
from tests.journeys.candidates import Candidate, KeyboardCandidate, PlainCandidate
from tests.journeys.installation import Installation
from tests.journeys.line import Line
from tests.journeys.staff import Auditor, Chair, Member, Proctor, Psychometrician, TalentManager, sign_in
from tests.journeys.window import Window
from tests.services.chromium import ARGUMENTS
from web.demonstration.design import demonstration_design
from web.demonstration.loader import SignIns

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

log = logging.getLogger(__name__)

DESIGN = demonstration_design(potential=6, competency=9, knowledge=4)
ALBUM = Path(__file__).parents[2] / "docs" / "screenshots"
FIRST_LOAD_BYTES = 150_000
ROUND_TRIP_BYTES = 3 * 1024


@dataclass
class Stage:
    """What the story plays on: the server, its line, who can sign in, and every window that was opened."""

    server: Installation
    line: Line
    sign_ins: SignIns
    album: Path | None
    windows: list[Window] = field(default_factory=list)
    browser: Browser | None = None
    stack: ExitStack = field(default_factory=ExitStack)

    def window(self, who: str, *, javascript: bool = True, of: Window | None = None) -> Window:
        """A window of its own; `of` lends it the cookies of another, but nothing that one has fetched."""
        assert self.browser is not None
        window = self.stack.enter_context(
            Window(
                self.browser,
                self.server.url,
                who,
                javascript=javascript,
                state=of.context.storage_state() if of else None,
                album=self.album,
            )
        )
        self.windows.append(window)
        return window

    def staff(self, username: str) -> Window:
        """The window of a member of staff who has signed in."""
        window = self.window(username)
        sign_in(window, self.sign_ins, username)
        return window


@pytest.fixture(params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest, chromium_path: Path) -> Iterator[Stage]:
    """The product on one kind of database (with Redis beside PostgreSQL), behind a line that can be cut."""
    kind: str = request.param
    database_url = request.getfixturevalue(f"{kind}_url")
    redis_url = request.getfixturevalue("redis_url") if kind == "postgresql" else None
    album = ALBUM if kind == "sqlite" and os.environ.get("CAT_ENGINE_SCREENSHOTS") == "1" else None
    server = Installation(database_url, redis_url)
    with Line(lambda: server.port) as line:
        server.public_port = line.port
        sign_ins = server.load(DESIGN)
        stage = Stage(server, line, sign_ins, album)
        with server, sync_playwright() as playwright:
            stage.browser = playwright.chromium.launch(executable_path=str(chromium_path), args=[*ARGUMENTS])
            with stage.stack:
                yield stage


def test_open_promotion(stage: Stage, tmp_path: Path) -> None:
    first, second = stage.sign_ins.candidates[:2]
    keyboard = KeyboardCandidate(stage.window("keyboard"), first)
    plain = PlainCandidate(stage.window("no script", javascript=False), second)
    sit(stage, keyboard, plain)
    release(stage, keyboard, plain)
    replay(stage, tmp_path, keyboard, plain)
    weigh_round_trips(keyboard)
    complaints = [complaint for window in stage.windows for complaint in window.complaints]
    assert complaints == []


def sit(stage: Stage, keyboard: KeyboardCandidate, plain: PlainCandidate) -> None:
    """From the opening of the room to both receipts."""
    names = (keyboard.slip.name, plain.slip.name)
    room = stage.staff("pengawas")
    proctor = Proctor(room)
    proctor.open_room()
    keyboard.enter()
    plain.enter()
    proctor.admit_all(names)
    room.inspect("board")
    keyboard.sees_first_item()
    weigh_first_load(stage, keyboard)
    plain.begin()
    with room.expecting_a_cut():  # the proctor's board hangs on the same line
        keyboard.answer_adaptive(stage.line)
    plain.answer_adaptive(3)
    proctor.keeps_a_tick(names[0])
    proctor.act(names[1], "pause", reason="technical.machine")
    plain.finds_the_sitting_paused()
    proctor.sees(names[1], "paused")
    room.inspect("board, one paused")
    room.shoot("room-board")
    proctor.act(names[1], "extend", reason="technical.machine", minutes=7)
    proctor.act(names[1], "resume")
    proctor.looks_at(names[1], "7 menit")
    plain.goes_on()
    plain.answer_adaptive()
    plain.answer_fixed_form()
    keyboard.answer_fixed_form()
    receipts = {keyboard.finish(), plain.finish()}
    assert len(receipts) == 2


def weigh_first_load(stage: Stage, candidate: Candidate) -> None:
    """The item page and everything it needs, into a browser that has nothing of it."""
    fresh = stage.window("nothing fetched yet", of=candidate.window)
    meter = fresh.context.new_cdp_session(fresh.page)
    received: list[float] = []
    meter.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    meter.send("Network.enable")
    fresh.page.goto(candidate.page.url, wait_until="networkidle")
    expect(fresh.page.locator("#answer-form")).to_be_visible()
    log.info("first load of the item page: %d bytes in %d responses", sum(received), len(received))
    assert len(received) >= 6, "the page, its styles, its scripts, its typeface"
    assert sum(received) <= FIRST_LOAD_BYTES


def weigh_round_trips(keyboard: KeyboardCandidate) -> None:
    """Every answer, up and down, headers and bodies."""
    totals = [trip.total for trip in keyboard.round_trips]
    log.info("%d answers: median %d bytes, most %d bytes", len(totals), median(totals), max(totals))
    assert len(totals) >= len(keyboard.answers.given)
    assert max(totals) <= ROUND_TRIP_BYTES


def release(stage: Stage, keyboard: KeyboardCandidate, plain: PlainCandidate) -> None:
    """From the statement of the panel's member to the talent record and the candidate's own page."""
    names = (keyboard.slip.name, plain.slip.name)
    member = Member(stage.staff("anggota"))
    member.sign_statement()
    codes = Chair(stage.staff("ketua")).release((keyboard.sitting_id, plain.sitting_id))
    numbers = (keyboard.sees_result(), plain.sees_result())
    assert len(set(numbers)) == 2
    member.finds_ranked(codes)
    manager = TalentManager(stage.staff("talenta"))
    manager.sees_delivered(numbers)
    manager.finds_in_boxes(names)
    keyboard.window.shoot("result")
    keyboard.reads_in_english()
    verify(stage, keyboard.page.locator(".verification a").first.get_attribute("href") or "", numbers[0])
    keyboard.sees_who_read()
    Psychometrician(stage.staff("psikometri")).reads_an_item()


def verify(stage: Stage, address: str, report_number: str) -> None:
    """Anybody may ask whether a report is what was released."""
    public = stage.window("public")
    public.page.goto(address)
    expect(public.page.locator(".certificate")).to_contain_text(report_number)
    public.inspect("public verification")


def replay(stage: Stage, folder: Path, keyboard: KeyboardCandidate, plain: PlainCandidate) -> None:
    """Nothing was lost, and the files prove it to somebody who has only them."""
    auditor = Auditor(stage.staff("auditor"))
    package = auditor.take_package(folder)
    for candidate in (keyboard, plain):
        path = auditor.take_sitting(candidate.sitting_id, folder)
        assert replaying.recorded(replaying.read(path)) == candidate.answers
        status, output = replaying.replay(stage.server.run("replay", package, path))
        assert (status, "identical" in output) == (0, True), output
    auditor.replays(keyboard.sitting_id)
    find_changes(stage.server, folder, package, folder / f"{keyboard.sitting_id}.json")


def find_changes(server: Installation, folder: Path, package: Path, path: Path) -> None:
    """One answer, one time, one parameter: each changed copy differs, and the output says where."""
    sitting, place = replaying.read(path), 4
    revision, event = replaying.responses(sitting)[place]

    def answer(copy: replaying.File) -> None:
        changed = replaying.responses(copy)[place][1]
        changed["response"] = "o1" if changed["response"] != "o1" else "o2"

    def moment(copy: replaying.File) -> None:
        copy["entries"][revision - 1]["at_ms"] += 1000

    def parameter(copy: replaying.File) -> None:
        copy["package"]["items"][3]["a"] += 0.05

    code = replaying.read(package)["package"]["items"][3]["code"]
    cases = [
        (package, replaying.changed(sitting, folder / "answer.json", answer), f"entry {revision}"),
        (package, replaying.changed(sitting, folder / "moment.json", moment), f"entry {revision}"),
        (replaying.changed(replaying.read(package), folder / "parameter.json", parameter), path, code),
    ]
    assert event["position"] == place + 1
    for package_path, sitting_path, named in cases:
        status, output = replaying.replay(server.run("replay", package_path, sitting_path))
        assert status == 1, output
        assert "DIFFERS" in output
        assert named in output
