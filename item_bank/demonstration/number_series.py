"""Number series: a rule, enough of its terms, and the term that comes next.

Fourteen kinds of rule, from a constant step to two series woven into one. Every series shows at least two
terms more than its rule has constants, so that a reader who has found the rule can check it before
answering. The parameters of the demonstration bank are designed from the features that studies of series
completion agree on (Holzman, Pellegrino and Glaser 1983; LeFevre and Bisanz 1986): how many operations must
be held in mind, whether two series run side by side, whether the step itself changes, multiplication,
looking back further than one term, size, and direction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from item_bank.demonstration import (
    Parameters,
    difficulty,
    draw,
    key_position,
    keyed_item,
    number,
    place_key,
    rising_distractors,
    slope,
)
from item_bank.demonstration.drafts import DraftItem, ItemBody

FAMILY = "number_series"
OPTION_COUNT = 5
LARGEST = 999  # larger terms need a thousands separator, which reads like the comma between terms


@dataclass(frozen=True)
class Series:
    """Terms of one rule. The last two are hidden: the term asked for, and the one after it (a named
    error)."""

    terms: tuple[int, ...]
    indicator: str
    operations: int
    strands: int = 1
    step_changes: int = 0
    multiplies: int = 0
    looks_back: int = 0
    own_errors: tuple[tuple[int, str], ...] = ()  # errors that only this kind of rule invites

    @property
    def shown(self) -> tuple[int, ...]:
        return self.terms[:-2]

    @property
    def key(self) -> int:
        return self.terms[-2]


Chance = Callable[[str, int, int], int]
"""chance(step, low, high): a whole number in low..high."""


def _running(start: int, length: int, following: Callable[[int, int], int]) -> tuple[int, ...]:
    """start, then following(term, its ordinal from 0) again and again; `length` terms in all."""
    terms = [start]
    while len(terms) < length:
        terms.append(following(terms[-1], len(terms) - 1))
    return tuple(terms)


def _constant_step(chance: Chance) -> Series:
    step = chance("step", 3, 17)
    rising = chance("direction", 0, 2) > 0
    start = chance("start", 2, 40) + (0 if rising else 7 * step)
    terms = _running(start, 7, lambda term, _: term + (step if rising else -step))
    return Series(terms, "Menemukan beda tetap antarsuku", 1)


def _constant_ratio(chance: Chance) -> Series:
    ratio = chance("ratio", 2, 3)
    first = chance("first", 2, 9) if ratio == 2 else chance("first", 1, 1)
    terms = _running(first, 7, lambda term, _: term * ratio)
    if chance("direction", 0, 2) == 0:
        terms = terms[::-1]
    return Series(terms, "Menemukan perbandingan tetap antarsuku", 1, multiplies=1)


def _growing_step(chance: Chance) -> Series:
    step, growth = chance("step", 1, 9), chance("growth", 2, 6)
    sign = 1 if chance("direction", 0, 3) else -1
    start = chance("start", 3, 30) + (0 if sign > 0 else 7 * step + 21 * growth)
    terms = _running(start, 8, lambda term, n: term + sign * (step + n * growth))
    own = ((terms[-3] + sign * (step + 6 * growth), "menambah selisih dua kali sekaligus"),)
    return Series(terms, "Menemukan beda yang bertambah secara tetap", 2, step_changes=1, own_errors=own)


def _two_steps(chance: Chance) -> Series:
    forward, back = chance("forward", 6, 19), chance("back", 2, 5)
    moves = (forward, -back) if chance("shape", 0, 1) else (forward, back)
    start = chance("start", 4, 45)
    shown = chance("shown", 7, 8)
    terms = _running(start, shown + 2, lambda term, n: term + moves[n % 2])
    own = ((terms[-3] + moves[(shown - 2) % 2], "mengabaikan pola selang-seling"),)
    return Series(terms, "Menemukan dua beda yang berselang-seling", 2, own_errors=own)


def _three_steps(chance: Chance) -> Series:
    moves = (chance("one", 7, 15), -chance("two", 2, 6), chance("three", 16, 24))
    start = chance("start", 5, 50)
    terms = _running(start, 11, lambda term, n: term + moves[n % 3])
    own = (
        (terms[-3] + moves[0], "memulai giliran selisih dari awal lagi"),
        (terms[-3] + moves[1], "satu giliran selisih terlewat"),
    )
    return Series(terms, "Menemukan tiga beda yang berulang bergiliran", 3, own_errors=own)


def _woven(chance: Chance) -> Series:
    up, other = chance("up", 3, 12), chance("other", 2, 9)
    first, second = chance("first", 2, 25), chance("second", 60, 95)
    one = _running(first, 5, lambda term, _: term + up)
    two = _running(second, 5, lambda term, _: term - other)
    terms = tuple(term for pair in zip(one, two, strict=True) for term in pair)
    return Series(
        terms,
        "Memisahkan dua deret tetap yang berselang-seling",
        2,
        strands=2,
        own_errors=(
            (two[4], "melanjutkan deret sela yang keliru"),
            (one[3] + other, "memakai selisih deret sela yang lain"),
            (one[3], "berhenti satu langkah terlalu awal"),
        ),
    )


def _woven_with_ratio(chance: Chance) -> Series:
    first, step = chance("first", 2, 9), chance("step", 3, 11)
    start = chance("start", 40, 90)
    one = _running(first, 5, lambda term, _: term * 2)
    two = _running(start, 5, lambda term, _: term + step)
    lead, follow = (one, two) if chance("order", 0, 1) else (two, one)
    terms = tuple(term for pair in zip(lead, follow, strict=True) for term in pair)
    return Series(
        terms,
        "Memisahkan deret beda tetap dan deret perbandingan tetap yang berselang-seling",
        2,
        strands=2,
        multiplies=1,
        own_errors=(
            (follow[4], "melanjutkan deret sela yang keliru"),
            (2 * lead[3] - lead[2], "mengulang selisih terakhir pada deret sela"),
            (lead[3] * 2, "memakai aturan perkalian pada deret yang menambah"),
            (lead[3] + step, "memakai aturan penambahan pada deret yang mengali"),
        ),
    )


def _woven_with_growth(chance: Chance) -> Series:
    step, growth, fall = chance("step", 1, 6), chance("growth", 2, 5), chance("fall", 2, 9)
    one = _running(chance("first", 3, 20), 6, lambda term, n: term + step + n * growth)
    two = _running(chance("second", 70, 95), 6, lambda term, _: term - fall)
    terms = tuple(term for pair in zip(one, two, strict=True) for term in pair)
    return Series(
        terms,
        "Memisahkan deret berbeda tetap dan deret berbeda bertambah yang berselang-seling",
        3,
        strands=2,
        step_changes=1,
        own_errors=(
            (2 * one[4] - one[3], "mengulang selisih terakhir pada deret sela"),
            (two[5], "melanjutkan deret sela yang keliru"),
            (one[4] + step, "memakai selisih pertama pada deret sela"),
            (one[5] + growth, "menambah selisih dua kali sekaligus"),
        ),
    )


def _sum_of_two(chance: Chance, extra: int = 0) -> Series:
    terms = [chance("first", 1, 9), chance("second", 2, 12)]
    while len(terms) < 9:
        terms.append(terms[-1] + terms[-2] + extra)
    own = [(terms[6] + terms[5] - terms[4] + extra, "mengurangkan suku yang seharusnya dijumlahkan")]
    own += [(terms[6] + terms[4] + extra, "menjumlahkan suku yang tidak berurutan")]
    if extra:
        own += [(terms[6] + terms[5], "lupa menambahkan bilangan tetap")]
        own += [(terms[6] + terms[5] - extra, "salah tanda pada bilangan tetap")]
        text = "Menjumlahkan dua suku sebelumnya lalu menambah bilangan tetap"
    else:
        text = "Menjumlahkan dua suku sebelumnya"
    return Series(tuple(terms), text, 2 if extra else 1, looks_back=1, own_errors=tuple(own))


def _sum_of_two_and_more(chance: Chance) -> Series:
    return _sum_of_two(chance, _extra(chance))


def _extra(chance: Chance) -> int:
    """A constant worth noticing: never zero."""
    return (-3, -2, 2, 3, 4, 5)[chance("extra", 0, 5)]


def _wavering_squares(chance: Chance) -> Series:
    first, shift = chance("first", 1, 5), chance("shift", 1, 9)
    terms = tuple(n**2 + (shift if (n - first) % 2 else -shift) for n in range(first, first + 9))
    own = ((terms[6] + 2 * first + 13, "mengabaikan tanda yang berselang-seling"),)
    text = "Mengenali bilangan kuadrat yang bergantian ditambah dan dikurangi"
    return Series(terms, text, 3, step_changes=1, multiplies=1, own_errors=own)


def _shifted_cubes(chance: Chance) -> Series:
    first, shift = chance("first", 1, 2), chance("shift", 1, 9)
    terms = tuple(n**3 + shift for n in range(first, first + 8))
    base = first + 6
    own = ((base**3, "lupa menambahkan bilangan tetap"), (base**2 + shift, "memangkatkan dua, bukan tiga"))
    text = "Mengenali bilangan kubik yang digeser"
    return Series(terms, text, 2, step_changes=1, multiplies=1, own_errors=own)


def _multiply_and_add(chance: Chance) -> Series:
    factor = chance("factor", 2, 3)
    extra = _extra(chance)
    start = chance("start", 9 - 2 * factor, 13 - 3 * factor)
    terms = _running(start, 7, lambda term, _: factor * term + extra)
    own = (
        (terms[4] * factor, "lupa menambahkan bilangan tetap"),
        (terms[4] * factor - extra, "salah tanda pada bilangan tetap"),
        ((terms[4] + extra) * factor, "menambah sebelum mengali"),
    )
    return Series(terms, "Mengalikan lalu menambah bilangan tetap", 2, multiplies=1, own_errors=own)


def _two_operations(chance: Chance) -> Series:
    extra = chance("extra", 3, 9) * (1 if chance("sign", 0, 1) else -1)
    start = chance("start", 3, 6) + (9 if extra < 0 else 0)
    multiply_first = chance("order", 0, 1)
    shown = chance("shown", 7, 8)
    terms = _running(start, shown + 2, lambda t, n: t * 2 if n % 2 != multiply_first else t + extra)
    doubled = terms[-2] == terms[-3] * 2
    wrong = terms[-3] + extra if doubled else terms[-3] * 2
    own = (
        (wrong, "memakai operasi yang bukan gilirannya"),
        (terms[-3] - extra, "salah tanda pada bilangan tetap"),
        (terms[-3] * 2 + extra, "melakukan dua operasi sekaligus"),
    )
    return Series(terms, "Menemukan dua operasi yang bergantian", 3, multiplies=1, own_errors=own)


PLAN: tuple[tuple[Callable[[Chance], Series], int], ...] = (
    (_constant_step, 5),
    (_constant_ratio, 5),
    (_growing_step, 7),
    (_two_steps, 6),
    (_three_steps, 5),
    (_woven, 7),
    (_woven_with_ratio, 5),
    (_woven_with_growth, 4),
    (_sum_of_two, 5),
    (_sum_of_two_and_more, 5),
    (_wavering_squares, 3),
    (_shifted_cubes, 2),
    (_multiply_and_add, 5),
    (_two_operations, 6),
)


def _errors(series: Series) -> Iterator[tuple[int, str]]:
    """Wrong terms with the slip that leads to each, the most telling first."""
    shown, key = series.shown, series.key
    yield from series.own_errors
    last, before = shown[-1], shown[-2]
    yield last + (last - before), "mengulang selisih terakhir"
    yield last - (key - last), "salah tanda pada selisih"
    yield series.terms[-1], "melangkah satu suku terlalu jauh"
    yield last + (shown[1] - shown[0]), "memakai selisih suku pertama dan kedua"
    if series.looks_back == 0:
        yield last + before, "menjumlahkan dua suku terakhir"
    yield int(str(abs(key))[::-1]), "menukar letak angka"
    for slip, name in ((10, "salah menyimpan puluhan"), (1, "keliru satu saat menghitung selisih")):
        yield key + slip, name
        yield key - slip, name
    yield key + 2, "keliru dua saat menghitung selisih"
    yield key - 2, "keliru dua saat menghitung selisih"


def _distractors(series: Series, position: int) -> tuple[tuple[int, str], ...] | None:
    """Four wrong terms that stay within the size of the series; None when the named errors do not suffice."""
    low = min(0, *series.shown)
    reach = max(40, 2 * max(abs(term) for term in series.terms))
    found: dict[int, str] = {}
    for value, name in _errors(series):
        if value != series.key and low <= value <= min(reach, LARGEST):
            found.setdefault(value, name)
    return rising_distractors(series.key, found.items(), position, OPTION_COUNT)


def _features(series: Series) -> dict[str, float]:
    largest = max(abs(term) for term in series.terms[:-1])
    return {
        "operations": float(series.operations),
        "strands": float(series.strands),
        "step_changes": float(series.step_changes),
        "multiplies": float(series.multiplies),
        "looks_back": float(series.looks_back),
        "size_log10": round(math.log10(largest), 3),
        "falls": float(series.key < series.shown[0]),
    }


def _parameters(series: Series, index: int) -> Parameters:
    """Slope and difficulty; h, a hash draw in 0..6, stands for the spread a calibration would show.

    b = -4.6 + 0.9 operations + 1.2 (strands - 1) + 0.7 step_changes + 0.6 multiplies + 1.2 looks_back
        + 0.9 size_log10 + 0.3 falls
    a = 0.85 + 0.15 operations + 0.20 (strands - 1) + 0.10 multiplies + 0.05 h
    """
    features = _features(series)
    b = -4.6 + 0.9 * features["operations"] + 1.2 * (features["strands"] - 1) + 0.7 * features["step_changes"]
    b += 0.6 * features["multiplies"] + 1.2 * features["looks_back"]
    b += 0.9 * features["size_log10"] + 0.3 * features["falls"]
    a = 0.85 + 0.15 * features["operations"] + 0.2 * (features["strands"] - 1) + 0.1 * features["multiplies"]
    return slope(a + 0.05 * draw(FAMILY, index, "slope", 7)), difficulty(b), features


STEMS = {
    "id": "<p>Perhatikan deret bilangan berikut.</p><p><strong>{terms}, …</strong></p>"
    "<p>Bilangan manakah yang paling tepat untuk melanjutkan deret tersebut?</p>",
    "en": "<p>Look at the following number series.</p><p><strong>{terms}, …</strong></p>"
    "<p>Which number best continues the series?</p>",
}


def _body(series: Series, values: tuple[int, ...], language: str) -> ItemBody:
    terms = ", ".join(number(term, language) for term in series.shown)
    return ItemBody(
        stem=STEMS[language].format(terms=terms),
        options=tuple(number(value, language) for value in values),
    )


def _drawn(
    make: Callable[[Chance], Series], index: int, seen: set[tuple[int, ...]]
) -> tuple[Series, tuple[tuple[int, str], ...]]:
    """The first series of this kind, trial after trial, that stays small, is new, and has errors on both
    sides."""
    position = key_position(FAMILY, index, OPTION_COUNT)
    for trial in range(200):

        def chance(step: str, low: int, high: int, trial: int = trial) -> int:
            return low + draw(FAMILY, index, f"{trial}/{step}", high - low + 1)

        series = make(chance)
        if series.shown in seen or max(abs(term) for term in series.terms[:-1]) > LARGEST:
            continue
        wrong = _distractors(series, position)
        if wrong is not None:
            return series, wrong
    raise ValueError(f"no series of this kind found for number {index}: its ranges are too narrow")


def _item(series: Series, wrong: tuple[tuple[int, str], ...], index: int) -> DraftItem:
    position = key_position(FAMILY, index, OPTION_COUNT)
    values = place_key(series.key, tuple(value for value, _ in wrong), position)
    return keyed_item(
        f"CONTOH-DB-{index + 1:03d}",
        FAMILY,
        ("potensi.intelektual.numerik", series.indicator),
        _parameters(series, index),
        {language: _body(series, values, language) for language in STEMS},
        place_key("", tuple(name for _, name in wrong), position),
        expected_time_s=30 + 15 * series.operations + 25 * (series.strands - 1) + 10 * series.looks_back,
    )


def items() -> tuple[DraftItem, ...]:
    made: list[DraftItem] = []
    seen: set[tuple[int, ...]] = set()
    for make, count in PLAN:
        for _ in range(count):
            series, wrong = _drawn(make, len(made), seen)
            seen.add(series.shown)
            made.append(_item(series, wrong, len(made)))
    return tuple(made)
