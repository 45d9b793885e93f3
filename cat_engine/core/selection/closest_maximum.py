"""The item that is most informative closest to the estimate (Magis, 2013)."""

import msgspec
import numpy as np

from cat_engine.core.families import About, Rule
from cat_engine.core.pool_facts import information_maxima
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set."""


def closest_maximum(view: SectionView, *, settings: Settings) -> Utility:
    """Minus the distance from the estimate to the ability at which the item's information is largest."""
    del settings
    away = information_maxima(view.pool) - view.estimate.theta_millionths
    return np.asarray(-np.abs(away), dtype=np.int64)


RULE = Rule(
    "closest_maximum",
    Settings,
    closest_maximum,
    About(
        formula="u_i = -|theta_i - theta_hat|, theta_i = argmax I_i(theta)",
        source="Magis (2013); Birnbaum (1968)",
        use="Like closest difficulty, but right for items that can be guessed and for any model.",
    ),
)
