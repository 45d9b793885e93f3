"""Mean and deviation of a distribution on the nodes, as ratios of integers."""

import math

import numpy as np

from cat_engine.core.exact import Integers, round_ratio
from cat_engine.core.tables import NODE_LIMIT_MILLIONTHS, NODE_STEP_MILLIONTHS
from cat_engine.core.views import Estimate

_STEPS = NODE_LIMIT_MILLIONTHS // NODE_STEP_MILLIONTHS
_NODE_STEPS = np.arange(-_STEPS, _STEPS + 1, dtype=np.int64)
_MOMENTS = np.stack([np.ones_like(_NODE_STEPS), _NODE_STEPS, _NODE_STEPS**2])  # (3, nodes)


def mean_and_deviation(weights: Integers) -> Estimate:
    """Mean and standard deviation of weights on the nodes (nodes,), each at most 2**40, not all 0."""
    return Estimate(*mean_and_deviation_of(*_MOMENTS.dot(weights).tolist()))


def moments(weights: Integers) -> Integers:
    """Sums of w, w k and w k^2 over the nodes, k being a node's number of steps from 0: (..., nodes) to
    (..., 3).
    """
    # 121 nodes, 40-bit weights, squares up to 3600: below 2**59, so 64-bit integers hold the sums
    return np.asarray(weights @ _MOMENTS.T, dtype=np.int64)


def mean_and_deviation_of(total: int, first: int, second: int) -> tuple[int, int]:
    """Mean and standard deviation from these sums, in millionths of theta."""
    variance = (second * total - first * first) * NODE_STEP_MILLIONTHS**2
    deviation = (math.isqrt(4 * variance // (total * total)) + 1) // 2
    return round_ratio(first * NODE_STEP_MILLIONTHS, total), deviation
