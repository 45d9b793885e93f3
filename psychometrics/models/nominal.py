"""The nominal response model (Bock, 1972): categories without an order, as the options of a choice item.

    P(X = k | theta) proportional to exp(D a_k theta + c_k),    a_0 = c_0 = 0

with one slope a_k and one intercept c_k for each category but the first, to which the others are compared. A
slope may be negative: such a category loses to the first as ability grows. The GPCM is the special case with
slopes k a and intercepts -D a (d_1 + ... + d_k).

D multiplies the slopes only. The intercepts are logits already: at theta = 0 the category probabilities do
not depend on D, and on the metric D = 1 the parameters are those that Bock's article and the programs that
follow it print (their a_0 = c_0 = 0 parametrisation).

Items of different length share matrices of slopes and intercepts (n, m - 1) with NaN in unused places. The
functions here are elementwise and unchecked, theta (..., n), and answer (..., n, m).
"""

import numpy as np

from psychometrics.arrays import FloatArray
from psychometrics.models.dichotomous import LogDerivatives


def nominal_log_probabilities_at(
    theta: FloatArray, slopes: FloatArray, intercepts: FloatArray, *, D: float
) -> FloatArray:
    """Elementwise ln P(X = k | theta): the largest exponent is taken out first, so nothing overflows."""
    exponents = D * slopes * theta[..., None] + intercepts
    exponents = np.where(np.isnan(exponents), -np.inf, exponents)
    exponents = np.concatenate([np.zeros((*exponents.shape[:-1], 1)), exponents], axis=-1)
    shifted = exponents - exponents.max(axis=-1, keepdims=True)
    total = np.exp(shifted).sum(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(total), dtype=np.float64)


def nominal_log_derivatives_at(
    theta: FloatArray, slopes: FloatArray, intercepts: FloatArray, *, D: float
) -> LogDerivatives:
    """Elementwise derivatives: D (a_k - E[a_X]) and -D^2 Var[a_X], the latter the same in every category."""
    p = np.exp(nominal_log_probabilities_at(theta, slopes, intercepts, D=D))
    first = np.zeros((slopes.shape[0], 1))
    own = D * np.concatenate([first, slopes], axis=1)
    present = ~np.isnan(own)
    own = np.where(present, own, 0.0)
    mean = (p * own).sum(axis=-1, keepdims=True)
    variance = (p * (own - mean) ** 2).sum(axis=-1, keepdims=True)
    return LogDerivatives(np.where(present, own - mean, 0.0), np.where(present, -variance, 0.0))
