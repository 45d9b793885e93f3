"""Expected a posteriori of several correlated abilities at once (Segall, 1996).

The same arithmetic as for one ability, over the points of the section's product grid: what is answered on one
ability informs the others through the prior's correlations.
"""

import math

import msgspec

from cat_engine.core.exact import round_ratio
from cat_engine.core.families import SEVERAL, About, Rule
from cat_engine.core.space import STEP_MILLIONTHS, SpatialPool
from cat_engine.core.views import Estimate, Evidence


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: prior, correlations and weights of the composite are the section's."""


def several_eap(evidence: Evidence, *, settings: Settings) -> Estimate:
    """Posterior means and standard deviations of each ability and of the section's composite."""
    del settings
    pool = evidence.pool
    if not isinstance(pool, SpatialPool):
        raise TypeError("the section measures one ability")
    weights, steps, unit = evidence.weights, pool.steps, STEP_MILLIONTHS[pool.dimensions]
    shares = [dimension.per_mille for dimension in pool.section.dimensions]
    # at most 9261 points, 40-bit weights, steps up to 18: below 2**63, so 64-bit integers hold the sums
    total = int(weights.sum())
    first = [int((weights * axis).sum()) for axis in steps]
    second = [[int((weights * one * other).sum()) for other in steps] for one in steps]
    covariance = [
        [second[i][j] * total - first[i] * first[j] for j in range(len(steps))] for i in range(len(steps))
    ]
    composite = sum(share * moment for share, moment in zip(shares, first, strict=True))
    variance = sum(
        shares[i] * shares[j] * covariance[i][j] for i in range(len(steps)) for j in range(len(steps))
    )
    return Estimate(
        theta_millionths=round_ratio(composite * unit, 1000 * total),
        standard_error_millionths=_root(variance * unit * unit, 1_000_000 * total * total),
        thetas_millionths=tuple(round_ratio(moment * unit, total) for moment in first),
        errors_millionths=tuple(
            _root(covariance[i][i] * unit * unit, total * total) for i in range(len(steps))
        ),
    )


def _root(numerator: int, denominator: int) -> int:
    """The square root of a ratio of integers, rounded."""
    return (math.isqrt(4 * numerator // denominator) + 1) // 2


RULE = Rule(
    "several_eap",
    Settings,
    several_eap,
    About(
        formula="theta_hat = E(theta | x), SE_k = sd(theta_k | x), over the points of a product grid",
        source="Segall (1996); Bock & Mislevy (1982)",
        use="Sections of two or three correlated abilities.",
    ),
    SEVERAL,
)
