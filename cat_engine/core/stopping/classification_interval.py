"""Stop when the confidence interval of the estimate holds no cut (Kingsbury and Weiss, 1983)."""

from typing import Annotated

import msgspec

from cat_engine.core.cuts import Cuts, cuts_problem, level_name
from cat_engine.core.exact import THETA_UNIT
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.views import SectionView


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cuts in millionths of theta, rising; half the width of the interval in millionths of a standard
    error (1 960 000: an interval of 95 %); and the items to give in any case.
    """

    cuts_millionths: Cuts
    width_millionths: Annotated[int, msgspec.Meta(ge=1)] = 1_960_000
    minimum_items: Annotated[int, msgspec.Meta(ge=1)] = 1


def classification_interval(view: SectionView, *, settings: Settings) -> str | None:
    """The reason with the side once no cut lies within theta_hat -+ width * SE."""
    if len(view.answered) < settings.minimum_items:
        return None
    theta = view.estimate.theta_millionths
    reach = settings.width_millionths * view.estimate.standard_error_millionths
    if any(abs(theta - cut) * THETA_UNIT <= reach for cut in settings.cuts_millionths):
        return None
    level = sum(theta > cut for cut in settings.cuts_millionths)
    return f"classification_interval:{level_name(level, len(settings.cuts_millionths))}"


RULE = Rule(
    "classification_interval",
    Settings,
    classification_interval,
    About(
        formula="stop when |theta_hat - cut| > z SE(theta_hat) for every cut",
        source="Kingsbury & Weiss (1983); Eggen & Straetmans (2000)",
        use="Pass or fail, or a level, where a score is wanted too. Always with a maximum length.",
    ),
    abilities=ANY,
    problem=cuts_problem,
)
