"""Maximum expected information (van der Linden, 1998; van der Linden and Pashley, 2010)."""

from typing import Literal

import msgspec

from cat_engine.core.criteria import (
    modes_ahead,
    one_answer_ahead,
    own_information_at,
    own_observed_information_at,
    probability_at,
    summed_categories,
    utility_of,
)
from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With which chance an answer counts (over the posterior, or at the estimate), which estimate would
    follow it (posterior mean or mode), and which information is taken there (Fisher's, or the answer's own
    observed information).
    """

    weights: Literal["predictive", "at_estimate"] = "predictive"
    updated: Literal["mean", "mode"] = "mean"
    information: Literal["fisher", "observed"] = "fisher"


def expected_information(view: SectionView, *, settings: Settings) -> Utility:
    """The information each item would give at the estimate after its answer, averaged over the answers."""
    pool = view.pool
    at_estimate = settings.weights == "at_estimate"
    if at_estimate and settings.updated == "mode":
        chance, theta = probability_at(pool, view.estimate.theta_millionths), modes_ahead(view)
    else:
        ahead = one_answer_ahead(view)
        theta = ahead.means_millionths() if settings.updated == "mean" else modes_ahead(view)
        chance = probability_at(pool, view.estimate.theta_millionths) if at_estimate else ahead.chance
    own = own_information_at if settings.information == "fisher" else own_observed_information_at
    return utility_of(summed_categories(chance * own(pool, theta)))


RULE = Rule(
    "expected_information",
    Settings,
    expected_information,
    About(
        formula="u_i = sum_k P(X_i = k) I_i(theta_hat after answer k)",
        source="van der Linden (1998); van der Linden & Pashley (2010)",
        use="Looks one answer ahead: what informs only where the estimate will not be is left.",
    ),
)
