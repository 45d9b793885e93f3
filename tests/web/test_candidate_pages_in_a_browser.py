"""The candidate's pages in a real browser: axe finds nothing, nothing overflows, no answer is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.web.candidate_samples import HTML_HEADERS, PAGES, Answer, Renderer, Site, item, serve
from web.candidate import views

pytestmark = pytest.mark.journey

AXE = Path(__file__).parent / "axe" / "axe.min.js"


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium_path), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def site(renderer: Renderer) -> Iterator[Site]:
    with serve(renderer.assets) as site:
        yield site


def open_page(
    browser: Browser, site: Site, html: str, width: int = 1366, theme: str = "light", **options: Any
) -> Page:
    """The page in a window of its own, with a theme chosen as a candidate would have."""
    site.pages["/page"] = html
    page = browser.new_context(viewport={"width": width, "height": 768}, **options).new_page()
    page.add_init_script(f"sessionStorage.setItem('display.theme', '{theme}')")
    page.goto(site.url + "/page")
    return page


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser: Browser, renderer: Renderer, site: Site, name: str, theme: str) -> None:
    template, view = PAGES[name]
    page = open_page(browser, site, renderer.render(template, view, "id"), theme=theme)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    page.context.close()
    assert [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found["violations"]] == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_overflows_a_narrow_screen(
    browser: Browser, renderer: Renderer, site: Site, name: str
) -> None:
    template, view = PAGES[name]
    page = open_page(browser, site, renderer.render(template, view, "id"), width=320)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.context.close()
    assert width <= 320


def test_the_whole_item_fits_the_screens_of_the_exam_rooms(
    browser: Browser, renderer: Renderer, site: Site
) -> None:
    page = open_page(browser, site, renderer.render("candidate/item.html", item(), "id"))
    bottom = page.evaluate("document.querySelector('.item__foot').getBoundingClientRect().bottom")
    page.context.close()
    assert bottom <= 768


class Sitting:
    """Answers forms as the service does: a first answer moves on, a repeated one is told the same."""

    def __init__(self, renderer: Renderer, site: Site) -> None:
        self.renderer = renderer
        self.recorded: list[tuple[str, str]] = []
        site.answer = self.respond
        site.pages["/page"] = self.whole()

    @property
    def position(self) -> int:
        return len(self.recorded) + 1

    def view(self, **changes: Any) -> Any:
        return item(presentation=f"p{self.position}", ordinal=self.position, ask_first=False, **changes)

    def whole(self) -> str:
        return self.renderer.render("candidate/item.html", self.view(), "id")

    def respond(self, form: dict[str, str]) -> Answer:
        changes: dict[str, Any] = {}
        if form["presentation"] == f"p{self.position}":
            if "response" not in form:
                changes["missing"] = True
            elif form.get("ask_first") == "1" and form["confirm"] == "0":
                changes = {"step": "confirm", "chosen": form["response"], "ask_first": True}
            elif form["confirm"] == "change":
                changes = {"chosen": form["response"]}
            else:
                self.recorded.append((form["presentation"], form["response"]))
        view = self.view()
        if changes:
            view = item(
                **({"presentation": view.presentation, "ordinal": view.ordinal, "ask_first": False} | changes)
            )
        return 200, HTML_HEADERS, self.renderer.render("candidate/item_fragment.html", view, "id")


@pytest.fixture
def sitting(renderer: Renderer, site: Site) -> Sitting:
    return Sitting(renderer, site)


def unsent(page: Page) -> list[Any]:
    """What the browser keeps of answers that nobody acknowledged."""
    kept = page.evaluate(
        "Object.entries(localStorage).filter(([key]) => key.startsWith('unsent.')).map(([, value]) => value)"
    )
    return [json.loads(value) for value in kept]


def test_an_answer_brings_the_next_item_and_the_focus(browser: Browser, site: Site, sitting: Sitting) -> None:
    page = open_page(browser, site, sitting.whole())
    page.get_by_text("20.953").click()
    page.get_by_role("button", name="Lanjut").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Butir 2 paling banyak 40")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("Tersimpan")
    assert unsent(page) == []
    page.context.close()
    assert sitting.recorded == [("p1", "o1")]


def test_by_keyboard_alone(browser: Browser, site: Site, sitting: Sitting) -> None:
    page = open_page(browser, site, sitting.whole())
    page.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Butir 2")
    page.context.close()
    assert sitting.recorded == [("p1", "o5")]


def test_a_double_click_is_one_answer(browser: Browser, site: Site, sitting: Sitting) -> None:
    page = open_page(browser, site, sitting.whole())
    page.get_by_text("20.953").click()
    page.get_by_role("button", name="Lanjut").dblclick()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Butir 2")
    page.wait_for_timeout(300)
    page.context.close()
    assert len(site.posts) == 1


def test_without_a_choice_the_page_says_what_is_missing(
    browser: Browser, site: Site, sitting: Sitting
) -> None:
    page = open_page(browser, site, sitting.whole())
    page.get_by_role("button", name="Lanjut").click()
    expect(page.locator("#response-error")).to_be_focused()
    page.context.close()
    assert sitting.recorded == []


def test_the_second_step_shows_the_choice_and_can_be_taken_back(
    browser: Browser, site: Site, sitting: Sitting
) -> None:
    page = open_page(browser, site, sitting.whole())
    page.get_by_text("20.953").click()
    page.get_by_label("Tanyakan dahulu").check()
    page.get_by_role("button", name="Lanjut").click()
    expect(page.get_by_text("Jawaban yang Saudara pilih")).to_be_visible()
    page.get_by_role("button", name="Ubah").click()
    expect(page.get_by_role("radio", checked=True)).to_have_value("o1")
    page.get_by_label("Tanyakan dahulu").check()
    page.get_by_role("button", name="Lanjut").click()
    page.get_by_role("button", name="Kirim jawaban ini").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Butir 2")
    page.context.close()
    assert sitting.recorded == [("p1", "o1")]


def test_a_cut_line_loses_no_answer(browser: Browser, site: Site, sitting: Sitting) -> None:
    page = open_page(browser, site, sitting.whole())
    site.broken = True
    page.get_by_text("20.953").click()
    page.get_by_role("button", name="Lanjut").click()
    expect(page.locator("#unsent-notice")).to_be_visible()
    kept = unsent(page)
    assert kept == [{"presentation": "p1", "response": "o1", "button": "confirm", "value": "0"}]
    site.broken = False
    expect(page.get_by_role("heading", level=1)).to_contain_text("Butir 2", timeout=15_000)
    expect(page.locator("#unsent-notice")).to_be_hidden()
    assert unsent(page) == []
    page.context.close()
    assert sitting.recorded == [("p1", "o1")]


def test_an_answer_survives_a_reload_while_the_line_is_cut(
    browser: Browser, site: Site, sitting: Sitting
) -> None:
    page = open_page(browser, site, sitting.whole())
    site.broken = True
    page.get_by_role("radio", name="20.266").check()
    page.get_by_role("button", name="Lanjut").click()
    expect(page.locator("#unsent-notice")).to_be_visible()
    site.broken = False
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Butir 2", timeout=15_000)
    page.context.close()
    assert sitting.recorded == [("p1", "o2")]


def test_the_server_in_trouble_is_asked_again(browser: Browser, site: Site, sitting: Sitting) -> None:
    page = open_page(browser, site, sitting.whole())
    site.answer = lambda form: (503, {"Retry-After": "1"}, "busy")
    page.get_by_text("20.953").click()
    page.get_by_role("button", name="Lanjut").click()
    expect(page.locator("#unsent-notice")).to_be_visible()
    expect(page.get_by_text("20.953")).to_be_visible()
    site.answer = sitting.respond
    expect(page.get_by_role("heading", level=1)).to_contain_text("Butir 2", timeout=15_000)
    page.context.close()
    assert sitting.recorded == [("p1", "o1")]


def test_an_answer_works_without_javascript(browser: Browser, site: Site, sitting: Sitting) -> None:
    page = open_page(browser, site, sitting.whole(), java_script_enabled=False)
    page.get_by_text("20.953").click()
    page.get_by_role("button", name="Lanjut").click()
    page.context.close()
    assert sitting.recorded == [("p1", "o1")]
    assert set(site.posts[0]) == {"csrf_token", "presentation", "client_at_ms", "response", "confirm"}


def test_the_clock_counts_down_and_can_be_hidden(browser: Browser, site: Site, sitting: Sitting) -> None:
    page = open_page(browser, site, sitting.whole())
    clock = page.locator("[data-remaining-ms]")
    expect(clock).not_to_have_text("42.07", timeout=5_000)
    page.get_by_role("button", name="Sembunyikan").click()
    expect(clock).to_be_hidden()
    page.get_by_role("button", name="Tampilkan").click()
    expect(clock).to_be_visible()
    page.context.close()


def test_a_milestone_is_shown_although_the_clock_is_hidden(
    browser: Browser, renderer: Renderer, site: Site
) -> None:
    time = views.TimeView(remaining_ms=302_000, expired_url="/expired")
    page = open_page(browser, site, renderer.render("candidate/item.html", item(time=time), "id"))
    page.get_by_role("button", name="Sembunyikan").click()
    expect(page.locator("#milestone")).to_have_text("Sisa waktu 5 menit.", timeout=8_000)
    page.context.close()


def test_at_the_end_of_the_time_the_page_leaves(browser: Browser, renderer: Renderer, site: Site) -> None:
    time = views.TimeView(remaining_ms=1_500, expired_url="/expired")
    site.pages["/expired"] = renderer.render(*PAGES["finished"], "id")
    page = open_page(browser, site, renderer.render("candidate/item.html", item(time=time), "id"))
    page.wait_for_url("**/expired", timeout=8_000)
    page.context.close()


def test_tools_change_what_is_seen_and_send_nothing(browser: Browser, site: Site, sitting: Sitting) -> None:
    page = open_page(browser, site, sitting.whole())
    before = page.evaluate("getComputedStyle(document.documentElement).fontSize")
    page.get_by_role("button", name="Perbesar teks").click()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") != before
    page.get_by_role("button", name="Kontras").click()
    assert page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor") == "rgb(0, 0, 0)"
    page.get_by_role("button", name="Coret pilihan", exact=True).click()
    page.get_by_role("button", name="Coret pilihan B").click()
    expect(page.locator("[data-option='o1']")).to_have_attribute("data-struck", "yes")
    page.get_by_role("button", name="Catatan").click()
    page.get_by_label("Catatan Saudara").fill("coba 20.000 dahulu")
    kept = page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    assert "20.000" not in kept
    page.context.close()
    assert site.posts == []


def test_the_device_check_reports_what_it_measured(browser: Browser, renderer: Renderer, site: Site) -> None:
    page = open_page(browser, site, renderer.render(*PAGES["device_check"], "id"))
    expect(page.locator("#check-connection")).to_have_attribute("data-state", "done")
    expect(page.locator("#check-clock")).to_have_attribute("data-state", "caution")
    page.get_by_role("button", name="Lanjutkan ke latihan").click()
    page.wait_for_timeout(200)
    page.context.close()
    assert site.posts[0]["javascript"] == "1"
    assert int(site.posts[0]["latency_ms"]) >= 0
    assert site.posts[0]["window_size"] == "1366x768"


def test_the_strict_policy_is_never_broken(
    browser: Browser, renderer: Renderer, site: Site, sitting: Sitting
) -> None:
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None
    )
    for name, (template, view) in PAGES.items():
        site.pages[f"/{name}"] = renderer.render(template, view, "id")
        page.goto(f"{site.url}/{name}")
    page.goto(site.url + "/page")
    page.get_by_text("20.953").click()
    page.get_by_role("button", name="Lanjut").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Butir 2")
    page.context.close()
    assert said == []
