"""One adaptive step: estimate, stop or choose."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cat_engine.core import blueprint, content_lines
from cat_engine.core.chance import Chance
from cat_engine.core.compiled import CompiledSection
from cat_engine.core.events import FormerEstimate, ItemPresented
from cat_engine.core.pool import Pool
from cat_engine.core.state import Presentation, SittingState
from cat_engine.core.views import Choice, Eligible, Estimate, Evidence, SectionView, Utility

POOL_EXHAUSTED = "pool_exhausted"


@dataclass(frozen=True)
class Stop:
    """The section has measured enough, and by which rule."""

    reason: str


def view_of(compiled: CompiledSection, state: SittingState, now_ms: int) -> SectionView:
    """The section so far and the interim estimate its answers give."""
    start = compiled.start(compiled.pool, _former(compiled, state), Chance(state.seed, 0))
    presentations = state.in_section(state.section_index)
    given = [p for p in presentations if p.response is not None]
    evidence = _evidence(compiled, given, start.prior)
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
        response_times_ms=tuple([p.response_time_ms for p in given]),
        time_used_ms=state.time.used_at(now_ms),
        assembled=state.assembled,
        free=blueprint.free_items(compiled.pool, [p.item_id for p in state.presentations]),
        most_items=compiled.length,
    )


def evidence_of(
    compiled: CompiledSection, presentations: tuple[Presentation, ...], prior: Estimate
) -> Evidence:
    """The columns of the answered items and their categories."""
    return _evidence(compiled, [p for p in presentations if p.response is not None], prior)


def _evidence(compiled: CompiledSection, given: list[Presentation], prior: Estimate) -> Evidence:
    # tuples of lists: on the path of every answer, a generator costs as much again as what it yields
    index_of = compiled.pool.index_of
    answered = tuple([index_of[p.item_id] for p in given])
    return Evidence(compiled.pool, answered, tuple([p.category for p in given]), prior)


def _former(compiled: CompiledSection, state: SittingState) -> FormerEstimate | None:
    """What an earlier sitting measured for this section."""
    section_id = compiled.section.section_id
    return next((known for known in state.former if known.section_id == section_id), None)


def next_item(compiled: CompiledSection, state: SittingState, now_ms: int) -> ItemPresented | Stop:
    """The next item of the section with the trace of its choice, or why there is none.

    Order of business: the stopping rules, then what may come next (never seen, no enemies, sets kept
    together, not barred by exposure control), then the selection rule's utility, what content makes of it,
    and the exposure rule's pick. A set that was begun goes on to its maximum of items, or until none of them
    is free, before a rule may stop - but never beyond the length at which the stopping rules end the section.
    """
    view = view_of(compiled, state, now_ms)
    pool = compiled.pool
    shown = view.answered
    if len(shown) < view.shown:
        shown = tuple([pool.index_of[p.item_id] for p in state.in_section(state.section_index)])
    held = blueprint.begun_set(pool, shown)
    rest = None
    if held is not None and view.items_left:
        rest = content_lines.within_maxima(pool, shown, blueprint.within_set(pool, held, view.unseen))
    if rest is not None and view.assembled:  # the shadow test knows how many items of the set it wants
        rest = rest[np.isin(rest, view.assembled)]
    if rest is None or not rest.size:
        held, rest = None, None
        for stop in compiled.stop:
            reason = stop(view)
            if reason is not None:
                return Stop(reason)
    may, barred = _may_come(compiled, state, view, shown, rest)
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
        relaxed=_given_up(pool, shown, choice.index, may.relaxed),
        barred=barred,
        assembled=may.assembled,
        item_set=held.set_id if held else "",
        thetas_millionths=view.estimate.thetas_millionths,
    )


EXPOSURE_RELAXED = "exposure"
SET_RELAXED = "item_set"


def _given_up(pool: Pool, shown: tuple[int, ...], chosen: int, relaxed: tuple[str, ...]) -> tuple[str, ...]:
    """The lines that could not be kept, those included that the chosen item takes above their maximum."""
    broken = content_lines.exceeded(pool, shown, chosen)
    return (*relaxed, *(name for name in broken if name not in relaxed)) if broken else relaxed


def _may_come(
    compiled: CompiledSection,
    state: SittingState,
    view: SectionView,
    shown: tuple[int, ...],
    rest: NDArray[np.int64] | None,
) -> tuple[Eligible, int]:
    """What may come next with its utility, and how many items exposure control keeps back.

    Where exposure control would leave nothing, it gives way, and the event says so; so do item sets that no
    longer fit in what is left of the test.
    """
    free = view.unseen
    if rest is not None:
        return Eligible(rest, compiled.select(view), assembled=view.assembled), 0
    first = next((column for column in view.start.first_items if free[column]), None)
    if first is not None and view.shown < len(view.start.first_items):
        return Eligible(np.array([first], dtype=np.int64), np.zeros(compiled.pool.size, dtype=np.int64)), 0
    utility = compiled.select(view)
    sets_relaxed: tuple[str, ...] = ()
    if compiled.pool.item_sets and not compiled.content_keeps_sets:
        openers = blueprint.set_openers(compiled.pool, free, shown, view.items_left)
        if not openers.any():
            openers = blueprint.set_openers(compiled.pool, free, shown)
            sets_relaxed = (SET_RELAXED,) if openers.any() else ()
        free = openers
    may, barred = _within_exposure(compiled, state, view, utility, free)
    return (replace(may, relaxed=(*may.relaxed, *sets_relaxed)) if sets_relaxed else may), barred


def _within_exposure(
    compiled: CompiledSection,
    state: SittingState,
    view: SectionView,
    utility: Utility,
    free: NDArray[np.bool_],
) -> tuple[Eligible, int]:
    """What content makes of the items that exposure control allows, and how many it keeps back."""
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
