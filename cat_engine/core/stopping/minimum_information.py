"""Stop when no item that is left would tell much (the minimum-information rule of Weiss, 1982)."""

from typing import Annotated

import msgspec

from cat_engine.core.exact import THETA_UNIT, UNIT
from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView

_BILLIONTHS = UNIT // THETA_UNIT  # in a millionth


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The information below which an item is not worth asking, in millionths; items to give in any case."""

    target_millionths: Annotated[int, msgspec.Meta(ge=1)]
    minimum_items: Annotated[int, msgspec.Meta(ge=1)] = 1


def minimum_information(view: SectionView, *, settings: Settings) -> str | None:
    """The reason once every free item has less information at the estimate than the target.

    Information is that of the package's metric, D included. Items that exposure control keeps back count as
    free: it gives way where it would leave nothing.
    """
    if len(view.answered) < settings.minimum_items:
        return None
    left = view.pool.information_at(view.estimate.theta_millionths)[view.unseen]
    small = left.size and int(left.max()) < settings.target_millionths * _BILLIONTHS
    return "minimum_information" if small else None


RULE = Rule(
    "minimum_information",
    Settings,
    minimum_information,
    About(
        formula="stop when max I_i(theta_hat) < target over the items left",
        source="Weiss (1982); Dodd, Koch & De Ayala (1993)",
        use="Pools that cannot measure everybody well: no candidate answers items that tell nothing.",
    ),
)
