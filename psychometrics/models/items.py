"""Columns of a set of items of mixed models, and their category probabilities.

Everything downstream (information, estimation) works on categories, so one formula serves all models: a
response k to an item has ln P_k(theta) with its first and second derivative, whatever the model that
produced them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import (
    MOST_SLOPE,
    BoolArray,
    FloatArray,
    IntArray,
    check_metric,
    frozen_copy,
    refuse_rows,
    row_index,
    theta_axis,
)
from psychometrics.models import dichotomous, nominal, polytomous
from psychometrics.models.dichotomous import LogDerivatives


class ResponseModel(StrEnum):
    """The models by the name a calibration gives them."""

    ONE_PARAMETER = "1PL"
    TWO_PARAMETER = "2PL"
    THREE_PARAMETER = "3PL"
    FOUR_PARAMETER = "4PL"
    GRADED_RESPONSE = "GRM"
    PARTIAL_CREDIT = "PCM"
    GENERALISED_PARTIAL_CREDIT = "GPCM"
    RATING_SCALE = "RSM"
    NOMINAL_RESPONSE = "NRM"


DICHOTOMOUS, GRADED, PARTIAL_CREDIT, NOMINAL = 0, 1, 2, 3
"""Families: models that share one probability function."""

FAMILY_OF_MODEL = {
    ResponseModel.ONE_PARAMETER: DICHOTOMOUS,
    ResponseModel.TWO_PARAMETER: DICHOTOMOUS,
    ResponseModel.THREE_PARAMETER: DICHOTOMOUS,
    ResponseModel.FOUR_PARAMETER: DICHOTOMOUS,
    ResponseModel.GRADED_RESPONSE: GRADED,
    ResponseModel.PARTIAL_CREDIT: PARTIAL_CREDIT,
    ResponseModel.GENERALISED_PARTIAL_CREDIT: PARTIAL_CREDIT,
    ResponseModel.RATING_SCALE: PARTIAL_CREDIT,
    ResponseModel.NOMINAL_RESPONSE: NOMINAL,
}

MODELS_OF_SLOPE_ONE = {
    ResponseModel.PARTIAL_CREDIT,
    ResponseModel.RATING_SCALE,
    ResponseModel.NOMINAL_RESPONSE,
}
"""Models without a slope of the item: it is fixed, or stands in the category slopes."""


@dataclass(frozen=True, slots=True)
class ItemParameters:
    """One item: slope a, difficulty or thresholds b (1 value, or m - 1), asymptotes c and d.

    b is a tuple, also of one difficulty. A threshold the item does not have is left out, never None or NaN.

    A nominal item has a = 1, its intercepts c_1 .. c_{m-1} in b and its category slopes a_1 .. a_{m-1} in
    `slopes`; both are 0 in category 0. No other model has category slopes.
    """

    model: str
    a: float
    b: tuple[float, ...]
    c: float = 0.0
    d: float = 1.0
    slopes: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ItemColumns:
    """Parameters of n items on one metric, as read-only columns.

    family (n,); a, c, d (n,); thresholds (n, m - 1), NaN where an item has fewer categories. A dichotomous
    item keeps its difficulty b in the first place, a nominal item its intercepts; c and d matter to
    dichotomous items only. slopes (n, m - 1) are the category slopes of nominal items, NaN for all others,
    and None in a pool without nominal items. D holds for all items: it belongs to the metric of the
    calibration, not to the call that uses it.
    """

    family: IntArray
    a: FloatArray
    thresholds: FloatArray
    c: FloatArray
    d: FloatArray
    slopes: FloatArray | None = None
    D: float = field(kw_only=True)

    def __post_init__(self) -> None:
        family = np.array(self.family, dtype=np.int64)
        family.setflags(write=False)
        object.__setattr__(self, "family", family)
        for name in ("a", "thresholds", "c", "d"):
            object.__setattr__(self, name, frozen_copy(getattr(self, name)))
        if self.slopes is not None:
            object.__setattr__(self, "slopes", frozen_copy(self.slopes))
        check_metric(self.D)
        _check_items(self)

    def __len__(self) -> int:
        return int(self.a.size)

    @property
    def category_counts(self) -> IntArray:
        """Number m of categories of each item, shape (n,)."""
        present = ~np.isnan(self.thresholds)
        return np.asarray(1 + present.sum(axis=1), dtype=np.int64)

    def take(self, rows: ArrayLike) -> "ItemColumns":
        """The items at these rows (k,), in this order, also repeatedly; or those of a mask (n,)."""
        index = row_index(rows, len(self))
        return ItemColumns(
            self.family[index],
            self.a[index],
            self.thresholds[index],
            self.c[index],
            self.d[index],
            None if self.slopes is None else self.slopes[index],
            D=self.D,
        )


def item_columns(items: Sequence[ItemParameters], *, D: float) -> ItemColumns:
    """Columns of the given items; refuses an item whose parameters contradict the model it names."""
    models = [_model(row, item) for row, item in enumerate(items)]
    for row, item in enumerate(items):
        _check_numbers(row, "b", item.b)
        _check_numbers(row, "slopes", item.slopes)
    width = max((len(item.b) for item in items), default=1)
    thresholds = np.full((len(items), max(width, 1)), np.nan)
    for row, item in enumerate(items):
        _check_model(row, models[row], item)
        thresholds[row, : len(item.b)] = item.b
    slopes = np.full_like(thresholds, np.nan) if ResponseModel.NOMINAL_RESPONSE in models else None
    if slopes is not None:
        for row, item in enumerate(items):
            slopes[row, : len(item.slopes)] = item.slopes
    return ItemColumns(
        np.array([FAMILY_OF_MODEL[model] for model in models], dtype=np.int64),
        np.array([item.a for item in items], dtype=np.float64),
        thresholds,
        np.array([item.c for item in items], dtype=np.float64),
        np.array([item.d for item in items], dtype=np.float64),
        slopes,
        D=D,
    )


def rating_scale_items(locations: ArrayLike, distances: ArrayLike) -> list[ItemParameters]:
    """Items of one rating scale (Andrich, 1978): a location for each, and distances common to all."""
    steps = polytomous.rating_scale_steps(locations, distances)
    return [ItemParameters(ResponseModel.RATING_SCALE, 1.0, tuple(row)) for row in steps.tolist()]


def dichotomous_columns(a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike, *, D: float) -> ItemColumns:
    """Columns of items that are all of the 1PL to 4PL; c and d may be one value for all."""
    slope = np.atleast_1d(np.asarray(a, dtype=np.float64))
    lower, upper = (np.broadcast_to(np.asarray(column, dtype=np.float64), slope.shape) for column in (c, d))
    difficulty = np.asarray(b, dtype=np.float64).reshape(-1, 1)
    return ItemColumns(np.full(slope.size, DICHOTOMOUS), slope, difficulty, lower, upper, D=D)


def category_probabilities(items: ItemColumns, theta: ArrayLike) -> FloatArray:
    """P(X = k | theta), shape (q, n, m); 0 for categories an item does not have."""
    return np.exp(category_log_probabilities(items, theta))


def category_log_probabilities(items: ItemColumns, theta: ArrayLike) -> FloatArray:
    """ln P(X = k | theta), shape (q, n, m); -inf for categories an item does not have."""
    return log_probabilities_at(items, theta_axis(theta)[:, None])


def category_log_derivatives(items: ItemColumns, theta: ArrayLike) -> LogDerivatives:
    """First and second derivative of ln P(X = k | theta) in theta, shape (q, n, m) each."""
    return log_derivatives_at(items, theta_axis(theta)[:, None])


def expected_scores(items: ItemColumns, theta: ArrayLike) -> FloatArray:
    """E(X | theta), the item's characteristic curve in score points, shape (q, n).

    The points are the category numbers. Those of a nominal item have no order, so its curve need not rise.
    """
    p = category_probabilities(items, theta)
    return np.asarray((p * np.arange(p.shape[2], dtype=np.float64)).sum(axis=2), dtype=np.float64)


def log_probabilities_at(items: ItemColumns, theta: FloatArray) -> FloatArray:
    """ln P for theta that broadcasts against the items: (q, 1) crosses, (n,) pairs each item with its own."""
    at = np.broadcast_to(theta, np.broadcast_shapes(theta.shape, (len(items),)))
    out = np.full((*at.shape, items.thresholds.shape[1] + 1), -np.inf)
    rows = _rows(items, DICHOTOMOUS)
    if rows.any():
        out[..., rows, :2] = dichotomous.log_probabilities_at(
            at[..., rows], items.a[rows], items.thresholds[rows, 0], items.c[rows], items.d[rows], D=items.D
        )
    for family, log_probabilities in (
        (GRADED, polytomous.graded_log_probabilities_at),
        (PARTIAL_CREDIT, polytomous.partial_credit_log_probabilities_at),
    ):
        rows = _rows(items, family)
        if rows.any():
            out[..., rows, :] = log_probabilities(
                at[..., rows], items.a[rows], items.thresholds[rows], D=items.D
            )
    if items.slopes is not None:
        rows = _rows(items, NOMINAL)
        out[..., rows, :] = nominal.nominal_log_probabilities_at(
            at[..., rows], items.slopes[rows], items.thresholds[rows], D=items.D
        )
    return out


def log_derivatives_at(items: ItemColumns, theta: FloatArray) -> LogDerivatives:
    """Derivatives of ln P for theta that broadcasts against the items as in `log_probabilities_at`."""
    at = np.broadcast_to(theta, np.broadcast_shapes(theta.shape, (len(items),)))
    score = np.zeros((*at.shape, items.thresholds.shape[1] + 1))
    curvature = np.zeros_like(score)
    rows = _rows(items, DICHOTOMOUS)
    if rows.any():
        score[..., rows, :2], curvature[..., rows, :2] = dichotomous.log_derivatives_at(
            at[..., rows], items.a[rows], items.thresholds[rows, 0], items.c[rows], items.d[rows], D=items.D
        )
    for family, log_derivatives in (
        (GRADED, polytomous.graded_log_derivatives_at),
        (PARTIAL_CREDIT, polytomous.partial_credit_log_derivatives_at),
    ):
        rows = _rows(items, family)
        if rows.any():
            score[..., rows, :], curvature[..., rows, :] = log_derivatives(
                at[..., rows], items.a[rows], items.thresholds[rows], D=items.D
            )
    if items.slopes is not None:
        rows = _rows(items, NOMINAL)
        score[..., rows, :], curvature[..., rows, :] = nominal.nominal_log_derivatives_at(
            at[..., rows], items.slopes[rows], items.thresholds[rows], D=items.D
        )
    return LogDerivatives(score, curvature)


def _rows(items: ItemColumns, family: int) -> BoolArray:
    return np.asarray(items.family == family, dtype=np.bool_)


def _model(row: int, item: ItemParameters) -> ResponseModel:
    try:
        return ResponseModel(item.model)
    except ValueError:
        known = ", ".join(ResponseModel)
        raise ValueError(f"row {row}: model {item.model!r} is not one of {known}") from None


def _check_numbers(row: int, name: str, values: Any) -> None:
    """A bare number or a missing value in place of a tuple of numbers is named before numpy stumbles."""
    bare = isinstance(values, str) or not isinstance(values, Sequence | np.ndarray)
    listed: Sequence[object] = () if bare else tuple(values)
    if bare:
        raise ValueError(f"row {row}: {name} is a tuple of numbers, such as (0.5,), not {values!r}")
    strangers = [value for value in listed if not isinstance(value, Real)]
    if strangers:
        raise ValueError(f"row {row}: {name} holds {strangers[0]!r}: leave out what the item does not have")


def _check_model(row: int, model: ResponseModel, item: ItemParameters) -> None:
    """The parameters must be those of the named model: a 2PL item with a guessing parameter is a mistake."""
    if FAMILY_OF_MODEL[model] == DICHOTOMOUS and len(item.b) != 1:
        raise ValueError(f"row {row}: {model} takes one difficulty, not {len(item.b)}")
    if model not in {ResponseModel.THREE_PARAMETER, ResponseModel.FOUR_PARAMETER} and item.c != 0:
        raise ValueError(f"row {row}: {model} has no lower asymptote, but c is {item.c}")
    if model is not ResponseModel.FOUR_PARAMETER and item.d != 1:
        raise ValueError(f"row {row}: {model} has no upper asymptote, but d is {item.d}")
    if model in MODELS_OF_SLOPE_ONE and item.a != 1:
        raise ValueError(f"row {row}: {model} has slope 1, but a is {item.a}")
    if not np.isfinite(item.b).all():
        raise ValueError(f"row {row}: b is not finite")
    if model is not ResponseModel.NOMINAL_RESPONSE and item.slopes:
        raise ValueError(f"row {row}: {model} has no category slopes, but slopes is {item.slopes}")
    if model is ResponseModel.NOMINAL_RESPONSE and len(item.slopes) != len(item.b):
        raise ValueError(f"row {row}: NRM has {len(item.b)} intercepts but {len(item.slopes)} slopes")
    if not np.isfinite(item.slopes).all():
        raise ValueError(f"row {row}: a category slope is not finite")


def _check_items(items: ItemColumns) -> None:
    n = items.a.size
    for name, column in (("family", items.family), ("c", items.c), ("d", items.d)):
        if column.shape != (n,):
            raise ValueError(f"column {name} has shape {column.shape}, expected ({n},)")
    refuse_rows(
        ~np.isin(items.family, (DICHOTOMOUS, GRADED, PARTIAL_CREDIT, NOMINAL)), "the family is unknown"
    )
    if n == 0:
        return
    polytomous.check_thresholds(items.a, items.thresholds)
    refuse_rows(
        (items.family == DICHOTOMOUS) & (items.category_counts != 2), "a dichotomous item has one difficulty"
    )
    dichotomous.check_dichotomous(items.a, items.thresholds[:, 0], items.c, items.d)
    graded = _rows(items, GRADED)
    falling = (np.diff(items.thresholds, axis=1) <= 0).any(axis=1)
    refuse_rows(graded & falling, "graded thresholds do not increase")
    refuse_rows(graded & (items.a == 0), "slope a of a graded item is zero")
    _check_category_slopes(items)
    refuse_rows(items.a > MOST_SLOPE / items.D, f"slope D a is above {MOST_SLOPE:,.0f}")


def _check_category_slopes(items: ItemColumns) -> None:
    """Nominal items, and no others, have a slope beside each intercept."""
    nominal_rows = _rows(items, NOMINAL)
    if items.slopes is None:
        refuse_rows(nominal_rows, "a nominal item needs category slopes")
        return
    if items.slopes.shape != items.thresholds.shape:
        raise ValueError(f"slopes have shape {items.slopes.shape}, expected {items.thresholds.shape}")
    refuse_rows(np.isinf(items.slopes).any(axis=1), "a category slope is infinite")
    steep = (np.abs(np.nan_to_num(items.slopes)) > MOST_SLOPE / items.D).any(axis=1)
    refuse_rows(steep, f"category slope D a is beyond {MOST_SLOPE:,.0f}")
    wanted = nominal_rows[:, None] & ~np.isnan(items.thresholds)
    refuse_rows((wanted & np.isnan(items.slopes)).any(axis=1), "a category slope is missing")
    refuse_rows((~wanted & ~np.isnan(items.slopes)).any(axis=1), "a category slope has no nominal category")
    refuse_rows(nominal_rows & (items.a != 1), "a nominal item has slope 1 beside its category slopes")
