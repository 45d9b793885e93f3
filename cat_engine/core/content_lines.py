"""The lines of a section's blueprint over its pool: what each item adds to each line, and what may come next.

Rules that choose item by item look one item ahead (with the items that an item set commits to); what only a
whole test can show - lines of several attributes that squeeze each other - is the shadow test's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.content_amounts import ATTRIBUTES, ITEM_SETS, SUMMED, amounts
from cat_engine.core.exact import Floats, Integers
from cat_engine.core.pool import Pool
from cat_engine.core.pool_facts import kept_with_pool
from cat_engine.core.test_package import Constraint
from cat_engine.core.views import SectionView

NO_LIMIT = 1 << 40
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines as columns: `amount` (k, n); `committed` (k, n), what an item brings with it as the opener of
    its set; `size` (n,), of how many items that is; limits, weights and marks (k,).

    `order` numbers the lines that may give way, the first to give way first.
    """

    constraints: tuple[Constraint, ...]
    amount: Integers
    committed: Integers
    size: Integers
    minimum: Integers
    maximum: Integers
    strict: Mask
    order: tuple[int, ...]

    def names(self, chosen: Mask) -> tuple[str, ...]:
        """Names of the lines in a mask (k,)."""
        return tuple(self.constraints[line].name for line in np.flatnonzero(chosen))


@kept_with_pool
def lines_of(pool: Pool) -> Lines | None:
    """The section's lines, or None where it has none."""
    constraints = pool.section.constraints
    if not constraints:
        return None
    amount = np.array([amounts(line, pool.items) for line in constraints], dtype=np.int64)
    committed, size = _commitments(pool, amount)
    for number, line in enumerate(constraints):
        if line.attribute == ITEM_SETS:
            committed[number] = amount[number]
    may_give_way = [number for number, line in enumerate(constraints) if not line.strict]
    return Lines(
        constraints=constraints,
        amount=amount,
        committed=committed,
        size=size,
        minimum=np.array([line.minimum for line in constraints], dtype=np.int64),
        maximum=np.array([NO_LIMIT if x.maximum is None else x.maximum for x in constraints], dtype=np.int64),
        strict=np.array([line.strict for line in constraints], dtype=np.bool_),
        order=tuple(sorted(may_give_way, key=lambda number: constraints[number].priority)),
    )


def _commitments(pool: Pool, amount: Integers) -> tuple[Integers, Integers]:
    """What opening a set with each item brings in any case: the least amounts of the items it must still
    have; of an ordered set those that follow.
    """
    committed, size = amount.copy(), np.ones(pool.size, dtype=np.int64)
    for set_id, columns in pool.columns_of_set.items():
        more = min(pool.item_sets[set_id].minimum_items, columns.size) - 1
        if more < 1:
            continue
        size[columns] = more + 1
        for place, column in enumerate(columns):
            others = np.delete(amount[:, columns], place, axis=1)
            if pool.item_sets[set_id].ordered:
                committed[:, column] += amount[:, columns[place + 1 : place + 1 + more]].sum(axis=1)
            else:
                committed[:, column] += np.sort(others, axis=1)[:, :more].sum(axis=1)
    return committed, size


def counts(pool: Pool, lines: Lines, shown: Sequence[int]) -> Integers:
    """How much of each line the shown columns have, (k,)."""
    found: Integers = lines.amount[:, list(shown)].sum(axis=1)
    begun = len({pool.items[column].item_set for column in shown} - {""})
    for number, line in enumerate(lines.constraints):
        if line.attribute == ITEM_SETS:
            found[number] = begun
    return found


def exceeded(pool: Pool, shown: Sequence[int], column: int) -> tuple[str, ...]:
    """The lines that one more item would take above their maximum, by name."""
    lines = lines_of(pool)
    if lines is None:
        return ()
    before, after = counts(pool, lines, shown), counts(pool, lines, (*shown, column))
    return lines.names((after > lines.maximum) & (after > before))


def unmet(pool: Pool, shown: Sequence[int]) -> tuple[str, ...]:
    """The lines that did not reach their minimum, by name."""
    lines = lines_of(pool)
    return () if lines is None else lines.names(counts(pool, lines, shown) < lines.minimum)


def within_maxima(pool: Pool, shown: Sequence[int], columns: Integers) -> Integers:
    """Those of the columns that take no strict line above its maximum."""
    lines = lines_of(pool)
    if lines is None or not columns.size:
        return columns
    sets = np.array([line.attribute == ITEM_SETS for line in lines.constraints])
    over = _over(lines, counts(pool, lines, shown), lines.amount[:, columns])
    kept: Integers = columns[~(over & (lines.strict & ~sets)[:, None]).any(axis=0)]
    return kept


def _over(lines: Lines, have: Integers, added: Integers) -> Mask:
    """Which lines (k,) each of some columns would take above their maximum, (k, columns)."""
    return np.asarray((have[:, None] + added > lines.maximum[:, None]) & (added > 0), dtype=np.bool_)


