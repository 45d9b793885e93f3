"""Normal priors of several, correlated abilities, and product grids of ability points.

Grids against a prior are laid out in its own axes: theta = mean + L z with L L' the covariance, a rule for
the standard normal in each z. So a high correlation costs no precision, and for uncorrelated abilities the
grid is the plain product of one grid for each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, frozen_copy
from psychometrics.estimation.grids import STANDARD_NORMAL, equally_spaced, trapezoid_grid

MAXIMUM_POINTS = 2_000_000
"""A product grid larger than this is a mistake in its count, not a wish."""

COUNT_OF_DIMENSIONS = {1: 161, 2: 61, 3: 41}
"""Points in each axis of the default grid; with more dimensions the count must be named."""


@dataclass(frozen=True, slots=True, eq=False)
class MultivariateNormalPrior:
    """Abilities are normal with mean (K,) and covariance (K, K), checked to be positive definite."""

    mean: FloatArray
    covariance: FloatArray

    def __post_init__(self) -> None:
        mean, covariance = frozen_copy(self.mean), frozen_copy(self.covariance)
        if mean.ndim != 1 or mean.size == 0 or covariance.shape != (mean.size, mean.size):
            raise ValueError(f"mean {mean.shape} and covariance {covariance.shape} do not belong together")
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise ValueError("the prior's mean and covariance must be finite")
        if not np.array_equal(covariance, covariance.T):
            raise ValueError("the prior's covariance is not symmetric")
        deviation = np.sqrt(np.maximum(np.diag(covariance), 0.0))
        if not (deviation > 0).all():
            raise ValueError("the prior's covariance is not positive definite: a variance is not positive")
        if np.linalg.eigvalsh(covariance / np.outer(deviation, deviation))[0] <= 1e-10:
            raise ValueError("the prior's covariance is not positive definite")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", covariance)

    @property
    def dimensions(self) -> int:
        """Number K of abilities."""
        return int(self.mean.size)

    @property
    def precision(self) -> FloatArray:
        """Inverse of the covariance, (K, K)."""
        inverse = np.linalg.inv(self.covariance)
        return np.asarray(0.5 * (inverse + inverse.T), dtype=np.float64)

    @property
    def root(self) -> FloatArray:
        """The lower triangular L with L L' = covariance."""
        return np.asarray(np.linalg.cholesky(self.covariance), dtype=np.float64)


def correlated_prior(mean: ArrayLike, sd: ArrayLike, correlation: ArrayLike) -> MultivariateNormalPrior:
    """The normal prior with these means (K,), standard deviations (K,) and correlations (K, K)."""
    deviation, table = np.asarray(sd, dtype=np.float64), np.asarray(correlation, dtype=np.float64)
    if deviation.ndim != 1 or table.shape != (deviation.size, deviation.size):
        raise ValueError(f"sd {deviation.shape} and correlation {table.shape} do not belong together")
    if not (np.isfinite(deviation).all() and (deviation > 0).all()):
        raise ValueError("a standard deviation is not positive and finite")
    if not (np.diag(table) == 1).all():
        raise ValueError("the correlation of an ability with itself is not 1")
    return MultivariateNormalPrior(np.asarray(mean), table * np.outer(deviation, deviation))


@dataclass(frozen=True, slots=True, eq=False)
class ProductGrid:
    """Ability points (Q, K) and the mass given to each (Q,), summing to 1; `shape` counts points by axis."""

    nodes: FloatArray
    weights: FloatArray
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        nodes, weights = frozen_copy(self.nodes), np.array(self.weights, dtype=np.float64)
        if nodes.ndim != 2 or weights.shape != (nodes.shape[0],):
            raise ValueError(f"nodes {nodes.shape} and weights {weights.shape} do not belong together")
        if int(np.prod(self.shape)) != nodes.shape[0] or len(self.shape) != nodes.shape[1]:
            raise ValueError(f"the shape {self.shape} is not that of {nodes.shape[0]} points")
        if not (np.isfinite(nodes).all() and np.isfinite(weights).all()):
            raise ValueError("nodes and weights must be finite")
        if not ((weights >= 0).all() and weights.sum() > 0):
            raise ValueError("weights must not be negative, and have a positive sum")
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "weights", frozen_copy(weights / weights.sum()))


def normal_grid(
    prior: MultivariateNormalPrior, *, reach: float = 6.0, count: int | None = None
) -> ProductGrid:
    """Trapezoid rule in each axis of the prior, `reach` standard deviations to either side.

    Its error is about exp(-2 (pi s / h)^2) for a posterior whose narrowest deviation is s prior deviations,
    with h = 2 reach / (count - 1) the step: with the default counts h is 0.075, 0.2 and 0.3 for one, two and
    three dimensions. Below s = h the count should be raised.
    """
    points = _count(prior.dimensions, count)
    axis = trapezoid_grid(STANDARD_NORMAL, lower=-reach, upper=reach, count=points)
    return _along_axes(prior, axis.nodes, axis.weights)


def gauss_hermite_grid(prior: MultivariateNormalPrior, count: int) -> ProductGrid:
    """Gauss-Hermite rule in each axis of the prior: exact for polynomials up to degree 2 count - 1.

    Best for few responses; a posterior much narrower than the prior falls between its wide nodes.
    """
    if count < 2:
        raise ValueError(f"no rule of {count} points")
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return _along_axes(prior, np.asarray(nodes), np.asarray(weights))


def uniform_grid(lower: float, upper: float, count: int, dimensions: int) -> ProductGrid:
    """Equally spaced points with equal weights on a cube: the likelihood alone, without a prior."""
    axis = equally_spaced(lower, upper, count)
    nodes = _product(axis, dimensions)
    return ProductGrid(nodes, np.ones(nodes.shape[0]), (count,) * dimensions)


def _count(dimensions: int, count: int | None) -> int:
    if count is None and dimensions not in COUNT_OF_DIMENSIONS:
        raise ValueError(f"name the count of points for {dimensions} dimensions")
    return COUNT_OF_DIMENSIONS[dimensions] if count is None else count


def _along_axes(prior: MultivariateNormalPrior, axis: FloatArray, weights: FloatArray) -> ProductGrid:
    K = prior.dimensions
    z, root = _product(axis, K), prior.root
    nodes = np.stack(
        [prior.mean[k] + sum(z[:, j] * root[k, j] for j in range(k + 1)) for k in range(K)], axis=1
    )
    mass = _product(weights, K).prod(axis=1)
    return ProductGrid(nodes, mass, (axis.size,) * K)


def _product(axis: FloatArray, dimensions: int) -> FloatArray:
    """All combinations of the axis with itself, (count^K, K), the last dimension moving fastest."""
    if dimensions < 1 or axis.size**dimensions > MAXIMUM_POINTS:
        raise ValueError(f"no product grid of {axis.size} points in each of {dimensions} dimensions")
    mesh = np.meshgrid(*([axis] * dimensions), indexing="ij")
    return np.stack([part.ravel() for part in mesh], axis=1)
