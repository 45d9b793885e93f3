"""Estimation of several abilities: posterior mean (EAP) and posterior mode (MAP).

Both use a normal prior whose correlations let the items of one ability speak for the others (Segall, 1996).
Batch functions take responses (N, n); one candidate is a batch of one and gets the same bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import maximum_filter

from psychometrics.arrays import FloatArray, IntArray
from psychometrics.estimation.errors import InformationKind
from psychometrics.models.items import log_derivatives_at
from psychometrics.multidimensional.grids import MultivariateNormalPrior, ProductGrid, normal_grid
from psychometrics.multidimensional.information import OwnResponses, log_likelihood, own_responses
from psychometrics.multidimensional.items import MultidimensionalColumns
from psychometrics.responses import response_matrix

BLOCK = 4_000_000
"""Numbers held at once while candidates are taken in blocks; the blocks do not change any result."""

STARTING_COUNTS = {1: 121, 2: 41, 3: 21}
"""Points in each axis of the first, global look for the mode."""


@dataclass(frozen=True, slots=True)
class MultidimensionalEstimate:
    """Abilities of one candidate (K,) and their error covariance (K, K)."""

    theta: FloatArray
    covariance: FloatArray

    @property
    def standard_error(self) -> FloatArray:
        """Standard error of each ability, (K,)."""
        return np.sqrt(np.diagonal(self.covariance))


@dataclass(frozen=True, slots=True, eq=False)
class MultidimensionalEstimates:
    """Abilities (N, K) and their error covariances (N, K, K), in the estimator's own convention."""

    theta: FloatArray
    covariance: FloatArray

    @property
    def standard_error(self) -> FloatArray:
        """Standard error of each ability, (N, K)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))

    def __len__(self) -> int:
        return int(self.theta.shape[0])

    def __getitem__(self, candidate: int) -> MultidimensionalEstimate:
        return MultidimensionalEstimate(self.theta[candidate], self.covariance[candidate])


def eap_estimates(
    items: MultidimensionalColumns, responses: ArrayLike, grid: ProductGrid
) -> MultidimensionalEstimates:
    """Mean and covariance of the posterior of each candidate, responses (N, n), on a grid with its prior.

    Without any response they are the prior's, as far as the grid reaches.
    """
    matrix = response_matrix(items.composite, responses)
    if grid.nodes.shape[1] != items.dimensions:
        raise ValueError(f"a grid of {grid.nodes.shape[1]} dimensions for items of {items.dimensions}")
    K = items.dimensions
    theta, covariance = np.empty((matrix.shape[0], K)), np.empty((matrix.shape[0], K, K))
    for block in _blocks(matrix.shape[0], grid.weights.size):
        mass = posterior_mass(log_likelihood(items, matrix[block], grid.nodes), grid)
        for k in range(K):
            theta[block, k] = (mass * grid.nodes[:, k]).sum(axis=1)
        for k in range(K):
            weighted = mass * (grid.nodes[:, k] - theta[block, k, None])
            for j in range(k + 1):
                moment = (weighted * (grid.nodes[:, j] - theta[block, j, None])).sum(axis=1)
                covariance[block, k, j] = covariance[block, j, k] = moment
    return MultidimensionalEstimates(theta, covariance)


def posterior_mass(log_likelihood: FloatArray, grid: ProductGrid) -> FloatArray:
    """Posterior mass at each point of the grid, (N, Q), rows summing to 1; largest exponent taken out."""
    with np.errstate(divide="ignore"):  # a node of weight 0 keeps no mass
        exponent = log_likelihood + np.log(grid.weights)
    mass = np.exp(exponent - exponent.max(axis=-1, keepdims=True))
    return np.asarray(mass / mass.sum(axis=-1, keepdims=True), dtype=np.float64)


def map_estimates(
    items: MultidimensionalColumns, responses: ArrayLike, prior: MultivariateNormalPrior
) -> MultidimensionalEstimates:
    """Mode of the posterior of each candidate, responses (N, n); the prior's mean without a response.

    Likelihoods of the M3PL and M4PL may have several maxima: the search looks at a grid over six prior
    deviations, climbs from every maximum among its points, and answers the highest. The covariance is the
    inverse of Fisher information at the mode plus the prior's precision; other conventions are in
    `standard_errors`.
    """
    matrix = response_matrix(items.composite, responses)
    if prior.dimensions != items.dimensions:
        raise ValueError(f"a prior of {prior.dimensions} dimensions for items of {items.dimensions}")
    grid = normal_grid(prior, count=STARTING_COUNTS.get(prior.dimensions, 7))
    theta = np.empty((matrix.shape[0], prior.dimensions))
    for block in _blocks(matrix.shape[0], grid.weights.size):
        theta[block] = _modes(items, matrix[block], prior, grid)
    own = own_responses(items, matrix)
    precision = own.precision(theta, InformationKind.EXPECTED) + prior.precision
    inverse = np.linalg.inv(precision)
    covariance = 0.5 * (inverse + np.swapaxes(inverse, 1, 2))
    return MultidimensionalEstimates(theta, np.asarray(covariance, dtype=np.float64))


def _blocks(candidates: int, points: int) -> Iterator[slice]:
    size = max(1, BLOCK // points)
    return (slice(start, start + size) for start in range(0, candidates, size))


def _modes(
    items: MultidimensionalColumns, matrix: IntArray, prior: MultivariateNormalPrior, grid: ProductGrid
) -> FloatArray:
    height = log_likelihood(items, matrix, grid.nodes) + _log_prior(prior, grid.nodes)
    folded = height.reshape(-1, *grid.shape)
    window = (1, *([3] * len(grid.shape)))
    peak = folded == maximum_filter(folded, size=window, mode="nearest")
    candidate, node = np.nonzero(peak.reshape(height.shape))
    climb = _Climb(own_responses(items, matrix[candidate]), prior)
    summit = climb.run(grid.nodes[node])
    found = climb.height(summit)
    best = np.lexsort((-found, candidate))
    first = np.searchsorted(candidate[best], np.arange(matrix.shape[0]))
    return np.asarray(summit[best[first]], dtype=np.float64)


def _log_prior(prior: MultivariateNormalPrior, theta: FloatArray) -> FloatArray:
    """Exponent of the prior's density at theta (N, K), shape (N,)."""
    away, precision = theta - prior.mean, prior.precision
    total = np.zeros(theta.shape[0])
    for k in range(prior.dimensions):
        for j in range(prior.dimensions):
            total = total - 0.5 * precision[k, j] * away[:, k] * away[:, j]
    return total


