"""Stop when the estimate is precise enough (Weiss and Kingsbury, 1984), never before a minimum of items."""

from typing import Annotated

import msgspec

from cat_engine.core.families import Rule
from cat_engine.core.views import SectionView


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The standard error to reach, in millionths of theta, and the items to give in any case."""

    target_millionths: Annotated[int, msgspec.Meta(ge=1)]
    minimum_items: Annotated[int, msgspec.Meta(ge=1)] = 1


def standard_error(view: SectionView, *, settings: Settings) -> bool:
    """Whether the standard error is at or below the target."""
    enough = len(view.answered) >= settings.minimum_items
    return enough and view.estimate.standard_error_millionths <= settings.target_millionths


RULE = Rule("standard_error", Settings, standard_error)
