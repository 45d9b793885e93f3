"""Stop after a fixed number of items."""

from typing import Annotated

import msgspec

from cat_engine.core.families import Rule
from cat_engine.core.views import SectionView


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of items."""

    items: Annotated[int, msgspec.Meta(ge=1)]


def fixed_length(view: SectionView, *, settings: Settings) -> bool:
    """Whether that many items are answered."""
    return len(view.answered) >= settings.items


RULE = Rule("fixed_length", Settings, fixed_length)
