"""Every number series is solved here by somebody who has not read its rule.

The solver knows families of rules, fits each to the printed terms with exact fractions, and keeps a family
only when at least two printed terms check what the others fitted. If two families survive they must agree
on the next term.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product

import pytest

from item_bank.demonstration.drafts import DraftItem
from item_bank.demonstration.number_series import items

ITEMS = items()
Terms = Sequence[Fraction]


def whole(text: str) -> Fraction:
    return Fraction(text.strip().replace("\N{MINUS SIGN}", "-"))


def printed_terms(item: DraftItem, language: str) -> list[Fraction]:
    found = re.search(r"<strong>(.*?), …</strong>", item.bodies[language].stem)
    assert found is not None, item.code
    return [whole(text) for text in found[1].split(",")]


def polynomial(terms: Terms, degree: int) -> Fraction | None:
    """The next value when the differences of this order are constant."""
    rows = [list(terms)]
    for _ in range(degree):
        rows.append([after - before for before, after in zip(rows[-1], rows[-1][1:], strict=False)])
    if len(rows[-1]) < 3 or len(set(rows[-1])) != 1:
        return None
    return sum((row[-1] for row in rows), Fraction(0))


def ratio(terms: Terms) -> Fraction | None:
    if len(terms) < 4 or 0 in terms:
        return None
    quotients = {after / before for before, after in pairwise(terms)}
    return terms[-1] * quotients.pop() if len(quotients) == 1 else None


def affine(terms: Terms) -> Fraction | None:
    """x' = m x + k, fitted on three terms, checked on the rest."""
    if len(terms) < 5 or terms[1] == terms[0]:
        return None
    m = (terms[2] - terms[1]) / (terms[1] - terms[0])
    k = terms[1] - m * terms[0]
    if all(after == m * before + k for before, after in pairwise(terms)):
        return m * terms[-1] + k
    return None


def looking_back(terms: Terms) -> Iterator[Fraction]:
    """x'' = p x' + q x + k with small whole p, q; k from the first triple."""
    if len(terms) < 6:
        return
    for p, q in product(range(-3, 4), repeat=2):
        k = terms[2] - p * terms[1] - q * terms[0]
        triples = zip(terms, terms[1:], terms[2:], strict=False)
        if q and all(third == p * second + q * first + k for first, second, third in triples):
            yield p * terms[-1] + q * terms[-2] + k


def turns(terms: Terms, period: int) -> Iterator[Fraction]:
    """One operation per turn, in a fixed round: each adds a constant or multiplies by one."""
    moves = list(pairwise(terms))
    if len(moves) < 2 * period:
        return
    for kinds in product("+*", repeat=period):
        constants: list[set[Fraction]] = [set() for _ in range(period)]
        for n, (before, after) in enumerate(moves):
            if kinds[n % period] == "+":
                constants[n % period].add(after - before)
            else:
                constants[n % period].add(after / before if before else Fraction(10**9))
        if all(len(found) == 1 for found in constants):
            turn = len(moves) % period
            constant = constants[turn].pop()
            yield terms[-1] + constant if kinds[turn] == "+" else terms[-1] * constant


def strand(terms: Terms) -> set[Fraction]:
    fits = {polynomial(terms, 1), ratio(terms), polynomial(terms, 2)}
    return {value for value in fits if value is not None}


def woven(terms: Terms) -> Iterator[Fraction]:
    """Two series in turn; the one that does not come next must be a series of its own, too."""
    if len(terms) < 8:
        return
    coming, other = terms[len(terms) % 2 :: 2], terms[(len(terms) + 1) % 2 :: 2]
    if strand(other):
        yield from strand(coming)


def wavering(terms: Terms) -> Fraction | None:
    """c0 + c1 n + c2 n^2 + d (-1)^n: x(n) - x(n-2) is an arithmetic series, plus its fit to the first
    parity."""
    jumps = [after - before for before, after in zip(terms, terms[2:], strict=False)]
    following = polynomial(jumps, 1)
    return None if following is None or len(jumps) < 4 else terms[-2] + following


