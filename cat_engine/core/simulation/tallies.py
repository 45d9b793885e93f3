"""Running sums of a study: what is kept of thousands of sittings, in memory that does not grow with them.

All sums are of whole numbers (errors in millionths), so they are the same in whatever order, and on however
many processes, the sittings were simulated.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cat_engine.core import content_lines, scoring
from cat_engine.core.compiled import CompiledPackage, CompiledSection
from cat_engine.core.exact import THETA_UNIT, Integers
from cat_engine.core.simulation.outcomes import Outcome, SectionOutcome
from cat_engine.core.simulation.population import Candidate
from cat_engine.core.views import Estimate

COVERAGE_Z = 1.959963984540054  # of a 95 % interval


@dataclass
class Sums:
    """Power sums of a whole number: n, sum x, sum x^2, sum x^4."""

    n: int = 0
    first: int = 0
    second: int = 0
    fourth: int = 0

    def add(self, x: int) -> None:
        """One more."""
        square = x * x
        self.n += 1
        self.first += x
        self.second += square
        self.fourth += square * square

    def merge(self, other: "Sums") -> None:
        """All of another's."""
        self.n += other.n
        self.first += other.first
        self.second += other.second
        self.fourth += other.fourth


@dataclass
class Accuracy:
    """Sums over the sittings of one group of abilities: truth, error, reported error, coverage, length."""

    truth: Sums = field(default_factory=Sums)
    estimate: Sums = field(default_factory=Sums)
    product: int = 0
    error: Sums = field(default_factory=Sums)
    absolute: Sums = field(default_factory=Sums)
    reported: Sums = field(default_factory=Sums)
    length: Sums = field(default_factory=Sums)
    covered: int = 0

    def add(self, truth: int, estimate: Estimate, length: int) -> None:
        """One more sitting with an estimate."""
        error = estimate.theta_millionths - truth
        reported = estimate.standard_error_millionths
        self.truth.add(truth)
        self.estimate.add(estimate.theta_millionths)
        self.product += truth * estimate.theta_millionths
        self.error.add(error)
        self.absolute.add(abs(error))
        self.reported.add(reported)
        self.length.add(length)
        self.covered += abs(error) <= COVERAGE_Z * reported

    def merge(self, other: "Accuracy") -> None:
        """All of another's."""
        for name in ("truth", "estimate", "error", "absolute", "reported", "length"):
            getattr(self, name).merge(getattr(other, name))
        self.product += other.product
        self.covered += other.covered


@dataclass
class SectionTally:
    """Sums of one section of one design. `seen` (groups, n) counts who saw which item."""

    groups: list[Accuracy]
    seen: Integers
    sizes: list[int]
    lengths: Counter[int] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    relaxed_items: Counter[str] = field(default_factory=Counter)
    relaxed_sittings: int = 0
    lines: list[Counter[int]] = field(default_factory=list)
    lines_missed: list[int] = field(default_factory=list)
    unmet: Counter[str] = field(default_factory=Counter)
    exceeded: Counter[str] = field(default_factory=Counter)
    levels: Counter[tuple[int, int]] = field(default_factory=Counter)
    cuts: Counter[tuple[int, bool, bool]] = field(default_factory=Counter)
    points: Sums = field(default_factory=Sums)

    @classmethod
    def empty(cls, part: CompiledSection, groups: int) -> "SectionTally":
        """Nothing counted yet."""
        lines = len(part.section.blueprint)
        return cls(
            groups=[Accuracy() for _ in range(groups)],
            seen=np.zeros((groups, part.pool.size), dtype=np.int64),
            sizes=[0] * groups,
            lines=[Counter() for _ in range(lines)],
            lines_missed=[0] * lines,
        )

    def add(self, part: CompiledSection, truth: float, group: int, outcome: SectionOutcome) -> None:
        """One more sitting of a person whose ability is `truth`."""
        self.sizes[group] += 1
        self.lengths[outcome.answered] += 1
        self.reasons[outcome.reason] += 1
        self.points.add(outcome.points)
        if outcome.shown:
            self.seen[group, list(outcome.shown)] += 1
        self._add_content(part, outcome)
        if outcome.estimate is not None:
            true_millionths = round(truth * THETA_UNIT)
            self.groups[group].add(true_millionths, outcome.estimate, outcome.answered)
            self._add_classes(part, true_millionths, outcome)

    def _add_content(self, part: CompiledSection, outcome: SectionOutcome) -> None:
        self.relaxed_items.update(outcome.relaxed)
        self.relaxed_sittings += bool(outcome.relaxed)
        total = len(outcome.shown)
        if self.lines and total:
            counts = Counter(part.pool.line_of[column] for column in outcome.shown)
            for number, line in enumerate(part.section.blueprint):
                self.lines[number][counts[number]] += 1
                # a count is whole and a share need not be: within one item is as near as it can come
                self.lines_missed[number] += abs(1000 * counts[number] - line.per_mille * total) > 1000
        if part.section.constraints:
            lines = content_lines.lines_of(part.pool)
            if lines is not None:
                found = content_lines.counts(part.pool, lines, outcome.shown)
                self.unmet.update(lines.names(found < lines.minimum))
                self.exceeded.update(lines.names(found > lines.maximum))

    def _add_classes(self, part: CompiledSection, true_millionths: int, outcome: SectionOutcome) -> None:
        scale = part.section.scale
        score, _ = scoring.to_scale(scale, Estimate(true_millionths, 0))
        self.levels[scoring.level(scale, score), outcome.level] += 1
        for cut in cut_scores(part):
            self.cuts[cut, score >= cut, outcome.scale_score >= cut] += 1

    def merge(self, other: "SectionTally") -> None:
        """All of another's."""
        for mine, its in zip(self.groups, other.groups, strict=True):
            mine.merge(its)
        self.seen += other.seen
        self.sizes = [a + b for a, b in zip(self.sizes, other.sizes, strict=True)]
        for name in ("lengths", "reasons", "relaxed_items", "unmet", "exceeded", "levels", "cuts"):
            getattr(self, name).update(getattr(other, name))
        self.relaxed_sittings += other.relaxed_sittings
        for line, its_line in zip(self.lines, other.lines, strict=True):
            line.update(its_line)
        self.lines_missed = [a + b for a, b in zip(self.lines_missed, other.lines_missed, strict=True)]
        self.points.merge(other.points)


