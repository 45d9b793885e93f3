"""Start from what an earlier sitting measured."""

from typing import Annotated, Literal

import msgspec

from cat_engine.core.chance import Chance
from cat_engine.core.events import FormerEstimate
from cat_engine.core.exact import THETA_UNIT
from cat_engine.core.families import About, Rule
from cat_engine.core.matrices import PRIOR_DEVIATIONS
from cat_engine.core.pool import Pool
from cat_engine.core.tables import NODE_LIMIT_MILLIONTHS
from cat_engine.core.views import Estimate, Start, section_prior

_NARROWEST, _WIDEST = (round(bound * THETA_UNIT) for bound in PRIOR_DEVIATIONS)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much wider than the former error the start is (thousandths; 1500: half as wide again) and its least
    width in millionths, for what time and learning have changed.

    `former` as the prior of the interim estimates, or only as the ability first aimed at. The final score
    forgets it, and with it the rules that decide when it is precise enough, unless `in_final_score` says that
    former and new answers are to be taken together.
    """

    use: Literal["prior", "aim"] = "prior"
    widened_per_mille: Annotated[int, msgspec.Meta(ge=1000)] = 1500
    least_error_millionths: Annotated[int, msgspec.Meta(ge=_NARROWEST, le=_WIDEST)] = 400_000
    in_final_score: bool = False


def former_result(pool: Pool, former: FormerEstimate | None, chance: Chance, *, settings: Settings) -> Start:
    """The former estimate with a wider error; whoever has none starts from the section's prior."""
    del chance
    own = section_prior(pool)
    if former is None:
        return Start(own, pool.section.start_theta_millionths)
    limit = NODE_LIMIT_MILLIONTHS
    theta = min(max(former.theta_millionths, -limit), limit)
    if settings.use == "aim":
        return Start(own, theta)
    widened = -(-former.standard_error_millionths * settings.widened_per_mille // 1000)
    known = Estimate(theta, min(max(widened, settings.least_error_millionths), _WIDEST))
    return Start(known, theta, final_prior=known if settings.in_final_score else None)


def _problem(settings: Settings, _section: object, _items: object) -> str:
    contradicts = settings.in_final_score and settings.use == "aim"
    return "a former result that is only aimed at cannot be part of the final score" if contradicts else ""


RULE = Rule(
    "former_result",
    Settings,
    former_result,
    About(
        formula="theta ~ N(theta_former, (w SE_former)^2)",
        source="van der Linden (1999a), there from background variables",
        use="Candidates who sat before: fewer items far from their ability. Scores stay comparable.",
    ),
    problem=_problem,
)
