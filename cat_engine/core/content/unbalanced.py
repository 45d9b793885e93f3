"""Nothing is balanced: any item that is free may come."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from cat_engine.core.content_lines import strictly_allowed
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.views import Eligible, SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: strict lines of the blueprint are kept, all others are not looked at."""


def unbalanced(
    view: SectionView, utility: Utility, free: NDArray[np.bool_], *, settings: Settings
) -> Eligible:
    """Every free item that breaks no strict line, with the utility it has."""
    del settings
    allowed, relaxed = strictly_allowed(view, free)
    return Eligible(np.flatnonzero(allowed), utility, relaxed=relaxed)


RULE = Rule(
    "unbalanced",
    Settings,
    unbalanced,
    About(
        formula="every free item that breaks no strict line, u_i as it is",
        source="common practice",
        use="Pools of one kind of content; simulations of what balance costs.",
    ),
    abilities=ANY,
)
