"""A person's browser window, and everything that is watched in it while a journey goes on."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, StorageState, expect

AXE = (Path(__file__).parents[1] / "web" / "axe" / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ROOM_SCREEN = {"width": 1366, "height": 768}
NARROW_PX = 320
PATIENCE_MS = 20_000
log = logging.getLogger(__name__)
_BROKEN_LINE = re.compile(r"net::ERR_|Failed to fetch")
_FIND = """async (tags) => {
  const runOnly = {type: "tag", values: tags};
  const found = await axe.run(document, {runOnly, preload: false, resultTypes: ["violations"]});
  const shown = (node) => node.html.slice(0, 200);
  return found.violations.map((one) => one.id + ": " + one.nodes.map(shown).join(" | "));
}"""
# Where scripts are off, timers stand still as well; promises go on, and axe only asks for "a little later".
_TIMERS_WITHOUT_SCRIPT = """() => {
  window.setTimeout = (act) => { Promise.resolve().then(act); return 1; };
}"""
_OVERFLOW = """() => {
  const root = document.documentElement;
  const wide = [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1)
    .slice(0, 4).map((one) => one.outerHTML.slice(0, 120));
  return {scroll: root.scrollWidth, client: root.clientWidth, wide};
}"""


class Window:
    """A window of one person. `complaints` must be empty at the end of the story."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        who: str,
        *,
        javascript: bool = True,
        state: StorageState | None = None,
        album: Path | None = None,
    ) -> None:
        self.who, self.url, self.javascript = who, url, javascript
        self.complaints: list[str] = []
        self.inspected: list[str] = []
        self._expects_a_cut = False
        self._album = album
        self.context = browser.new_context(
            base_url=url,
            viewport=ROOM_SCREEN,  # type: ignore[arg-type] # a plain dict has the shape of Playwright's
            java_script_enabled=javascript,
            locale="id-ID",
            timezone_id="Asia/Jakarta",
            reduced_motion="reduce",
            storage_state=state,
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self._complain(f"script error: {error}"))
        self.page.on("response", self._on_response)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _complain(self, text: str) -> None:
        self.complaints.append(f"{self.who}, {self.page.url}: {text}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        if self._expects_a_cut and _BROKEN_LINE.search(message.text):
            return
        self._complain(message.text)

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self._complain(f"{response.status} {response.request.method} {response.url}")

    @contextmanager
    def expecting_a_cut(self) -> Iterator[None]:
        """While the line is broken on purpose, the browser may say that it cannot reach the server."""
        self._expects_a_cut = True
        yield
        self.page.wait_for_timeout(50)  # what the browser has to say of the cut arrives after it
        self._expects_a_cut = False

    def inspect(self, name: str) -> None:
        """Axe in light and in dark, and no sideways scrolling on a narrow screen."""
        page = self.page
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            if not page.evaluate("typeof axe === 'object'"):
                page.evaluate(AXE)
                if not self.javascript:
                    page.evaluate(_TIMERS_WITHOUT_SCRIPT)
            for violation in page.evaluate(_FIND, TAGS):
                self._complain(f"axe, {name}, {scheme}: {violation}")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": NARROW_PX, "height": 640})
        found: dict[str, Any] = page.evaluate(_OVERFLOW)
        if found["scroll"] > found["client"]:
            self._complain(f"{name} scrolls sideways at {NARROW_PX} px: {found}")
        page.set_viewport_size(ROOM_SCREEN)  # type: ignore[arg-type] # as above
        self.inspected.append(name)
        log.info("%s: %s", self.who, name)

    def shoot(self, name: str, beginning: str = "body") -> None:
        """A picture for the album, where one is kept, from the top of `beginning` on."""
        if self._album is not None:
            self.page.evaluate("document.activeElement.blur()")
            self.page.locator(beginning).first.evaluate(
                "(one) => scrollTo(0, one.getBoundingClientRect().top + scrollY - 24)"
            )
            self.page.screenshot(path=self._album / f"{name}.png", scale="css")

    def heading(self, text: str) -> None:
        """Wait until the page's name says so."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(text, timeout=15_000)
