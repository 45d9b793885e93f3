"""Exact sampling distribution of an estimator on a short test (Magis, 2014b).

Asymptotic errors promise what holds for long tests. For a few items the truth can be written down: estimate
ability for every possible pattern of responses, weigh each estimate by the chance of its pattern at a given
ability, and take the standard deviation,

    SE(theta) = sqrt(sum_r P(r | theta) (est(r) - E)^2),    E = sum_r P(r | theta) est(r)

The patterns multiply with every item; 16 items scored 0 or 1 have 65,536.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, IntArray, theta_axis
from psychometrics.estimation.eap import log_likelihood
from psychometrics.models.items import ItemColumns

MOST_PATTERNS = 2**16
"""Tests with more response patterns are refused unless the caller raises the limit."""

_BLOCK = 4096


@dataclass(frozen=True, slots=True, eq=False)
class SamplingDistribution:
    """Every pattern of responses (r, n) to the items, and the estimate it leads to (r,)."""

    items: ItemColumns
    patterns: IntArray
    estimates: FloatArray

    def probabilities(self, theta: ArrayLike) -> FloatArray:
        """Chance of each pattern at each ability, shape (q, r)."""
        return np.exp(log_likelihood(self.items, self.patterns, theta)).T

    def mean(self, theta: ArrayLike) -> FloatArray:
        """Expected estimate at each ability, shape (q,)."""
        return np.asarray(self.probabilities(theta) @ self.estimates, dtype=np.float64)

    def bias(self, theta: ArrayLike) -> FloatArray:
        """Expected estimate minus ability, shape (q,)."""
        return self.mean(theta) - theta_axis(theta)

    def standard_error(self, theta: ArrayLike) -> FloatArray:
        """Standard deviation of the estimate about its expectation at each ability, shape (q,)."""
        return self._deviation(theta, self.mean(theta))

    def root_mean_square_error(self, theta: ArrayLike) -> FloatArray:
        """Root mean square distance of the estimate from each ability, shape (q,)."""
        return self._deviation(theta, theta_axis(theta))

    def _deviation(self, theta: ArrayLike, centre: FloatArray) -> FloatArray:
        squares = (self.estimates - centre[:, None]) ** 2
        return np.asarray(np.sqrt((self.probabilities(theta) * squares).sum(axis=1)), dtype=np.float64)


def sampling_distribution(
    items: ItemColumns,
    estimator: Callable[[ItemColumns, IntArray], FloatArray],
    *,
    most_patterns: int = MOST_PATTERNS,
) -> SamplingDistribution:
    """All patterns of these items with their estimates; the estimator maps items and responses (N, n) to
    abilities (N,). Refuses an empty test and one with more patterns than `most_patterns`."""
    counts = [int(count) for count in items.category_counts]
    if not counts:
        raise ValueError("a test without items has no responses")
    if prod(counts) > most_patterns:
        raise ValueError(
            f"{len(counts)} items have {prod(counts)} patterns of responses, over {most_patterns}"
        )
    patterns = np.stack(np.unravel_index(np.arange(prod(counts)), counts), axis=1).astype(np.int64)
    blocks = [estimator(items, patterns[start : start + _BLOCK]) for start in range(0, len(patterns), _BLOCK)]
    return SamplingDistribution(items, patterns, np.concatenate(blocks))
