"""From a section of a test package to what can be said about it: rules in words, blueprint, information."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cat_engine.core.compiled import CompiledSection
from cat_engine.core.exact import THETA_UNIT, UNIT, Floats
from cat_engine.core.tables import GRID_MILLIONTHS
from cat_engine.core.test_package import RuleChoice
from web.analyst.views import AreaLine, LevelLine, RuleLine, SectionView
from web.competencies import competency_name
from web.formats import Formats
from web.language import Translator
from web.plots import Curve, LinePlot, PlotWords, line_plot

BY_DESIGN: Final = "design"
PLOTTED: Final = np.flatnonzero(np.abs(GRID_MILLIONTHS) <= 4 * THETA_UNIT)[::2]
"""Rows of the grid that are drawn: where people are, a tenth of theta apart."""


def section_view(part: CompiledSection, t: Translator, formats: Formats) -> SectionView:
    """Everything the package page says of one section."""
    section, areas = part.section, _areas(part, t)
    return SectionView(
        section_id=section.section_id,
        title=section.title.get(t.language, section.title["id"]),
        mode=section.mode,
        aspect=section.aspect,
        pool_size=part.pool.size,
        most_items=part.most_items,
        by_design=sum(item.provenance == BY_DESIGN for item in part.pool.items),
        rules=() if part.is_linear else _rules(part, t, formats),
        areas=areas,
        is_blueprint_met=all(area.is_met for area in areas),
        scale_name=section.scale.name,
        scale_minimum=section.scale.minimum,
        scale_maximum=section.scale.maximum,
        cut_score=section.scale.cut_score,
        levels=tuple(LevelLine(level=cut.level, from_score=cut.from_score) for cut in section.scale.cuts),
        plots=_plots(part, t, formats),
    )


# --------------------------------------------------------------------------------------------- rules in words


def _rules(part: CompiledSection, t: Translator, formats: Formats) -> tuple[RuleLine, ...]:
    section = part.section
    chosen = [("selection", section.selection), ("exposure", section.exposure)]
    chosen += [("stopping", choice) for choice in section.stopping]
    chosen += [
        ("interim_estimator", section.interim_estimator),
        ("final_estimator", section.final_estimator),
    ]
    return tuple(
        RuleLine(family=family, sentence=rule_sentence(choice, t, formats)) for family, choice in chosen
    )


def rule_sentence(choice: RuleChoice, t: Translator, formats: Formats) -> str:
    """The rule with its settings as a sentence; a rule of another distribution by its name and settings."""
    key = f"analyst.rule.{choice.rule}"
    if t.has(key):
        return t(key, **_spoken(choice.settings, t, formats))
    settings = ", ".join(f"{name} = {value}" for name, value in choice.settings.items())
    return f"{choice.rule} ({settings})" if settings else choice.rule


def _spoken(settings: Mapping[str, Any], t: Translator, formats: Formats) -> dict[str, str]:
    """Settings as people read them: millionths as numbers, lists as steps; defaults where none was set."""
    spoken = {"sizes": "5", "minimum_items": "1"}
    for name, value in settings.items():
        if isinstance(value, list | tuple):
            numbers = [formats.number(each) for each in value]
            *early, last = numbers
            spoken[name] = t("analyst.rule_list.then", early=", ".join(early), last=last) if early else last
        elif name.endswith("_millionths"):
            spoken[name] = formats.number(value / THETA_UNIT, 2)
        else:
            spoken[name] = formats.number(value) if isinstance(value, int | float) else str(value)
    return spoken


# ------------------------------------------------------------------------------------------------- blueprint


def _areas(part: CompiledSection, t: Translator) -> tuple[AreaLine, ...]:
    lines = []
    for number, share in enumerate(part.section.blueprint):
        wanted, in_pool = share.per_mille * part.most_items / 1000, int((part.pool.area == number).sum())
        lines.append(
            AreaLine(
                name=competency_name(t.language, share.area),
                share=share.per_mille / 1000,
                wanted=wanted,
                in_pool=in_pool,
                is_met=in_pool >= math.ceil(wanted - 1e-9),
            )
        )
    return tuple(lines)


# ----------------------------------------------------------------------------------------------- information


def best_information(part: CompiledSection) -> Floats:
    """The information of the `most_items` most informative items at each theta, (grid,): the best that a
    sitting of full length can reach, since blueprint and exposure rule only take away from it.
    """
    information = part.pool.information / UNIT
    best: Floats = np.sort(information, axis=1)[:, -part.most_items :].sum(axis=1)
    return best


def _plots(part: CompiledSection, t: Translator, formats: Formats) -> tuple[LinePlot, ...]:
    theta = (GRID_MILLIONTHS / THETA_UNIT)[PLOTTED]
    pool = (part.pool.information.sum(axis=1) / UNIT)[PLOTTED]
    best = best_information(part)[PLOTTED]
    cuts = _cuts(part)
    peak = int(pool.argmax())
    words = PlotWords(
        id=f"information-{part.section.section_id}",
        title=t("analyst.plot.information"),
        description=t(
            "analyst.plot.information_text",
            theta=formats.number(float(theta[peak]), 1),
            most=formats.number(float(pool[peak]), 1),
        ),
        x_label=t("analyst.plot.theta"),
        y_label=t("analyst.plot.information_unit"),
    )
    curves = [Curve(t("analyst.plot.pool"), tuple(map(float, pool)))]
    if part.is_linear:
        return (line_plot(words, theta.tolist(), curves, formats),)
    curves.append(
        Curve(t("analyst.plot.best", items=formats.number(part.most_items)), tuple(map(float, best)))
    )
    errors = 1 / np.sqrt(best + 1 / part.section.prior_deviation**2)
    error_words = PlotWords(
        id=f"error-{part.section.section_id}",
        title=t("analyst.plot.error"),
        description=t("analyst.plot.error_text", least=formats.number(float(errors.min()), 2)),
        x_label=t("analyst.plot.theta"),
        y_label=t("analyst.plot.error_unit"),
    )
    error = [Curve(t("analyst.plot.error_unit"), tuple(map(float, errors)))]
    return (
        line_plot(words, theta.tolist(), curves, formats, decimals=1, cuts=cuts),
        line_plot(error_words, theta.tolist(), error, formats, cuts=cuts),
    )


def _cuts(part: CompiledSection) -> list[tuple[float, str]]:
    """The lower bound of every level on the theta axis, for scales that are linear in theta."""
    scale = part.section.scale
    if part.is_linear or not scale.slope:
        return []
    bounds = [cut for cut in scale.cuts if cut.from_score > scale.minimum]
    return [((cut.from_score - scale.intercept) / scale.slope, str(cut.from_score)) for cut in bounds]
