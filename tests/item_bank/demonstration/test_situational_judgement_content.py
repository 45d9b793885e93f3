"""Content of the situational-judgement items: enough of them, scored fairly, not answered by looks."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from item_bank.demonstration.drafts import DraftItem
from item_bank.demonstration.situational_judgement import situational_judgement_items, step_difficulties

ITEMS = situational_judgement_items()
CHI_SQUARE_16_DF = 39.25  # upper 0.1 % point: (5 places - 1) x (5 scores - 1) degrees of freedom
NINE = {
    "manajerial.integritas",
    "manajerial.kerja_sama",
    "manajerial.komunikasi",
    "manajerial.orientasi_pada_hasil",
    "manajerial.pelayanan_publik",
    "manajerial.pengembangan_diri_dan_orang_lain",
    "manajerial.mengelola_perubahan",
    "manajerial.pengambilan_keputusan",
    "sosial_kultural.perekat_bangsa",
}


def lengths_by_points(item: DraftItem, language: str) -> dict[int, int]:
    return {
        points: len(text)
        for points, text in zip(item.option_points, item.bodies[language].options, strict=True)
    }


def share_where_longest(points: int, language: str) -> float:
    """Share of items in which the option with these points is (or ties as) the longest."""
    items = [item for item in ITEMS if language in item.bodies]
    longest = [max(lengths_by_points(item, language).values()) for item in items]
    own = [lengths_by_points(item, language)[points] for item in items]
    return sum(a == b for a, b in zip(own, longest, strict=True)) / len(items)


def test_every_one_of_the_nine_competencies_has_ten_items() -> None:
    counts = Counter(item.competency for item in ITEMS)
    assert set(counts) == NINE
    assert min(counts.values()) >= 10
    assert len(ITEMS) >= 90


def test_scores_are_a_permutation_of_one_to_five() -> None:
    assert [item.code for item in ITEMS if sorted(item.option_points) != [1, 2, 3, 4, 5]] == []


def test_every_score_stands_in_every_place_about_equally_often() -> None:
    cells = Counter((place, points) for item in ITEMS for place, points in enumerate(item.option_points))
    expected = len(ITEMS) / 5
    chi_square = sum(
        (cells[place, points] - expected) ** 2 / expected for place in range(5) for points in range(1, 6)
    )
    assert chi_square < CHI_SQUARE_16_DF


def test_the_order_of_scores_varies_between_items() -> None:
    orders = Counter(item.option_points for item in ITEMS)
    assert len(orders) >= len(ITEMS) / 3
    assert max(orders.values()) <= 4


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_best_option_is_not_given_away_by_its_length(language: str) -> None:
    assert share_where_longest(5, language) < 0.40


def test_choosing_the_longest_option_earns_no_more_than_a_guess_plus_half_a_point() -> None:
    earned = []
    for item in ITEMS:
        lengths = lengths_by_points(item, "id")
        earned.append(max(lengths, key=lambda points: (lengths[points], points)))
    assert sum(earned) / len(earned) < 3.5


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_options_of_an_item_are_of_similar_length(item: DraftItem) -> None:
    lengths = lengths_by_points(item, "id").values()
    assert max(lengths) <= 1.7 * min(lengths)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_a_situation_has_two_to_four_sentences_and_one_question(item: DraftItem) -> None:
    for body in item.bodies.values():
        found = re.fullmatch(r"<p>(?P<situation>.+)</p><p><strong>(?P<question>.+)</strong></p>", body.stem)
        assert found is not None
        assert 2 <= len(re.findall(r"[.?!]\"?(?=\s|$)", found["situation"])) <= 4
        assert found["question"].endswith("?")


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_every_option_says_why_it_earns_its_points(item: DraftItem) -> None:
    assert len(item.option_notes) == 5
    assert len(set(item.option_notes)) == 5
    assert all(note.endswith(".") and len(note.split()) >= 3 for note in item.option_notes)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_parameters_follow_the_stated_rule(item: DraftItem) -> None:
    level, closeness, words = (item.features[name] for name in ("level", "closeness", "words"))
    load = min(max((words - 105) / 30, -1), 1)
    location = -0.3 + 0.45 * (level - 3) + 0.2 * (closeness - 2) + 0.1 * load
    expected = [location - 1.1, location - 0.5, location + 0.2, location + 0.9 + 0.25 * (closeness - 1)]
    assert item.model == "GPCM"
    assert item.level == level
    assert item.b == pytest.approx(expected, abs=0.0051)
    assert 0.5 <= item.a <= 1.1
    assert item.c == 0.0


def test_a_closer_second_best_makes_only_the_last_step_relatively_harder() -> None:
    clear, close = step_difficulties(3, 1, 0.0), step_difficulties(3, 3, 0.0)
    shifts = [round(b - a, 2) for a, b in zip(clear, close, strict=True)]
    assert shifts[:3] == [0.4, 0.4, 0.4]
    assert shifts[3] == pytest.approx(0.9)


def test_at_least_thirty_five_items_are_also_in_english() -> None:
    assert sum("en" in item.bodies for item in ITEMS) >= 35
    for competency in NINE:
        assert sum("en" in item.bodies for item in ITEMS if item.competency == competency) >= 3
