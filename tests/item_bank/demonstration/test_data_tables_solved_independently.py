"""Every data table is solved here from its HTML and its question as printed, with exact fractions.

The solver finds out from the words of the question what is asked, looks the names of rows and columns up in
the table it has parsed, works the answer out, and compares it with the options as numbers.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from fractions import Fraction
from html.parser import HTMLParser

import pytest

from item_bank.demonstration.data_tables import LANGUAGES, items
from item_bank.demonstration.drafts import DraftItem

ITEMS = items()

ASKED = {
    "id": {
        "total": r"^Berapa jumlah seluruh",
        "difference": r"^Berapa selisih",
        "mean": r"^Berapa rata-rata",
        "share": r"^Dari seluruh",
        "rise": r"persen kenaikan",
        "fall": r"persen penurunan",
        "projection": r"diperkirakan naik 20%",
        "left": r"rupiah sisa",
        "best": r"paling tinggi",
        "overall": r"persen dari seluruh",
        "rate": r"^Berapa persen",
    },
    "en": {
        "total": r"^What is the total",
        "difference": r"^What is the difference",
        "mean": r"^What is the mean",
        "share": r"^Of all",
        "rise": r"rise from",
        "fall": r"fall from",
        "projection": r"expected to be 20% higher",
        "left": r"have not been spent",
        "best": r"the highest percentage",
        "overall": r"percentage of (?:the total|all)",
        "rate": r"^What percentage",
    },
}


class TableReader(HTMLParser):
    """Rows of texts, and which cells are headers with which scope."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.scopes: Counter[str] = Counter()
        self.caption = ""
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        if tag == "tr":
            self.rows.append([])
        if tag == "th":
            self.scopes[dict(attrs)["scope"] or ""] += 1

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in ("th", "td"):
            self.rows[-1].append(data)
        if self.inside == "caption":
            self.caption += data


def read_number(text: str, language: str) -> Fraction:
    digits = re.sub(r"[^\d.,]", "", text)
    thousands, decimal = (".", ",") if language == "id" else (",", ".")
    return Fraction(digits.replace(thousands, "").replace(decimal, "."))


class Problem:
    """One item in one language as a reader meets it."""

    def __init__(self, item: DraftItem, language: str) -> None:
        body = item.bodies[language]
        reader = TableReader()
        reader.feed(body.stimulus)
        self.caption = reader.caption
        self.scopes = reader.scopes
        self.columns = reader.rows[0][1:]
        self.names = [row[0] for row in reader.rows[1:]]
        self.cells = [[read_number(text, language) for text in row[1:]] for row in reader.rows[1:]]
        self.stem = re.sub(r"<[^>]+>", "", body.stem)
        self.asked = next(kind for kind, words in ASKED[language].items() if re.search(words, self.stem))
        self.named_rows = self.mentioned(self.names)
        self.named_columns = self.mentioned(self.columns)

    def mentioned(self, names: list[str]) -> list[int]:
        """Places of the names that the question mentions, in the order it mentions them."""
        found = [(self.stem.find(name), place) for place, name in enumerate(names) if name in self.stem]
        return [place for _, place in sorted(found)]

    def column(self, place: int) -> list[Fraction]:
        return [row[place] for row in self.cells]

    def answer(self) -> Fraction:
        """The number asked for; for "best" the place of the row."""
        if self.asked == "best":
            rates = [part / whole for whole, part in self.cells]
            assert rates.count(max(rates)) == 1
            return Fraction(rates.index(max(rates)))
        if self.asked == "overall":
            return 100 * sum(self.column(1), Fraction(0)) / sum(self.column(0), Fraction(0))
        if self.asked == "total":
            (column,) = self.named_columns
            return sum(self.column(column), Fraction(0))
        if self.asked == "difference":
            (one, two), (column,) = self.named_rows, self.named_columns
            return abs(self.cells[one][column] - self.cells[two][column])
        (row,) = self.named_rows
        return self.of_one_row(self.cells[row])

    def of_one_row(self, cells: list[Fraction]) -> Fraction:
        if self.asked == "mean":
            first, last = self.named_columns
            return sum(cells[first : last + 1], Fraction(0)) / len(cells[first : last + 1])
        if self.asked == "share":
            (column,) = self.named_columns
            return 100 * cells[column] / sum(self.column(column), Fraction(0))
        if self.asked in ("rise", "fall"):
            before, after = (cells[column] for column in self.named_columns)
            return 100 * (after - before if self.asked == "rise" else before - after) / before
        if self.asked == "projection":
            (column,) = self.named_columns
            return cells[column] * 12 / 10
        if self.asked == "left":
            assert re.search(r"juta rupiah|million rupiah", self.caption)
            return (cells[0] - cells[1]) * 10**6
        return 100 * cells[1] / cells[0]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
