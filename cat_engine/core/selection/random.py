"""Random selection."""

import msgspec

from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set."""


def random(view: SectionView, *, settings: Settings) -> Utility:
    """A lot for each item: all that may come next have the same chance."""
    del settings
    return view.chance.fractions("selection", view.pool.ties)


RULE = Rule(
    "random",
    Settings,
    random,
    About(
        formula="u_i ~ U(0, 1)",
        source="the yardstick of Kingsbury & Zara (1989)",
        use="The yardstick for other rules, and seeding of items that are to be calibrated.",
    ),
    ANY,
)
