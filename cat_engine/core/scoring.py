"""Final estimates, scale scores, levels: the score of a finished sitting, in integers."""

from cat_engine.core.adaptive import evidence_of
from cat_engine.core.chance import Chance
from cat_engine.core.compiled import CompiledPackage, CompiledSection
from cat_engine.core.events import AreaScore, DimensionScore, Scored, SectionScore
from cat_engine.core.exact import THETA_UNIT, round_ratio
from cat_engine.core.state import Presentation, SittingState
from cat_engine.core.test_package import Scale
from cat_engine.core.views import Estimate, Start, section_prior

NOT_REACHED = "not_reached"


def score(compiled: CompiledPackage, state: SittingState) -> Scored:
    """Every section's score and the whole sitting's, from the responses recorded.

    A sitting is complete when every section came to its own end. The total cut counts the points of the
    linear sections; every section with a cut score must reach it (a conjunctive rule).
    """
    ended = dict(state.sections_ended)
    sections = tuple(
        _section_score(part, state, index, ended.get(part.section.section_id, NOT_REACHED))
        for index, part in enumerate(compiled.sections)
    )
    return Scored(
        completeness="complete" if len(ended) == len(sections) else "partial",
        sections=sections,
        areas=tuple(
            line
            for index, part in enumerate(compiled.sections)
            for line in _areas(part, state.in_section(index))
        ),
        passed=_passed(compiled, sections),
    )


def _passed(compiled: CompiledPackage, sections: tuple[SectionScore, ...]) -> bool | None:
    verdicts = [section.passed for section in sections if section.passed is not None]
    total_cut = compiled.package.total_cut_points
    if total_cut is not None:
        verdicts.append(sum(section.points or 0 for section in sections) >= total_cut)
    return all(verdicts) if verdicts else None


def _final_prior(part: CompiledSection, state: SittingState) -> Estimate:
    """The section's own prior, whatever the sitting started from; a former result only where the start rule
    says that it counts.
    """
    section_id = part.section.section_id
    former = next((known for known in state.former if known.section_id == section_id), None)
    start: Start = part.start(part.pool, former, Chance(state.seed, 0))
    return start.final_prior or section_prior(part.pool)


def _section_score(part: CompiledSection, state: SittingState, index: int, reason: str) -> SectionScore:
    section, scale = part.section, part.section.scale
    presentations = state.in_section(index)
    answered = [p for p in presentations if p.response is not None]
    estimate: Estimate | None = None
    points: int | None = None
    points_maximum: int | None = None
    scale_error: int | None = None
    if part.is_linear:
        points = sum(p.points for p in presentations if p.response is not None)
        points_maximum = sum(item.points_maximum for item in part.pool.items)
        scale_score = _clamp(scale, scale.slope * points + scale.intercept)
    elif answered:
        estimate = part.final(evidence_of(part, presentations, _final_prior(part, state)))
        scale_score, scale_error = to_scale(scale, estimate)
    else:
        # the prior's mean would be a gift to whoever does not get here: nothing measured is the lowest score
        scale_score = scale.minimum
    return SectionScore(
        section_id=section.section_id,
        mode=section.mode,
        aspect=section.aspect,
        theta_millionths=estimate.theta_millionths if estimate else None,
        standard_error_millionths=estimate.standard_error_millionths if estimate else None,
        points=points,
        points_maximum=points_maximum,
        scale_score=str(scale_score),
        scale_error="" if scale_error is None else str(scale_error),
        level=level(scale, scale_score) if answered else 0,
        passed=None if scale.cut_score is None else scale_score >= scale.cut_score,
        items=len(answered),
        stop_reason=reason,
        dimensions=_dimensions(part, estimate),
    )


def _dimensions(part: CompiledSection, estimate: Estimate | None) -> tuple[DimensionScore, ...]:
    """Each ability of a section of several, in its own metric."""
    if estimate is None:
        return ()
    measured = zip(
        part.section.dimensions, estimate.thetas_millionths, estimate.errors_millionths, strict=False
    )
    return tuple(
        DimensionScore(name=dimension.name, theta_millionths=theta, standard_error_millionths=error)
        for dimension, theta, error in measured
    )


def to_scale(scale: Scale, estimate: Estimate) -> tuple[int, int]:
    """Scale score and its error: slope * theta + intercept and slope * error, rounded half to even."""
    numerator = scale.slope * estimate.theta_millionths + scale.intercept * THETA_UNIT
    error = round_ratio(scale.slope * estimate.standard_error_millionths, THETA_UNIT)
    return _clamp(scale, round_ratio(numerator, THETA_UNIT)), error


def _clamp(scale: Scale, value: int) -> int:
    return min(max(value, scale.minimum), scale.maximum)


def level(scale: Scale, scale_score: int) -> int:
    """The highest level whose lower bound the score reaches; 0 below all of them."""
    return max((cut.level for cut in scale.cuts if scale_score >= cut.from_score), default=0)


def _areas(part: CompiledSection, presentations: tuple[Presentation, ...]) -> list[AreaScore]:
    gathered: dict[str, list[Presentation]] = {}
    items = {p.item_id: part.pool.items[part.pool.index_of[p.item_id]] for p in presentations}
    for presentation in presentations:
        if presentation.response is not None:
            gathered.setdefault(items[presentation.item_id].area, []).append(presentation)
    return [
        AreaScore(
            section_id=part.section.section_id,
            area=area,
            points=sum(p.points for p in answered),
            points_maximum=sum(items[p.item_id].points_maximum for p in answered),
            items=len(answered),
        )
        for area, answered in sorted(gathered.items())
    ]
