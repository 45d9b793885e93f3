"""A hard cap: an item seen too often is out until others have caught up."""

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from cat_engine.core.events import ExposureRead
from cat_engine.core.exact import Integers
from cat_engine.core.exposure_counts import CERTAIN_TEN_THOUSANDTHS, CountingRule, Counts, drawn
from cat_engine.core.exposure_draws import PER_MILLE
from cat_engine.core.families import ANY, About
from cat_engine.core.pool import Pool
from cat_engine.core.views import SectionView


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rate at which an item is out; until `minimum_sittings` have begun it is taken of that number.

    Counts fade over `memory_sittings` (0: never). `cuts_millionths` stays empty: the cap is one for all
    abilities.
    """

    rate_per_mille: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 250
    minimum_sittings: Annotated[int, msgspec.Meta(ge=1)] = 20
    memory_sittings: Annotated[int, msgspec.Meta(ge=0)] = 0
    cuts_millionths: Annotated[tuple[int, ...], msgspec.Meta(max_length=0)] = ()


def live_cap(
    view: SectionView, exposure: ExposureRead | None, *, settings: Settings
) -> NDArray[np.bool_] | None:
    """The items below the cap when the sitting began; all of them where nothing was read."""
    del settings
    return drawn(view.pool, view.chance.seed, exposure, 0)


def probabilities(counts: Counts, pool: Pool, settings: Settings) -> Integers:
    """1 below the cap, 0 at it: seen_i < r_max max(begun, minimum)."""
    del pool
    limit = settings.rate_per_mille / PER_MILLE * max(counts.begun, settings.minimum_sittings)
    return np.where(counts.seen < limit, CERTAIN_TEN_THOUSANDTHS, 0).astype(np.int64)[None, :]


RULE = CountingRule(
    "live_cap",
    Settings,
    live_cap,
    About(
        formula="item i is out while seen_i / begun >= r_max",
        source="Revuelta & Ponsoda (1998), the restricted method",
        use="A hard limit for people who come one after another; with the progressive selection rule, the "
        "progressive-restricted method. Those who begin together read one count: item_eligibility then.",
    ),
    ANY,
    probabilities=probabilities,
)
