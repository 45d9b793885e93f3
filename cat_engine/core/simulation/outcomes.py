"""What one simulated sitting came to: the few numbers of it that a study keeps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cat_engine.core import events as e
from cat_engine.core import scoring
from cat_engine.core.assembly.constraints import InfeasibleBlueprint
from cat_engine.core.batch import Batch
from cat_engine.core.compiled import CompiledPackage, CompiledSection
from cat_engine.core.simulation.people import Respondent
from cat_engine.core.simulation.population import Candidate
from cat_engine.core.simulation.sittings import prepared, sit
from cat_engine.core.simulation.truth import Truth
from cat_engine.core.state import SittingState
from cat_engine.core.views import Estimate, Evidence, section_prior
from cat_engine.foundation.refusals import Refused

BLUEPRINT_INFEASIBLE = "blueprint_infeasible"


@dataclass(frozen=True, slots=True)
class SectionOutcome:
    """One section: its final estimate (None where none was made), the columns shown, how it ended."""

    estimate: Estimate | None
    shown: tuple[int, ...]
    answered: int
    points: int
    scale_score: int
    level: int
    passed: bool | None
    reason: str
    relaxed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One sitting. `refused` says why it could not go on, where the engine refused to."""

    sections: tuple[SectionOutcome, ...]
    used_ms: int
    complete: bool
    passed: bool | None
    refused: str = ""


def created(compiled: CompiledPackage, person: Candidate, seed: str) -> e.Created:
    """The first event of a simulated sitting; its seed follows from the study's and the person's number."""
    return e.Created(
        sitting_id=f"simulated-{person.number}",
        package_hash=compiled.content_hash,
        seed=sitting_seed(seed, person.number),
        time_allowed_ms=compiled.package.time_allowed_s * 1000,
        accommodation_ms=0,
        candidate=f"simulated-{person.number}",
    )


def sitting_seed(seed: str, number: int) -> str:
    """The seed of a person's sitting."""
    return f"{seed}|sitting|{number}"


def through_engine(
    compiled: CompiledPackage,
    truths: Sequence[Truth],
    person: Candidate,
    seed: str,
    exposure: Sequence[e.ExposureRead] = (),
) -> tuple[Outcome, SittingState | None, list[e.Entry]]:
    """A sitting through the engine's verbs: what it came to, its last state, and the entries of its log from
    the beginning on.
    """
    respondent = Respondent(compiled, truths, person.thetas, key=person.key, speed=person.speed)
    state = prepared(created(compiled, person, seed), 0)
    entries: list[e.Entry] = []
    try:
        for progress in sit(compiled, state, respondent, exposure):
            state = progress.state
            entries.append(progress.entry)
    except InfeasibleBlueprint as error:
        return _refused(compiled, state, entries, f"{BLUEPRINT_INFEASIBLE}: {error}"), None, entries
    except Refused as refused:
        return _refused(compiled, state, entries, refused.code.value), None, entries
    return _outcome(compiled, state, entries), state, entries


def _refused(
    compiled: CompiledPackage, state: SittingState, entries: Sequence[e.Entry], reason: str
) -> Outcome:
    scored = scoring.score(compiled, state)
    sections = _sections(compiled, state, scored, entries)
    return Outcome(sections, state.time.used_at(state.last_at_ms), False, None, reason)


def _outcome(compiled: CompiledPackage, state: SittingState, entries: Sequence[e.Entry]) -> Outcome:
    scored = state.score
    if scored is None:
        raise ValueError("the sitting has no score")
    sections = _sections(compiled, state, scored, entries)
    used_ms = min(state.time.used_ms, state.time.allowed_ms)
    return Outcome(sections, used_ms, scored.completeness == "complete", scored.passed)


def _sections(
    compiled: CompiledPackage, state: SittingState, scored: e.Scored, entries: Sequence[e.Entry]
) -> tuple[SectionOutcome, ...]:
    relaxed: list[list[str]] = [[] for _ in compiled.sections]
    for entry in entries:
        for event in entry.events:
            if isinstance(event, e.ItemPresented) and event.relaxed:
                relaxed[state.presentations[event.position - 1].section_index] += event.relaxed
    return tuple(
        _section(part, state, index, section, relaxed[index])
        for index, (part, section) in enumerate(zip(compiled.sections, scored.sections, strict=True))
    )


def _section(
    part: CompiledSection, state: SittingState, index: int, scored: e.SectionScore, relaxed: list[str]
) -> SectionOutcome:
    here = state.in_section(index)
    estimate = None
    if scored.theta_millionths is not None and scored.standard_error_millionths is not None:
        estimate = Estimate(scored.theta_millionths, scored.standard_error_millionths)
    return SectionOutcome(
        estimate=estimate,
        shown=tuple(part.pool.index_of[p.item_id] for p in here),
        answered=scored.items,
        points=sum(p.points for p in here if p.response is not None),
        scale_score=int(scored.scale_score),
        level=scored.level,
        passed=scored.passed,
        reason=scored.stop_reason,
        relaxed=tuple(relaxed),
    )


def through_batch(compiled: CompiledPackage, batch: Batch) -> Iterable[Outcome]:
    """What the sittings of a batch came to."""
    part = compiled.sections[0]
    names = [line.area for line in part.section.blueprint]
    same = part.section.final_estimator == part.section.interim_estimator
    for number, (items, given) in enumerate(batch.responses):
        estimate: Estimate | None = None
        if items and same:
            last = len(items) - 1
            estimate = Estimate(
                int(batch.thetas_millionths[number, last]), int(batch.errors_millionths[number, last])
            )
        elif items:
            estimate = part.final(Evidence(part.pool, items, given, section_prior(part.pool)))
        yield _batch_outcome(part, batch, number, estimate, names)


def _batch_outcome(
    part: CompiledSection, batch: Batch, number: int, estimate: Estimate | None, names: list[str]
) -> Outcome:
    scale, reason = part.section.scale, batch.reasons[number]
    score = scale.minimum if estimate is None else scoring.to_scale(scale, estimate)[0]
    items, given = batch.responses[number]
    pending = int(batch.pending[number])
    passed = None if scale.cut_score is None else score >= scale.cut_score
    section = SectionOutcome(
        estimate=estimate,
        shown=(*items, pending) if pending >= 0 else items,
        answered=len(items),
        points=sum(part.pool.items[i].points_minimum + k for i, k in zip(items, given, strict=True)),
        scale_score=score,
        level=scoring.level(scale, score) if items else 0,
        passed=passed,
        reason=reason,
        relaxed=tuple(
            name
            for name, times in zip(names, batch.relaxed[number].tolist() if names else (), strict=True)
            for _ in range(times)
        ),
    )
    return Outcome((section,), int(batch.used_ms[number]), reason != scoring.NOT_REACHED, passed)
