"""Likelihood-weighted Kullback-Leibler information (Barrada, Olea, Ponsoda and Abad, 2009)."""

import msgspec

from cat_engine.core.criteria import Limit, divergence, likelihood_shares, utility_of
from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The range of the integral, from minus to plus the limit, in millionths of theta."""

    limit_millionths: Limit = 4_000_000


def kullback_leibler(view: SectionView, *, settings: Settings) -> Utility:
    """How well each item tells the estimate from the other abilities, averaged over the likelihood."""
    return utility_of(divergence(view, likelihood_shares(view, settings.limit_millionths)))


RULE = Rule(
    "kullback_leibler",
    Settings,
    kullback_leibler,
    About(
        formula="u_i = integral L(x) KL_i(theta_hat || x) dx / integral L(x) dx",
        source="Barrada, Olea, Ponsoda & Abad (2009); Chang & Ying (1996)",
        use="Global information without a prior; for the first items of a test.",
    ),
)
