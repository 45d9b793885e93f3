"""Expected a posteriori: mean and standard deviation of the posterior (Bock and Mislevy, 1982).

Exact in the sense of `exact.py`: the log posterior is a sum of stored integers, its exponential is ours, the
weights are rounded to 40 bits, and mean and variance are ratios of integers.
"""

import math

import msgspec
import numpy as np

from cat_engine.core.exact import UNIT, exponential, round_ratio
from cat_engine.core.families import Rule
from cat_engine.core.tables import NODE_LIMIT_MILLIONTHS, NODE_STEP_MILLIONTHS, Pool
from cat_engine.core.views import Estimate

_WEIGHT_UNIT = float(1 << 40)
_STEPS = NODE_LIMIT_MILLIONTHS // NODE_STEP_MILLIONTHS
_NODE_STEPS = np.arange(-_STEPS, _STEPS + 1, dtype=np.int64)
_MOMENTS = np.stack([np.ones_like(_NODE_STEPS), _NODE_STEPS, _NODE_STEPS**2])  # (3, nodes)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the prior is the section's."""


def eap(
    pool: Pool, answered: tuple[int, ...], categories: tuple[int, ...], *, settings: Settings
) -> Estimate:
    """Posterior mean and standard deviation over the package's nodes, under the section's normal prior."""
    del settings
    log_posterior = pool.log_prior
    if answered:
        rows = pool.log_probability[list(answered), list(categories)]
        log_posterior = log_posterior + rows.sum(axis=0)
    shifted = (log_posterior - log_posterior.max()) / UNIT
    weights = np.rint(exponential(shifted) * _WEIGHT_UNIT).astype(np.int64)
    # 121 nodes, 40-bit weights, squares up to 3600: below 2**59, so 64-bit integers hold the sums
    total, first, second = (int(moment) for moment in (_MOMENTS * weights).sum(axis=1))
    variance = (second * total - first * first) * NODE_STEP_MILLIONTHS**2
    return Estimate(
        theta_millionths=round_ratio(first * NODE_STEP_MILLIONTHS, total),
        standard_error_millionths=(math.isqrt(4 * variance // (total * total)) + 1) // 2,
    )


RULE = Rule("eap", Settings, eap)
