"""Criteria that rank the items of a pool when several abilities are measured; higher is better.

Let M (K, K) be the precision of the estimate so far: the Fisher information of the items given at the
estimate, plus the prior's precision if there is one (Segall, 1996; without it, van der Linden, 1999). An item
adds w a a', with w its information about its composite, so determinant and inverse change in closed form:

    det(M + w a a')  = det M (1 + w a' M^-1 a)
    (M + w a a')^-1  = M^-1 - w M^-1 a a' M^-1 / (1 + w a' M^-1 a)

Mulder and van der Linden (2009) compare the criteria. Without a prior M is singular until the items given
span all dimensions. Then determinant and inverse are those of each updated matrix itself; where no single
item can complete it, D-optimality is 0 and A-optimality minus infinity for the whole pool, and a prior or
another rule must choose.
"""

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import BoolArray, FloatArray
from psychometrics.multidimensional.grids import MultivariateNormalPrior
from psychometrics.multidimensional.information import information_along
from psychometrics.multidimensional.items import (
    MultidimensionalColumns,
    category_log_probabilities,
    points_axis,
)

BLOCK = 8_000_000
"""Numbers of a table of log-probabilities held at once."""

SINGULAR = 1e-12
"""A precision matrix whose smallest eigenvalue is below this share of its largest fixes no inverse."""


def precision_so_far(
    items: MultidimensionalColumns,
    administered: ArrayLike,
    theta: ArrayLike,
    prior: MultivariateNormalPrior | None,
) -> FloatArray:
    """Fisher information of the administered items (their rows) at theta (K,), plus the prior's precision.

    Shape (K, K); `prior` None leaves the information alone, which may be singular.
    """
    rows = np.asarray(administered, dtype=np.int64)
    given = items.take(rows)
    amount = information_along(given, theta)[0]
    total = np.einsum("i,ik,il->kl", amount, given.slopes, given.slopes)
    return np.asarray(total if prior is None else total + prior.precision, dtype=np.float64)


def d_optimality(items: MultidimensionalColumns, theta: ArrayLike, precision: ArrayLike) -> FloatArray:
    """Determinant of the precision after each item is added, (n,).

    Largest where the volume of the confidence ellipsoid becomes smallest.
    """
    M, amount = _checked(items, theta, precision)
    if _regular(M).all():
        toward = np.linalg.solve(M, items.slopes.T).T
        gain = amount * (items.slopes * toward).sum(axis=1)
        return np.asarray(np.linalg.det(M) * (1.0 + gain), dtype=np.float64)
    updated = _updated(items, M, amount)
    return np.where(_regular(updated), np.linalg.det(updated), 0.0)


def a_optimality(items: MultidimensionalColumns, theta: ArrayLike, precision: ArrayLike) -> FloatArray:
    """Minus the trace of the inverse of the precision after each item is added, (n,).

    The trace is the sum of the error variances of the abilities; an item that lowers it most comes first.
    """
    M, amount = _checked(items, theta, precision)
    if _regular(M).all():
        inverse = np.linalg.inv(M)
        toward = items.slopes @ inverse
        gain = amount * (items.slopes * toward).sum(axis=1)
        return np.asarray(
            amount * (toward**2).sum(axis=1) / (1.0 + gain) - np.trace(inverse), dtype=np.float64
        )
    updated = _updated(items, M, amount)
    regular = _regular(updated)
    trace = np.trace(np.linalg.inv(np.where(regular[:, None, None], updated, np.eye(M.shape[0]))), 0, 1, 2)
    return np.where(regular, -trace, -np.inf)


def c_optimality(
    items: MultidimensionalColumns, theta: ArrayLike, precision: ArrayLike, weights: ArrayLike
) -> FloatArray:
    """Minus the error variance of the composite weights . theta after each item is added, (n,).

    For a test that reports one weighted sum of its abilities (van der Linden, 1999; Mulder & van der Linden,
    2009). Needs a precision that is regular: with a prior, or with items that span all dimensions.
    """
    M, amount = _checked(items, theta, precision)
    composite = np.asarray(weights, dtype=np.float64)
    if composite.shape != (items.dimensions,) or not np.isfinite(composite).all():
        raise ValueError(f"weights must be {items.dimensions} finite numbers")
    if not _regular(M).all():
        raise ValueError("the precision is singular: the composite has no finite error variance yet")
    inverse = np.linalg.inv(M)
    gain = amount * (items.slopes * (items.slopes @ inverse)).sum(axis=1)
    drop = amount * (items.slopes @ (inverse @ composite)) ** 2 / (1.0 + gain)
    return np.asarray(drop - composite @ inverse @ composite, dtype=np.float64)


