"""Both languages say the same things, and every message that a page asks for is there."""

from __future__ import annotations

import re
import tomllib
from functools import cache

import pytest

from tests.architecture.tree import ROOT, files, shown

LOCALE = ROOT / "web" / "locale"
PLACE = re.compile(r"\{([^{}]*)\}")
PLACE_NAME = re.compile(r"[a-z][a-z0-9_]*")
KEY = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
ASKED = re.compile(r"""\bt\(\s*["']([a-z0-9_.]+)["']\s*[,)]""")
LITERAL = re.compile(r"""["']([a-z0-9_]+(?:\.[a-z0-9_]+)+)["']""")
OPENING = re.compile(r"""["']([a-z0-9_]+\.(?:[a-z0-9_]+\.)*[a-z0-9_]*)(?:["']\s*[~+]|\{)""")


def flatten(table: dict[str, object], before: str) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{before}.{name}")
        else:
            assert isinstance(value, str), f"{before}.{name} is not text"
            flat[f"{before}.{name}"] = value
    return flat


@cache
def messages(language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted((LOCALE / language).glob("*.toml")):
        found |= flatten(tomllib.loads(path.read_text(encoding="utf-8")), path.stem)
    return found


@cache
def pages() -> dict[str, str]:
    """Everything that may ask for a message: templates and Python of the product."""
    sources = files("web", "cat_engine", "item_bank")
    return {
        shown(path): path.read_text(encoding="utf-8") for path in sources if path.suffix in {".html", ".py"}
    }


def test_there_are_messages() -> None:
    assert messages("id")
    assert messages("en")


def test_both_languages_have_the_same_messages() -> None:
    assert sorted(set(messages("id")) ^ set(messages("en"))) == []


def test_both_languages_have_the_same_places() -> None:
    both = set(messages("id")) & set(messages("en"))
    differing = [
        key
        for key in sorted(both)
        if set(PLACE.findall(messages("id")[key])) != set(PLACE.findall(messages("en")[key]))
    ]
    assert differing == []


def is_well_formed(key: str, text: str) -> bool:
    """A plain key, and a text without stray space, exclamation mark or a place that no call could fill."""
    tidy = text == text.strip() != "" and "  " not in text and "!" not in text
    return (
        tidy
        and bool(KEY.fullmatch(key))
        and all(PLACE_NAME.fullmatch(place) for place in PLACE.findall(text))
    )


@pytest.mark.parametrize("language", ["id", "en"])
def test_messages_are_well_formed(language: str) -> None:
    wrong = [key for key, text in messages(language).items() if not is_well_formed(key, text)]
    assert wrong == []


def test_every_message_a_page_asks_for_exists() -> None:
    missing = [
        f"{name}: {key}"
        for name, source in pages().items()
        for key in ASKED.findall(source)
        if key not in messages("id") and key not in messages("en")
    ]
    assert missing == []


def test_every_message_is_asked_for() -> None:
    """By its whole key, or by the beginning of a key that is put together where it is asked."""
    whole = {key for source in pages().values() for key in LITERAL.findall(source)}
    beginnings = tuple({opening for source in pages().values() for opening in OPENING.findall(source)})
    unused = [key for key in messages("id") if key not in whole and not key.startswith(beginnings)]
    assert unused == []
