"""One section of the report: designs side by side in tables, differences and charts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from cat_engine.core.simulation.report import (
    ConditionalReport,
    CutReport,
    DesignReport,
    Difference,
    Estimated,
    SectionDifferences,
    SectionReport,
    StudyReport,
)
from web.formats import Formats
from web.language import Translator
from web.simulation.charts import Chart, ChartWords, Series, bars, lines
from web.simulation.views import Differences, Fact, IntervalLine, SectionView, Table

NONE: Final = "–"
STYLES: Final = 5
Z: Final = 1.96
PICTURE: Final = 200.0  # width of the picture of an interval
Named = tuple[str, SectionReport]


def section_views(report: StudyReport, t: Translator, formats: Formats) -> tuple[SectionView, ...]:
    """Every section of the package."""
    return tuple(
        _Section(report.designs, number, t, formats).view()
        for number in range(len(report.designs[0].sections))
    )


class _Section:
    """One section under every design."""

    def __init__(self, designs: Sequence[DesignReport], number: int, t: Translator, formats: Formats) -> None:
        self.designs = designs
        self.number = number
        self.named: list[Named] = [(design.name, design.sections[number]) for design in designs]
        self.t, self.formats = t, formats

    def view(self) -> SectionView:
        """Its part of the page."""
        t, first = self.t, self.named[0][1]
        facts = (
            Fact(t("simulation.fact.mode"), t(f"simulation.mode.{first.mode}")),
            Fact(t("simulation.fact.pool"), self.formats.number(first.items_in_pool)),
        )
        tables = (self._reasons(), self._blueprint(), self._constraints(), self._cuts())
        return SectionView(
            title=first.title.get(t.language) or next(iter(first.title.values())),
            facts=facts,
            overview=self._overview(),
            rules=self._rules(),
            differences=self._differences(),
            charts=self._charts(),
            tables=tuple(table for table in tables if table is not None),
        )

    # ------------------------------------------------------------------------------------------ tables

    def _overview(self) -> Table:
        t = self.t
        names = ("bias", "rmse", "error", "coverage", "correlation", "length", "highest", "unused", "overlap")
        return Table(
            caption=t("simulation.overview.caption"),
            columns=(
                (t("simulation.design.name"), ""),
                *((t(f"simulation.overview.{name}"), "number") for name in names),
            ),
            rows=tuple((name, *self._overview_cells(section)) for name, section in self.named),
        )

    def _overview_cells(self, section: SectionReport) -> tuple[str, ...]:
        formats, accuracy, exposure = self.formats, section.accuracy, section.exposure
        measured: tuple[str, ...] = (NONE,) * 5
        if accuracy is not None:
            measured = (
                self._estimated(accuracy.bias),
                self._estimated(accuracy.rmse),
                self._estimated(accuracy.mean_standard_error),
                formats.percent(accuracy.coverage.value, 1),
                NONE if accuracy.correlation is None else formats.number(accuracy.correlation, 3),
            )
        return (
            *measured,
            formats.number(section.length.mean, 1),
            formats.percent(exposure.highest_rate, 1),
            formats.percent(exposure.unused_share, 1),
            NONE if exposure.overlap is None else formats.percent(exposure.overlap, 1),
        )

    def _estimated(self, value: Estimated) -> str:
        text = self.formats.number(value.value, 3)
        return text if value.error is None else f"{text} ± {self.formats.number(value.error, 3)}"

    def _rules(self) -> Table:
        families = self.named[0][1].rules
        return Table(
            caption=self.t("simulation.rules.caption"),
            columns=((self.t("simulation.rules.family"), ""), *((name, "") for name, _ in self.named)),
            rows=tuple(
                (
                    self.t(f"simulation.rules.{family}"),
                    *(section.rules[family] or NONE for _, section in self.named),
                )
                for family in families
            ),
        )

    def _reasons(self) -> Table:
        reasons = sorted({reason for _, section in self.named for reason in section.stop_reasons})
        return self._by_design(
            self.t("simulation.reasons.caption"),
            self.t("simulation.reasons.reason"),
            reasons,
            lambda section, reason: self.formats.percent(
                section.stop_reasons.get(reason, 0) / sum(section.stop_reasons.values()), 1
            ),
        )

    def _by_design(
        self, caption: str, heading: str, keys: Sequence[str], cell: Callable[[SectionReport, str], str]
    ) -> Table:
        return Table(
            caption=caption,
            columns=((heading, ""), *((name, "number") for name, _ in self.named)),
            rows=tuple((key, *(cell(section, key) for _, section in self.named)) for key in keys),
        )

    def _blueprint(self) -> Table | None:
        """Areas with the share they shall have, and what each design made of it."""
        t, formats = self.t, self.formats
        areas = {line.area: line.share for _, section in self.named for line in section.content.lines}
        reached = [
            {
                line.area: t(
                    "simulation.blueprint.reached",
                    share=formats.percent(line.mean_share, 1),
                    missed=formats.number(line.missed_sittings),
                )
                for line in section.content.lines
            }
            for _, section in self.named
        ]
        if not areas:
            return None
        return Table(
            caption=t("simulation.blueprint.caption"),
            columns=(
                (t("simulation.blueprint.area"), ""),
                (t("simulation.blueprint.share"), "number"),
                *((name, "number") for name, _ in self.named),
            ),
            rows=tuple(
                (area, formats.percent(share, 1), *(cells.get(area, NONE) for cells in reached))
                for area, share in areas.items()
            ),
        )

    def _constraints(self) -> Table | None:
        """Lines of the content specification that some sitting broke."""
        broken: list[tuple[str, str, str, str]] = []
        for name, section in self.named:
            for kind, counts in (
                ("below", section.content.below_minimum),
                ("above", section.content.above_maximum),
                ("relaxed", section.content.relaxed_items),
            ):
                broken += [
                    (line, name, self.t(f"simulation.constraints.{kind}"), self.formats.number(times))
                    for line, times in counts.items()
                ]
        if not broken:
            return None
        t = self.t
        return Table(
            caption=t("simulation.constraints.caption"),
            columns=(
                (t("simulation.constraints.line"), ""),
                (t("simulation.design.name"), ""),
                (t("simulation.constraints.what"), ""),
                (t("simulation.constraints.times"), "number"),
            ),
            rows=tuple(sorted(broken)),
        )

    def _cuts(self) -> Table | None:
        t, formats = self.t, self.formats
        rows = [
            (
                formats.number(cut.cut_score),
                name,
                formats.percent(cut.accuracy.value, 1),
                _wrong(cut.false_positives, formats),
                _wrong(cut.false_negatives, formats),
            )
            for cuts in _side_by_side(self.named)
            for name, cut in cuts
        ]
        if not rows:
            return None
        return Table(
            caption=t("simulation.cuts.caption"),
            columns=(
                (t("simulation.cuts.cut"), ""),
                (t("simulation.design.name"), ""),
                (t("simulation.cuts.accuracy"), "number"),
                (t("simulation.cuts.false_positives"), "number"),
                (t("simulation.cuts.false_negatives"), "number"),
            ),
            rows=tuple(rows),
        )

    # ------------------------------------------------------------------------------------- differences

    def _differences(self) -> tuple[Differences, ...]:
        found = [
            (design.name, design.differences[self.number]) for design in self.designs if design.differences
        ]
        measures: Mapping[str, Callable[[SectionDifferences], Difference | None]] = {
            "mean_square_error": lambda one: one.mean_square_error,
            "bias": lambda one: one.bias,
            "mean_standard_error": lambda one: one.mean_standard_error,
            "length": lambda one: one.length,
        }
        drawn = []
        for measure, read in measures.items():
            known = [(name, read(one)) for name, one in found]
            present = [(name, one) for name, one in known if one is not None]
            if present and any(one.lower != one.upper or one.value for _, one in present):
                drawn.append(self._drawn(self.t(f"simulation.difference.{measure}"), present))
        return tuple(drawn)

    def _drawn(self, title: str, known: Sequence[tuple[str, Difference]]) -> Differences:
        low = min(0.0, *(one.lower for _, one in known))
        high = max(0.0, *(one.upper for _, one in known))
        margin = (high - low) * 0.06

        def across(value: float) -> float:
            return round(PICTURE * (value - low + margin) / (high - low + 2 * margin), 1)

        number = self.formats.number
        return Differences(
            title=title,
            zero=across(0.0),
            lines=tuple(
                IntervalLine(
                    label=name,
                    text=number(one.value, 4),
                    interval=f"[{number(one.lower, 4)}; {number(one.upper, 4)}]",
                    low=across(one.lower),
                    point=across(one.value),
                    high=across(one.upper),
                    certain=one.lower > 0 or one.upper < 0,
                )
                for name, one in known
            ),
        )

    # ------------------------------------------------------------------------------------------ charts

    def _charts(self) -> tuple[Chart, ...]:
        charts = [*self._accuracy_charts(), self._exposure_chart(), *self._length_charts()]
        return tuple(charts)

    def _words(self, name: str, x: str, y: str, suffix: str = "", **values: str) -> ChartWords:
        return ChartWords(
            id=f"s{self.number}-{name}{suffix}",
            title=self.t(f"simulation.chart.{name}", **values),
            description=self.t(f"simulation.chart.{name}_description"),
            x_label=self.t(f"simulation.axis.{x}"),
            y_label=self.t(f"simulation.axis.{y}"),
        )

    def _conditional(
        self, read: Callable[[ConditionalReport], Estimated], label: str = "", style: int = 0
    ) -> list[Series]:
        """A line for each design over the abilities where at least two sittings were."""
        found = []
        for number, (name, section) in enumerate(self.named):
            places = [place for place in section.conditional if place.sittings > 1]
            values = [read(place) for place in places]
            if len(places) > 1:
                found.append(
                    Series(
                        label=label or name,
                        x=tuple(place.theta for place in places),
                        y=tuple(value.value for value in values),
                        error=tuple(Z * (value.error or 0.0) for value in values),
                        style=style or number % STYLES + 1,
                        points=True,
                    )
                )
        return found

    def _accuracy_charts(self) -> list[Chart]:
        formats, alone = self.formats, len(self.named) == 1
        bias = self._conditional(lambda place: place.bias)
        if not bias:
            return []
        charts = [lines(self._words("bias", "theta", "bias"), bias, formats)]
        empirical = self._conditional(lambda place: place.rmse)
        reported = self._conditional(lambda place: place.mean_standard_error)
        if alone:
            empirical = self._conditional(lambda place: place.rmse, self.t("simulation.series.rmse"), 1)
            reported = self._conditional(
                lambda place: place.mean_standard_error, self.t("simulation.series.reported"), 2
            )
            words = self._words("both_errors", "theta", "error")
            return [*charts, lines(words, [*empirical, *reported], formats)]
        return [
            *charts,
            lines(self._words("rmse", "theta", "error"), empirical, formats),
            lines(self._words("standard_error", "theta", "error"), reported, formats),
        ]

    def _exposure_chart(self) -> Chart:
        series = []
        for number, (name, section) in enumerate(self.named):
            rates = sorted(section.exposure.rates, reverse=True)
            ranks = _ranks(len(rates))
            series.append(
                Series(
                    label=name,
                    x=tuple(float(rank) for rank in ranks),
                    y=tuple(rates[rank - 1] for rank in ranks),
                    style=number % STYLES + 1,
                )
            )
        limit = self.named[0][1].exposure.limit
        return lines(
            self._words("exposure", "rank", "rate"),
            series,
            self.formats,
            percent=True,
            limit=(limit, self.formats.percent(limit)),
        )

    def _length_charts(self) -> list[Chart]:
        """How long the tests were, where they differ in length."""
        varying = [
            (number, name, section)
            for number, (name, section) in enumerate(self.named)
            if section.length.minimum < section.length.maximum
        ]
        charts = []
        for number, name, section in varying:
            words = self._words("length", "items", "sittings", f"-{number}", design=name)
            charts.append(bars(words, section.length.counts, self.formats))
        by_ability = self._conditional(lambda place: place.mean_length)
        if varying and by_ability:
            charts.append(
                lines(self._words("mean_length", "theta", "items"), by_ability, self.formats, decimals=1)
            )
        return charts


def _ranks(items: int, most: int = 200) -> list[int]:
    """Ranks to draw: all of a small pool; of a large one the first ones and then evenly spread ones."""
    if items <= most:
        return list(range(1, items + 1))
    return sorted({*range(1, 21), *(1 + place * (items - 1) // (most - 1) for place in range(most))})


def _wrong(share: Estimated | None, formats: Formats) -> str:
    return NONE if share is None else formats.percent(share.value, 1)


def _side_by_side(named: Sequence[Named]) -> list[list[tuple[str, CutReport]]]:
    """Cut by cut, the designs that have it."""
    found: dict[int, list[tuple[str, CutReport]]] = {}
    for name, section in named:
        for cut in section.classification.cuts if section.classification else ():
            found.setdefault(cut.cut_score, []).append((name, cut))
    return [found[cut] for cut in sorted(found)]
