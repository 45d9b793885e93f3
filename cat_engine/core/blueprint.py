"""What may come next whatever the rules prefer: no item twice, no enemies, item sets kept together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.exact import Integers
from cat_engine.core.pool import Pool
from cat_engine.core.pool_facts import kept_with_pool
from cat_engine.core.test_package import ItemSet


def free_items(pool: Pool, seen_items: Iterable[str]) -> NDArray[np.bool_]:
    """Items not seen and not enemies of any item seen, a mask over the pool.

    `seen_items` are the identities of all items of the sitting: enemies keep away from each other across
    sections, and an item is never asked twice.
    """
    barred: list[int] = []
    barred_by = pool.barred_by
    for item_id in seen_items:
        barred += barred_by.get(item_id, ())
    free = pool.every_item.copy()
    free[barred] = False
    return free


def begun_set(pool: Pool, shown: tuple[int, ...]) -> ItemSet | None:
    """The item set of the last item shown (columns), unless as many of its items as it allows were shown."""
    item_set = pool.item_sets.get(pool.items[shown[-1]].item_set) if shown and pool.item_sets else None
    if item_set is None:
        return None
    given = sum(pool.items[column].item_set == item_set.set_id for column in shown)
    limit = item_set.maximum_items
    return item_set if limit is None or given < limit else None


def within_set(
    pool: Pool, item_set: ItemSet, shown: Sequence[int], free: NDArray[np.bool_]
) -> tuple[Integers, int]:
    """The free items of a set that may follow those shown, and how many of them its minimum still asks for.

    Of an ordered set those after the last that was shown, in their order.
    """
    columns = pool.columns_of_set[item_set.set_id]
    given = np.flatnonzero(np.isin(columns, shown))
    after = columns[given[-1] + 1 :] if item_set.ordered and given.size else columns
    return after[free[after]], max(item_set.minimum_items - given.size, 0)


def going_on(item_set: ItemSet, rest: Integers, due: int, allowed: NDArray[np.bool_] | None) -> Integers:
    """Which of the rest of a set may come next when `due` more must and exposure control allows some.

    Items it allows come first; one that it keeps back comes only where the others are too few for what is
    due. An ordered set passes over the items kept back as long as those behind them suffice.
    """
    may = rest if allowed is None else rest[allowed[rest]]
    if item_set.ordered:
        return (may if may.size >= due else rest)[:1]
    return may if may.size or not due else rest


@dataclass(frozen=True, eq=False)
class SetLayout:
    """The item sets of a pool as columns: `members` set by set, each in its order, a set's from `starts` on.

    `of` (members,) numbers each member's set and `number` (n,) each item's, -1 for an item in none; `minimum`
    and `ordered` (sets,).
    """

    members: Integers
    starts: Integers
    of: Integers
    number: Integers
    minimum: Integers
    ordered: NDArray[np.bool_]


@kept_with_pool
def set_layout(pool: Pool) -> SetLayout | None:
    """The sets that have items, or None where there is none."""
    held = [
        (pool.item_sets[set_id], columns) for set_id, columns in pool.columns_of_set.items() if columns.size
    ]
    if not held:
        return None
    sizes = np.array([columns.size for _, columns in held], dtype=np.int64)
    members = np.concatenate([columns for _, columns in held])
    of = np.repeat(np.arange(sizes.size), sizes)
    number = np.full(pool.size, -1, dtype=np.int64)
    number[members] = of
    return SetLayout(
        members=members,
        starts=np.cumsum(sizes) - sizes,
        of=of,
        number=number,
        minimum=np.array([item_set.minimum_items for item_set, _ in held], dtype=np.int64),
        ordered=np.array([item_set.ordered for item_set, _ in held], dtype=np.bool_),
    )


def set_openers(
    pool: Pool, free: NDArray[np.bool_], shown: Sequence[int] = (), items_left: int | None = None
) -> NDArray[np.bool_]:
    """The mask without items that may not open their set.

    A set was left and stays closed; has fewer free items than its minimum (enemies took them); or its minimum
    no longer fits in the items left, where it is said how many those are. An ordered set is opened by its
    first free item only.
    """
    layout = set_layout(pool)
    if layout is None:
        return free
    member_free = free[layout.members]
    available = np.add.reduceat(member_free.astype(np.int64), layout.starts)
    may = available >= layout.minimum
    if items_left is not None:
        may &= layout.minimum <= items_left
    begun = layout.number[list(shown)]
    may[begun[begun >= 0]] = False
    place = np.arange(layout.members.size)
    first = np.minimum.reduceat(np.where(member_free, place, place.size), layout.starts)
    opens = may[layout.of] & (~layout.ordered[layout.of] | (place == first[layout.of]))
    opening = free.copy()
    opening[layout.members] = member_free & opens
    return opening