def cut_scores(part: CompiledSection) -> tuple[int, ...]:
    """The section's pass mark and the lower bounds of its levels, ascending."""
    scale = part.section.scale
    marks = {cut.from_score for cut in scale.cuts}
    return tuple(sorted(marks if scale.cut_score is None else marks | {scale.cut_score}))


@dataclass
class Pairs:
    """Sums of differences to the first design, person by person, of one section."""

    error: Sums = field(default_factory=Sums)
    square: Sums = field(default_factory=Sums)
    reported: Sums = field(default_factory=Sums)
    length: Sums = field(default_factory=Sums)

    def add(self, truth: float, first: SectionOutcome, other: SectionOutcome) -> None:
        """One more person."""
        self.length.add(other.answered - first.answered)
        if first.estimate is None or other.estimate is None:
            return
        true_millionths = round(truth * THETA_UNIT)
        errors = [o.theta_millionths - true_millionths for o in (first.estimate, other.estimate)]
        self.error.add(errors[1] - errors[0])
        self.square.add(errors[1] ** 2 - errors[0] ** 2)
        self.reported.add(other.estimate.standard_error_millionths - first.estimate.standard_error_millionths)

    def merge(self, other: "Pairs") -> None:
        """All of another's."""
        for name in ("error", "square", "reported", "length"):
            getattr(self, name).merge(getattr(other, name))


@dataclass
class DesignTally:
    """Sums of one design."""

    sections: list[SectionTally]
    pairs: list[Pairs]
    used_s: Counter[int] = field(default_factory=Counter)
    used_difference: Sums = field(default_factory=Sums)
    complete: int = 0
    passed: Counter[bool] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    sittings: int = 0

    @classmethod
    def empty(cls, compiled: CompiledPackage, groups: int) -> "DesignTally":
        """Nothing counted yet."""
        return cls(
            sections=[SectionTally.empty(part, groups) for part in compiled.sections],
            pairs=[Pairs() for _ in compiled.sections],
        )

    def add(
        self,
        compiled: CompiledPackage,
        person: Candidate,
        groups: Sequence[int],
        outcome: Outcome,
        first: Outcome,
    ) -> None:
        """One more sitting; `first` is the same person's under the first design, `groups` by section."""
        self.sittings += 1
        self.used_s[round(outcome.used_ms / 1000)] += 1
        self.used_difference.add(outcome.used_ms - first.used_ms)
        self.complete += outcome.complete
        if outcome.passed is not None:
            self.passed[outcome.passed] += 1
        if outcome.refused:
            self.refused[outcome.refused] += 1
        for number, part in enumerate(compiled.sections):
            truth, section = person.composites[number], outcome.sections[number]
            self.sections[number].add(part, truth, groups[number], section)
            self.pairs[number].add(truth, first.sections[number], section)

    def merge(self, other: "DesignTally") -> None:
        """All of another's."""
        for mine, its in zip(self.sections, other.sections, strict=True):
            mine.merge(its)
        for pairs, its_pairs in zip(self.pairs, other.pairs, strict=True):
            pairs.merge(its_pairs)
        self.used_difference.merge(other.used_difference)
        for name in ("used_s", "passed", "refused"):
            getattr(self, name).update(getattr(other, name))
        self.complete += other.complete
        self.sittings += other.sittings
