"""The integer optimum of a programme, by branch and bound with bounds proven in integers.

1. The linear relaxation of the whole pool, from a cold start. Often its vertex is integral: done.
2. A kernel: only the columns with the smallest reduced costs stay open, the others stay where the relaxation
   has them (Angelelli, Mansini and Speranza, 2010). Branch and bound in it gives a test and its value.
3. A column whose reduced cost exceeds the gap between the relaxation's bound and that value cannot move in a
   better test. If all columns outside the kernel are such, the kernel's optimum is the optimum; if not, the
   kernel grows to those that are left and is searched again.

Everything is a function of the arguments: cold starts, a fixed order, and work counted in nodes and simplex
iterations instead of seconds.
"""

import heapq
from dataclasses import dataclass

import numpy as np

from cat_engine.core.assembly.bounds import dual_bound, whole_duals
from cat_engine.core.assembly.linear import COST_SCALE, LinearModel, Unsolved, Vertex, linear_model
from cat_engine.core.assembly.program import UNBOUNDED, Program
from cat_engine.core.exact import Floats, Integers

KERNEL = 64
FRACTIONAL = 1e-6


@dataclass(frozen=True)
class Limits:
    """How much work one assembly may cost: nodes of the search tree, simplex iterations over them."""

    nodes: int = 200
    iterations: int = 2_500


@dataclass
class Work:
    """What has been used up of the limits."""

    limits: Limits
    nodes: int = 0
    iterations: int = 0

    @property
    def spent(self) -> bool:
        """Whether a limit is reached."""
        return self.nodes >= self.limits.nodes or self.iterations >= self.limits.iterations


@dataclass(frozen=True)
class Found:
    """The best vector found (None: none), its value, and a bound that no vector exceeds.

    `finished` says that the search was not cut short: with no vector there is none; with one, the bound is
    its value up to the rounding of dual values. `source` is "relaxation" or "search".
    """

    vector: Integers | None
    value: int
    bound: int
    finished: bool
    source: str
    nodes: int
    iterations: int


