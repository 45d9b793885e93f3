"""One adaptive step: estimate, stop or choose."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cat_engine.core import blueprint, content_lines
from cat_engine.core.chance import Chance
from cat_engine.core.compiled import CompiledSection
from cat_engine.core.events import FormerEstimate, ItemPresented
from cat_engine.core.pool import NO_ITEMS, Pool
from cat_engine.core.state import Presentation, SittingState
from cat_engine.core.test_package import ItemSet
from cat_engine.core.views import Choice, Eligible, Estimate, Evidence, SectionView

POOL_EXHAUSTED = "pool_exhausted"
BLUEPRINT_INFEASIBLE = "blueprint_infeasible"


@dataclass(frozen=True)
class Stop:
    """The section is over, and by which rule; or which lines of the blueprint let no free item come."""

    reason: str
    in_the_way: tuple[str, ...] = ()


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
    and the exposure rule's pick. Stopping rules wait for two things, but never beyond the length at which
    they end the section in any case: a set that was begun goes on to its maximum of items, or until none of
    them may come; and strict minima that can still be reached are met first, by items that help.
    """
    view = view_of(compiled, state, now_ms)
    pool = compiled.pool
    shown = view.answered
    if len(shown) < view.shown:
        shown = tuple([pool.index_of[p.item_id] for p in state.in_section(state.section_index)])
    held = blueprint.begun_set(pool, shown) if view.items_left else None
    found = _within_begun_set(compiled, state, view, shown, held) if held is not None else None
    reason = None
    if found is None:
        held, helping = None, None
        reason = next((reason for stop in compiled.stop if (reason := stop(view)) is not None), None)
        if reason is not None:
            helping = content_lines.helping_strict_minima(view)
            if helping is None:
                return Stop(reason)
        found = _may_come(compiled, state, view, shown, helping)
    may, barred = found
    if not may.indices.size:
        return Stop(reason) if reason is not None else _nothing_left(may)
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


def _nothing_left(may: Eligible) -> Stop:
    """Why no item may come: the blueprint keeps back those that are free, by these lines, or none is left."""
    if may.relaxed and not may.assembled:
        return Stop(BLUEPRINT_INFEASIBLE, may.relaxed)
    return Stop(POOL_EXHAUSTED)


def _given_up(pool: Pool, shown: tuple[int, ...], chosen: int, relaxed: tuple[str, ...]) -> tuple[str, ...]:
    """The lines that could not be kept, those included that the chosen item takes above their maximum."""
    broken = content_lines.exceeded(pool, shown, chosen)
    return (*relaxed, *(name for name in broken if name not in relaxed)) if broken else relaxed


def _within_begun_set(
    compiled: CompiledSection, state: SittingState, view: SectionView, shown: tuple[int, ...], held: ItemSet
) -> tuple[Eligible, int] | None:
    """What may come next of the set under way, and how many of its items exposure control keeps back; None
    where the set is over.

    Exposure control gives way below the set's minimum only, or for the items of it that a shadow test wants.
    """
    pool = compiled.pool
    rest, due = blueprint.within_set(pool, held, shown, view.unseen)
    if view.assembled:
        rest = rest[np.isin(rest, view.assembled)]
        due = rest.size
    if not held.ordered:
        rest = content_lines.within_maxima(pool, shown, rest)
    allowed = _allowed(compiled, state, view) if rest.size else None
    may = content_lines.within_maxima(pool, shown, blueprint.going_on(held, rest, due, allowed))
    if not may.size:
        return None
    found = Eligible(may, compiled.select(view), assembled=view.assembled)
    if allowed is None:
        return found, 0
    if allowed[may].all():
        return found, int(rest.size - allowed[rest].sum())
    return replace(found, relaxed=(EXPOSURE_RELAXED,)), 0


def _allowed(compiled: CompiledSection, state: SittingState, view: SectionView) -> NDArray[np.bool_] | None:
    """The items that exposure control lets this sitting see; None for all of them."""
    section_id = compiled.section.section_id
    read = next((known for known in state.exposure if known.section_id == section_id), None)
    allowed: NDArray[np.bool_] | None = compiled.eligibility(view, read)
    return allowed


def _may_come(
    compiled: CompiledSection,
    state: SittingState,
    view: SectionView,
    shown: tuple[int, ...],
    helping: NDArray[np.bool_] | None,
) -> tuple[Eligible, int]:
    """What may come next with its utility, and how many items exposure control keeps back.

    Item sets that no longer fit in what is left of the test give way where nothing else is left, and the
    event says so. `helping` are the items to which the choice narrows while the end waits for strict minima.
    """
    free, pool = view.unseen, compiled.pool
    first = next((column for column in view.start.first_items if free[column]), None)
    if first is not None and helping is None:
        return Eligible(np.array([first], dtype=np.int64), np.zeros(pool.size, dtype=np.int64)), 0
    sets_relaxed: tuple[str, ...] = ()
    one_by_one = bool(pool.item_sets) and not compiled.content_keeps_sets
    left: int | None = view.items_left
    if one_by_one:
        free = blueprint.set_openers(pool, view.unseen, shown, left)
        if not free.any():
            left = None
            free = blueprint.set_openers(pool, view.unseen, shown)
            sets_relaxed = (SET_RELAXED,)
    if helping is not None and not compiled.content_keeps_sets:
        free = free & helping
    if not free.any():
        return Eligible(NO_ITEMS, NO_ITEMS), 0
    allowed = _allowed(compiled, state, view)
    if allowed is not None and one_by_one:  # a set is opened only where enough of its items may be seen
        allowed = blueprint.set_openers(pool, view.unseen & allowed, shown, left)
    may, barred = _within_exposure(compiled, view, free, allowed)
    if helping is not None and helping[may.indices].any():
        may = replace(may, indices=may.indices[helping[may.indices]])
    return (replace(may, relaxed=(*may.relaxed, *sets_relaxed)) if may.indices.size else may), barred


def _within_exposure(
    compiled: CompiledSection,
    view: SectionView,
    free: NDArray[np.bool_],
    allowed: NDArray[np.bool_] | None,
) -> tuple[Eligible, int]:
    """What content makes of the free items that exposure control allows, and how many it keeps back.

    Strict lines before exposure control before the others: its limit protects the bank for everybody, so a
    line that may give way does so first. Exposure control gives way, and is named, only where with it nothing
    may come or a strict minimum were lost.
    """
    utility = compiled.select(view)
    if allowed is None:
        return compiled.content(view, utility, free), 0
    seen_by_this = free & allowed
    barred = int(free.sum() - seen_by_this.sum())
    may: Eligible = compiled.content(view, utility, seen_by_this)
    lost: set[str] = set()
    if may.indices.size:
        lost = set(content_lines.strictly_allowed(view, seen_by_this)[1]) if may.relaxed else lost
        if not lost or lost <= set(content_lines.strictly_allowed(view, free)[1]):
            return may, barred
    unbarred: Eligible = compiled.content(view, utility, free)
    if not unbarred.indices.size:
        return (may, barred) if may.indices.size else (unbarred, 0)
    return replace(unbarred, relaxed=(*unbarred.relaxed, EXPOSURE_RELAXED)), 0


def digest(indices: NDArray[np.int32]) -> str:
    """The first 16 hexadecimal digits of SHA-256 over the column numbers: which items could come next."""
    return hashlib.sha256(indices.tobytes()).hexdigest()[:16]
