"""Criteria that weigh the content of the test against information, without a programme to solve.

Content is a matrix (n, K) that says how much of constraint k item i brings: 0 or 1 for membership, any amount
for words or seconds. Counts (K,) are what the test has so far.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import BoolArray, FloatArray, frozen_copy, refuse_rows
from psychometrics.responses import administered_columns
from psychometrics.selection.choice import available_items


def content_group(targets: ArrayLike, counts: ArrayLike, open_groups: ArrayLike) -> int:
    """The content group that comes next: the one furthest below its share (Kingsbury & Zara, 1989).

    targets (G,) are wanted shares of the test, counts (G,) the items given from each group. The group with
    the largest target - count / total is taken among the open ones, those that still have an item; ties go to
    the first. A group whose target is 0 is taken only when no other group is open. Refuses targets that are
    negative or all 0, and a call in which no group is open.

    The rule `shares` of the engine takes the group with the largest target (total + 1) - count instead: the
    one furthest behind in items once the next is given. That is total times the deficit here plus the target,
    so that of two groups with close deficits it prefers the larger one.
    """
    wanted = np.asarray(targets, dtype=np.float64)
    given = np.asarray(counts, dtype=np.float64)
    mask = available_items(open_groups, wanted.size)
    refuse_rows(~(np.isfinite(wanted) & (wanted >= 0)), "the target is negative or not finite")
    if given.shape != wanted.shape or not (np.isfinite(given) & (given >= 0)).all():
        raise ValueError("there must be one count per group, not negative")
    if wanted.sum() <= 0:
        raise ValueError("all targets are 0")
    if not mask.any():
        raise ValueError("no group has an item left")
    usable = mask & (wanted > 0)
    share = given / given.sum() if given.sum() > 0 else np.zeros_like(given)
    deficit = wanted / wanted.sum() - share
    return int(np.argmax(np.where(usable if usable.any() else mask, deficit, -np.inf)))


@dataclass(frozen=True, slots=True, eq=False)
class ContentBounds:
    """K constraints: what each item brings (n, K), what the whole test may have, and their weights (K,)."""

    content: FloatArray
    lower: FloatArray
    upper: FloatArray
    weights: FloatArray

    def __post_init__(self) -> None:
        for name in ("content", "lower", "upper", "weights"):
            object.__setattr__(self, name, frozen_copy(getattr(self, name)))
        if self.content.ndim != 2 or self.content.shape[0] == 0:
            raise ValueError(f"content must be items by constraints, not of shape {self.content.shape}")
        refuse_rows(
            ~(np.isfinite(self.content) & (self.content >= 0)).all(axis=1),
            "content is negative or not finite",
        )
        width = self.content.shape[1]
        for name in ("lower", "upper", "weights"):
            column = getattr(self, name)
            if column.shape != (width,):
                raise ValueError(f"{name} has shape {column.shape}, expected ({width},)")
            refuse_rows(~(column >= 0), f"{name} is negative or not a number")
        refuse_rows(~np.isfinite(self.lower), "lower is not finite")
        refuse_rows(~np.isfinite(self.weights), "the weight is not finite")
        refuse_rows(self.lower > self.upper, "lower is above upper")

    def counts(self, administered: ArrayLike) -> FloatArray:
        """What the items administered bring of each constraint, shape (K,).

        Refuses an item that is not of the pool or comes twice.
        """
        columns = administered_columns(administered, self.content.shape[0])
        return np.asarray(self.content[columns].sum(axis=0), dtype=np.float64)


def weighted_deviations(
    bounds: ContentBounds,
    administered: ArrayLike,
    available: ArrayLike,
    information: ArrayLike,
    *,
    length: int,
    information_weight: float,
) -> FloatArray:
    """Weighted sum of expected deviations of the finished test, shape (n,); the smallest is wanted.

    The weighted deviations model (Swanson & Stocking, 1993): if item i came next and the rest of the test
    were like the average of the items then still available, constraint k would end at

        e_ik = count_k + content_ik + (length - administered - 1) mean_k

    and deviate by max(0, lower - e) + max(0, upper's excess), weighted. Information enters as a lower bound
    that no test reaches, so that its deviation falls one for one with I_i; here it is taken below the best
    available item, which shifts all values alike. Refuses a test that is already full.
    """
    value = np.asarray(information, dtype=np.float64)
    mask = available_items(available, bounds.content.shape[0])
    given = administered_columns(administered, bounds.content.shape[0])
    if given.size >= length:
        raise ValueError(f"{given.size} items are administered of a test of {length}")
    left = int(mask.sum()) - mask.astype(np.int64)
    others = bounds.content[mask].sum(axis=0) - np.where(mask[:, None], bounds.content, 0.0)
    mean = others / np.maximum(left, 1)[:, None]
    ending = bounds.counts(given) + bounds.content + (length - given.size - 1) * mean
    short = np.maximum(bounds.lower - ending, 0.0)
    over = np.maximum(ending - bounds.upper, 0.0)
    missing = value[mask].max(initial=0.0) - value
    return np.asarray((short + over) @ bounds.weights + information_weight * missing, dtype=np.float64)


def quota_shares(bounds: ContentBounds, administered: ArrayLike) -> FloatArray:
    """Scaled quota left f_k of each constraint, shape (K,), for the priority index (Cheng & Chang, 2009).

    Two phases: while any lower bound is unmet, (lower - count) / lower, and 0 for constraints that are met;
    afterwards (upper - count) / upper. A fixed quota X has both bounds at X. Negative where over quota; a
    constraint without upper bound has all of its quota left.
    """
    counts = bounds.counts(administered)
    if (counts < bounds.lower).any():
        wanted = np.where(bounds.lower > 0, bounds.lower, 1.0)
        return np.where(bounds.lower > 0, np.maximum(bounds.lower - counts, 0.0) / wanted, 0.0)
    room = np.where(np.isinf(bounds.upper), 1.0, bounds.upper - np.where(np.isinf(bounds.upper), 0.0, counts))
    return np.asarray(room / np.where(np.isinf(bounds.upper) | (bounds.upper == 0), 1.0, bounds.upper))


def priority_index(
    bounds: ContentBounds, quota: ArrayLike, information: ArrayLike, *, item_quota: ArrayLike = 1.0
) -> FloatArray:
    """Priority I_i prod_k (w_k f_k)^c_ik, shape (n,); the largest is wanted (Cheng & Chang, 2009).

    quota (K,) are the shares f_k of `quota_shares`; item_quota (n,) is the item's own, such as
    (r_max - r_i) / r_max for its exposure rate r. A quota that is used up makes the priority 0 or less,
    however many others are used up as well: two negatives must not multiply to a positive. Such items are
    ranked by how far they are over, so that a test that cannot keep every quota breaks the least.
    """
    value = np.asarray(information, dtype=np.float64)
    share = np.asarray(quota, dtype=np.float64)
    n, width = bounds.content.shape
    own = np.broadcast_to(np.asarray(item_quota, dtype=np.float64), (n,))
    if value.shape != (n,) or share.shape != (width,):
        raise ValueError(f"information and quota must have shapes ({n},) and ({width},)")
    refuse_rows(~(np.isfinite(value) & (value >= 0)), "information is negative or not finite")
    concerned = bounds.content > 0
    spent = (concerned & (share <= 0)).any(axis=1) | (own <= 0)
    priority = value * np.maximum(own, 0.0) * _product(bounds, share, concerned)
    excess = np.where(concerned, bounds.weights * np.maximum(-share, 0.0), 0.0).sum(axis=1)
    return np.where(spent, -(excess + np.maximum(-own, 0.0)), priority)


def _product(bounds: ContentBounds, share: FloatArray, concerned: BoolArray) -> FloatArray:
    """prod_k (w_k f_k)^c_ik over the constraints that concern an item, 1 for an item of none."""
    base = np.broadcast_to(bounds.weights * np.maximum(share, 0.0), bounds.content.shape)
    factor = np.power(base, bounds.content, out=np.ones_like(bounds.content), where=concerned)
    return np.asarray(factor.prod(axis=1), dtype=np.float64)
