"""Standard errors by name. Programs that all say "standard error" mean different numbers; here each has its
own.

Expected information is Fisher's, summed over the items given; observed information is minus the second
derivative of the log-likelihood at the responses that came. A normal prior of deviation sd adds 1 / sd^2 to
either. The posterior standard deviation that belongs to the EAP is computed with it, on its grid;
`conventions` lists all of them under one entrance.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, candidate_thetas, member
from psychometrics.estimation.grids import NormalPrior
from psychometrics.information import expected_moments_at
from psychometrics.models.items import ItemColumns, log_derivatives_at
from psychometrics.responses import Pairs, response_matrix, response_pairs


class InformationKind(StrEnum):
    """Which information a standard error is the inverse root of."""

    EXPECTED = "expected"
    OBSERVED = "observed"


def standard_errors(
    items: ItemColumns,
    responses: ArrayLike,
    theta: ArrayLike,
    *,
    kind: InformationKind,
    prior: NormalPrior | None,
) -> FloatArray:
    """1 / sqrt(information + prior precision) of each candidate (N,) at theta (N,).

    Infinite where there is no information to invert: no item, an item that says nothing, or observed
    information that is not positive, as aberrant responses give under the 3PL and 4PL. Refused is a theta
    that is not finite.
    """
    matrix = response_matrix(items, responses)
    at = candidate_thetas(theta, matrix.shape[0])
    return standard_errors_of_pairs(response_pairs(items, matrix), at, kind=kind, prior=prior)


def standard_errors_of_pairs(
    pairs: Pairs, theta: FloatArray, *, kind: InformationKind, prior: NormalPrior | None
) -> FloatArray:
    """`standard_errors` for responses that are already listed."""
    own = theta[pairs.candidate]
    if member(InformationKind, kind) is InformationKind.EXPECTED:
        information = pairs.total(expected_moments_at(pairs.items, own).information)
    else:
        information = -pairs.total(pairs.chosen(log_derivatives_at(pairs.items, own).curvature))
    return error_of_information(information, prior)


def error_of_information(information: ArrayLike, prior: NormalPrior | None) -> FloatArray:
    """1 / sqrt(information + 1 / sd^2), the latter with a prior only; infinite if that is not positive."""
    precision = np.asarray(information, dtype=np.float64) + (0.0 if prior is None else prior.sd**-2)
    positive = precision > 0
    return np.where(positive, 1.0 / np.sqrt(np.where(positive, precision, 1.0)), np.inf)
