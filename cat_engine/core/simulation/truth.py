"""What is true of the items while a test is simulated: how people answer them, and how long that takes.

As a rule that is what the package believes of its items. A study may also make the truth differ from it, to
see what errors of calibration cost.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from cat_engine.core.exact import Floats, Integers, draw, exponential
from cat_engine.core.pool import Pool
from cat_engine.core.pool_facts import kept_with_pool
from cat_engine.core.tables import parameters
from cat_engine.core.test_package import PoolItem
from psychometrics.models import dichotomous
from psychometrics.models.items import ItemColumns, item_columns, log_probabilities_at

RESPONSE_TIME_S = 40.0  # median of an item without time parameters
RESPONSE_TIME_LOG_DEVIATION = 0.45  # of its lognormal response time (van der Linden, 2006)
DRAW_CHOICES = 1 << 53

Ability: TypeAlias = float | tuple[float, ...]
"""A simulated candidate's theta in a section, or one theta for each of its dimensions."""


class Perturbation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Errors of calibration: ln a and b of every item differ from the package's by normal draws with these
    deviations.
    """

    seed: str = "calibration"
    log_slope_deviation: float = 0.0
    difficulty_deviation: float = 0.0


@dataclass(frozen=True, eq=False)
class Truth:
    """The items of a pool as those who answer meet them.

    `columns` are the response models; `slopes` (n, K) of items of several abilities, which are functions of
    their composite; `earned` (n, categories) is the category that is recorded where the model gives one that
    no option earns: the nearest worse one. `options` are the numbers of the options by item and category.
    `intensity` and `deviation` (n,) are those of ln seconds, `ties` identify the items' contents.
    """

    columns: ItemColumns
    slopes: Floats | None
    earned: Integers
    points_minimum: tuple[int, ...]
    options: tuple[tuple[tuple[int, ...], ...], ...]
    intensity: Floats
    deviation: Floats
    ties: NDArray[np.uint64]

    def steps(self, theta: Ability) -> Floats:
        """P(X <= k | theta) of every item for k below its highest category, then infinity, (n, m - 1)."""
        if self.slopes is None:
            at = np.full(len(self.columns), theta)
        else:
            at = (self.slopes * np.array(theta)).sum(axis=1)
        return _steps(self.columns, at)

    def steps_of(self, items: Integers, theta: Floats) -> Floats:
        """The same of one item for each of N abilities, (N, m - 1); one ability only."""
        columns = self.columns
        if columns.family.any():
            return _steps(columns.take(items), theta)
        wrong = dichotomous.log_probabilities_at(
            theta,
            columns.a[items],
            columns.thresholds[items, 0],
            columns.c[items],
            columns.d[items],
            D=columns.D,
        )[:, :1]
        return np.asarray(np.exp(wrong), dtype=np.float64)

    def seconds(self, items: Integers, speed: Floats | np.float64, uniform: Floats) -> Floats:
        """Lognormal response times, exp(beta - speed + deviation z), elementwise."""
        return exponential(self.intensity[items] - speed + self.deviation[items] * ndtri(uniform))


def _steps(columns: ItemColumns, at: Floats) -> Floats:
    cumulative = np.cumsum(np.exp(log_probabilities_at(columns, at)), axis=1)[:, :-1]
    # rounding may leave the sum of all categories below 1: nobody answers above an item's highest
    above = np.arange(cumulative.shape[1]) >= columns.category_counts[:, None] - 1
    return np.where(above, np.inf, cumulative)


@kept_with_pool
def truth_of(pool: Pool, metric_d: float, perturbation: Perturbation | None = None) -> Truth:
    """The truth about a pool: what the package says, or what a perturbation makes of it."""
    items = pool.items
    if perturbation is not None:
        items = tuple(_perturbed(item, perturbation) for item in items)
    loaded = bool(pool.section.dimensions)
    timed = [item.time_intensity is not None and bool(item.time_discrimination) for item in items]
    return Truth(
        columns=item_columns([parameters(item) for item in items], D=metric_d),
        slopes=np.array([item.slopes for item in items], dtype=np.float64) if loaded else None,
        earned=_earned(items),
        points_minimum=tuple(item.points_minimum for item in items),
        options=tuple(_options(item) for item in items),
        intensity=np.array(
            [i.time_intensity if t else math.log(RESPONSE_TIME_S) for i, t in zip(items, timed, strict=True)],
            dtype=np.float64,
        ),
        deviation=np.array(
            [
                1.0 / (i.time_discrimination or 1.0) if t else RESPONSE_TIME_LOG_DEVIATION
                for i, t in zip(items, timed, strict=True)
            ],
            dtype=np.float64,
        ),
        ties=pool.ties,
    )


def _earned(items: Sequence[PoolItem]) -> Integers:
    most = max(item.categories for item in items)
    earned = np.zeros((len(items), most), dtype=np.int64)
    for row, item in enumerate(items):
        for category in range(item.categories):
            points = max(p for p in item.option_points if p <= category + item.points_minimum)
            earned[row, category] = points - item.points_minimum
    return earned


def _options(item: PoolItem) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(
            number
            for number, points in enumerate(item.option_points, start=1)
            if points == category + item.points_minimum
        )
        for category in range(item.categories)
    )


def _perturbed(item: PoolItem, errors: Perturbation) -> PoolItem:
    """The item with other parameters; thresholds move together, so their order stays."""

    def normal(purpose: str) -> float:
        uniform = (draw(errors.seed, f"{purpose}|{item.item_id}", 0, DRAW_CHOICES) + 0.5) / DRAW_CHOICES
        return float(ndtri(uniform))

    factor = math.exp(errors.log_slope_deviation * normal("slope"))
    shift = errors.difficulty_deviation * normal("difficulty")
    steep = item.model not in {"1PL", "PCM", "RSM", "NRM"} and not item.model.startswith("M")
    return msgspec.structs.replace(
        item,
        a=item.a * factor if steep else item.a,
        b=tuple(b + shift for b in item.b),
        slopes=tuple(slope * factor for slope in item.slopes),
    )
