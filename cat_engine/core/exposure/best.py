"""No exposure control: the best item."""

import msgspec

from cat_engine.core.exact import Integers
from cat_engine.core.exposure_draws import best_of
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.views import Choice, SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set."""


def best(view: SectionView, utility: Utility, eligible: Integers, *, settings: Settings) -> Choice:
    """Take the eligible item with the highest utility; equals are ordered by a hash of their content."""
    del settings
    return Choice(index=best_of(view, utility, eligible), considered=1, drawn=0)


RULE = Rule(
    "best",
    Settings,
    best,
    About(
        formula="i = argmax u_i",
        source="Lord (1980)",
        use="To compare with, or where an eligibility rule guards the pool. All see the same first items.",
    ),
    abilities=ANY,
)
