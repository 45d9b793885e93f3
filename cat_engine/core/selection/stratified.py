"""Stratified selection: weak items first, strong ones once the estimate is good (Chang and Ying, 1999)."""

from typing import Annotated, Literal

import msgspec
import numpy as np

from cat_engine.core.families import About, Rule
from cat_engine.core.pool_facts import (
    difficulties,
    difficulty_problem,
    information_maxima,
    strata,
    strata_problem,
)
from cat_engine.core.test_package import PoolItem, Section
from cat_engine.core.views import SectionView, Utility

_FURTHEST = 1 << 24  # millionths: nearly 17, further than any two places of the scale


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The length of the test, the number of strata, what they are made by, whether every stratum shall have
    the same spread of difficulty (b-blocking), and what is matched within a stratum.
    """

    items: Annotated[int, msgspec.Meta(ge=1)]
    strata: Annotated[int, msgspec.Meta(ge=1)] = 4
    by: Literal["discrimination", "maximum_information"] = "discrimination"
    blocked: bool = True
    closest: Literal["difficulty", "maximum"] = "difficulty"


def stratified(view: SectionView, *, settings: Settings) -> Utility:
    """Closeness to the estimate among the items of the stratum that is due; after it the next strata.

    The test is cut into as many equal stages as there are strata; stage s draws from stratum s. Where that is
    used up, the strata above follow in their order, then those below from the nearest.
    """
    pool = view.pool
    of_item = strata(pool, settings.strata, settings.by, settings.blocked)
    position = min(view.shown + 1, settings.items)
    due = (position - 1) * settings.strata // settings.items
    turn = np.where(of_item >= due, of_item - due, settings.strata - 1 - of_item)
    places = difficulties(pool) if settings.closest == "difficulty" else information_maxima(pool)
    away = np.minimum(np.abs(places - view.estimate.theta_millionths), _FURTHEST)
    return np.asarray(-(turn * (2 * _FURTHEST) + away), dtype=np.int64)


def _problem(settings: Settings, _section: Section, items: tuple[PoolItem, ...]) -> str:
    if settings.blocked or settings.closest == "difficulty":
        return difficulty_problem(items) or strata_problem(len(items), settings.strata)
    return strata_problem(len(items), settings.strata)


RULE = Rule(
    "stratified",
    Settings,
    stratified,
    About(
        formula="s = floor((position - 1) K / length), strata by rising a; within s u_i = -|b_i - theta_hat|",
        source="Chang & Ying (1999); Chang, Qian & Ying (2001); Barrada, Mazuela & Olea (2006)",
        use="Even use of the pool without any counting, at a small price in precision.",
    ),
    problem=_problem,
)
