"""How sure a ranking is.

Two candidates are measured with independent errors; their true difference is normal around the difference of
the estimates, so P(A above B) = Phi((theta_A - theta_B) / sqrt(SE_A^2 + SE_B^2)). A panel that sees 0.53
beside two neighbouring ranks knows that the test did not separate the two.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from psychometrics.arrays import FloatArray, refuse_rows


def probability_above(
    estimate_a: float, standard_error_a: float, estimate_b: float, standard_error_b: float
) -> float:
    """Probability that the true ability of A is above that of B; 1/2 for a tie without any error."""
    both = pairwise_probability_above([estimate_a, estimate_b], [standard_error_a, standard_error_b])
    return float(both[0, 1])


def pairwise_probability_above(estimate: ArrayLike, standard_error: ArrayLike) -> FloatArray:
    """Entry (i, j) is the probability that candidate i is truly above candidate j, (N, N), 1/2 on the
    diagonal.

    Two estimates without error are ordered with certainty, and a tie between them is a tie.
    """
    centre = np.atleast_1d(np.asarray(estimate, dtype=np.float64))
    spread = np.broadcast_to(np.asarray(standard_error, dtype=np.float64), centre.shape)
    refuse_rows(~np.isfinite(centre), "the estimate is not finite")
    refuse_rows(~(np.isfinite(spread) & (spread >= 0)), "the standard error is not finite or is negative")
    difference = centre[:, None] - centre[None, :]
    error = np.hypot(spread[:, None], spread[None, :])
    certain = np.where(difference == 0, 0.0, np.where(difference > 0, np.inf, -np.inf))
    with np.errstate(over="ignore"):  # a vanishing error is certainty: infinity is the right answer
        standardised = np.divide(difference, error, out=certain, where=error > 0)
    return np.asarray(ndtr(standardised), dtype=np.float64)
