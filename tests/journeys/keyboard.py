"""Somebody who uses no mouse: Tab, arrows, Space and Enter, and nothing else.

What the page says is read from it, as eyes or a screen reader would; what is done goes through the keys.
"""

from __future__ import annotations

from playwright.sync_api import Page

MOST_TABS = 60


class Keyboard:
    """Hands on the keys of one page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def tab_to(self, selector: str) -> None:
        """Go on with Tab until the focus stands on what is meant; it must be reachable, and be seen there."""
        for _ in range(MOST_TABS):
            if self._is_on(selector):
                self._assert_focus_shows()
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never reaches {selector} on {self.page.url}")

    def activate(self, selector: str) -> None:
        """Go to a button or link and press it."""
        self.tab_to(selector)
        self.page.keyboard.press("Enter")

    def choose(self, place: int) -> str:
        """Choose the option at `place` (from 0) of the page's radio buttons; give what it stands for."""
        self.tab_to("input[type=radio]")
        self.page.keyboard.press("Space")
        # a group with a choice is entered at the choice, one without at its first option
        at = self.page.evaluate(
            "[...document.querySelectorAll('input[type=radio]')].indexOf(document.activeElement)"
        )
        for _ in range(abs(place - at)):
            self.page.keyboard.press("ArrowDown" if place > at else "ArrowUp")
        chosen: str = self.page.evaluate("document.querySelector('input[type=radio]:checked').value")
        return chosen

    def _is_on(self, selector: str) -> bool:
        return bool(self.page.evaluate("(selector) => document.activeElement.matches(selector)", selector))

    def _assert_focus_shows(self) -> None:
        """The focused thing, or the label that stands for it, is on the screen and marked."""
        seen = self.page.evaluate(
            """() => {
              const one = document.activeElement;
              const place = (one.closest("label") || one).getBoundingClientRect();
              const parts = [one, one.closest("label"), one.closest(".option")].filter(Boolean);
              const styles = parts.map((part) => getComputedStyle(part));
              const shows = (style) => style.outlineStyle !== "none" || style.boxShadow !== "none";
              const marked = styles.some(shows);
              return {marked, visible: place.width > 0 && place.bottom > 0 && place.top < innerHeight};
            }"""
        )
        assert seen == {"marked": True, "visible": True}, (seen, self.page.url)
