"""Statute items: one right answer, taken from an article that the item cites.

One TOML file per law or regulation (``statutes_*.toml``). Every wrong option is a misreading with a name: the
neighbouring article, the wrong official, a time limit from another law. An amendment retires the items that
cite what it changes.

Items of the same article, and items whose writer marked that they share a fact (``shares``), would give each
other away: they are enemies, by construction in both directions.

Parameters of the three-parameter model are designed. With ``level`` 1..5 the writer's judgement of demand,
``applied`` 1 when a case must be subsumed under the article and 0 when the article must be recalled, and
``near`` (0..4) the number of options that a person who half knows the article would still consider:

    b = -1.65 + 0.9 (level - 1) + 0.2 (applied - 0.5) + 0.1 (near - 2.5)
    a = 1.0 + 0.15 near
    c = 1 / number of options
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from item_bank.demonstration.drafts import DraftItem, ItemBody
from item_bank.demonstration.translated import Translated, expected_time_s, word_count

FAMILY = "statute"
RECALL_S = 20
"""Time to call the article to mind; half as much again when it must be applied to a case."""


class _Option(Translated, frozen=True, forbid_unknown_fields=True, kw_only=True):
    key: bool = False
    note: str = ""


class _Demand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    level: int
    applied: bool
    near: int

    @property
    def features(self) -> dict[str, float]:
        return {"level": float(self.level), "applied": float(self.applied), "near": float(self.near)}

    @property
    def difficulty(self) -> float:
        return -1.65 + 0.9 * (self.level - 1) + 0.2 * (self.applied - 0.5) + 0.1 * (self.near - 2.5)


class _Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    code: str
    indicator: str
    citation: str
    demand: _Demand
    shares: str = ""
    stem: Translated
    option: tuple[_Option, ...]

    @property
    def article(self) -> str:
        """The cited article without its paragraphs, "UU 27/2022 Pasal 10".

        Article 1 holds all definitions of a law; there only the same definition gives anything away.
        """
        article = " ".join(self.citation.split()[:4])
        return self.citation if article.endswith(" Pasal 1") else article


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    competency: str
    item: tuple[_Item, ...]


def _gives_away(one: _Item, other: _Item) -> bool:
    return one.article == other.article or bool(one.shares and one.shares == other.shares)


def _enemies(item: _Item, file_items: Iterable[_Item]) -> tuple[str, ...]:
    others = (other for other in file_items if other.code != item.code)
    return tuple(sorted(other.code for other in others if _gives_away(item, other)))


def _body(item: _Item, language: str) -> ItemBody:
    return ItemBody(
        stem=f"<p>{item.stem.html(language)}</p>",
        options=tuple(option.html(language) for option in item.option),
    )


def _draft(item: _Item, file: _File) -> DraftItem:
    words = word_count((item.stem, *item.option))
    return DraftItem(
        code=item.code,
        family=FAMILY,
        competency=file.competency,
        indicator=item.indicator,
        level=item.demand.level,
        model="3PL",
        a=round(1.0 + 0.15 * item.demand.near, 2),
        b=(round(item.demand.difficulty, 2),),
        c=1 / len(item.option),
        bodies={language: _body(item, language) for language in item.stem.languages},
        option_points=tuple(int(option.key) for option in item.option),
        option_notes=tuple(option.note for option in item.option),
        enemies=_enemies(item, file.item),
        citation=item.citation,
        features=item.demand.features,
        expected_time_s=expected_time_s(words, RECALL_S * (1 + 0.5 * item.demand.applied)),
    )


@cache
def statute_items() -> tuple[DraftItem, ...]:
    """Every statute item of the demonstration bank, in order of file and place in it."""
    items: list[DraftItem] = []
    for path in sorted(Path(__file__).parent.glob("statutes_*.toml")):
        file = msgspec.toml.decode(path.read_bytes(), type=_File)
        items.extend(_draft(item, file) for item in file.item)
    return tuple(items)
