"""What the staff do in their windows: the proctor, the panel's chair and member, the talent manager."""

from __future__ import annotations

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
        self.page.wait_for_timeout(3_500)  # the board is fetched again meanwhile: the tick must survive it
        expect(self.row(name).locator("input[name=sittings]")).to_be_checked()
        self.page.click(f".act-bar button[name=act][value={act}]")
        expect(self.page.locator(".people").first).to_contain_text(name)
        self.window.inspect(f"{act}, asked once more")
        if minutes:
            self.page.fill("[name=minutes]", str(minutes))
        if reason:
            self.page.select_option("[name=reason]", reason)
        self._confirm()

    def _confirm(self) -> None:
        self.page.click("button[name=confirm][value='1']")
        expect(self.page.locator(".notice--success")).to_be_visible()
