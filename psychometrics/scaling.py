"""From theta to the reported number.

    scale score = round(slope * theta + intercept), kept within lowest..highest

The conditional standard error of the scale score is slope * SE(theta): the transformation is linear, so
nothing is lost by it. A score of record must come out the same for whoever repeats the arithmetic with
pencil and paper; therefore it is computed in decimal, from the shortest decimal form of each number, and a
half is rounded to the even neighbour, which favours nobody over many candidates.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import pairwise
from math import isfinite


@dataclass(frozen=True, slots=True)
class ScaleScore:
    """A reported score, its conditional standard error (unrounded), whether it is at an end of the scale."""

    value: float
    standard_error: float
    at_lowest: bool
    at_highest: bool


@dataclass(frozen=True, slots=True)
class ReportingScale:
    """Linear scale with its obtainable range; `decimals` of the reported score, 0 for whole numbers."""

    slope: float
    intercept: float
    lowest: float
    highest: float
    decimals: int = 0

    def __post_init__(self) -> None:
        for name in ("slope", "intercept", "lowest", "highest"):
            if not isfinite(getattr(self, name)):
                raise ValueError(f"{name} of the scale is not finite")
        if self.slope <= 0:
            raise ValueError(f"slope of the scale must be positive, not {self.slope}")
        if self.lowest >= self.highest:
            raise ValueError(f"lowest {self.lowest} is not below highest {self.highest}")
        if self.decimals < 0:
            raise ValueError(f"decimals must not be negative, but are {self.decimals}")
        for name in ("lowest", "highest"):
            end = getattr(self, name)
            if float(round_half_even(_decimal(end), self.decimals)) != end:
                raise ValueError(f"{name} {end} cannot be reported with {self.decimals} decimals")

    def score(self, theta: float, standard_error: float) -> ScaleScore:
        """The reported score of an estimate and its error on this scale."""
        if not isfinite(theta):
            raise ValueError(f"theta must be finite, not {theta}")
        if not standard_error >= 0:
            raise ValueError(f"standard error must not be negative, but is {standard_error}")
        with localcontext(prec=100):  # holds slope * theta exactly: 17 significant digits each
            exact = _decimal(self.slope) * _decimal(theta) + _decimal(self.intercept)
            rounded = float(round_half_even(exact, self.decimals)) + 0.0  # a reported -0 becomes 0
        return ScaleScore(
            value=min(max(rounded, self.lowest), self.highest),
            standard_error=self.slope * standard_error,
            at_lowest=rounded <= self.lowest,
            at_highest=rounded >= self.highest,
        )

    def theta(self, value: float) -> float:
        """Ability that corresponds to a number on this scale, e.g. to a cut score; no rounding."""
        return (value - self.intercept) / self.slope


def round_half_even(value: Decimal, decimals: int) -> Decimal:
    """Nearest number with that many decimals; of two equally near ones, the even."""
    with localcontext(prec=100):
        return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)


def level(score: float, cut_scores: Sequence[float]) -> int:
    """Level 0..len(cut_scores) of a score: the number of cut scores it reaches. A score on a cut has reached
    it.

    Levels are given on the reported score, not on theta, so that nobody reads 70 and is told that it is
    below 70.
    """
    check_cut_scores(cut_scores)
    if not isfinite(score):
        raise ValueError(f"score must be finite, not {score}")
    return bisect_right(cut_scores, score)


def check_cut_scores(cut_scores: Sequence[float]) -> None:
    """Cut scores must be finite and rise strictly, or some level could not be reached."""
    for place, cut in enumerate(cut_scores):
        if not isfinite(cut):
            raise ValueError(f"cut score {place} is not finite")
    for place, (lower, upper) in enumerate(pairwise(cut_scores), start=1):
        if upper <= lower:
            raise ValueError(f"cut score {place} ({upper}) is not above the one before it ({lower})")


def _decimal(number: float) -> Decimal:
    return Decimal(repr(float(number)))
