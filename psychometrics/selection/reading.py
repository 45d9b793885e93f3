"""The curves of a pool at one ability: computed from the models, or read from a fine table.

Reading is cubic Hermite interpolation between nodes 0.05 apart, which takes values and slopes from the
table. Its error is at most h^4 / 384 max|f''''|: below 1e-6 of probability or information up to slopes D a
of about 2.5. Criteria need the curves of the whole pool after every response; reading is ten times
cheaper than computing.
"""

from dataclasses import dataclass

import numpy as np

from psychometrics.arrays import FloatArray, frozen_copy, theta_axis
from psychometrics.estimation.search import Bounds
from psychometrics.information import expected_moments
from psychometrics.models.items import (
    ItemColumns,
    category_log_derivatives,
    category_log_probabilities,
)


@dataclass(frozen=True, slots=True, eq=False)
class PoolAt:
    """The pool at one theta: probabilities and log_probabilities (n, m), Fisher information (n,).

    Both tables are 0 for a category the item does not have.
    """

    theta: float
    probabilities: FloatArray
    log_probabilities: FloatArray
    information: FloatArray


def pool_at(items: ItemColumns, theta: float) -> PoolAt:
    """The pool at theta, computed from the models."""
    log_p = category_log_probabilities(items, theta)[0]
    present = np.arange(log_p.shape[1]) < items.category_counts[:, None]
    information = expected_moments(items, theta).information[0]
    return PoolAt(float(theta), np.exp(log_p), np.where(present, log_p, 0.0), information)


@dataclass(frozen=True, slots=True, eq=False)
class PoolReader:
    """Tables on equally spaced nodes: value and slope times step, (q, 2, n * m) and (q, 2, n)."""

    items: ItemColumns
    lower: float
    step: float
    probabilities: FloatArray
    information: FloatArray

    def at(self, theta: float) -> PoolAt:
        """The pool at theta, read; computed where theta lies outside the table."""
        place = self._place(theta)
        if place is None:
            return pool_at(self.items, theta)
        row, weights = place
        p = weights @ self.probabilities[row : row + 2].reshape(4, -1)
        p = np.maximum(p, 0.0).reshape(len(self.items), -1)
        log_p = np.log(p, out=np.zeros_like(p), where=p > 0)
        return PoolAt(float(theta), p, log_p, weights @ self.information[row : row + 2].reshape(4, -1))

    def information_at(self, theta: float) -> FloatArray:
        """Fisher information of every item at theta, shape (n,)."""
        place = self._place(theta)
        if place is None:
            return pool_at(self.items, theta).information
        row, weights = place
        return np.asarray(weights @ self.information[row : row + 2].reshape(4, -1), dtype=np.float64)

    def own_information_at(self, theta: FloatArray) -> FloatArray:
        """Fisher information of item i at each of theta[i], (n, k) to (n, k).

        A theta outside the table is taken as the nearer end of it.
        """
        last = self.information.shape[0] - 2
        offset = np.clip((theta - self.lower) / self.step, 0.0, last + 1.0)
        row = np.minimum(offset.astype(np.int64), last)
        w0, w1, w2, w3 = hermite_weights(offset - row)
        flat = self.information.reshape(-1)
        n = len(self.items)
        first = row * (2 * n) + np.arange(n)[:, None]
        return np.asarray(
            w0 * flat.take(first)
            + w1 * flat.take(first + n)
            + w2 * flat.take(first + 2 * n)
            + w3 * flat.take(first + 3 * n),
            dtype=np.float64,
        )

    def _place(self, theta: float) -> tuple[int, FloatArray] | None:
        offset = (theta - self.lower) / self.step
        last = self.information.shape[0] - 2
        if not 0.0 <= offset <= last + 1.0:
            return None
        row = min(int(offset), last)
        return row, np.array(hermite_weights(offset - row))


def pool_reader(items: ItemColumns, range_: Bounds) -> PoolReader:
    """The reader of a pool over a range of ability, nodes at most 0.05 apart."""
    nodes = theta_axis(range_.nodes())
    step = float(nodes[1] - nodes[0])
    moments = expected_moments(items, nodes)
    p = np.exp(category_log_probabilities(items, nodes))
    slope = p * category_log_derivatives(items, nodes).score
    return PoolReader(
        items,
        float(nodes[0]),
        step,
        frozen_copy(np.stack([_rows(p), _rows(slope) * step], axis=1)),
        frozen_copy(np.stack([moments.information, moments.derivative * step], axis=1)),
    )


def hermite_weights(u: FloatArray | float) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Weights of value and scaled slope at the left and at the right node, u in [0, 1] between them."""
    x = np.asarray(u, dtype=np.float64)
    rest = 1.0 - x
    return (1.0 + 2.0 * x) * rest * rest, x * rest * rest, x * x * (3.0 - 2.0 * x), -x * x * rest


def _rows(table: FloatArray) -> FloatArray:
    return table.reshape(table.shape[0], -1)
