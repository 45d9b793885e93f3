"""Exposure parameters found by simulation: Sympson and Hetter's, and those by ability of Stocking and Lewis.

The parameters k make administered = selected x k keep the limit, but they change which items are selected:
simulate, adjust, simulate again, until the highest rate is near enough. Because an item's number is drawn
once for a whole sitting (`exposure_draws`), a parameter is at the same time the probability of being
eligible: the tables also serve item eligibility as its `start`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from cat_engine.core.compiled import CompiledSection
from cat_engine.core.exact import THETA_UNIT, Floats, Integers
from cat_engine.core.exposure_draws import PER_MILLE, refuse_unordered
from cat_engine.core.exposure_simulation import ManySittings, Rates
from cat_engine.core.pool import Pool

SETTLING_AFTER = 5
"""From this simulation on parameters only fall. Adjusting in both directions keeps on swinging (van der
Linden, 2003); by then they are near enough for one direction to do."""
NEWEST = 0.3
"""Weight of the newest simulation in the rates known while settling: the rest remember the earlier ones, so
that the limit is not chased through the chances of a single simulation."""
OUTER_WIDTH = 1.5
"""How far, in prior deviations, the abilities simulated for the lowest and the highest segment reach out."""

Simulation = Callable[[Integers, tuple[int, ...], Floats, int], Rates]
"""(parameters (segments, n), cuts, abilities (groups, candidates), number) -> rates; `ManySittings.rates`."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The limit to the exposure rate, and how it is looked for."""

    rate_per_mille: int = 250
    tolerance_per_mille: int = 10
    candidates: int = 4_000  # of each ability segment
    simulations: int = 40  # at most
    seed: str = "exposure"


@dataclass(frozen=True, eq=False)
class ExposureParameters:
    """Parameters in thousandths and the rates known at the end, (segments, n); `highest` is the highest rate
    after each simulation.
    """

    parameters: Integers
    rates: Floats
    highest: tuple[float, ...]
    converged: bool

    def by_code(self, pool: Pool) -> tuple[dict[str, int], ...]:
        """A table for each segment as settings take it: items below 1000 by their code."""
        return tuple(
            {item.code: int(k) for item, k in zip(pool.items, segment, strict=True) if k < PER_MILLE}
            for segment in self.parameters
        )


def sympson_hetter_parameters(
    part: CompiledSection, wanted: Wanted, *, length: int | None = None, simulate: Simulation | None = None
) -> ExposureParameters:
    """Parameters that keep the rates of a population with the section's prior at the limit.

    After each simulation k_i = min(1, r_max / P(S_i)) (Sympson & Hetter, 1985). The abilities are the
    population's quantiles. `length` is the section's most items where it is not given. Refuses a limit below
    length / n, which no parameters can keep.
    """
    section = part.section
    quantile = NormalDist(section.prior_mean, section.prior_deviation).inv_cdf
    abilities = [quantile((place + 0.5) / wanted.candidates) for place in range(wanted.candidates)]
    return _found(part, wanted, (), np.array([abilities]), length, simulate)


def stocking_lewis_parameters(
    part: CompiledSection,
    wanted: Wanted,
    cuts_millionths: tuple[int, ...],
    *,
    length: int | None = None,
    simulate: Simulation | None = None,
) -> ExposureParameters:
    """Parameters by ability segment that keep the rate among candidates of each segment at the limit.

    The abilities of a segment are spread evenly over it. A table is adjusted by what its own candidates saw,
    though their estimates stray into other segments (Stocking & Lewis, 1998). Refuses as above, and cut
    points that do not rise.
    """
    refuse_unordered(cuts_millionths)
    section = part.section
    reach = OUTER_WIDTH * section.prior_deviation
    cuts = [cut / THETA_UNIT for cut in cuts_millionths] or [section.prior_mean]
    borders = (
        [cuts[0] - reach, *cuts, cuts[-1] + reach] if cuts_millionths else [cuts[0] - reach, cuts[0] + reach]
    )
    places = (np.arange(wanted.candidates) + 0.5) / wanted.candidates
    abilities = [low + (high - low) * places for low, high in pairwise(borders)]
    return _found(part, wanted, cuts_millionths, np.array(abilities), length, simulate)


def _found(
    part: CompiledSection,
    wanted: Wanted,
    cuts: tuple[int, ...],
    abilities: Floats,
    length: int | None,
    simulate: Simulation | None,
) -> ExposureParameters:
    items = part.most_items if length is None else length
    limit, n = wanted.rate_per_mille / PER_MILLE, part.pool.size
    if limit * n < items:
        raise ValueError(f"{items} of {n} items cannot all keep a rate of {limit}")
    run = simulate or ManySittings(part, length=items, seed=wanted.seed).rates
    parameters: Integers = np.full((abilities.shape[0], n), PER_MILLE, dtype=np.int64)
    known = np.zeros((abilities.shape[0], n))
    highest: list[float] = []
    for number in range(1, wanted.simulations + 1):
        rates = run(parameters, cuts, abilities, number)
        settling = number > SETTLING_AFTER
        known = (1.0 - NEWEST) * known + NEWEST * rates.administered if settling else rates.administered
        highest.append(float(known.max()))
        if highest[-1] <= limit + wanted.tolerance_per_mille / PER_MILLE:
            return ExposureParameters(parameters, known, tuple(highest), True)
        if number < wanted.simulations:
            before = parameters
            parameters = _lowered(before, known, limit) if settling else _adjusted(rates, limit)
            known = known * parameters / before if settling else known
    return ExposureParameters(parameters, known, tuple(highest), False)


def _adjusted(rates: Rates, limit: float) -> Integers:
    """r_max / P(S), at most 1, in thousandths and at least one of them."""
    selected = np.maximum(rates.selected, limit)
    return np.maximum(np.floor(PER_MILLE * limit / selected), 1).astype(np.int64)


def _lowered(parameters: Integers, known: Floats, limit: float) -> Integers:
    """Lowered in proportion for the items above the limit alone."""
    return np.maximum(np.floor(parameters / np.maximum(known / limit, 1.0)), 1).astype(np.int64)
