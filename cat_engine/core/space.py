"""Sections that measure two or three correlated abilities at once.

An item of a compensatory model is a function of one number, its composite z = a . theta. So the frozen tables
hold every item along z, and the log probabilities of an answer at the points of a product grid are read from
them when it comes: by additions and multiplications only, hence the same everywhere. Evidence, posterior and
draws are those of one ability, over points instead of nodes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.exact import THETA_UNIT, UNIT, ExactTable, Floats, Integers, exact_table
from cat_engine.core.matrices import Matrix, inverse, prior_covariance, quadratic
from cat_engine.core.pool import Pool
from cat_engine.core.tables import (
    GRID_LIMIT_MILLIONTHS,
    GRID_STEP_MILLIONTHS,
    NODE_LIMIT_MILLIONTHS,
    NODE_STEP_MILLIONTHS,
)

STEP_PER_MILLE = {2: 125, 3: 250}
STEPS = {2: 40, 3: 16}
"""The grid of each ability: `STEPS` points to either side of the prior's mean, a part of its deviation apart.
The trapezoid rule's moments are good to 2 exp(-2 (pi s / h)^2) of a posterior's variance, h the step
and s its deviation: 0.1 % at s = 0.6 h, which is 0.075 and 0.15 prior deviations."""

COARSE = 2
"""Every second point of each axis is enough to rank items by what they tell apart."""

_REMEMBERED_BYTES = 1 << 26  # of likelihoods, for each pool


@dataclass(frozen=True, eq=False)
class SpatialPool(Pool):
    """A pool of several abilities: tables are along the composite, likelihoods over points."""

    @property
    def dimensions(self) -> int:
        """Number K of abilities."""
        return len(self.section.dimensions)

    @cached_property
    def steps(self) -> Integers:
        """The points in steps of the grid, (K, points)."""
        return grid_steps(self.dimensions)

    @property
    def point_count(self) -> int:
        """Number of points."""
        return int(self.steps[0].size)

    def log_likelihood(self, answered: tuple[int, ...], categories: tuple[int, ...]) -> Integers:
        """ln L of categories of the answered items (columns) at the points, in billionths, read-only."""
        if not answered:
            return np.zeros(self.point_count, dtype=np.int64)
        found = self._spatial_likelihoods.get((answered, categories))
        if found is None:
            before = self.log_likelihood(answered[:-1], categories[:-1])
            found = before + self._at_points(answered[-1], categories[-1])
            if len(self._spatial_likelihoods) * found.nbytes >= _REMEMBERED_BYTES:
                self._spatial_likelihoods.clear()
            found.setflags(write=False)
            self._spatial_likelihoods[answered, categories] = found
        return found

    @cached_property
    def _spatial_likelihoods(self) -> dict[tuple[tuple[int, ...], tuple[int, ...]], Integers]:
        return {}

    def _at_points(self, column: int, category: int) -> Integers:
        """ln P of one category of one item at every point, in billionths."""
        z = _composites(self.slopes[:, column, None], self.points)
        table = np.broadcast_to(self.log_probability[column, category], (z.size, 1, self._nodes))
        read = read_along(table, z, NODE_LIMIT_MILLIONTHS, NODE_STEP_MILLIONTHS)[:, 0]
        return np.asarray(np.minimum(np.rint(read), 0.0), dtype=np.int64)

    @property
    def _nodes(self) -> int:
        return int(self.log_probability.shape[2])

    @cached_property
    def coarse(self) -> Integers:
        """Every second point of each axis, as indices of points."""
        even = (self.steps % COARSE == 0).all(axis=0)
        return np.flatnonzero(even).astype(np.int64)

    @cached_property
    def log_probability_at_coarse(self) -> ExactTable:
        """ln P of each category at the coarse points, matrix (points, n * categories)."""
        points = [axis[self.coarse] for axis in self.points]
        n, count = self.size, self.log_probability.shape[1]
        values = np.empty((points[0].size, n, count))
        for column in range(n):  # once per package: a whole-pool gather would hold four times the table
            z = _composites(self.slopes[:, column, None], points)
            along = np.broadcast_to(self.log_probability[column], (z.size, count, self._nodes))
            values[:, column] = read_along(along, z, NODE_LIMIT_MILLIONTHS, NODE_STEP_MILLIONTHS) / UNIT
        return exact_table(np.minimum(values, 0.0).reshape(points[0].size, n * count))

    @cached_property
    def units_millionths(self) -> tuple[int, ...]:
        """The step of each ability's grid."""
        step = STEP_PER_MILLE[self.dimensions]
        return tuple(round(dimension.deviation * step * 1000) for dimension in self.section.dimensions)

    @cached_property
    def means_millionths(self) -> tuple[int, ...]:
        """The middle of each ability's grid: the prior's mean."""
        return tuple(round(dimension.mean * THETA_UNIT) for dimension in self.section.dimensions)

    @cached_property
    def points(self) -> list[Floats]:
        """The points' abilities, one array (points,) for each."""
        placed = zip(self.means_millionths, self.units_millionths, self.steps, strict=True)
        return [(mean + unit * axis) / THETA_UNIT for mean, unit, axis in placed]

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
        away = [
            axis * (unit / THETA_UNIT) for axis, unit in zip(self.steps, self.units_millionths, strict=True)
        ]
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
        return np.minimum(
            read_along(self.log_probability, z, NODE_LIMIT_MILLIONTHS, NODE_STEP_MILLIONTHS) / UNIT, 0.0
        )


def spatial_pool(pool: Pool) -> SpatialPool:
    """The pool of a section of several abilities."""
    return SpatialPool(
        section=pool.section,
        items=pool.items,
        log_probability=pool.log_probability,
        information=pool.information,
        ties=pool.ties,
        area=pool.area,
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