def kullback_leibler(
    items: MultidimensionalColumns, theta: ArrayLike, nodes: ArrayLike, mass: ArrayLike
) -> FloatArray:
    """Expected Kullback-Leibler divergence about the estimate theta (K,) over a posterior, (n,).

        sum_q mass_q sum_k P_k(theta) ln(P_k(theta) / P_k(nodes_q))

    (Veldkamp & van der Linden, 2002; after Chang & Ying, 1996). `mass` (Q,) on `nodes` (Q, K) is a posterior;
    with the masses of a `uniform_grid` it is the normalised likelihood, the criterion without a prior.
    """
    centre, points = points_axis(theta, items.dimensions), points_axis(nodes, items.dimensions)
    if centre.shape[0] != 1:
        raise ValueError("the divergence is taken about one theta")
    share = np.asarray(mass, dtype=np.float64)
    if share.shape != (points.shape[0],) or not (np.isfinite(share).all() and (share >= 0).all()):
        raise ValueError(f"mass must be {points.shape[0]} finite numbers, none negative")
    if not np.isclose(share.sum(), 1.0, rtol=0.0, atol=1e-9):
        raise ValueError(f"mass must sum to 1, not to {share.sum()}")
    utility = np.empty(len(items))
    size = max(1, BLOCK // (points.shape[0] * (items.intercepts.shape[1] + 1)))
    for start in range(0, len(items), size):
        rows = np.arange(start, min(start + size, len(items)))
        some = items.take(rows)
        utility[rows] = divergences(
            category_log_probabilities(some, centre)[0], finite_log_probabilities(some, points), share
        )
    return utility


def finite_log_probabilities(items: MultidimensionalColumns, nodes: ArrayLike) -> FloatArray:
    """ln P at the nodes (Q, K) with 0 instead of minus infinity for absent categories, (Q, n, m).

    The table of a whole pool, computed once, makes `divergences` a matter of milliseconds per step.
    """
    table = category_log_probabilities(items, nodes)
    table[np.isneginf(table)] = 0.0
    return table


def divergences(here: FloatArray, there: FloatArray, mass: FloatArray) -> FloatArray:
    """`kullback_leibler` from tables: ln P at the estimate (n, m), at the nodes (Q, n, m), mass (Q,).

    As sum_k P_k (ln P_k - sum_q mass_q ln P_kq), with `there` from `finite_log_probabilities`; unchecked.
    """
    elsewhere = np.tensordot(mass, there, axes=1)
    gap = np.where(np.isneginf(here), 0.0, here) - elsewhere
    return np.asarray((np.exp(here) * gap).sum(axis=1), dtype=np.float64)


def _checked(
    items: MultidimensionalColumns, theta: ArrayLike, precision: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """The precision as a symmetric (K, K) matrix, and each item's information about its composite (n,)."""
    M, K = np.asarray(precision, dtype=np.float64), items.dimensions
    if M.shape != (K, K) or not np.isfinite(M).all():
        raise ValueError(f"the precision must be a finite ({K}, {K}) matrix, not of shape {M.shape}")
    if not np.allclose(M, M.T, rtol=1e-9, atol=0.0):
        raise ValueError("the precision is not symmetric")
    M = 0.5 * (M + M.T)
    values = np.linalg.eigvalsh(M)
    if values[0] < -SINGULAR * max(abs(values[-1]), 1.0):
        raise ValueError("the precision has a negative eigenvalue")
    points = points_axis(theta, K)
    if points.shape[0] != 1:
        raise ValueError("items are ranked at one theta")
    return M, information_along(items, points)[0]


def _updated(items: MultidimensionalColumns, M: FloatArray, amount: FloatArray) -> FloatArray:
    """M + w a a' of every item, (n, K, K)."""
    outer = items.slopes[:, :, None] * items.slopes[:, None, :]
    return np.asarray(M + amount[:, None, None] * outer, dtype=np.float64)


def _regular(M: FloatArray) -> BoolArray:
    """Whether matrices (..., K, K) can be inverted."""
    values = np.linalg.eigvalsh(M)
    return np.asarray(values[..., 0] > SINGULAR * np.abs(values[..., -1]), dtype=np.bool_)
