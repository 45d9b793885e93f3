"""The verbs of a sitting. Pure: package, state, clock value in; new state and events out, or a refusal.

    progress = engine.record_response(package, state, position=7, response="o3", scored=(1, 1), now_ms=...)
    progress.events   # append these as one log entry, then let the world know
    progress.state    # the state after that entry

Nothing here reads a clock, draws a random number or touches a disk, so a sitting can be decided again, bit
for bit, by anybody who has the package and the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from cat_engine.core import adaptive, content_lines, exposure_counts, multistage, scoring
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage, CompiledSection
from cat_engine.core.state import Presentation, SittingState, advance, apply
from cat_engine.core.transitions import Status, status_after
from cat_engine.foundation.refusals import Refusal, Refused

TIME_UP = "time_up"
FINISHED_BY_CANDIDATE = "finished_by_candidate"


class ScoredResponse(NamedTuple):
    """A parsed response and what it earns; the interaction makes it."""

    response: str
    points: int
    category: int


@dataclass(frozen=True)
class Progress:
    """A decision: the events of one log entry, and the state after it."""

    state: SittingState
    entry: e.Entry

    @property
    def events(self) -> tuple[e.AnyEvent, ...]:
        """What happened, in order."""
        return self.entry.events


class _Step:
    """Collects the events of one decision while folding them, so that later ones see the earlier."""

    def __init__(self, state: SittingState, *, now_ms: int, actor: str) -> None:
        self.before = state
        self.state = state
        # clocks of two servers may disagree by a little; within a sitting time never goes back
        self.now_ms = max(now_ms, state.last_at_ms)
        self.actor = actor
        self.events: list[e.AnyEvent] = []

    def add(self, event: e.AnyEvent) -> None:
        if status_after(self.state.status, event) is None:
            raise Refused(
                Refusal.SITTING_STATE, status=self.state.status.value, act=type(event).__name__.lower()
            )
        self.state = apply(self.state, event, at_ms=self.now_ms, actor=self.actor)
        self.events.append(event)

    def done(self) -> Progress:
        entry = e.Entry(
            revision=self.before.revision + 1,
            at_ms=self.now_ms,
            actor=self.actor,
            events=tuple(self.events),
        )
        state = replace(self.state, revision=entry.revision, last_at_ms=entry.at_ms)
        return Progress(state=state, entry=entry)


def create(event: e.Created, *, now_ms: int, actor: str) -> Progress:
    """The first entry of a sitting."""
    entry = e.Entry(revision=1, at_ms=now_ms, actor=actor, events=(event,))
    return Progress(state=advance(None, entry), entry=entry)


def act(state: SittingState, event: e.AnyEvent, *, now_ms: int, actor: str) -> Progress:
    """A lifecycle act that decides nothing further: check-in, admission, pause, added time and their like.

    What the transition table does not allow is refused with the sitting's status. Acts that need more than
    the table says have their own verbs below.
    """
    step = _Step(state, now_ms=now_ms, actor=actor)
    step.add(event)
    return step.done()


def enter_waiting(state: SittingState, *, now_ms: int, actor: str) -> Progress:
    """To the waiting room, once the pledge is signed and the device is checked."""
    if not (state.pledge_hash and state.device_checked):
        raise Refused(Refusal.PREPARATION_INCOMPLETE)
    return act(state, e.WaitingEntered(), now_ms=now_ms, actor=actor)


def pause(state: SittingState, *, by: str, reason: str, now_ms: int, actor: str) -> Progress:
    """Stop the clock."""
    step = _Step(state, now_ms=now_ms, actor=actor)
    step.add(e.Paused(by=by, reason=reason, used_ms=state.time.used_at(step.now_ms)))
    return step.done()


def terminate(state: SittingState, *, reason: str, now_ms: int, actor: str) -> Progress:
    """End a sitting by a proctor's decision; it is not scored and can be undone."""
    step = _Step(state, now_ms=now_ms, actor=actor)
    step.add(e.Terminated(reason=reason, used_ms=state.time.used_at(step.now_ms)))
    return step.done()


