"""Every syllogism is solved here from its printed sentences, by looking at every possible world.

About sets: a world says for each kind of member (in A but not in B, ...) whether there is one. About facts:
a world is a row of the truth table. A conclusion must be true when no world makes the premises true and it
false.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import pytest

from item_bank.demonstration.drafts import DraftItem
from item_bank.demonstration.syllogisms import LANGUAGES, NONE_MUST, items

ITEMS = items()
Kind = frozenset[str]  # the terms a member of this kind falls under
SetWorld = frozenset[Kind]  # the kinds that have a member
FactWorld = dict[str, bool]
SetClaim = tuple[str, str, str]
Clause = tuple[str, bool]  # a fact, and whether it is affirmed
Truth = Callable[[bool, bool], bool]

QUANTIFIERS = {
    "id": (
        (r"Semua (.+) adalah (.+)\.", "all"),
        (r"Tidak ada (.+) yang merupakan (.+)\.", "no"),
        (r"Sebagian (.+) bukan (.+)\.", "some not"),
        (r"Sebagian (.+) adalah (.+)\.", "some"),
    ),
    "en": (
        (r"All (.+) are (.+)\.", "all"),
        (r"No (.+) are (.+)\.", "no"),
        (r"Some (.+) are not (.+)\.", "some not"),
        (r"Some (.+) are (.+)\.", "some"),
    ),
}
LINKS = {
    "id": (
        r"Jika (.+), maka (.+)\.",
        r"(.+) hanya jika (.+)\.",
        r"(.+) atau (.+) \(atau keduanya\)\.",
        " tidak ",
    ),
    "en": (r"If (.+), then (.+)\.", r"(.+) only if (.+)\.", r"(.+) or (.+) \(or both\)\.", " not "),
}


def premises_of(item: DraftItem, language: str) -> list[str]:
    return re.findall(r"<em>(.+?)</em>", item.bodies[language].stem)


# ---------------------------------------------------------------------------------------------- about sets


def set_claim(sentence: str, language: str) -> SetClaim:
    for pattern, quantifier in QUANTIFIERS[language]:
        found = re.fullmatch(pattern, sentence)
        if found:
            return quantifier, found[1], found[2]
    raise AssertionError(sentence)


def holds(claim: SetClaim, world: SetWorld) -> bool:
    quantifier, x, y = claim
    both = any(x in kind and y in kind for kind in world)
    only_x = any(x in kind and y not in kind for kind in world)
    return {"all": not only_x, "no": not both, "some": both, "some not": only_x}[quantifier]


def set_worlds(premises: list[SetClaim], every_term_has_members: bool) -> Iterator[SetWorld]:
    """All worlds in which the premises hold; kinds that a universal premise forbids are left out
    beforehand."""
    terms = sorted({term for _, x, y in premises for term in (x, y)})
    kinds = [
        frozenset(term for term, inside in zip(terms, pattern, strict=True) if inside)
        for pattern in product((False, True), repeat=len(terms))
        if any(pattern)
    ]
    universal = [claim for claim in premises if claim[0] in ("all", "no")]
    kinds = [kind for kind in kinds if all(holds(claim, frozenset([kind])) for claim in universal)]
    for chosen in product((False, True), repeat=len(kinds)):
        world = frozenset(kind for kind, there in zip(kinds, chosen, strict=True) if there)
        named = set().union(*world) if world else set()
        if all(holds(claim, world) for claim in premises) and (
            not every_term_has_members or named >= set(terms)
        ):
            yield world


# --------------------------------------------------------------------------------------------- about facts


def literal(text: str, language: str) -> Clause:
    """The fact a clause speaks of, and whether the clause affirms it."""
    plain = text[0].lower() + text[1:]
    word = LINKS[language][3]
    return plain.replace(word, " "), word not in plain


def _linked(truth: Truth, first: Clause, second: Clause, world: FactWorld) -> bool:
    return truth(*(world[fact] == sign for fact, sign in (first, second)))


def fact_claim(sentence: str, language: str) -> tuple[set[str], Callable[[FactWorld], bool]]:
    conditional, only_if, either, _ = LINKS[language]
    for pattern, truth in (
        (conditional, lambda p, q: q or not p),
        (only_if, lambda p, q: q or not p),
        (either, lambda p, q: p or q),
    ):
        found = re.fullmatch(pattern, sentence)
        if found:
            (x, x_sign), (y, y_sign) = literal(found[1], language), literal(found[2], language)
            return {x, y}, partial(_linked, truth, (x, x_sign), (y, y_sign))
    x, x_sign = literal(sentence.removesuffix("."), language)
    return {x}, lambda w: w[x] == x_sign


def fact_worlds(sentences: list[str], language: str) -> list[FactWorld]:
    claims = [fact_claim(sentence, language) for sentence in sentences]
    facts = sorted(set().union(*(names for names, _ in claims)))
    worlds = [dict(zip(facts, row, strict=True)) for row in product((False, True), repeat=len(facts))]
    return [world for world in worlds if all(truth(world) for _, truth in claims)]


# ------------------------------------------------------------------------------------------------- solving


def forced(item: DraftItem, language: str, generous: bool) -> list[bool]:
    """For each option but the last: must it be true? `generous` grants every named set a member."""
    premises, options = premises_of(item, language), item.bodies[language].options[:-1]
    if re.fullmatch("|".join(pattern for pattern, _ in QUANTIFIERS[language]), premises[0]):
        claims = [set_claim(sentence, language) for sentence in premises]
        worlds = list(set_worlds(claims, generous))
        assert worlds, "premises contradict each other"
        return [all(holds(set_claim(option, language), world) for world in worlds) for option in options]
    rows = fact_worlds(premises, language)
    assert rows, "premises contradict each other"
    return [all(fact_claim(option, language)[1](row) for row in rows) for option in options]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("generous", [False, True], ids=["bare", "with members"])
def test_exactly_the_key_must_be_true(item: DraftItem, language: str, generous: bool) -> None:
    assert item.bodies[language].options[-1] == NONE_MUST[language]
    must = forced(item, language, generous)
    solved = [*must, not any(must)]
    assert solved == [points == 1 for points in item.option_points]


def test_the_solver_tells_valid_from_invalid() -> None:
    """Guards the test above: Barbara forces its conclusion, the converse of a premise is not forced."""
    worlds = list(set_worlds([("all", "m", "p"), ("all", "s", "m")], False))
    assert all(holds(("all", "s", "p"), world) for world in worlds)
    assert not all(holds(("all", "p", "s"), world) for world in worlds)
    assert not all(holds(("some", "s", "p"), world) for world in worlds)
    assert all(
        holds(("some", "s", "p"), world) for world in set_worlds([("all", "m", "p"), ("all", "s", "m")], True)
    )
    rows = fact_worlds(["Jika lampu menyala, maka pintu tertutup.", "Pintu tidak tertutup."], "id")
    assert rows == [{"lampu menyala": False, "pintu tertutup": False}]


def test_there_are_forty_five_and_a_fifth_has_no_conclusion() -> None:
    assert len(ITEMS) >= 45
    assert len({item.bodies["id"].stem for item in ITEMS}) == len(ITEMS)
    places = Counter(item.option_points.index(1) for item in ITEMS)
    assert len(places) == 5
    assert max(places.values()) - min(places.values()) <= 1


def test_options_differ_and_every_wrong_one_names_its_error() -> None:
    for item in ITEMS:
        assert sum(item.option_points) == 1
        assert [note == "" for note in item.option_notes] == [points == 1 for points in item.option_points]
        for body in item.bodies.values():
            assert len(set(body.options)) == 5, item.code


def test_parameters_stay_in_their_ranges() -> None:
    assert all(-2.6 <= item.b[0] <= 2.8 and 0.7 <= item.a <= 1.9 and item.c == 0.2 for item in ITEMS)
    assert max(item.b[0] for item in ITEMS) - min(item.b[0] for item in ITEMS) > 2
    assert items() == ITEMS
