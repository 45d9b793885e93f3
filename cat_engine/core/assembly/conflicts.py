"""Whether a blueprint can be met at all, and if not, which of its lines contradict each other."""

import contextlib

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.assembly.constraints import Constraints, InfeasibleBlueprint
from cat_engine.core.assembly.linear import Unsolved, linear_model, solve_integer
from cat_engine.core.assembly.program import Program, program_of
from cat_engine.core.exact import Integers
from cat_engine.core.pool import NO_ITEMS

NODES_OF_A_CHECK = 2_000


def column_bounds(
    constraints: Constraints, program: Program, taken: Integers, barred: NDArray[np.bool_] | None
) -> tuple[Integers, Integers]:
    """What each column may be, (columns,) each: items taken are used and their sets with them; barred and
    excluded items are not, unless taken.
    """
    lower = np.zeros(program.size, dtype=np.int64)
    upper = np.ones(program.size, dtype=np.int64)
    upper[program.binaries :] = program.slack_most
    if barred is not None:
        upper[: program.items][barred] = 0
    upper[constraints.excluded] = 0
    upper[taken] = 1
    musts = np.union1d(taken, constraints.forced)
    lower[musts] = 1
    sets = program.set_of_item[musts]
    lower[sets[sets >= 0]] = 1
    stopped = np.flatnonzero(lower > upper)
    if stopped.size:
        raise InfeasibleBlueprint(("forced", "barred"))
    return lower, upper


def check_blueprint(
    constraints: Constraints, taken: Integers = NO_ITEMS, barred: NDArray[np.bool_] | None = None
) -> None:
    """Raise InfeasibleBlueprint with a conflicting subset of the lines if no test meets them all.

    All lines are asked to hold, whatever their priority. For the desk, not for a live step.
    """
    names = conflict(constraints, taken, barred)
    if names:
        raise InfeasibleBlueprint(names)


def conflict(
    constraints: Constraints,
    taken: Integers = NO_ITEMS,
    barred: NDArray[np.bool_] | None = None,
    *,
    hard_only: bool = False,
) -> tuple[str, ...]:
    """Names of lines that cannot hold together, none of which can be left out; empty if all can hold.

    Deletion filter (Chinneck, 2008): drop each line in turn, and for good if the rest is still infeasible.
    `hard_only` looks only among lines without priority.
    """
    program = program_of(constraints)
    lower, upper = column_bounds(constraints, program, taken, barred)
    if hard_only:
        soft = {line for line, p in zip(program.lines, program.priorities, strict=True) if p is not None}
        program = program.without(frozenset(soft))
        names = [line.name for line in constraints.lines() if line.name not in soft]
    else:
        names = [line.name for line in constraints.lines()]
    if _can_hold(program, lower, upper):
        return ()
    kept = list(names)
    for name in names:
        fewer = [other for other in kept if other != name]
        if not _can_hold(program.without(frozenset(set(names) - set(fewer))), lower, upper):
            kept = fewer
    return tuple(kept)


def _can_hold(program: Program, lower: Integers, upper: Integers) -> bool:
    """Whether any vector meets the rows: the linear relaxation first, it is quick to refute.

    A check that runs out of nodes refutes nothing.
    """
    with contextlib.suppress(Unsolved):
        if linear_model(program).solve(lower, upper) is None:
            return False
    nothing = np.zeros(program.size, dtype=np.int64)
    vector, proven = solve_integer(program, nothing, lower, upper, NODES_OF_A_CHECK)
    return vector is not None or not proven
