"""Posterior-weighted Kullback-Leibler information (Chang and Ying, 1996)."""

import msgspec

from cat_engine.core.criteria import divergence, utility_of
from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the prior is the section's."""


def posterior_kullback_leibler(view: SectionView, *, settings: Settings) -> Utility:
    """How well each item tells the estimate from the other abilities, averaged over the posterior."""
    del settings
    return utility_of(divergence(view, view.evidence.shares))


RULE = Rule(
    "posterior_kullback_leibler",
    Settings,
    posterior_kullback_leibler,
    About(
        formula="u_i = integral p(x | responses) KL_i(theta_hat || x) dx",
        source="Chang & Ying (1996)",
        use="Global information where a prior is held; close to maximum information once the test is long.",
    ),
)
