"""The criteria of tables by name, with the end that is wanted and where they come from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from psychometrics.arrays import FloatArray
from psychometrics.selection import divergence, expected, information_criteria
from psychometrics.selection.choice import Sense
from psychometrics.selection.expected import AnswerChance
from psychometrics.selection.reading import PoolAt
from psychometrics.selection.tables import CriterionTables, Evidence

CriterionValues = Callable[[CriterionTables, Evidence, PoolAt], FloatArray]
"""Values (n,) of all items of a pool, given what the responses say and the pool at the estimate."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion: how it values items, which end is wanted, the name others know it by, its source."""

    values: CriterionValues
    sense: Sense
    known_as: str
    literature: str


CRITERIA: dict[str, Criterion] = {
    "maximum_information": Criterion(
        information_criteria.maximum_information, Sense.MAXIMISE, "MFI", "Lord (1980)"
    ),
    "likelihood_weighted_information": Criterion(
        information_criteria.likelihood_weighted_information,
        Sense.MAXIMISE,
        "MLWI",
        "Veerkamp & Berger (1997)",
    ),
    "posterior_weighted_information": Criterion(
        information_criteria.posterior_weighted_information, Sense.MAXIMISE, "MPWI", "van der Linden (1998)"
    ),
    "likelihood_weighted_divergence": Criterion(
        divergence.likelihood_weighted_divergence,
        Sense.MAXIMISE,
        "KL",
        "Barrada, Olea, Ponsoda & Abad (2009)",
    ),
    "posterior_weighted_divergence": Criterion(
        divergence.posterior_weighted_divergence, Sense.MAXIMISE, "KLP", "Chang & Ying (1996)"
    ),
    "discrimination_index": Criterion(
        divergence.discrimination_index, Sense.MAXIMISE, "GDI", "Kaplan, de la Torre & Barrada (2015)"
    ),
    "posterior_discrimination_index": Criterion(
        divergence.posterior_discrimination_index,
        Sense.MAXIMISE,
        "GDIP",
        "Kaplan, de la Torre & Barrada (2015)",
    ),
    "expected_information": Criterion(
        expected.expected_information,
        Sense.MAXIMISE,
        "MEI at the posterior mean",
        "van der Linden & Pashley (2010)",
    ),
    "expected_information_predictive": Criterion(
        partial(expected.expected_information, chance=AnswerChance.POSTERIOR_PREDICTIVE),
        Sense.MAXIMISE,
        "MEI at the posterior mean with posterior predictive weights",
        "van der Linden (1998)",
    ),
    "expected_posterior_variance": Criterion(
        expected.expected_posterior_variance, Sense.MINIMISE, "MEPV", "Owen (1975)"
    ),
    "expected_posterior_variance_predictive": Criterion(
        partial(expected.expected_posterior_variance, chance=AnswerChance.POSTERIOR_PREDICTIVE),
        Sense.MINIMISE,
        "MEPV with posterior predictive weights",
        "van der Linden (1998)",
    ),
}
