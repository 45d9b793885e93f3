"""Slopes of the expected moments, for errors of estimators whose equation holds more than the score."""

from typing import NamedTuple

import numpy as np

from psychometrics.arrays import FloatArray
from psychometrics.information import ExpectedMoments, expected_moments_at
from psychometrics.models.items import ItemColumns


class MomentSlopes(NamedTuple):
    """I'' and J' of each item at its own theta, (n,) each (see `ExpectedMoments`)."""

    second_derivative: FloatArray
    bias_slope: FloatArray


def moment_slopes_at(items: ItemColumns, theta: FloatArray) -> MomentSlopes:
    """Five-point differences of I' and J, good to about 1e-10; theta (n,) pairs each item with its own.

    The step shrinks with the item's slope, because the moments vary on the scale 1 / (D a).
    """
    h = 1e-3 / np.maximum(1.0, items.D * _steepest(items))
    around = [expected_moments_at(items, theta + step * h) for step in (-2.0, -1.0, 1.0, 2.0)]

    def difference(name: str) -> FloatArray:
        far_left, left, right, far_right = (_column(moments, name) for moments in around)
        return np.asarray((far_left - 8.0 * left + 8.0 * right - far_right) / (12.0 * h), dtype=np.float64)

    return MomentSlopes(difference("derivative"), difference("bias_term"))


def _steepest(items: ItemColumns) -> FloatArray:
    if items.slopes is None:
        return items.a
    of_categories = np.where(np.isnan(items.slopes), 0.0, np.abs(items.slopes)).max(axis=1)
    return np.asarray(np.maximum(items.a, of_categories), dtype=np.float64)


def _column(moments: ExpectedMoments, name: str) -> FloatArray:
    return np.asarray(getattr(moments, name), dtype=np.float64)
