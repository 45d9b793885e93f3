"""Who is simulated: how able, how fast. Person number i of a population is the same in any order."""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import numpy as np
from scipy.special import ndtri

from cat_engine.core.compiled import CompiledPackage, CompiledSection
from cat_engine.core.exact import Floats
from cat_engine.core.matrices import prior_covariance
from cat_engine.core.simulation.people import person_key, uniform
from cat_engine.core.simulation.truth import Ability

_ABILITY, _SPEED = 101, 102  # purposes of a person's own draws; 101 + 2 k of dimension k
MOST_CANDIDATES = 10_000_000


class Points(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="points"):
    """The same number of people at each of some abilities: what conditional bias and error are read from."""

    thetas: tuple[float, ...]
    replications: int

    @property
    def size(self) -> int:
        """Number of people."""
        return len(self.thetas) * self.replications


class Normal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="normal"):
    """Drawn from a normal distribution; without a mean and a deviation from each section's own prior."""

    candidates: int
    mean: float | None = None
    deviation: float | None = None

    @property
    def size(self) -> int:
        """Number of people."""
        return self.candidates


class Uniform(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="uniform"):
    """Drawn evenly from an interval."""

    candidates: int
    lower: float = -3.0
    upper: float = 3.0

    @property
    def size(self) -> int:
        """Number of people."""
        return self.candidates


class Listed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="listed"):
    """Given one by one."""

    thetas: tuple[float, ...]

    @property
    def size(self) -> int:
        """Number of people."""
        return len(self.thetas)


Population: TypeAlias = Points | Normal | Uniform | Listed


class Speed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people differ in speed, ln seconds: tau ~ N(0, deviation^2), correlated with ability (van der
    Linden, 2007).
    """

    deviation: float = 0.0
    correlation: float = 0.0


def population_problem(population: Population, speed: Speed) -> str:
    """What is wrong with a population, in words, or ""."""
    numbers: Sequence[float | None] = ()
    match population:
        case Points(thetas=thetas) | Listed(thetas=thetas):
            numbers = thetas
        case Normal(mean=mean, deviation=deviation):
            numbers = (mean, deviation)
            if (mean is None) != (deviation is None) or (deviation is not None and deviation <= 0):
                return "a normal population has a mean and a positive deviation, or neither"
        case Uniform(lower=lower, upper=upper):
            numbers = (lower, upper)
            if lower >= upper:
                return "the interval is empty"
    if any(number is not None and not np.isfinite(number) for number in numbers):
        return "an ability is not finite"
    if not 1 <= population.size <= MOST_CANDIDATES:
        return f"{population.size} candidates: at least 1 and at most {MOST_CANDIDATES} can be simulated"
    if speed.deviation < 0 or not -1 <= speed.correlation <= 1:
        return "the deviation of speed is not negative and its correlation lies between -1 and 1"
    return ""


class Candidate(msgspec.Struct, frozen=True):
    """One simulated person: the key of all draws, the ability in each section, the speed."""

    number: int
    key: int
    thetas: tuple[Ability, ...]
    composites: tuple[float, ...]  # the ability that each section reports; the ability itself where it is one
    speed: float


def candidate(
    compiled: CompiledPackage, population: Population, speed: Speed, *, seed: str, number: int
) -> Candidate:
    """Person number `number` (from 0)."""
    key = person_key(f"{seed}|{number}")
    z = float(ndtri(uniform(key, 0, _ABILITY)))
    other = float(ndtri(uniform(key, 0, _SPEED)))
    thetas = tuple(_ability(part, population, key, number, z) for part in compiled.sections)
    tau = speed.correlation * z + (1.0 - speed.correlation**2) ** 0.5 * other
    return Candidate(
        number,
        key,
        thetas,
        tuple(_composite(part, theta) for part, theta in zip(compiled.sections, thetas, strict=True)),
        speed.deviation * tau,
    )


def _ability(part: CompiledSection, population: Population, key: int, number: int, z: float) -> Ability:
    section = part.section
    match population:
        case Points(thetas=points):
            value = points[number % len(points)]
        case Listed(thetas=listed):
            value = listed[number]
        case Uniform(lower=lower, upper=upper):
            value = lower + (upper - lower) * uniform(key, 0, _ABILITY)
        case Normal(mean=None):
            if section.dimensions:
                return _several(part, key, z)
            value = section.prior_mean + section.prior_deviation * z
        case Normal(mean=mean, deviation=deviation):
            value = (mean or 0.0) + (deviation or 1.0) * z
    return (value,) * len(section.dimensions) if section.dimensions else value


def _several(part: CompiledSection, key: int, z: float) -> tuple[float, ...]:
    """Abilities drawn from the correlated prior of a section of several."""
    dimensions = part.section.dimensions
    own: Floats = np.array(
        [z, *(float(ndtri(uniform(key, 0, _ABILITY + 2 * k))) for k in range(1, len(dimensions)))]
    )
    root = np.linalg.cholesky(np.array(prior_covariance(part.section), dtype=np.float64))
    means = np.array([dimension.mean for dimension in dimensions])
    return tuple(float(value) for value in means + root @ own)


def _composite(part: CompiledSection, theta: Ability) -> float:
    if not isinstance(theta, tuple):
        return theta
    weights = [dimension.per_mille for dimension in part.section.dimensions]
    return sum(weight * value for weight, value in zip(weights, theta, strict=True)) / 1000
