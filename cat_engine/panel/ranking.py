"""The ranked list of one stage, with what the error of measurement allows to be said about it.

Order: scale score, then the policy's tie-break values one after the other, all falling. Who is equal in all
of them shares the rank (1, 1, 3) and stands in the order of blind codes, which says nothing about anybody.

Two scores are *not distinguishable* when |x1 - x2| <= 1.96 * sqrt(SE1^2 + SE2^2): the 95 % interval of their
difference covers zero (errors of different people are independent). Each pair is judged by itself, without
correction for the number of pairs: the list warns of false precision, it does not decide.

Groups are the longest runs of neighbours in the list in which *no* pair can be distinguished. They overlap:
being indistinguishable is not transitive, A from B and B from C may be too close while A and C are not, and
then B belongs to both (the compact display of Piepho, 2004, for an ordered list). Somebody distinguishable
from all neighbours is a group of one.

The probability of being at or above the cut score takes the true score as normal around the estimate with the
standard error as deviation.
"""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

BAND_FACTOR = Decimal("1.96")


class Contender(msgspec.Struct, frozen=True):
    """One person under the blind code. `tie_breaks`: values by name, as far as they are known."""

    blind_code: str
    scale_score: Decimal
    scale_error: Decimal
    tie_breaks: Mapping[str, Decimal] = {}


class RankedRow(msgspec.Struct, frozen=True):
    """One row of the list. `is_tied`: equal to a neighbour even after the tie-break list."""

    rank: int
    blind_code: str
    scale_score: Decimal
    scale_error: Decimal
    band_low: Decimal
    band_high: Decimal
    is_tied: bool
    decided_by: str  # "score", or the name of the tie-break that set it below its upper neighbour
    is_distinct_from_above: bool
    is_above_cut: bool | None
    probability_above_cut: float | None


class Group(msgspec.Struct, frozen=True):
    """Rows first..last of the list (0 is the top, both included) that cannot be told apart."""

    first: int
    last: int
    low: Decimal
    high: Decimal
    crosses_places: bool


class RankedList(msgspec.Struct, frozen=True):
    """The list of one post. `places` is how many go on; None when the stage only has a cut score."""

    rows: tuple[RankedRow, ...]
    groups: tuple[Group, ...]
    cut_score: Decimal | None
    places: int | None


def ranked_list(
    contenders: Sequence[Contender],
    *,
    tie_break: Sequence[str] = (),
    cut_score: Decimal | None = None,
    places: int | None = None,
) -> RankedList:
    """Rank the contenders; the order they come in has no influence."""
    codes = {contender.blind_code for contender in contenders}
    if len(codes) != len(contenders):
        raise ValueError("a blind code occurs twice")
    ordered = sorted(contenders, key=lambda contender: contender.blind_code)
    ordered.sort(key=lambda contender: _merit(contender, tie_break), reverse=True)
    ranks = _ranks(ordered, tie_break)
    rows = tuple(
        _row(ordered, index, ranks, tie_break=tie_break, cut_score=cut_score) for index in range(len(ordered))
    )
    return RankedList(rows, _groups(ordered, places), cut_score, places)


def is_distinguishable(one: Contender, other: Contender) -> bool:
    """Whether the 95 % interval of the difference excludes zero; exact, without a square root."""
    difference = one.scale_score - other.scale_score
    return difference**2 > BAND_FACTOR**2 * (one.scale_error**2 + other.scale_error**2)


def probability_above(contender: Contender, cut_score: Decimal) -> float:
    """Phi((score - cut) / SE); without error 1 or 0, the cut itself counting as reached."""
    distance = float(contender.scale_score - cut_score)
    if contender.scale_error == 0:
        return 1.0 if distance >= 0 else 0.0
    return round(0.5 * math.erfc(-distance / (float(contender.scale_error) * math.sqrt(2.0))), 4)


def _merit(contender: Contender, tie_break: Sequence[str]) -> tuple[Decimal, ...]:
    """What the order goes by; an unknown tie-break value ranks below every known one."""
    unknown = Decimal("-Infinity")
    return contender.scale_score, *(contender.tie_breaks.get(name, unknown) for name in tie_break)


def _ranks(ordered: Sequence[Contender], tie_break: Sequence[str]) -> list[int]:
    ranks: list[int] = []
    for index, contender in enumerate(ordered):
        is_equal = index > 0 and _merit(contender, tie_break) == _merit(ordered[index - 1], tie_break)
        ranks.append(ranks[-1] if is_equal else index + 1)
    return ranks


def _row(
    ordered: Sequence[Contender],
    index: int,
    ranks: Sequence[int],
    *,
    tie_break: Sequence[str],
    cut_score: Decimal | None,
) -> RankedRow:
    contender = ordered[index]
    above = ordered[index - 1] if index > 0 else None
    half = BAND_FACTOR * contender.scale_error
    return RankedRow(
        rank=ranks[index],
        blind_code=contender.blind_code,
        scale_score=contender.scale_score,
        scale_error=contender.scale_error,
        band_low=contender.scale_score - half,
        band_high=contender.scale_score + half,
        is_tied=ranks.count(ranks[index]) > 1,
        decided_by=_decided_by(above, contender, tie_break) if above else "score",
        is_distinct_from_above=above is not None and is_distinguishable(above, contender),
        is_above_cut=None if cut_score is None else contender.scale_score >= cut_score,
        probability_above_cut=None if cut_score is None else probability_above(contender, cut_score),
    )


def _decided_by(above: Contender, below: Contender, tie_break: Sequence[str]) -> str:
    pairs = zip(("score", *tie_break), _merit(above, tie_break), _merit(below, tie_break), strict=True)
    return next((name for name, upper, lower in pairs if upper != lower), "tied")


def _groups(ordered: Sequence[Contender], places: int | None) -> tuple[Group, ...]:
    groups: list[Group] = []
    last = -1
    for first in range(len(ordered)):
        reach = first
        while reach + 1 < len(ordered) and not any(
            is_distinguishable(ordered[reach + 1], member) for member in ordered[first : reach + 1]
        ):
            reach += 1
        if reach > last:  # else it lies within the group before
            groups.append(
                Group(
                    first=first,
                    last=reach,
                    low=ordered[reach].scale_score,
                    high=ordered[first].scale_score,
                    crosses_places=places is not None and first < places <= reach,
                )
            )
            last = reach
    return tuple(groups)
