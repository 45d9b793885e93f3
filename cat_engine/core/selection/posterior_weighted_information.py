"""Posterior-weighted information (van der Linden, 1998)."""

import msgspec

from cat_engine.core.criteria import mean_over, utility_of
from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the prior is the section's."""


def posterior_weighted_information(view: SectionView, *, settings: Settings) -> Utility:
    """The information each item gives, averaged over the posterior."""
    del settings
    return utility_of(mean_over(view.pool.information_by_node, view.evidence.shares))


RULE = Rule(
    "posterior_weighted_information",
    Settings,
    posterior_weighted_information,
    About(
        formula="u_i = integral p(theta | x) I_i(theta) dtheta",
        source="van der Linden (1998); Veerkamp & Berger (1997)",
        use="As cheap as maximum information, and safe while the estimate is still far off.",
    ),
)
