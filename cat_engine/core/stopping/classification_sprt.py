"""Stop when a sequential probability ratio test has decided at every cut (Wald, 1947; Reckase, 1983)."""

from typing import Annotated

import msgspec

from cat_engine.core.cuts import Cuts, ErrorRate, cuts_problem, decided, log_likelihood_at, wald_bounds
from cat_engine.core.families import About, Rule
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


def classification_sprt(view: SectionView, *, settings: Settings) -> str | None:
    """The reason with the side once ln L(cut + delta) - ln L(cut - delta) leaves Wald's bounds at each cut.

    The likelihood between the nodes of the tables is interpolated (see `cuts`); ratios that contradict each
    other decide nothing.
    """
    if len(view.answered) < settings.minimum_items:
        return None
    delta = settings.delta_millionths
    ratios = [
        log_likelihood_at(view.evidence, cut + delta) - log_likelihood_at(view.evidence, cut - delta)
        for cut in settings.cuts_millionths
    ]
    level = decided(ratios, wald_bounds(settings.alpha_per_mille, settings.beta_per_mille))
    return None if level is None else f"classification_sprt:{level}"


RULE = Rule(
    "classification_sprt",
    Settings,
    classification_sprt,
    About(
        formula="stop when ln L(c + delta) - ln L(c - delta) <= ln(beta / (1 - alpha)) "
        "or >= ln((1 - beta) / alpha) for every cut c",
        source="Wald (1947); Reckase (1983); Eggen (1999)",
        use="Levels and nothing else, with the fewest items near the cut. Choose items at the cut.",
    ),
    problem=cuts_problem,
)
