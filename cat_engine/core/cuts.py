"""Deciding on which side of one or several cuts a candidate stands: what the classification rules share.

Log-likelihoods are whole billionths, so that a decision is the same everywhere.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, Protocol

import msgspec
import numpy as np

from cat_engine.core.exact import UNIT, Integers
from cat_engine.core.logarithm import logarithm
from cat_engine.core.tables import NODE_LIMIT_MILLIONTHS, NODE_STEP_MILLIONTHS
from cat_engine.core.test_package import PoolItem, Section
from cat_engine.core.views import Evidence

Cuts = Annotated[
    tuple[Annotated[int, msgspec.Meta(ge=1 - NODE_LIMIT_MILLIONTHS, le=NODE_LIMIT_MILLIONTHS - 1)], ...],
    msgspec.Meta(min_length=1),
]
"""Cuts in millionths of theta, within the nodes of the tables."""

ErrorRate = Annotated[int, msgspec.Meta(ge=1, le=499)]
"""An error rate in thousandths; below one half, so that two of them leave something to decide."""

FINE_STEP_MILLIONTHS = 10_000
_FINE_PARTS = NODE_STEP_MILLIONTHS // FINE_STEP_MILLIONTHS
_BITS = 22
_DEEPEST = 1 << 38  # 275 nats below the highest point nothing is a maximum; keeps products within 63 bits


def log_likelihood_at(evidence: Evidence, theta_millionths: int) -> int:
    """ln L at an ability, in billionths, by the polynomial through the six nearest nodes; beyond them the
    edge. The error is below 1e-6 for each answer to an item with D a up to 3.
    """
    limit = NODE_LIMIT_MILLIONTHS
    held = min(max(theta_millionths, -limit), limit) + limit
    row, part = divmod(held, NODE_STEP_MILLIONTHS)
    values = evidence.log_likelihood
    if part == 0:
        return int(values[row])
    first = min(max(row - 2, 0), values.size - 6)
    weights = _lagrange(row - first, part, NODE_STEP_MILLIONTHS)
    near = (int(value) for value in values[first : first + 6])
    total = sum(
        weight * value for weight, value in zip(weights, near, strict=True)
    )  # whole: any size, any order
    return (total + (1 << (_BITS - 1))) >> _BITS


@dataclass(frozen=True)
class LikelihoodCurve:
    """ln L at every 0.01 between the ends of the nodes, for its maxima over ranges."""

    evidence: Evidence

    @cached_property
    def heights(self) -> Integers:
        """In billionths; what lies 275 below the highest node is cut off there."""
        values = self.evidence.log_likelihood
        top = values.max()
        low = np.maximum(values - top, -_DEEPEST)
        first = np.clip(np.arange(values.size - 1) - 2, 0, values.size - 6)
        near = low[first[:, None] + np.arange(6)]
        found = (near[:, None, :] * _fine_weights(values.size)).sum(axis=2).reshape(-1)
        fine = (found + (1 << (_BITS - 1))) >> _BITS
        return np.asarray(np.append(fine, low[-1]) + top, dtype=np.int64)

    def highest_between(self, lower_millionths: int, upper_millionths: int) -> int:
        """max ln L between two abilities, in billionths: of both ends and of every 0.01 between them."""
        lower, upper = (log_likelihood_at(self.evidence, end) for end in (lower_millionths, upper_millionths))
        first = -((-lower_millionths - NODE_LIMIT_MILLIONTHS) // FINE_STEP_MILLIONTHS)
        last = (upper_millionths + NODE_LIMIT_MILLIONTHS) // FINE_STEP_MILLIONTHS
        inside = self.heights[max(first, 0) : last + 1]
        return max(lower, upper, int(inside.max())) if inside.size else max(lower, upper)


@lru_cache(maxsize=1)
def _fine_weights(nodes: int) -> Integers:
    """Weights of the six nodes about each interval for each of its parts, (nodes - 1, parts, 6)."""
    rows = np.arange(nodes - 1)
    offsets = rows - np.clip(rows - 2, 0, nodes - 6)
    table = [[_lagrange(offset, part, _FINE_PARTS) for part in range(_FINE_PARTS)] for offset in range(5)]
    return np.array(table, dtype=np.int64)[offsets]


@lru_cache(maxsize=4096)
def _lagrange(offset: int, part: int, parts: int) -> tuple[int, ...]:
    """Lagrange's weights of rows 0 to 5 for the place offset + part / parts; they sum to 2**22."""
    x = offset + part / parts
    weights = []
    for place in range(6):
        value = 1.0
        for other in range(6):
            if other != place:
                value = value * (x - other) / (place - other)
        weights.append(round(value * (1 << _BITS)))
    weights[offset] += (1 << _BITS) - sum(weights)
    return tuple(weights)


@lru_cache(maxsize=256)
def wald_bounds(alpha_per_mille: int, beta_per_mille: int) -> tuple[int, int]:
    """Wald's (1947) bounds ln(beta / (1 - alpha)) and ln((1 - beta) / alpha), in billionths."""
    ratios = np.array(
        [beta_per_mille / (1000 - alpha_per_mille), (1000 - beta_per_mille) / alpha_per_mille],
        dtype=np.float64,
    )
    lower, upper = np.rint(logarithm(ratios) * UNIT).astype(np.int64)
    return int(lower), int(upper)


def decided(ratios: list[int], bounds: tuple[int, int]) -> str | None:
    """The level that log-likelihood ratios at rising cuts decide on, or None while a cut is open or two
    contradict each other (above a cut, but below a lower one).
    """
    lower, upper = bounds
    if any(lower < ratio < upper for ratio in ratios):
        return None
    above = [ratio >= upper for ratio in ratios]
    level = sum(above)
    return level_name(level, len(ratios)) if all(above[:level]) else None


def level_name(level: int, cuts: int) -> str:
    """`below` all cuts, `above` all cuts, or `between_k` for the k-th cut and the one after it."""
    if level == 0:
        return "below"
    return "above" if level == cuts else f"between_{level}"


class CutSettings(Protocol):
    """The settings of a rule that decides at cuts."""

    @property
    def cuts_millionths(self) -> tuple[int, ...]:
        """Rising."""
        ...


def cuts_problem(settings: CutSettings, _section: Section, _items: tuple[PoolItem, ...]) -> str:
    """Cuts rise, and the hypotheses about them lie within the tables."""
    cuts, delta = settings.cuts_millionths, getattr(settings, "delta_millionths", 0)
    if any(upper <= lower for lower, upper in pairwise(cuts)):
        return "the cuts do not rise"
    if max(abs(cut) for cut in cuts) + delta > NODE_LIMIT_MILLIONTHS:
        return f"a cut and its zone of indifference reach beyond theta {NODE_LIMIT_MILLIONTHS // 1_000_000}"
    return ""
