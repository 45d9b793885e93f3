"""Shadow tests behind one call: the best whole test, given what was administered.

The answer is a function of the arguments. Utilities are integers; equals are told apart by a small integer
from a hash of the items, so small that a test with the higher utility always wins:

    cost_i = utility_i T + tie_i,    2 (tie_1 + ... + tie_L) <= T  for any L items of a whole test

A proof of optimality therefore names one test, whatever solver finds it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cat_engine.core.assembly.conflicts import NODES_OF_A_CHECK, column_bounds, conflict
from cat_engine.core.assembly.constraints import Constraints, InfeasibleBlueprint
from cat_engine.core.assembly.linear import solve_integer
from cat_engine.core.assembly.program import Program, elastic, program_of
from cat_engine.core.assembly.ranges import best_in_ranges, ranges_of
from cat_engine.core.assembly.relaxation import Breach, breaches, relaxed
from cat_engine.core.assembly.search import Found, Limits, Search
from cat_engine.core.exact import Integers

ROOM = 1 << 58  # for the cost of a whole test: leaves the sums of 64-bit integers a margin
FINEST = 1 << 24  # units of tie per unit of utility, at most
DEFAULT_LIMITS = Limits()

Source = Literal["ranges", "relaxation", "search", "incumbent", "feasibility"]


@dataclass(frozen=True, eq=False)
class ShadowTest:
    """A whole test: `columns` ascending, items administered among them.

    `objective` is the sum of its utilities, `bound` one that no test exceeds (of those that break the lines
    no more than this one), `gap` their difference. `proven`: the gap is zero. `relaxed` names the lines that
    had to be broken, `breaches` says by how much. `source` is how it was found: by the shortcut for count
    ranges, by an integral relaxation, by branch and bound, by keeping the incumbent, or as any feasible test
    at all.
    """

    columns: Integers
    objective: int
    bound: int
    proven: bool
    relaxed: tuple[str, ...]
    breaches: tuple[Breach, ...]
    source: Source
    nodes: int
    iterations: int

    @property
    def gap(self) -> int:
        """By how much a better test could be better, in units of utility."""
        return self.bound - self.objective


class Assembler:
    """Assembles shadow tests for one blueprint. Threads may share it: a question leaves nothing behind.

    `ties` (n,) orders items of equal utility: a hash of each item's content, so that neither the pool's order
    nor the solver's decides.
    """

    def __init__(self, constraints: Constraints, ties: NDArray[np.uint64]) -> None:
        order = _whole(ties, "ties")
        if order.shape != (constraints.size,) or (order < 0).any():
            raise ValueError(f"ties: {order.shape} given, one from 0 per column of {constraints.size} needed")
        self.constraints = constraints
        self._program = program_of(constraints)
        self._search = Search(self._program)
        self._ranges = ranges_of(constraints)
        self._rank = np.empty(constraints.size, dtype=np.int64)
        self._rank[np.lexsort((np.arange(constraints.size), order))] = np.arange(constraints.size)
        self._hash = (order.astype(np.uint64) >> np.uint64(33)).astype(np.int64)
        self._elastic: tuple[Program, int] | None = None

    def assemble(
        self,
        utility: Integers,
        taken: Integers,
        barred: NDArray[np.bool_] | None = None,
        incumbent: Integers | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> ShadowTest:
        """The test with the highest sum of utilities (n,) that contains the columns `taken`.

        `barred` (n,) items are not used unless taken. `incumbent` is a test known from before: if it fits,
        the answer is never worse. Raises InfeasibleBlueprint if lines without priority contradict each other;
        other lines are relaxed. When the limits end the search, the best test found so far is the answer.
        Refused: numbers that are not whole, arrays of another length, columns unknown or given twice.
        """
        gains, given = self._utility(utility), self._columns(taken, "taken")
        known = None if incumbent is None else self._columns(incumbent, "incumbent")
        unit, costs = self._costs(gains, given)
        lower, upper = column_bounds(self.constraints, self._program, given, self._mask(barred))
        if self._ranges is not None:
            items = slice(0, self.constraints.size)
            musts = np.flatnonzero(lower[items])
            columns = best_in_ranges(self._ranges, costs[items], upper[items] > 0, musts)
            if columns is not None:
                objective = int(gains[columns].sum())
                return ShadowTest(columns, objective, objective, True, (), (), "ranges", 0, 0)
        return self._by_search(gains, unit, costs, (lower, upper), known, limits)

    def feasible(self, columns: Integers, taken: Integers, barred: NDArray[np.bool_] | None = None) -> bool:
        """Whether these columns are a test that contains `taken` and meets every line."""
        given, test = self._columns(taken, "taken"), self._columns(columns, "columns")
        lower, upper = column_bounds(self.constraints, self._program, given, self._mask(barred))
        return self._program.meets(self._program.with_items(test), lower, upper)

    def _by_search(
        self,
        utility: Integers,
        unit: int,
        costs: Integers,
        bounds: tuple[Integers, Integers],
        incumbent: Integers | None,
        limits: Limits,
    ) -> ShadowTest:
        program, (lower, upper) = self._program, bounds
        start = None
        if incumbent is not None:
            vector = program.with_items(incumbent)
            start = vector if program.meets(vector, lower, upper) else None
        found = self._search.best(costs, lower, upper, start, limits)
        source: Source = "relaxation" if found.source == "relaxation" else "search"
        if found.vector is None and not found.finished:
            anything, _ = solve_integer(program, costs * 0, lower, upper, NODES_OF_A_CHECK)
            if anything is not None:
                return self._answer(utility, unit, anything, found, "feasibility")
        if found.vector is None:
            return self._relaxed(utility, unit, costs, bounds, incumbent, limits)
        if start is not None and not found.finished and np.array_equal(found.vector, start):
            source = "incumbent"
        return self._answer(utility, unit, found.vector, found, source)

    def _relaxed(
        self,
        utility: Integers,
        unit: int,
        costs: Integers,
        bounds: tuple[Integers, Integers],
        incumbent: Integers | None,
        limits: Limits,
    ) -> ShadowTest:
        if self._elastic is None:
            self._elastic = elastic(self._program)
        program, levels = self._elastic
        extended = np.concatenate([costs, np.zeros(program.size - costs.size, dtype=np.int64)])
        lower = np.concatenate([bounds[0], np.zeros_like(program.slack_most)])
        upper = np.concatenate([bounds[1], program.slack_most])
        start = None
        if incumbent is not None:
            vector = program.with_items(incumbent)
            start = vector if program.meets(vector, lower, upper) else None
        found = relaxed(program, levels, extended, (lower, upper), start, limits) if levels else None
        if found is None or found.vector is None:
            taken = np.flatnonzero(lower[: program.items])
            barred = upper[: program.items] == 0
            raise InfeasibleBlueprint(conflict(self.constraints, taken, barred, hard_only=True))
        source: Source = "relaxation" if found.source == "relaxation" else "search"
        return self._answer(utility, unit, found.vector, found, source)

    def _answer(
        self, utility: Integers, unit: int, vector: Integers, found: Found, source: Source
    ) -> ShadowTest:
        columns = np.flatnonzero(vector[: self.constraints.size])
        objective = int(utility[columns].sum())
        bound = max(objective, found.bound // unit)
        broken = breaches(self._program, vector[: self._program.size])
        return ShadowTest(
            columns=columns,
            objective=objective,
            bound=bound,
            proven=found.finished and bound == objective,
            relaxed=tuple(breach.line for breach in broken),
            breaches=broken,
            source=source,
            nodes=found.nodes,
            iterations=found.iterations,
        )

    def _costs(self, utility: Integers, taken: Integers) -> tuple[int, Integers]:
        """T and the costs (columns of the programme,)."""
        size = self.constraints.size
        longest = min(size, max(self.constraints.length.maximum, taken.size + self.constraints.forced.size))
        largest = max(1, int(np.abs(utility).max()))
        unit = min(FINEST, ROOM // (longest * largest))
        step = unit // (2 * longest * size)
        if step < 1:
            raise ValueError(
                f"utility: {largest} is too large for {longest} of {size} items to be told apart"
            )
        costs = np.zeros(self._program.size, dtype=np.int64)
        costs[:size] = utility.astype(np.int64) * unit + self._rank * step + self._hash % step
        return unit, costs

    def _utility(self, utility: ArrayLike) -> Integers:
        gains = np.asarray(utility)
        if gains.shape != (self.constraints.size,) or gains.dtype.kind not in "iu":
            raise ValueError(f"utility: one integer per column of {self.constraints.size} needed")
        return gains

    def _mask(self, barred: ArrayLike | None) -> NDArray[np.bool_] | None:
        if barred is None:
            return None
        mask = np.asarray(barred)
        if mask.shape != (self.constraints.size,) or mask.dtype != np.bool_:
            raise ValueError(f"barred: one boolean per column of {self.constraints.size} needed")
        return mask

    def _columns(self, columns: ArrayLike, name: str) -> Integers:
        size, found = self.constraints.size, _whole(columns, name)
        wrong = found.ndim != 1 or (found < 0).any() or (found >= size).any()
        if wrong or np.unique(found).size != found.size:
            raise ValueError(f"{name}: different columns of {size} needed")
        return found.astype(np.int64)


def _whole(values: ArrayLike, name: str) -> Integers:
    """The values as an array of integers; an empty one may have been of any type."""
    numbers = np.asarray(values)
    if numbers.size and numbers.dtype.kind not in "iu":
        raise ValueError(f"{name}: integers needed, not {numbers.dtype}")
    return numbers if numbers.size else numbers.astype(np.int64)