def inside_differences(terms: Terms) -> Iterator[Fraction]:
    jumps = [after - before for before, after in pairwise(terms)]
    for value in (ratio(jumps), *looking_back(jumps), *turns(jumps, 2)):
        if value is not None and len(jumps) >= 5:
            yield terms[-1] + value


def growing_factor(terms: Terms) -> Iterator[Fraction]:
    """x' = x (n + s) + k for small s and k."""
    if len(terms) < 5:
        return
    for s, k in product(range(-1, 5), range(-5, 6)):
        if all(terms[n + 1] == terms[n] * (n + s) + k for n in range(len(terms) - 1)):
            yield terms[-1] * (len(terms) - 1 + s) + k


HYPOTHESES: dict[str, Callable[[Terms], Iterator[Fraction | None]]] = {
    "constant differences of order 1 to 3": lambda terms: (polynomial(terms, order) for order in (1, 2, 3)),
    "constant ratio": lambda terms: iter((ratio(terms),)),
    "multiply and add": lambda terms: iter((affine(terms),)),
    "two terms back": looking_back,
    "operations in turn": lambda terms: (value for period in (2, 3) for value in turns(terms, period)),
    "two woven series": woven,
    "squares that waver": lambda terms: iter((wavering(terms),)),
    "rule among the differences": inside_differences,
    "growing factor": growing_factor,
}


def answers(terms: Terms) -> dict[Fraction, set[str]]:
    found: dict[Fraction, set[str]] = {}
    for name, hypothesis in HYPOTHESES.items():
        for value in hypothesis(terms):
            if value is not None:
                found.setdefault(value, set()).add(name)
    return found


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
@pytest.mark.parametrize("language", ["id", "en"])
def test_every_rule_that_fits_the_printed_terms_leads_to_the_key(item: DraftItem, language: str) -> None:
    found = answers(printed_terms(item, language))
    key = whole(item.bodies[language].options[item.option_points.index(1)])
    assert set(found) == {key}, found


def test_the_solver_itself_knows_a_rule_from_a_coincidence() -> None:
    """Guards the test above against a solver that says yes to everything, or to nothing."""
    assert answers([Fraction(n) for n in (2, 4, 8)]) == {}
    assert answers([Fraction(n) for n in (4, 7, 2, 9, 31, 5, 8)]) == {}
    assert set(answers([Fraction(n) for n in (3, 9, 4, 8, 5, 7, 6, 6)])) == {Fraction(7)}
    assert set(answers([Fraction(n) for n in (1, 2, 3, 5, 8, 13, 21)])) == {Fraction(34)}
    assert set(answers([Fraction(n) for n in (1, 2, 6, 24, 120)])) == {Fraction(720)}


def test_there_are_seventy_series_and_none_twice() -> None:
    assert len(ITEMS) >= 70
    assert len({tuple(printed_terms(item, "id")) for item in ITEMS}) == len(ITEMS)
    assert [item.code for item in ITEMS] == [f"CONTOH-DB-{n:03d}" for n in range(1, len(ITEMS) + 1)]


def test_options_rise_and_the_key_stands_everywhere_equally_often() -> None:
    for item in ITEMS:
        values = [whole(text) for text in item.bodies["id"].options]
        assert values == sorted(set(values)), item.code
        assert item.bodies["id"].options == item.bodies["en"].options
    places = Counter(item.option_points.index(1) for item in ITEMS)
    assert max(places.values()) - min(places.values()) <= 1
    assert len(places) == 5


def test_every_wrong_option_names_its_error_and_only_the_key_has_none() -> None:
    for item in ITEMS:
        assert sum(item.option_points) == 1
        assert [note == "" for note in item.option_notes] == [points == 1 for points in item.option_points]
        assert len(set(item.option_notes)) >= 4, item.code


def test_parameters_stay_in_their_ranges_and_spread() -> None:
    difficulties = [item.b[0] for item in ITEMS]
    assert all(-2.6 <= b <= 2.8 for b in difficulties)
    assert all(0.7 <= item.a <= 1.9 and item.c == 0.2 for item in ITEMS)
    assert max(difficulties) - min(difficulties) > 2.5
    assert items() == ITEMS
