"""Stop when a given time is used, before the sitting's own time is up."""

from typing import Annotated, Literal

import msgspec

from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.views import SectionView


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The time in seconds; of the whole sitting, or of the answers of this section; and the items to give in
    any case.
    """

    limit_s: Annotated[int, msgspec.Meta(ge=1)]
    of: Literal["sitting", "section"] = "sitting"
    minimum_items: Annotated[int, msgspec.Meta(ge=1)] = 1


def time_used(view: SectionView, *, settings: Settings) -> str | None:
    """The reason once that much time is used: no item is begun afterwards, none is cut short."""
    if len(view.answered) < settings.minimum_items:
        return None
    used_ms = view.time_used_ms if settings.of == "sitting" else sum(view.response_times_ms)
    return "time_used" if used_ms >= settings.limit_s * 1000 else None


RULE = Rule(
    "time_used",
    Settings,
    time_used,
    About(
        formula="stop when t >= limit",
        source="common practice",
        use="Leaves the later sections their time. Accommodations lengthen the sitting, not this limit.",
    ),
    abilities=ANY,
)
