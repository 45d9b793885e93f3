"""Array types of the package and the checks that every entrance shares."""

from enum import StrEnum
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

Named = TypeVar("Named", bound=StrEnum)

NOT_ADMINISTERED = -1
"""Mark in a matrix of responses for an item the candidate was not given."""


def theta_axis(theta: ArrayLike) -> FloatArray:
    """The ability points as a (q,) array; a scalar becomes one point. Refuses NaN and infinity."""
    points = np.atleast_1d(np.asarray(theta, dtype=np.float64))
    if points.ndim != 1:
        raise ValueError(f"theta must be one-dimensional, not of shape {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError(f"theta {int(np.flatnonzero(~np.isfinite(points))[0])} is not finite")
    return points


def candidate_thetas(theta: ArrayLike, candidates: int) -> FloatArray:
    """One ability per candidate (N,); a scalar is everybody's. Refuses NaN and infinity, with the row."""
    given = np.asarray(theta, dtype=np.float64)
    if given.shape not in {(), (1,), (candidates,)}:
        raise ValueError(f"theta has shape {given.shape}, expected ({candidates},)")
    at = np.broadcast_to(given, (candidates,))
    refuse_rows(~np.isfinite(at), "theta is not finite")
    return at


def member(kind: type[Named], name: str) -> Named:
    """The member of an enumeration that is meant; its value as text names it too. Refuses others."""
    try:
        return kind(name)
    except ValueError:
        known = ", ".join(kind)
        raise ValueError(f"{kind.__name__} is one of {known}, not {name!r}") from None


def whole_numbers(values: ArrayLike, what: str) -> IntArray:
    """The values as integers. Refuses fractions, texts and truth values; nothing at all has any type."""
    raw = np.asarray(values)
    if raw.size and raw.dtype.kind not in "iu":
        raise ValueError(f"{what} must be whole numbers, not {raw.dtype}")
    return raw.astype(np.int64)


def row_index(rows: ArrayLike, count: int) -> IntArray:
    """Rows (k,) of a table of `count`, or a mask (count,) of truth values as the rows it is true for.

    Refuses fractions, masks of another length and rows that do not exist; none is counted from the end.
    """
    raw = np.asarray(rows)
    if raw.dtype == np.bool_ and raw.size:
        if raw.shape != (count,):
            raise ValueError(f"a mask of {count} rows has shape ({count},), not {raw.shape}")
        return np.flatnonzero(raw)
    index = whole_numbers(raw, "rows")
    if index.ndim != 1:
        raise ValueError(f"rows must be one-dimensional, not of shape {index.shape}")
    wrong = (index < 0) | (index >= count)
    if wrong.any():
        raise ValueError(f"there is no row {int(index[wrong][0])} among {count}")
    return index


def frozen_copy(values: ArrayLike) -> FloatArray:
    """A float64 copy that nobody can write to."""
    copy = np.array(values, dtype=np.float64)
    copy.setflags(write=False)
    return copy


def refuse_rows(bad: BoolArray | np.bool_, reason: str) -> None:
    """Raise ValueError that names the first bad row and why it is bad."""
    rows = np.flatnonzero(bad)
    if rows.size:
        raise ValueError(f"row {int(rows[0])}: {reason}")


def refuse_nonpositive_sd(sd: float, what: str) -> None:
    """A standard deviation that is no positive finite number would silently flatten or erase a prior."""
    if not (np.isfinite(sd) and sd > 0):
        raise ValueError(f"{what} must be positive and finite, not {sd}")


MOST_SLOPE = 1e3
"""Largest slope D a of an item: a step within a thousandth of ability. Beyond, squares would overflow."""


def check_metric(D: float) -> None:
    """D is 1 (logistic metric), 1.7 or 1.702 (normal metric) in practice; any positive value will do."""
    if not (np.isfinite(D) and D > 0):
        raise ValueError(f"D must be positive and finite, not {D}")
