"""D-optimality: the item that shrinks the volume of the confidence ellipsoid most (Segall, 1996)."""

import msgspec
import numpy as np

from cat_engine.core.exact import UNIT
from cat_engine.core.families import SEVERAL, About, Rule
from cat_engine.core.matrices import quadratic
from cat_engine.core.spatial_precision import posterior_covariance, spatial
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the prior's precision counts in, so that the first item has something to add to."""


def determinant_optimality(view: SectionView, *, settings: Settings) -> Utility:
    """By which part each item would raise the determinant of the posterior precision."""
    del settings
    pool = spatial(view)
    amount = pool.information_along(view.estimate.thetas_millionths)
    gain = amount * quadratic(posterior_covariance(view), list(pool.slopes))
    return np.rint(gain * UNIT).astype(np.int64)


RULE = Rule(
    "determinant_optimality",
    Settings,
    determinant_optimality,
    About(
        formula="u_i = w_i a_i' M^-1 a_i, so that det(M + w_i a_i a_i') = det M (1 + u_i)",
        source="Segall (1996); Mulder & van der Linden (2009)",
        use="Several abilities that are all to be measured well: the usual choice.",
    ),
    SEVERAL,
)
