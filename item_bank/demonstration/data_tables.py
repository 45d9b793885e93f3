"""Data tables: a small table of an invented regency, and a question whose answer must be worked out from it.

The numbers are drawn until the answer comes out exactly (no rounding to argue about) and until the named
errors - the wrong row, a percentage of the wrong whole, a forgotten unit - fall on both sides of it, so
that options in rising order give nothing away. Kinds of question follow the demands that task analyses of
quantitative literacy name: how many cells are read, how many operations follow, whether a percentage or a
change of unit is involved (Mosenthal and Kirsch 1998).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from item_bank.demonstration import (
    TABLE_QUESTIONS,
    TABLE_SCENES,
    Parameters,
    difficulty,
    draw,
    key_position,
    keyed_item,
    number,
    place_key,
    rising_distractors,
    slope,
    table_html,
)
from item_bank.demonstration.drafts import DraftItem, ItemBody

FAMILY = "data_table"
OPTION_COUNT = 5
LANGUAGES = ("id", "en")
ROUND_WHOLES = (40, 50, 60, 80, 100, 120, 125, 150, 160, 200, 250)  # wholes whose percentages come out short

Table = tuple[tuple[int, ...], ...]
Error = tuple[int | Fraction, str]
Chance = Callable[[str, int, int], int]  # chance(step, low, high): a whole number in low..high

SERIAL = ("counters", "complaints")  # scenes whose columns are moments
PAIRED = ("budget", "attendance", "training")  # scenes whose columns are a whole and its part
SCALES = {"counters": 2, "complaints": 1, "budget": 10, "attendance": 1, "training": 1}


@dataclass(frozen=True)
class Question:
    """What is asked of one table; `row`, `other`, `column`, `later` are places in it, `value` the answer."""

    kind: str
    scene: str
    table: Table
    value: Fraction
    errors: tuple[Error, ...]
    row: int = 0
    other: int = 0
    column: int = 0
    later: int = 0


def _column(table: Table, column: int) -> tuple[int, ...]:
    return tuple(row[column] for row in table)


def _serial_table(scene: str, chance: Chance) -> Table:
    def cell(place: str) -> int:
        return SCALES[scene] * ROUND_WHOLES[chance(place, 0, 10)] + 5 * chance(f"{place}/more", 0, 9)

    return tuple(tuple(cell(f"{row}/{column}") for column in range(4)) for row in range(5))


def _paired_table(scene: str, chance: Chance) -> Table:
    """A whole and its part per row; parts between 55 and 97 hundredths of the whole."""
    rows = []
    for r in range(5):
        whole = SCALES[scene] * ROUND_WHOLES[chance(f"{r}/whole", 0, 10)]
        rows.append((whole, whole * chance(f"{r}/part", 55, 97) // 100))
    return tuple(rows)


def _percent(part: int, whole: int) -> Fraction:
    return Fraction(100 * part, whole)


def _total_column(scene: str, chance: Chance) -> Question:
    table = _serial_table(scene, chance)
    column = chance("column", 0, 3)
    values, beside = _column(table, column), (column + 1) % 4
    total = sum(values)
    errors = (
        (sum(_column(table, beside)), "salah kolom"),
        (total - values[-1], "baris terakhir terlewat"),
        (sum(_column(table, column - 1)), "salah kolom"),
        (total - values[0], "baris pertama terlewat"),
        (total + values[2], "satu baris terhitung dua kali"),
    )
    return Question("total_column", scene, table, Fraction(total), errors, column=column)


def _difference(scene: str, chance: Chance) -> Question:
    table = _serial_table(scene, chance)
    row, column = chance("row", 0, 3), chance("column", 0, 3)
    other, beside = chance("other", row + 1, 4), (column + 1) % 4
    x, y = table[row][column], table[other][column]
    third = min({0, 1, 2} - {row, other})
    errors = (
        (x + y, "menjumlahkan, bukan mencari selisih"),
        (abs(table[row][beside] - table[other][beside]), "salah kolom"),
        (abs(x - table[third][column]), "salah baris"),
        (abs(y - table[third][column]), "salah baris"),
        (abs(table[row][column - 1] - table[other][column - 1]), "salah kolom"),
    )
    value = Fraction(abs(x - y))
    return Question("difference", scene, table, value, errors, row=row, other=other, column=column)


def _mean(scene: str, chance: Chance) -> Question:
    table = _serial_table(scene, chance)
    row, width = chance("row", 0, 4), 4
    total = sum(table[row])
    errors = (
        (Fraction(sum(table[row - 1]), width), "salah baris"),
        (Fraction(total, width - 1), "pembagi kurang satu"),
        (Fraction(total, width + 1), "pembagi lebih satu"),
        (Fraction(min(table[row]) + max(table[row]), 2), "merata-ratakan nilai terkecil dan terbesar saja"),
        (Fraction(sum(table[(row + 1) % 5]), width), "salah baris"),
        (Fraction(sum(_column(table, 0)), 5), "merata-ratakan kolom, bukan baris"),
    )
    return Question("mean", scene, table, Fraction(total, width), errors, row=row)


def _share(scene: str, chance: Chance) -> Question:
    table = _serial_table(scene, chance)
    row, column = chance("row", 0, 4), chance("column", 0, 3)
    part, whole, beside = table[row][column], sum(_column(table, column)), (column + 1) % 4
    errors = (
        (_percent(part, sum(table[row])), "persen terhadap pembagi yang keliru: jumlah baris"),
        (_percent(table[row - 1][column], whole), "salah baris"),
        (_percent(part, whole - part), "persen terhadap pembagi yang keliru: jumlah baris lain"),
        (_percent(table[row][beside], sum(_column(table, beside))), "salah kolom"),
        (_percent(table[(row + 1) % 5][column], whole), "salah baris"),
        (100 - _percent(part, whole), "mengambil persentase sisanya"),
    )
    return Question("share", scene, table, _percent(part, whole), errors, row=row, column=column)


def _change(kind: str, scene: str, chance: Chance) -> Question:
    table = _serial_table(scene, chance)
    row, column = chance("row", 0, 4), chance("column", 0, 2)
    later = chance("later", column + 1, 3)
    before, after = table[row][column], table[row][later]
    step = after - before if kind == "rise" else before - after
    below = table[(row + 1) % 5]
    errors = (
        (_percent(step, after), "persen terhadap pembagi yang keliru: nilai akhir"),
        (Fraction(step), "membaca selisih sebagai persen"),
        (_percent(after, before), "tidak mengurangkan nilai awal"),
        (_percent(abs(below[later] - below[column]), below[column]), "salah baris"),
        (_percent(step, sum(table[row])), "persen terhadap pembagi yang keliru: jumlah baris"),
        (100 - _percent(step, before), "mengambil persentase sisanya"),
    )
    value = _percent(step, before)  # below zero the other way round: drawn again
    return Question(kind, scene, table, value, errors, row=row, column=column, later=later)


def _projection(scene: str, chance: Chance) -> Question:
    """A rise of 20 per cent over the last column."""
    table = _serial_table(scene, chance)
    row = chance("row", 0, 4)
    last, first = table[row][-1], table[row][0]
    errors = (
        (Fraction(last + 20), "menambah 20, bukan 20 persen"),
        (Fraction(last, 5), "menghitung kenaikannya saja"),
        (Fraction(4 * last, 5), "mengurangi, bukan menambah"),
        (Fraction(6 * first, 5), "salah kolom"),
        (Fraction(6 * table[row - 1][-1], 5), "salah baris"),
        (Fraction(6 * table[(row + 1) % 5][-1], 5), "salah baris"),
    )
    return Question("projection", scene, table, Fraction(6 * last, 5), errors, row=row)


def _rate(scene: str, chance: Chance) -> Question:
    table = _paired_table(scene, chance)
    row = chance("row", 0, 4)
    whole, part = table[row]
    rates = [_percent(y, x) for x, y in table]
    errors = (
        (rates[row - 1], "salah baris"),
        (100 - rates[row], "mengambil persentase sisanya"),
        (_percent(whole - part, part), "persen terhadap pembagi yang keliru: bagiannya"),
        (_percent(part, sum(_column(table, 1))), "persen terhadap pembagi yang keliru: jumlah kolom"),
        (rates[(row + 1) % 5], "salah baris"),
        (rates[(row + 2) % 5], "salah baris"),
    )
    return Question("rate", scene, table, rates[row], errors, row=row)


def _overall(scene: str, chance: Chance) -> Question:
    table = _paired_table(scene, chance)
    wholes, parts = _column(table, 0), _column(table, 1)
    value = _percent(sum(parts), sum(wholes))
    rates = [_percent(y, x) for x, y in table]
    largest = max(range(5), key=lambda r: (wholes[r], r))
    errors = (
        (sum(rates, Fraction(0)) / 5, "merata-ratakan persentase tanpa bobot"),
        (rates[largest], "memakai baris terbesar saja"),
        (100 - value, "mengambil persentase sisanya"),
        (_percent(sum(parts[:-1]), sum(wholes)), "baris terakhir terlewat pada pembilang"),
        (_percent(max(parts), max(wholes)), "membandingkan nilai terbesar saja"),
        ((max(rates) + min(rates)) / 2, "merata-ratakan persentase terkecil dan terbesar saja"),
    )
    return Question("overall", scene, table, value, errors)


def _remainder(scene: str, chance: Chance) -> Question:
    """What is left of a budget, asked in rupiah while the table speaks of millions."""
    table = _paired_table(scene, chance)
    row = chance("row", 0, 4)
    (whole, part), (whole_above, part_above) = table[row], table[row - 1]
    million = 10**6
    errors = (
        ((whole - part) * 1000, "lupa satuan: juta dibaca ribu"),
        ((whole_above - part_above) * million, "salah baris"),
        (part * million, "menyebut realisasi, bukan sisa"),
        ((whole - part) * million * 10, "kelebihan satu nol saat mengubah satuan"),
        ((whole - part) * million // 10, "kekurangan satu nol saat mengubah satuan"),
        ((whole + part) * million, "menjumlahkan, bukan mencari sisa"),
    )
    return Question("remainder", scene, table, Fraction((whole - part) * million), errors, row=row)


def _highest(scene: str, chance: Chance) -> Question:
    """The answer is a row; `value` is its place. Rows tie with nobody: the best is two hundredths ahead."""
    table = _paired_table(scene, chance)
    rates = [_percent(y, x) for x, y in table]
    best = max(range(5), key=lambda r: rates[r])
    ahead = min(rates[best] - rate for row, rate in enumerate(rates) if row != best)
    most = max(range(5), key=lambda r: table[r][1])
    least_left = min(range(5), key=lambda r: table[r][0] - table[r][1])
    names = dict.fromkeys(range(5), "salah membandingkan persentase")
    names |= {least_left: "membandingkan sisa mutlak, bukan persentase", most: "memilih jumlah terbesar"}
    errors = tuple((row, name) for row, name in names.items() if row != best)
    clear = ahead >= 2 and best != most
    return Question("highest", scene, table, Fraction(best) if clear else Fraction(-1), errors)


Make = Callable[[str, Chance], Question]
PLAN: tuple[tuple[Make, tuple[str, ...], int], ...] = (
    (_total_column, SERIAL, 5),
    (_difference, SERIAL, 5),
    (_mean, SERIAL, 4),
    (_share, SERIAL, 6),
    (partial(_change, "rise"), SERIAL, 3),
    (partial(_change, "fall"), SERIAL, 3),
    (_projection, SERIAL, 3),
    (_rate, PAIRED, 5),
    (_remainder, PAIRED[:1], 3),
    (_highest, PAIRED, 5),
    (_overall, PAIRED, 4),
)
# Per kind: operations, cells read, percentage or not, change of unit or not, unit of the answer, indicator.
DEMANDS: dict[str, tuple[int, int, int, int, str, str]] = {
    "total_column": (1, 5, 0, 0, "count", "Menjumlahkan satu kolom tabel"),
    "difference": (1, 2, 0, 0, "count", "Menghitung selisih dua sel tabel"),
    "mean": (2, 4, 0, 0, "count", "Menghitung rata-rata satu baris tabel"),
    "share": (2, 5, 1, 0, "percent", "Menghitung bagian terhadap keseluruhan"),
    "rise": (2, 2, 1, 0, "percent", "Menghitung persentase kenaikan"),
    "fall": (2, 2, 1, 0, "percent", "Menghitung persentase penurunan"),
    "projection": (2, 1, 1, 0, "count", "Memperkirakan nilai dari persentase kenaikan"),
    "rate": (1, 2, 1, 0, "percent", "Menghitung persentase dari pasangan sel tabel"),
    "remainder": (1, 2, 0, 1, "rupiah", "Menghitung sisa dengan perubahan satuan"),
    "highest": (3, 10, 1, 0, "row", "Membandingkan persentase antarbaris"),
    "overall": (3, 10, 1, 0, "percent", "Menghitung persentase gabungan seluruh baris"),
}


SLIPS = ("salah menyimpan saat berhitung", "salah meminjam saat berhitung")


def _slips(question: Question) -> Iterator[Error]:
    """Slips of the pen that every calculation invites, after the errors of its own kind are used up."""
    size = {"percent": 5, "count": 10, "rupiah": 10**7}[DEMANDS[question.kind][4]]
    yield question.value + size, SLIPS[0]
    yield question.value - size, SLIPS[1]


def _distractors(question: Question, position: int) -> tuple[tuple[Fraction, str], ...] | None:
    """Four wrong answers, clearly apart when printed; None if these numbers do not yield them, or no exact
    key."""
    key = question.value
    if question.kind == "highest":
        return (
            tuple((Fraction(row), name) for row, name in sorted(question.errors)) if key == position else None
        )
    grain = Fraction(1, 10) if DEMANDS[question.kind][4] == "percent" else Fraction(1)
    if key % grain or key <= 0:
        return None
    ceiling = (
        100 if question.kind in ("share", "rate", "overall") else 10**12
    )  # a part is never over its whole
    found = {key: ""}
    for raw, name in (*question.errors, *_slips(question)):
        value = round(raw / grain) * grain
        if 0 < value <= ceiling and all(abs(value - taken) >= 3 * grain for taken in found):
            found[value] = name
    wrong = rising_distractors(key, found.items(), position, OPTION_COUNT)
    few_slips = wrong is not None and sum(name in SLIPS for _, name in wrong) <= 1
    return wrong if few_slips else None


def _drawn(make: Make, scene: str, index: int) -> tuple[Question, tuple[tuple[Fraction, str], ...]]:
    for trial in range(3000):

        def chance(step: str, low: int, high: int, trial: int = trial) -> int:
            return low + draw(FAMILY, index, f"{trial}/{step}", high - low + 1)

        question = make(scene, chance)
        wrong = _distractors(question, key_position(FAMILY, index, OPTION_COUNT))
        if wrong is not None:
            return question, wrong
    raise ValueError(f"no table of this kind found for number {index}: its ranges are too narrow")


def _printed(question: Question, value: Fraction, language: str) -> str:
    words, unit = TABLE_SCENES[question.scene][language], DEMANDS[question.kind][4]
    if unit == "row":
        return words["rows"].split("|")[int(value)]
    if unit == "percent":
        return number(value, language, 1) + "%"
    return (
        "Rp" + number(value, language) if unit == "rupiah" else f"{number(value, language)} {words['unit']}"
    )


def _table(question: Question, language: str) -> str:
    words = TABLE_SCENES[question.scene][language]
    cells = [tuple(number(value, language) for value in row) for row in question.table]
    rows = zip(words["rows"].split("|"), cells, strict=True)
    return table_html(words["caption"], (words["corner"], *words["columns"].split("|")), rows)


def _stem(question: Question, language: str) -> str:
    words = TABLE_SCENES[question.scene][language]
    rows, columns = words["rows"].split("|"), words["columns"].split("|")
    wording = words.get(question.kind) or TABLE_QUESTIONS[language][question.kind]
    text = wording.format(
        **{name: words.get(name, "") for name in ("noun", "period", "following")},
        row=rows[question.row],
        where=words.get("where", "").format(row=rows[question.row]),
        other=words.get("where", "").format(row=rows[question.other]),
        when=words.get("when", "").format(column=columns[question.column]),
        column=columns[question.column],
        later=columns[question.later],
        first=columns[0],
        last=columns[-1],
    )
    return f"<p>{text}</p>"


def _parameters(kind: str, index: int) -> Parameters:
    """Slope, difficulty and features; g and h are hash draws in 0..6 for the spread of reality.

    b = -2.9 + 0.6 operations + 0.14 cells + 0.6 percentage + 1.1 unit_change + 0.09 g
    a = 0.9 + 0.12 operations + 0.15 percentage + 0.05 h
    """
    operations, cells, percentage, unit_change, *_ = DEMANDS[kind]
    b = -2.9 + 0.6 * operations + 0.14 * cells + 0.6 * percentage + 1.1 * unit_change
    b += 0.09 * draw(FAMILY, index, "difficulty", 7)
    a = 0.9 + 0.12 * operations + 0.15 * percentage + 0.05 * draw(FAMILY, index, "slope", 7)
    names = ("operations", "cells", "percentage", "unit_change")
    return slope(a), difficulty(b), dict(zip(names, map(float, DEMANDS[kind][:4]), strict=True))


def _item(make: Make, scene: str, index: int) -> DraftItem:
    question, wrong = _drawn(make, scene, index)
    position = key_position(FAMILY, index, OPTION_COUNT)
    values = place_key(question.value, tuple(value for value, _ in wrong), position)
    bodies = {
        language: ItemBody(
            stimulus=_table(question, language),
            stem=_stem(question, language),
            options=tuple(_printed(question, value, language) for value in values),
        )
        for language in LANGUAGES
    }
    return keyed_item(
        f"CONTOH-TD-{index + 1:03d}",
        FAMILY,
        ("potensi.intelektual.data", DEMANDS[question.kind][5]),
        _parameters(question.kind, index),
        bodies,
        place_key("", tuple(name for _, name in wrong), position),
        expected_time_s=30 + 15 * DEMANDS[question.kind][0] + 5 * DEMANDS[question.kind][1],
    )


def items() -> tuple[DraftItem, ...]:
    plan = [(make, scenes[n % len(scenes)]) for make, scenes, count in PLAN for n in range(count)]
    return tuple(_item(make, scene, index) for index, (make, scene) in enumerate(plan))
