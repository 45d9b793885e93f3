"""Posterior expected Kullback-Leibler information about several abilities."""

import msgspec
import numpy as np

from cat_engine.core.exact import UNIT, exponential
from cat_engine.core.families import SEVERAL, About, Rule
from cat_engine.core.spatial_precision import spatial
from cat_engine.core.views import SectionView, Utility, shares_of


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the section's prior and correlations count in."""


def several_kullback_leibler(view: SectionView, *, settings: Settings) -> Utility:
    """How well each item tells the estimate from what else the posterior holds possible."""
    del settings
    pool = spatial(view)
    here = pool.log_probability_along(view.estimate.thetas_millionths)
    shape = here.shape
    table = pool.log_probability_at_coarse
    shares = shares_of(view.evidence.weights[pool.coarse])
    elsewhere = table.weighted(shares).reshape(shape) * table.unit
    mass = float(shares.sum())
    divergence = exponential(here) * (here * mass - elsewhere) * pool.has_category
    total = divergence[:, 0]
    for category in range(1, shape[1]):
        total = total + divergence[:, category]
    return np.rint(total * (UNIT / mass)).astype(np.int64)


RULE = Rule(
    "several_kullback_leibler",
    Settings,
    several_kullback_leibler,
    About(
        formula="u_i = sum_q p(theta_q | x) sum_k P_ik(theta_hat) ln(P_ik(theta_hat) / P_ik(theta_q))",
        source="Veldkamp & van der Linden (2002); Chang & Ying (1996)",
        use="The first items of a test of several abilities, while the estimate is uncertain.",
    ),
    SEVERAL,
)