def begin(
    compiled: CompiledPackage,
    state: SittingState,
    *,
    now_ms: int,
    actor: str,
    exposure: Sequence[e.ExposureRead] = (),
) -> Progress:
    """Start the clock and show the first item; or, when begun before, go on where the candidate was.

    `exposure` is what the counts of all sittings say now, for the sections whose rule asks for it.
    """
    exposure_counts.refuse_misshapen(compiled, exposure)
    step = _Step(state, now_ms=now_ms, actor=actor)
    if state.begun_at_ms is not None:
        step.add(e.Resumed())
    else:
        step.add(e.Begun())
        for read in exposure:
            step.add(read)
        _go_on(compiled, step)
    return step.done()


def record_response(
    compiled: CompiledPackage,
    state: SittingState,
    *,
    position: int,
    scored: ScoredResponse,
    now_ms: int,
    actor: str,
) -> Progress:
    """Take the response to the current presentation of an adaptive section, and decide what comes next.

    There is no way back: a response to an earlier presentation is refused. (Fixed forms: `save_form`.)
    """
    step = _Step(state, now_ms=now_ms, actor=actor)
    _refuse_if_late(compiled, step)
    if state.status is not Status.IN_PROGRESS:
        raise Refused(Refusal.SITTING_STATE, status=state.status.value, act="respond")
    if not 1 <= position <= len(state.presentations):
        raise Refused(Refusal.PRESENTATION_NOT_CURRENT, position=position)
    presentation = state.presentations[position - 1]
    if presentation.section_index != state.section_index or presentation.response is not None:
        raise Refused(Refusal.ALREADY_ANSWERED, position=position)
    if compiled.sections[presentation.section_index].is_linear:
        raise Refused(Refusal.PRESENTATION_NOT_CURRENT, position=position)
    step.add(
        e.ResponseRecorded(
            position=position,
            response=scored.response,
            points=scored.points,
            category=scored.category,
            response_time_ms=state.time.used_at(step.now_ms) - state.answer_clock_ms,
        )
    )
    _go_on(compiled, step)
    return step.done()


class FormChange(NamedTuple):
    """What one press of a button changes at an item of a fixed form; None leaves a thing as it is."""

    scored: ScoredResponse | None = None
    clear: bool = False
    flagged: bool | None = None


def save_form(
    compiled: CompiledPackage,
    state: SittingState,
    *,
    position: int,
    change: FormChange,
    now_ms: int,
    actor: str,
) -> Progress | None:
    """Keep a fixed form's response, take it back, mark it doubtful (ragu-ragu): one entry, or None for no
    change.
    """
    step = _Step(state, now_ms=now_ms, actor=actor)
    _refuse_if_late(compiled, step)
    before = _linear_presentation(compiled, state, position)
    scored = change.scored
    if scored is not None and scored.response != before.response:
        step.add(
            e.ResponseRecorded(
                position=position,
                response=scored.response,
                points=scored.points,
                category=scored.category,
                response_time_ms=state.time.used_at(step.now_ms) - state.answer_clock_ms,
            )
        )
    elif change.clear and before.response is not None:
        step.add(e.ResponseCleared(position=position))
    if change.flagged is not None and change.flagged != before.flagged:
        step.add(e.PresentationFlagged(position=position, flagged=change.flagged))
    return step.done() if step.events else None


def flag(
    compiled: CompiledPackage, state: SittingState, *, position: int, flagged: bool, now_ms: int, actor: str
) -> Progress | None:
    """Mark a fixed form's item as doubtful, or take the mark off; None when it is so already."""
    change = FormChange(flagged=flagged)
    return save_form(compiled, state, position=position, change=change, now_ms=now_ms, actor=actor)


