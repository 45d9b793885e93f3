"""Information per second of expected response time (Fan, Wang, Chang and Douglas, 2012)."""

from typing import Annotated

import msgspec
import numpy as np

from cat_engine.core.criteria import utility_of
from cat_engine.core.exact import THETA_UNIT, UNIT, exponential
from cat_engine.core.families import About, Rule
from cat_engine.core.logarithm import logarithm
from cat_engine.core.pool_facts import time_columns, time_problem
from cat_engine.core.test_package import PoolItem, Section
from cat_engine.core.views import SectionView, Utility

_MOST_EXPONENT = 14.0
"""With the most information that an item may have, the billionths still fit 64 bits."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much time counts (1000: the plain ratio, 0: not at all), and the normal prior of the candidate's
    speed, in millionths of ln seconds.
    """

    power_per_mille: Annotated[int, msgspec.Meta(ge=0, le=4000)] = 1000
    speed_mean_millionths: int = 0
    speed_deviation_millionths: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 300_000


def information_per_second(view: SectionView, *, settings: Settings) -> Utility:
    """The information each item would give at the estimate for each second it is expected to take.

    ln T ~ N(beta - tau, 1 / alpha^2) (van der Linden, 2006). The speed tau is the posterior mean given the
    response times so far, in closed form. It shortens or lengthens all items alike, so the ranking is that of
    the items' own times; the numbers are this candidate's.
    """
    alpha, beta = time_columns(view.pool)
    tau, variance = speed(view, settings)
    log_time = beta + 0.5 / (alpha * alpha) - tau + 0.5 * variance
    information = view.pool.information_at(view.estimate.theta_millionths) / UNIT
    exponent = np.minimum(log_time * (settings.power_per_mille / -1000.0), _MOST_EXPONENT)
    return utility_of(information * exponential(exponent))


def speed(view: SectionView, settings: Settings) -> tuple[float, float]:
    """Mean and variance of the posterior of the speed; a response without a time says nothing.

    tau = v (m / s^2 + sum alpha^2 (beta - ln t)), v = 1 / (1 / s^2 + sum alpha^2)
    """
    alpha, beta = time_columns(view.pool)
    deviation = settings.speed_deviation_millionths / THETA_UNIT
    precision = 1.0 / (deviation * deviation)
    pull = precision * (settings.speed_mean_millionths / THETA_UNIT)
    ties = view.pool.ties
    timed = sorted(  # in an order of its own: rounding must not depend on the order of the test
        (int(ties[column]), column, time_ms)
        for column, time_ms in zip(view.answered, view.response_times_ms, strict=True)
        if time_ms > 0
    )
    if timed:
        columns = [column for _, column, _ in timed]
        log_times = logarithm(np.array([time_ms for _, _, time_ms in timed]) / 1000.0)
        weights = alpha[columns] * alpha[columns]
        for weight, part in zip(
            weights.tolist(), (weights * (beta[columns] - log_times)).tolist(), strict=True
        ):
            precision += weight
            pull += part
    return pull / precision, 1.0 / precision


def _problem(_settings: Settings, _section: Section, items: tuple[PoolItem, ...]) -> str:
    return time_problem(items)


RULE = Rule(
    "information_per_second",
    Settings,
    information_per_second,
    About(
        formula="u_i = I_i(theta_hat) / E(T_i)^p, E(T_i) = exp(beta_i - tau_hat + 1 / (2 alpha_i^2) + v / 2)",
        source="Fan, Wang, Chang & Douglas (2012); Choe, Kern & Chang (2018); van der Linden (2006)",
        use="Where minutes are scarce and items differ in length; needs calibrated response times.",
    ),
    problem=_problem,
)
