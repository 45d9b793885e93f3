"""Classical item statistics of one fixed form that every candidate took whole.

Scores are points (N, n). In an adaptive test candidates meet different items and the total score means
nothing; there only `difficulties` is of use, and NaN marks the items not given.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ItemStatistics:
    """One value per item (n,), and alpha of the form.

    difficulty p: mean share of the obtainable points. item_total: correlation with the total score (for 0/1
    items the point-biserial). item_rest: the same with the item itself taken out of the total, which
    otherwise correlates with itself. alpha_without: alpha of the form if the item were left out. NaN where
    an item, or the rest of the form, does not vary.
    """

    difficulty: FloatArray
    item_total: FloatArray
    item_rest: FloatArray
    alpha: float
    alpha_without: FloatArray


def difficulties(scores: ArrayLike, points_possible: ArrayLike = 1.0) -> FloatArray:
    """Mean share of the obtainable points per item (n,) over those who took it; NaN if nobody did."""
    table = _table(scores)
    taken = ~np.isnan(table)
    count = taken.sum(axis=0)
    points = np.where(taken, table, 0.0).sum(axis=0)
    mean = np.divide(points, count, out=np.full(points.shape, np.nan), where=count > 0)
    return np.asarray(mean / _points_possible(table, points_possible), dtype=np.float64)


def item_statistics(scores: ArrayLike, points_possible: ArrayLike = 1.0) -> ItemStatistics:
    """All classical statistics of a complete score table (N >= 2 candidates, n >= 1 items)."""
    table = _complete(scores)
    total = table.sum(axis=1)
    rest = total[:, None] - table
    return ItemStatistics(
        difficulty=difficulties(table, points_possible),
        item_total=_correlations(table, np.broadcast_to(total[:, None], table.shape)),
        item_rest=_correlations(table, rest),
        alpha=cronbach_alpha(table),
        alpha_without=np.array(
            [cronbach_alpha(np.delete(table, item, axis=1)) for item in range(table.shape[1])]
        ),
    )


def cronbach_alpha(scores: ArrayLike) -> float:
    """Cronbach's (1951) alpha, n / (n - 1) * (1 - sum of item variances / variance of the total).

    A lower bound of reliability when errors are uncorrelated; for 0/1 items it is KR-20. NaN for fewer than
    two items and for a total that does not vary.
    """
    table = _complete(scores)
    n = table.shape[1]
    total = table.sum(axis=1)
    if n < 2 or np.ptp(total) == 0:
        return float("nan")
    return float(n / (n - 1) * (1.0 - table.var(axis=0).sum() / total.var()))


def _correlations(first: FloatArray, second: FloatArray) -> FloatArray:
    """Pearson correlation column by column; NaN where a column does not vary."""
    x, y = first - first.mean(axis=0), second - second.mean(axis=0)
    size = np.sqrt((x * x).sum(axis=0) * (y * y).sum(axis=0))
    varies = (np.ptp(first, axis=0) > 0) & (np.ptp(second, axis=0) > 0)
    ratio = np.divide((x * y).sum(axis=0), size, out=np.full(size.shape, np.nan), where=varies)
    return np.asarray(ratio, dtype=np.float64)


def _table(scores: ArrayLike) -> FloatArray:
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"scores must be a table of candidates by items, not of shape {table.shape}")
    if np.isinf(table).any():
        candidate, item = np.argwhere(np.isinf(table))[0]
        raise ValueError(f"candidate {candidate}, item {item}: the score is infinite")
    return table


def _complete(scores: ArrayLike) -> FloatArray:
    table = _table(scores)
    if table.shape[0] < 2:
        raise ValueError("fewer than two candidates have no variance")
    missing = np.argwhere(np.isnan(table))
    if missing.size:
        raise ValueError(
            f"candidate {missing[0, 0]}, item {missing[0, 1]}: no score, but the form must be whole"
        )
    return table


def _points_possible(table: FloatArray, points_possible: ArrayLike) -> FloatArray:
    possible = np.broadcast_to(np.asarray(points_possible, dtype=np.float64), (table.shape[1],))
    if not (np.isfinite(possible) & (possible > 0)).all():
        raise ValueError("the points possible must be positive and finite")
    over = np.argwhere(table > possible)
    if over.size:
        raise ValueError(f"candidate {over[0, 0]}, item {over[0, 1]}: more points than possible")
    return possible
