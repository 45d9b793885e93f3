"""From a section of a test package to what can be said about it: rules in words, blueprint, information."""

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np

from cat_engine.core import families
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
    stopping = [("stopping", choice) for choice in section.stopping]
    estimators = [
        ("interim_estimator", section.interim_estimator),
        ("final_estimator", section.final_estimator),
    ]
    if part.is_multistage:
        lines = [RuleLine(family="panels", sentence=_panels(part, t, formats))]
        chosen = [("start", section.start), *stopping, *estimators]
    else:
        lines = []
        one_by_one = ("start", "selection", "content", "eligibility", "exposure")
        chosen = [(family, getattr(section, family)) for family in one_by_one] + stopping + estimators
    return (
        *lines,
        *(RuleLine(family=family, sentence=rule_sentence(choice, t, formats)) for family, choice in chosen),
    )


def _panels(part: CompiledSection, t: Translator, formats: Formats) -> str:
    panels = part.section.panels
    stages = [formats.number(len(stage.modules)) for stage in panels[0].stages]
    return t("analyst.rule.panels", panels=formats.number(len(panels)), modules="-".join(stages))


def rule_sentence(choice: RuleChoice, t: Translator, formats: Formats) -> str:
    """The rule with its settings as a sentence; a rule of another distribution by its name and settings."""
    key = f"analyst.rule.{choice.rule}"
    if t.has(key):
        family = next(name for name in families.FAMILIES if choice.rule in families.members(name))
        settings = families.settings_of(family, choice)
        return t(key, **_spoken(msgspec.structs.asdict(settings), t, formats))
    named = ", ".join(f"{name} = {value}" for name, value in choice.settings.items())
    return f"{choice.rule} ({named})" if named else choice.rule


def _spoken(settings: Mapping[str, Any], t: Translator, formats: Formats) -> dict[str, str]:
    """Settings as people read them: millionths as numbers, thousandths as percentages, rules as sentences."""
    return {name: _said(name, value, t, formats) for name, value in settings.items()}


def _said(name: str, value: Any, t: Translator, formats: Formats) -> str:
    if value is None or value == ():
        return t("analyst.rule_list.none")
    if isinstance(value, tuple) and isinstance(value[0], RuleChoice):
        return "; ".join(rule_sentence(choice, t, formats).removesuffix(".") for choice in value)
    if isinstance(value, tuple | list):
        said = [_said(name, each, t, formats) for each in value]
        if name != "sizes" or len(said) == 1:
            return ", ".join(said)
        return t("analyst.rule_list.then", early=", ".join(said[:-1]), last=said[-1])
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(name, value, formats)
    key = f"analyst.rule_value.{name}_{value}".lower()
    return t(key) if t.has(key) else str(value)


def _number(name: str, value: float, formats: Formats) -> str:
    if name.endswith("_millionths"):
        return formats.number(value / THETA_UNIT, 2)
    return formats.percent(value / 1000, 1) if name.endswith("_per_mille") else formats.number(value)


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
