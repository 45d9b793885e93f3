"""Ability from summed scores (Thissen, Pommerich, Billeaud & Williams, 1995).

For reports that must give the same ability to the same number of points. The chance of each summed score s
given theta is built item by item (Lord & Wingersky, 1984; for mixed categories Thissen et al., 1995):

    P_{i+1}(s | theta) = sum_k P_i(s - points of k | theta) P(X_{i+1} = k | theta)

and takes the place of the likelihood: theta_s = E[theta | s], its error SD[theta | s], and
P(s) = sum_q P(s | theta_q) w_q. For Rasch and partial credit items of one slope the sum is sufficient and the
EAP of the pattern is the same number; for others a little information is given up.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import NOT_ADMINISTERED, FloatArray, IntArray, refuse_rows
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.grids import Grid
from psychometrics.models.items import NOMINAL, ItemColumns, category_probabilities
from psychometrics.responses import response_matrix


@dataclass(frozen=True, slots=True, eq=False)
class SummedScoreTable:
    """One row per summed score 0..S: ability and error (S + 1,), and how probable the score is.

    A score that no combination of categories gives has probability 0 and NaN as ability and error.
    """

    theta: FloatArray
    standard_error: FloatArray
    probability: FloatArray


def summed_score_probabilities(
    items: ItemColumns, theta: ArrayLike, *, points: ArrayLike | None = None
) -> FloatArray:
    """P(s | theta) of each summed score, shape (q, S + 1), every row summing to 1.

    points (n, m) are whole numbers from 0, one for each category of each item; if none are given, category k
    earns k, which is refused for nominal items, whose categories have no order. Points of categories an item
    does not have are not read.
    """
    p, worth = category_probabilities(items, theta), _points(items, points)
    counts = items.category_counts
    distribution = np.ones((p.shape[0], 1))
    for item, count in enumerate(counts):
        earned = worth[item, :count]
        longer = np.zeros((p.shape[0], distribution.shape[1] + int(earned.max())))
        for category, point in enumerate(earned):
            longer[:, point : point + distribution.shape[1]] += distribution * p[:, item, category, None]
        distribution = longer
    return distribution


def summed_score_table(
    items: ItemColumns, grid: Grid, *, points: ArrayLike | None = None
) -> SummedScoreTable:
    """Posterior mean and deviation of ability for every summed score of all the items."""
    joint = summed_score_probabilities(items, grid.nodes, points=points) * grid.weights[:, None]
    probability = joint.sum(axis=0)
    possible = probability > 0
    posterior = joint / np.where(possible, probability, 1.0)
    mean = (posterior * grid.nodes[:, None]).sum(axis=0)
    variance = (posterior * (grid.nodes[:, None] - mean) ** 2).sum(axis=0)
    return SummedScoreTable(
        np.where(possible, mean, np.nan), np.where(possible, np.sqrt(variance), np.nan), probability
    )


def summed_scores(items: ItemColumns, responses: ArrayLike, *, points: ArrayLike | None = None) -> IntArray:
    """Points of each candidate (N,) over the items administered, responses (N, n)."""
    matrix = response_matrix(items, responses)
    return _earned(matrix, _points(items, points))


def summed_score_estimates(
    items: ItemColumns, responses: ArrayLike, grid: Grid, *, points: ArrayLike | None = None
) -> Estimates:
    """EAP of each candidate from the summed score, responses (N, n).

    The table is that of the items the candidate was given, so candidates with different items are compared on
    one scale; it is built once for each set of items. Without any response the prior remains. Refused is a
    score so improbable that its probability cannot be told from 0.
    """
    matrix, worth = response_matrix(items, responses), _points(items, points)
    theta, error = np.empty(matrix.shape[0]), np.empty(matrix.shape[0])
    forms, form_of = np.unique(matrix != NOT_ADMINISTERED, axis=0, return_inverse=True)
    for form, given in enumerate(forms):
        rows, places = np.flatnonzero(form_of.reshape(-1) == form), np.flatnonzero(given)
        table = summed_score_table(items.take(places), grid, points=worth[places])
        score = _earned(matrix[rows], worth)
        theta[rows], error[rows] = table.theta[score], table.standard_error[score]
    refuse_rows(np.isnan(theta), "the probability of this summed score underflows")
    return Estimates(theta, error)


def _points(items: ItemColumns, points: ArrayLike | None) -> IntArray:
    counts = items.category_counts
    shape = (len(items), int(counts.max(initial=1)))
    if points is None:
        refuse_rows(items.family == NOMINAL, "categories of a nominal item earn nothing unless points say so")
        return np.broadcast_to(np.arange(shape[1]), shape)
    worth = np.asarray(points)
    if worth.dtype.kind not in "iu" or worth.shape[:1] != shape[:1] or worth.ndim != 2:
        raise ValueError(f"points must be whole numbers of shape {shape}, not {worth.dtype} {worth.shape}")
    if worth.shape[1] < shape[1]:
        raise ValueError(f"points have shape {worth.shape}, expected {shape}")
    present = np.arange(worth.shape[1]) < counts[:, None]
    refuse_rows((present & (worth < 0)).any(axis=1), "points are negative")
    return worth.astype(np.int64)


def _earned(matrix: IntArray, worth: IntArray) -> IntArray:
    given = matrix != NOT_ADMINISTERED
    earned = worth[np.arange(matrix.shape[1]), np.where(given, matrix, 0)]
    return np.asarray(np.where(given, earned, 0).sum(axis=1), dtype=np.int64)
