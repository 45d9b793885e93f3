"""Stop when the items answered give enough information at the estimate."""

from typing import Annotated

import msgspec

from cat_engine.core.exact import THETA_UNIT, UNIT
from cat_engine.core.families import About, Rule
from cat_engine.core.views import SectionView

_BILLIONTHS = UNIT // THETA_UNIT  # in a millionth


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The information to reach, in millionths, and the items to give in any case."""

    target_millionths: Annotated[int, msgspec.Meta(ge=1)]
    minimum_items: Annotated[int, msgspec.Meta(ge=1)] = 1


def test_information(view: SectionView, *, settings: Settings) -> str | None:
    """The reason once the test information at the estimate reaches the target.

    Unlike the standard error of a posterior it owes nothing to the prior.
    """
    if len(view.answered) < settings.minimum_items:
        return None
    given = view.pool.information_at(view.estimate.theta_millionths)[list(view.answered)]
    enough = int(given.sum()) >= settings.target_millionths * _BILLIONTHS
    return "test_information" if enough else None


RULE = Rule(
    "test_information",
    Settings,
    test_information,
    About(
        formula="stop when sum I_i(theta_hat) >= target over the items answered",
        source="Birnbaum (1968); Samejima (1977)",
        use="A precision that must come from the answers alone, whatever the prior.",
    ),
)
