"""A section's content specification as the lines of a shadow test."""

from collections.abc import Sequence

import numpy as np

from cat_engine.core.assembly import constraints as lines
from cat_engine.core.assembly.assembler import Assembler
from cat_engine.core.assembly.conflicts import conflict
from cat_engine.core.exact import Integers, exponential
from cat_engine.core.pool import Pool
from cat_engine.core.pool_facts import kept_with_pool
from cat_engine.core.test_package import Constraint, PoolItem, Section

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
    item_sets = _item_sets(section, items)
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
        if line.attribute in {"words", "seconds"}:
            values = _values(items, line.attribute)
            totals.append(lines.Total(line.name, values, line.minimum, line.maximum, priority))
        elif line.attribute == "item_sets":
            places = tuple(range(len(item_sets)))
            set_counts.append(lines.SetCount(line.name, places, line.minimum, line.maximum, priority))
        else:
            columns = columns_of(items, line)
            counts.append(lines.Count(line.name, columns, line.minimum, line.maximum, priority))
    return lines.Constraints(
        size=len(items),
        length=lines.Length(length, length),
        counts=tuple(counts),
        totals=tuple(totals),
        item_sets=item_sets,
        set_counts=tuple(set_counts),
        enemies=_enemies(items),
    )


def columns_of(items: Sequence[PoolItem], line: Constraint) -> Integers:
    """The columns that a counted line speaks of."""
    if line.attribute == "area":
        return _in_area(items, line.value)
    if line.attribute == "key":
        return _where([str(key_position(item)) == line.value for item in items])
    if line.attribute == "interaction":
        return _where([item.interaction == line.value for item in items])
    if line.attribute == "item_set":
        return _where([item.item_set == line.value for item in items])
    raise ValueError(f"{line.name} counts {line.attribute}, which items do not have")


def key_position(item: PoolItem) -> int:
    """The place of the best option, from 1."""
    return item.option_points.index(item.points_maximum) + 1


def expected_seconds(item: PoolItem) -> int:
    """exp(beta + 1 / (2 alpha^2)), rounded: the mean lognormal time of a candidate of average speed."""
    if item.time_intensity is None or item.time_discrimination is None:
        return 0
    exponent = item.time_intensity + 0.5 / (item.time_discrimination * item.time_discrimination)
    return round(float(exponential(np.array([exponent]))[0]))


def _values(items: Sequence[PoolItem], attribute: str) -> Integers:
    if attribute == "words":
        return np.array([item.word_count for item in items], dtype=np.int64)
    return np.array([expected_seconds(item) for item in items], dtype=np.int64)


def _in_area(items: Sequence[PoolItem], area: str) -> Integers:
    return _where([item.area == area or item.area.startswith(area + ".") for item in items])


def _where(mask: list[bool]) -> Integers:
    return np.flatnonzero(np.array(mask, dtype=np.bool_)).astype(np.int64)


def _item_sets(section: Section, items: Sequence[PoolItem]) -> tuple[lines.ItemSet, ...]:
    """Sets as they may be used; one whose items have an order is used whole or not at all."""
    limits = {item_set.set_id: item_set for item_set in section.item_sets}
    found = []
    for set_id in sorted({item.item_set for item in items if item.item_set}):
        columns = _where([item.item_set == set_id for item in items])
        limit = limits.get(set_id)
        least = 1 if limit is None else limit.minimum_items
        most = columns.size if limit is None or limit.maximum_items is None else limit.maximum_items
        if limit is not None and limit.ordered:
            least = most = columns.size
        found.append(lines.ItemSet(f"item set {set_id}", columns, max(least, 1), min(most, columns.size)))
    return tuple(found)


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
