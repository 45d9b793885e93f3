"""Models of a response scored in ordered categories 0, 1, ..., m - 1.

Graded response model (Samejima, 1969), thresholds b_1 < ... < b_{m-1}:

    P(X >= k | theta) = 1 / (1 + exp(-D a (theta - b_k)))

Generalised partial credit model (Muraki, 1992), steps d_1, ..., d_{m-1} in any order:

    P(X = k | theta) proportional to exp(sum_{j <= k} D a (theta - d_j))

The partial credit model (Masters, 1982) is the GPCM with a = 1; the rating scale model (Andrich, 1978) is a
partial credit model whose steps are a location plus distances common to all items.

Items of different length share one matrix of thresholds (n, m - 1): the places an item does not use are NaN,
and the probability of its absent categories is 0. Functions that end in ``_at`` are elementwise and
unchecked; the others take theta (q,) and items (n,), check both, and answer (q, n, m).
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit

from psychometrics.arrays import BoolArray, FloatArray, check_metric, refuse_rows, theta_axis
from psychometrics.models.dichotomous import LogDerivatives


def check_thresholds(a: FloatArray, thresholds: FloatArray) -> None:
    """Refuse slopes and thresholds of either model that are undefined, with the row and the reason."""
    if a.ndim != 1 or thresholds.ndim != 2 or thresholds.shape[0] != a.size:
        raise ValueError(f"thresholds have shape {thresholds.shape}, expected ({a.size}, m - 1)")
    refuse_rows(~np.isfinite(a), "a is not finite")
    refuse_rows(a < 0, "slope a is negative")
    absent = np.isnan(thresholds)
    refuse_rows(np.isinf(thresholds).any(axis=1), "a threshold is infinite")
    refuse_rows(absent.all(axis=1), "there is no threshold")
    refuse_rows((absent[:, :-1] & ~absent[:, 1:]).any(axis=1), "a threshold follows an absent one")


def check_graded(a: FloatArray, thresholds: FloatArray) -> None:
    """The graded model also needs thresholds that rise and a slope that keeps its categories possible."""
    check_thresholds(a, thresholds)
    refuse_rows(a == 0, "slope a is zero: the middle categories of a graded item would be impossible")
    refuse_rows((np.diff(thresholds, axis=1) <= 0).any(axis=1), "graded thresholds do not increase")


def graded_probabilities(theta: ArrayLike, a: ArrayLike, thresholds: ArrayLike, *, D: float) -> FloatArray:
    """P(X = k | theta) of the graded response model, shape (q, n, m)."""
    points, slope, places = theta_axis(theta), *_columns(a, thresholds)
    check_graded(slope, places)
    check_metric(D)
    return np.exp(graded_log_probabilities_at(points[:, None], slope, places, D=D))


def partial_credit_probabilities(theta: ArrayLike, a: ArrayLike, steps: ArrayLike, *, D: float) -> FloatArray:
    """P(X = k | theta) of the generalised partial credit model, shape (q, n, m)."""
    points, slope, places = theta_axis(theta), *_columns(a, steps)
    check_thresholds(slope, places)
    check_metric(D)
    return np.exp(partial_credit_log_probabilities_at(points[:, None], slope, places, D=D))


def rating_scale_steps(locations: ArrayLike, distances: ArrayLike) -> FloatArray:
    """Steps (n, m - 1) of rating scale items: location of the item plus the common distances."""
    return np.asarray(locations, dtype=np.float64)[:, None] + np.asarray(distances, dtype=np.float64)[None, :]


def graded_log_probabilities_at(
    theta: FloatArray, a: FloatArray, thresholds: FloatArray, *, D: float
) -> FloatArray:
    """Elementwise ln P(X = k | theta), theta (..., n), shape (..., n, m).

    The difference of two neighbouring logistics is taken as a product, s(x) - s(y) = s(x) s(-y) (1 - e^{y -
    x}), which is exact in both tails; x - y = D a (b_{k+1} - b_k) does not depend on theta.
    """
    above, below = _graded_logits(theta, a, thresholds, D)
    gap = np.full((a.size, thresholds.shape[1] + 1), np.inf)
    present = ~np.isnan(thresholds)
    between = D * a[:, None] * np.diff(thresholds, axis=1)
    gap[:, 1:-1] = np.where(np.isnan(between), np.inf, between)
    log_p = log_expit(above) + log_expit(-below) + np.log(-np.expm1(-gap))
    return np.where(_categories_present(present), log_p, -np.inf)


def graded_log_derivatives_at(
    theta: FloatArray, a: FloatArray, thresholds: FloatArray, *, D: float
) -> LogDerivatives:
    """Elementwise derivatives of ln P(X = k | theta), which is concave in theta; 0 for absent categories."""
    above, below = _graded_logits(theta, a, thresholds, D)
    slope = (D * a)[:, None]
    present = _categories_present(~np.isnan(thresholds))
    score = slope * (expit(-above) - expit(below))
    curvature = -(slope**2) * (expit(above) * expit(-above) + expit(below) * expit(-below))
    return LogDerivatives(np.where(present, score, 0.0), np.where(present, curvature, 0.0))


def partial_credit_log_probabilities_at(
    theta: FloatArray, a: FloatArray, steps: FloatArray, *, D: float
) -> FloatArray:
    """Elementwise ln P(X = k | theta), theta (..., n), shape (..., n, m)."""
    exponents = _partial_credit_exponents(theta, a, steps, D)
    shifted = exponents - exponents.max(axis=-1, keepdims=True)
    total = np.exp(shifted).sum(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(total), dtype=np.float64)


def partial_credit_log_derivatives_at(
    theta: FloatArray, a: FloatArray, steps: FloatArray, *, D: float
) -> LogDerivatives:
    """Elementwise derivatives: D a (k - E[X]) and -(D a)^2 Var[X], the latter the same in every category."""
    p = np.exp(partial_credit_log_probabilities_at(theta, a, steps, D=D))
    category = np.arange(p.shape[-1], dtype=np.float64)
    mean = (p * category).sum(axis=-1, keepdims=True)
    variance = (p * (category - mean) ** 2).sum(axis=-1, keepdims=True)
    slope = (D * a)[:, None]
    present = _categories_present(~np.isnan(steps))
    return LogDerivatives(
        np.where(present, slope * (category - mean), 0.0), np.where(present, -(slope**2) * variance, 0.0)
    )


def _graded_logits(
    theta: FloatArray, a: FloatArray, thresholds: FloatArray, D: float
) -> tuple[FloatArray, FloatArray]:
    """Logits of P(X >= k) and of P(X >= k + 1) for k = 0..m-1: +inf before the first, -inf past the last."""
    z = D * a[:, None] * (theta[..., None] - thresholds)
    z = np.where(np.isnan(z), -np.inf, z)
    edge = np.full((*z.shape[:-1], 1), np.inf)
    return np.concatenate([edge, z], axis=-1), np.concatenate([z, -edge], axis=-1)


def _partial_credit_exponents(theta: FloatArray, a: FloatArray, steps: FloatArray, D: float) -> FloatArray:
    """Running sums of D a (theta - d_j), 0 for category 0 and -inf for the absent ones."""
    increments = D * a[:, None] * (theta[..., None] - steps)
    sums = np.cumsum(np.where(np.isnan(increments), -np.inf, increments), axis=-1)
    return np.concatenate([np.zeros((*sums.shape[:-1], 1)), sums], axis=-1)


def _categories_present(thresholds_present: BoolArray) -> BoolArray:
    first = np.ones((thresholds_present.shape[0], 1), dtype=np.bool_)
    return np.concatenate([first, thresholds_present], axis=1)


def _columns(a: ArrayLike, thresholds: ArrayLike) -> tuple[FloatArray, FloatArray]:
    slope = np.atleast_1d(np.asarray(a, dtype=np.float64))
    return slope, np.atleast_2d(np.asarray(thresholds, dtype=np.float64))
