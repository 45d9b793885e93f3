"""From running sums to the figures of a report."""

import math
from collections import Counter
from collections.abc import Sequence

from cat_engine.core.compiled import CompiledSection
from cat_engine.core.exact import THETA_UNIT, Integers
from cat_engine.core.simulation.report import (
    AccuracyReport,
    ClassificationReport,
    ConditionalReport,
    ContentReport,
    CutReport,
    Difference,
    Distribution,
    Estimated,
    ExposureReport,
    LineReport,
    SectionDifferences,
    SectionReport,
)
from cat_engine.core.simulation.tallies import (
    COVERAGE_Z,
    Accuracy,
    Pairs,
    SectionTally,
    Sums,
    cut_scores,
)
from psychometrics.exposure import unevenness

PERCENTILES = (5, 25, 50, 75, 95)
EXPOSURE_LIMIT = 0.25
Interval = tuple[float | None, float | None]


def section_report(
    part: CompiledSection, tally: SectionTally, intervals: Sequence[Interval]
) -> SectionReport:
    """One section's figures; `intervals` are the bounds of the groups of abilities."""
    whole = Accuracy()
    for group in tally.groups:
        whole.merge(group)
    section = part.section
    return SectionReport(
        section_id=section.section_id,
        title=section.title,
        mode=section.mode,
        items_in_pool=part.pool.size,
        rules={
            "start": section.start.rule,
            "selection": section.selection.rule,
            "content": section.content.rule,
            "eligibility": section.eligibility.rule,
            "exposure": section.exposure.rule,
            "stopping": ", ".join(choice.rule for choice in section.stopping),
            "interim_estimator": section.interim_estimator.rule,
            "final_estimator": section.final_estimator.rule,
        },
        accuracy=_accuracy(whole) if whole.error.n else None,
        conditional=tuple(
            _conditional(group, interval, tally.seen[number], tally.sizes[number])
            for number, (group, interval) in enumerate(zip(tally.groups, intervals, strict=True))
            if group.error.n
        ),
        length=distribution(tally.lengths),
        stop_reasons=dict(sorted(tally.reasons.items())),
        exposure=_exposure(tally.seen.sum(axis=0), sum(tally.sizes)),
        content=_content(part, tally),
        classification=_classification(part, tally),
        mean_points=mean(tally.points).value,
    )


def mean(sums: Sums, unit: float = 1.0) -> Estimated:
    """The mean with its Monte Carlo error, deviation / sqrt(n)."""
    value = sums.first / max(sums.n, 1)
    if sums.n < 2:
        return Estimated(value / unit, None)
    return Estimated(value / unit, math.sqrt(_variance(sums) / sums.n) / unit)


def _variance(sums: Sums) -> float:
    # a difference of large whole numbers, taken before it becomes a float
    return (sums.n * sums.second - sums.first * sums.first) / (sums.n * (sums.n - 1))


def share(count: int, of: int) -> Estimated:
    """A proportion with its Monte Carlo error, sqrt(p (1 - p) / n)."""
    p = count / of
    return Estimated(p, math.sqrt(p * (1.0 - p) / of))


def _rmse(error: Sums) -> Estimated:
    """sqrt(mean e^2); its Monte Carlo error by the delta method from the variance of e^2."""
    rmse = math.sqrt(error.second / error.n)
    if error.n < 2 or rmse == 0.0:
        return Estimated(rmse / THETA_UNIT, None)
    of_squares = Sums(error.n, error.second, error.fourth)
    return Estimated(
        rmse / THETA_UNIT, math.sqrt(_variance(of_squares) / error.n) / (2.0 * rmse) / THETA_UNIT
    )


def _accuracy(sums: Accuracy) -> AccuracyReport:
    return AccuracyReport(
        sittings=sums.error.n,
        bias=mean(sums.error, THETA_UNIT),
        rmse=_rmse(sums.error),
        mean_absolute_error=mean(sums.absolute, THETA_UNIT),
        mean_standard_error=mean(sums.reported, THETA_UNIT),
        coverage=share(sums.covered, sums.error.n),
        correlation=_correlation(sums),
        mean_theta=sums.truth.first / sums.truth.n / THETA_UNIT,
        mean_estimate=sums.estimate.first / sums.estimate.n / THETA_UNIT,
    )


def _correlation(sums: Accuracy) -> float | None:
    n, truth, estimate = sums.error.n, sums.truth, sums.estimate
    spreads = [n * one.second - one.first**2 for one in (truth, estimate)]
    if min(spreads) <= 0:
        return None
    return (n * sums.product - truth.first * estimate.first) / math.sqrt(spreads[0]) / math.sqrt(spreads[1])


