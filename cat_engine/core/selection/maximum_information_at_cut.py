"""Maximum information at the cut scores, for classification (Eggen, 1999; Spray and Reckase, 1994)."""

from typing import Annotated, Literal

import msgspec
import numpy as np

from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cuts in millionths of theta, and whether the one nearest to the estimate counts or all of them."""

    cuts_millionths: Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]
    which: Literal["nearest", "all"] = "nearest"


def maximum_information_at_cut(view: SectionView, *, settings: Settings) -> Utility:
    """The information each item would give at the nearest cut, or summed over all cuts.

    Of two cuts equally near the lower counts.
    """
    cuts = sorted(settings.cuts_millionths)
    theta = view.estimate.theta_millionths
    if settings.which == "nearest":
        return view.pool.information_at(min(cuts, key=lambda cut: abs(cut - theta)))
    total = np.zeros(view.pool.size, dtype=np.int64)
    for cut in cuts:
        total += view.pool.information_at(cut)
    return total


RULE = Rule(
    "maximum_information_at_cut",
    Settings,
    maximum_information_at_cut,
    About(
        formula="u_i = I_i(cut nearest to theta_hat), or sum over the cuts",
        source="Spray & Reckase (1994); Eggen (1999)",
        use="Tests that only have to say on which side of a cut a candidate stands.",
    ),
)
