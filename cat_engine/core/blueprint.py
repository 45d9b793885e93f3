"""Content constraints: what may come next.

Content is balanced by the largest deficit (after Kingsbury and Zara, 1989): the line of the blueprint that is
furthest behind its share is due next. A line whose items are used up is passed over and named in the event: a
blueprint that cannot be met is never bent in silence.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cat_engine.core.exact import Integers
from cat_engine.core.tables import NO_ITEMS, Pool


@dataclass(frozen=True)
class Eligible:
    """The items that may come next (columns of the pool), the line that is due, and the lines passed over."""

    indices: Integers
    area: str
    relaxed: tuple[str, ...]


def eligible(pool: Pool, seen: Iterable[int], seen_items: Iterable[str]) -> Eligible:
    """Items not seen, not enemies of any item seen, in the line that is due.

    `seen` are columns of this pool, `seen_items` the identities of all items of the sitting: enemies keep
    away from each other across sections, and an item is never asked twice.
    """
    free = np.ones(pool.size, dtype=np.bool_)
    counts = np.zeros(len(pool.section.blueprint), dtype=np.int64)
    total = 0
    for index in seen:
        total += 1
        if pool.area[index] >= 0:
            counts[pool.area[index]] += 1
    for item_id in seen_items:
        free[pool.barred_by.get(item_id, NO_ITEMS)] = False
    if not pool.section.blueprint:
        return Eligible(np.flatnonzero(free), "", ())
    shares = np.array([share.per_mille for share in pool.section.blueprint], dtype=np.int64)
    deficits = shares * (total + 1) - 1000 * counts
    relaxed: list[str] = []
    for line in np.argsort(-deficits, kind="stable"):
        indices = np.flatnonzero(free & (pool.area == line))
        area = pool.section.blueprint[int(line)].area
        if indices.size:
            return Eligible(indices, area, tuple(relaxed))
        relaxed.append(area)
    return Eligible(NO_ITEMS, "", tuple(relaxed))
