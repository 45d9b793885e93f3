"""Conditional exposure control after Stocking and Lewis: exposure parameters by ability."""

from bisect import bisect_right
from typing import Annotated

import msgspec

from cat_engine.core.exact import Integers
from cat_engine.core.exposure_draws import (
    PER_MILLE,
    ByCode,
    column,
    refuse_unordered,
    unknown_code,
    walk,
)
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.test_package import PoolItem, Section
from cat_engine.core.views import Choice, SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exposure parameters in thousandths by item code, a table for each ability segment, lowest first; an
    item that a table does not name has 1000. `cuts_millionths` are the borders between the segments. The
    multinomial is over the `list_length` best.
    """

    cuts_millionths: tuple[int, ...] = ()
    parameters: tuple[ByCode, ...] = ()
    list_length: Annotated[int, msgspec.Meta(ge=1)] = 60

    def __post_init__(self) -> None:
        """Segments and tables go together."""
        refuse_unordered(self.cuts_millionths)
        if self.parameters and len(self.parameters) != len(self.cuts_millionths) + 1:
            raise ValueError(f"{len(self.cuts_millionths) + 1} segments, {len(self.parameters)} tables")


_NO_TABLE: dict[str, int] = {}


def stocking_lewis(view: SectionView, utility: Utility, eligible: Integers, *, settings: Settings) -> Choice:
    """Draw one item of the list with the probability of being the first to pass at this ability.

    P_j = k_j prod_(l<j) (1 - k_l) / (1 - prod_l (1 - k_l)), l by rank: a walk down the list on condition that
    it ends. Items passed over stay so for as long as their parameter does not rise above their number.
    """
    table = _NO_TABLE
    if settings.parameters:
        table = settings.parameters[bisect_right(settings.cuts_millionths, view.estimate.theta_millionths)]
    return walk(view, utility, eligible, column(view.pool, table, PER_MILLE), settings.list_length)


def _problem(settings: Settings, _section: Section, items: tuple[PoolItem, ...]) -> str:
    return unknown_code(iter(settings.parameters), items)


RULE = Rule(
    "stocking_lewis",
    Settings,
    stocking_lewis,
    About(
        formula="P_j = k_j(theta) prod_(l<j) (1 - k_l(theta)) / (1 - prod_l (1 - k_l(theta)))",
        source="Stocking & Lewis (1998)",
        use="A rate limit at every ability, not only on average: people of one level know each other.",
    ),
    abilities=ANY,
    problem=_problem,
)
