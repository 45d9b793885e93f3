"""One of the eligible items, drawn in proportion to a power of its utility."""

from bisect import bisect_right
from itertools import accumulate
from typing import Annotated

import msgspec
import numpy as np

from cat_engine.core.content_lines import rising_from_nothing
from cat_engine.core.exact import Integers
from cat_engine.core.exposure_draws import ranked
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.views import Choice, SectionView, Utility

_WEIGHT_UNIT = float(1 << 30)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The power by step, the last one for all later steps: 0 draws blindly, a high one takes the best. Only
    the `size` best are in the draw.
    """

    powers: Annotated[tuple[Annotated[int, msgspec.Meta(ge=0, le=64)], ...], msgspec.Meta(min_length=1)] = (
        0,
        1,
        2,
        4,
        6,
        8,
        10,
        12,
        16,
        20,
    )
    size: Annotated[int, msgspec.Meta(ge=1)] = 1000


def proportional_draw(
    view: SectionView, utility: Utility, eligible: Integers, *, settings: Settings
) -> Choice:
    """Draw an eligible item with probability proportional to a power of its utility.

    Utilities are divided by the highest and raised by multiplication; a utility of 0 has no chance unless all
    are 0 or the power is. Where some are negative, as those of rules that avoid something are, they are
    reckoned from the lowest in the draw up. Weights are whole numbers, so the draw is exact.
    """
    order = ranked(view, utility, eligible)[: settings.size]
    power = settings.powers[min(view.shown, len(settings.powers) - 1)]
    values = utility[order].astype(np.float64)
    if values[-1] < 0.0:
        values = rising_from_nothing(utility[order])
    weights = np.full(order.size, 1.0)
    if values[0] > 0.0:
        for _ in range(power):
            weights *= values / values[0]
    whole = np.floor(weights * _WEIGHT_UNIT).astype(np.int64).tolist()
    sums = list(accumulate(whole))
    drawn = bisect_right(sums, view.chance.below("exposure", sums[-1]))
    return Choice(index=int(order[drawn]), considered=order.size, drawn=drawn)


RULE = Rule(
    "proportional_draw",
    Settings,
    proportional_draw,
    About(
        formula="P_i = u_i^h / sum_j u_j^h, the power h rising with the step; "
        "where min u < 0, (u_i - min u) / (max u - min u) + 0.001 stands for u_i",
        source="Barrada, Olea, Ponsoda & Abad (2008)",
        use="Spreads the pool at the start of a test, when estimates are vague, for any selection rule.",
    ),
    abilities=ANY,
)
