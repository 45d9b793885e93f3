"""Start from the section's prior."""

import msgspec

from cat_engine.core.chance import Chance
from cat_engine.core.events import FormerEstimate
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.pool import Pool
from cat_engine.core.views import Start, section_prior


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the prior and the first aim are the section's."""


def prior(pool: Pool, former: FormerEstimate | None, chance: Chance, *, settings: Settings) -> Start:
    """The section's normal prior; a former result is not looked at."""
    del former, chance, settings
    return Start(section_prior(pool), pool.section.start_theta_millionths)


RULE = Rule(
    "prior",
    Settings,
    prior,
    About(
        formula="theta ~ N(mean, deviation^2) of the section",
        source="Owen (1975)",
        use="Always fair: everybody starts alike.",
    ),
    abilities=ANY,
)