@pytest.mark.parametrize("language", LANGUAGES)
def test_exactly_one_option_is_the_answer_worked_out_from_the_table(item: DraftItem, language: str) -> None:
    problem, options = Problem(item, language), item.bodies[language].options
    answer = problem.answer()
    if problem.asked == "best":
        assert list(options) == problem.names
        right = [int(answer)]
    else:
        right = [n for n, option in enumerate(options) if read_number(option, language) == answer]
    assert right == [item.option_points.index(1)]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_options_rise_are_clearly_apart_and_wear_one_unit(item: DraftItem) -> None:
    if Problem(item, "id").asked == "best":
        return
    for language in LANGUAGES:
        options = item.bodies[language].options
        values = [read_number(option, language) for option in options]
        assert values == sorted(set(values))
        assert len({re.sub(r"[\d.,]", "", option) for option in options}) == 1
        if options[0].endswith("%"):
            assert min(after - before for before, after in itertools.pairwise(values)) >= Fraction(3, 10)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_the_two_languages_show_the_same_table_and_ask_the_same(item: DraftItem) -> None:
    one, two = (Problem(item, language) for language in LANGUAGES)
    assert one.cells == two.cells
    assert (one.asked, one.answer()) == (two.asked, two.answer())
    assert (one.named_rows, one.named_columns) == (two.named_rows, two.named_columns)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_tables_have_a_caption_headers_and_no_impossible_numbers(item: DraftItem) -> None:
    problem = Problem(item, "id")
    assert problem.caption
    assert problem.scopes == {"row": 5, "col": len(problem.columns) + 1}
    assert all(len(row) == len(problem.columns) for row in problem.cells)
    if len(problem.columns) == 2:
        assert all(0 < part < whole for whole, part in problem.cells)


def test_there_are_forty_five_with_keys_spread_and_errors_named() -> None:
    assert len(ITEMS) >= 45
    assert len({item.bodies["id"].stimulus for item in ITEMS}) == len(ITEMS)
    places = Counter(item.option_points.index(1) for item in ITEMS)
    assert len(places) == 5
    assert max(places.values()) - min(places.values()) <= 1
    for item in ITEMS:
        assert sum(item.option_points) == 1
        assert [note == "" for note in item.option_notes] == [points == 1 for points in item.option_points]


def test_every_kind_of_question_is_asked_and_slips_of_the_pen_stay_rare() -> None:
    assert {Problem(item, "id").asked for item in ITEMS} == set(ASKED["id"])
    for item in ITEMS:
        assert sum(note.endswith("saat berhitung") for note in item.option_notes) <= 1, item.code


def test_parameters_stay_in_their_ranges() -> None:
    assert all(-2.6 <= item.b[0] <= 2.8 and 0.7 <= item.a <= 1.9 and item.c == 0.2 for item in ITEMS)
    assert max(item.b[0] for item in ITEMS) - min(item.b[0] for item in ITEMS) > 2.5
    assert items() == ITEMS
