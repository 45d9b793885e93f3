"""Likelihood-weighted information (Veerkamp and Berger, 1997)."""

import msgspec

from cat_engine.core.criteria import Limit, likelihood_shares, mean_over, utility_of
from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The range of the integral, from minus to plus the limit, in millionths of theta: a likelihood need not
    fall off by itself.
    """

    limit_millionths: Limit = 4_000_000


def likelihood_weighted_information(view: SectionView, *, settings: Settings) -> Utility:
    """The information each item gives, averaged over the likelihood of the answers so far."""
    shares = likelihood_shares(view, settings.limit_millionths)
    return utility_of(mean_over(view.pool.information_by_node, shares))


RULE = Rule(
    "likelihood_weighted_information",
    Settings,
    likelihood_weighted_information,
    About(
        formula="u_i = integral L(theta) I_i(theta) dtheta / integral L(theta) dtheta",
        source="Veerkamp & Berger (1997)",
        use="Short tests without a prior one would defend: the whole likelihood counts, not its top alone.",
    ),
)
