"""Exposure and overlap together: a limit to what earlier candidates can tell."""

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from cat_engine.core.events import ExposureRead
from cat_engine.core.exact import Floats, Integers
from cat_engine.core.exposure_counts import CountingRule, Counts, drawn, eligible_shares
from cat_engine.core.exposure_draws import PER_MILLE
from cat_engine.core.families import ANY, About
from cat_engine.core.pool import Pool
from cat_engine.core.views import SectionView

_HALVINGS = 40


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No item is seen by more than `rate_per_mille` of the sittings, and of a candidate's items no more than
    `overlap_per_mille` were seen by anybody of a group of `group` earlier candidates, on average.

    `horizon_sittings` and `memory_sittings` as in item eligibility. `cuts_millionths` stays empty: those who
    tell and those who listen may be of any ability.
    """

    overlap_per_mille: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 150
    group: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    rate_per_mille: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 250
    horizon_sittings: Annotated[int, msgspec.Meta(ge=0)] = 200
    memory_sittings: Annotated[int, msgspec.Meta(ge=0)] = 0
    cuts_millionths: Annotated[tuple[int, ...], msgspec.Meta(max_length=0)] = ()


def overlap_control(
    view: SectionView, exposure: ExposureRead | None, *, settings: Settings
) -> NDArray[np.bool_] | None:
    """The items drawn for this sitting; all of them where nothing was read."""
    del settings
    return drawn(view.pool, view.chance.seed, exposure, 0)


def probabilities(counts: Counts, pool: Pool, settings: Settings) -> Integers:
    """P(E_i) = min(1, t_i e_i / a_i) with the highest common limit c <= r_max that keeps the overlap.

    The demand d_i = a_i / e_i is the rate of an item that were always eligible. Cut off at c, the rates
    x_i = min(d_i, c) give a mean share of known items, `general_overlap`, which rises with c.
    As in item eligibility t_i = c + (c v - a_i) / h.
    """
    del pool
    administered, eligible = counts.administered[0], counts.eligible[0]
    visited = float(counts.visited[0])
    demand = np.divide(administered, eligible, out=np.zeros_like(administered), where=eligible > 0)
    rates = np.minimum(administered / max(visited, 1.0), 1.0)
    limit = common_limit(demand, rates, visited, settings)
    target = np.full_like(administered, limit)
    if settings.horizon_sittings:
        target += (limit * visited - administered) / settings.horizon_sittings
    return eligible_shares(target * eligible, administered)[None, :]


def general_overlap(rates: Floats, group: int) -> float:
    """Mean share of a candidate's items that somebody of a group of others has seen; rates (n,).

    sum r (1 - (1 - r)^g) / sum r; for one other, sum r^2 / sum r (Chen, Ankenmann & Spray, 2003). 0 without
    any exposure.
    """
    length = float(rates.sum())
    return float((rates * (1.0 - (1.0 - rates) ** group)).sum()) / length if length else 0.0


def common_limit(demand: Floats, rates: Floats, visited: float, settings: Settings) -> float:
    """The highest rate c at which demands (n,) may be cut off so that the overlap is as wanted.

    Never below an even use of the pool, the mean of the present `rates`: it cannot be spread thinner. Demands
    rise while others are cut off; an overlap that lies above its limit for that after v sittings is made good
    in h, by wanting up to half of it less.
    """
    highest = settings.rate_per_mille / PER_MILLE
    wanted = settings.overlap_per_mille / PER_MILLE
    if settings.horizon_sittings:
        excess = max(general_overlap(rates, settings.group) - wanted, 0.0)
        wanted -= min(excess * visited / settings.horizon_sittings, wanted / 2)
    if general_overlap(np.minimum(demand, highest), settings.group) <= wanted:
        return highest
    low, high = min(highest, float(rates.mean())), highest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if general_overlap(np.minimum(demand, middle), settings.group) <= wanted:
            low = middle
        else:
            high = middle
    return low


RULE = CountingRule(
    "overlap_control",
    Settings,
    overlap_control,
    About(
        formula="item_eligibility with r_max = c, the highest limit <= r_max at which "
        "sum x_i (1 - (1 - x_i)^g) / sum x_i <= overlap, x_i = min(a_i / e_i, c)\n"
        "g is the size of the group of earlier candidates",
        source="Chang & Zhang (2002); Chen, Ankenmann & Spray (2003); Chen (2010); the common limit is ours",
        use="Where a leak is feared from those who sat the test before: an exposure rate says little of it.",
    ),
    ANY,
    probabilities=probabilities,
)
