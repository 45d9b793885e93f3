"""A section's content specification as the lines of a shadow test."""

from collections.abc import Sequence

import numpy as np

from cat_engine.core.assembly import constraints as lines
from cat_engine.core.assembly.assembler import Assembler
from cat_engine.core.assembly.conflicts import conflict
from cat_engine.core.content_amounts import ITEM_SETS, SUMMED, amounts
from cat_engine.core.exact import Integers
from cat_engine.core.pool import Pool
from cat_engine.core.pool_facts import kept_with_pool
from cat_engine.core.test_package import ItemSet, PoolItem, Section

LEAST_URGENT = 0
"""The priority of shares: the first to give way."""


@kept_with_pool
def assembler_of(pool: Pool, length: int) -> Assembler:
    """The assembler of a pool's section for tests of this length; built once."""
    return Assembler(blueprint_of(pool.section, pool.items, length), pool.ties)


def problem_of(section: Section, items: Sequence[PoolItem], length: int) -> str:
    """Why no test of this length can meet the section's strict lines, or ""."""
    if length > len(items):
        return f"a test of {length} items from a pool of {len(items)}"
    try:
        blueprint = blueprint_of(section, items, length)
    except ValueError as error:
        return str(error)
    names = conflict(blueprint, hard_only=True)
    return "no test meets these lines together: " + ", ".join(names) if names else ""


def blueprint_of(section: Section, items: Sequence[PoolItem], length: int) -> lines.Constraints:
    """Every line of the section over the columns of its pool.

    A share p of the blueprint asks for p L items, rounded down at least and rounded up at most. Strict lines,
    sets and enemies are never broken; the others give way by their priority, shares first.
    """
    item_sets, never = _item_sets(section, items)
    counts: list[lines.Count] = []
    totals: list[lines.Total] = []
    set_counts: list[lines.SetCount] = []
    for share in section.blueprint:
        low, rest = divmod(share.per_mille * length, 1000)
        counts.append(
            lines.Count(
                f"share {share.area}", _in_area(items, share.area), low, low + bool(rest), LEAST_URGENT
            )
        )
    for line in section.constraints:
        priority = None if line.strict else line.priority
        held = amounts(line, items)
        if line.attribute in SUMMED:
            values = np.array(held, dtype=np.int64)
            totals.append(lines.Total(line.name, values, line.minimum, line.maximum, priority))
        elif line.attribute == ITEM_SETS:
            places = tuple(range(len(item_sets)))
            set_counts.append(lines.SetCount(line.name, places, line.minimum, line.maximum, priority))
        else:
            counts.append(lines.Count(line.name, _where(held), line.minimum, line.maximum, priority))
    return lines.Constraints(
        size=len(items),
        length=lines.Length(length, length),
        counts=tuple(counts),
        totals=tuple(totals),
        item_sets=item_sets,
        set_counts=tuple(set_counts),
        enemies=_enemies(items),
        excluded=never,
    )


def _in_area(items: Sequence[PoolItem], area: str) -> Integers:
    return _where([item.area == area or item.area.startswith(area + ".") for item in items])


def _where(mask: Sequence[int]) -> Integers:
    return np.flatnonzero(np.array(mask, dtype=np.bool_)).astype(np.int64)


def _item_sets(section: Section, items: Sequence[PoolItem]) -> tuple[tuple[lines.ItemSet, ...], Integers]:
    """Sets as they may be used, and the columns that may not.

    Of a set whose items have an order the first items are used, as many as it allows, or none.
    """
    limits = {item_set.set_id: item_set for item_set in section.item_sets}
    found, never = [], []
    for set_id in sorted({item.item_set for item in items if item.item_set}):
        columns = _where([item.item_set == set_id for item in items])
        limit = limits.get(set_id, ItemSet(set_id=set_id))
        most = min(limit.maximum_items or columns.size, columns.size)
        least = max(limit.minimum_items, 1)
        if limit.ordered:
            least = most
            ordered = sorted(columns.tolist(), key=lambda column: items[column].set_order)
            columns = np.array(sorted(ordered[:most]), dtype=np.int64)
            never += ordered[most:]
        found.append(lines.ItemSet(f"item set {set_id}", columns, least, most))
    return tuple(found), np.array(sorted(never), dtype=np.int64)


def _enemies(items: Sequence[PoolItem]) -> tuple[lines.Enemies, ...]:
    column = {item.item_id: index for index, item in enumerate(items)}
    pairs = {
        (min(index, column[other]), max(index, column[other]))
        for index, item in enumerate(items)
        for other in item.enemies
        if other in column
    }
    return tuple(
        lines.Enemies(f"enemies {items[one].code} {items[other].code}", np.array([one, other]))
        for one, other in sorted(pairs)
    )
