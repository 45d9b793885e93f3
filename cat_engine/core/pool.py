"""The columns a sitting computes with: one section's part of a package's tables, shared by all sittings."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.exact import UNIT, ExactTable, Integers, exact_table, exponential
from cat_engine.core.tables import (
    GRID_LIMIT_MILLIONTHS,
    GRID_STEP_MILLIONTHS,
    NODE_LIMIT_MILLIONTHS,
    NODE_STEP_MILLIONTHS,
)
from cat_engine.core.test_package import ItemSet, PackageFile, PoolItem, Section, TestPackage

NO_ITEMS: Integers = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Pool:
    """One section's items as columns; shared by every sitting of the package.

    `information` is (grid, n) with rows contiguous, so that a step reads one row; `log_probability` is
    (n, categories, nodes). `ties` orders equals by a hash of the content, so that neither the bank's order
    nor a library's sort decides. `area` numbers the blueprint's content areas, -1 for an item in none.
    """

    section: Section
    items: tuple[PoolItem, ...]
    log_probability: Integers
    information: Integers
    ties: NDArray[np.uint64]
    area: Integers

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self.items)

    def information_at(self, theta_millionths: int) -> Integers:
        """Fisher information of each item at an ability, in billionths, shape (n,).

        Between the points of the grid by the cubic through the four nearest (error below 1e-5 for slopes up
        to 3); beyond the grid its edge.
        """
        row, part = _place(theta_millionths, GRID_LIMIT_MILLIONTHS, GRID_STEP_MILLIONTHS)
        if part == 0:
            found: Integers = self.information[row]
            return found
        first = min(max(row - 1, 0), self.information.shape[0] - 4)
        weights = np.array(_cubic(row - first, part, GRID_STEP_MILLIONTHS), dtype=np.int64)
        total = weights.dot(self.information[first : first + 4])
        total += 1 << (CUBIC_BITS - 1)
        total >>= CUBIC_BITS
        return np.asarray(np.maximum(total, 0, out=total), dtype=np.int64)

    def log_probability_at(self, theta_millionths: int) -> Integers:
        """ln P of each category at an ability, in billionths, (n, categories); interpolated as above."""
        row, part = _place(theta_millionths, NODE_LIMIT_MILLIONTHS, NODE_STEP_MILLIONTHS)
        if part == 0:
            return np.asarray(self.log_probability[:, :, row], dtype=np.int64)
        first = min(max(row - 1, 0), self.log_probability.shape[2] - 4)
        weights = np.array(_cubic(row - first, part, NODE_STEP_MILLIONTHS), dtype=np.int64)
        total = (self.log_probability[:, :, first : first + 4] * weights).sum(axis=2)
        rounded = (total + (1 << (CUBIC_BITS - 1))) >> CUBIC_BITS
        return np.asarray(np.minimum(rounded, 0), dtype=np.int64)

    def log_likelihood(self, answered: tuple[int, ...], categories: tuple[int, ...]) -> Integers:
        """ln L of categories of the answered items (columns) on the nodes, in billionths, read-only.

        Sums of integers are the same in any order, so one more answer is one more row on a sum that is
        remembered.
        """
        found = self._likelihoods.get((answered, categories))
        if found is None:
            before = self._likelihoods.get((answered[:-1], categories[:-1])) if answered else None
            if before is not None:
                found = before + self.log_probability[answered[-1], categories[-1]]
            else:
                found = self.log_probability[list(answered), list(categories)].sum(axis=0)
            if len(self._likelihoods) * found.nbytes >= _REMEMBERED_BYTES:
                self._likelihoods.clear()
            found.setflags(write=False)
            self._likelihoods[answered, categories] = found
        return found

    @cached_property
    def _likelihoods(self) -> dict[tuple[tuple[int, ...], tuple[int, ...]], Integers]:
        return {}

    @cached_property
    def every_item(self) -> NDArray[np.bool_]:
        """A mask of all items, read-only."""
        mask = np.ones(self.size, dtype=np.bool_)
        mask.setflags(write=False)
        return mask

    @cached_property
    def line_of(self) -> tuple[int, ...]:
        """Each item's line of the blueprint, -1 for an item in none."""
        return tuple(self.area.tolist())

    @cached_property
    def columns_of_line(self) -> tuple[Integers, ...]:
        """The columns of each line of the blueprint, ascending."""
        return tuple(np.flatnonzero(self.area == line) for line in range(len(self.section.blueprint)))

    @cached_property
    def has_category(self) -> NDArray[np.bool_]:
        """Which categories exist, (n, categories)."""
        counts = np.array([item.categories for item in self.items], dtype=np.int64)
        return np.arange(self.log_probability.shape[1]) < counts[:, None]

    @cached_property
    def probability(self) -> ExactTable:
        """P of each category on the nodes, matrix (nodes, n * categories); 0 where there is no category."""
        p = exponential(self.log_probability / UNIT) * self.has_category[:, :, None]
        return exact_table(p.reshape(-1, p.shape[2]).T)

    @cached_property
    def log_probability_by_node(self) -> ExactTable:
        """ln P of each category on the nodes, matrix (nodes, n * categories); 0 where there is none."""
        values = self.log_probability.reshape(-1, self.log_probability.shape[2]).T / UNIT
        return exact_table(np.ascontiguousarray(values))

    @cached_property
    def information_by_node(self) -> ExactTable:
        """Fisher information on the nodes, matrix (nodes, n)."""
        return exact_table(self.information[:: NODE_STEP_MILLIONTHS // GRID_STEP_MILLIONTHS] / UNIT)

    @cached_property
    def index_of(self) -> dict[str, int]:
        """Item identity to column."""
        return {item.item_id: index for index, item in enumerate(self.items)}

    @cached_property
    def item_sets(self) -> dict[str, ItemSet]:
        """The section's item sets by identity, those that an item only names included."""
        named = {item.item_set: ItemSet(set_id=item.item_set) for item in self.items if item.item_set}
        return named | {item_set.set_id: item_set for item_set in self.section.item_sets}

    @cached_property
    def columns_of_set(self) -> dict[str, Integers]:
        """The columns of each set, in the set's order."""
        members: dict[str, list[int]] = {set_id: [] for set_id in self.item_sets}
        order = sorted(range(self.size), key=lambda i: (self.items[i].set_order, int(self.ties[i])))
        for column in order:
            if self.items[column].item_set:
                members[self.items[column].item_set].append(column)
        return {set_id: np.array(columns, dtype=np.int64) for set_id, columns in members.items()}

    @cached_property
    def barred_by(self) -> dict[str, tuple[int, ...]]:
        """Identity of an item seen anywhere to the columns that it bars: itself and its enemies."""
        barred: dict[str, list[int]] = {}
        for column, item in enumerate(self.items):
            for other in (item.item_id, *item.enemies):
                barred.setdefault(other, []).append(column)
        return {item_id: tuple(columns) for item_id, columns in barred.items()}


CUBIC_BITS = 20
_REMEMBERED_BYTES = 1 << 22  # of likelihoods, for each pool


def _place(theta_millionths: int, limit: int, step: int) -> tuple[int, int]:
    """The row at or below an ability, and how far beyond that row it lies, in millionths."""
    return divmod(min(max(theta_millionths, -limit), limit) + limit, step)


def _cubic(offset: int, part: int, step: int) -> tuple[int, int, int, int]:
    """Lagrange's weights of rows 0 to 3 for the place offset + part / step; they sum to 2**20."""
    x = offset + part / step
    weights = [
        round(-(x - 1.0) * (x - 2.0) * (x - 3.0) / 6.0 * (1 << CUBIC_BITS)),
        round(x * (x - 2.0) * (x - 3.0) / 2.0 * (1 << CUBIC_BITS)),
        round(-x * (x - 1.0) * (x - 3.0) / 2.0 * (1 << CUBIC_BITS)),
    ]
    return weights[0], weights[1], weights[2], (1 << CUBIC_BITS) - sum(weights)


def pools(package_file: PackageFile) -> tuple[Pool, ...]:
    """The columns of every section."""
    package, tables = package_file.package, package_file.tables
    n = len(package.items)
    log_probability = np.frombuffer(tables.log_probability, dtype="<i8").reshape(
        n, tables.category_count, tables.node_count
    )
    information = np.frombuffer(tables.information, dtype="<i8").reshape(n, tables.grid_count)
    row_of = {item.item_id: row for row, item in enumerate(package.items)}
    return tuple(
        _pool(package, section, log_probability, information, row_of) for section in package.sections
    )


def _pool(
    package: TestPackage,
    section: Section,
    log_probability: Integers,
    information: Integers,
    row_of: dict[str, int],
) -> Pool:
    rows = np.array([row_of[item_id] for item_id in section.item_ids], dtype=np.int64)
    items = tuple(package.items[row] for row in rows)
    area_number = {share.area: number for number, share in enumerate(section.blueprint)}
    return Pool(
        section=section,
        items=items,
        log_probability=np.ascontiguousarray(log_probability[rows]),
        information=np.ascontiguousarray(information[rows].T),
        ties=np.array(
            [int.from_bytes(hashlib.sha256(item.content_hash.encode()).digest()[:8]) for item in items],
            dtype=np.uint64,
        ),
        area=np.array([_area_of(item.area, area_number) for item in items], dtype=np.int64),
    )


def _area_of(area: str, numbers: dict[str, int]) -> int:
    """The blueprint line an item belongs to: its own area, or the nearest one above it in the tree."""
    while area not in numbers and "." in area:
        area = area.rpartition(".")[0]
    return numbers.get(area, -1)
