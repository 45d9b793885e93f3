"""Content balanced by the largest deficit (after Kingsbury and Zara, 1989)."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from cat_engine.core.families import About, Rule
from cat_engine.core.pool import NO_ITEMS
from cat_engine.core.views import Eligible, SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the shares are the section's blueprint."""


def shares(view: SectionView, utility: Utility, free: NDArray[np.bool_], *, settings: Settings) -> Eligible:
    """The free items of the blueprint line that is furthest behind its share.

    A line whose items are used up is passed over and named: a blueprint that cannot be met is never bent in
    silence. A line with a share of 0 is due only when every other is exhausted.
    """
    del settings
    pool = view.pool
    lines = pool.section.blueprint
    if not lines:
        return Eligible(np.flatnonzero(free), utility)
    per_mille = np.array([line.per_mille for line in lines], dtype=np.int64)
    areas = pool.area[list(view.answered)] if view.answered else NO_ITEMS
    counts = np.bincount(areas[areas >= 0], minlength=len(lines))
    deficits = per_mille * (len(view.answered) + 1) - 1000 * counts
    relaxed: list[str] = []
    for line in np.lexsort((-deficits, per_mille == 0)):
        indices = np.flatnonzero(free & (pool.area == line))
        if indices.size:
            return Eligible(indices, utility, lines[int(line)].area, tuple(relaxed))
        relaxed.append(lines[int(line)].area)
    return Eligible(NO_ITEMS, utility, "", tuple(relaxed))


RULE = Rule(
    "shares",
    Settings,
    shares,
    About(
        formula="next line = argmax_g share_g (n + 1) - n_g",
        source="Kingsbury & Zara (1989), by the largest deficit",
        use="Few content areas with shares and nothing else to keep.",
    ),
)
