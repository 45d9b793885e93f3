"""HiGHS (Huangfu and Hall, 2018) as a function of its arguments.

One thread, no clock, and no memory of an earlier question: every question gets a new solver. To clear one and
use it again is not enough, it would still go another way to the optimum (measured), and where work is limited
the way decides. A new one costs half a millisecond.
"""

from dataclasses import dataclass

import highspy
import numpy as np

from cat_engine.core.assembly.program import UNBOUNDED, Program
from cat_engine.core.exact import Floats, Integers

TOLERANCE = 1e-10  # the solver's smallest, on costs of at most COST_SCALE and rows of whole numbers
COST_SCALE = 10_000.0
ITERATIONS_OF_ONE_SOLVE = 20_000  # far above what any solve needs: ends a cycle, should there be one
MAXIMISE = -1
BY_COLUMNS = 1


@dataclass(frozen=True)
class Vertex:
    """An optimal vertex of a linear programme: its point (columns,) and its dual values (rows,)."""

    point: Floats
    duals: Floats
    value: float


class Unsolved(ArithmeticError):
    """The solver found neither an optimum nor a proof that there is none."""


class LinearModel:
    """One linear programme in HiGHS, its matrix given by columns; a solve starts from the last basis."""

    def __init__(self, starts: Integers, rows: Integers, values: Integers, lower: Integers, upper: Integers):
        self._columns = np.arange(starts.size - 1, dtype=np.int32)
        self._solver = _new_solver()
        zeros = np.zeros(self._columns.size)
        self._solver.passModel(
            self._columns.size,
            lower.size,
            rows.size,
            BY_COLUMNS,
            MAXIMISE,
            0.0,
            zeros,
            zeros,
            zeros,
            unbounded_as_infinite(lower),
            unbounded_as_infinite(upper),
            starts.astype(np.int32),
            rows.astype(np.int32),
            values.astype(np.float64),
            np.zeros(self._columns.size, dtype=np.int32),
        )

    def price(self, costs: Floats) -> None:
        """Set what is maximised."""
        self._solver.changeColsCost(self._columns.size, self._columns, costs)

    def solve(self, lower: Integers, upper: Integers) -> Vertex | None:
        """The optimal vertex within these column bounds, None if there is no point at all."""
        solver = self._solver
        solver.changeColsBounds(
            self._columns.size, self._columns, lower.astype(np.float64), upper.astype(np.float64)
        )
        solver.run()
        if solver.getModelStatus() not in (
            highspy.HighsModelStatus.kOptimal,
            highspy.HighsModelStatus.kInfeasible,
        ):
            solver.clearSolver()  # a second try without the inherited basis
            solver.run()
        status = solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise Unsolved(solver.modelStatusToString(status))
        solution = solver.getSolution()
        return Vertex(
            np.array(solution.col_value),
            np.array(solution.row_dual),
            solver.getInfo().objective_function_value,
        )

    @property
    def iterations(self) -> int:
        """Simplex iterations of the last solve."""
        return int(self._solver.getInfo().simplex_iteration_count)


def linear_model(program: Program) -> LinearModel:
    """The linear relaxation of a programme."""
    return LinearModel(program.starts, program.rows, program.values, program.lower, program.upper)


def solve_integer(
    program: Program, costs: Integers, lower: Integers, upper: Integers, nodes: int
) -> tuple[Integers | None, bool]:
    """The best vector that HiGHS's own branch and cut finds in so many nodes, and whether that is proven.

    (None, True) says that there is no vector. For small whole costs (violations of lines, or none at all). A
    fresh solver each time.
    """
    solver = _new_solver()
    solver.setOptionValue("presolve", "choose")
    solver.setOptionValue("mip_max_nodes", nodes)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 0.5)  # costs are whole numbers
    solver.passModel(
        program.size,
        program.lower.size,
        program.rows.size,
        BY_COLUMNS,
        MAXIMISE,
        0.0,
        costs.astype(np.float64),
        lower.astype(np.float64),
        upper.astype(np.float64),
        unbounded_as_infinite(program.lower),
        unbounded_as_infinite(program.upper),
        program.starts.astype(np.int32),
        program.rows.astype(np.int32),
        program.values.astype(np.float64),
        np.ones(program.size, dtype=np.int32),
    )
    solver.run()
    status, solution = solver.getModelStatus(), solver.getSolution()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None, True
    if not solution.value_valid:
        return None, False
    vector = program.complete(np.rint(np.array(solution.col_value)).astype(np.int64))
    if not program.meets(vector, lower, upper):
        return None, False
    return vector, status == highspy.HighsModelStatus.kOptimal


def unbounded_as_infinite(bounds: Integers) -> Floats:
    """Row bounds for the solver."""
    floats: Floats = bounds.astype(np.float64)
    floats[bounds >= UNBOUNDED] = np.inf
    floats[bounds <= -UNBOUNDED] = -np.inf
    return floats


def _new_solver() -> highspy.Highs:
    solver = highspy.Highs()  # type: ignore[no-untyped-call] # the package's own hints leave it out
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("presolve", "off")
    solver.setOptionValue("simplex_iteration_limit", ITERATIONS_OF_ONE_SOLVE)
    solver.setOptionValue("primal_feasibility_tolerance", TOLERANCE)
    solver.setOptionValue("dual_feasibility_tolerance", TOLERANCE)
    return solver
