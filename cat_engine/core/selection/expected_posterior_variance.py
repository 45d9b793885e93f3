"""Minimum expected posterior variance (Owen, 1975; van der Linden, 1998)."""

from typing import Literal

import msgspec
import numpy as np

from cat_engine.core.criteria import one_answer_ahead, probability_at, summed_categories, utility_of
from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With which chance an answer counts: predictive, over the posterior, or at the estimate, as if that were
    the truth.
    """

    weights: Literal["predictive", "at_estimate"] = "predictive"


def expected_posterior_variance(view: SectionView, *, settings: Settings) -> Utility:
    """Minus the posterior variance expected after the item's answer."""
    ahead = one_answer_ahead(view)
    variance = np.maximum(ahead.square - ahead.mean * ahead.mean, 0.0)
    if settings.weights == "predictive":
        chance = ahead.chance
    else:
        chance = probability_at(view.pool, view.estimate.theta_millionths)
    return utility_of(-summed_categories(chance * variance))


RULE = Rule(
    "expected_posterior_variance",
    Settings,
    expected_posterior_variance,
    About(
        formula="u_i = -sum_k P(X_i = k) Var(theta | x, X_i = k)",
        source="Owen (1975); van der Linden (1998)",
        use="Aims at what is reported, the standard error of the posterior mean; best in short tests.",
    ),
)
