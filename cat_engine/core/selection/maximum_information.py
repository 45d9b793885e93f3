"""Maximum Fisher information at the interim estimate (Lord, 1980; Birnbaum, 1968)."""

import msgspec

from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set."""


def maximum_information(view: SectionView, *, settings: Settings) -> Utility:
    """The information each item would give at the estimate."""
    del settings
    return view.pool.information_at(view.estimate.theta_millionths)


RULE = Rule(
    "maximum_information",
    Settings,
    maximum_information,
    About(
        formula="u_i = I_i(theta_hat)",
        source="Birnbaum (1968); Lord (1980)",
        use="The usual choice once some answers are in; it prefers a few strong items, so control exposure.",
    ),
)
