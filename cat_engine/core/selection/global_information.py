"""Global information: Kullback-Leibler over a window that shrinks with the test (Chang and Ying, 1996)."""

import math
from typing import Annotated

import msgspec

from cat_engine.core.criteria import divergence, utility_of, window_weights
from cat_engine.core.exact import THETA_UNIT
from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Half the width of the window after the first answer, in millionths of theta; after n answers it is
    divided by the square root of n.
    """

    half_width_millionths: Annotated[int, msgspec.Meta(ge=100_000, le=6_000_000)] = 3_000_000


def global_information(view: SectionView, *, settings: Settings) -> Utility:
    """How well each item tells the estimate from the abilities in a window around it."""
    half = settings.half_width_millionths / THETA_UNIT / math.sqrt(max(len(view.answered), 1))
    theta = view.estimate.theta_millionths / THETA_UNIT
    return utility_of(divergence(view, window_weights(theta - half, theta + half)))


RULE = Rule(
    "global_information",
    Settings,
    global_information,
    About(
        formula="u_i = mean of KL_i(theta_hat || x) over |x - theta_hat| <= c / sqrt(n)",
        source="Chang & Ying (1996)",
        use="Wide sight at the start, where the estimate is poor; becomes maximum information at the end.",
    ),
)
