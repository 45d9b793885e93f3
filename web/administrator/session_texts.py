"""Rules and pledge of an exam session as people type them: a line for each sentence, `#` before a heading."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from cat_engine.foundation.refusals import Refusal, Refused
from web.candidate.details import PledgeSection, PledgeText
from web.language import LANGUAGES, Language

HEADING: Final = "#"


@cache
def default_texts() -> dict[str, PledgeText]:
    """What a new exam session begins with, by language; the words are in `pledge.toml`."""
    source = Path(__file__).with_name("pledge.toml").read_bytes()
    return msgspec.toml.decode(source, type=dict[str, PledgeText])


def texts_as_typed(texts: dict[str, PledgeText]) -> dict[str, str]:
    """The fields `version`, `rules_id`, `pledge_id`, `rules_en`, `pledge_en`."""
    values = {"version": next((text.version for text in texts.values()), "")}
    for language in LANGUAGES:
        text = texts.get(language)
        values[f"rules_{language}"] = _rules_as_typed(text.rules) if text else ""
        values[f"pledge_{language}"] = "\n".join(text.pledge) if text else ""
    return values


def read_text(language: Language, *, version: str, rules: str, pledge: str, consent: str) -> PledgeText:
    """One language's text; the rules begin with a heading, and no heading stands alone."""
    sentences = tuple(_lines(pledge))
    if not sentences:
        raise Refused(Refusal.FIELD_MISSING, field=f"pledge_{language}")
    return PledgeText(
        version=version,
        rules=_read_rules(rules, f"rules_{language}"),
        pledge=sentences,
        consent=consent,
    )


def _read_rules(text: str, field: str) -> tuple[PledgeSection, ...]:
    sections: list[tuple[str, list[str]]] = []
    for line in _lines(text):
        if line.startswith(HEADING):
            sections.append((line.lstrip(HEADING).strip(), []))
        elif sections:
            sections[-1][1].append(line)
        else:
            raise Refused(Refusal.FIELD_INVALID, field=field)
    if not sections:
        raise Refused(Refusal.FIELD_MISSING, field=field)
    if not all(heading and sentences for heading, sentences in sections):
        raise Refused(Refusal.FIELD_INVALID, field=field)
    return tuple(PledgeSection(heading, tuple(sentences)) for heading, sentences in sections)


def _rules_as_typed(rules: Sequence[PledgeSection]) -> str:
    return "\n\n".join("\n".join((f"{HEADING} {section.heading}", *section.sentences)) for section in rules)


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]
