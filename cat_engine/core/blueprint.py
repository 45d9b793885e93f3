"""What may come next whatever the rules prefer: no item twice, no enemies, item sets kept together."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.exact import Integers
from cat_engine.core.pool import NO_ITEMS, Pool
from cat_engine.core.test_package import ItemSet


def free_items(pool: Pool, seen_items: Iterable[str]) -> NDArray[np.bool_]:
    """Items not seen and not enemies of any item seen, a mask over the pool.

    `seen_items` are the identities of all items of the sitting: enemies keep away from each other across
    sections, and an item is never asked twice.
    """
    free = np.ones(pool.size, dtype=np.bool_)
    for item_id in seen_items:
        free[pool.barred_by.get(item_id, NO_ITEMS)] = False
    return free


def begun_set(pool: Pool, shown: tuple[int, ...]) -> ItemSet | None:
    """The item set of the last item shown (columns), unless as many of its items as it allows were shown."""
    item_set = pool.item_sets.get(pool.items[shown[-1]].item_set) if shown else None
    if item_set is None:
        return None
    given = sum(pool.items[column].item_set == item_set.set_id for column in shown)
    limit = item_set.maximum_items
    return item_set if limit is None or given < limit else None


def within_set(pool: Pool, item_set: ItemSet, free: NDArray[np.bool_]) -> Integers:
    """The free items of a set; of an ordered one, the next."""
    columns = pool.columns_of_set[item_set.set_id]
    rest = columns[free[columns]]
    return rest[:1] if item_set.ordered else rest


def set_openers(pool: Pool, free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without items that may not open their set: of sets left, and all but the first of ordered."""
    if not pool.item_sets:
        return free
    opening = free.copy()
    for set_id, columns in pool.columns_of_set.items():
        item_set = pool.item_sets[set_id]
        if not free[columns].all() or columns.size < item_set.minimum_items:
            opening[columns] = False
        elif item_set.ordered:
            opening[columns[1:]] = False
    return opening
