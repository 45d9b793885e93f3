"""The nine boxes: potential against performance, as PermenPANRB 3/2020 numbers them.

The numbers do not run along rows or columns:

    potential \\ performance   below   as expected   above
    high                         6         8          9
    middle                       3         5          7
    low                          1         2          4

What an axis is made of and where its bands begin is policy: data with a version, stored with what was decided
by it. Agencies and years differ (80/60, 81/61 and 90/78 are all in use), so nothing of it is fixed here.

The potential axis is computed from the measured scores (`potential_value`); the performance axis is imported
as a number from 0 to 100 and never computed: performance is appraised by superiors, not by a test.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal

import msgspec

Band = Literal["low", "middle", "high"]
BANDS: tuple[Band, ...] = ("low", "middle", "high")

BOX_NUMBERS: Mapping[tuple[Band, Band], int] = {
    ("high", "low"): 6,
    ("high", "middle"): 8,
    ("high", "high"): 9,
    ("middle", "low"): 3,
    ("middle", "middle"): 5,
    ("middle", "high"): 7,
    ("low", "low"): 1,
    ("low", "middle"): 2,
    ("low", "high"): 4,
}
"""(potential, performance) -> number of the box."""

HUNDREDTH = Decimal("0.01")


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measured aspect's share of the potential axis, and the ends of its reporting scale."""

    aspect: str
    weight: int
    scale_floor: int
    scale_ceiling: int

    def __post_init__(self) -> None:
        if self.weight <= 0 or self.scale_floor >= self.scale_ceiling:
            raise ValueError("a part needs a positive weight and a floor below its ceiling")


class Cuts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the middle and the high band begin, 0..100; the value itself belongs to the upper band."""

    middle: int
    high: int

    def __post_init__(self) -> None:
        if not 0 < self.middle < self.high <= 100:
            raise ValueError("cuts must rise between 0 and 100")

    def band(self, value: Decimal) -> Band:
        """The band of a value."""
        if value >= self.high:
            return "high"
        return "middle" if value >= self.middle else "low"


class NineBoxPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agency's rule for its nine boxes, in one version."""

    version: int
    is_example: bool
    potential_parts: tuple[Part, ...]
    potential_cuts: Cuts
    performance_cuts: Cuts

    def __post_init__(self) -> None:
        aspects = [part.aspect for part in self.potential_parts]
        if not aspects or len(set(aspects)) != len(aspects):
            raise ValueError("the potential axis needs parts, each aspect once")


EXAMPLE_POLICY: Mapping[str, Any] = {
    "version": 1,
    "is_example": True,
    # assessed competency 20 and assessed potential 25, the two inputs of the axis that a test can measure;
    # what remains of the axis (education, experience, discipline) is outside of what this product knows
    "potential_parts": [
        {"aspect": "competency", "weight": 20, "scale_floor": 200, "scale_ceiling": 800},
        {"aspect": "potential", "weight": 25, "scale_floor": 200, "scale_ceiling": 800},
    ],
    "potential_cuts": {"middle": 60, "high": 80},
    "performance_cuts": {"middle": 60, "high": 80},
}
"""An example for demonstrations; every agency sets its own. Kind `nine_box` of the policies."""


class Box(msgspec.Struct, frozen=True):
    """Where somebody stands; `recommendation_key` names the sentence in the message catalogue."""

    number: int
    recommendation_key: str
    potential_band: Band
    performance_band: Band


class Missing(msgspec.Struct, frozen=True):
    """Points to the next band of each axis; None where the axis is in its highest band."""

    potential: Decimal | None
    performance: Decimal | None


def policy_from(body: Mapping[str, Any]) -> NineBoxPolicy:
    """A stored policy; raises msgspec.ValidationError when it is none."""
    return msgspec.convert(body, NineBoxPolicy)


def potential_value(scores: Mapping[str, Decimal], policy: NineBoxPolicy) -> Decimal:
    """X = sum(w * v) / sum(w), v = 100 * (scale score - floor) / (ceiling - floor) held within 0..100.

    Rounded half to even at two decimals; bands are decided from the rounded number, the one that is shown.
    Every part of the policy must be there: leaving one out would compare people on different axes.
    """
    total = Decimal(0)
    for part in policy.potential_parts:
        span = part.scale_ceiling - part.scale_floor
        share = 100 * (scores[part.aspect] - part.scale_floor) / span
        total += part.weight * min(max(share, Decimal(0)), Decimal(100))
    weights = sum(part.weight for part in policy.potential_parts)
    return (total / weights).quantize(HUNDREDTH, rounding=ROUND_HALF_EVEN)


def place(potential: Decimal, performance: Decimal, policy: NineBoxPolicy) -> Box:
    """The box of a person whose two values are known."""
    bands = policy.potential_cuts.band(potential), policy.performance_cuts.band(performance)
    number = BOX_NUMBERS[bands]
    return Box(number, f"talent.recommendation.box_{number}", *bands)


def missing_to_next(potential: Decimal, performance: Decimal, policy: NineBoxPolicy) -> Missing:
    """What is missing to the next band on each axis."""
    return Missing(
        potential=_missing(potential, policy.potential_cuts),
        performance=_missing(performance, policy.performance_cuts),
    )


def _missing(value: Decimal, cuts: Cuts) -> Decimal | None:
    return next((cut - value for cut in (cuts.middle, cuts.high) if value < cut), None)
