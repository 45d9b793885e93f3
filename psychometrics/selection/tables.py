"""What selection needs of a pool, computed once, and what the responses so far add to it.

The nodes are equally spaced; integrals over ability use the trapezoid rule on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, IntArray, frozen_copy
from psychometrics.estimation.grids import NormalPrior, normal_density
from psychometrics.estimation.search import Bounds
from psychometrics.information import fisher_information
from psychometrics.models.items import ItemColumns, category_log_probabilities
from psychometrics.responses import administered_responses
from psychometrics.selection.reading import PoolReader, pool_reader

READING_RANGE = Bounds(-5.0, 5.0)
"""Where curves are read from tables; an estimate outside is computed instead."""


@dataclass(frozen=True, eq=False)
class CriterionTables:
    """Curves of n items with m categories on q equally spaced nodes; all arrays read-only.

    nodes (q,); lengths (q,), the trapezoid rule's share of the axis for each node; probabilities and
    log_probabilities (q, n * m), the categories of an item side by side, both 0 for a category the item does
    not have; information (q, n), Fisher's; reading, the range of the reader.
    """

    items: ItemColumns
    nodes: FloatArray
    lengths: FloatArray
    probabilities: FloatArray
    log_probabilities: FloatArray
    information: FloatArray
    category_counts: IntArray
    reading: Bounds

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def reader(self) -> PoolReader:
        """Answers the curves at any theta. Made when first asked for: it has a node every 0.05 of ability."""
        return pool_reader(self.items, self.reading)

    @property
    def category_count(self) -> int:
        """The largest number m of categories of any item, the width of the tables."""
        return int(self.probabilities.shape[1]) // len(self.items)

    def by_item(self, columns: FloatArray) -> FloatArray:
        """A vector over (item, category) pairs as a table (n, m)."""
        return columns.reshape(len(self.items), -1)


def criterion_tables(
    items: ItemColumns, nodes: ArrayLike, *, reading: Bounds = READING_RANGE
) -> CriterionTables:
    """Tables of a pool on equally spaced nodes (q,). Refuses an empty pool and nodes that are not evenly
    spread."""
    if len(items) == 0:
        raise ValueError("the pool is empty")
    points = frozen_copy(nodes)
    lengths = trapezoid_lengths(points)
    log_p = category_log_probabilities(items, points)
    p = np.exp(log_p)
    present = np.arange(log_p.shape[2]) < items.category_counts[:, None]
    return CriterionTables(
        items=items,
        nodes=points,
        lengths=frozen_copy(lengths),
        probabilities=frozen_copy(p.reshape(points.size, -1)),
        log_probabilities=frozen_copy(np.where(present, log_p, 0.0).reshape(points.size, -1)),
        information=frozen_copy(fisher_information(items, points)),
        category_counts=items.category_counts,
        reading=reading,
    )


def trapezoid_lengths(nodes: FloatArray) -> FloatArray:
    """Weights (q,) of the trapezoid rule on equally spaced nodes: the step, and half of it at the ends."""
    if nodes.ndim != 1 or nodes.size < 2 or not np.isfinite(nodes).all():
        raise ValueError("nodes must be at least two finite points on one axis")
    steps = np.diff(nodes)
    step = (nodes[-1] - nodes[0]) / (nodes.size - 1)
    if step <= 0 or np.abs(steps - step).max() > 1e-9 * step:
        raise ValueError("nodes must rise in equal steps")
    lengths = np.full(nodes.size, step)
    lengths[[0, -1]] *= 0.5
    return lengths


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known about a candidate on the nodes: likelihood (q,) of the responses, prior density (q,).

    The likelihood is L(theta) itself, so that weighted criteria are the integrals of the literature; only
    its shape matters for the ranking.
    """

    tables: CriterionTables
    likelihood: FloatArray
    prior: FloatArray

    def likelihood_weights(self) -> FloatArray:
        """L(theta_q) dtheta, shape (q,): for integrals against the likelihood. Not normalised."""
        return self.likelihood * self.tables.lengths

    def posterior_weights(self) -> FloatArray:
        """L(theta_q) p(theta_q) dtheta, shape (q,): for integrals against likelihood times prior."""
        return self.likelihood * self.prior * self.tables.lengths

    def posterior_mass(self) -> FloatArray:
        """Posterior probability of each node by the trapezoid rule, shape (q,), summing to 1."""
        return _normalised(self.posterior_weights())

    def node_mass(self, *, with_prior: bool) -> FloatArray:
        """Likelihood, or likelihood times prior, as a distribution over the nodes, shape (q,), summing to 1.

        Every node counts as one point, the two ends included: the convention of discrimination indices.
        """
        return _normalised(self.likelihood * self.prior if with_prior else self.likelihood)


def evidence(
    tables: CriterionTables,
    administered: Sequence[int],
    responses: Sequence[int],
    prior: NormalPrior | ArrayLike,
    *,
    relative: bool = False,
) -> Evidence:
    """Evidence of the responses given to the administered items; no response leaves the likelihood at 1.

    `prior` is a normal prior or a density at the nodes (q,). `relative` divides the likelihood by its
    largest value, which changes no ranking and keeps very long tests from underflowing; without it such a
    test is refused. Also refused: an item that is not of the pool or comes twice, a category that its item
    does not have.
    """
    columns, given = administered_responses(tables.items, administered, responses)
    log_likelihood = tables.log_probabilities[:, columns * tables.category_count + given].sum(axis=1)
    if relative:
        log_likelihood = log_likelihood - log_likelihood.max()
    likelihood = np.exp(log_likelihood)
    if not likelihood.any():
        raise ValueError("the likelihood underflows on every node: ask for the relative likelihood")
    density = normal_density(tables.nodes, prior) if isinstance(prior, NormalPrior) else frozen_copy(prior)
    return evidence_of(tables, likelihood, density)


def evidence_of(tables: CriterionTables, likelihood: ArrayLike, prior: ArrayLike) -> Evidence:
    """Evidence from a likelihood and a prior density on the nodes, both (q,)."""
    values = frozen_copy(likelihood), frozen_copy(prior)
    for name, value in zip(("likelihood", "prior"), values, strict=True):
        if value.shape != tables.nodes.shape:
            raise ValueError(f"{name} has shape {value.shape}, expected {tables.nodes.shape}")
        if not (np.isfinite(value).all() and (value >= 0).all() and value.any()):
            raise ValueError(f"{name} must be finite and not negative, and positive somewhere")
    if not (values[0] * values[1]).any():
        raise ValueError("likelihood and prior exclude each other on every node")
    return Evidence(tables, *values)


def _normalised(mass: FloatArray) -> FloatArray:
    return np.asarray(mass / mass.sum(), dtype=np.float64)
