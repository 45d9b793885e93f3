"""From values to an item: which is best, and which of the best is drawn.

Ties go to the item that stands first in the pool, so that a choice is a function of its arguments. A value
that is NaN belongs to an item the criterion cannot judge; it is never chosen.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import BoolArray, FloatArray, IntArray, member


class Sense(StrEnum):
    """Which end of a criterion is wanted."""

    MAXIMISE = "max"
    MINIMISE = "min"


def best_items(values: ArrayLike, sense: Sense, available: ArrayLike, count: int) -> IntArray:
    """The `count` best available items (n,) -> (count,), the best first; fewer where fewer are available."""
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    utility = _utility(values, sense, available)
    order = np.argsort(-utility, kind="stable")[:count]
    return np.asarray(order[utility[order] > -np.inf], dtype=np.int64)


def best_item(values: ArrayLike, sense: Sense, available: ArrayLike) -> int:
    """The best available item. Refuses if there is none."""
    utility = _utility(values, sense, available)
    best = int(np.argmax(utility))
    if utility[best] == -np.inf:
        raise ValueError("no item is available")
    return best


def randomesque_item(values: ArrayLike, sense: Sense, available: ArrayLike, count: int, draw: float) -> int:
    """One of the `count` best items, each with the same chance (Kingsbury & Zara, 1989).

    `draw` is uniform on [0, 1). Items that tie with the last of them do not enlarge the group.
    """
    group = best_items(values, sense, available, count)
    if group.size == 0:
        raise ValueError("no item is available")
    return int(group[_place(draw, group.size)])


def drawn_item(chances: ArrayLike, draw: float) -> int:
    """The item on which a uniform draw on [0, 1) falls when items (n,) have these chances."""
    weights = np.asarray(chances, dtype=np.float64)
    total = np.cumsum(weights)
    if weights.ndim != 1 or not (np.isfinite(weights).all() and (weights >= 0).all() and total[-1] > 0):
        raise ValueError("chances must be finite and not negative, with a positive sum")
    _place(draw, 1)
    drawn = int(np.searchsorted(total, draw * total[-1], side="right"))
    return min(drawn, int(np.flatnonzero(weights)[-1]))  # the product may round up to the whole sum


def available_items(available: ArrayLike, count: int) -> BoolArray:
    """The mask (n,) of the items that may come, checked against the length of the pool."""
    mask = np.asarray(available)
    if mask.dtype != np.bool_ or mask.shape != (count,):
        raise ValueError(f"available must be {count} truth values, not {mask.dtype} of shape {mask.shape}")
    return mask


def _utility(values: ArrayLike, sense: Sense, available: ArrayLike) -> FloatArray:
    value = np.asarray(values, dtype=np.float64)
    mask = available_items(available, value.size)
    utility = value if member(Sense, sense) is Sense.MAXIMISE else -value
    return np.where(mask & ~np.isnan(utility), utility, -np.inf)


def _place(draw: float, size: int) -> int:
    if not 0.0 <= draw < 1.0:
        raise ValueError(f"a draw lies in [0, 1), not at {draw}")
    return min(int(draw * size), size - 1)
