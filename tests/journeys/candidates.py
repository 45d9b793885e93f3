"""Two candidates: one uses the keyboard only, the other has a browser without JavaScript and a mouse.

Each walks from the slip with the PIN to the last page, and notes what was answered, to compare it with the
record.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Locator, Request, Response, expect

from tests.journeys.keyboard import Keyboard
from tests.journeys.line import Line
from tests.journeys.window import Window
from web.demonstration.loader import SignIn

SIGN_IN = "/candidate/sign-in"
REVIEW_HEADING = "Periksa sebelum selesai"
PATIENCE_MS = 20_000


@dataclass
class Answers:
    """What was pressed: presentation to response, the last one where it was changed."""

    given: dict[int, str] = field(default_factory=dict)
    flagged: set[int] = field(default_factory=set)


@dataclass
class RoundTrip:
    """What one answer cost on the wire, in bytes, headers included."""

    sent: int
    received: int

    @property
    def total(self) -> int:
        return self.sent + self.received


class Candidate:
    """What both have in common: a slip, a window, and the memory of what was answered."""

    def __init__(self, window: Window, slip: SignIn) -> None:
        self.window, self.page, self.slip = window, window.page, slip
        self.answers = Answers()

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    @property
    def is_fixed_form(self) -> bool:
        return self.page.locator(".exam--fixed").count() > 0

    @property
    def presentation(self) -> int:
        return int(self.page.locator("#answer-form [name=presentation]").input_value())

    @property
    def option_count(self) -> int:
        return self.page.locator("#answer-form [name=response][type=radio]").count()

    @property
    def sitting_id(self) -> str:
        """From the address, which stays the same for the whole sitting."""
        return self.page.url.partition("/sittings/")[2].partition("/")[0].partition("?")[0]

    def sees_result(self) -> str:
        """After the release: the result behind the last page; give the report's number."""
        self.page.goto("/sitting")
        self._follow("a[href$='/result']")
        self.window.heading("Hasil")
        self.window.inspect("result")
        return self.page.locator(".verification dd").first.inner_text()

    def _follow(self, selector: str) -> None:
        self.page.click(selector)

    def place_for(self, presentation: int) -> int:
        """Which option this person takes: spread over all of them, the same in every run."""
        return (presentation * 7 + len(self.slip.name)) % self.option_count


