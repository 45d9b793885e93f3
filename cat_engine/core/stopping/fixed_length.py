"""Stop after a fixed number of items."""

from typing import Annotated

import msgspec

from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.views import SectionView


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of items."""

    items: Annotated[int, msgspec.Meta(ge=1)]


def fixed_length(view: SectionView, *, settings: Settings) -> str | None:
    """The reason once that many items are answered."""
    return "fixed_length" if len(view.answered) >= settings.items else None


RULE = Rule(
    "fixed_length",
    Settings,
    fixed_length,
    About(
        formula="stop when n >= items",
        source="common practice",
        use="Equal length for all; the upper limit beside another rule.",
    ),
    abilities=ANY,
    most_items=lambda settings: settings.items,
)
