"""Small matrices, added up in a fixed order so that they have the same bits everywhere."""

import numpy as np

from cat_engine.core.exact import Floats
from cat_engine.core.test_package import Section

Matrix = tuple[tuple[float, ...], ...]


def prior_covariance(section: Section) -> Matrix:
    """The covariance of the section's prior, from deviations and the correlations row by row."""
    deviations = [dimension.deviation for dimension in section.dimensions]
    correlations = iter(section.correlations)
    K = len(deviations)
    table = [[0.0] * K for _ in range(K)]
    for one in range(K):
        table[one][one] = deviations[one] * deviations[one]
        for other in range(one + 1, K):
            table[one][other] = table[other][one] = next(correlations) * deviations[one] * deviations[other]
    return tuple(tuple(row) for row in table)


def inverse(matrix: Matrix) -> Matrix:
    """Inverse of a symmetric positive definite matrix, by elimination; no pivot needs to be sought."""
    K = len(matrix)
    rows = [[*row, *(float(i == j) for j in range(K))] for i, row in enumerate(matrix)]
    for column in range(K):
        pivot = rows[column][column]
        if pivot <= 0.0:
            raise ValueError("the covariance is not positive definite")
        rows[column] = [value / pivot for value in rows[column]]
        for other in range(K):
            if other != column:
                factor = rows[other][column]
                rows[other] = [v - factor * p for v, p in zip(rows[other], rows[column], strict=True)]
    return tuple(tuple(row[K:]) for row in rows)


def quadratic(matrix: Matrix, vectors: list[Floats]) -> Floats:
    """v' M v elementwise over vectors given by component, each (n,); added in a fixed order."""
    total = np.zeros_like(vectors[0])
    for i, row in enumerate(matrix):
        for j, entry in enumerate(row):
            total = total + entry * (vectors[i] * vectors[j])
    return total


def product(one: Matrix, other: Matrix) -> Matrix:
    """Matrix product, added in a fixed order."""
    found = []
    for row in one:
        line = []
        for column in range(len(other[0])):
            total = 0.0
            for k, entry in enumerate(row):
                total += entry * other[k][column]
            line.append(total)
        found.append(tuple(line))
    return tuple(found)


MOST_CORRELATION = 0.95
PRIOR_MEAN_LIMIT = 6.0
PRIOR_DEVIATIONS = (0.05, 20.0)
"""Half a node, and more than any population. Far narrower ones leave the integers that densities run in."""


def prior_problem(mean: float, deviation: float) -> str:
    """What is wrong with a normal prior, or ""."""
    least, most = PRIOR_DEVIATIONS
    if not abs(mean) <= PRIOR_MEAN_LIMIT:
        return f"the prior's mean is not between {-PRIOR_MEAN_LIMIT} and {PRIOR_MEAN_LIMIT}"
    return "" if least <= deviation <= most else f"the prior's deviation is not between {least} and {most}"


def dimensions_problem(section: Section, loadings: list[tuple[str, int]]) -> str:
    """What is wrong with a section of several abilities, or "" (`loadings`: each item's code and number of
    slopes, 0 for an item of one ability).
    """
    K = len(section.dimensions)
    for code, count in loadings:
        if count != K:
            return (
                f"{code} has {count} slopes among {K} dimensions"
                if K
                else f"{code} measures several abilities"
            )
    if not K:
        return "correlations without dimensions" if section.correlations else ""
    if K not in (2, 3):
        return f"{K} dimensions: 2 or 3 can be measured together"
    if len(section.correlations) != K * (K - 1) // 2:
        return f"{len(section.correlations)} correlations among {K} dimensions"
    if sum(dimension.per_mille for dimension in section.dimensions) != 1000:
        return "the parts of the composite do not add up to 1000"
    if any(abs(correlation) > MOST_CORRELATION for correlation in section.correlations):
        return f"a correlation beyond {MOST_CORRELATION}: abilities that are one are measured as one"
    if not np.isfinite(section.correlations).all():
        return "the prior is no distribution"
    found = (prior_problem(dimension.mean, dimension.deviation) for dimension in section.dimensions)
    for problem in found:
        if problem:
            return problem
    try:
        inverse(prior_covariance(section))
    except ValueError as error:
        return str(error)
    return ""