def strictly_allowed(view: SectionView, free: Mask) -> tuple[Mask, tuple[str, ...]]:
    """The free items that break no strict line, and strict lines whose minimum nothing can reach any more.

    A maximum is never exceeded: the mask may be empty, and the names are then those of the maxima in the way.
    An item is kept back when the items left after it (and after what its set commits to) could not meet the
    strict minima of one attribute.
    """
    lines = lines_of(view.pool)
    if lines is None or not lines.strict.any():
        return free, ()
    columns = np.flatnonzero(free)
    have = counts(view.pool, lines, view.answered)
    after = have[:, None] + lines.committed[:, columns]
    over = _over(lines, have, lines.committed[:, columns]) & lines.strict[:, None]
    fits = ~over.any(axis=0)
    if not fits.any():
        return np.zeros_like(free), lines.names(np.asarray(over.any(axis=1)))
    columns, after = columns[fits], after[:, fits]
    left = view.items_left - lines.size[columns]
    out_of_reach = np.zeros(len(lines.constraints), dtype=np.bool_)
    keeps = np.ones(columns.size, dtype=np.bool_)
    for group, need in _needs(lines, after):
        reachable = need <= left
        if (keeps & reachable).any():
            keeps &= reachable
        else:
            out_of_reach[group] = True
    allowed = np.zeros(free.size, dtype=np.bool_)
    allowed[columns[keeps]] = True
    return allowed, lines.names(out_of_reach & (lines.minimum > have))


def helping_strict_minima(view: SectionView) -> Mask | None:
    """The free items that bring a strict line nearer to a minimum it has not reached yet, (n,); None where no
    such line is left.

    A line that the free items can no longer fill in the places left is not waited for.
    """
    lines = lines_of(view.pool)
    if lines is None or not view.items_left:
        return None
    have = counts(view.pool, lines, view.answered)
    short = np.flatnonzero(lines.strict & (have < lines.minimum))
    if not short.size:
        return None
    free = view.unseen
    falling = -np.sort(-lines.amount[short][:, free], axis=1)
    reach = have[short] + falling[:, : view.items_left].sum(axis=1)
    due = short[reach >= lines.minimum[short]]
    return free & (lines.committed[due] > 0).any(axis=0) if due.size else None


def _needs(lines: Lines, after: Integers) -> list[tuple[list[int], Integers]]:
    """For each attribute: its strict lines with a minimum, and how many more items they need at least after
    each item that may come, (columns,).
    """
    found = []
    for attribute in ATTRIBUTES:
        group = [
            number
            for number, line in enumerate(lines.constraints)
            if line.attribute == attribute and line.strict and line.minimum
        ]
        if not group:
            continue
        deficit = np.maximum(lines.minimum[group, None] - after[group], 0)
        if attribute in SUMMED:
            largest = np.maximum(lines.amount[group].max(axis=1), 1)
            total = np.asarray(-(-deficit // largest[:, None])).max(axis=0)
        elif attribute == ITEM_SETS:
            total = deficit.max(axis=0)
        else:
            values = [lines.constraints[number].value for number in group]
            by_value = {value: np.zeros_like(deficit[0]) for value in values}
            for value, line in zip(values, deficit, strict=True):
                by_value[value] = np.maximum(by_value[value], line)
            together = np.stack(list(by_value.values()))
            total = area_demand(list(by_value), together) if attribute == "area" else together.sum(axis=0)
        found.append((group, total))
    return found


def area_demand(areas: Sequence[str], deficit: Integers) -> Integers:
    """How many items the deficits (lines, ...) of areas need together: an item counts in its area and in
    every area above it.
    """
    need = deficit.copy()
    by_depth = sorted(range(len(areas)), key=lambda number: -areas[number].count("."))
    below = np.zeros_like(deficit)
    total = np.zeros(deficit.shape[1:], dtype=np.int64)
    for number in by_depth:
        need[number] = np.maximum(need[number], below[number])
        above = [other for other in by_depth if areas[number].startswith(f"{areas[other]}.")]
        if above:
            below[max(above, key=lambda other: len(areas[other]))] += need[number]
        else:
            total += need[number]
    return total


def give_way(lines: Lines, have: Integers, columns: Integers) -> tuple[Mask, Mask]:
    """Which of the columns may come when lines give way in their order, and which lines gave way.

    As few lines as that order allows: first enough of them, then those are taken back without which some item
    still fits.
    """
    over = _over(lines, have, lines.committed[:, columns]) & ~lines.strict[:, None]
    relaxed = np.zeros(have.size, dtype=np.bool_)
    for line in lines.order:
        if not _broken(over, relaxed).all():
            break
        relaxed[line] = True
    for line in reversed([line for line in lines.order if relaxed[line]]):
        relaxed[line] = False
        if _broken(over, relaxed).all():
            relaxed[line] = True
    return ~_broken(over, relaxed), relaxed


def _broken(over: Mask, relaxed: Mask) -> Mask:
    return np.asarray((over & ~relaxed[:, None]).any(axis=0), dtype=np.bool_)


def rising_from_nothing(utility: Integers) -> Floats:
    """Utilities (n,) as numbers above 0, for rules that multiply them: as they are, or where one is not above
    0 in parts of their range, with a floor of one thousandth.
    """
    values = utility.astype(np.float64)
    least = float(values.min(initial=0.0))
    if values.size and float(values.min()) > 0.0:
        return values
    spread = float(values.max(initial=0.0)) - least
    return (values - least) / spread + 1e-3 if spread > 0.0 else np.ones_like(values)
