"""Expected a posteriori from the summed score (Thissen, Pommerich, Billeaud and Williams, 1995)."""

import msgspec
import numpy as np

from cat_engine.core.exact import UNIT, Floats, Integers, exponential
from cat_engine.core.families import About, Rule
from cat_engine.core.posterior_moments import mean_and_deviation
from cat_engine.core.views import WEIGHT_UNIT, Estimate, Evidence, log_prior


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the prior is the section's."""


def sum_score_eap(evidence: Evidence, *, settings: Settings) -> Estimate:
    """Mean and deviation of ability given the sum of the categories of the items answered.

    The same sum on the same items gives the same estimate, whichever of them were right.
    """
    del settings
    prior = log_prior(evidence.prior.theta_millionths, evidence.prior.standard_error_millionths)
    density = exponential((prior - prior.max()) / UNIT) * score_probability(evidence)
    highest = float(density.max())
    if highest <= 0.0:
        return evidence.prior  # a score so improbable that its chance cannot be told from 0
    weights: Integers = np.rint(density / highest * WEIGHT_UNIT).astype(np.int64)
    return mean_and_deviation(weights)


def score_probability(evidence: Evidence) -> Floats:
    """P(sum of the categories | theta) on the nodes, (nodes,): item by item (Lord & Wingersky, 1984).

    P_{i+1}(s) = sum_k P_i(s - k) P(X_{i+1} = k). Items enter in the order of their content, not of the test:
    rounding depends on the order.
    """
    pool, score = evidence.pool, sum(evidence.categories)
    chances = np.zeros((score + 1, pool.log_probability.shape[2]))
    chances[0] = 1.0
    reached = 0
    columns = sorted(evidence.answered, key=lambda one: int(pool.ties[one]))
    of_item = exponential(pool.log_probability[columns] / UNIT)
    for column, p in zip(columns, of_item, strict=True):
        before, most = chances, pool.items[column].categories - 1
        reached = min(reached + most, score)
        chances = before * p[0]
        for category in range(1, min(most, score) + 1):
            chances[category : reached + 1] += before[: reached + 1 - category] * p[category]
    return np.asarray(chances[score], dtype=np.float64)


RULE = Rule(
    "sum_score_eap",
    Settings,
    sum_score_eap,
    About(
        formula="theta_hat = sum_q theta_q w_q P(s | theta_q) / sum_q w_q P(s | theta_q)",
        source="Thissen, Pommerich, Billeaud & Williams (1995); Lord & Wingersky (1984)",
        use="Where equal points must mean equal scores: multistage modules and fixed sets of items.",
    ),
)
