"""Stop when the estimate has settled."""

from typing import Annotated

import msgspec

from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.views import SectionView


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The change below which the estimate counts as settled, in millionths of theta; over how many answers
    in a row; and the items to give in any case.
    """

    change_millionths: Annotated[int, msgspec.Meta(ge=1)]
    answers: Annotated[int, msgspec.Meta(ge=1)] = 1
    minimum_items: Annotated[int, msgspec.Meta(ge=1)] = 1


def theta_change(view: SectionView, *, settings: Settings) -> str | None:
    """The reason once each of the last answers moved the estimate by less than the change named.

    The first answer moves the start, not an estimate: it does not count.
    """
    count = len(view.answered)
    if count < settings.minimum_items:
        return None
    later = view.estimate
    for answers in range(count - 1, count - 1 - settings.answers, -1):
        earlier = view.estimate_after(answers)
        if earlier is None:
            return None
        if abs(later.theta_millionths - earlier.theta_millionths) >= settings.change_millionths:
            return None
        later = earlier
    return "theta_change"


RULE = Rule(
    "theta_change",
    Settings,
    theta_change,
    About(
        formula="stop when |theta_hat_j - theta_hat_(j-1)| < change for the last k answers",
        source="Hambleton, Zaal & Pieters (1991); Babcock & Weiss (2012)",
        use="Beside a rule of precision. Alone it may stop too early: an estimate can rest and move again.",
    ),
    abilities=ANY,
)
