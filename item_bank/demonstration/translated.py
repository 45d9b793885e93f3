"""Text of the hand-written items, in Indonesian and perhaps in English."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import msgspec

WORDS_PER_SECOND = 3.0
"""Careful silent reading, about 180 words a minute."""


class Translated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Plain text as its writer typed it: `id` always, `en` when somebody has translated it."""

    indonesian: str = msgspec.field(name="id")
    english: str = msgspec.field(name="en", default="")

    @property
    def languages(self) -> tuple[str, ...]:
        return ("id", "en") if self.english else ("id",)

    def html(self, language: str) -> str:
        """The text as an HTML fragment without markup."""
        return escape(self.english if language == "en" else self.indonesian, quote=False)


def word_count(texts: Iterable[Translated]) -> int:
    """Words of the Indonesian texts: what most candidates read."""
    return sum(len(text.indonesian.split()) for text in texts)


def expected_time_s(words: int, thinking_s: float) -> int:
    """Reading and thinking, rounded to five seconds."""
    return 5 * round((words / WORDS_PER_SECOND + thinking_s) / 5)
