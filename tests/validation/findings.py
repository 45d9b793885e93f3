"""What the validation finds: a claim of theory or literature, its source, and our own figure beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.validation.monte_carlo import Measured

MARGIN = 3.0
"""Monte Carlo errors by which a figure must clear its bound before it counts as shown."""


class Verdict(StrEnum):
    """Whether a claim holds here. UNDECIDED: the figure lies within its Monte Carlo error of the bound."""

    HOLDS = "holds"
    UNDECIDED = "undecided"
    FAILS = "fails"


@dataclass(frozen=True)
class Finding:
    """One row of a table. `key` is what the tests call it by."""

    key: str
    claim: str
    source: str
    published: str
    ours: str
    verdict: Verdict


@dataclass(frozen=True)
class Topic:
    """One part of the document: the design in words, its findings, and pictures by file name."""

    title: str
    design: str
    findings: tuple[Finding, ...]
    pictures: tuple[tuple[str, str], ...] = ()
    remarks: str = ""


@dataclass(frozen=True)
class Effort:
    """How many candidates are simulated: all sizes are multiples of this share."""

    share: float = 1.0

    def candidates(self, count: int, least: int = 60) -> int:
        """That many in the whole run, fewer (but never below `least`) in a quick one."""
        return max(min(count, least), round(count * self.share))


WHOLE = Effort()
Say = Callable[[str], None]


def above(measured: Measured, bound: float) -> Verdict:
    """The figure lies above the bound."""
    return _by_distance(measured.value - bound, measured.error)


def below(measured: Measured, bound: float) -> Verdict:
    """The figure lies below the bound."""
    return _by_distance(bound - measured.value, measured.error)


def equal(measured: Measured, expected: float, tolerance: float = 0.0) -> Verdict:
    """The figure is what theory says, up to a tolerance (of an approximation) and the Monte Carlo error."""
    near = abs(measured.value - expected) <= tolerance + MARGIN * measured.error
    return Verdict.HOLDS if near else Verdict.FAILS


def at_most(measured: Measured, bound: float) -> Verdict:
    """Nothing speaks against the figure being at most the bound: it fails only beyond its error."""
    return Verdict.FAILS if measured.value - MARGIN * measured.error > bound else Verdict.HOLDS


def together(*verdicts: Verdict) -> Verdict:
    """A claim of several parts is as good as its worst part."""
    for worst in (Verdict.FAILS, Verdict.UNDECIDED):
        if worst in verdicts:
            return worst
    return Verdict.HOLDS


def exactly(good: bool) -> Verdict:
    """A claim without chance in it."""
    return Verdict.HOLDS if good else Verdict.FAILS


def _by_distance(distance: float, error: float) -> Verdict:
    if distance > MARGIN * error:
        return Verdict.HOLDS
    return Verdict.FAILS if distance < -MARGIN * error else Verdict.UNDECIDED
