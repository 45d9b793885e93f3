"""Global discrimination: how far the answer's chances spread over the likely abilities."""

from typing import Literal

import msgspec

from cat_engine.core.criteria import Limit, likelihood_shares, mean_over, summed_categories, utility_of
from cat_engine.core.families import About, Rule
from cat_engine.core.pool_facts import probability_squares
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether abilities count by the posterior (GDIP) or by the likelihood alone (GDI), and the range of the
    latter, from minus to plus the limit, in millionths of theta.
    """

    weights: Literal["posterior", "likelihood"] = "posterior"
    limit_millionths: Limit = 4_000_000


def global_discrimination(view: SectionView, *, settings: Settings) -> Utility:
    """Half the summed variance of each item's category probabilities over the likely abilities.

    For two categories this is the variance of the chance of a right answer.
    """
    if settings.weights == "posterior":
        shares = view.evidence.shares
    else:
        shares = likelihood_shares(view, settings.limit_millionths)
    mean = mean_over(view.pool.probability, shares).reshape(view.pool.size, -1)
    squares = mean_over(probability_squares(view.pool), shares)
    return utility_of(0.5 * (squares - summed_categories(mean * mean)))


RULE = Rule(
    "global_discrimination",
    Settings,
    global_discrimination,
    About(
        formula="u_i = 1/2 sum_k Var(P_ik(theta)) over the posterior or the likelihood",
        source="Kaplan, de la Torre & Barrada (2015)",
        use="As good as expected posterior variance in short tests at a fraction of its cost.",
    ),
)
