"""Maximum a posteriori: the highest point of the posterior, and the error from its curvature there.

The highest node is found first, so a local maximum is never reported (3PL posteriors may have several).
Around it the log posterior is a polynomial through seven nodes; its mode is found by Newton's method with
additions, multiplications and divisions only, hence the same everywhere. With nodes a tenth apart the
polynomial's mode lies within 1e-5 of the curve's own for slopes up to 3.
"""

import math
from fractions import Fraction

import msgspec

from cat_engine.core.exact import THETA_UNIT, UNIT
from cat_engine.core.families import About, Rule
from cat_engine.core.tables import NODE_LIMIT_MILLIONTHS, NODE_STEP_MILLIONTHS
from cat_engine.core.views import Estimate, Evidence

_REACH = 3
_NEWTON_STEPS = 12


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the prior is the section's."""


def _interpolation() -> tuple[tuple[float, ...], ...]:
    """Row k turns the values at -3..3 into the coefficient of x**k (inverse Vandermonde, exact fractions)."""
    points = range(-_REACH, _REACH + 1)
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
    return tuple(tuple(float(value) for value in row[size:]) for row in rows)


_COEFFICIENTS = _interpolation()


def posterior_mode(evidence: Evidence, *, settings: Settings) -> Estimate:
    """Mode of the posterior; error = 1 / sqrt(-curvature at the mode)."""
    del settings
    log_posterior = evidence.log_posterior
    highest = int(log_posterior.argmax())
    centre = min(max(highest, _REACH), log_posterior.size - 1 - _REACH)
    values = [
        int(v - log_posterior[centre]) / UNIT for v in log_posterior[centre - _REACH : centre + _REACH + 1]
    ]
    polynomial = [_dot(row, values) for row in _COEFFICIENTS]
    slope = [k * c for k, c in enumerate(polynomial)][1:]
    curvature = [k * c for k, c in enumerate(slope)][1:]
    x = float(highest - centre)
    for _ in range(_NEWTON_STEPS):
        bend = _at(curvature, x)
        if bend >= 0.0:
            break  # the curve is flat to the last digit: the node itself is the answer
        x = min(max(x - _at(slope, x) / bend, -float(_REACH)), float(_REACH))
    theta = (centre * NODE_STEP_MILLIONTHS - NODE_LIMIT_MILLIONTHS) + round(x * NODE_STEP_MILLIONTHS)
    step = NODE_STEP_MILLIONTHS / THETA_UNIT
    precision = max(-_at(curvature, x) / (step * step), 1e-6)
    return Estimate(
        theta_millionths=theta, standard_error_millionths=round(THETA_UNIT / math.sqrt(precision))
    )


def _dot(row: tuple[float, ...], values: list[float]) -> float:
    total = 0.0
    for m, v in zip(row, values, strict=True):
        total += m * v  # not sum(): it compensates rounding from Python 3.12 on, and so gives other bits
    return total


def _at(polynomial: list[float], x: float) -> float:
    total = 0.0
    for coefficient in reversed(polynomial):
        total = total * x + coefficient
    return total


RULE = Rule(
    "posterior_mode",
    Settings,
    posterior_mode,
    About(
        formula="theta_hat = argmax ln L(theta) + ln prior(theta); SE = (-curvature)^(-1/2)",
        source="Samejima (1969)",
        use="Where scores are to be compared with programs that report the mode.",
    ),
)
