"""One adaptive step: estimate, stop or choose."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cat_engine.core import blueprint
from cat_engine.core.chance import Chance
from cat_engine.core.compiled import CompiledSection
from cat_engine.core.events import ItemPresented
from cat_engine.core.state import Presentation, SittingState
from cat_engine.core.views import Choice, Eligible, Estimate, Evidence, SectionView

POOL_EXHAUSTED = "pool_exhausted"


@dataclass(frozen=True)
class Stop:
    """The section has measured enough, and by which rule."""

    reason: str


def view_of(compiled: CompiledSection, state: SittingState, now_ms: int) -> SectionView:
    """The section so far and the interim estimate its answers give."""
    section_id = compiled.section.section_id
    former = next((known for known in state.former if known.section_id == section_id), None)
    start = compiled.start(compiled.pool, former)
    presentations = state.in_section(state.section_index)
    evidence = evidence_of(compiled, presentations, start.prior)
    if evidence.answered:
        estimate = compiled.interim(evidence)
    else:
        estimate = replace(start.prior, theta_millionths=start.theta_millionths)
    return SectionView(
        evidence=evidence,
        start=start,
        estimate=estimate,
        chance=Chance(state.seed, len(state.presentations) + 1),
        shown=len(presentations),
        estimator=compiled.interim,
        response_times_ms=tuple(p.response_time_ms for p in presentations if p.response is not None),
        time_used_ms=state.time.used_at(now_ms),
        assembled=state.assembled,
    )


def evidence_of(
    compiled: CompiledSection, presentations: tuple[Presentation, ...], prior: Estimate
) -> Evidence:
    """The columns of the answered items and their categories."""
    index_of = compiled.pool.index_of
    given = [p for p in presentations if p.response is not None]
    return Evidence(
        compiled.pool,
        tuple(index_of[p.item_id] for p in given),
        tuple(p.category for p in given),
        prior,
    )


def next_item(compiled: CompiledSection, state: SittingState, now_ms: int) -> ItemPresented | Stop:
    """The next item of the section with the trace of its choice, or why there is none.

    Order of business: the stopping rules, then what may come next (never seen, no enemies, sets kept
    together, not barred by exposure control), then the selection rule's utility, what content makes of it,
    and the exposure rule's pick. A set that was begun is finished before a rule may stop.
    """
    view = view_of(compiled, state, now_ms)
    pool = compiled.pool
    shown = tuple(pool.index_of[p.item_id] for p in state.in_section(state.section_index))
    free = blueprint.free_items(pool, (p.item_id for p in state.presentations))
    held = blueprint.begun_set(pool, shown)
    rest = None if held is None else blueprint.within_set(pool, held, free)
    if rest is not None and view.assembled:  # the shadow test knows how many items of the set it wants
        rest = rest[np.isin(rest, view.assembled)]
    if held is None or rest is None or not rest.size:
        held = None
        for stop in compiled.stop:
            reason = stop(view)
            if reason is not None:
                return Stop(reason)
    may, barred = _may_come(compiled, state, view, free, rest if held else None)
    if not may.indices.size:
        return Stop(POOL_EXHAUSTED)
    choice: Choice = compiled.expose(view, may.utility, may.indices)
    return ItemPresented(
        position=view.chance.position,
        item_id=pool.items[choice.index].item_id,
        theta_millionths=view.estimate.theta_millionths,
        standard_error_millionths=view.estimate.standard_error_millionths,
        eligible=may.indices.size,
        eligible_digest=digest(may.indices.astype("<i4")),
        considered=choice.considered,
        drawn=choice.drawn,
        area=may.area,
        relaxed=may.relaxed,
        barred=barred,
        assembled=may.assembled,
        item_set=held.set_id if held else "",
        thetas_millionths=view.estimate.thetas_millionths,
    )


EXPOSURE_RELAXED = "exposure"


def _may_come(
    compiled: CompiledSection,
    state: SittingState,
    view: SectionView,
    free: NDArray[np.bool_],
    rest: NDArray[np.int64] | None,
) -> tuple[Eligible, int]:
    """What may come next with its utility, and how many items exposure control keeps back.

    Where exposure control would leave nothing, it gives way, and the event says so.
    """
    first = next((column for column in view.start.first_items if free[column]), None)
    if first is not None and view.shown < len(view.start.first_items):
        return Eligible(np.array([first], dtype=np.int64), np.zeros(compiled.pool.size, dtype=np.int64)), 0
    utility = compiled.select(view)
    if rest is not None:
        return Eligible(rest, utility, assembled=view.assembled), 0
    if not compiled.content_keeps_sets:
        free = blueprint.set_openers(compiled.pool, free)
    section_id = compiled.section.section_id
    read = next((known for known in state.exposure if known.section_id == section_id), None)
    allowed = compiled.eligibility(view, read)
    if allowed is None:
        return compiled.content(view, utility, free), 0
    barred = int((free & ~allowed).sum())
    may: Eligible = compiled.content(view, utility, free & allowed)
    if may.indices.size and not may.relaxed:
        return may, barred
    unbarred: Eligible = compiled.content(view, utility, free)
    if unbarred.indices.size and len(unbarred.relaxed) < len(may.relaxed) + (not may.indices.size):
        relaxed = (*unbarred.relaxed, EXPOSURE_RELAXED)
        return Eligible(unbarred.indices, unbarred.utility, unbarred.area, relaxed, unbarred.assembled), 0
    return may, barred


def digest(indices: NDArray[np.int32]) -> str:
    """The first 16 hexadecimal digits of SHA-256 over the column numbers: which items could come next."""
    return hashlib.sha256(indices.tobytes()).hexdigest()[:16]
