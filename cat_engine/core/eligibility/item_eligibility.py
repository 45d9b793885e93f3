"""Item eligibility: each sitting may see an item with a probability that keeps its exposure at the limit."""

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from cat_engine.core.events import ExposureRead
from cat_engine.core.exact import Integers
from cat_engine.core.exposure_counts import (
    CountingRule,
    Counts,
    drawn,
    eligible_shares,
    segment_of,
)
from cat_engine.core.exposure_draws import PER_MILLE, ByCode, column, refuse_unordered, unknown_code
from cat_engine.core.families import ANY, About
from cat_engine.core.pool import Pool
from cat_engine.core.test_package import PoolItem, Section
from cat_engine.core.views import SectionView


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The highest exposure rate, at every ability segment where `cuts_millionths` are given.

    Counts fade over `memory_sittings` (0: never). An item that was seen too often, or too seldom, is brought
    back to its limit within about `horizon_sittings` (0: the literature's rule, which only dilutes). `start`
    are eligibility probabilities in thousandths by item code, a table for each segment, that a simulation
    gave; they weigh as much as `start_sittings` sittings, so that people who begin together before anything
    is counted do not all see the same items.
    """

    rate_per_mille: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 250
    cuts_millionths: tuple[int, ...] = ()
    memory_sittings: Annotated[int, msgspec.Meta(ge=0)] = 0
    horizon_sittings: Annotated[int, msgspec.Meta(ge=0)] = 200
    start: tuple[ByCode, ...] = ()
    start_sittings: Annotated[int, msgspec.Meta(ge=0)] = 100

    def __post_init__(self) -> None:
        """Segments and tables go together."""
        refuse_unordered(self.cuts_millionths)
        if self.start and len(self.start) != len(self.cuts_millionths) + 1:
            raise ValueError(f"{len(self.cuts_millionths) + 1} segments, {len(self.start)} tables")


def item_eligibility(
    view: SectionView, exposure: ExposureRead | None, *, settings: Settings
) -> NDArray[np.bool_] | None:
    """The items drawn for this sitting in the segment of the estimate; all of them where nothing was read."""
    segment = segment_of(settings.cuts_millionths, view.estimate.theta_millionths)
    return drawn(view.pool, view.chance.seed, exposure, segment)


def probabilities(counts: Counts, pool: Pool, settings: Settings) -> Integers:
    """P(E_i) = min(1, t_i e_i / a_i): e sittings had the item eligible, a of them saw it.

    t_i is the rate to aim at: r_max + (r_max v - a_i) / h, which makes good in h sittings what v sittings are
    above or below the limit. A start probability p < 1 counts as `start_sittings` with p of them eligible and
    r_max of them seeing the item.
    """
    rate = settings.rate_per_mille / PER_MILLE
    administered, eligible = counts.administered, counts.eligible
    target = np.full_like(administered, rate)
    if settings.horizon_sittings:
        target += (rate * counts.visited[:, None] - administered) / settings.horizon_sittings
    if settings.start:
        p = np.stack([column(pool, table, PER_MILLE) for table in settings.start]) / PER_MILLE
        weight = np.where(p < 1.0, settings.start_sittings, 0)
        administered = administered + weight * rate
        eligible = eligible + weight * p
    return eligible_shares(target * eligible, administered)


def _problem(settings: Settings, _section: Section, items: tuple[PoolItem, ...]) -> str:
    return unknown_code(iter(settings.start), items)


RULE = CountingRule(
    "item_eligibility",
    Settings,
    item_eligibility,
    About(
        formula="P(E_i) = min(1, t_i e_i / a_i), t_i = r_max + (r_max v - a_i) / h\n"
        "of v sittings a_i saw item i and e_i might have; h is the horizon",
        source="van der Linden & Veldkamp (2004, 2007); the horizon h is ours",
        use="The usual limit for a live pool: no simulation is needed, and the rates hold for whoever comes.",
    ),
    ANY,
    problem=_problem,
    probabilities=probabilities,
)
