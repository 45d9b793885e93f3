"""What the staff do in their windows: the proctor, the panel's chair and member, the talent manager."""

from __future__ import annotations

import re
import time
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.journeys.window import Window
from web.demonstration.loader import SignIns

SESSION = "Sesi 2 (CONTOH)"
PATIENCE_MS = 15_000


def sign_in(window: Window, sign_ins: SignIns, username: str) -> None:
    """From the form to the desk."""
    secret = next(staff.secret for staff in sign_ins.staff if staff.who == username)
    window.page.goto("/staff/sign-in")
    window.inspect("staff sign in")
    window.page.fill("[name=username]", username)
    window.page.fill("[name=password]", secret)
    window.page.click("main form button[type=submit]")
    expect(window.page).to_have_url(f"{window.url}/desk")
    window.inspect(f"desk of {username}")


class Proctor:
    """Opens the room and acts on sittings, from the board."""

    def __init__(self, window: Window) -> None:
        self.window, self.page = window, window.page

    def open_room(self) -> None:
        self.page.click(".navigation a[href='/proctor']")
        self.window.inspect("exam sessions")
        self.page.get_by_role("link", name=SESSION).click()
        self.window.inspect("board before the room is opened")
        self.page.click("a[href$='/open']")
        self.window.inspect("opening the room, asked once more")
        self.page.click("form[action$='/open'] button[type=submit]")
        expect(self.page.locator("#board")).to_be_visible()

    def row(self, name: str) -> Locator:
        return self.page.locator("#board tr", has_text=name)

    def sees(self, name: str, status: str) -> None:
        """The board shows it without being asked: it refreshes by itself."""
        expect(self.row(name)).to_have_attribute("data-status", status, timeout=PATIENCE_MS)

    def admit_all(self, names: tuple[str, ...]) -> None:
        """Everybody who waits, after a page that names them."""
        for name in names:
            self.sees(name, "waiting")
        self.page.click("#admit-all")
        people = self.page.locator(".people")
        for name in names:
            expect(people).to_contain_text(name)
        self.window.inspect("admitting, asked once more")
        self._confirm()

    def act(self, name: str, act: str, *, reason: str = "", minutes: int = 0) -> None:
        """Tick one seat, press one button, name the reason, confirm."""
        self.row(name).locator("input[name=sittings]").check()
        self.page.click(f".act-bar button[name=act][value={act}]")
        expect(self.page.locator(".people li")).to_have_count(1)
        expect(self.page.locator(".people li")).to_contain_text(name)
        self.window.inspect(f"{act}, asked once more")
        if minutes:
            self.page.fill("[name=minutes]", str(minutes))
        if reason:
            self.page.select_option("[name=reason]", reason)
        self._confirm()

    def keeps_a_tick(self, name: str) -> None:
        """What is ticked stays ticked when the board is fetched again."""
        tick, state = self.row(name).locator("input[name=sittings]"), self.page.locator("#live")
        tick.check()
        before = state.inner_text()
        expect(state).not_to_have_text(before, timeout=PATIENCE_MS)
        expect(tick).to_be_checked()
        tick.uncheck()

    def looks_at(self, name: str, extension: str) -> None:
        """One candidate's page names the minutes that were added, and says nothing of answers."""
        board = self.page.url
        self.row(name).get_by_role("link").click()
        self.window.heading(name)
        expect(self.page.locator("main")).to_contain_text(extension)
        self.window.inspect("one candidate of the room")
        self.page.goto(board)

    def _confirm(self) -> None:
        self.page.click("button[name=confirm][value='1']")
        expect(self.page.locator(".notice--success")).to_be_visible()


