"""What gives way when nothing fits.

Lines without priority always hold. The others may be broken, the lowest priority first, by as little as
possible: first the violations of the highest priority are made as small as they can be, then, with those
held, the violations of the next, and so on (a lexicographic minimum); among the tests that break the lines no
more than that the best utility wins. Violations of one priority are summed in the lines' own units, items or
words.
"""

from dataclasses import dataclass, replace

import numpy as np

from cat_engine.core.assembly.conflicts import NODES_OF_A_CHECK
from cat_engine.core.assembly.linear import linear_model, solve_integer
from cat_engine.core.assembly.program import Program
from cat_engine.core.assembly.search import Found, Limits, Search
from cat_engine.core.exact import Integers

ROUNDING = 1e-6


@dataclass(frozen=True)
class Breach:
    """A line that was broken, and by how much: short of its minimum (negative) or above its maximum."""

    line: str
    amount: int


def breaches(program: Program, vector: Integers) -> tuple[Breach, ...]:
    """The lines that a vector of the programme without slacks breaks, in the order of its rows.

    A line of several rows (an item set) is named once, with the larger amount.
    """
    activity = program.activity(vector)
    amounts: dict[str, int] = {}
    for row in np.flatnonzero((activity < program.lower) | (activity > program.upper)):
        if activity[row] < program.lower[row]:
            amount = int(activity[row] - program.lower[row])
        else:
            amount = int(activity[row] - program.upper[row])
        line = program.lines[row]
        if abs(amount) > abs(amounts.get(line, 0)):
            amounts[line] = amount
    return tuple(Breach(line, amount) for line, amount in amounts.items())


def relaxed(
    program: Program,
    levels: tuple[int, ...],
    costs: Integers,
    lower: Integers,
    upper: Integers,
    limits: Limits,
) -> Found | None:
    """The best vector of an elastic programme that breaks least; None if even its hard lines contradict.

    First by linear relaxations: rounded up, their violations are lower bounds, so a test that attains them is
    a lexicographic minimum. If none does, level by level with integers.
    """
    tightened = _by_relaxation(program, levels, lower, upper)
    if tightened is None:
        return None
    found = Search(tightened).best(costs, lower, upper, None, limits)
    if found.vector is not None:
        return found
    exact = _by_integers(program, levels, lower, upper)
    if exact is None:
        return None
    tightened, start, least = exact
    found = Search(tightened).best(costs, lower, upper, start, limits)
    return replace(found, finished=found.finished and least)


def _by_relaxation(
    program: Program, levels: tuple[int, ...], lower: Integers, upper: Integers
) -> Program | None:
    for place in range(len(levels)):
        costs, row = _level(program, len(levels), place)
        model = linear_model(program)
        model.price(costs.astype(np.float64))
        vertex = model.solve(lower, upper)
        if vertex is None:
            return None
        program = _capped(program, row, int(np.ceil(-vertex.value - ROUNDING)))
    return program


def _by_integers(
    program: Program, levels: tuple[int, ...], lower: Integers, upper: Integers
) -> tuple[Program, Integers, bool] | None:
    vector: Integers | None = None
    least = True
    for place in range(len(levels)):
        costs, row = _level(program, len(levels), place)
        best, proven = solve_integer(program, costs, lower, upper, NODES_OF_A_CHECK)
        vector, least = best if best is not None else vector, least and proven
        if vector is None:
            return None
        program = _capped(program, row, int(-(costs @ vector)))
    return None if vector is None else (program, vector, least)


def _level(program: Program, levels: int, place: int) -> tuple[Integers, int]:
    """Minus the violations of one priority as costs, and the row that limits their sum."""
    row = program.lower.size - levels + place
    costs = np.zeros(program.size, dtype=np.int64)
    costs[program.column_of_entry[program.rows == row]] = -1
    return costs, row


def _capped(program: Program, row: int, most: int) -> Program:
    upper = program.upper.copy()
    upper[row] = max(0, most)
    return replace(program, upper=upper)
