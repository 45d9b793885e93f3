"""Wording of the hand-written items in both languages: whole sentences, clean typing, no foreign markup."""

from __future__ import annotations

import re
from html import unescape

import pytest

from item_bank.demonstration.drafts import DraftItem, ItemBody
from item_bank.demonstration.situational_judgement import situational_judgement_items
from item_bank.demonstration.statutes import statute_items

ITEMS = (*situational_judgement_items(), *statute_items())
BODIES = [(item, language) for item in ITEMS for language in item.bodies]
ENGLISH_ONLY = re.compile(r"\b(the|and|of|with|that|from|under)\b", re.IGNORECASE)
INDONESIAN_ONLY = re.compile(r"\b(yang|dan|dengan|untuk|tidak|adalah|menurut|kepada)\b", re.IGNORECASE)


def paragraphs(body: ItemBody) -> list[str]:
    return [unescape(re.sub(r"</?strong>", "", text)) for text in re.findall(r"<p>(.*?)</p>", body.stem)]


def name(value: object) -> str:
    return value.code if isinstance(value, DraftItem) else str(value)


@pytest.mark.parametrize(("item", "language"), BODIES, ids=name)
def test_typing_is_clean(item: DraftItem, language: str) -> None:
    body = item.bodies[language]
    for text in (*paragraphs(body), *map(unescape, body.options), *item.option_notes, item.indicator):
        assert text == text.strip()
        assert not re.search(r"  |\s[,.;:?]|\.\.|,,|!|\t|\n", text), text
        assert not re.search(r"\b(\w+) \1\b", text, re.IGNORECASE), text  # a word typed twice


@pytest.mark.parametrize(("item", "language"), BODIES, ids=name)
def test_sentences_are_finished(item: DraftItem, language: str) -> None:
    body = item.bodies[language]
    for text in paragraphs(body):
        assert text[0].isupper() or text[0] in '"0123456789', text
        assert text.endswith((".", "?", '."', " …")), text
    ends = {option.endswith(".") for option in body.options}
    assert len(ends) == 1, "either all options are sentences or none is"
    if item.model == "GPCM":
        assert ends == {True}


@pytest.mark.parametrize(("item", "language"), BODIES, ids=name)
def test_options_differ_and_match_the_points(item: DraftItem, language: str) -> None:
    options = item.bodies[language].options
    assert len(options) == len(set(options)) == len(item.option_points) == len(item.option_notes)


@pytest.mark.parametrize(("item", "language"), BODIES, ids=name)
def test_markup_is_paragraphs_and_emphasis_only(item: DraftItem, language: str) -> None:
    body = item.bodies[language]
    assert set(re.findall(r"<[^>]*>", body.stem)) <= {"<p>", "</p>", "<strong>", "</strong>"}
    assert not any("<" in option for option in body.options)


@pytest.mark.parametrize(("item", "language"), BODIES, ids=name)
def test_a_body_is_written_in_its_own_language(item: DraftItem, language: str) -> None:
    body = item.bodies[language]
    text = " ".join((*paragraphs(body), *body.options))
    wrong = ENGLISH_ONLY if language == "id" else INDONESIAN_ONLY
    assert not wrong.search(text), text


def test_no_two_items_have_the_same_stem() -> None:
    stems = [item.bodies["id"].stem for item in ITEMS]
    assert len(set(stems)) == len(stems)


@pytest.mark.parametrize("item", ITEMS, ids=name)
def test_an_item_says_that_it_is_an_example_and_not_calibrated(item: DraftItem) -> None:
    assert re.fullmatch(r"CONTOH-(SJ|UU)-[A-Z]{2,3}-\d{2}", item.code)
    assert item.provenance == "rancangan"
    assert 1 <= item.level <= 5
    assert 20 <= item.expected_time_s <= 120
