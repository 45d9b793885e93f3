"""What the rules of a family are given, and what they give back."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.chance import Chance
from cat_engine.core.exact import THETA_UNIT, UNIT, WEIGHT_BITS, Floats, Integers, decay, round_ratio
from cat_engine.core.matrices import prior_covariance
from cat_engine.core.pool import Pool
from cat_engine.core.space import SpatialPool
from cat_engine.core.tables import NODES_MILLIONTHS

WEIGHT_UNIT = float(1 << 40)


@dataclass(frozen=True)
class Estimate:
    """Ability and its standard error, in millionths of the theta metric.

    Of several abilities: the composite that is reported, and each of them with its own error.
    """

    theta_millionths: int
    standard_error_millionths: int
    thetas_millionths: tuple[int, ...] = ()
    errors_millionths: tuple[int, ...] = ()


@dataclass(frozen=True)
class Start:
    """Where a section begins: the normal prior, the ability aimed at before the first answer, and items that
    are asked first, in this order (columns of the pool). `final_prior` is the prior of the final score where
    that is not the section's own.
    """

    prior: Estimate
    theta_millionths: int
    first_items: tuple[int, ...] = ()
    final_prior: Estimate | None = None


_priors: "WeakKeyDictionary[Pool, Estimate]" = WeakKeyDictionary()


def section_prior(pool: Pool) -> Estimate:
    """The section's own normal prior."""
    found = _priors.get(pool)
    if found is None:
        found = _priors[pool] = _section_prior(pool)
    return found


def _section_prior(pool: Pool) -> Estimate:
    section = pool.section
    if not section.dimensions:
        return Estimate(millionths(section.prior_mean), millionths(section.prior_deviation))
    means = tuple(millionths(dimension.mean) for dimension in section.dimensions)
    deviations = tuple(millionths(dimension.deviation) for dimension in section.dimensions)
    composite, variance = 0, 0.0
    covariance = prior_covariance(section)
    for one, dimension in enumerate(section.dimensions):
        composite += dimension.per_mille * means[one]
        for other, beside in enumerate(section.dimensions):
            variance += dimension.per_mille * beside.per_mille * covariance[one][other]
    return Estimate(
        round_ratio(composite, 1000), round(math.sqrt(variance) * THETA_UNIT / 1000), means, deviations
    )


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
        return self.pool.log_likelihood(self.answered, self.categories)

    @cached_property
    def log_posterior(self) -> Integers:
        """ln of likelihood times prior on the nodes, in billionths, up to a constant."""
        if isinstance(self.pool, SpatialPool):
            prior = self.pool.log_prior
        else:
            prior = log_prior(self.prior.theta_millionths, self.prior.standard_error_millionths)
        return prior + self.pool.log_likelihood(self.answered, self.categories) if self.answered else prior

    @cached_property
    def weights(self) -> Integers:
        """The posterior on the nodes, its highest value being 2**40."""
        return weights_of(self.log_posterior)

    @cached_property
    def shares(self) -> Floats:
        """The posterior on the nodes as whole numbers that sum to about 2**22 (see `exact.ExactTable`)."""
        return shares_of(self.weights)

    @cached_property
    def likelihood_shares(self) -> Floats:
        """The likelihood alone, in the same way."""
        return shares_of(weights_of(self.log_likelihood))


def weights_of(log_density: Integers) -> Integers:
    """A density given by its logarithm in billionths, (..., nodes), its highest value being 2**40."""
    weights = decay(log_density.max(axis=-1, keepdims=True) - log_density)
    weights *= WEIGHT_UNIT
    return np.rint(weights, out=weights).astype(np.int64)


def shares_of(weights: Integers) -> Floats:
    """Weights (..., nodes) as whole numbers that sum to about 2**22."""
    total = weights.sum(axis=-1, keepdims=True)
    return np.asarray(np.rint(weights / total * float(1 << WEIGHT_BITS)), dtype=np.float64)


Estimator = Callable[[Evidence], Estimate]


@dataclass(frozen=True)
class SectionView:
    """One section so far, as the rules see it.

    `shown` counts the items shown, `time_used_ms` is the sitting's, `response_times_ms` go with `answered`.
    `assembled` are the columns of the shadow test that chose the last item, where there is one. `free` masks
    the items that were not seen and are no enemies of any that was; `most_items` is the length at which the
    stopping rules end the section in any case.
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
    free: NDArray[np.bool_] | None = None
    most_items: int | None = None

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

    @property
    def items_left(self) -> int:
        """How many items can still come: up to the length allowed, or to the end of the pool."""
        limit = self.pool.size if self.most_items is None else self.most_items
        return max(limit - self.shown, 0)

    @property
    def unseen(self) -> NDArray[np.bool_]:
        """The free items, or where nobody said which are: those not answered."""
        if self.free is not None:
            return self.free
        unseen = np.ones(self.pool.size, dtype=np.bool_)
        unseen[list(self.answered)] = False
        return unseen

    @cached_property
    def as_scored(self) -> "SectionView":
        """The section under the prior of the final score, where the interim estimates have another one."""
        prior = self.start.final_prior or section_prior(self.pool)
        if prior == self.evidence.prior or self.estimator is None or not self.answered:
            return self
        evidence = Evidence(self.pool, self.answered, self.categories, prior)
        return replace(self, evidence=evidence, estimate=self.estimator(evidence))

    def estimate_after(self, answers: int) -> Estimate | None:
        """The estimate that stood after the first answers; None where there is no telling."""
        if answers == len(self.answered):
            return self.estimate
        if self.estimator is None or not 0 < answers < len(self.answered):
            return None
        held = self.evidence
        return self.estimator(
            Evidence(held.pool, held.answered[:answers], held.categories[:answers], held.prior)
        )

    @cached_property
    def estimate_before(self) -> Estimate | None:
        """The estimate that stood before the last answer; None before the second."""
        return self.estimate_after(len(self.answered) - 1)


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
