"""Proportional selection: chances in proportion to a growing power of information (Segall, 2004)."""

from typing import Annotated

import msgspec
import numpy as np

from cat_engine.core.chance import CERTAIN
from cat_engine.core.criteria import mixture_parts, utility_of
from cat_engine.core.exact import UNIT
from cat_engine.core.families import About, Rule
from cat_engine.core.logarithm import logarithm
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The length of the test, and the acceleration t: 0 lets the power grow in equal steps, larger values
    keep chance longer.
    """

    items: Annotated[int, msgspec.Meta(ge=1)]
    acceleration: Annotated[int, msgspec.Meta(ge=0, le=20)] = 1


def proportional(view: SectionView, *, settings: Settings) -> Utility:
    """A lot for each item, weighed so that the highest falls on item i with a chance proportional to I_i^h.

    ln w + G with G of Gumbel's distribution is highest for item i with chance w_i / sum w (Yellott, 1977),
    whichever items are left in the race. h grows from 0 to the length of the test. Information below a
    billionth counts as a billionth.
    """
    share, whole = mixture_parts(view.shown + 1, settings.items, settings.acceleration)
    power = settings.items * share / whole
    information = np.maximum(view.pool.information_at(view.estimate.theta_millionths), 1) / UNIT
    lot = (view.chance.fractions("selection", view.pool.ties) + 0.5) / CERTAIN
    return utility_of(power * logarithm(information) - logarithm(-logarithm(lot)))


RULE = Rule(
    "proportional",
    Settings,
    proportional,
    About(
        formula="P(i) = I_i^h / sum_j I_j^h, h = n W, W = sum_{f<=pos} (f-1)^t / sum_{f<=n} (f-1)^t",
        source="Segall (2004); Barrada, Olea, Ponsoda & Abad (2008)",
        use="Like the progressive rule; take no other exposure rule beside it that draws among the best.",
    ),
)
