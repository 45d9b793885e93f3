"""The natural logarithm that gives the same bits everywhere (see `exact`)."""

import numpy as np

from cat_engine.core.exact import Floats

_LN2_HIGH = 6.93147180369123816490e-01  # Cody and Waite's split of ln 2: the product with k stays exact
_LN2_LOW = 1.90821492927058770002e-10
_SQRT_HALF = 0.7071067811865476
_TERMS = tuple(1.0 / odd for odd in range(21, 0, -2))


def logarithm(x: Floats) -> Floats:
    """ln x of positive x (any shape): x = 2**k m, ln m = 2 artanh((m - 1) / (m + 1)) by its series; the
    error is below 4e-16 of the larger of 1 and |ln x|.
    """
    m, k = np.frexp(x)
    low = m < _SQRT_HALF
    m = np.where(low, m + m, m)
    k = k - low
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    total = np.full_like(s, _TERMS[0])
    for term in _TERMS[1:]:
        total = total * z + term
    return np.asarray(k * _LN2_HIGH + ((s + s) * total + k * _LN2_LOW), dtype=np.float64)
