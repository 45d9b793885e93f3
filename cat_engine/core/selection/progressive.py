"""Progressive selection: chance at first, information more and more (Revuelta and Ponsoda, 1998)."""

from typing import Annotated

import msgspec
import numpy as np

from cat_engine.core.chance import CERTAIN
from cat_engine.core.criteria import mixture_parts
from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The length of the test, and the acceleration t: 0 gives information its weight in equal steps, larger
    values keep chance longer.
    """

    items: Annotated[int, msgspec.Meta(ge=1)]
    acceleration: Annotated[int, msgspec.Meta(ge=0, le=20)] = 1


def progressive(view: SectionView, *, settings: Settings) -> Utility:
    """A mixture of a lot for each item and its information at the estimate.

    The lot goes up to the largest information among the items not answered yet.
    """
    information = view.pool.information_at(view.estimate.theta_millionths)
    open_items = np.ones(information.size, dtype=np.bool_)
    open_items[list(view.answered)] = False
    highest = float(information[open_items].max(initial=0))
    share, whole = mixture_parts(view.shown + 1, settings.items, settings.acceleration)
    weight = share / whole
    lot = view.chance.fractions("selection", view.pool.ties) * (highest / CERTAIN)
    return np.asarray(np.rint((1.0 - weight) * lot + weight * information), dtype=np.int64)


RULE = Rule(
    "progressive",
    Settings,
    progressive,
    About(
        formula="u_i = (1 - W) R_i + W I_i, R_i ~ U(0, max I), W = sum_{f<=pos} (f-1)^t / sum_{f<=n} (f-1)^t",
        source="Revuelta & Ponsoda (1998); Barrada, Olea, Ponsoda & Abad (2008)",
        use="Spreads the first items over the pool where information is worth little; length must be fixed.",
    ),
)