def _linear_presentation(compiled: CompiledPackage, state: SittingState, position: int) -> Presentation:
    if state.status is not Status.IN_PROGRESS:
        raise Refused(Refusal.SITTING_STATE, status=state.status.value, act="respond")
    if not 1 <= position <= len(state.presentations):
        raise Refused(Refusal.PRESENTATION_NOT_CURRENT, position=position)
    presentation = state.presentations[position - 1]
    index = presentation.section_index
    if not compiled.sections[index].is_linear:
        raise Refused(Refusal.SECTION_NOT_LINEAR, position=position)
    if index != state.section_index or not state.section_begun:
        raise Refused(Refusal.ALREADY_ANSWERED, position=position)
    return presentation


def finish_section(
    compiled: CompiledPackage,
    state: SittingState,
    *,
    section_id: str | None = None,
    now_ms: int,
    actor: str,
) -> Progress:
    """The candidate hands a fixed form in; unanswered items earn nothing.

    `section_id` says which form is meant: a second press must not hand in the next one.
    """
    step = _Step(state, now_ms=now_ms, actor=actor)
    _refuse_if_late(compiled, step)
    if state.status is not Status.IN_PROGRESS:
        raise Refused(Refusal.SITTING_STATE, status=state.status.value, act="finish")
    part = compiled.sections[state.section_index]
    if not part.is_linear:
        raise Refused(Refusal.SECTION_NOT_LINEAR)
    if section_id not in {None, part.section.section_id}:
        raise Refused(Refusal.SECTION_NOT_LINEAR)
    step.add(e.SectionEnded(section_id=part.section.section_id, reason=FINISHED_BY_CANDIDATE))
    _go_on(compiled, step)
    return step.done()


def expire(compiled: CompiledPackage, state: SittingState, *, now_ms: int, actor: str) -> Progress | None:
    """End a sitting whose time and grace are over, and score what was answered; None when it is not yet
    so.
    """
    step = _Step(state, now_ms=now_ms, actor=actor)
    if not is_late(compiled, state, step.now_ms):
        return None
    step.add(e.Expired(used_ms=state.time.allowed_ms))
    step.add(scoring.score(compiled, step.state))
    return step.done()


def is_late(compiled: CompiledPackage, state: SittingState, now_ms: int) -> bool:
    """Whether the deadline and the grace for answers under way have passed."""
    deadline = state.time.deadline_ms
    return (
        state.status is Status.IN_PROGRESS
        and deadline is not None
        and now_ms > deadline + compiled.package.answer_grace_ms
    )


def _refuse_if_late(compiled: CompiledPackage, step: _Step) -> None:
    if is_late(compiled, step.state, step.now_ms):
        raise Refused(Refusal.TIME_IS_UP)


def _go_on(compiled: CompiledPackage, step: _Step) -> None:
    """Show the next item; enter and leave sections as their rules say; complete and score after the last."""
    while True:
        state = step.state
        if not state.section_begun:
            if state.section_index + 1 == len(compiled.sections):
                step.add(e.Completed(used_ms=state.time.used_at(step.now_ms)))
                step.add(scoring.score(compiled, step.state))
                return
            part = compiled.sections[state.section_index + 1]
            step.add(e.SectionBegun(section_id=part.section.section_id))
            continue
        part = compiled.sections[state.section_index]
        position = len(state.presentations) + 1
        if part.is_linear:
            step.add(e.FormPresented(first_position=position, item_ids=part.section.item_ids))
            return
        decide = multistage.next_step if part.is_multistage else adaptive.next_item
        found = decide(part, state, step.now_ms)
        if isinstance(found, adaptive.Stop):
            step.add(_section_ended(part, state, found))
            continue
        step.add(found)
        if isinstance(found, e.ItemPresented):
            return


def _section_ended(part: CompiledSection, state: SittingState, stop: adaptive.Stop) -> e.SectionEnded:
    """The end of a section that chose its items, with the blueprint lines it leaves below their minimum,
    the areas it leaves short of their share, and the lines that let nothing more come.
    """
    shown = [part.pool.index_of[p.item_id] for p in state.in_section(state.section_index)]
    named = (*content_lines.unmet(part.pool, shown), *part.missed_shares(shown), *stop.in_the_way)
    return e.SectionEnded(
        section_id=part.section.section_id, reason=stop.reason, unmet=tuple(dict.fromkeys(named))
    )
