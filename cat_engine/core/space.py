"""Sections that measure two or three correlated abilities at once.

An item of a compensatory model is a function of one number, its composite z = a . theta. So the frozen tables
hold every item along z, and the log probabilities at the points of a product grid are read from them when the
package is made ready: by additions and multiplications only, hence the same everywhere. From there on
evidence, posterior and draws are those of one ability, over points instead of nodes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.exact import THETA_UNIT, UNIT, Floats, Integers
from cat_engine.core.matrices import Matrix, inverse, prior_covariance, quadratic
from cat_engine.core.pool import Pool
from cat_engine.core.tables import (
    GRID_LIMIT_MILLIONTHS,
    GRID_STEP_MILLIONTHS,
    NODE_LIMIT_MILLIONTHS,
    NODE_STEP_MILLIONTHS,
)

STEP_MILLIONTHS = {2: 250_000, 3: 500_000}
STEPS = {2: 18, 3: 8}
"""The grid of each ability: points `STEP_MILLIONTHS` apart, `STEPS` of them to either side of 0. With a
posterior half a step wide the trapezoid rule's moments are good to a hundredth of its deviation."""


@dataclass(frozen=True)
class SpatialPool(Pool):
    """A pool whose nodes are points of several abilities: log_probability is (n, categories, points).

    `along` is ln P along the composite (n, categories, nodes); `information` stays that of the composite.
    """

    along: Integers

    @property
    def dimensions(self) -> int:
        """Number K of abilities."""
        return len(self.section.dimensions)

    @cached_property
    def steps(self) -> Integers:
        """The points in steps of the grid, (K, points)."""
        return grid_steps(self.dimensions)

    @cached_property
    def slopes(self) -> Floats:
        """Slopes (K, n)."""
        return np.array([item.slopes for item in self.items], dtype=np.float64).T

    @cached_property
    def prior_precision(self) -> Matrix:
        """Inverse of the prior's covariance."""
        return inverse(prior_covariance(self.section))

    @cached_property
    def log_prior(self) -> Integers:
        """ln of the prior at the points up to a constant, in billionths."""
        unit = STEP_MILLIONTHS[self.dimensions] / THETA_UNIT
        means = [dimension.mean for dimension in self.section.dimensions]
        away = [self.steps[k] * unit - means[k] for k in range(self.dimensions)]
        return np.asarray(np.rint(-0.5 * UNIT * quadratic(self.prior_precision, away)), dtype=np.int64)

    def composites_at(self, thetas_millionths: tuple[int, ...]) -> Floats:
        """z = a . theta of each item, (n,)."""
        return _composites(self.slopes, [theta / THETA_UNIT for theta in thetas_millionths])

    def information_along(self, thetas_millionths: tuple[int, ...]) -> Floats:
        """Fisher information of each item about its composite at an ability vector, (n,)."""
        z = self.composites_at(thetas_millionths)
        rows = read_along(self.information.T[:, None, :], z, GRID_LIMIT_MILLIONTHS, GRID_STEP_MILLIONTHS)
        return np.maximum(rows[:, 0], 0.0) / UNIT

    def log_probability_along(self, thetas_millionths: tuple[int, ...]) -> Floats:
        """ln P of each category at an ability vector, (n, categories)."""
        z = self.composites_at(thetas_millionths)
        return np.minimum(read_along(self.along, z, NODE_LIMIT_MILLIONTHS, NODE_STEP_MILLIONTHS) / UNIT, 0.0)


def spatial_pool(pool: Pool) -> SpatialPool:
    """The pool of a section of several abilities, its log probabilities read off at every point."""
    section, n = pool.section, pool.size
    steps = grid_steps(len(section.dimensions))
    unit = STEP_MILLIONTHS[len(section.dimensions)] / THETA_UNIT
    slopes = np.array([item.slopes for item in pool.items], dtype=np.float64)
    at_points = np.empty((n, pool.log_probability.shape[1], steps.shape[1]), dtype=np.int64)
    for row in range(n):  # once per package: a whole-pool gather would hold four times the table
        z = _composites(slopes[row][:, None], [axis * unit for axis in steps])
        along = np.broadcast_to(pool.log_probability[row], (z.size, *pool.log_probability.shape[1:]))
        read = read_along(along, z, NODE_LIMIT_MILLIONTHS, NODE_STEP_MILLIONTHS)
        at_points[row] = np.minimum(np.rint(read), 0.0).T
    return SpatialPool(
        section=section,
        items=pool.items,
        log_probability=at_points,
        information=pool.information,
        ties=pool.ties,
        area=pool.area,
        along=pool.log_probability,
    )


def grid_steps(dimensions: int) -> Integers:
    """The points of the product grid in steps, (K, points), the last ability moving fastest."""
    axis = np.arange(-STEPS[dimensions], STEPS[dimensions] + 1, dtype=np.int64)
    return np.stack([part.ravel() for part in np.meshgrid(*([axis] * dimensions), indexing="ij")])


def read_along(table: NDArray[np.int64], z: Floats, limit: int, step: int) -> Floats:
    """Values of tables (r, categories, nodes) at z (r,), one place for each row: (r, categories).

    Between nodes by the cubic through the four nearest; beyond the last nodes on the straight line through
    them, as logarithms of probabilities run there.
    """
    place = (z * THETA_UNIT + limit) / step
    first = np.clip(np.floor(place).astype(np.int64) - 1, 0, table.shape[2] - 4)
    x = place - first
    rows = np.arange(z.size)
    at = [table[rows, :, first + offset].astype(np.float64) for offset in range(4)]
    weights = (
        -(x - 1.0) * (x - 2.0) * (x - 3.0) / 6.0,
        x * (x - 2.0) * (x - 3.0) / 2.0,
        -x * (x - 1.0) * (x - 3.0) / 2.0,
        x * (x - 1.0) * (x - 2.0) / 6.0,
    )
    total = weights[0][:, None] * at[0]
    for weight, value in zip(weights[1:], at[1:], strict=True):
        total = total + weight[:, None] * value
    below, above = (x < 0.0)[:, None], (x > 3.0)[:, None]
    total = np.where(below, at[0] + x[:, None] * (at[1] - at[0]), total)
    return np.where(above, at[3] + (x[:, None] - 3.0) * (at[3] - at[2]), total)


def _composites(slopes: Floats, thetas: list[Floats] | list[float]) -> Floats:
    """Sum over k of slopes[k] * thetas[k], added in the order of the abilities."""
    total = slopes[0] * thetas[0]
    for slope, theta in zip(slopes[1:], thetas[1:], strict=True):
        total = total + slope * theta
    return np.asarray(total, dtype=np.float64)
