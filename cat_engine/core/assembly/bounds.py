"""Upper bounds that hold exactly, from dual values that hold roughly.

For any dual values y (y_r >= 0 where row r has only an upper bound, <= 0 where it has only a lower one)

    max u v  <=  sum_r max(y_r lower_r, y_r upper_r)  +  sum_j max(d_j lower_j, d_j upper_j),   d = u - y A

(weak duality). The solver's y are rounded to integers and the rest is computed in integers, so rounding
errors of the solver can make the bound looser, never wrong (Neumaier and Shcherbina, 2004).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from cat_engine.core.assembly.program import UNBOUNDED
from cat_engine.core.exact import Floats, Integers

LARGEST_SAFE = float(1 << 61)


def whole_duals(duals: Floats, scale: float, lower: Integers, upper: Integers) -> Integers:
    """Dual values in whole units of the objective; those of the wrong sign, which an infinite bound would
    make worthless, become 0.
    """
    whole = np.rint(np.clip(duals * scale, -LARGEST_SAFE, LARGEST_SAFE)).astype(np.int64)
    whole[(whole > 0) & (upper >= UNBOUNDED)] = 0
    whole[(whole < 0) & (lower <= -UNBOUNDED)] = 0
    return whole


def dual_bound(
    costs: Integers,
    weighted_columns: Callable[[Any], Any],
    duals: Integers,
    row_weight: Floats,
    row_bounds: tuple[Integers, Integers],
    column_bounds: tuple[Integers, Integers],
) -> tuple[int, Integers]:
    """The bound, and the reduced costs d (columns,): using column j on its other side costs at least |d_j|.

    `weighted_columns(y)` is y A; `row_weight` the largest number of each row, by which it is seen beforehand
    whether 64 bits hold every sum. Where they might not, Python's integers are used.
    """
    wide = float(np.abs(duals).astype(np.float64) @ row_weight) > LARGEST_SAFE
    numbers: Any = duals.astype(object) if wide else duals
    reduced = costs - weighted_columns(numbers)
    row_side = np.where(duals > 0, row_bounds[1], np.where(duals < 0, row_bounds[0], 0))
    column_side = np.where(reduced > 0, column_bounds[1], column_bounds[0])
    by_rows = int(numbers @ row_side)
    if wide or float(np.abs(reduced).astype(np.float64) @ column_side.astype(np.float64)) > LARGEST_SAFE:
        by_columns = sum(int(d) * int(v) for d, v in zip(reduced, column_side, strict=True))
        reduced = np.clip(reduced, -(1 << 62), 1 << 62).astype(np.int64)
        return by_rows + by_columns, reduced
    return by_rows + int(reduced @ column_side), reduced
