"""Between the nodes: polynomials through the nearest ones.

The curves of a package are known on nodes a tenth apart. Where something is needed between nodes, or a slope
is, the polynomial through the nodes around stands for the curve. Its coefficients are exact fractions rounded
once; what is computed with them are additions, multiplications and divisions in a fixed order, hence the same
everywhere. Abilities are counted in nodes here: x = 0 at the centre of the polynomial.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cat_engine.core.exact import THETA_UNIT, UNIT, Integers
from cat_engine.core.tables import NODE_LIMIT_MILLIONTHS, NODE_STEP_MILLIONTHS

REACH = 3
"""The polynomial of a peak goes through this many nodes to either side."""
STEP = NODE_STEP_MILLIONTHS / THETA_UNIT
_NEWTON_STEPS = 12


def polynomial_rows(reach: int) -> tuple[tuple[Fraction, ...], ...]:
    """Row k turns the values at -reach..reach into the coefficient of x**k (inverse Vandermonde)."""
    points = range(-reach, reach + 1)
    size = len(points)
    rows = [
        [Fraction(x) ** k for k in range(size)] + [Fraction(int(i == j)) for j in range(size)]
        for i, x in enumerate(points)
    ]
    for column in range(size):
        pivot = next(r for r in range(column, size) if rows[r][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        scale = rows[column][column]
        rows[column] = [value / scale for value in rows[column]]
        for other in range(size):
            if other != column and rows[other][column]:
                factor = rows[other][column]
                rows[other] = [v - factor * p for v, p in zip(rows[other], rows[column], strict=True)]
    return tuple(tuple(row[size:]) for row in rows)


WIDE = 4
"""The reach where curves bend more sharply, as quotients of moments do."""
_ROWS = {
    2 * reach + 1: tuple(tuple(float(value) for value in row) for row in polynomial_rows(reach))
    for reach in (REACH, WIDE)
}
COEFFICIENTS = _ROWS[2 * REACH + 1]


def coefficients(values: Sequence[float]) -> list[float]:
    """The polynomial through seven values at -3..3, or nine at -4..4, lowest power first."""
    return [_dot(row, values) for row in _ROWS[len(values)]]


def derivative(polynomial: Sequence[float]) -> list[float]:
    """Its derivative."""
    return [k * c for k, c in enumerate(polynomial)][1:]


def value_at(polynomial: Sequence[float], x: float) -> float:
    """The polynomial at x."""
    total = 0.0
    for coefficient in reversed(polynomial):
        total = total * x + coefficient
    return total


def _dot(row: tuple[float, ...], values: Sequence[float]) -> float:
    total = 0.0
    for m, v in zip(row, values, strict=True):
        total += m * v  # not sum(): it compensates rounding from Python 3.12 on, and so gives other bits
    return total


@dataclass(frozen=True)
class Neighbourhood:
    """The seven nodes around the highest one within the bounds, as numbers of nodes."""

    highest: int
    centre: int
    first: int
    last: int

    def values(self, heights: Integers) -> list[float]:
        """Values in billionths on the nodes, here as floats, from that of the centre."""
        there = heights[self.centre - REACH : self.centre + REACH + 1]
        return [int(v - heights[self.centre]) / UNIT for v in there]

    def theta_millionths(self, x: float) -> int:
        """The ability at x."""
        return self.centre * NODE_STEP_MILLIONTHS - NODE_LIMIT_MILLIONTHS + round(x * NODE_STEP_MILLIONTHS)


def neighbourhood(heights: Integers, bound_millionths: int = NODE_LIMIT_MILLIONTHS) -> Neighbourhood:
    """Around the highest node between minus and plus the bound, which is a multiple of the nodes' step."""
    first = (NODE_LIMIT_MILLIONTHS - bound_millionths) // NODE_STEP_MILLIONTHS
    last = heights.size - 1 - first
    highest = first + int(heights[first : last + 1].argmax())
    centre = min(max(highest, REACH), heights.size - 1 - REACH)
    return Neighbourhood(highest, centre, first, last)


def summit(at: Neighbourhood, slope: Sequence[float]) -> float:
    """Where the slope, a polynomial in x, crosses zero next to the highest node; within the bounds.

    Newton's method. The highest point of a curve lies less than a node from its highest node.
    """
    bend = derivative(slope)
    start = at.highest - at.centre
    lowest = float(max(start - 1, at.first - at.centre, -REACH))
    highest = float(min(start + 1, at.last - at.centre, REACH))
    x = float(start)
    for _ in range(_NEWTON_STEPS):
        curvature = value_at(bend, x)
        if curvature >= 0.0:
            break  # the curve is flat to the last digit: the node itself is the answer
        x = min(max(x - value_at(slope, x) / curvature, lowest), highest)
    return x
