"""Situational-judgement items: what would you do, given five courses of action of unequal worth?

One TOML file per competency (``situational_judgement_*.toml``) holds situation, options, their points 1..5
and the reason for each. Every option earns points, none is simply wrong; so the model is the generalised
partial credit model (Muraki 1992) with the points as ordered categories.

Parameters are designed, by two judgements of the item's writer and one count:

* ``level``, the competency level (1..5) the situation asks for;
* ``closeness`` (1..3), how hard the best course is to tell from the second best;
* ``load``, words a candidate reads: (words - 105) / 30, held inside -1..1.

    location = -0.3 + 0.45 (level - 3) + 0.20 (closeness - 2) + 0.10 load
    steps    = location + (-1.1, -0.5, 0.2, 0.9 + 0.25 (closeness - 1))
    slope    = 1.00 - 0.20 (closeness - 1) - 0.05 load

The last step carries the closeness: it is the step from second best to best. Slopes lie in 0.55..1.05.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from item_bank.demonstration.drafts import DraftItem, ItemBody
from item_bank.demonstration.translated import Translated, expected_time_s, word_count

FAMILY = "situational_judgement"
STEP_OFFSETS = (-1.1, -0.5, 0.2, 0.9)
WEIGHING_S = 20
"""Time to weigh the five courses against each other once they are read."""


class _Option(Translated, frozen=True, forbid_unknown_fields=True, kw_only=True):
    points: int
    note: str


class _Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    indicator: str
    level: int
    closeness: int
    situation: Translated
    option: tuple[_Option, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    competency: str
    question: Translated
    item: tuple[_Item, ...]


def _body(item: _Item, question: Translated, language: str) -> ItemBody:
    return ItemBody(
        stem=f"<p>{item.situation.html(language)}</p><p><strong>{question.html(language)}</strong></p>",
        options=tuple(option.html(language) for option in item.option),
    )


def step_difficulties(level: int, closeness: int, load: float) -> tuple[float, ...]:
    """Four GPCM step difficulties by the rule of this module, two decimals."""
    location = -0.3 + 0.45 * (level - 3) + 0.20 * (closeness - 2) + 0.10 * load
    *lower, last = STEP_OFFSETS
    offsets = (*lower, last + 0.25 * (closeness - 1))
    return tuple(round(location + offset, 2) for offset in offsets)


def _draft(item: _Item, file: _File) -> DraftItem:
    words = word_count((item.situation, file.question, *item.option))
    load = min(max((words - 105) / 30, -1.0), 1.0)
    return DraftItem(
        code=item.code,
        family=FAMILY,
        competency=file.competency,
        indicator=item.indicator,
        level=item.level,
        model="GPCM",
        a=round(1.00 - 0.20 * (item.closeness - 1) - 0.05 * load, 2),
        b=step_difficulties(item.level, item.closeness, load),
        bodies={language: _body(item, file.question, language) for language in item.situation.languages},
        option_points=tuple(option.points for option in item.option),
        option_notes=tuple(option.note for option in item.option),
        features={"level": float(item.level), "closeness": float(item.closeness), "words": float(words)},
        expected_time_s=expected_time_s(words, WEIGHING_S),
    )


@cache
def situational_judgement_items() -> tuple[DraftItem, ...]:
    """Every situational-judgement item of the demonstration bank, in order of file and place in it."""
    items: list[DraftItem] = []
    for path in sorted(Path(__file__).parent.glob("situational_judgement_*.toml")):
        file = msgspec.toml.decode(path.read_bytes(), type=_File)
        items.extend(_draft(item, file) for item in file.item)
    return tuple(items)
