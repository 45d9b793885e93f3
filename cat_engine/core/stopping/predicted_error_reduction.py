"""Stop when one more item would hardly make the estimate more precise (Choi, Grady and Dodd, 2010)."""

import math
from typing import Annotated

import msgspec
import numpy as np

from cat_engine.core.criteria import one_answer_ahead, summed_categories
from cat_engine.core.exact import THETA_UNIT
from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In millionths of theta: the standard error to reach; the reduction below which a candidate who has not
    reached it is let go; the reduction above which one who has goes on. And the items to give in any case.
    """

    target_millionths: Annotated[int, msgspec.Meta(ge=1)] = 300_000
    least_reduction_millionths: Annotated[int, msgspec.Meta(ge=0)] = 10_000
    worthwhile_reduction_millionths: Annotated[int, msgspec.Meta(ge=0)] = 30_000
    minimum_items: Annotated[int, msgspec.Meta(ge=1)] = 1


def predicted_error_reduction(view: SectionView, *, settings: Settings) -> str | None:
    """The reason once the most that a free item can be expected to take off the posterior's deviation is too
    little.

    The prediction is the square root of the expected posterior variance, over the answers that the posterior
    predicts. The error compared with the target is the posterior deviation too, whatever the estimator.
    """
    if len(view.answered) < settings.minimum_items:
        return None
    left = np.flatnonzero(view.unseen)
    if not left.size:
        return None
    ahead = one_answer_ahead(view)
    spread = summed_categories(ahead.chance * np.maximum(ahead.square - ahead.mean * ahead.mean, 0.0))
    centred = summed_categories(ahead.chance * ahead.mean)[0]
    now = summed_categories(ahead.chance * ahead.square)[0] - centred * centred
    error = math.sqrt(max(now, 0.0)) * THETA_UNIT
    reduction = error - math.sqrt(float(spread[left].min())) * THETA_UNIT
    reached = error <= settings.target_millionths
    least = settings.worthwhile_reduction_millionths if reached else settings.least_reduction_millionths
    return "predicted_error_reduction" if reduction < least else None


def _problem(settings: Settings, _section: object, _items: object) -> str:
    too_much = settings.worthwhile_reduction_millionths < settings.least_reduction_millionths
    return (
        "what is worthwhile beyond the target is less than the least reduction before it" if too_much else ""
    )


RULE = Rule(
    "predicted_error_reduction",
    Settings,
    predicted_error_reduction,
    About(
        formula="r = SD(theta | u) - min_i E[Var(theta | u, u_i)]^(1/2); stop when r < least, "
        "or SD <= target and r < worthwhile",
        source="Choi, Grady & Dodd (2011)",
        use="Short tests where nothing is to be gained, longer ones where precision is cheap.",
    ),
    problem=_problem,
)
