"""Figures of a simulation with their Monte Carlo standard errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from psychometrics.arrays import BoolArray, FloatArray

BATCHES = 20


@dataclass(frozen=True)
class Measured:
    """A figure and its Monte Carlo standard error."""

    value: float
    error: float

    def shown(self, decimals: int = 3) -> str:
        """`0.123 ± 0.004`."""
        return f"{self.value:.{decimals}f} ± {self.error:.{decimals}f}"

    def per_cent(self, decimals: int = 1) -> str:
        """`12.3 % ± 0.4`."""
        return f"{100 * self.value:.{decimals}f} % ± {100 * self.error:.{decimals}f}"


def mean(values: FloatArray) -> Measured:
    """Mean over candidates."""
    return Measured(float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size)))


def share(mask: BoolArray) -> Measured:
    """Share of candidates of whom something is true; the error is that of one more success and failure, so
    that a share of 0 or 1 is not taken as certain."""
    n = mask.size
    smoothed = (mask.sum() + 1.0) / (n + 2.0)
    return Measured(float(mask.mean()), float(np.sqrt(smoothed * (1.0 - smoothed) / n)))


def root_mean_square(errors: FloatArray) -> Measured:
    """Root of the mean squared error; its own error by the delta method."""
    square = mean(errors**2)
    root = float(np.sqrt(square.value))
    return Measured(root, square.error / (2.0 * root))


def deviation(values: FloatArray) -> Measured:
    """Standard deviation over candidates."""
    return root_mean_square(values - values.mean())


def ratio(numerator: FloatArray, denominator: FloatArray) -> Measured:
    """Ratio of two means over the same candidates; the error is that of the linearised ratio."""
    value = float(numerator.mean() / denominator.mean())
    residual = (numerator - value * denominator) / denominator.mean()
    return Measured(value, float(residual.std(ddof=1) / np.sqrt(residual.size)))


def error_ratio(errors: FloatArray, reference: FloatArray) -> Measured:
    """RMSE over the RMSE of another design for the same candidates."""
    square = ratio(errors**2, reference**2)
    root = float(np.sqrt(square.value))
    return Measured(root, square.error / (2.0 * root))


def difference(values: FloatArray, reference: FloatArray) -> Measured:
    """Mean difference between two designs for the same candidates."""
    return mean(values - reference)


def in_batches(statistic: Callable[[slice], float], candidates: int) -> Measured:
    """A statistic that is no mean over candidates: its mean over batches of them, and the error from these.

    The statistic must not depend on how many candidates there are, but for chance.
    """
    ends = np.linspace(0, candidates, BATCHES + 1).astype(int)
    values = np.array([statistic(slice(start, end)) for start, end in pairwise(ends.tolist())])
    return mean(values)


def worst(measured: list[Measured]) -> Measured:
    """The figure furthest from zero."""
    return max(measured, key=lambda one: abs(one.value))
