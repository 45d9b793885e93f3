"""Sympson-Hetter exposure control: a selected item is administered with a probability of its own."""

from typing import Annotated

import msgspec

from cat_engine.core.exact import Integers
from cat_engine.core.exposure_draws import PER_MILLE, ByCode, column, unknown_code, walk
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.test_package import PoolItem, Section
from cat_engine.core.views import Choice, SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exposure parameters k in thousandths by item code, as a simulation of the test gave them
    (`exposure_parameters`); an item that is not named has 1000. The walk ends after the `list_length` best.
    """

    parameters: ByCode = {}
    list_length: Annotated[int, msgspec.Meta(ge=1)] = 200


def sympson_hetter(view: SectionView, utility: Utility, eligible: Integers, *, settings: Settings) -> Choice:
    """Go down the ranking; each item passes with its exposure parameter, and one passed over stays so.

    The last resort, when no item of the list passes, is a draw among them in proportion to the chance of
    being the first to pass. With all parameters at 1000 this is `best`.
    """
    passing = column(view.pool, settings.parameters, PER_MILLE)
    return walk(view, utility, eligible, passing, settings.list_length)


def _problem(settings: Settings, _section: Section, items: tuple[PoolItem, ...]) -> str:
    return unknown_code(iter([settings.parameters]), items)


RULE = Rule(
    "sympson_hetter",
    Settings,
    sympson_hetter,
    About(
        formula="P(A_i) = P(S_i) k_i, k_i <= r_max / P(S_i): selected S, administered A",
        source="Sympson & Hetter (1985); last resort after Stocking & Lewis (1998)",
        use="A rate limit for the population that its parameters were simulated for; nothing is counted.",
    ),
    abilities=ANY,
    problem=_problem,
)
