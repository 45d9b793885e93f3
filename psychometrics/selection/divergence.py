"""Criteria of the whole response curve: Kullback-Leibler and discrimination. All are wanted large."""

import numpy as np

from psychometrics.arrays import FloatArray
from psychometrics.information import kullback_leibler_information
from psychometrics.models.items import ItemColumns
from psychometrics.selection.reading import PoolAt
from psychometrics.selection.tables import CriterionTables, Evidence

WINDOW_NODES = 31
"""Points of the Gauss-Legendre rule across a window of ability."""


def likelihood_weighted_divergence(tables: CriterionTables, evidence: Evidence, at: PoolAt) -> FloatArray:
    """KL: integral of L(x) KL_i(theta_hat || x) over x, shape (n,) (Barrada, Olea, Ponsoda & Abad, 2009)."""
    return _divergence(tables, evidence.likelihood_weights(), at)


def posterior_weighted_divergence(tables: CriterionTables, evidence: Evidence, at: PoolAt) -> FloatArray:
    """KLP: integral of L(x) p(x) KL_i(theta_hat || x) over x, shape (n,) (Chang & Ying, 1996)."""
    return _divergence(tables, evidence.posterior_weights(), at)


def window_divergence(items: ItemColumns, theta: float, half_width: float) -> FloatArray:
    """Global information: integral of KL_i(theta || x) over theta -+ half_width, shape (n,).

    Chang & Ying (1996) let the window shrink with the test, half_width = 3 / sqrt(n) after n items: wide
    while little is known, close to Fisher information at the end. Refuses a width that is not positive.
    """
    if not (np.isfinite(half_width) and half_width > 0):
        raise ValueError(f"half_width must be positive and finite, not {half_width}")
    unit, weights = np.polynomial.legendre.leggauss(WINDOW_NODES)
    divergence = kullback_leibler_information(items, theta, theta + half_width * unit)
    return np.asarray(half_width * weights @ divergence, dtype=np.float64)


def discrimination_index(tables: CriterionTables, evidence: Evidence, at: PoolAt) -> FloatArray:
    """GDI: how far the category probabilities spread over the likelihood, shape (n,).

    Half the sum over categories of the variance of P_k(theta), theta taken from the nodes with mass
    proportional to L. For two categories that is the variance of P_1, the index of Kaplan, de la Torre &
    Barrada (2015); it does not depend on the order of the categories.
    """
    del at
    return _spread(tables, evidence.node_mass(with_prior=False))


def posterior_discrimination_index(tables: CriterionTables, evidence: Evidence, at: PoolAt) -> FloatArray:
    """GDIP: the discrimination index with mass proportional to L(theta) p(theta), shape (n,)."""
    del at
    return _spread(tables, evidence.node_mass(with_prior=True))


def _divergence(tables: CriterionTables, weights: FloatArray, at: PoolAt) -> FloatArray:
    """sum_q w_q sum_k P_k(theta) [ln P_k(theta) - ln P_k(x_q)], shape (n,).

    With g = ln P_k(x) - ln P_k(theta) the sum over k is that of P_k(theta) (e^g - 1 - g), because both P sum
    to 1. No term of it is negative, so that nothing cancels where curves hardly differ; P_k(theta) (e^g - 1)
    is P_k(x) - P_k(theta), taken as such where g is large.
    """
    here, log_here = at.probabilities.reshape(-1), at.log_probabilities.reshape(-1)
    gap = tables.log_probabilities - log_here
    rise = np.where(np.abs(gap) < 0.5, here * np.expm1(np.clip(gap, -1.0, 1.0)), tables.probabilities - here)
    return np.asarray(tables.by_item(weights @ (rise - here * gap)).sum(axis=1), dtype=np.float64)


def _spread(tables: CriterionTables, mass: FloatArray) -> FloatArray:
    """Half the sum over categories of the variance of P_k, from the distances, so never negative."""
    distance = tables.probabilities - mass @ tables.probabilities
    return np.asarray(0.5 * tables.by_item(mass @ distance**2).sum(axis=1), dtype=np.float64)
