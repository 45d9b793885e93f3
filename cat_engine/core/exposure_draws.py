"""What exposure rules share: the order of the best, settings by item code, the walk down the ranking.

An item that a sitting passes over once stays passed over (Sympson & Hetter, 1985). Here that needs no
memory: each item has one number for the whole sitting, drawn from its seed, and passes wherever its exposure
parameter is above that number.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, TypeAlias
from weakref import WeakKeyDictionary

import msgspec
import numpy as np

from cat_engine.core.chance import CERTAIN, FRACTION_BITS, Chance
from cat_engine.core.exact import Integers
from cat_engine.core.pool import Pool
from cat_engine.core.test_package import PoolItem
from cat_engine.core.views import Choice, SectionView, Utility

PER_MILLE = 1000
WHOLE_SITTING = 0
"""The position of draws that hold for all steps of a sitting."""

PerMille: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=PER_MILLE)]
ByCode: TypeAlias = dict[str, PerMille]

_columns: "WeakKeyDictionary[Pool, list[tuple[Mapping[str, int], Integers]]]" = WeakKeyDictionary()


def column(pool: Pool, values: Mapping[str, int], default: int) -> Integers:
    """Settings given by item code as a column (n,); an item not named has the default.

    Laid out once for a pool; `values` is recognised as the object that it is.
    """
    held = _columns.setdefault(pool, [])
    for known, numbers in held:
        if known is values:
            return numbers
    numbers = np.array([values.get(item.code, default) for item in pool.items], dtype=np.int64)
    held.append((values, numbers))
    return numbers


def unknown_code(tables: Iterator[Mapping[str, int]], items: tuple[PoolItem, ...]) -> str:
    """Why settings by item code do not fit a section's items, or ""."""
    codes = {item.code for item in items}
    strange = sorted({code for table in tables for code in table} - codes)
    return f"no item of the section has the code {strange[0]}" if strange else ""


def refuse_unordered(cuts_millionths: tuple[int, ...]) -> None:
    """Cut points of ability segments rise."""
    if any(one >= other for one, other in pairwise(cuts_millionths)):
        raise ValueError("the cut points of the segments must rise")


def ranked(view: SectionView, utility: Utility, eligible: Integers) -> Integers:
    """The eligible columns, best first; equals are ordered by a hash of their content."""
    return eligible[np.lexsort((view.pool.ties[eligible], -utility[eligible]))]


def best_of(view: SectionView, utility: Utility, eligible: Integers) -> int:
    """The first of `ranked`, without ranking the others."""
    values = utility[eligible]
    top = eligible[values == values.max()]
    return int(top[0]) if top.size == 1 else int(top[np.argmin(view.pool.ties[top])])


def walk(view: SectionView, utility: Utility, eligible: Integers, passing: Integers, most: int) -> Choice:
    """The best item that its exposure parameter lets pass, among the `most` best.

    `passing` (n,) are the parameters in thousandths. Where none of them passes, one of them is drawn with the
    probability that it would have been the first to pass, had one passed: the item that a walk gives on
    condition that it ends (Stocking & Lewis, 1998). Where all parameters are 0 the best is taken.
    """
    fractions = Chance(view.chance.seed, WHOLE_SITTING).fractions("exposure", view.pool.ties)
    passes = fractions * PER_MILLE < passing << FRACTION_BITS
    open_now = eligible[passes[eligible]]
    if open_now.size:
        index = best_of(view, utility, open_now)
        place = _place(view, utility, eligible, index)
        if place < most:
            return Choice(index=index, considered=place + 1, drawn=place)
    order = ranked(view, utility, eligible)[:most]
    place = _first_to_pass(view.chance, passing[order].tolist())
    return Choice(index=int(order[place]), considered=order.size, drawn=place)


def _place(view: SectionView, utility: Utility, eligible: Integers, index: int) -> int:
    """How many eligible items are ranked before one."""
    values, ties = utility[eligible], view.pool.ties
    level = utility[index]
    equals = eligible[values == level]
    return int((values > level).sum() + (ties[equals] < ties[index]).sum())


def _first_to_pass(chance: Chance, per_mille: list[int]) -> int:
    """A place drawn in proportion to k_1, (1 - k_1) k_2, (1 - k_1)(1 - k_2) k_3 ..., in whole numbers."""
    weights, left = [], CERTAIN
    for parameter in per_mille:
        taken = left * parameter // PER_MILLE
        weights.append(taken)
        left -= taken
    total = sum(weights)
    if not total:
        return 0
    mark = chance.below("exposure last resort", total)
    for place, weight in enumerate(weights):
        mark -= weight
        if mark < 0:
            return place
    raise AssertionError("a mark below the total lies within a weight")
