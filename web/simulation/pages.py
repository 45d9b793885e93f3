"""From what a study found to its page: one HTML file that stands alone."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from markupsafe import Markup

from cat_engine.core import adaptive
from cat_engine.core.simulation.population import Listed, Normal, Points, Population, Uniform
from cat_engine.core.simulation.report import DesignReport, StudyReport
from cat_engine.core.simulation.study import AS_PUBLISHED
from web.assets import STATIC_FOLDER, AssetTable
from web.formats import Formats
from web.language import Language, Translator, load_translators
from web.pages import TEMPLATES_FOLDER, make_templates
from web.simulation.sections import section_views
from web.simulation.views import Fact, ReportView, Table

STYLES: Final = (
    "css/layers.css",
    "css/tokens.css",
    "css/base.css",
    "css/components/line_plot.css",
    "css/components/plot.css",
    "css/components/table.css",
)
_REFERENCE: Final = re.compile(r'url\("asset:([^"]+)"\)')

NOTHING_LEFT = (adaptive.POOL_EXHAUSTED, adaptive.BLUEPRINT_INFEASIBLE)
"""How a section ends that should have gone on."""


def render_report(report: StudyReport, language: Language, commandline: str) -> str:
    """The page in one language; `commandline` is what repeats the study."""
    translator = load_translators()[language]
    formats = Formats(language)
    templates = make_templates(AssetTable(()))
    return templates.get_template("simulation/report.html").render(
        t=translator,
        language=language,
        stylesheet=_stylesheet(),
        view=report_view(report, translator, formats, commandline),
    )


def _stylesheet() -> Markup:
    """The design system and the report's own sheet, with the typeface inside."""
    sheets = [(STATIC_FOLDER / name).read_text(encoding="utf-8") for name in STYLES]
    sheets.append((TEMPLATES_FOLDER / "simulation" / "report.css").read_text(encoding="utf-8"))
    css = _REFERENCE.sub(
        lambda found: f'url("{_embedded(STATIC_FOLDER / found.group(1))}")', "\n".join(sheets)
    )
    return Markup("<style>{}</style>").format(Markup(css))  # noqa: S704 - our own style sheets, no data of anybody


def _embedded(path: Path) -> str:
    return f"data:font/woff2;base64,{base64.b64encode(path.read_bytes()).decode()}"


def report_view(report: StudyReport, t: Translator, formats: Formats, commandline: str) -> ReportView:
    """Everything the page says."""
    report = _named(report, t)
    return ReportView(
        title=_in_language(report.package_title, t),
        subtitle=t(
            "simulation.page.package",
            code=report.package_code,
            version=formats.number(report.package_version),
        ),
        facts=(
            Fact(t("simulation.fact.candidates"), formats.number(report.candidates)),
            Fact(t("simulation.fact.population"), _population(report.population, t, formats)),
            Fact(t("simulation.fact.speed"), _speed(report, t, formats)),
            Fact(t("simulation.fact.truth"), _truth(report, t, formats)),
            Fact(t("simulation.fact.seed"), report.seed, code=True),
            Fact(t("simulation.fact.package_hash"), report.package_hash[:16], code=True),
        ),
        designs=_designs(report.designs, t, formats),
        sections=section_views(report, t, formats),
        warnings=_warnings(report.designs, t, formats),
        commandline=commandline,
    )


def _named(report: StudyReport, t: Translator) -> StudyReport:
    """The package's own design under its name in the reader's language."""
    own = t("simulation.design.as_published")
    designs = tuple(
        msgspec.structs.replace(design, name=own) if design.name == AS_PUBLISHED.name else design
        for design in report.designs
    )
    return msgspec.structs.replace(report, designs=designs)


def _in_language(title: Mapping[str, str], t: Translator) -> str:
    return title.get(t.language) or next(iter(title.values()))


def _population(population: Population, t: Translator, formats: Formats) -> str:
    match population:
        case Points():
            return t(
                "simulation.population.points",
                points=formats.number(len(population.thetas)),
                replications=formats.number(population.replications),
                lowest=formats.number(min(population.thetas), 1),
                highest=formats.number(max(population.thetas), 1),
            )
        case Normal(mean=None):
            return t("simulation.population.prior")
        case Normal():
            return t(
                "simulation.population.normal",
                mean=formats.number(population.mean or 0.0, 2),
                deviation=formats.number(population.deviation or 0.0, 2),
            )
        case Uniform():
            return t(
                "simulation.population.uniform",
                lower=formats.number(population.lower, 2),
                upper=formats.number(population.upper, 2),
            )
        case Listed():
            return t("simulation.population.listed")


def _speed(report: StudyReport, t: Translator, formats: Formats) -> str:
    if report.speed.deviation == 0:
        return t("simulation.speed.same")
    return t(
        "simulation.speed.varies",
        deviation=formats.number(report.speed.deviation, 2),
        correlation=formats.number(report.speed.correlation, 2),
    )


def _truth(report: StudyReport, t: Translator, formats: Formats) -> str:
    errors = report.perturbation
    if errors is None:
        return t("simulation.truth.package")
    return t(
        "simulation.truth.perturbed",
        slope=formats.number(errors.log_slope_deviation, 2),
        difficulty=formats.number(errors.difficulty_deviation, 2),
    )


def _designs(designs: tuple[DesignReport, ...], t: Translator, formats: Formats) -> Table:
    rows = []
    for design in designs:
        minutes = {name: seconds / 60 for name, seconds in design.used_s.percentiles.items()}
        rows.append(
            (
                design.name,
                t(f"simulation.path.{design.path}"),
                formats.percent(design.complete / design.sittings, 1),
                "–" if design.passed_share is None else formats.percent(design.passed_share, 1),
                formats.number(design.used_s.mean / 60, 1),
                formats.number(minutes["95"], 1),
                formats.number(sum(design.refused.values())),
            )
        )
    return Table(
        caption=t("simulation.design.caption"),
        columns=(
            (t("simulation.design.name"), ""),
            (t("simulation.design.path"), ""),
            (t("simulation.design.complete"), "number"),
            (t("simulation.design.passed"), "number"),
            (t("simulation.design.minutes"), "number"),
            (t("simulation.design.minutes_95"), "number"),
            (t("simulation.design.refused"), "number"),
        ),
        rows=tuple(rows),
    )


def _warnings(designs: tuple[DesignReport, ...], t: Translator, formats: Formats) -> tuple[str, ...]:
    """What nobody should read past: sittings that could not go on, content that gave way, pools used up."""
    found = []
    for design in designs:
        for reason, times in design.refused.items():
            found.append(
                t(
                    "simulation.warning.refused",
                    design=design.name,
                    times=formats.number(times),
                    reason=reason,
                )
            )
        for section in design.sections:
            where = {"design": design.name, "section": _in_language(section.title, t)}
            if section.content.relaxed_sittings:
                share = formats.percent(section.content.relaxed_sittings / design.sittings, 1)
                found.append(t("simulation.warning.relaxed", share=share, **where))
            exhausted = sum(section.stop_reasons.get(reason, 0) for reason in NOTHING_LEFT)
            if exhausted:
                share = formats.percent(exhausted / design.sittings, 1)
                found.append(t("simulation.warning.exhausted", share=share, **where))
    return tuple(found)
