"""Weighted likelihood in Warm's (1989) form.

Programs that call "WLE" the mode under Jeffreys' prior answer otherwise where there is guessing: see
`jeffreys_mode`.
"""

import msgspec

from cat_engine.core.criteria import Limit
from cat_engine.core.families import About, Rule
from cat_engine.core.peaks import warm_mode
from cat_engine.core.views import Estimate, Evidence


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bounds, minus and plus this many millionths of theta."""

    bound_millionths: Limit = 4_000_000


def warm(evidence: Evidence, *, settings: Settings) -> Estimate:
    """Likelihood corrected for its first-order bias; error = 1 / sqrt(information there).

    Before the first answer the prior stands.
    """
    return warm_mode(evidence, settings.bound_millionths) if evidence.answered else evidence.prior


RULE = Rule(
    "warm",
    Settings,
    warm,
    About(
        formula="l'(theta) + J(theta) / (2 I(theta)) = 0, J = sum P' P'' / P; SE = I(theta_hat)^(-1/2)",
        source="Warm (1989)",
        use="Scores without a prior: finite for all right and all wrong, hardly biased.",
    ),
)
