"""A blueprint as an integer programme.

    maximise   sum_i u_i x_i
    subject to lower_r <= sum_j A_rj v_j <= upper_r    for every row r
               v = (x, z, s), x_i and z_s binary, slacks s >= 0

x_i says that item i is used, z_s that item set s is. Membership is written item by item, x_i <= z_s: the
linear relaxation of that is much tighter than of sum_i x_i <= maximum z_s alone. Slacks exist only in an
elastic programme, where they measure by how much a line is broken. Every number is an integer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.assembly.constraints import Constraints, Count, Enemies, ItemSet, Length, SetCount, Total
from cat_engine.core.exact import Integers

UNBOUNDED = 1 << 60
STRUCTURE = ""  # the name of rows that say what an item set is; they belong to no line


@dataclass(frozen=True)
class Row:
    """lower <= sum of values over columns <= upper; `line` names the blueprint's line it comes from."""

    line: str
    priority: int | None
    columns: Integers
    values: Integers
    lower: int
    upper: int


@dataclass(frozen=True, eq=False)
class Program:
    """Rows and columns; the matrix by columns (starts, rows, values), as HiGHS takes it.

    The first `items` columns are x, up to `binaries` follow z, then the slacks; `set_of_item` is the column z
    of each item's set, -1 for a discrete item. Slack k relaxes row `slack_rows[k]` downwards
    (`slack_signs[k]` = 1, it is short of its minimum) or upwards (-1).
    """

    items: int
    binaries: int
    set_of_item: Integers
    starts: Integers
    rows: Integers
    values: Integers
    lower: Integers
    upper: Integers
    lines: tuple[str, ...]
    priorities: tuple[int | None, ...]
    slack_rows: Integers
    slack_signs: Integers
    slack_most: Integers

    @property
    def size(self) -> int:
        """Number of columns."""
        return self.starts.size - 1

    @cached_property
    def column_of_entry(self) -> Integers:
        """The column of each matrix entry."""
        return np.repeat(np.arange(self.size), np.diff(self.starts))

    @cached_property
    def row_weight(self) -> NDArray[np.float64]:
        """The largest number of each row, entries and finite bounds: what its dual is multiplied by."""
        weight = np.zeros(self.lower.size)
        np.maximum.at(weight, self.rows, np.abs(self.values).astype(np.float64))
        for bound in (self.lower, self.upper):
            finite = np.abs(bound) < UNBOUNDED
            weight = np.maximum(weight, np.where(finite, np.abs(bound), 0))
        return weight

    def activity(self, vector: Integers) -> Integers:
        """A v, exactly. (columns,) -> (rows,)."""
        products = self.values * vector[self.column_of_entry]
        sums = np.bincount(self.rows, weights=products, minlength=self.lower.size)
        return sums.astype(np.int64)  # sums of integers far below 2**53: the doubles are exact

    def weighted_columns(self, weights: Any) -> Any:
        """weights A. (rows,) -> (columns,), of the weights' type. Where the running sum of 64-bit integers
        wraps around, that cancels in the differences.
        """
        products = weights[self.rows] * self.values
        running = np.concatenate([np.zeros(1, dtype=products.dtype), np.cumsum(products)])
        return running[self.starts[1:]] - running[self.starts[:-1]]

    def complete(self, binaries: Integers) -> Integers:
        """x and z with the smallest slacks that they need. (binaries,) -> (columns,)."""
        vector = np.zeros(self.size, dtype=np.int64)
        vector[: self.binaries] = binaries[: self.binaries]
        if self.slack_rows.size:
            found = self.activity(vector)[self.slack_rows]
            short = np.where(
                self.slack_signs > 0, self.lower[self.slack_rows] - found, found - self.upper[self.slack_rows]
            )
            vector[self.binaries :] = np.maximum(short, 0)
        return vector

    def meets(self, vector: Integers, lower: Integers, upper: Integers) -> bool:
        """Whether a vector lies within its own bounds and meets every row, exactly."""
        if (vector < lower).any() or (vector > upper).any():
            return False
        activity = self.activity(vector)
        return bool((activity >= self.lower).all() and (activity <= self.upper).all())

    def with_items(self, columns: Integers) -> Integers:
        """The vector that uses exactly these items and their sets, slacks as needed."""
        binaries = np.zeros(self.binaries, dtype=np.int64)
        binaries[columns] = 1
        sets = self.set_of_item[columns]
        binaries[sets[sets >= 0]] = 1
        return self.complete(binaries)

    def without(self, lines: frozenset[str]) -> "Program":
        """The same programme with the rows of these lines set free."""
        freed = np.array([line in lines for line in self.lines], dtype=np.bool_)
        return replace(
            self,
            lower=np.where(freed, -UNBOUNDED, self.lower),
            upper=np.where(freed, UNBOUNDED, self.upper),
        )


def program_of(constraints: Constraints) -> Program:
    """The programme of a blueprint, without slacks."""
    rows = list(_rows(constraints))
    set_of_item = np.full(constraints.size, -1, dtype=np.int64)
    for place, item_set in enumerate(constraints.item_sets):
        set_of_item[item_set.columns] = constraints.size + place
    return _assembled(set_of_item, constraints.size + len(constraints.item_sets), rows, ())


