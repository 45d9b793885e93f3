"""Expected a posteriori estimation (Bock & Mislevy, 1982).

    theta_EAP = sum_q theta_q L(theta_q) w_q / sum_q L(theta_q) w_q

with L the likelihood of the responses and w the prior mass of the grid; its standard error is the standard
deviation of the posterior on the same grid. Without any response it is the prior's mean and deviation.
"""

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray
from psychometrics.estimation.estimates import Estimate, Estimates
from psychometrics.estimation.grids import Grid
from psychometrics.models.items import ItemColumns, category_log_probabilities
from psychometrics.responses import response_matrix, sum_chosen


def eap_estimate(items: ItemColumns, responses: ArrayLike, grid: Grid) -> Estimate:
    """EAP of one candidate, responses (n,)."""
    return eap_estimates(items, responses, grid)[0]


def eap_estimates(items: ItemColumns, responses: ArrayLike, grid: Grid) -> Estimates:
    """EAP of each candidate, responses (N, n)."""
    return eap_from_log_likelihood(log_likelihood(items, responses, grid.nodes), grid)


def log_likelihood(items: ItemColumns, responses: ArrayLike, theta: ArrayLike) -> FloatArray:
    """ln L of each candidate at each ability point, shape (N, q)."""
    return sum_chosen(category_log_probabilities(items, theta), response_matrix(items, responses))


def posterior(log_likelihood: FloatArray, grid: Grid) -> FloatArray:
    """Posterior mass at each grid point, (N, q), every row summing to 1.

    The largest exponent is taken out first: a long test has likelihoods far below the smallest float.
    """
    with np.errstate(divide="ignore"):  # a node of weight 0 keeps no mass
        exponent = log_likelihood + np.log(grid.weights)
    mass = np.exp(exponent - exponent.max(axis=-1, keepdims=True))
    return np.asarray(mass / mass.sum(axis=-1, keepdims=True), dtype=np.float64)


def eap_from_log_likelihood(log_likelihood: FloatArray, grid: Grid) -> Estimates:
    """EAP from ln L on the grid's nodes (N, q), computed now or added up from stored tables."""
    mass = posterior(log_likelihood, grid)
    mean = np.asarray((mass * grid.nodes).sum(axis=-1), dtype=np.float64)
    return Estimates(mean, deviation_about(mass, grid, mean))


def deviation_about(mass: FloatArray, grid: Grid, centre: FloatArray) -> FloatArray:
    """Root mean squared distance of the posterior (N, q) from a centre (N,); about its mean, its sd."""
    distance = grid.nodes - centre[..., None]
    return np.asarray(np.sqrt((mass * distance**2).sum(axis=-1)), dtype=np.float64)