class KeyboardCandidate(Candidate):
    """Tab, arrows, Space, Enter."""

    def __init__(self, window: Window, slip: SignIn) -> None:
        super().__init__(window, slip)
        self.keys = Keyboard(window.page)
        self.round_trips: list[RoundTrip] = []
        self._answered: list[Response] = []
        self.page.on("response", self._note)

    def _note(self, response: Response) -> None:
        request: Request = response.request
        if request.method == "POST" and request.url.endswith("/responses"):
            self._answered.append(response)

    def measure(self) -> None:
        """Read the sizes of the answers so far, while the browser still knows them."""
        for response in self._answered:
            sizes = response.request.sizes()
            sent = sizes["requestHeadersSize"] + sizes["requestBodySize"]
            received = sizes["responseHeadersSize"] + sizes["responseBodySize"]
            self.round_trips.append(RoundTrip(sent, received))
        self._answered.clear()

    def _follow(self, selector: str) -> None:
        self.keys.activate(selector)

    def reads_in_english(self) -> None:
        """The same result in the other language, and back."""
        self._follow(".languages a[lang=en]")
        expect(self.page.locator("html")).to_have_attribute("lang", "en")
        self.window.heading("result")
        self.window.inspect("result in English")
        self._follow(".languages a[lang=id]")
        expect(self.page.locator("html")).to_have_attribute("lang", "id")

    def sees_who_read(self) -> None:
        """Every reading of the result by staff is shown to the person it is about."""
        self._follow("a[href$='/data']")
        readers = self.page.locator("main table").nth(1)
        expect(readers).to_contain_text("Anggota panitia seleksi")
        expect(readers).to_contain_text("Pengelola talenta")
        self.window.inspect("my data")

    def enter(self) -> None:
        """From the sign-in to the waiting room, looking at every page on the way."""
        self.page.goto(SIGN_IN)
        self.window.inspect("sign in")
        self.keys.tab_to("[name=candidate_number]")
        self.keys.type(self.slip.who)
        self.keys.press("Tab")
        self.keys.type(self.slip.secret)
        self.keys.press("Enter")
        expect(self.page.locator(".identity")).to_contain_text(self.slip.name)
        self.window.inspect("identity")
        self.keys.activate("form[action$='/identity'] button")
        expect(self.page.locator("#pledge")).to_be_visible()
        self.window.inspect("rules and pledge")
        self.keys.tab_to("[name=accepted]")
        self.keys.press("Space")
        self.keys.activate("#pledge button[type=submit]")
        expect(self.page.locator("#check-connection")).to_have_attribute(
            "data-state", "done", timeout=PATIENCE_MS
        )
        self.window.inspect("device check")
        self.keys.activate("form[action$='/device'] button")
        self._practise()
        expect(self.page.locator(".waiting")).to_be_visible()
        self.window.inspect("waiting room")

    def _practise(self) -> None:
        expect(self.page.locator("#answer-form")).to_be_visible()
        self.window.inspect("practice item")
        self.keys.choose(2)
        self.keys.press("Enter")
        expect(self.page.locator(".item__confirm")).to_be_visible()
        self.window.inspect("practice item, second step")
        self.keys.activate("button[name=confirm][value='1']")

    def sees_first_item(self) -> None:
        """The waiting room leads on by itself once the proctor has admitted, and the clock starts."""
        self.window.heading("Butir 1")
        expect(self.page.locator("#connection")).to_have_attribute("data-state", "connected")

    def answer_adaptive(self, line: Line) -> None:
        """Every adaptive item; the first in two steps, the third and the fifth over a broken line."""
        breaks = {3: self._answer_offline, 5: self._answer_cut_off, 6: self._answer_unheard}
        while not self.is_fixed_form:
            presentation = self.presentation
            self.window.inspect(f"item {presentation}")
            self._shoot_item()
            if presentation == 1:
                self._answer_in_two_steps()
            else:
                self._choose()
                breaks.get(presentation, self._answer_plainly)(line)
            self._wait_after(presentation)
            self.measure()

    def _shoot_item(self) -> None:
        """The newest item of words and the newest item of figures."""
        is_figural = self.page.locator("#answer-form .options svg[role=img]").count() > 0
        self.window.shoot("figural-item" if is_figural else "item")

    def _choose(self) -> None:
        presentation = self.presentation
        self.answers.given[presentation] = self.keys.choose(self.place_for(presentation))

    def _answer_plainly(self, _line: Line) -> None:
        self.keys.press("Enter")

    def _answer_in_two_steps(self) -> None:
        """Choose, be asked, change, be asked again, send; and wish not to be asked any more."""
        self._choose()
        self.keys.press("Enter")
        expect(self.page.locator(".item__confirm")).to_be_visible()
        self.window.inspect("item, second step")
        self.keys.activate("button[name=confirm][value=change]")
        expect(self.page.locator("fieldset.options")).to_be_visible()
        self.answers.given[1] = self.keys.choose((self.place_for(1) + 1) % self.option_count)
        self.keys.activate("button[name=confirm][value='0']")
        expect(self.page.locator(".item__confirm")).to_be_visible()
        self.keys.tab_to("[name=ask_first]")
        self.keys.press("Space")
        self.keys.activate("button[name=confirm][value='1']")

    def _answer_offline(self, _line: Line) -> None:
        """The browser knows that there is no network."""
        with self.window.expecting_a_cut():
            self.window.context.set_offline(True)
            self.keys.press("Enter")
            self._is_kept()
            self.window.inspect("item, answer not sent")
            self.window.context.set_offline(False)
            self._wait_after(3)

    def _answer_cut_off(self, line: Line) -> None:
        """The cable is pulled: the browser finds out by itself, and again when it is back."""
        with self.window.expecting_a_cut():
            line.cut()
            self.keys.press("Enter")
            self._is_kept()
            self.page.wait_for_timeout(1_500)  # long enough for a second try to fail as well
            self._is_kept()
            line.mend()
            self._wait_after(5)

    def _answer_unheard(self, line: Line) -> None:
        """The answer arrives and is stored; what the server says to it is lost."""
        with self.window.expecting_a_cut():
            line.mute()
            self.keys.press("Enter")
            self.page.wait_for_timeout(1_000)
            line.mend()
            self._wait_after(6)

    def _is_kept(self) -> None:
        """The page says that the answer is not sent, still shows it, and keeps it in the browser."""
        expect(self.page.locator("#unsent-notice")).to_be_visible(timeout=PATIENCE_MS)
        expect(self.page.locator("#connection")).to_have_attribute("data-state", "unsent")
        presentation = self.presentation
        expect(self.page.locator("#answer-form input[type=radio]:checked")).to_have_value(
            self.answers.given[presentation]
        )
        kept = self.page.evaluate(
            "Object.keys(localStorage).filter((key) => key.startsWith('unsent.'))"
            ".map((key) => localStorage.getItem(key))"
        )
        assert len(kept) == 1, kept
        assert f'"{presentation}"' in kept[0], kept

    def _wait_after(self, presentation: int) -> None:
        """Until another item is on the page, the focus at its beginning, and nothing is kept any more."""
        field = self.page.locator("#answer-form [name=presentation]")
        expect(field).not_to_have_value(str(presentation), timeout=PATIENCE_MS)
        expect(self.page.locator("#unsent-notice")).to_be_hidden()
        if self.page.evaluate("window.isSamePage === true"):  # a new page begins at its top by itself
            expect(self.heading).to_be_focused()
        self.page.evaluate("() => { window.isSamePage = true; }")

    def answer_fixed_form(self) -> None:
        """Answer all but one, flag one, look at the review, go back by the palette, answer, finish."""
        self.window.inspect("fixed form")
        first, size = self.presentation, self.page.locator(".palette .palette__cells button").count()
        for place in range(size):
            is_left_open, is_flagged = place == 1, place == 2
            if not is_left_open:
                self._choose()
            if is_flagged:
                self.keys.tab_to("[name=flag]")
                self.keys.press("Space")
                self.answers.flagged.add(first + place)
            self.keys.activate("button[name=go][value=next]")
            if place + 1 < size:
                self._wait_after(first + place)
        self.window.heading(REVIEW_HEADING)
        self.window.inspect("review")
        self.keys.activate(".palette button[value='2']")
        self.window.heading("Butir 2")
        self._choose()
        self.window.inspect("fixed form, taken up again")
        self.keys.activate("button[name=go][value=review]")
        self.window.heading(REVIEW_HEADING)
        self.measure()

    def finish(self) -> str:
        """Hand in after a second question; give the receipt code."""
        self.keys.activate("form[action$='/finish'] button[value='0']")
        expect(self.page.locator("button[name=confirm][value='1']")).to_be_visible()
        self.window.inspect("review, asked once more")
        self.keys.activate("button[name=confirm][value='1']")
        expect(self.page.locator(".receipt__code")).to_be_visible()
        self.window.inspect("finished")
        return self.page.locator(".receipt__code").inner_text()


