"""The item whose difficulty is closest to the estimate (Urry, 1970)."""

import msgspec
import numpy as np

from cat_engine.core.families import About, Rule
from cat_engine.core.pool_facts import difficulties, difficulty_problem
from cat_engine.core.test_package import PoolItem, Section
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set."""


def closest_difficulty(view: SectionView, *, settings: Settings) -> Utility:
    """Minus the distance from the estimate to the item's difficulty, or to the mean of its thresholds."""
    del settings
    away = difficulties(view.pool) - view.estimate.theta_millionths
    return np.asarray(-np.abs(away), dtype=np.int64)


def _problem(_settings: Settings, _section: Section, items: tuple[PoolItem, ...]) -> str:
    return difficulty_problem(items)


RULE = Rule(
    "closest_difficulty",
    Settings,
    closest_difficulty,
    About(
        formula="u_i = -|b_i - theta_hat|",
        source="Urry (1970)",
        use="Rasch pools; elsewhere it spares strong items at a price in precision. Not for nominal items.",
    ),
    problem=_problem,
)
