"""What gives way when nothing fits.

Lines without priority always hold. The others may be broken, the lowest priority first, by as little as
possible: first the violations of the highest priority are made as small as they can be, then, with those
held, the violations of the next, and so on (a lexicographic minimum); among the tests that break the lines no
more than that the best utility wins. Violations of one priority are summed in the lines' own units, items or
words.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from cat_engine.core.assembly.conflicts import NODES_OF_A_CHECK
from cat_engine.core.assembly.linear import Unsolved, linear_model, solve_integer
from cat_engine.core.assembly.program import Program
from cat_engine.core.assembly.search import Found, Limits, Search
from cat_engine.core.exact import Integers

ROUNDING = 1e-6
FINE = 1 << 10  # units of weight per unit of violation: what rounded duals lose stays below one
BITS = 44  # of the weights' range: the solver resolves about so many


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
    levels: int,
    costs: Integers,
    bounds: tuple[Integers, Integers],
    incumbent: Integers | None,
    limits: Limits,
) -> Found | None:
    """The best vector of an elastic programme that breaks least; None if even its hard lines contradict.

    1. The least violations of the linear relaxation, level by level, rounded up, are lower bounds: a vector
       that keeps to them breaks least. Half of the limits are spent on looking for one.
    2. If there is none: the least violations by search, weighted so that one unit of a priority outweighs all
       that lower ones can be. All of the limits.
    3. Then the best utility with those violations held. Half of the limits.

    `incumbent` is a vector that holds the hard lines; what it breaks is not exceeded.
    """
    half = Limits(nodes=limits.nodes // 2, iterations=limits.iterations // 2)
    rounded = _by_relaxation(program, levels, bounds)
    if rounded is None:
        return None
    start = incumbent if incumbent is not None and rounded.meets(incumbent, *bounds) else None
    found = Search(rounded).best(costs, *bounds, start, half)
    if found.vector is not None:
        return found
    weights, lexicographic = _weights(program, levels)
    least = Search(program).best(-weights, *bounds, incumbent, limits)
    vector = least.vector
    if vector is None and not least.finished:
        vector, _ = solve_integer(program, np.zeros_like(costs), *bounds, NODES_OF_A_CHECK)
    if vector is None:
        return None
    for place in range(levels):
        program = _capped(program, levels, place, int(_members(program, levels, place) @ vector))
    best = Search(program).best(costs, *bounds, vector, half)
    proven = lexicographic and least.finished and least.bound // FINE == least.value // FINE
    return replace(
        best,
        finished=best.finished and proven,
        nodes=found.nodes + least.nodes + best.nodes,
        iterations=found.iterations + least.iterations + best.iterations,
    )


def _by_relaxation(program: Program, levels: int, bounds: tuple[Integers, Integers]) -> Program | None:
    """The programme with each level's violations limited to the least of the relaxation, rounded up."""
    for place in range(levels):
        model = linear_model(program)
        model.price(-_members(program, levels, place).astype(np.float64))
        try:
            vertex = model.solve(*bounds)
        except Unsolved:
            program = _capped(program, levels, place, 0)
            continue
        if vertex is None:
            return None
        program = _capped(program, levels, place, max(0, math.ceil(-vertex.value - ROUNDING)))
    return program


def _capped(program: Program, levels: int, place: int, most: int) -> Program:
    upper = program.upper.copy()
    upper[program.lower.size - levels + place] = most
    return replace(program, upper=upper)


def _weights(program: Program, levels: int) -> tuple[Integers, bool]:
    """What one unit of each slack weighs, (columns,), and whether that is lexicographic whatever happens.

    Where many priorities with wide totals would need more than 64 bits, a unit outweighs at least as much of
    the lower ones as fits.
    """
    weights = np.zeros(program.size, dtype=np.int64)
    most = [
        1 + int(_members(program, levels, place)[program.binaries :] @ program.slack_most)
        for place in range(levels)
    ]
    widest = 1 << (BITS // max(1, levels - 1))
    unit = FINE
    for place in range(levels - 1, -1, -1):
        weights += unit * _members(program, levels, place)
        unit *= most[place] if math.prod(most[1:]) <= 1 << BITS else min(most[place], widest)
    return weights, math.prod(most[1:]) <= 1 << BITS


def _members(program: Program, levels: int, place: int) -> Integers:
    """1 for the slacks of one priority, (columns,)."""
    members = np.zeros(program.size, dtype=np.int64)
    members[program.column_of_entry[program.rows == program.lower.size - levels + place]] = 1
    return members