class Search:
    """Maximises over one programme, again and again."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def best(
        self, costs: Integers, lower: Integers, upper: Integers, start: Integers | None, limits: Limits
    ) -> Found:
        """The best vector between column bounds; `start` is one known to be feasible.

        costs, lower, upper and start: (columns,).
        """
        scale = max(1, int(np.abs(costs).max(initial=0))) / COST_SCALE
        model = linear_model(self.program)
        model.price(costs / scale)
        work = Work(limits)
        try:
            vertex = model.solve(lower, upper)
        except Unsolved:
            return self._unsolved(costs, lower, upper, start)
        if vertex is None:
            return Found(None, 0, 0, True, "relaxation", 0, 0)
        program = self.program
        duals = whole_duals(vertex.duals, scale, program.lower, program.upper)
        bound, reduced = dual_bound(
            costs,
            program.weighted_columns,
            duals,
            program.row_weight,
            (program.lower, program.upper),
            (lower, upper),
        )
        candidate = _whole(vertex, program.binaries)
        if candidate is not None:
            vector = program.complete(candidate)
            if program.meets(vector, lower, upper):
                if start is not None and int(costs @ start) > int(costs @ vector):
                    vector = start  # by less than the solver can tell
                return Found(vector, int(costs @ vector), bound, True, "relaxation", 0, 0)
        kernels = Kernels(program, costs, scale, lower, upper, work)
        return kernels.search(vertex, bound, reduced, start)

    def _unsolved(self, costs: Integers, lower: Integers, upper: Integers, start: Integers | None) -> Found:
        """What can be said without the relaxation: the start, and the bound that dual values of 0 give."""
        bound = sum(int(value) for value in np.maximum(costs * lower, costs * upper))
        value = 0 if start is None else int(costs @ start)
        return Found(start, value, bound, False, "search", 0, 0)


def _whole(vertex: Vertex, binaries: int) -> Integers | None:
    """The vertex as integers if its binaries are."""
    rounded = np.rint(vertex.point)
    if np.abs(vertex.point - rounded)[:binaries].max(initial=0.0) > FRACTIONAL:
        return None
    whole: Integers = rounded.astype(np.int64)
    return whole


class Kernels:
    """The search in growing kernels, once the relaxation has given bound and reduced costs."""

    def __init__(
        self, program: Program, costs: Integers, scale: float, lower: Integers, upper: Integers, work: Work
    ) -> None:
        self.program, self.costs, self.scale, self.work = program, costs, scale, work
        self.lower, self.upper = lower, upper

    def search(self, vertex: Vertex, bound: int, reduced: Integers, start: Integers | None) -> Found:
        """The best vector, growing the kernel until nothing outside it can matter."""
        binaries = self.program.binaries
        movable = np.flatnonzero(self.lower[:binaries] < self.upper[:binaries])
        order = movable[np.lexsort((movable, np.abs(reduced[movable])))]
        outside = np.where(reduced > 0, self.upper, self.lower)
        still = reduced == 0
        outside[still] = np.rint(vertex.point[still]).astype(np.int64)
        best, value = start, int(self.costs @ start) if start is not None else None
        slacks = np.arange(binaries, self.program.size)
        size = min(KERNEL, order.size)
        while True:
            free = np.concatenate([np.sort(order[:size]), slacks])
            tree = Tree(self, free, outside, bound, best, value)
            tree.grow()
            best, value = tree.best, tree.value
            if self.work.spent or size == order.size:
                break
            needed = 2 * size if value is None else int((bound - np.abs(reduced[order]) > value).sum())
            if needed <= size:
                break
            size = min(needed, order.size)
        beyond = bound - int(np.abs(reduced[order[size]])) if size < order.size else None
        reached = [limit for limit in (value, tree.open_bound, beyond) if limit is not None]
        finished = not tree.cut_short and (beyond is None or (value is not None and beyond <= value))
        return Found(
            vector=best,
            value=value or 0,
            bound=min(bound, max(reached, default=bound)),
            finished=finished,
            source="search",
            nodes=self.work.nodes,
            iterations=self.work.iterations,
        )


class Tree:
    """Branch and bound over the free columns, the others fixed at `outside`.

    Best bound first, after one plunge to a first test. It branches on sets before items (a set decides about
    several items) and on the column nearest to one half.
    """

    def __init__(
        self,
        kernels: Kernels,
        free: Integers,
        outside: Integers,
        bound: int,
        best: Integers | None,
        value: int | None,
    ) -> None:
        program = kernels.program
        self._kernels, self._free, self._root = kernels, free, bound
        self.best, self.value = best, value
        self.open_bound: int | None = None  # the highest bound of a part that was closed without proof
        self.cut_short = False
        self._fixed = outside.copy()
        self._fixed[free] = 0
        matrix, base = _columns_of(program, free), program.activity(self._fixed)
        most = base + np.maximum(matrix, 0) @ kernels.upper[free]
        least = base + np.minimum(matrix, 0) @ kernels.upper[free]
        binding = np.flatnonzero((most > program.upper) | (least < program.lower))
        self._matrix = matrix[binding]
        self._row_weight = program.row_weight[binding]
        self._row_lower = _shifted(program.lower[binding], base[binding])
        self._row_upper = _shifted(program.upper[binding], base[binding])
        self._row_weight = np.maximum(
            self._row_weight, np.maximum(_finite(self._row_lower), _finite(self._row_upper))
        )
        self._costs = kernels.costs[free]
        self._value_of_fixed = int(kernels.costs @ self._fixed)
        self._binary = free < program.binaries
        self._is_set = self._binary & (free >= program.items)
        self._model = _dense_model(self._matrix, self._row_lower, self._row_upper)
        self._model.price(self._costs / kernels.scale)

    def grow(self) -> None:
        """Search until nothing is open or a limit is reached."""
        kernels, work = self._kernels, self._kernels.work
        heap: list[tuple[int, int, Integers, Integers]] = []
        number = 0
        following: tuple[int, Integers, Integers] | None = (
            self._root,
            kernels.lower[self._free],
            kernels.upper[self._free],
        )
        while heap or following is not None:
            if following is None:
                negative, _, lower, upper = heapq.heappop(heap)
                bound = -negative
            else:
                bound, lower, upper = following
                following = None
            if self.value is not None and bound <= self.value:
                continue
            if work.spent:
                self.cut_short = True
                self._leave_open([bound, *(-entry[0] for entry in heap)])
                return
            children = self._node(bound, lower, upper)
            if self.value is None and children:
                following = children.pop(0)
            for child in children:
                number += 1
                heapq.heappush(heap, (-child[0], number, child[1], child[2]))

    def _node(self, above: int, lower: Integers, upper: Integers) -> list[tuple[int, Integers, Integers]]:
        """Bound one node; its two children, the likelier first, or none."""
        work = self._kernels.work
        work.nodes += 1
        try:
            vertex = self._model.solve(lower, upper)
        except Unsolved:
            self.cut_short = True
            self._leave_open([above])
            return []
        work.iterations += self._model.iterations
        if vertex is None:
            return []
        bound, reduced = self._bound(vertex, lower, upper)
        if self.value is not None and bound <= self.value:
            return []
        distance = np.where(self._binary, np.abs(vertex.point - np.rint(vertex.point)), 0.0)
        if distance.max(initial=0.0) <= FRACTIONAL:
            self._take(vertex, bound)
            return []
        if self.value is not None:
            stuck = (np.abs(reduced) >= bound - self.value) & self._binary
            lower = np.where(stuck & (reduced > 0), upper, lower)
            upper = np.where(stuck & (reduced < 0), lower, upper)
        sets = np.where(self._is_set, distance, 0.0)
        column = int(np.argmax(sets if sets.max(initial=0.0) > FRACTIONAL else distance))
        with_it, without_it = lower.copy(), upper.copy()
        with_it[column], without_it[column] = 1, 0
        children = [(bound, with_it, upper), (bound, lower, without_it)]
        return children if vertex.point[column] >= 0.5 else children[::-1]

    def _bound(self, vertex: Vertex, lower: Integers, upper: Integers) -> tuple[int, Integers]:
        duals = whole_duals(vertex.duals, self._kernels.scale, self._row_lower, self._row_upper)
        bound, reduced = dual_bound(
            self._costs,
            lambda weights: weights @ self._matrix,
            duals,
            self._row_weight,
            (self._row_lower, self._row_upper),
            (lower, upper),
        )
        return bound + self._value_of_fixed, reduced

    def _take(self, vertex: Vertex, bound: int) -> None:
        """An integral vertex is the best of its node, up to the rounding that `open_bound` remembers."""
        kernels = self._kernels
        binaries = self._fixed.copy()
        binaries[self._free] = np.rint(vertex.point).astype(np.int64)
        vector = kernels.program.complete(binaries)
        if not kernels.program.meets(vector, kernels.lower, kernels.upper):
            self.cut_short = True
            self._leave_open([bound])
            return
        self._leave_open([bound])
        value = int(kernels.costs @ vector)
        if self.value is None or value > self.value:
            self.best, self.value = vector, value

    def _leave_open(self, bounds: list[int]) -> None:
        known = [bound for bound in (self.open_bound, *bounds) if bound is not None]
        self.open_bound = max(known, default=None)


def _columns_of(program: Program, free: Integers) -> Integers:
    """The matrix's columns `free`, dense: (rows, free)."""
    place = np.full(program.size, -1, dtype=np.int64)
    place[free] = np.arange(free.size)
    target = place[program.column_of_entry]
    inside = target >= 0
    matrix = np.zeros((program.lower.size, free.size), dtype=np.int64)
    matrix[program.rows[inside], target[inside]] = program.values[inside]
    return matrix


def _shifted(bounds: Integers, base: Integers) -> Integers:
    return np.where(np.abs(bounds) >= UNBOUNDED, bounds, bounds - base)


def _finite(bounds: Integers) -> Floats:
    return np.where(np.abs(bounds) >= UNBOUNDED, 0, np.abs(bounds)).astype(np.float64)


def _dense_model(matrix: Integers, lower: Integers, upper: Integers) -> LinearModel:
    columns, rows = np.nonzero(matrix.T)
    starts = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=matrix.shape[1]))])
    return LinearModel(starts.astype(np.int64), rows, matrix[rows, columns], lower, upper)
