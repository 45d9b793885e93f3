"""The state of a sitting: the fold of its events.

Folding takes recorded events as they are; it decides nothing and costs little, so a worker that lost its
memory resumes a sitting with one read of the log. (`replay.py` is the other reading of the log: it decides
again.)
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from cat_engine.core import events as e
from cat_engine.core.clock import LedgerLine, TimeLedger
from cat_engine.core.transitions import OVER, Status, status_after


class CorruptLogError(Exception):
    """The log holds an event that could not have happened there."""


class Presentation(msgspec.Struct, frozen=True, kw_only=True):
    """One showing of one item, and its response once there is one."""

    position: int
    item_id: str
    section_index: int
    presented_at_ms: int
    theta_millionths: int = 0  # the interim estimate it was chosen at
    response: str | None = None
    points: int = 0
    category: int = 0
    response_time_ms: int = 0
    flagged: bool = False


class SittingState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a decision needs to know of the past."""

    sitting_id: str
    candidate: str
    package_hash: str
    seed: str
    status: Status
    revision: int
    last_at_ms: int
    time: TimeLedger
    seat: str = ""
    pledge_hash: str = ""
    device_checked: bool = False
    begun_at_ms: int | None = None
    section_index: int = -1
    section_begun: bool = False
    sections_ended: tuple[tuple[str, str], ...] = ()
    presentations: tuple[Presentation, ...] = ()
    answered: int = 0
    former: tuple[e.FormerEstimate, ...] = ()
    exposure: tuple[e.ExposureRead, ...] = ()
    routed: tuple[e.ModuleRouted, ...] = ()  # modules of the section, in their order
    assembled: tuple[int, ...] = ()  # the shadow test of the last item
    # time used when the last item was shown or answered: pauses are nobody's response time
    answer_clock_ms: int = 0
    pause_reason: str = ""
    pause_by: str = ""
    end_reason: str = ""
    score: e.Scored | None = None

    @property
    def current(self) -> Presentation | None:
        """The presentation that waits for its response in an adaptive section."""
        last = self.presentations[-1] if self.presentations else None
        return last if last is not None and last.response is None else None

    @property
    def is_over(self) -> bool:
        """No further response can come (an ending may still be undone)."""
        return self.status in OVER

    def in_section(self, section_index: int) -> tuple[Presentation, ...]:
        """The presentations of one section, in their order."""
        held = self.presentations
        if held and held[0].section_index == held[-1].section_index == section_index:
            return held
        return tuple(p for p in self.presentations if p.section_index == section_index)


def fold(entries: Iterable[e.Entry]) -> SittingState:
    """The state after all entries of a log."""
    state: SittingState | None = None
    for entry in entries:
        state = advance(state, entry)
    if state is None:
        raise CorruptLogError("the log is empty")
    return state


def advance(state: SittingState | None, entry: e.Entry) -> SittingState:
    """The state after one more entry; entries are numbered from 1 without a gap."""
    expected = 1 if state is None else state.revision + 1
    if entry.revision != expected:
        raise CorruptLogError(f"entry {entry.revision} stands where {expected} belongs")
    for event in entry.events:
        state = apply(state, event, at_ms=entry.at_ms, actor=entry.actor)
    if state is None:
        raise CorruptLogError("the first entry creates nothing")
    return replace(state, revision=entry.revision, last_at_ms=entry.at_ms)


def apply(state: SittingState | None, event: e.Event, *, at_ms: int, actor: str) -> SittingState:
    """The state after one more event."""
    if isinstance(event, e.Created):
        if state is not None:
            raise CorruptLogError("created twice")
        return _created(event, at_ms, actor)
    if state is None:
        raise CorruptLogError("the log does not begin with its creation")
    status = status_after(state.status, event)
    if status is None:
        raise CorruptLogError(f"{type(event).__name__} cannot happen while {state.status}")
    change = _CHANGES.get(type(event))
    if change is not None:
        state = change(state, event, at_ms, actor)
    return state if state.status is status else replace(state, status=status)


def _created(event: e.Created, at_ms: int, actor: str) -> SittingState:
    base = LedgerLine(kind="base", amount_ms=event.time_allowed_ms, reason="test", actor=actor, at_ms=at_ms)
    lines: tuple[LedgerLine, ...] = (base,)
    if event.accommodation_ms:
        lines = (base, replace(base, kind="accommodation", amount_ms=event.accommodation_ms, reason="person"))
    return SittingState(
        sitting_id=event.sitting_id,
        candidate=event.candidate,
        package_hash=event.package_hash,
        seed=event.seed,
        former=event.former,
        status=Status.SCHEDULED,
        revision=0,
        last_at_ms=at_ms,
        time=TimeLedger(lines=lines),
    )


Change = Callable[[SittingState, Any, int, str], SittingState]


def _checked_in(state: SittingState, event: e.CheckedIn, _at: int, _actor: str) -> SittingState:
    return replace(state, seat=event.seat)


def _pledge_signed(state: SittingState, event: e.PledgeSigned, _at: int, _actor: str) -> SittingState:
    return replace(state, pledge_hash=event.text_hash)


def _device_checked(state: SittingState, _event: e.DeviceChecked, _at: int, _actor: str) -> SittingState:
    return replace(state, device_checked=True)


def _denied(state: SittingState, event: e.Denied | e.Cancelled, _at: int, _actor: str) -> SittingState:
    return replace(state, end_reason=event.reason)


def _begun(state: SittingState, _event: e.Begun, at_ms: int, _actor: str) -> SittingState:
    return replace(state, begun_at_ms=at_ms, time=state.time.started(at_ms))


