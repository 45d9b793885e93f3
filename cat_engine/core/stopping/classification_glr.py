"""Stop when a generalised likelihood ratio has decided at every cut (Bartroff, Finkelman and Lai, 2008)."""

from typing import Annotated

import msgspec

from cat_engine.core.cuts import Cuts, ErrorRate, LikelihoodCurve, cuts_problem, decided, wald_bounds
from cat_engine.core.families import About, Rule
from cat_engine.core.tables import NODE_LIMIT_MILLIONTHS
from cat_engine.core.views import SectionView


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cuts and the half width delta of the zone of indifference in millionths of theta; the error rates
    in thousandths: alpha, a candidate at cut - delta placed above, and beta, one at cut + delta placed
    below; and the items to give in any case.
    """

    cuts_millionths: Cuts
    delta_millionths: Annotated[int, msgspec.Meta(ge=1)] = 250_000
    alpha_per_mille: ErrorRate = 50
    beta_per_mille: ErrorRate = 50
    minimum_items: Annotated[int, msgspec.Meta(ge=1)] = 1


def classification_glr(view: SectionView, *, settings: Settings) -> str | None:
    """The reason with the side once the best theta above the zone beats the best below it by Wald's bounds.

    max ln L over theta >= cut + delta, less max ln L over theta <= cut - delta, at steps of 0.01.
    """
    if len(view.answered) < settings.minimum_items:
        return None
    delta, limit = settings.delta_millionths, NODE_LIMIT_MILLIONTHS
    curve = LikelihoodCurve(view.evidence)
    ratios = [
        curve.highest_between(cut + delta, limit) - curve.highest_between(-limit, cut - delta)
        for cut in settings.cuts_millionths
    ]
    level = decided(ratios, wald_bounds(settings.alpha_per_mille, settings.beta_per_mille))
    return None if level is None else f"classification_glr:{level}"


RULE = Rule(
    "classification_glr",
    Settings,
    classification_glr,
    About(
        formula="r = max ln L over theta >= c + delta, less max ln L over theta <= c - delta; "
        "stop when r <= ln(beta / (1 - alpha)) or r >= ln((1 - beta) / alpha)",
        source="Bartroff, Finkelman & Lai (2008); Thompson (2009)",
        use="Levels with fewer items than the plain ratio for candidates far from the cut.",
    ),
    problem=cuts_problem,
)
