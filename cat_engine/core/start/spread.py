"""Aim the first item at an ability drawn from a range, so that first items differ."""

from typing import Annotated

import msgspec

from cat_engine.core.chance import Chance
from cat_engine.core.events import FormerEstimate
from cat_engine.core.families import About, Rule
from cat_engine.core.pool import Pool
from cat_engine.core.tables import NODE_LIMIT_MILLIONTHS
from cat_engine.core.views import Start, section_prior


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the first aim may lie to either side of the section's own, in millionths of theta."""

    reach_millionths: Annotated[int, msgspec.Meta(ge=1, le=3_000_000)] = 500_000


def spread(pool: Pool, former: FormerEstimate | None, chance: Chance, *, settings: Settings) -> Start:
    """The section's prior, and a first aim drawn evenly about its start, never beyond the tables.

    Only the choice of the first item sees it: from the first answer on the estimate does, with the prior that
    all share.
    """
    del former
    reach = settings.reach_millionths
    drawn = chance.below(f"start|{pool.section.section_id}", 2 * reach + 1)
    aim = pool.section.start_theta_millionths + drawn - reach
    limit = NODE_LIMIT_MILLIONTHS
    return Start(section_prior(pool), min(max(aim, -limit), limit))


RULE = Rule(
    "spread",
    Settings,
    spread,
    About(
        formula="first aim ~ U(start - reach, start + reach)",
        source="Magis & Raîche (2012), there as several fixed starting points",
        use="Large groups that begin at one moment: neighbours do not see the same first item.",
    ),
)