def _resumed(state: SittingState, _event: e.Resumed, at_ms: int, _actor: str) -> SittingState:
    return replace(state, time=state.time.started(at_ms), pause_reason="", pause_by="")


def _section_begun(state: SittingState, _event: e.SectionBegun, _at: int, _actor: str) -> SittingState:
    return replace(state, section_index=state.section_index + 1, section_begun=True, assembled=(), routed=())


def _exposure_read(state: SittingState, event: e.ExposureRead, _at: int, _actor: str) -> SittingState:
    return replace(state, exposure=(*state.exposure, event))


def _item_presented(state: SittingState, event: e.ItemPresented, at_ms: int, _actor: str) -> SittingState:
    if event.position != len(state.presentations) + 1:
        raise CorruptLogError(f"position {event.position} is out of order")
    presentation = Presentation(
        position=event.position,
        item_id=event.item_id,
        section_index=state.section_index,
        presented_at_ms=at_ms,
        theta_millionths=event.theta_millionths,
    )
    return replace(
        state,
        presentations=(*state.presentations, presentation),
        assembled=event.assembled,
        answer_clock_ms=state.time.used_at(at_ms),
    )


def _module_routed(state: SittingState, event: e.ModuleRouted, _at: int, _actor: str) -> SittingState:
    if event.stage != len(state.routed) + 1:
        raise CorruptLogError(f"stage {event.stage} is out of order")
    return replace(state, routed=(*state.routed, event))


def _form_presented(state: SittingState, event: e.FormPresented, at_ms: int, _actor: str) -> SittingState:
    if event.first_position != len(state.presentations) + 1:
        raise CorruptLogError(f"position {event.first_position} is out of order")
    form = tuple(
        Presentation(
            position=event.first_position + offset,
            item_id=item_id,
            section_index=state.section_index,
            presented_at_ms=at_ms,
        )
        for offset, item_id in enumerate(event.item_ids)
    )
    return replace(state, presentations=state.presentations + form, answer_clock_ms=state.time.used_at(at_ms))


def _response_recorded(
    state: SittingState, event: e.ResponseRecorded, at_ms: int, _actor: str
) -> SittingState:
    index = event.position - 1
    if not 0 <= index < len(state.presentations):
        raise CorruptLogError(f"a response to position {event.position}, which was not presented")
    before = state.presentations[index]
    after = replace(
        before,
        response=event.response,
        points=event.points,
        category=event.category,
        response_time_ms=event.response_time_ms,
    )
    return replace(
        state,
        presentations=(*state.presentations[:index], after, *state.presentations[index + 1 :]),
        answered=state.answered + (before.response is None),
        answer_clock_ms=state.time.used_at(at_ms),
    )


def _response_cleared(state: SittingState, event: e.ResponseCleared, _at: int, _actor: str) -> SittingState:
    index = event.position - 1
    before = state.presentations[index]
    after = replace(before, response=None, points=0, category=0)
    return replace(
        state,
        presentations=(*state.presentations[:index], after, *state.presentations[index + 1 :]),
        answered=state.answered - (before.response is not None),
    )


def _flagged(state: SittingState, event: e.PresentationFlagged, _at: int, _actor: str) -> SittingState:
    index = event.position - 1
    after = replace(state.presentations[index], flagged=event.flagged)
    return replace(
        state, presentations=(*state.presentations[:index], after, *state.presentations[index + 1 :])
    )


def _section_ended(state: SittingState, event: e.SectionEnded, _at: int, _actor: str) -> SittingState:
    ended = (*state.sections_ended, (event.section_id, event.reason))
    return replace(state, sections_ended=ended, section_begun=False)


def _paused(state: SittingState, event: e.Paused, at_ms: int, _actor: str) -> SittingState:
    return replace(state, time=state.time.stopped(at_ms), pause_reason=event.reason, pause_by=event.by)


def _time_added(state: SittingState, event: e.TimeAdded, at_ms: int, actor: str) -> SittingState:
    line = LedgerLine(
        kind=event.kind, amount_ms=event.amount_ms, reason=event.reason, actor=actor, at_ms=at_ms
    )
    return replace(state, time=state.time.with_line(line))


def _ended(state: SittingState, event: Any, at_ms: int, _actor: str) -> SittingState:
    reason = event.reason if isinstance(event, e.Terminated) else type(event).__name__.lower()
    return replace(state, time=state.time.stopped(at_ms), end_reason=reason)


def _reactivated(state: SittingState, event: e.Reactivated, _at: int, _actor: str) -> SittingState:
    return replace(state, end_reason="", pause_reason=event.reason, pause_by="proctor", score=None)


def _scored(state: SittingState, event: e.Scored, _at: int, _actor: str) -> SittingState:
    return replace(state, score=event)


_CHANGES: dict[type[e.Event], Change] = {
    e.CheckedIn: _checked_in,
    e.PledgeSigned: _pledge_signed,
    e.DeviceChecked: _device_checked,
    e.Denied: _denied,
    e.Cancelled: _denied,
    e.Begun: _begun,
    e.Resumed: _resumed,
    e.ExposureRead: _exposure_read,
    e.SectionBegun: _section_begun,
    e.ItemPresented: _item_presented,
    e.ModuleRouted: _module_routed,
    e.FormPresented: _form_presented,
    e.ResponseRecorded: _response_recorded,
    e.ResponseCleared: _response_cleared,
    e.PresentationFlagged: _flagged,
    e.SectionEnded: _section_ended,
    e.Paused: _paused,
    e.TimeAdded: _time_added,
    e.Expired: _ended,
    e.Completed: _ended,
    e.Terminated: _ended,
    e.Reactivated: _reactivated,
    e.Scored: _scored,
}
