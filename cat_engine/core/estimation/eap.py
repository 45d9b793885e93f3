"""Expected a posteriori: mean and standard deviation of the posterior (Bock and Mislevy, 1982).

Exact in the sense of `exact.py`: the log posterior is a sum of stored integers, its exponential is ours, the
weights are rounded to 40 bits, and mean and variance are ratios of integers.
"""

import math

import msgspec
import numpy as np

from cat_engine.core.exact import round_ratio
from cat_engine.core.families import About, Rule
from cat_engine.core.tables import NODE_LIMIT_MILLIONTHS, NODE_STEP_MILLIONTHS
from cat_engine.core.views import Estimate, Evidence

_STEPS = NODE_LIMIT_MILLIONTHS // NODE_STEP_MILLIONTHS
_NODE_STEPS = np.arange(-_STEPS, _STEPS + 1, dtype=np.int64)
_MOMENTS = np.stack([np.ones_like(_NODE_STEPS), _NODE_STEPS, _NODE_STEPS**2])  # (3, nodes)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the prior is the section's."""


def eap(evidence: Evidence, *, settings: Settings) -> Estimate:
    """Posterior mean and standard deviation over the package's nodes."""
    del settings
    # 121 nodes, 40-bit weights, squares up to 3600: below 2**59, so 64-bit integers hold the sums
    total, first, second = (int(moment) for moment in (_MOMENTS * evidence.weights).sum(axis=1))
    variance = (second * total - first * first) * NODE_STEP_MILLIONTHS**2
    return Estimate(
        theta_millionths=round_ratio(first * NODE_STEP_MILLIONTHS, total),
        standard_error_millionths=(math.isqrt(4 * variance // (total * total)) + 1) // 2,
    )


RULE = Rule(
    "eap",
    Settings,
    eap,
    About(
        formula="theta_hat = sum_q theta_q w_q L_q / sum_q w_q L_q; SE = posterior standard deviation",
        source="Bock & Mislevy (1982)",
        use="The default: defined for every pattern, smallest mean squared error under the prior.",
    ),
)
