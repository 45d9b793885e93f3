"""Content of the statute items: one right answer, a citation, misreadings with names, enemies both ways."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations

import pytest

from item_bank.demonstration import level_of
from item_bank.demonstration.drafts import DraftItem
from item_bank.demonstration.statutes import statute_items

ITEMS = statute_items()
BY_CODE = {item.code: item for item in ITEMS}
CITATION = re.compile(
    r"(?P<law>UU (?:20/2023|27/2022|25/2009)|PP 11/2017) (?P<article>Pasal \d+)"
    r"(?: angka \d+)?(?: ayat \(\d+\))?(?: huruf [a-z])?"
)
FIELDS = {"pengetahuan.sistem_merit", "pengetahuan.pelindungan_data", "pengetahuan.pelayanan_publik"}
CHI_SQUARE_4_DF = 18.47  # upper 0.1 % point


def key_place(item: DraftItem) -> int:
    return item.option_points.index(1)


def test_sixty_items_in_three_fields() -> None:
    counts = Counter(item.competency for item in ITEMS)
    assert set(counts) == FIELDS
    assert min(counts.values()) >= 20
    assert len(ITEMS) >= 60


def test_at_least_twenty_items_are_also_in_english() -> None:
    assert sum("en" in item.bodies for item in ITEMS) >= 20


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_one_key_and_every_other_option_a_named_misreading(item: DraftItem) -> None:
    assert len(item.option_points) in {4, 5}
    assert sorted(item.option_points) == [0] * (len(item.option_points) - 1) + [1]
    for points, note in zip(item.option_points, item.option_notes, strict=True):
        assert (note == "") == (points == 1)
        assert not note or (note.endswith(".") and len(note.split()) >= 3)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_the_citation_names_an_article_of_the_law_the_stem_names(item: DraftItem) -> None:
    found = CITATION.fullmatch(item.citation)
    assert found is not None
    assert found["law"] in item.bodies["id"].stem
    if "en" in item.bodies:
        number = found["law"].split()[1]
        assert re.search(rf"(Law|Government Regulation) {number}", item.bodies["en"].stem)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_parameters_follow_the_stated_rule(item: DraftItem) -> None:
    level, applied, near = (item.features[name] for name in ("level", "applied", "near"))
    assert item.model == "3PL"
    assert item.c == pytest.approx(1 / len(item.option_points))
    assert item.a == pytest.approx(1 + 0.15 * near, abs=0.0051)
    b = -1.65 + 0.9 * (level - 1) + 0.2 * (applied - 0.5) + 0.1 * (near - 2.5)
    assert item.b == pytest.approx((b,), abs=0.0051)
    assert level_of(item.b[0]) == item.level == level


def test_items_of_one_article_are_enemies() -> None:
    for one, other in combinations(ITEMS, 2):
        articles = [CITATION.fullmatch(item.citation) for item in (one, other)]
        law_and_article = [(found["law"], found["article"]) for found in articles if found is not None]
        if law_and_article[0] == law_and_article[1] and law_and_article[0][1] != "Pasal 1":
            assert other.code in one.enemies


def test_enemies_name_each_other() -> None:
    assert any(item.enemies for item in ITEMS)
    for item in ITEMS:
        assert item.code not in item.enemies
        for enemy in item.enemies:
            assert item.code in BY_CODE[enemy].enemies


def test_no_other_item_prints_the_key_of_an_item_that_is_not_its_enemy() -> None:
    """A long key that another stem repeats word for word would be answered by reading on."""
    for item in ITEMS:
        key = item.bodies["id"].options[key_place(item)].rstrip(".").lower()
        if len(key.split()) < 3:
            continue
        stems = {
            other.code for other in ITEMS if other is not item and key in other.bodies["id"].stem.lower()
        }
        assert stems <= set(item.enemies), item.code


def test_every_place_holds_the_key_about_equally_often() -> None:
    five = [key_place(item) for item in ITEMS if len(item.option_points) == 5]
    counts, expected = Counter(five), len(five) / 5
    assert sum((counts[place] - expected) ** 2 / expected for place in range(5)) < CHI_SQUARE_4_DF
    four = Counter(key_place(item) for item in ITEMS if len(item.option_points) == 4)
    assert len(four) >= 3  # options that are amounts stand in order, so here only variety can be asked for


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_options_that_are_amounts_stand_in_order(item: DraftItem) -> None:
    amounts = [re.match(r"\d+", option) for option in item.bodies["id"].options]
    numbers = [int(found[0]) for found in amounts if found]
    if len(numbers) == len(amounts):
        assert numbers == sorted(numbers)


def test_the_key_is_not_given_away_by_its_length() -> None:
    lengths = [[len(option) for option in item.bodies["id"].options] for item in ITEMS]
    keys = [options[key_place(item)] for item, options in zip(ITEMS, lengths, strict=True)]
    longest = sum(key == max(options) for key, options in zip(keys, lengths, strict=True))
    shortest = sum(key == min(options) for key, options in zip(keys, lengths, strict=True))
    assert longest / len(ITEMS) < 0.40
    assert shortest / len(ITEMS) < 0.40
