"""Estimates at the top of a curve over ability: likelihood, posterior, and likelihood corrected for bias.

All look for the highest node first, so a local maximum is never reported, and climb from there (see
`local_polynomial`). Curves are in billionths on the nodes.
"""

import math

import numpy as np

from cat_engine.core.exact import THETA_UNIT, UNIT, Floats, Integers
from cat_engine.core.local_polynomial import (
    STEP,
    WIDE,
    Neighbourhood,
    coefficients,
    derivative,
    neighbourhood,
    summit,
    value_at,
)
from cat_engine.core.logarithm import logarithm
from cat_engine.core.pool_facts import score_moments
from cat_engine.core.tables import NODE_LIMIT_MILLIONTHS
from cat_engine.core.views import Estimate, Evidence

LEAST_PRECISION = 1e-6
"""Of a standard error: where nothing is known it is 1000."""
_LEAST_INFORMATION = 1e-10


def error_of_precision(precision: float) -> int:
    """1 / sqrt(precision) in millionths."""
    return round(THETA_UNIT / math.sqrt(max(precision, LEAST_PRECISION)))


def mode_of(log_density: Integers, bound_millionths: int = NODE_LIMIT_MILLIONTHS) -> Estimate:
    """The highest point within the bounds, and 1 / sqrt(-curvature) there."""
    at = neighbourhood(log_density, bound_millionths)
    slope = derivative(coefficients(at.values(log_density)))
    x = summit(at, slope)
    curvature = value_at(derivative(slope), x)
    return Estimate(at.theta_millionths(x), error_of_precision(-curvature / (STEP * STEP)))


def information_of(evidence: Evidence, theta_millionths: int) -> float:
    """Fisher information of the items answered at an ability."""
    information = evidence.pool.information_at(theta_millionths)[list(evidence.answered)]
    return int(information.sum()) / UNIT


def warm_mode(evidence: Evidence, bound_millionths: int) -> Estimate:
    """Warm's (1989) estimate within the bounds, and 1 / sqrt(I) there: l' + J / (2 I) = 0.

    The correction is integrated along the nodes and added to the log-likelihood to find the highest node.
    """
    correction = warm_correction(evidence)
    whole = np.rint(correction * (STEP * UNIT / 2.0)).astype(np.int64)
    integral = np.zeros_like(whole)
    integral[1:] = np.cumsum(whole[1:] + whole[:-1])  # of integers: exact
    at = neighbourhood(evidence.log_likelihood + integral, bound_millionths)
    slope = derivative(coefficients(at.values(evidence.log_likelihood)))
    reach = min(WIDE, at.centre, correction.size - 1 - at.centre)
    around = correction[at.centre - reach : at.centre + reach + 1]
    for power, added in enumerate(coefficients([float(value) * STEP for value in around])):
        if power < len(slope):
            slope[power] += added
        else:
            slope.append(added)
    x = summit(at, slope)
    theta = at.theta_millionths(x)
    return Estimate(theta, error_of_precision(information_of(evidence, theta)))


def warm_correction(evidence: Evidence) -> Floats:
    """J / (2 I) of the items answered on the nodes, (nodes,).

    Far from all items, where I is too small to divide by, the ratio is that of the nearest node where it is
    not: it is all but constant there.
    """
    moments = score_moments(evidence.pool)
    information = _of_answered(evidence, moments.information, moments.unit)
    bias_term = _of_answered(evidence, moments.bias_term, moments.unit)
    some = information >= _LEAST_INFORMATION
    ratio = np.where(some, bias_term / np.where(some, 2.0 * information, 1.0), 0.0)
    known = np.flatnonzero(some)
    if known.size:
        ratio[: known[0]] = ratio[known[0]]
        ratio[known[-1] :] = ratio[known[-1]]
    return np.asarray(ratio, dtype=np.float64)


def jeffreys_mode_of(evidence: Evidence, bound_millionths: int) -> Estimate:
    """The mode under Jeffreys' prior within the bounds: l' + I' / (2 I) = 0.

    The error is 1 / sqrt(I - (ln I)'' / 2), the curvature with expected information.
    """
    moments = score_moments(evidence.pool)
    information = _of_answered(evidence, moments.information, moments.unit)
    half_log = 0.5 * logarithm(np.maximum(information, _LEAST_INFORMATION))
    prior = np.rint(half_log * UNIT).astype(np.int64)
    heights = evidence.log_likelihood + prior
    at = neighbourhood(heights, bound_millionths)
    x = summit(at, derivative(coefficients(at.values(heights))))
    theta = at.theta_millionths(x)
    precision = information_of(evidence, theta) - _curvature(at, prior, x)
    return Estimate(theta, error_of_precision(precision))


def _curvature(at: Neighbourhood, values: Integers, x: float) -> float:
    bend = derivative(derivative(coefficients(at.values(values))))
    return value_at(bend, x) / (STEP * STEP)


def _of_answered(evidence: Evidence, moment: Integers, unit: float) -> Floats:
    """A moment summed over the items answered, (nodes,); integers, so in whatever order."""
    return np.asarray(moment[list(evidence.answered)].sum(axis=0) * unit, dtype=np.float64)
