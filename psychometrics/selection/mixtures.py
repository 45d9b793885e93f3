"""Chance mixed into selection: little information is known at first, so little is lost by drawing.

Random numbers are arguments: one uniform draw on [0, 1) per item of the pool, or one for the choice.
"""

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import BoolArray, FloatArray, refuse_rows
from psychometrics.selection.choice import available_items


def random_values(draws: ArrayLike) -> FloatArray:
    """Values of random selection, shape (n,): the draws themselves; the largest wins."""
    return _draws(draws)


def mixture_weight(position: int, length: int, acceleration: float) -> float:
    """Weight of information at a position (from 1) of a test of given length, from 0 to 1.

        W = sum_{f=1}^{position} (f - 1)^t / sum_{f=1}^{length} (f - 1)^t

    with t the acceleration (Barrada, Olea, Ponsoda & Abad, 2008): 0 rises at once, 1 is nearly the square
    of the position, large values keep chance until the end. It is 0 at the first item.
    """
    if not 1 <= position <= length:
        raise ValueError(f"position {position} is not between 1 and {length}")
    if not (np.isfinite(acceleration) and acceleration >= 0):
        raise ValueError(f"acceleration must be finite and not negative, not {acceleration}")
    if position == 1:
        return 0.0
    terms = (np.arange(1, length) / (length - 1)) ** acceleration
    return float(terms[: position - 1].sum() / terms.sum())


def precision_weight(information: float, wanted: float, position: int, most: int, power: float) -> float:
    """Weight of information in a test that ends by precision, from 0 to 1 (Magis & Barrada, 2017).

    The larger of two shares, raised to the power: information reached of the information wanted (the square
    of 1 / standard error), and items given before this position of the most that may be given.
    """
    if not (wanted > 0 and information >= 0 and most >= 1 and position >= 1 and power > 0):
        raise ValueError("information, position and power must be positive")
    share = max(information / wanted, (position - 1) / max(most - 1, 1))
    return float(min(share, 1.0) ** power)


def progressive_values(
    information: ArrayLike, available: ArrayLike, draws: ArrayLike, weight: float
) -> FloatArray:
    """(1 - W) R_i + W I_i, shape (n,), the largest wins (Revuelta & Ponsoda, 1998).

    R_i is the item's draw stretched to [0, H], H the largest information among the available items. W is
    the weight of information; their own is the share of the test already administered.
    """
    value, mask = _information(information, available)
    _check_weight(weight)
    highest = float(value[mask].max(initial=0.0))
    return (1.0 - weight) * highest * _draws(draws, value.size) + weight * value


def proportional_chances(
    information: ArrayLike, available: ArrayLike, *, position: int, length: int, acceleration: float
) -> FloatArray:
    """Chance of each item, shape (n,), summing to 1: proportional to I_i^h (Segall, 2004).

    h = length W grows from 0 (all alike) to the test's length (nearly the maximum), W as in `mixture_weight`
    (Barrada, Olea, Ponsoda & Abad, 2008). An item that is not available has no chance. Refuses a pool
    without an available item.
    """
    value, mask = _information(information, available)
    if not mask.any():
        raise ValueError("no item is available")
    exponent = length * mixture_weight(position, length, acceleration)
    highest = float(value[mask].max())
    share = value / highest if highest > 0 else np.ones_like(value)
    chance = np.where(mask, np.minimum(share, 1.0) ** exponent, 0.0)
    return np.asarray(chance / chance.sum(), dtype=np.float64)


def _information(information: ArrayLike, available: ArrayLike) -> tuple[FloatArray, BoolArray]:
    value = np.asarray(information, dtype=np.float64)
    refuse_rows(~(np.isfinite(value) & (value >= 0)), "information is negative or not finite")
    return value, available_items(available, value.size)


def _draws(draws: ArrayLike, count: int | None = None) -> FloatArray:
    drawn = np.asarray(draws, dtype=np.float64)
    if drawn.ndim != 1 or (count is not None and drawn.size != count):
        raise ValueError(f"there must be one draw per item, not {drawn.shape}")
    refuse_rows(~((drawn >= 0) & (drawn < 1)), "the draw is not in [0, 1)")
    return drawn


def _check_weight(weight: float) -> None:
    if not 0.0 <= weight <= 1.0:
        raise ValueError(f"a weight lies in [0, 1], not at {weight}")
