"""What the rules of a family are given, and what they give back."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from cat_engine.core.chance import Chance
from cat_engine.core.exact import THETA_UNIT, UNIT, WEIGHT_BITS, Floats, Integers, decay
from cat_engine.core.pool import Pool
from cat_engine.core.tables import NODES_MILLIONTHS

WEIGHT_UNIT = float(1 << 40)


@dataclass(frozen=True)
class Estimate:
    """Ability and its standard error, in millionths of the theta metric."""

    theta_millionths: int
    standard_error_millionths: int


@dataclass(frozen=True)
class Start:
    """Where a section begins: the normal prior, the ability aimed at before the first answer, and items that
    are asked first, in this order (columns of the pool).
    """

    prior: Estimate
    theta_millionths: int
    first_items: tuple[int, ...] = ()


def section_prior(pool: Pool) -> Estimate:
    """The section's own normal prior."""
    section = pool.section
    return Estimate(millionths(section.prior_mean), millionths(section.prior_deviation))


@lru_cache(maxsize=4096)
def log_prior(mean_millionths: int, deviation_millionths: int) -> Integers:
    """ln of the normal density on the nodes up to a constant, in billionths."""
    z = (NODES_MILLIONTHS - mean_millionths) / deviation_millionths
    values: Integers = np.rint(-0.5 * z * z * UNIT).astype(np.int64)
    values.setflags(write=False)
    return values


@dataclass(frozen=True)
class Evidence:
    """The responses of one section (columns of the pool, categories) and the prior that they update."""

    pool: Pool
    answered: tuple[int, ...]
    categories: tuple[int, ...]
    prior: Estimate

    @cached_property
    def log_likelihood(self) -> Integers:
        """ln L on the nodes, in billionths."""
        if not self.answered:
            return np.zeros(NODES_MILLIONTHS.size, dtype=np.int64)
        total: Integers = self.pool.log_probability[list(self.answered), list(self.categories)].sum(axis=0)
        return total

    @cached_property
    def log_posterior(self) -> Integers:
        """ln of likelihood times prior on the nodes, in billionths, up to a constant."""
        prior = log_prior(self.prior.theta_millionths, self.prior.standard_error_millionths)
        return prior + self.log_likelihood if self.answered else prior

    @cached_property
    def weights(self) -> Integers:
        """The posterior on the nodes, its highest value being 2**40."""
        return _weights(self.log_posterior)

    @cached_property
    def shares(self) -> Floats:
        """The posterior on the nodes as whole numbers that sum to at most 2**20 (see `exact.ExactTable`)."""
        return _shares(self.weights)

    @cached_property
    def likelihood_shares(self) -> Floats:
        """The likelihood alone, in the same way."""
        return _shares(_weights(self.log_likelihood))


def _weights(log_density: Integers) -> Integers:
    return np.rint(decay(log_density.max() - log_density) * WEIGHT_UNIT).astype(np.int64)


def _shares(weights: Integers) -> Floats:
    return np.asarray(np.floor(weights / weights.sum() * float(1 << WEIGHT_BITS)), dtype=np.float64)


Estimator = Callable[[Evidence], Estimate]


@dataclass(frozen=True)
class SectionView:
    """One section so far, as the rules see it.

    `shown` counts the items shown, `time_used_ms` is the sitting's, `response_times_ms` go with `answered`.
    `assembled` are the columns of the shadow test that chose the last item, where there is one.
    """

    evidence: Evidence
    start: Start
    estimate: Estimate
    chance: Chance
    shown: int = 0
    estimator: Estimator | None = None
    response_times_ms: tuple[int, ...] = ()
    time_used_ms: int = 0
    assembled: tuple[int, ...] = ()

    @property
    def pool(self) -> Pool:
        """The section's items as columns."""
        return self.evidence.pool

    @property
    def answered(self) -> tuple[int, ...]:
        """Columns of the items answered, in their order."""
        return self.evidence.answered

    @property
    def categories(self) -> tuple[int, ...]:
        """The category of each answer."""
        return self.evidence.categories

    @cached_property
    def estimate_before(self) -> Estimate | None:
        """The estimate that stood before the last answer; None before the second."""
        if self.estimator is None or len(self.answered) < 2:
            return None
        held = self.evidence
        return self.estimator(Evidence(held.pool, held.answered[:-1], held.categories[:-1], held.prior))


@dataclass(frozen=True)
class Choice:
    """The item taken (a column of the pool): number `drawn` (from 0) of the `considered` best."""

    index: int
    considered: int
    drawn: int


Utility = Integers
"""One integer per item of the pool; higher is better. The engine masks, rules never see a mask."""


@dataclass(frozen=True)
class Eligible:
    """The items that may come next (columns of the pool), and their utility with what content adds to it.

    `area` is the blueprint line that is due; `relaxed` names lines that could not be kept; `assembled` are
    the columns of the shadow test.
    """

    indices: Integers
    utility: Utility
    area: str = ""
    relaxed: tuple[str, ...] = ()
    assembled: tuple[int, ...] = ()


def millionths(value: float) -> int:
    """A theta as the engine carries it."""
    return round(value * THETA_UNIT)
