"""Array types of the package and the checks that every entrance shares."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

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


def check_metric(D: float) -> None:
    """D is 1 (logistic metric), 1.7 or 1.702 (normal metric) in practice; any positive value will do."""
    if not (np.isfinite(D) and D > 0):
        raise ValueError(f"D must be positive and finite, not {D}")