@dataclass(frozen=True, slots=True, eq=False)
class _Climb:
    """Newton's method on the log-posterior of many starts at once.

    A step that would lead down is halved until it does not. Where the observed information plus the prior's
    precision is not positive definite, Fisher information takes its place, which always climbs. A start that
    has arrived is not moved again, so that company in the batch does not change a result.
    """

    own: OwnResponses
    prior: MultivariateNormalPrior

    def height(self, theta: FloatArray) -> FloatArray:
        return self.own.heights(theta) + _log_prior(self.prior, theta)

    def run(self, start: FloatArray) -> FloatArray:
        theta, height, step = start, self.height(start), self.step(start)
        moving = np.ones(start.shape[0], dtype=np.bool_)
        for _ in range(200):
            proposal = theta + step
            there = self.height(proposal)
            level = there >= height - 1e-14 * (1.0 + np.abs(height))
            accepted = moving & level
            arrived = np.abs(step).max(axis=1) <= 1e-12 * (1.0 + np.abs(theta).max(axis=1))
            theta = np.where(accepted[:, None], proposal, theta)
            height = np.where(accepted, there, height)
            moving &= ~arrived
            if not moving.any():
                break
            step = np.where(accepted[:, None], self.step(theta), 0.5 * step)
        return theta

    def step(self, theta: FloatArray) -> FloatArray:
        at, pull = self.own.at(theta), self.prior.precision
        pairs = self.own.pairs
        gradient = self.own.vectors(pairs.chosen(log_derivatives_at(pairs.items, at).score))
        away = theta - self.prior.mean
        gradient = gradient - np.stack([(away * row).sum(axis=1) for row in pull], axis=1)
        observed = self.own.precision(theta, InformationKind.OBSERVED) + pull
        values = np.linalg.eigvalsh(observed)
        sound = values[:, 0] > 1e-8 * np.abs(values).max(axis=1)
        expected = self.own.precision(theta, InformationKind.EXPECTED) + pull
        metric = np.where(sound[:, None, None], observed, expected)
        return np.asarray(np.linalg.solve(metric, gradient[..., None])[..., 0], dtype=np.float64)
