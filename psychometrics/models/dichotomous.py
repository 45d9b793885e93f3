"""Logistic models of a response scored 0 or 1.

    P(X = 1 | theta) = c + (d - c) / (1 + exp(-D a (theta - b)))

with slope a, difficulty b, lower asymptote c and upper asymptote d (Barton & Lord, 1981: 4PL). The 3PL
(Birnbaum, 1968) has d = 1, the 2PL also c = 0, the 1PL also one common slope, the Rasch model a = D = 1.

Functions that end in ``_at`` are elementwise: their arguments broadcast like any numpy operands and are not
checked. The others take theta (q,) and items (n,), check both, and answer (q, n, ...).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit

from psychometrics.arrays import FloatArray, check_metric, refuse_rows, theta_axis


class LogDerivatives(NamedTuple):
    """First and second derivative of ln P(X = k | theta) in theta, both of shape (..., m)."""

    score: FloatArray
    curvature: FloatArray


def check_dichotomous(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray) -> None:
    """Refuse parameters under which the response function is undefined or falls with ability."""
    for name, column in (("a", a), ("b", b), ("c", c), ("d", d)):
        if column.ndim != 1 or column.shape != a.shape:
            raise ValueError(f"column {name} has shape {column.shape}, expected ({a.size},)")
        refuse_rows(~np.isfinite(column), f"{name} is not finite")
    refuse_rows(a < 0, "slope a is negative")
    refuse_rows(c < 0, "lower asymptote c is negative")
    refuse_rows(c >= 1, "lower asymptote c is not below 1")
    refuse_rows(d > 1, "upper asymptote d is above 1")
    refuse_rows(d <= c, "upper asymptote d is not above the lower asymptote c")


def probabilities(
    theta: ArrayLike, a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike, *, D: float
) -> FloatArray:
    """P(X = 1 | theta), shape (q, n)."""
    points, (slope, difficulty, lower, upper) = theta_axis(theta), _columns(a, b, c, d)
    check_metric(D)
    return lower + (upper - lower) * expit(D * slope * (points[:, None] - difficulty))


def log_probabilities(
    theta: ArrayLike, a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike, *, D: float
) -> FloatArray:
    """ln P(X = 0 | theta) and ln P(X = 1 | theta), shape (q, n, 2); exact where P itself underflows."""
    points, (slope, difficulty, lower, upper) = theta_axis(theta), _columns(a, b, c, d)
    check_metric(D)
    return log_probabilities_at(points[:, None], slope, difficulty, lower, upper, D=D)


def log_probabilities_at(
    theta: FloatArray, a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray, *, D: float
) -> FloatArray:
    """Elementwise ln P of both categories, shape (..., 2).

    ln P(1) = ln(c + (d - c) s) and ln P(0) = ln((1 - d) + (d - c)(1 - s)) are both sums of two positive
    terms, so they are taken as log-sum-exp and lose nothing however far theta lies from b.
    """
    z = D * a * (theta - b)
    with np.errstate(divide="ignore"):  # ln 0 = -inf is the right weight of an absent asymptote
        log_lower, log_missing, log_range = np.log(c), np.log1p(-d), np.log(d - c)
    correct = np.logaddexp(log_lower, log_range + log_expit(z))
    incorrect = np.logaddexp(log_missing, log_range + log_expit(-z))
    return np.stack([incorrect, correct], axis=-1)


def log_derivatives_at(
    theta: FloatArray, a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray, *, D: float
) -> LogDerivatives:
    """Elementwise derivatives of ln P(0) and ln P(1) in theta, shape (..., 2) each.

    With s the logistic, t = 1 - s, r = (d - c) s / P and u = (d - c) t / (1 - P):
    d ln P = D a r t and d ln(1 - P) = -D a u s. The shares r and u lie in [0, 1]; where an asymptote is
    absent they are 1, also in the limit in which s or t underflows.
    """
    z = D * a * (theta - b)
    s, t = expit(z), expit(-z)
    r = _share((d - c) * s, c)
    u = _share((d - c) * t, 1.0 - d)
    slope = D * a
    score = np.stack([-slope * u * s, slope * r * t], axis=-1)
    curvature = np.stack([slope**2 * u * s * (s - t - u * s), slope**2 * r * t * (t - s - r * t)], axis=-1)
    return LogDerivatives(score, curvature)


def _share(part: FloatArray, rest: FloatArray) -> FloatArray:
    whole = part + rest
    return np.divide(part, whole, out=np.ones_like(whole), where=whole > 0)


def _columns(
    a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    slope = np.atleast_1d(np.asarray(a, dtype=np.float64))
    difficulty, lower, upper = (
        np.broadcast_to(np.asarray(column, dtype=np.float64), slope.shape) for column in (b, c, d)
    )
    check_dichotomous(slope, difficulty, lower, upper)
    return slope, difficulty, lower, upper
