"""Expected a posteriori of several correlated abilities at once (Segall, 1996).

The same arithmetic as for one ability, over the points of the section's product grid: what is answered on one
ability informs the others through the prior's correlations.
"""

import math

import msgspec

from cat_engine.core.exact import round_ratio
from cat_engine.core.families import SEVERAL, About, Rule
from cat_engine.core.space import SpatialPool
from cat_engine.core.views import Estimate, Evidence


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: prior, correlations and weights of the composite are the section's."""


def several_eap(evidence: Evidence, *, settings: Settings) -> Estimate:
    """Posterior means and standard deviations of each ability and of the section's composite."""
    del settings
    pool = evidence.pool
    if not isinstance(pool, SpatialPool):
        raise TypeError("the section measures one ability")
    # of 40 bits 36 are kept: at most 36,000 points and 40 steps to a side, so 64-bit integers hold the sums
    weights, steps, units = evidence.weights >> 4, pool.steps, pool.units_millionths
    shares = [dimension.per_mille for dimension in pool.section.dimensions]
    total = int(weights.sum())
    first = [int((weights * axis).sum()) * unit for axis, unit in zip(steps, units, strict=True)]
    covariance = [
        [
            int((weights * steps[i] * steps[j]).sum()) * units[i] * units[j] * total - first[i] * first[j]
            for j in range(len(steps))
        ]
        for i in range(len(steps))
    ]
    thetas = [mean * total + moment for mean, moment in zip(pool.means_millionths, first, strict=True)]
    composite = sum(share * theta for share, theta in zip(shares, thetas, strict=True))
    variance = sum(
        shares[i] * shares[j] * covariance[i][j] for i in range(len(steps)) for j in range(len(steps))
    )
    return Estimate(
        theta_millionths=round_ratio(composite, 1000 * total),
        standard_error_millionths=_root(variance, 1_000_000 * total * total),
        thetas_millionths=tuple(round_ratio(theta, total) for theta in thetas),
        errors_millionths=tuple(_root(covariance[i][i], total * total) for i in range(len(steps))),
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
