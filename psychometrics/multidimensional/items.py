"""Compensatory multidimensional items as columns, and their category probabilities.

    M2PL, M3PL, M4PL   P(X = 1 | theta) = c + (d - c) / (1 + exp(-D (a . theta + e)))
    MGRM               P(X >= k | theta) = 1 / (1 + exp(-D (a . theta + e_k))),  e_1 > e_2 > ...
    MGPCM              P(X = k | theta) proportional to exp(sum_{j <= k} D (a . theta + e_j))

with a slope vector a (K,) and intercepts e (Reckase, 2009, ch. 4; Muraki & Carlson, 1995; Yao & Schwarz,
2006). D multiplies slopes and intercepts alike. An item that loads on one dimension is the unidimensional
item of the same name with e = -a b ("between-item" multidimensionality, Adams, Wilson & Wang, 1997).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import MOST_SLOPE, FloatArray, IntArray, frozen_copy, refuse_rows, row_index
from psychometrics.models.items import (
    DICHOTOMOUS,
    GRADED,
    NOMINAL,
    PARTIAL_CREDIT,
    ItemColumns,
    log_derivatives_at,
    log_probabilities_at,
)


class MultidimensionalModel(StrEnum):
    """The models by the name a calibration gives them."""

    TWO_PARAMETER = "M2PL"
    THREE_PARAMETER = "M3PL"
    FOUR_PARAMETER = "M4PL"
    GRADED_RESPONSE = "MGRM"
    GENERALISED_PARTIAL_CREDIT = "MGPCM"


FAMILY_OF_MODEL = {
    MultidimensionalModel.TWO_PARAMETER: DICHOTOMOUS,
    MultidimensionalModel.THREE_PARAMETER: DICHOTOMOUS,
    MultidimensionalModel.FOUR_PARAMETER: DICHOTOMOUS,
    MultidimensionalModel.GRADED_RESPONSE: GRADED,
    MultidimensionalModel.GENERALISED_PARTIAL_CREDIT: PARTIAL_CREDIT,
}


@dataclass(frozen=True, slots=True)
class MultidimensionalItem:
    """One item: slopes (K values), intercepts (1 value, or m - 1), asymptotes c and d."""

    model: str
    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]
    c: float = 0.0
    d: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class MultidimensionalColumns:
    """Parameters of n items on one metric, as read-only columns.

    family (n,); slopes (n, K), none negative; intercepts (n, m - 1), NaN where an item has fewer categories;
    c, d (n,). `composite` holds the same items as functions of a . theta: slope 1, difficulties -e.
    """

    family: IntArray
    slopes: FloatArray
    intercepts: FloatArray
    c: FloatArray
    d: FloatArray
    D: float = field(kw_only=True)
    composite: ItemColumns = field(init=False)

    def __post_init__(self) -> None:
        for name in ("slopes", "intercepts", "c", "d"):
            object.__setattr__(self, name, frozen_copy(getattr(self, name)))
        family = np.array(self.family, dtype=np.int64)
        family.setflags(write=False)
        object.__setattr__(self, "family", family)
        _check_columns(self)
        composite = ItemColumns(family, np.ones(family.size), -self.intercepts, self.c, self.d, D=self.D)
        object.__setattr__(self, "composite", composite)

    def __len__(self) -> int:
        return int(self.family.size)

    @property
    def dimensions(self) -> int:
        """Number K of abilities."""
        return int(self.slopes.shape[1])

    def take(self, rows: ArrayLike) -> "MultidimensionalColumns":
        """The items at these rows (k,), in this order, also repeatedly; or those of a mask (n,)."""
        index = row_index(rows, len(self))
        return MultidimensionalColumns(
            self.family[index],
            self.slopes[index],
            self.intercepts[index],
            self.c[index],
            self.d[index],
            D=self.D,
        )


def multidimensional_columns(items: Sequence[MultidimensionalItem], *, D: float) -> MultidimensionalColumns:
    """Columns of the given items; refuses an item whose parameters contradict the model it names."""
    models = [_model(row, item) for row, item in enumerate(items)]
    K = len(items[0].slopes) if items else 0
    intercepts = np.full((len(items), max((len(item.intercepts) for item in items), default=1)), np.nan)
    for row, item in enumerate(items):
        _check_model(row, models[row], item, K)
        intercepts[row, : len(item.intercepts)] = item.intercepts
    return MultidimensionalColumns(
        np.array([FAMILY_OF_MODEL[model] for model in models], dtype=np.int64),
        np.array([item.slopes for item in items], dtype=np.float64),
        intercepts,
        np.array([item.c for item in items], dtype=np.float64),
        np.array([item.d for item in items], dtype=np.float64),
        D=D,
    )


def between_item_columns(
    items: ItemColumns, dimension: ArrayLike, dimensions: int
) -> MultidimensionalColumns:
    """Unidimensional items, each measuring the one of K abilities that `dimension` (n,) names."""
    index = np.asarray(dimension, dtype=np.int64)
    if index.shape != (len(items),):
        raise ValueError(f"dimension has shape {index.shape}, expected ({len(items)},)")
    refuse_rows((index < 0) | (index >= dimensions), f"the dimension is not one of 0 to {dimensions - 1}")
    refuse_rows(items.family == NOMINAL, "a nominal item has no multidimensional form here")
    slopes = np.zeros((len(items), dimensions))
    slopes[np.arange(len(items)), index] = items.a
    return MultidimensionalColumns(
        items.family, slopes, -items.a[:, None] * items.thresholds, items.c, items.d, D=items.D
    )


def points_axis(theta: ArrayLike, dimensions: int) -> FloatArray:
    """Ability points as (q, K); one point (K,) becomes one row. Refuses NaN, infinity and other lengths."""
    points = np.atleast_2d(np.asarray(theta, dtype=np.float64))
    if points.ndim != 2 or points.shape[1] != dimensions:
        raise ValueError(f"theta has shape {np.shape(theta)}, expected (q, {dimensions})")
    refuse_rows(~np.isfinite(points).all(axis=1), "theta is not finite")
    return points


def composites(theta: FloatArray, slopes: FloatArray) -> FloatArray:
    """a . theta. (q, 1, K) crosses with slopes (n, K), (p, K) pairs with slopes (p, K).

    Added dimension by dimension: a matrix product may round otherwise in a larger batch.
    """
    total = theta[..., 0] * slopes[..., 0]
    for k in range(1, slopes.shape[-1]):
        total = total + theta[..., k] * slopes[..., k]
    return np.asarray(total, dtype=np.float64)


def category_log_probabilities(items: MultidimensionalColumns, theta: ArrayLike) -> FloatArray:
    """ln P(X = k | theta) at theta (q, K), shape (q, n, m); -inf for categories an item does not have."""
    points = points_axis(theta, items.dimensions)
    return log_probabilities_at(items.composite, composites(points[:, None], items.slopes))


def category_probabilities(items: MultidimensionalColumns, theta: ArrayLike) -> FloatArray:
    """P(X = k | theta) at theta (q, K), shape (q, n, m); 0 for categories an item does not have."""
    return np.exp(category_log_probabilities(items, theta))


def category_log_gradients(items: MultidimensionalColumns, theta: ArrayLike) -> FloatArray:
    """Gradient of ln P(X = k | theta) at theta (q, K), shape (q, n, m, K)."""
    points = points_axis(theta, items.dimensions)
    score = log_derivatives_at(items.composite, composites(points[:, None], items.slopes)).score
    return np.asarray(score[..., None] * items.slopes[:, None, :], dtype=np.float64)


def _model(row: int, item: MultidimensionalItem) -> MultidimensionalModel:
    try:
        return MultidimensionalModel(item.model)
    except ValueError:
        known = ", ".join(MultidimensionalModel)
        raise ValueError(f"row {row}: model {item.model!r} is not one of {known}") from None


def _check_model(row: int, model: MultidimensionalModel, item: MultidimensionalItem, K: int) -> None:
    if len(item.slopes) != K:
        raise ValueError(f"row {row}: {len(item.slopes)} slopes among items of {K} dimensions")
    if FAMILY_OF_MODEL[model] == DICHOTOMOUS and len(item.intercepts) != 1:
        raise ValueError(f"row {row}: {model} takes one intercept, not {len(item.intercepts)}")
    guessing = {MultidimensionalModel.THREE_PARAMETER, MultidimensionalModel.FOUR_PARAMETER}
    if model not in guessing and item.c != 0:
        raise ValueError(f"row {row}: {model} has no lower asymptote, but c is {item.c}")
    if model is not MultidimensionalModel.FOUR_PARAMETER and item.d != 1:
        raise ValueError(f"row {row}: {model} has no upper asymptote, but d is {item.d}")
    if not np.isfinite(item.intercepts).all():
        raise ValueError(f"row {row}: an intercept is not finite")


def _check_columns(items: MultidimensionalColumns) -> None:
    n = items.family.size
    if items.slopes.ndim != 2 or items.slopes.shape[0] != n or items.slopes.shape[1] == 0:
        raise ValueError(f"slopes have shape {items.slopes.shape}, expected ({n}, K) with K at least 1")
    if items.intercepts.ndim != 2 or items.intercepts.shape[0] != n:
        raise ValueError(f"intercepts have shape {items.intercepts.shape}, expected ({n}, m - 1)")
    refuse_rows(~np.isfinite(items.slopes).all(axis=1), "a slope is not finite")
    refuse_rows((items.slopes < 0).any(axis=1), "a slope is negative")
    steep = (items.slopes > MOST_SLOPE / items.D).any(axis=1)
    refuse_rows(steep, f"slope D a is above {MOST_SLOPE:,.0f}")
    refuse_rows(items.family == NOMINAL, "a nominal item has no multidimensional form here")
    rising = (np.diff(items.intercepts, axis=1) >= 0).any(axis=1)
    refuse_rows((items.family == GRADED) & rising, "graded intercepts do not decrease")