def _conditional(sums: Accuracy, interval: Interval, seen: Integers, size: int) -> ConditionalReport:
    n = sums.error.n
    spread = math.sqrt(_variance(sums.error)) / THETA_UNIT if n > 1 else 0.0
    return ConditionalReport(
        theta=sums.truth.first / n / THETA_UNIT,
        lower=interval[0],
        upper=interval[1],
        sittings=n,
        bias=mean(sums.error, THETA_UNIT),
        rmse=_rmse(sums.error),
        empirical_error=Estimated(spread, spread / math.sqrt(2.0 * (n - 1)) if n > 1 else None),
        mean_standard_error=mean(sums.reported, THETA_UNIT),
        coverage=share(sums.covered, n),
        mean_length=mean(sums.length),
        highest_rate=int(seen.max()) / size,
        overlap=_overlap(seen, size),
    )


def _overlap(seen: Integers, sittings: int) -> float | None:
    """Mean items shared by two sittings over the mean length: m who saw an item are m (m - 1) / 2 pairs (as
    `psychometrics.exposure.pairwise_overlap`, from the counts alone).
    """
    if sittings < 2 or not seen.any():
        return None
    return int((seen * (seen - 1)).sum()) / (sittings - 1) / int(seen.sum())


def distribution(counts: Counter[int]) -> Distribution:
    """Mean, deviation, percentiles and counts of whole numbers."""
    n = sum(counts.values())
    total = sum(value * times for value, times in counts.items())
    squares = sum(value * value * times for value, times in counts.items())
    ordered = sorted(counts)
    return Distribution(
        mean=total / n,
        deviation=math.sqrt((n * squares - total * total) / (n * (n - 1))) if n > 1 else 0.0,
        minimum=ordered[0],
        percentiles={str(p): _percentile(counts, ordered, p * n) for p in PERCENTILES},
        maximum=ordered[-1],
        counts={value: counts[value] for value in ordered},
    )


def _percentile(counts: Counter[int], ordered: list[int], hundredths: int) -> int:
    """The least value that so many hundredths of all sittings do not exceed."""
    below = 0
    for value in ordered:
        below += counts[value]
        if 100 * below >= hundredths:
            return value
    return ordered[-1]


def _exposure(seen: Integers, sittings: int) -> ExposureReport:
    rates = seen / sittings
    return ExposureReport(
        rates=tuple(float(rate) for rate in rates),
        highest_rate=float(rates.max()),
        unused_items=int((seen == 0).sum()),
        unused_share=float((seen == 0).mean()),
        overexposed_items=int((rates > EXPOSURE_LIMIT).sum()),
        limit=EXPOSURE_LIMIT,
        overlap=_overlap(seen, sittings),
        chi_square=unevenness(rates) if seen.any() else None,
    )


def _content(part: CompiledSection, tally: SectionTally) -> ContentReport:
    items, sittings = int(tally.seen.sum()), max(sum(tally.sizes), 1)
    lines = []
    for number, line in enumerate(part.section.blueprint):
        of_line = sum(count * times for count, times in tally.lines[number].items())
        lines.append(
            LineReport(
                area=line.area,
                share=line.per_mille / 1000,
                mean_share=of_line / max(items, 1),
                mean_items=of_line / sittings,
                missed_sittings=tally.lines_missed[number],
                passed_over_items=tally.relaxed_items[line.area],
            )
        )
    return ContentReport(
        lines=tuple(lines),
        below_minimum=dict(sorted(tally.unmet.items())),
        above_maximum=dict(sorted(tally.exceeded.items())),
        relaxed_items=dict(sorted(tally.relaxed_items.items())),
        relaxed_sittings=tally.relaxed_sittings,
    )


def _classification(part: CompiledSection, tally: SectionTally) -> ClassificationReport | None:
    marks, sittings = cut_scores(part), sum(tally.levels.values())
    if not marks or not sittings:
        return None
    right = sum(times for (true, given), times in tally.levels.items() if true == given)
    return ClassificationReport(
        cuts=tuple(_cut(mark, tally) for mark in marks),
        level_accuracy=share(right, sittings),
        levels=tuple((true, given, times) for (true, given), times in sorted(tally.levels.items())),
    )


def _cut(mark: int, tally: SectionTally) -> CutReport:
    table = {(a, b): tally.cuts[mark, a, b] for a in (False, True) for b in (False, True)}
    below, above = table[False, False] + table[False, True], table[True, False] + table[True, True]
    return CutReport(
        cut_score=mark,
        accuracy=share(table[False, False] + table[True, True], below + above),
        below=below,
        false_positives=share(table[False, True], below) if below else None,
        above=above,
        false_negatives=share(table[True, False], above) if above else None,
    )


def section_differences(section_id: str, pairs: Pairs) -> SectionDifferences:
    """What a design changes in a section."""
    return SectionDifferences(
        section_id=section_id,
        bias=difference(pairs.error, THETA_UNIT),
        mean_square_error=difference(pairs.square, THETA_UNIT**2),
        mean_standard_error=difference(pairs.reported, THETA_UNIT),
        length=difference(pairs.length),
    )


def difference(sums: Sums, unit: float = 1.0) -> Difference | None:
    """The mean of paired differences with its normal 95 % interval; None of fewer than two pairs."""
    if sums.n < 2:
        return None
    found = mean(sums, unit)
    margin = COVERAGE_Z * (found.error or 0.0)
    return Difference(value=found.value, lower=found.value - margin, upper=found.value + margin)
