"""Responses of candidates to items, as a matrix or as a list of the pairs that exist.

An adaptive test gives each candidate a few items of a large pool: most of the matrix (N, n) is
NOT_ADMINISTERED. Sums over a candidate's items run in the order of the items, one addition after the other,
so that a candidate gets the same bits alone and in a batch of thousands.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import NOT_ADMINISTERED, FloatArray, IntArray, refuse_rows, whole_numbers
from psychometrics.models.items import ItemColumns


def response_matrix(items: ItemColumns, responses: ArrayLike) -> IntArray:
    """Responses as (N, n) integers; one candidate may be given as (n,). Refuses unknown categories."""
    raw = np.asarray(responses)
    if raw.size and raw.dtype.kind not in "iub":
        raise ValueError(f"responses must be whole numbers, not {raw.dtype}")
    matrix = np.atleast_2d(raw).astype(np.int64)
    if matrix.ndim != 2 or matrix.shape[1] != len(items):
        raise ValueError(f"responses have shape {raw.shape}, expected (N, {len(items)})")
    wrong = (matrix < NOT_ADMINISTERED) | (matrix >= items.category_counts)
    if wrong.any():
        candidate, item = (int(index) for index in np.argwhere(wrong)[0])
        raise ValueError(
            f"candidate {candidate}, item {item}: there is no category {int(matrix[candidate, item])}"
        )
    return matrix


def administered_columns(administered: ArrayLike, pool_size: int) -> IntArray:
    """Columns (k,) of the items given from a pool. Refuses fractions, strangers to the pool, repetitions."""
    columns = whole_numbers(administered, "items administered")
    if columns.ndim != 1:
        raise ValueError(f"items administered must be one column, not of shape {columns.shape}")
    refuse_rows((columns < 0) | (columns >= pool_size), "the item is not of this pool")
    if np.unique(columns).size != columns.size:
        raise ValueError("an item is administered twice")
    return columns


def administered_responses(
    items: ItemColumns, administered: ArrayLike, responses: ArrayLike
) -> tuple[IntArray, IntArray]:
    """Columns (k,) and categories (k,) of one candidate's answers, in the order in which they came.

    Beside what `administered_columns` refuses: another number of responses than of items, and a category
    that its item does not have; NOT_ADMINISTERED is none.
    """
    columns = administered_columns(administered, len(items))
    given = whole_numbers(responses, "responses")
    if given.shape != columns.shape:
        raise ValueError(f"{columns.size} items administered, but {given.size} responses")
    refuse_rows((given < 0) | (given >= items.category_counts[columns]), "the item has no such category")
    return columns, given


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The responses that exist: who gave them, the item's parameters, the category. All of length p."""

    candidate_count: int
    candidate: IntArray
    items: ItemColumns
    category: IntArray

    def chosen(self, table: FloatArray) -> FloatArray:
        """Of a (p, m) table, the column of the category that was given, shape (p,)."""
        return np.asarray(table[np.arange(self.category.size), self.category], dtype=np.float64)

    def total(self, values: FloatArray) -> FloatArray:
        """Sum of (p,) values over each candidate's responses, shape (N,)."""
        total = np.bincount(self.candidate, weights=values, minlength=self.candidate_count)
        return np.asarray(total, dtype=np.float64)


def response_pairs(items: ItemColumns, matrix: IntArray) -> Pairs:
    """The administered responses of a matrix, candidate by candidate, in item order."""
    candidate, item = np.nonzero(matrix != NOT_ADMINISTERED)
    return Pairs(matrix.shape[0], candidate, items.take(item), matrix[candidate, item])


def sum_chosen(table: FloatArray, matrix: IntArray) -> FloatArray:
    """Sum over a candidate's items of table[:, item, category given]; (q, n, m) with (N, n) gives (N, q)."""
    total = np.zeros((matrix.shape[0], table.shape[0]))
    for item in range(matrix.shape[1]):
        given = np.flatnonzero(matrix[:, item] != NOT_ADMINISTERED)
        total[given] += table[:, item, matrix[given, item]].T
    return total


def sum_administered(table: FloatArray, matrix: IntArray) -> FloatArray:
    """Sum over a candidate's items of table[:, item]; (q, n) with (N, n) gives (N, q)."""
    total = np.zeros((matrix.shape[0], table.shape[0]))
    for item in range(matrix.shape[1]):
        total[matrix[:, item] != NOT_ADMINISTERED] += table[:, item]
    return total
