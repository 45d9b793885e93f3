"""The mode under Jeffreys' (1946) prior, which some programs call "WLE" (after Firth, 1993).

It is Warm's estimate for the 1PL, 2PL, GRM and GPCM; with guessing the two differ by up to 0.8.
"""

import msgspec

from cat_engine.core.criteria import Limit
from cat_engine.core.families import About, Rule
from cat_engine.core.peaks import jeffreys_mode_of
from cat_engine.core.views import Estimate, Evidence


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bounds, minus and plus this many millionths of theta."""

    bound_millionths: Limit = 4_000_000


def jeffreys_mode(evidence: Evidence, *, settings: Settings) -> Estimate:
    """Mode of likelihood times the square root of information; error from its expected curvature.

    Before the first answer the prior stands.
    """
    return jeffreys_mode_of(evidence, settings.bound_millionths) if evidence.answered else evidence.prior


RULE = Rule(
    "jeffreys_mode",
    Settings,
    jeffreys_mode,
    About(
        formula="l'(theta) + I'(theta) / (2 I(theta)) = 0; SE = (I - (ln I)'' / 2)^(-1/2)",
        source="Jeffreys (1946); Firth (1993)",
        use="Where scores are to be compared with programs that report this mode as WLE.",
    ),
)
