"""Every analogy is solved here from its printed words: the relation table is read backwards, from pair to
relation."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from item_bank.demonstration.analogies import LANGUAGES, RELATIONS, UNCLEAR, items
from item_bank.demonstration.drafts import DraftItem

ITEMS = items()
Held = tuple[str, bool]  # name of the relation; True when the pair is printed in the order of the table


def relation_of(pair: str, language: str) -> Held:
    """The one relation a printed pair holds; fails when the table knows none, or several."""
    first, second = (word.strip() for word in pair.split(":"))
    held = [
        (relation.name, words == (first, second) or relation.two_way)
        for relation in RELATIONS
        for words in (entry.words[language] for entry in relation.pairs)
        if words in ((first, second), (second, first))
    ]
    assert len(held) == 1, (pair, held)
    return held[0]


def asked_pair(item: DraftItem, language: str) -> str:
    found = re.search(r"<strong>(.+?)</strong>", item.bodies[language].stem)
    assert found is not None
    return found[1]


def words_of(pair: str) -> set[str]:
    return set(re.findall(r"[\w-]+", pair.lower()))


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
@pytest.mark.parametrize("language", LANGUAGES)
def test_exactly_one_option_holds_the_relation_of_the_stem(item: DraftItem, language: str) -> None:
    asked = relation_of(asked_pair(item, language), language)
    held = [relation_of(option, language) for option in item.bodies[language].options]
    assert [n for n, relation in enumerate(held) if relation == asked] == [item.option_points.index(1)]
    assert asked[1], "the stem shows its pair in the order the relation is named"


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_each_distractor_holds_the_relation_its_note_names(item: DraftItem) -> None:
    asked = relation_of(asked_pair(item, "id"), "id")[0]
    for option, note, points in zip(
        item.bodies["id"].options, item.option_notes, item.option_points, strict=True
    ):
        name, forwards = relation_of(option, "id")
        if points:
            assert note == ""
        elif name == asked:
            assert note == "membalik arah hubungan"
            assert not forwards
        else:
            assert note == f"terkecoh hubungan {name}"
            assert forwards
            assert frozenset((name, asked)) not in UNCLEAR


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_an_item_appears_twice_so_that_no_echo_helps(item: DraftItem, language: str) -> None:
    pairs = [asked_pair(item, language), *item.bodies[language].options]
    counted = Counter(word for pair in pairs for word in words_of(pair))
    assert max(counted.values()) == 1, counted.most_common(2)


def test_the_two_languages_show_the_same_relations_in_the_same_order() -> None:
    for item in ITEMS:
        shown = [[relation_of(o, language) for o in item.bodies[language].options] for language in LANGUAGES]
        assert shown[0] == shown[1], item.code


def test_the_table_is_rich_and_unclear_neighbours_are_real_relations() -> None:
    names = [relation.name for relation in RELATIONS]
    assert len(names) == len(set(names)) >= 20
    assert all(len(relation.pairs) >= 6 for relation in RELATIONS)
    assert set().union(*UNCLEAR) <= set(names)
    assert all(len(both) == 2 for both in UNCLEAR)


def test_there_are_fifty_analogies_with_keys_spread_evenly() -> None:
    assert len(ITEMS) >= 50
    assert len({asked_pair(item, "id") for item in ITEMS}) == len(ITEMS)
    places = Counter(item.option_points.index(1) for item in ITEMS)
    assert len(places) == 5
    assert max(places.values()) - min(places.values()) <= 1


def test_parameters_stay_in_their_ranges_and_look_alikes_make_items_harder() -> None:
    assert all(-2.6 <= item.b[0] <= 2.8 and 0.7 <= item.a <= 1.9 and item.c == 0.2 for item in ITEMS)
    plain, hard = ITEMS[: len(RELATIONS)], ITEMS[len(RELATIONS) :]
    harder = sum(second.b[0] > first.b[0] for first, second in zip(plain, hard, strict=True))
    assert harder == len(RELATIONS)
    assert items() == ITEMS