class PlainCandidate(Candidate):
    """Links, buttons and whole pages: what is left when scripts do not run."""

    def enter(self) -> None:
        self.page.goto(SIGN_IN)
        self.window.inspect("sign in without script")
        self.page.fill("[name=candidate_number]", self.slip.who)
        self.page.fill("[name=pin]", self.slip.secret)
        self.page.click("main form button[type=submit]")
        self.page.click("form[action$='/identity'] button")
        self.page.check("[name=accepted]")
        self.page.click("#pledge button[type=submit]")
        self.window.inspect("device check without script")
        self.page.click("form[action$='/device'] button")
        self._pick(1)
        self.page.click("button[name=confirm][value='0']")
        self.page.click("button[name=confirm][value='1']")
        expect(self.page.locator(".waiting")).to_be_visible()
        self.window.inspect("waiting room without script")

    def begin(self) -> None:
        """Ask whether the door is open, and go through."""
        self.page.click(".waiting a.button")
        expect(self.page.locator("form[action$='/begin'] button")).to_be_visible()
        self.window.inspect("the door is open")
        self.page.click("form[action$='/begin'] button")
        self.window.heading("Butir 1")
        self.window.inspect("item without script")

    def _pick(self, place: int) -> str:
        choice = self.page.locator("#answer-form input[type=radio]").nth(place)
        self.page.locator("#answer-form label:has(input[type=radio])").nth(place).click()
        expect(choice).to_be_checked()
        return choice.input_value()

    def answer_adaptive(self, most: int = 100) -> None:
        """Answer up to `most` adaptive items, not wishing to be asked each time."""
        for _ in range(most):
            if self.is_fixed_form:
                return
            self.answer_one()

    def answer_one(self) -> None:
        presentation = self.presentation
        self.answers.given[presentation] = self._pick(self.place_for(presentation))
        self.page.locator("[name=ask_first]").set_checked(False, force=True)
        self.page.click("button[name=confirm][value='0']")

    def finds_the_sitting_paused(self) -> None:
        """The answer that was under way is not lost by a pause: it is asked again afterwards."""
        self._pick(0)
        self.page.click("button[name=confirm][value='0']")
        expect(self.page.locator(".calm")).to_be_visible()
        self.window.inspect("interrupted")

    def goes_on(self) -> None:
        """After the proctor's resume."""
        self.page.click(".calm a.button")
        self.page.click("form[action$='/begin'] button")
        expect(self.page.locator("#answer-form")).to_be_visible()

    def answer_fixed_form(self) -> None:
        """Every item in order, then the end."""
        while self.page.locator("#answer-form [name=presentation]").count():
            presentation = self.presentation
            self.answers.given[presentation] = self._pick(self.place_for(presentation))
            self.page.click("button[name=go][value=next]")
        self.window.heading(REVIEW_HEADING)
        self.window.inspect("review without script")

    def finish(self) -> str:
        self.page.click("form[action$='/finish'] button[value='0']")
        self.page.click("button[name=confirm][value='1']")
        return self.page.locator(".receipt__code").inner_text()
