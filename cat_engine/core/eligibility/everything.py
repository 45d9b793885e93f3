"""No limit: every item of the pool is eligible in every sitting."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from cat_engine.core.events import ExposureRead
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.views import SectionView


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set."""


def everything(
    view: SectionView, exposure: ExposureRead | None, *, settings: Settings
) -> NDArray[np.bool_] | None:
    """No item is barred from any sitting."""
    del view, exposure, settings
    return None


RULE = Rule(
    "everything",
    Settings,
    everything,
    About(
        formula="no item is barred",
        source="common practice",
        use="Small pools, low stakes, or where the exposure rule is enough.",
    ),
    abilities=ANY,
)
