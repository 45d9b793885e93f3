"""A-optimality: the item that lowers the sum of the abilities' error variances most."""

import msgspec
import numpy as np

from cat_engine.core.exact import UNIT
from cat_engine.core.families import SEVERAL, About, Rule
from cat_engine.core.matrices import product, quadratic
from cat_engine.core.spatial_precision import posterior_covariance, spatial
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the prior's precision counts in."""


def trace_optimality(view: SectionView, *, settings: Settings) -> Utility:
    """By how much each item would lower the trace of the posterior covariance."""
    del settings
    pool, covariance = spatial(view), posterior_covariance(view)
    slopes = list(pool.slopes)
    amount = pool.information_along(view.estimate.thetas_millionths)
    drop = amount * quadratic(product(covariance, covariance), slopes)
    return np.rint(drop / (1.0 + amount * quadratic(covariance, slopes)) * UNIT).astype(np.int64)


RULE = Rule(
    "trace_optimality",
    Settings,
    trace_optimality,
    About(
        formula="u_i = w_i a_i' M^-2 a_i / (1 + w_i a_i' M^-1 a_i) = tr M^-1 - tr (M + w_i a_i a_i')^-1",
        source="Mulder & van der Linden (2009)",
        use="Several abilities whose errors are reported one by one.",
    ),
    SEVERAL,
)
