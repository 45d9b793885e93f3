"""Item banks and candidates, made from fixed seeds."""

from __future__ import annotations

import numpy as np

from psychometrics.arrays import FloatArray, IntArray
from psychometrics.models.items import (
    ItemColumns,
    ItemParameters,
    category_probabilities,
    dichotomous_columns,
    item_columns,
)

BLOCK = 500


def three_parameter(size: int, seed: int) -> ItemColumns:
    """A 3PL bank, D = 1: ln a ~ N(0.3, 0.3), b ~ N(0, 1.2), c ~ U(0.1, 0.25)."""
    rng = np.random.default_rng(seed)
    return dichotomous_columns(
        rng.lognormal(0.3, 0.3, size), rng.normal(0.0, 1.2, size), rng.uniform(0.1, 0.25, size), 1.0, D=1.0
    )


def two_parameter(size: int, seed: int) -> ItemColumns:
    """A 2PL bank, D = 1: ln a ~ N(0.3, 0.3), b ~ N(0, 1.2)."""
    rng = np.random.default_rng(seed)
    return dichotomous_columns(rng.lognormal(0.3, 0.3, size), rng.normal(0.0, 1.2, size), 0.0, 1.0, D=1.0)


def partial_credit(size: int, seed: int) -> ItemColumns:
    """A GPCM bank of four categories, D = 1: ln a ~ N(0, 0.25), steps about a location ~ N(0, 1)."""
    rng = np.random.default_rng(seed)
    items = []
    for _ in range(size):
        steps = rng.normal(0.0, 1.0) + np.array([-0.8, 0.0, 0.8]) + rng.normal(0.0, 0.2, 3)
        items.append(ItemParameters("GPCM", float(rng.lognormal(0.0, 0.25)), tuple(steps.tolist())))
    return item_columns(items, D=1.0)


def answers(items: ItemColumns, theta: FloatArray, seed: int) -> IntArray:
    """What each candidate (N,) would answer to every item, shape (N, n): the same under every design."""
    rng = np.random.default_rng(seed)
    out = np.empty((theta.size, len(items)), dtype=np.int64)
    for start in range(0, theta.size, BLOCK):
        some = slice(start, start + BLOCK)
        cumulative = np.cumsum(category_probabilities(items, theta[some]), axis=2)
        draws = rng.random(cumulative.shape[:2])
        out[some] = (draws[:, :, None] >= cumulative[:, :, :-1]).sum(axis=2)
    return np.minimum(out, items.category_counts - 1)


def at_points(points: FloatArray, each: int) -> FloatArray:
    """`each` candidates at every ability point, points in order."""
    return np.repeat(points, each)


def drawn_normal(count: int, seed: int) -> FloatArray:
    """Abilities of candidates from the standard normal population."""
    return np.random.default_rng(seed).normal(size=count)
