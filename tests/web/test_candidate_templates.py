"""Every page of a candidate is rendered in both languages and read as strict HTML; its weight is measured."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from tests.web.candidate_samples import FRAGMENTS, PAGES, Renderer, item
from web.candidate import views
from web.language import LANGUAGES, Language

VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "use", "wbr"})


class Reading(HTMLParser):
    """What a strict reader notes: tags that do not close, ids, forms, inline styles and handlers."""

    def __init__(self) -> None:
        super().__init__()
        self.open_tags: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.forms: list[dict[str, str | None]] = []
        self.tokens = 0
        self.headings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self.open_tags.append(tag)
        self.faults += [
            f"inline {name} on {tag}" for name in given if name == "style" or name.startswith("on")
        ]
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "form":
            self.forms.append(given)
        if given.get("name") == "csrf_token":
            self.tokens += 1
        self.headings += tag == "h1"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open_tags.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open_tags or self.open_tags.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")


def read(html: str) -> Reading:
    """The page as a strict reader sees it."""
    reading = Reading()
    reading.feed(html)
    reading.close()
    reading.faults += [f"<{tag}> is never closed" for tag in reading.open_tags]
    return reading


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_html_in_both_languages(renderer: Renderer, name: str, language: Language) -> None:
    template, view = PAGES[name]
    html = renderer.render(template, view, language)
    reading = read(html)
    assert reading.faults == []
    assert sorted(reading.ids) == sorted(set(reading.ids))
    assert reading.headings == 1
    assert f'<html lang="{language}">' in html
    posts = [form for form in reading.forms if form.get("method") == "post"]
    assert all(form.get("action") for form in reading.forms)
    assert reading.tokens == len(posts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_brings_no_frame(renderer: Renderer, name: str, language: Language) -> None:
    template, view = FRAGMENTS[name]
    html = renderer.render(template, view, language)
    assert read(html).faults == []
    assert "<html" not in html
    assert "<script" not in html


def test_the_round_trip_of_an_answer_stays_small(renderer: Renderer) -> None:
    """What the frame of the fragment weighs beside the text of the item itself."""
    view = item(
        stem=Markup(),
        options=tuple(views.OptionView(id=f"o{n}", letter=c, text=Markup()) for n, c in enumerate("ABCDE")),
    )
    frame_bytes = len(renderer.render("candidate/item_fragment.html", view, "id").encode())
    assert frame_bytes <= 3000


def test_the_first_load_of_the_item_page_stays_small(renderer: Renderer) -> None:
    html = renderer.render(*PAGES["item"], "id").encode()
    names = (
        "site.css",
        "candidate.css",
        "early.js",
        "site.js",
        "candidate.js",
        "vendor/htmx.min.js",
        "images/icons.svg",
    )
    files = [renderer.assets.get(name) for name in names]
    font = renderer.assets.get("fonts/atkinson-hyperlegible-next.woff2")
    plain = len(html) + sum(len(file.content) for file in files) + len(font.content)
    packed = len(html) + sum(len(file.compressed or file.content) for file in files) + len(font.content)
    assert plain <= 150_000
    assert packed <= 110_000


def test_the_chosen_option_is_shown_again_before_it_is_final(renderer: Renderer) -> None:
    html = renderer.render("candidate/item_fragment.html", item(step="confirm", chosen="o5"), "id")
    assert '<input type="hidden" name="response" value="o5">' in html
    assert 'name="confirm" value="1"' in html
    assert 'name="confirm" value="change"' in html
    assert 'type="radio"' not in html


def test_a_missing_choice_is_said_next_to_the_options(renderer: Renderer) -> None:
    html = renderer.render("candidate/item_fragment.html", item(missing=True), "id")
    assert re.search(r'aria-describedby="stem response-error"', html)
    assert "Belum ada jawaban yang dipilih" in html
    assert "disabled" not in html


def test_text_of_a_person_cannot_bring_markup(renderer: Renderer) -> None:
    html = renderer.render("candidate/item.html", item(candidate_name="<b>Budi</b>"), "id")
    assert "<b>Budi</b>" not in html
    assert "&lt;b&gt;Budi&lt;/b&gt;" in html