def elastic(program: Program) -> tuple[Program, int]:
    """A programme in which every soft line may be broken, and the number of its priorities.

    Below the rows of the lines there is one row for each priority, the highest first: the sum of its slacks,
    at first unlimited.
    """
    soft = [row for row, priority in enumerate(program.priorities) if priority is not None]
    levels = sorted({priority for priority in program.priorities if priority is not None}, reverse=True)
    reach = _reach(program)
    slacks: list[tuple[int, int, int]] = []
    for row in soft:
        if program.lower[row] > -UNBOUNDED:
            slacks.append((row, 1, max(0, int(program.lower[row]) - reach[0][row])))
        if program.upper[row] < UNBOUNDED:
            slacks.append((row, -1, max(0, reach[1][row] - int(program.upper[row]))))
    rows = list(_rows_of(program))
    for slack, (row, sign, _) in enumerate(slacks):
        rows[row] = _with_entry(rows[row], program.binaries + slack, sign)
    for level in levels:
        members = [slack for slack, (row, _, _) in enumerate(slacks) if program.priorities[row] == level]
        columns = np.array(members, dtype=np.int64) + program.binaries
        rows.append(Row(f"priority {level}", None, columns, np.ones_like(columns), -UNBOUNDED, UNBOUNDED))
    return _assembled(program.set_of_item, program.binaries, rows, tuple(slacks)), len(levels)


def _rows(constraints: Constraints) -> Iterator[Row]:
    size = constraints.size
    everything = np.arange(size)
    for line in constraints.lines():
        match line:
            case Length() | Count():
                columns = everything if isinstance(line, Length) else line.columns.astype(np.int64)
                yield _ranged(line, columns, np.ones_like(columns))
            case Total():
                yield _ranged(line, everything, line.values.astype(np.int64))
            case SetCount():
                columns = np.array(line.sets, dtype=np.int64) + size
                yield _ranged(line, columns, np.ones_like(columns))
            case Enemies():
                columns = line.columns.astype(np.int64)
                yield Row(line.name, line.priority, columns, np.ones_like(columns), -UNBOUNDED, 1)
    for place, item_set in enumerate(constraints.item_sets):
        yield from _rows_of_set(item_set, size + place)


def _rows_of_set(item_set: ItemSet, used: int) -> Iterator[Row]:
    """A set counts as used if and only if an item of it is; then it has its minimum and maximum."""
    columns = np.append(item_set.columns.astype(np.int64), used)

    def row(line: str, priority: int | None, times: int, lower: int, upper: int) -> Row:
        values = np.ones_like(columns)
        values[-1] = -times
        return Row(line, priority, columns, values, lower, upper)

    yield row(STRUCTURE, None, 1, 0, UNBOUNDED)
    for column in item_set.columns:
        yield Row(STRUCTURE, None, np.array([column, used]), np.array([1, -1]), -UNBOUNDED, 0)
    if item_set.minimum > 1:
        yield row(item_set.name, item_set.priority, item_set.minimum, 0, UNBOUNDED)
    if item_set.maximum is not None and item_set.maximum < item_set.columns.size:
        yield row(item_set.name, item_set.priority, item_set.maximum, -UNBOUNDED, 0)


def _ranged(line: Length | Count | Total | SetCount, columns: Integers, values: Integers) -> Row:
    upper = UNBOUNDED if line.maximum is None else line.maximum
    return Row(line.name, line.priority, columns, values, line.minimum, upper)


def _rows_of(program: Program) -> Iterator[Row]:
    for row, line in enumerate(program.lines):
        entries = np.flatnonzero(program.rows == row)
        yield Row(
            line,
            program.priorities[row],
            program.column_of_entry[entries],
            program.values[entries],
            int(program.lower[row]),
            int(program.upper[row]),
        )


def _with_entry(row: Row, column: int, value: int) -> Row:
    return replace(row, columns=np.append(row.columns, column), values=np.append(row.values, value))


def _reach(program: Program) -> tuple[list[int], list[int]]:
    """The smallest and the largest activity that binaries can give each row."""
    least = np.bincount(program.rows, np.minimum(program.values, 0), program.lower.size)
    most = np.bincount(program.rows, np.maximum(program.values, 0), program.lower.size)
    return [int(value) for value in least], [int(value) for value in most]


def _assembled(
    set_of_item: Integers, binaries: int, rows: list[Row], slacks: tuple[tuple[int, int, int], ...]
) -> Program:
    row_numbers = np.repeat(np.arange(len(rows)), [row.columns.size for row in rows])
    columns = np.concatenate([row.columns for row in rows])
    values = np.concatenate([row.values for row in rows])
    order = np.lexsort((row_numbers, columns))
    counts = np.bincount(columns, minlength=binaries + len(slacks))
    return Program(
        items=set_of_item.size,
        binaries=binaries,
        set_of_item=set_of_item,
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        rows=row_numbers[order].astype(np.int64),
        values=values[order].astype(np.int64),
        lower=np.array([row.lower for row in rows], dtype=np.int64),
        upper=np.array([row.upper for row in rows], dtype=np.int64),
        lines=tuple(row.line for row in rows),
        priorities=tuple(row.priority for row in rows),
        slack_rows=np.array([slack[0] for slack in slacks], dtype=np.int64),
        slack_signs=np.array([slack[1] for slack in slacks], dtype=np.int64),
        slack_most=np.array([slack[2] for slack in slacks], dtype=np.int64),
    )
