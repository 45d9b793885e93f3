"""Strata of a pool: weak items first, strong items when the estimate can use them (Chang & Ying, 1999).

Strata are numbered from 0, the lowest; sizes differ by one at most. Within a stratum the item whose
difficulty is closest to the estimate is asked.
"""

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, IntArray, refuse_rows


def strata_by(values: ArrayLike, count: int) -> IntArray:
    """Stratum of each item by rising value, shape (n,): of equal size, ties by place in the pool.

    Of the slopes it is a-stratification (Chang & Ying, 1999); of the largest information of each item it is
    maximum-information stratification (Barrada, Mazuela & Olea, 2006). Refuses more strata than items.
    """
    value = _column(values, "value")
    _check_count(count, value.size)
    rank = np.empty(value.size, dtype=np.int64)
    rank[np.argsort(value, kind="stable")] = np.arange(value.size)
    return rank * count // value.size


def b_blocked_strata(a: ArrayLike, b: ArrayLike, count: int) -> IntArray:
    """Stratum of each item, shape (n,), so that all strata have the same spread of difficulty.

    a-stratification with b-blocking (Chang, Qian & Ying, 2001): items in order of b are cut into blocks of
    `count`; in each block the item of the smallest a goes to stratum 0, the next to 1, and so on. A last
    block that is not full gives its items to strata spread evenly over the range.
    """
    slope, difficulty = _column(a, "a"), _column(b, "b")
    if slope.size != difficulty.size:
        raise ValueError(f"{slope.size} slopes, but {difficulty.size} difficulties")
    _check_count(count, slope.size)
    by_difficulty = np.argsort(difficulty, kind="stable")
    block = np.empty(slope.size, dtype=np.int64)
    block[by_difficulty] = np.arange(slope.size) // count
    order = np.lexsort((np.arange(slope.size), slope, block))
    within = np.arange(slope.size) % count
    stratum = np.empty(slope.size, dtype=np.int64)
    stratum[order] = within
    rest = slope.size % count
    if rest:
        stratum[order[-rest:]] = ((2 * np.arange(rest) + 1) * count) // (2 * rest)
    return stratum


def stratum_at(position: int, length: int, count: int) -> int:
    """The stratum that serves a position (from 1) of a test of given length: equal stages, in order."""
    if not 1 <= position <= length:
        raise ValueError(f"position {position} is not between 1 and {length}")
    if count < 1:
        raise ValueError(f"there must be at least one stratum, not {count}")
    return (position - 1) * count // length


def _column(values: ArrayLike, name: str) -> FloatArray:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise ValueError(f"{name} must be one column, not of shape {column.shape}")
    refuse_rows(~np.isfinite(column), f"{name} is not finite")
    return column


def _check_count(count: int, items: int) -> None:
    if not 1 <= count <= items:
        raise ValueError(f"{items} items cannot be cut into {count} strata")
