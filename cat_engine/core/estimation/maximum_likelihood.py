"""Maximum likelihood within bounds, with a stated answer where there is no maximum."""

from typing import Literal

import msgspec

from cat_engine.core.criteria import Limit
from cat_engine.core.families import About, Rule
from cat_engine.core.peaks import error_of_precision, information_of, mode_of, warm_mode
from cat_engine.core.posterior_moments import mean_and_deviation
from cat_engine.core.views import Estimate, Evidence


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bounds, minus and plus this many millionths of theta, and what is answered where the likelihood has
    no maximum between them: the bound, the mean or mode of the posterior, or Warm's estimate.
    """

    bound_millionths: Limit = 4_000_000
    without_maximum: Literal["bounded", "posterior_mean", "posterior_mode", "warm"] = "bounded"


def maximum_likelihood(evidence: Evidence, *, settings: Settings) -> Estimate:
    """The ability that makes the answers most likely; error = 1 / sqrt(information there).

    All right and all wrong have no maximum, and with guessing some mixed answers have none: the highest point
    between the bounds is then a bound. Before the first answer the prior stands.
    """
    if not evidence.answered:
        return evidence.prior
    bound = settings.bound_millionths
    theta = mode_of(evidence.log_likelihood, bound).theta_millionths
    if abs(theta) >= bound and settings.without_maximum != "bounded":
        return _instead(evidence, settings)
    return Estimate(theta, error_of_precision(information_of(evidence, theta)))


def _instead(evidence: Evidence, settings: Settings) -> Estimate:
    if settings.without_maximum == "posterior_mean":
        return mean_and_deviation(evidence.weights)
    if settings.without_maximum == "posterior_mode":
        return mode_of(evidence.log_posterior)
    return warm_mode(evidence, settings.bound_millionths)


RULE = Rule(
    "maximum_likelihood",
    Settings,
    maximum_likelihood,
    About(
        formula="theta_hat = argmax ln L(theta), |theta| <= bound; SE = I(theta_hat)^(-1/2)",
        source="Birnbaum (1968); Lord (1980)",
        use="Long tests whose scores may not lean on a prior; as interim estimate only with a policy.",
    ),
)
