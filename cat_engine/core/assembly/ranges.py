"""The exact shortcut for a blueprint of nested count ranges.

If every line only counts items and any two lines are nested or apart (areas and their subareas), the best
value of a line's items as a function of how many are used is concave, and a line above takes the best of the
lines below by merging their gains in descending order (Federgruen and Groenevelt, 1986). So a sort decides;
no solver.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.assembly.constraints import Constraints
from cat_engine.core.exact import Integers
from cat_engine.core.pool import NO_ITEMS

TAKEN = np.int64(1 << 62)  # above every cost: an item administered comes first everywhere


@dataclass(frozen=True, eq=False)
class Range:
    """A line: its own columns (of no line below it), the lines below it, how many items it takes."""

    own: Integers
    below: tuple["Range", ...]
    minimum: int
    maximum: int


def ranges_of(constraints: Constraints) -> Range | None:
    """The tree of lines with the whole test on top, None if the blueprint has any other kind of line."""
    if constraints.totals or constraints.item_sets or constraints.enemies:
        return None
    if any(set_count.minimum for set_count in constraints.set_counts):
        return None
    if any(count.minimum > count.columns.size for count in constraints.counts):
        return None
    order = sorted((c for c in constraints.counts if c.columns.size), key=lambda count: count.columns.size)
    masks = [_mask(count.columns, constraints.size) for count in order]
    for place, mask in enumerate(masks):
        for larger in masks[place + 1 :]:
            common = int((mask & larger).sum())
            if common not in (0, int(mask.sum())):
                return None
    tops: list[tuple[NDArray[np.bool_], Range]] = []
    for count, mask in zip(order, masks, strict=True):
        maximum = count.columns.size if count.maximum is None else count.maximum
        tops = _put_above(tops, mask, count.minimum, maximum)
    everything = np.ones(constraints.size, dtype=np.bool_)
    length = constraints.length
    return _put_above(tops, everything, length.minimum, length.maximum)[0][1]


def best_in_ranges(
    tree: Range, costs: Integers, allowed: NDArray[np.bool_], musts: Integers
) -> Integers | None:
    """The columns of the best test, ascending; None if no test has all `musts` and meets every line.

    Only `allowed` columns are used; `musts` must be among them. costs and allowed: (n,).
    """
    worth = costs.copy()
    worth[musts] = TAKEN
    merged = _merged(tree, worth, allowed)
    if merged is None:
        return None
    held, gains = merged
    chosen = np.sort(np.concatenate([held, gains[worth[gains] > 0]]))
    return chosen if np.isin(musts, chosen, assume_unique=True).all() else None


def _merged(line: Range, worth: Integers, allowed: NDArray[np.bool_]) -> tuple[Integers, Integers] | None:
    """The columns of the line at its minimum, and those it would add, best first, up to its maximum."""
    held: list[Integers] = []
    gains = [line.own[allowed[line.own]]]
    for below in line.below:
        part = _merged(below, worth, allowed)
        if part is None:
            return None
        held.append(part[0])
        gains.append(part[1])
    taken = np.concatenate(held) if held else NO_ITEMS
    rest = np.concatenate(gains)
    rest = rest[np.argsort(-worth[rest], kind="stable")][: max(0, line.maximum - taken.size)]
    due = max(0, line.minimum - taken.size)
    if taken.size > line.maximum or rest.size < due:
        return None
    return np.concatenate([taken, rest[:due]]), rest[due:]


def _put_above(
    tops: list[tuple[NDArray[np.bool_], Range]], mask: NDArray[np.bool_], minimum: int, maximum: int
) -> list[tuple[NDArray[np.bool_], Range]]:
    inside = [(top, line) for top, line in tops if (top & mask).any()]
    own = mask.copy()
    for top, _ in inside:
        own &= ~top
    below = tuple(line for _, line in inside)
    kept = [(top, line) for top, line in tops if not (top & mask).any()]
    return [*kept, (mask, Range(np.flatnonzero(own), below, minimum, maximum))]


def _mask(columns: Integers, size: int) -> NDArray[np.bool_]:
    mask = np.zeros(size, dtype=np.bool_)
    mask[columns] = True
    return mask
