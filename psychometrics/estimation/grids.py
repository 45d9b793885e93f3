"""Priors, and grids of ability points with the weights of a prior on them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, frozen_copy, refuse_nonpositive_sd


@dataclass(frozen=True, slots=True)
class NormalPrior:
    """Ability is normal with this mean and standard deviation before the first response."""

    mean: float = 0.0
    sd: float = 1.0

    def __post_init__(self) -> None:
        if not np.isfinite(self.mean):
            raise ValueError(f"prior mean must be finite, not {self.mean}")
        refuse_nonpositive_sd(self.sd, "prior sd")


STANDARD_NORMAL = NormalPrior()

TRUNCATED_COUNT = 321
"""Nodes of a truncated prior unless stated otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Ability points (q,), rising, and the prior mass given to each, summing to 1. Both read-only."""

    nodes: FloatArray
    weights: FloatArray

    def __post_init__(self) -> None:
        nodes, weights = frozen_copy(self.nodes), np.array(self.weights, dtype=np.float64)
        if nodes.ndim != 1 or nodes.size < 2 or weights.shape != nodes.shape:
            raise ValueError(f"nodes {nodes.shape} and weights {weights.shape} must share one axis")
        if not (np.isfinite(nodes).all() and (np.diff(nodes) > 0).all()):
            raise ValueError("nodes must be finite and rise")
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
            raise ValueError("weights must be finite and not negative, with a positive sum")
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "weights", frozen_copy(weights / weights.sum()))


def equally_spaced(lower: float, upper: float, count: int) -> FloatArray:
    """`count` points from `lower` to `upper`, both included."""
    if not (np.isfinite(lower) and np.isfinite(upper) and lower < upper and count >= 2):
        raise ValueError(f"no grid of {count} points from {lower} to {upper}")
    return np.linspace(lower, upper, count, dtype=np.float64)


def trapezoid_grid(prior: NormalPrior, *, lower: float, upper: float, count: int) -> Grid:
    """Trapezoid rule for integrals against the prior, cut off at the two ends."""
    nodes = equally_spaced(lower, upper, count)
    weights = normal_density(nodes, prior)
    weights[[0, -1]] /= 2.0
    return Grid(nodes, weights)


def density_grid(nodes: ArrayLike, density: ArrayLike) -> Grid:
    """Trapezoid rule for any prior given by its density at rising nodes (q,), which may be unevenly spaced.

    The density need not integrate to 1; it is refused where it is negative, not finite, or zero everywhere.
    """
    points, height = np.asarray(nodes, dtype=np.float64), np.asarray(density, dtype=np.float64)
    if points.ndim != 1 or points.size < 2 or height.shape != points.shape:
        raise ValueError(f"nodes {points.shape} and density {height.shape} must share one axis")
    width = np.diff(points, prepend=points[0]) + np.diff(points, append=points[-1])
    return Grid(points, height * width)


def uniform_grid(*, lower: float, upper: float, count: int) -> Grid:
    """Trapezoid rule for a prior that is the same everywhere between the ends and zero beyond."""
    nodes = equally_spaced(lower, upper, count)
    return density_grid(nodes, np.ones_like(nodes))


def truncated_normal_grid(
    prior: NormalPrior, *, lower: float, upper: float, count: int = TRUNCATED_COUNT
) -> Grid:
    """A normal prior of which only the part between the ends remains: no estimate leaves them.

    The cut makes the integrand end abruptly, where the plain trapezoid rule is poor; the weights next to the
    ends carry Gregory's correction up to second differences, so that the error falls with the step's fourth
    power.
    """
    if count < 8:
        raise ValueError(f"a truncated prior needs at least 8 nodes, not {count}")
    nodes, weights = equally_spaced(lower, upper, count), np.ones(count)
    ends = np.array([3.0 / 8.0, 7.0 / 6.0, 23.0 / 24.0])
    weights[:3], weights[-3:] = ends, ends[::-1]
    return Grid(nodes, weights * normal_density(nodes, prior))


def converged_grid(prior: NormalPrior = STANDARD_NORMAL) -> Grid:
    """161 points over eight standard deviations to either side: posterior means good to about 1e-8.

    The trapezoid rule converges exponentially for smooth densities that vanish at both ends, so a step of a
    tenth of the prior's deviation is enough until the posterior is ten times narrower than the prior.
    """
    reach = 8.0 * prior.sd
    return trapezoid_grid(prior, lower=prior.mean - reach, upper=prior.mean + reach, count=161)


def catr_grid(prior: NormalPrior = STANDARD_NORMAL) -> Grid:
    """33 points on [-4, 4], the quadrature of the R package catR: kept to compare with it, not converged.

    It differs from the converged value by 0.01 to 0.06 beyond |theta| = 2.3, and by more where the posterior
    reaches past 4.
    """
    return trapezoid_grid(prior, lower=-4.0, upper=4.0, count=33)


def normal_density(theta: ArrayLike, prior: NormalPrior) -> FloatArray:
    """Density of the prior at theta."""
    z = (np.asarray(theta, dtype=np.float64) - prior.mean) / prior.sd
    return np.asarray(np.exp(-0.5 * z * z) / (prior.sd * np.sqrt(2.0 * np.pi)), dtype=np.float64)