class Chair:
    """The panel's chair: releases what has been scored."""

    def __init__(self, window: Window) -> None:
        self.window, self.page = window, window.page

    def release(self, sitting_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Leave only these sittings ticked, read what will happen, release; give their blind codes."""
        self.page.click(".navigation a[href='/results']")
        self.window.inspect("results that wait for release")
        for box in self.page.locator("input[name=sitting_id]").all():
            box.set_checked(box.input_value() in sitting_ids)
        ticked = self.page.locator("label:has(input[name=sitting_id]:checked) .code")
        codes = tuple(ticked.all_inner_texts())
        assert len(codes) == len(sitting_ids)
        self.page.click("main form button[type=submit]")
        expect(self.page.locator("main input[name=sitting_id]")).to_have_count(len(sitting_ids))
        self.window.inspect("release, asked once more")
        self.page.click("button[name=confirm][value='1']")
        expect(self.page.locator(".notice--success")).to_be_visible()
        for sitting_id in sitting_ids:
            expect(self.page.locator(f"input[value='{sitting_id}']")).to_have_count(0)
        return codes


class Member:
    """A member of the panel: nothing opens before the conflict-of-interest statement is signed."""

    def __init__(self, window: Window) -> None:
        self.window, self.page = window, window.page

    def sign_statement(self) -> None:
        self.page.click(".navigation a[href='/panel']")
        self.window.inspect("selections")
        self.page.locator("main table a").first.click()
        expect(self.page).to_have_url(re.compile("/statement$"))
        self.window.inspect("conflict-of-interest statement")
        self.page.check("[name=accepted]")
        self.page.click("main form button[type=submit]")
        expect(self.page).not_to_have_url(re.compile("/statement$"))
        self.window.inspect("selection")

    def finds_ranked(self, blind_codes: tuple[str, ...]) -> None:
        """Each code stands in the ranked list of its post, with a band of error; no name is shown."""
        selection_url, missing = self.page.url, set(blind_codes)
        for place in range(self.page.locator("main table tbody a").count()):
            self.page.goto(selection_url)
            self.page.locator("main table tbody a").nth(place).click()
            expect(self.page.locator("svg.ranked")).to_be_visible()
            codes = self.page.locator(".ranked__code").all_text_contents()
            bands = self.page.locator("svg.ranked rect.plot__band").count()
            assert len(codes) == len(set(codes)) == bands > 0
            missing -= set(codes)
            self.window.inspect("ranked list")
        assert missing == set(), f"not in any ranked list: {missing}"
        self.window.shoot("ranked-list", ".ranking")


class TalentManager:
    """Sees the postings arrive, and the persons on the nine boxes."""

    def __init__(self, window: Window) -> None:
        self.window, self.page = window, window.page

    def sees_delivered(self, report_numbers: tuple[str, ...]) -> None:
        """The postings were promised with the release; a worker delivers them."""
        self.page.goto("/talent/postings")
        self.window.inspect("postings")
        deadline = time.monotonic() + 30
        while True:
            self.page.goto("/talent/postings?state=delivered")
            shown = self.page.locator("main tbody").inner_text()
            if all(number in shown for number in report_numbers):
                break
            assert time.monotonic() < deadline, f"not delivered: {report_numbers}"
            self.page.wait_for_timeout(500)
        for number in report_numbers:
            row = self.page.locator("main tbody tr", has_text=number)
            assert len(row.locator("td .code").inner_text()) >= 8  # the receipt

    def finds_in_boxes(self, names: tuple[str, ...]) -> None:
        """Click through the nine boxes until everybody is found."""
        self.page.click(".navigation a[href='/talent']")
        self.window.inspect("nine boxes")
        self.window.shoot("nine-boxes", ".talent-picture")
        addresses = [box.get_attribute("href") or "" for box in self.page.locator("a.box").all()]
        assert len(addresses) == 9
        found: dict[str, int] = {}
        for number, address in enumerate(addresses, start=1):
            self.page.goto(address)
            people = self.page.locator("#people a").all_inner_texts()
            found |= {name: number for name in people if name in names}
        assert set(found) == set(names), found
        self.page.goto(addresses[found[names[0]] - 1])
        self.window.inspect("one of the nine boxes")
        self.page.get_by_role("link", name=names[0]).click()
        self.window.heading(names[0])
        self.window.inspect("a person's talent record")


class Auditor:
    """Takes the files that a replay needs, and has a sitting replayed on the page."""

    def __init__(self, window: Window) -> None:
        self.window, self.page = window, window.page

    def take_package(self, folder: Path) -> Path:
        self.page.click(".navigation a[href='/packages']")
        self.window.inspect("test packages")
        self.page.locator("main table a").first.click()
        self.window.inspect("test package")
        return self._download("main a[href$='/file']", folder / "package.json")

    def take_sitting(self, sitting_id: str, folder: Path) -> Path:
        self.page.goto("/sitting-files")
        self.window.inspect("files of sittings")
        return self._download(f"a[href='/sitting-files/{sitting_id}']", folder / f"{sitting_id}.json")

    def replays(self, sitting_id: str) -> None:
        self.page.goto("/sitting-files")
        self.page.click(f"form[action='/sitting-files/{sitting_id}/replay'] button")
        expect(self.page.locator(".notice--success")).to_be_visible()
        self.window.inspect("replayed on the page")

    def _download(self, selector: str, path: Path) -> Path:
        with self.page.expect_download() as started:
            self.page.click(selector)
        started.value.save_as(path)
        return path


class Psychometrician:
    """Reads the bank; every item that is opened with its key leaves a trace."""

    def __init__(self, window: Window) -> None:
        self.window, self.page = window, window.page

    def reads_an_item(self) -> None:
        self.page.click(".navigation a[href='/bank']")
        self.window.inspect("item bank")
        self.page.goto("/bank?family=figural_matrix&level=4")
        self.page.locator("main table a[href^='/bank/items/']").first.click()
        self.window.heading("CONTOH-MF-")
        self.window.inspect("item of the bank")
        self.window.shoot("bank-item", "main .crumb")
