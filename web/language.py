"""The languages people read: message catalogues, and what every page shows around its content.

A catalogue is a folder of flat TOML files, one per audience: `locale/id/candidate.toml` holds the table
`[item]` with the message `next`, and a template reads it as `t("candidate.item.next")`. Messages carry named
places, `{minutes}`, filled at the call. They are plain text: the template engine escapes message and values
alike, so a catalogue can never bring markup into a page.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

Language = Literal["id", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("id", "en")
FIRST_LANGUAGE: Final[Language] = "id"
LOCALE_FOLDER: Final = Path(__file__).parent / "locale"

_PLACE: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class MissingMessage(KeyError):
    """A page asked for a message, or a message for a value, that is not there."""


class Catalogue(msgspec.Struct, frozen=True):
    """Every message of one language, by its full key `audience.section.key`."""

    language: Language
    messages: Mapping[str, str]

    def places(self, key: str) -> frozenset[str]:
        """The named places of one message; two languages must agree on them."""
        return frozenset(_PLACE.findall(self.messages[key]))


class LanguageChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the language switch: the page one is on, in another language."""

    language: Language
    url: str
    chosen: bool


class NavigationLink(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the main navigation of a signed-in person."""

    label: str
    url: str
    current: bool = False


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What base.html shows around the content of every page."""

    agency_name: str
    languages: tuple[LanguageChoice, ...] = ()
    navigation: tuple[NavigationLink, ...] = ()
    home_url: str = "/"
    privacy_url: str = ""
    accessibility_url: str = ""
    person_name: str = ""
    person_detail: str = ""
    sign_out_url: str = ""
    demonstration: bool = False


class Translator:
    """Gives the messages of one language to a template; calling it is the whole interface."""

    __slots__ = ("_catalogue", "_fallback", "_strict")

    def __init__(
        self, catalogue: Catalogue, *, fallback: Catalogue | None = None, strict: bool = True
    ) -> None:
        """Strict, a missing message raises; else the fallback's message, or the key itself, is shown.

        A candidate in the middle of a sitting is better served by a sentence in the wrong language
        than by an error page, so only the running service is lenient.
        """
        self._catalogue = catalogue
        self._fallback = fallback
        self._strict = strict

    @property
    def language(self) -> Language:
        """The language of the messages given out."""
        return self._catalogue.language

    def has(self, key: str) -> bool:
        """Whether the language has this message, for texts that exist for some codes only."""
        return key in self._catalogue.messages

    def __call__(self, key: str, **values: object) -> str:
        """The message with its places filled."""
        message = self._catalogue.messages.get(key)
        if message is None and not self._strict and self._fallback is not None:
            message = self._fallback.messages.get(key)
        if message is None:
            if self._strict:
                raise MissingMessage(f"{self.language}: no message {key!r}")
            return key
        if "{" not in message:
            return message
        return _PLACE.sub(lambda place: self._value(key, place.group(1), values), message)

    def _value(self, key: str, name: str, values: Mapping[str, object]) -> str:
        if name in values:
            return str(values[name])
        if self._strict:
            raise MissingMessage(f"{self.language}: message {key!r} needs a value for {name!r}")
        return ""


def load_catalogue(language: Language, folder: Path = LOCALE_FOLDER) -> Catalogue:
    """Read every audience's file of one language; anything but text under section.key is refused."""
    messages: dict[str, str] = {}
    for path in sorted((folder / language).glob("*.toml")):
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
        for section, entries in sections.items():
            if not isinstance(entries, dict):
                raise TypeError(f"{path.name}: {section!r} must be a table of messages")
            for key, message in entries.items():
                if not isinstance(message, str):
                    raise TypeError(f"{path.name}: {section}.{key} must be text")
                messages[f"{path.stem}.{section}.{key}"] = message
    return Catalogue(language=language, messages=messages)


def load_translators(folder: Path = LOCALE_FOLDER, *, strict: bool = True) -> Mapping[Language, Translator]:
    """One translator per language, each falling back on the first language when lenient."""
    catalogues = {language: load_catalogue(language, folder) for language in LANGUAGES}
    first = catalogues[FIRST_LANGUAGE]
    return {
        language: Translator(catalogue, fallback=first, strict=strict)
        for language, catalogue in catalogues.items()
    }


def choose_language(asked: str | None, remembered: str | None, accept_language: str | None) -> Language:
    """The language of a request: what the link asked, the person chose before, the browser prefers."""
    for candidate in (asked, remembered):
        for language in LANGUAGES:
            if candidate == language:
                return language
    for entry in (accept_language or "").split(","):
        tag = entry.split(";")[0].strip().lower().split("-")[0]
        for language in LANGUAGES:
            if tag == language:
                return language
    return FIRST_LANGUAGE
