"""The lines of a blueprint over the columns of a pool.

Each line has a name and a priority. `None` means hard: the line is never broken. A number means that the line
may give way when nothing fits, the lowest number first (relaxation.py). Columns count from 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cat_engine.core.exact import Integers
from cat_engine.core.pool import NO_ITEMS

LARGEST_VALUE = 1 << 20  # words, seconds: larger values of one item would cost exactness


class InfeasibleBlueprint(Exception):
    """No test meets these lines together, and none of them may give way.

    `names` is a conflicting subset from which no line can be left out, if it was looked for to the end.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__("no test meets these lines together: " + ", ".join(names))
        self.names = names


@dataclass(frozen=True)
class Length:
    """How many items the whole test has."""

    minimum: int
    maximum: int
    priority: int | None = None
    name: str = "length"


@dataclass(frozen=True, eq=False)
class Count:
    """How many of these items: an area, a level, a format, a position of the key. Lines may overlap."""

    name: str
    columns: Integers
    minimum: int = 0
    maximum: int | None = None
    priority: int | None = None


@dataclass(frozen=True, eq=False)
class Total:
    """The sum of a number over the chosen items: words, expected seconds. One value (n,) per column."""

    name: str
    values: Integers
    minimum: int = 0
    maximum: int | None = None
    priority: int | None = None


@dataclass(frozen=True, eq=False)
class ItemSet:
    """Items of one stimulus: none of them, or between minimum (at least 1) and maximum."""

    name: str
    columns: Integers
    minimum: int = 1
    maximum: int | None = None
    priority: int | None = None


@dataclass(frozen=True)
class SetCount:
    """How many of these item sets (their places in `Constraints.item_sets`) are used."""

    name: str
    sets: tuple[int, ...]
    minimum: int = 0
    maximum: int | None = None
    priority: int | None = None


@dataclass(frozen=True, eq=False)
class Enemies:
    """Items of which at most one may be used."""

    name: str
    columns: Integers
    priority: int | None = None


Line = Length | Count | Total | ItemSet | SetCount | Enemies


@dataclass(frozen=True, eq=False)
class Constraints:
    """A blueprint over a pool of `size` columns; refused (ValueError, naming the line) when it is malformed.

    `excluded` columns are never used (unless already taken), `forced` ones always. An item outside all sets
    is discrete; an item belongs to one set at most.
    """

    size: int
    length: Length
    counts: tuple[Count, ...] = ()
    totals: tuple[Total, ...] = ()
    item_sets: tuple[ItemSet, ...] = ()
    set_counts: tuple[SetCount, ...] = ()
    enemies: tuple[Enemies, ...] = ()
    excluded: Integers = field(default_factory=lambda: NO_ITEMS)
    forced: Integers = field(default_factory=lambda: NO_ITEMS)

    def __post_init__(self) -> None:
        names = [line.name for line in self.lines()]
        for name in names:
            _refuse(not name, "a line", "has no name")
            _refuse(names.count(name) > 1, name, "is the name of two lines")
        _refuse(self.length.minimum < 1, self.length.name, "is less than one item")
        _refuse(self.length.maximum > self.size, self.length.name, "is more than the pool has")
        _refuse(
            self.length.minimum > self.length.maximum, self.length.name, "has its minimum above its maximum"
        )
        for line in self.lines():
            if isinstance(line, Count | ItemSet | Enemies):
                _check_columns(line.name, line.columns, self.size)
            if not isinstance(line, Enemies):
                _check_range(line.name, line.minimum, line.maximum)
            if isinstance(line, Total):
                _check_values(line, self.size)
        self._check_sets()
        _check_columns("excluded", self.excluded, self.size)
        _check_columns("forced", self.forced, self.size)
        _refuse(np.intersect1d(self.excluded, self.forced).size > 0, "forced", "has an excluded item")

    def _check_sets(self) -> None:
        used = np.zeros(self.size, dtype=np.int64)
        for item_set in self.item_sets:
            _refuse(item_set.minimum < 1, item_set.name, "is used with no item of it")
            used[item_set.columns] += 1
            _refuse(
                bool((used[item_set.columns] > 1).any()), item_set.name, "shares an item with another set"
            )
        for set_count in self.set_counts:
            _refuse(len(set(set_count.sets)) != len(set_count.sets), set_count.name, "names a set twice")
            for place in set_count.sets:
                _refuse(not 0 <= place < len(self.item_sets), set_count.name, f"has no set {place}")

    def lines(self) -> Iterator[Line]:
        """Every line, in the order in which relaxation and conflicts report them."""
        yield self.length
        yield from self.counts
        yield from self.totals
        yield from self.item_sets
        yield from self.set_counts
        yield from self.enemies


def counts_by(
    attribute: str,
    labels: Sequence[str],
    ranges: Mapping[str, tuple[int, int | None]],
    priority: int | None = None,
) -> tuple[Count, ...]:
    """One line "attribute label" for each label's (minimum, maximum); `labels` has one label per column."""
    column_labels = np.asarray(labels, dtype=object)
    return tuple(
        Count(
            name=f"{attribute} {label}",
            columns=np.flatnonzero(column_labels == label),
            minimum=minimum,
            maximum=maximum,
            priority=priority,
        )
        for label, (minimum, maximum) in ranges.items()
    )


def penalised(utility: Integers, ineligible: np.typing.NDArray[np.bool_], penalty: int) -> Integers:
    """Utility less a penalty for items that should rest (the big-M form of item eligibility).

    With a penalty above the sum of the largest utilities of a whole test an ineligible item is used only
    where the blueprint cannot be met without it (van der Linden and Veldkamp, 2007). (n,), (n,) -> (n,).
    """
    _refuse(penalty < 0, "penalty", "is negative")
    return np.where(ineligible, utility - penalty, utility)


def _check_columns(name: str, columns: Integers, size: int) -> None:
    _refuse(
        columns.ndim != 1 or columns.dtype.kind not in "iu", name, "has columns that are no row of integers"
    )
    _refuse(bool(((columns < 0) | (columns >= size)).any()), name, f"has a column outside the pool of {size}")
    _refuse(np.unique(columns).size != columns.size, name, "has a column twice")


def _check_range(name: str, minimum: int, maximum: int | None) -> None:
    _refuse(minimum < 0, name, "has a negative minimum")
    _refuse(maximum is not None and minimum > maximum, name, "has its minimum above its maximum")


def _check_values(total: Total, size: int) -> None:
    values = total.values
    _refuse(
        values.shape != (size,) or values.dtype.kind not in "iu", total.name, "needs one integer per column"
    )
    too_large = bool(((values < 0) | (values > LARGEST_VALUE)).any())
    _refuse(too_large, total.name, f"has a value outside 0 to {LARGEST_VALUE}")


def _refuse(bad: bool, name: str, reason: str) -> None:
    if bad:
        raise ValueError(f"{name} {reason}")
