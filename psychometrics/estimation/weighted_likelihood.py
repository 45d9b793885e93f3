"""Weighted likelihood estimation as Warm (1989) defined it.

    l'(theta) + J(theta) / (2 I(theta)) = 0,    J = sum over items and categories of P' P'' / P

It removes the first-order bias of maximum likelihood. Some programs call "WLE" the mode under Jeffreys'
prior, l' + I' / (2 I) = 0 (see `jeffreys`): the same for the 1PL, 2PL, GRM and GPCM, up to 0.8 apart for the
3PL and 4PL.
"""

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, refuse_rows
from psychometrics.estimation.errors import error_of_information
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.search import DEFAULT_BOUNDS, Bounds, RunningIntegral, highest_points
from psychometrics.information import expected_moments, expected_moments_at
from psychometrics.models.items import (
    ItemColumns,
    category_log_probabilities,
    log_derivatives_at,
    log_probabilities_at,
)
from psychometrics.responses import response_matrix, response_pairs, sum_administered, sum_chosen


def warm_estimates(items: ItemColumns, responses: ArrayLike, *, bounds: Bounds = DEFAULT_BOUNDS) -> Estimates:
    """Warm's estimate of each candidate, responses (N, n), with 1 / sqrt(I) as its standard error.

    With asymptotes the equation may have several roots and is no derivative of anything in closed form: the
    correction is integrated along the grid, added to the log-likelihood, and the highest point taken. Refused
    are candidates without a response and candidates whose items carry no information within the bounds.
    """
    matrix = response_matrix(items, responses)
    refuse_rows((matrix < 0).all(axis=1), "no response to take a likelihood of")
    nodes = bounds.nodes()
    moments = expected_moments(items, nodes)
    information = sum_administered(moments.information, matrix)
    refuse_rows((information <= 0).all(axis=1), "the items given carry no information in this range")
    correction = RunningIntegral(
        nodes, warm_correction(information, sum_administered(moments.bias_term, matrix))
    )
    heights = sum_chosen(category_log_probabilities(items, nodes), matrix) + correction.at_nodes()
    pairs = response_pairs(items, matrix)

    def corrected(theta: FloatArray) -> FloatArray:
        at = expected_moments_at(pairs.items, theta[pairs.candidate])
        return warm_correction(pairs.total(at.information), pairs.total(at.bias_term))

    def slope(theta: FloatArray) -> FloatArray:
        score = log_derivatives_at(pairs.items, theta[pairs.candidate]).score
        return pairs.total(pairs.chosen(score)) + corrected(theta)

    def height(theta: FloatArray) -> FloatArray:
        log_p = log_probabilities_at(pairs.items, theta[pairs.candidate])
        return pairs.total(pairs.chosen(log_p)) + correction.up_to(theta, corrected(theta))

    theta = highest_points(nodes, heights, slope, height).theta
    at_estimate = pairs.total(expected_moments_at(pairs.items, theta[pairs.candidate]).information)
    return Estimates(theta, error_of_information(at_estimate, None))


def warm_correction(information: FloatArray, bias_term: FloatArray) -> FloatArray:
    """J / (2 I), minus the first-order bias of maximum likelihood times I; 0 where nothing is known."""
    some = information > 0
    return np.where(some, bias_term / np.where(some, 2.0 * information, 1.0), 0.0)
