"""Randomesque exposure control (Kingsbury and Zara, 1989): one of the k best items, by lot."""

from typing import Annotated

import msgspec
import numpy as np

from cat_engine.core.exact import Integers
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.views import Choice, SectionView, Utility

_SORTED_AS_THEY_ARE = 100  # so few items are sorted sooner than the best of them are found


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of the best items the lot is drawn from, by step; the last number holds for all later
    steps.
    """

    sizes: Annotated[tuple[Annotated[int, msgspec.Meta(ge=1)], ...], msgspec.Meta(min_length=1)] = (5,)


def randomesque(view: SectionView, utility: Utility, eligible: Integers, *, settings: Settings) -> Choice:
    """Draw one of the k eligible items with the highest utility; equals are ordered by a hash of their
    content.
    """
    size = min(settings.sizes[min(view.shown, len(settings.sizes) - 1)], eligible.size)
    values = utility.take(eligible)
    if size < eligible.size and eligible.size > _SORTED_AS_THEY_ARE:
        ranked = values.copy()
        ranked.partition(eligible.size - size)
        near = (values >= ranked[eligible.size - size]).nonzero()[0]
        eligible, values = eligible.take(near), values.take(near)
    order = np.lexsort((view.pool.ties.take(eligible), -values))
    drawn = view.chance.below("exposure", size)
    return Choice(index=int(eligible[order[drawn]]), considered=size, drawn=drawn)


RULE = Rule(
    "randomesque",
    Settings,
    randomesque,
    About(
        formula="draw one of the k items of highest utility, each with probability 1 / k",
        source="Kingsbury & Zara (1989)",
        use="A simple guard at the start of a test, when everybody would see the same items.",
    ),
    abilities=ANY,
)
