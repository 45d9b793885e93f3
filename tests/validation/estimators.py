"""The estimators that are compared, over whole matrices of responses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from psychometrics.arrays import FloatArray, IntArray
from psychometrics.estimation.eap import eap_estimates
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.grids import STANDARD_NORMAL, converged_grid
from psychometrics.estimation.jeffreys import JeffreysError, jeffreys_mode_estimates
from psychometrics.estimation.posterior_mode import map_estimates, maximum_likelihood_estimates
from psychometrics.estimation.search import Bounds
from psychometrics.estimation.weighted_likelihood import warm_estimates
from psychometrics.models.items import ItemColumns

WIDE = Bounds(-6.0, 6.0)
BATCH = 1000

BY_NAME: dict[str, Callable[[ItemColumns, IntArray], Estimates]] = {
    "ML": lambda items, x: maximum_likelihood_estimates(items, x, bounds=WIDE),
    "Warm": lambda items, x: warm_estimates(items, x, bounds=WIDE),
    "Jeffreys": lambda items, x: jeffreys_mode_estimates(
        items, x, bounds=WIDE, error=JeffreysError.INFORMATION
    ),
    "MAP": lambda items, x: map_estimates(items, x, STANDARD_NORMAL, bounds=WIDE),
    "EAP": lambda items, x: eap_estimates(items, x, converged_grid()),
}


def estimate(name: str, items: ItemColumns, matrix: IntArray) -> Estimates:
    """Estimates of all candidates, in batches that keep memory flat."""
    parts = [BY_NAME[name](items, matrix[start : start + BATCH]) for start in range(0, len(matrix), BATCH)]
    theta: FloatArray = np.concatenate([part.theta for part in parts])
    return Estimates(theta, np.concatenate([part.standard_error for part in parts]))
