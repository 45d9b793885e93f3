"""How evenly a pool is used: exposure rates, overlap of tests, evenness.

`administered` is a matrix (N, n) of truth values: which of N sittings saw which of n items.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import BoolArray, FloatArray, IntArray, refuse_rows


def administration_matrix(items_given: ArrayLike, pool_size: int) -> BoolArray:
    """Sittings of one length (N, L), as columns of the pool, as a matrix (N, n) of truth values.

    A negative column means that the sitting ended before. Refuses columns that are not of the pool and a
    sitting in which an item comes twice.
    """
    given = np.atleast_2d(np.asarray(items_given, dtype=np.int64))
    refuse_rows((given >= pool_size).any(axis=1), "the item is not of this pool")
    matrix = np.zeros((given.shape[0], pool_size), dtype=np.bool_)
    row, place = np.nonzero(given >= 0)
    matrix[row, given[row, place]] = True
    refuse_rows(matrix.sum(axis=1) != (given >= 0).sum(axis=1), "an item comes twice")
    return matrix


def exposure_rates(administered: ArrayLike) -> FloatArray:
    """Share of the sittings that saw each item, shape (n,)."""
    return np.asarray(_matrix(administered).mean(axis=0), dtype=np.float64)


def conditional_exposure_rates(administered: ArrayLike, group: ArrayLike, groups: int) -> FloatArray:
    """Exposure rates within each group of candidates, such as intervals of ability, shape (groups, n).

    `group` (N,) counts from 0; a group without a sitting gets NaN.
    """
    matrix = _matrix(administered)
    index = np.asarray(group, dtype=np.int64)
    if index.shape != (matrix.shape[0],):
        raise ValueError(f"group has shape {index.shape}, expected ({matrix.shape[0]},)")
    refuse_rows((index < 0) | (index >= groups), "there is no such group")
    seen = np.zeros((groups, matrix.shape[1]))
    np.add.at(seen, index, matrix.astype(np.float64))
    size = np.bincount(index, minlength=groups)[:, None]
    return np.divide(seen, size, out=np.full_like(seen, np.nan), where=size > 0)


def overlap_of_rates(rates: ArrayLike, test_length: float) -> float:
    """Expected share of a test that two candidates have in common, from the rates alone: sum r^2 / L.

    The large-sample form of Chen, Ankenmann & Spray (2003), (n / L) var(r) + L / n, where the rates sum to L.
    """
    rate = _rates(rates)
    if not test_length > 0:
        raise ValueError(f"the test length must be positive, not {test_length}")
    return float((rate * rate).sum() / test_length)


def pairwise_overlap(administered: ArrayLike) -> float:
    """Mean over all pairs of sittings of the items they share, over the mean test length; exact for any N.

    m_i sittings that saw item i make m_i (m_i - 1) / 2 pairs that share it, so no pair need be visited. With
    tests of one length L it is (N sum r^2 - L) / ((N - 1) L), which tends to `overlap_of_rates`. Refuses
    fewer than two sittings, and sittings without items.
    """
    matrix = _matrix(administered)
    sittings = matrix.shape[0]
    if sittings < 2:
        raise ValueError("overlap takes at least two sittings")
    if not matrix.any():
        raise ValueError("no item was administered")
    seen = matrix.sum(axis=0, dtype=np.int64)
    shared = float((seen * (seen - 1)).sum()) / (sittings * (sittings - 1))
    return float(shared * sittings / seen.sum())


def shared_items(administered: ArrayLike) -> IntArray:
    """Number of items each pair of sittings has in common, shape (N, N); the diagonal is the test length."""
    counts = _matrix(administered).astype(np.float64)
    return np.asarray(np.rint(counts @ counts.T), dtype=np.int64)


def unevenness(rates: ArrayLike) -> float:
    """Chi-square of the rates against equal use, sum (r_i - L/n)^2 / (L/n), L = sum r (Chang & Ying, 1999).

    0 if all items are used alike; n - L if the same L items are given to everybody. Refuses rates that are
    all 0.
    """
    rate = _rates(rates)
    even = float(rate.mean())
    if even == 0:
        raise ValueError("no item was administered")
    return float(((rate - even) ** 2).sum() / even)


@dataclass(frozen=True, slots=True)
class ExposureSummary:
    """Use of a pool over a set of sittings.

    highest_rate; share of the pool never used, and used above the limit; mean overlap of two sittings;
    chi-square of the rates against even use.
    """

    highest_rate: float
    unused_share: float
    overexposed_share: float
    overlap: float
    chi_square: float


def exposure_summary(administered: ArrayLike, *, limit: float) -> ExposureSummary:
    """Summary of at least two sittings; `limit` is the exposure rate above which an item counts as
    overexposed."""
    if not 0 <= limit <= 1:
        raise ValueError(f"limit must lie in [0, 1], not at {limit}")
    rates = exposure_rates(administered)
    return ExposureSummary(
        highest_rate=float(rates.max()),
        unused_share=float((rates == 0).mean()),
        overexposed_share=float((rates > limit).mean()),
        overlap=pairwise_overlap(administered),
        chi_square=unevenness(rates),
    )


def _matrix(administered: ArrayLike) -> BoolArray:
    matrix = np.asarray(administered)
    if matrix.dtype != np.bool_ or matrix.ndim != 2 or matrix.size == 0:
        raise ValueError("administered must be truth values, sittings by items")
    return matrix


def _rates(rates: ArrayLike) -> FloatArray:
    rate = np.asarray(rates, dtype=np.float64)
    if rate.ndim != 1 or rate.size == 0:
        raise ValueError(f"rates must be one column, not of shape {rate.shape}")
    refuse_rows(~((rate >= 0) & (rate <= 1)), "the rate is not in [0, 1]")
    return rate
