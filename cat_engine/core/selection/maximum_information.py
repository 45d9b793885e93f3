"""Maximum Fisher information at the interim estimate (Lord, 1980; Birnbaum, 1968)."""

import msgspec

from cat_engine.core.families import Rule
from cat_engine.core.tables import GRID_LIMIT_MILLIONTHS, GRID_STEP_MILLIONTHS
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set."""


def maximum_information(view: SectionView, *, settings: Settings) -> Utility:
    """The information each item would give at the estimate, read at the nearest grid point."""
    del settings
    last = view.pool.information.shape[0] - 1
    offset = view.estimate.theta_millionths + GRID_LIMIT_MILLIONTHS + GRID_STEP_MILLIONTHS // 2
    row = min(max(offset // GRID_STEP_MILLIONTHS, 0), last)
    utility: Utility = view.pool.information[row]
    return utility


RULE = Rule("maximum_information", Settings, maximum_information)
