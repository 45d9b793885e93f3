"""Stop when the estimate is precise enough (Weiss and Kingsbury, 1984), never before a minimum of items."""

from typing import Annotated

import msgspec

from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.views import SectionView


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The standard error to reach, in millionths of theta, and the items to give in any case."""

    target_millionths: Annotated[int, msgspec.Meta(ge=1)]
    minimum_items: Annotated[int, msgspec.Meta(ge=1)] = 1


def standard_error(view: SectionView, *, settings: Settings) -> str | None:
    """The reason once the standard error is at or below the target."""
    if len(view.answered) < settings.minimum_items:
        return None
    small = view.estimate.standard_error_millionths <= settings.target_millionths
    return "standard_error" if small else None


RULE = Rule(
    "standard_error",
    Settings,
    standard_error,
    About(
        formula="stop when SE(theta_hat) <= target and n >= minimum",
        source="Weiss & Kingsbury (1984)",
        use="Scores of equal precision; always with a maximum length beside it.",
    ),
    abilities=ANY,
)
