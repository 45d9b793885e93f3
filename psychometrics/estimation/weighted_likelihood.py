"""Weighted likelihood estimation as Warm (1989) defined it.

    l'(theta) + J(theta) / (2 I(theta)) = 0,    J = sum over items and categories of P' P'' / P

It removes the first-order bias of maximum likelihood. Some programs call "WLE" the mode under Jeffreys'
prior, l' + I' / (2 I) = 0: the same for the 1PL, 2PL, GRM and GPCM, up to 0.8 apart for the 3PL and 4PL.
"""

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, refuse_rows
from psychometrics.estimation.errors import error_of_information
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.search import DEFAULT_BOUNDS, Bounds, refine_maxima
from psychometrics.information import expected_moments, expected_moments_at
from psychometrics.models.items import ItemColumns, category_log_derivatives, log_derivatives_at
from psychometrics.responses import response_matrix, response_pairs, sum_administered, sum_chosen


def warm_estimates(items: ItemColumns, responses: ArrayLike, *, bounds: Bounds = DEFAULT_BOUNDS) -> Estimates:
    """Warm's estimate of each candidate, responses (N, n), with 1 / sqrt(I) as its standard error.

    With asymptotes the equation may have several roots and is no derivative of anything in closed form; the
    weighted log-likelihood is therefore integrated along the grid and its highest point taken.
    """
    matrix = response_matrix(items, responses)
    refuse_rows((matrix < 0).all(axis=1), "no response to take a likelihood of")
    nodes = bounds.nodes()
    moments = expected_moments(items, nodes)
    along = sum_chosen(category_log_derivatives(items, nodes).score, matrix) + _correction(
        sum_administered(moments.information, matrix), sum_administered(moments.bias_term, matrix)
    )
    rise = 0.5 * (along[:, 1:] + along[:, :-1]) * np.diff(nodes)
    height = np.concatenate([np.zeros((matrix.shape[0], 1)), np.cumsum(rise, axis=1)], axis=1)
    pairs = response_pairs(items, matrix)

    def slope(theta: FloatArray) -> FloatArray:
        own = theta[pairs.candidate]
        at = expected_moments_at(pairs.items, own)
        score = pairs.total(pairs.chosen(log_derivatives_at(pairs.items, own).score))
        return score + _correction(pairs.total(at.information), pairs.total(at.bias_term))

    theta = refine_maxima(slope, nodes, np.argmax(height, axis=1))
    information = pairs.total(expected_moments_at(pairs.items, theta[pairs.candidate]).information)
    return Estimates(theta, error_of_information(information, None))


def _correction(information: FloatArray, bias_term: FloatArray) -> FloatArray:
    """J / (2 I), and 0 where there is no information to correct."""
    some = information > 0
    return np.where(some, bias_term / np.where(some, 2.0 * information, 1.0), 0.0)
