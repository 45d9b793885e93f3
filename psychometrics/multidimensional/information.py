"""Likelihood of responses in several dimensions, its derivatives, and Fisher information.

With l the log-probability of a response as a function of its composite a . theta:

    gradient sum l' a,    Hessian sum l'' a a',    Fisher information sum I a a'

Each item adds a matrix of rank one: how well it measures, times the direction in which it does (Reckase &
McKinley, 1991; Segall, 1996).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import NOT_ADMINISTERED, BoolArray, FloatArray, IntArray, member
from psychometrics.estimation.errors import InformationKind
from psychometrics.information import expected_moments_at
from psychometrics.models.items import log_derivatives_at, log_probabilities_at
from psychometrics.multidimensional.grids import MultivariateNormalPrior
from psychometrics.multidimensional.items import MultidimensionalColumns, composites, points_axis
from psychometrics.responses import Pairs, response_matrix, response_pairs


def log_likelihood(items: MultidimensionalColumns, responses: ArrayLike, theta: ArrayLike) -> FloatArray:
    """ln L of the responses (N, n) at each point theta (Q, K), shape (N, Q)."""
    matrix = response_matrix(items.composite, responses)
    points = points_axis(theta, items.dimensions)
    total = np.zeros((matrix.shape[0], points.shape[0]))
    for item in range(len(items)):
        given = np.flatnonzero(matrix[:, item] != NOT_ADMINISTERED)
        if given.size:  # one item at a time: a whole pool on a large grid would not fit into memory
            at = composites(points, items.slopes[item])[:, None]
            table = log_probabilities_at(items.composite.take([item]), at)[:, 0]
            total[given] += table[:, matrix[given, item]].T
    return total


def log_likelihood_gradient(
    items: MultidimensionalColumns, responses: ArrayLike, theta: ArrayLike
) -> FloatArray:
    """Gradient of ln L of each candidate's responses (N, n) at the candidate's own theta (N, K): (N, K)."""
    own = own_responses(items, response_matrix(items.composite, responses))
    at = own.at(points_axis(theta, items.dimensions))
    score = own.pairs.chosen(log_derivatives_at(own.pairs.items, at).score)
    return own.vectors(score)


def log_likelihood_hessian(
    items: MultidimensionalColumns, responses: ArrayLike, theta: ArrayLike
) -> FloatArray:
    """Second derivatives of ln L of each candidate at the candidate's own theta (N, K): (N, K, K)."""
    own = own_responses(items, response_matrix(items.composite, responses))
    at = own.at(points_axis(theta, items.dimensions))
    return own.matrices(own.pairs.chosen(log_derivatives_at(own.pairs.items, at).curvature))


def fisher_information(items: MultidimensionalColumns, theta: ArrayLike) -> FloatArray:
    """I(theta) a a' of every item at theta (q, K), shape (q, n, K, K)."""
    amount = information_along(items, theta)
    outer = items.slopes[:, :, None] * items.slopes[:, None, :]
    return np.asarray(amount[..., None, None] * outer, dtype=np.float64)


def total_information(items: MultidimensionalColumns, theta: ArrayLike) -> FloatArray:
    """Sum of the items' Fisher information at theta (q, K), shape (q, K, K)."""
    return np.asarray(fisher_information(items, theta).sum(axis=1), dtype=np.float64)


def information_along(items: MultidimensionalColumns, theta: ArrayLike) -> FloatArray:
    """Fisher information of every item about its own composite a . theta, shape (q, n)."""
    points = points_axis(theta, items.dimensions)
    at = composites(points[:, None], items.slopes)
    return expected_moments_at(items.composite, at).information


def standard_errors(
    items: MultidimensionalColumns,
    responses: ArrayLike,
    theta: ArrayLike,
    *,
    kind: InformationKind,
    prior: MultivariateNormalPrior | None,
) -> FloatArray:
    """Root of the diagonal of (information + prior precision)^-1 at each candidate's theta (N, K): (N, K).

    EXPECTED information is Fisher's over the items given, OBSERVED minus the Hessian at the responses that
    came. Infinite for an ability that the information does not fix: no item measures it apart from the
    others, or observed information is not positive in a direction it takes part in.
    """
    own = own_responses(items, response_matrix(items.composite, responses))
    precision = own.precision(points_axis(theta, items.dimensions), kind)
    if prior is not None:
        precision = precision + prior.precision
    return errors_of_precision(precision)


def errors_of_precision(precision: FloatArray) -> FloatArray:
    """Root of the diagonal of the inverse, (N, K, K) to (N, K), infinite where an ability is not fixed."""
    values, vectors = np.linalg.eigh(precision)
    floor = 1e-12 * np.abs(values).max(axis=-1, keepdims=True)
    fixed = values > floor
    share = vectors**2 / np.where(fixed, values, 1.0)[..., None, :]
    variance = np.where(fixed[..., None, :], share, 0.0).sum(axis=-1)
    loose = (~fixed[..., None, :] & (vectors**2 > 1e-12)).any(axis=-1)
    return np.where(loose, np.inf, np.sqrt(variance))


@dataclass(frozen=True, slots=True, eq=False)
class OwnResponses:
    """The responses that exist, with the slopes (p, K) of their items, to sum over each candidate."""

    pairs: Pairs
    slopes: FloatArray

    def at(self, theta: FloatArray) -> FloatArray:
        """The composite of each response at its candidate's theta (N, K), shape (p,)."""
        if theta.shape[0] != self.pairs.candidate_count:
            raise ValueError(f"{theta.shape[0]} thetas for {self.pairs.candidate_count} candidates")
        return composites(theta[self.pairs.candidate], self.slopes)

    def heights(self, theta: FloatArray) -> FloatArray:
        """ln L of each candidate, (N,)."""
        table = log_probabilities_at(self.pairs.items, self.at(theta))
        return self.pairs.total(self.pairs.chosen(table))

    def vectors(self, values: FloatArray) -> FloatArray:
        """Sum of value times slope vector over each candidate's responses, (N, K)."""
        dimensions = range(self.slopes.shape[1])
        return np.stack([self.pairs.total(values * self.slopes[:, k]) for k in dimensions], axis=1)

    def matrices(self, values: FloatArray) -> FloatArray:
        """Sum of value times a a' over each candidate's responses, (N, K, K), symmetric to the last bit."""
        return np.stack([self.vectors(values * column) for column in self.slopes.T], axis=1)

    def precision(self, theta: FloatArray, kind: InformationKind) -> FloatArray:
        """Expected or observed information of each candidate, (N, K, K)."""
        at = self.at(theta)
        if member(InformationKind, kind) is InformationKind.EXPECTED:
            return self.matrices(expected_moments_at(self.pairs.items, at).information)
        return -self.matrices(self.pairs.chosen(log_derivatives_at(self.pairs.items, at).curvature))


def own_responses(items: MultidimensionalColumns, matrix: IntArray) -> OwnResponses:
    """The administered responses of a matrix (N, n), candidate by candidate, in item order."""
    given: BoolArray = matrix != NOT_ADMINISTERED
    return OwnResponses(response_pairs(items.composite, matrix), items.slopes[np.nonzero(given)[1]])
