"""Information of items about ability.

Fisher information is the expected squared score of a response, for every model

    I(theta) = sum_k P_k (d ln P_k / d theta)^2 = -E[d^2 ln P_X / d theta^2]

Observed information is -d^2 ln P_x / d theta^2 at the response that came. Both agree response by response
for the 1PL, 2PL, PCM and GPCM; they differ for the 3PL, 4PL (where observed information may be negative) and
the GRM.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import NOT_ADMINISTERED, FloatArray, theta_axis
from psychometrics.models.items import ItemColumns, log_derivatives_at, log_probabilities_at
from psychometrics.responses import response_matrix


class ExpectedMoments(NamedTuple):
    """Moments of the score function under the model, each (q, n) or one value per pair.

    information I = E[l'^2]; derivative I' = dI/dtheta; bias_term J = sum_k P_k' P_k'' / P_k, which is the
    numerator of Warm's (1989) correction. I' = J where the canonical logistic form holds (1PL, 2PL, GPCM)
    and in the GRM; with asymptotes they differ.
    """

    information: FloatArray
    derivative: FloatArray
    bias_term: FloatArray


def fisher_information(items: ItemColumns, theta: ArrayLike) -> FloatArray:
    """I(theta) of every item, shape (q, n)."""
    points = theta_axis(theta)[:, None]
    return _expectation(
        log_probabilities_at(items, points), np.square(log_derivatives_at(items, points).score)
    )


def total_information(items: ItemColumns, theta: ArrayLike) -> FloatArray:
    """Sum of the items' Fisher information, shape (q,)."""
    return np.asarray(fisher_information(items, theta).sum(axis=1), dtype=np.float64)


def observed_information(items: ItemColumns, theta: ArrayLike, responses: ArrayLike) -> FloatArray:
    """Minus the second derivative of ln P at the responses (n,), shape (q, n); 0 where not administered."""
    given = response_matrix(items, responses)[0]
    curvature = log_derivatives_at(items, theta_axis(theta)[:, None]).curvature
    chosen = curvature[:, np.arange(len(items)), np.where(given == NOT_ADMINISTERED, 0, given)]
    return np.where(given == NOT_ADMINISTERED, 0.0, -chosen)


def expected_moments(items: ItemColumns, theta: ArrayLike) -> ExpectedMoments:
    """I, I' and J of every item, shape (q, n) each."""
    return expected_moments_at(items, theta_axis(theta)[:, None])


def expected_moments_at(items: ItemColumns, theta: FloatArray) -> ExpectedMoments:
    """I, I' and J for theta that broadcasts against the items: (q, 1) crosses, (n,) pairs.

    With l = ln P_k: P' = P l' and P'' = P (l'' + l'^2), hence P' P'' / P = P l' (l'' + l'^2) and
    dI/dtheta = sum_k P (l'^3 + 2 l' l'').
    """
    log_p = log_probabilities_at(items, theta)
    score, curvature = log_derivatives_at(items, theta)
    return ExpectedMoments(
        _expectation(log_p, score**2),
        _expectation(log_p, score**3 + 2.0 * score * curvature),
        _expectation(log_p, score**3 + score * curvature),
    )


def expected_observed_information(items: ItemColumns, theta: ArrayLike) -> FloatArray:
    """E[-l''] over the model's own responses, shape (q, n): Fisher information by its second identity."""
    points = theta_axis(theta)[:, None]
    curvature = log_derivatives_at(items, points).curvature
    return _expectation(log_probabilities_at(items, points), -curvature)


def kullback_leibler_information(items: ItemColumns, theta: float, against: ArrayLike) -> FloatArray:
    """KL(theta || x) = sum_k P_k(theta) [ln P_k(theta) - ln P_k(x)] of every item at points x, shape (q, n).

    It measures how well a response tells theta from x, also far from theta, where Fisher information has
    nothing to say (Chang & Ying, 1996); close to theta it is I(theta) (x - theta)^2 / 2.
    """
    log_here = log_probabilities_at(items, theta_axis(theta)[:, None])
    log_there = log_probabilities_at(items, theta_axis(against)[:, None])
    present = np.isfinite(log_here)
    difference = np.where(present, log_here, 0.0) - np.where(present, log_there, 0.0)
    return np.asarray((np.exp(log_here) * difference).sum(axis=-1), dtype=np.float64)


def _expectation(log_p: FloatArray, values: FloatArray) -> FloatArray:
    return np.asarray((np.exp(log_p) * values).sum(axis=-1), dtype=np.float64)
