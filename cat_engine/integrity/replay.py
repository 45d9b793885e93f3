"""The second reading of the log: decide every step again and compare.

From each recorded entry only the input is taken - who acted, when, what was answered - and the engine is
asked again. Any difference between what it decides now and what was recorded is named: an answer, a
parameter, a time, a choice, a score that was changed afterwards does not survive this.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from cat_engine.core import chain, engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.engine import Progress, ScoredResponse
from cat_engine.core.exposure_counts import controls
from cat_engine.core.state import CorruptLogError, SittingState
from cat_engine.core.tables import verify
from cat_engine.core.test_package import PackageFile
from cat_engine.foundation.refusals import Refused
from cat_engine.interactions.registry import interaction

if TYPE_CHECKING:  # a replay needs no database; the module that exports from one does
    from cat_engine.integrity.exports import SittingFile


@dataclass(frozen=True)
class Finding:
    """The first difference: where, what was recorded, what the engine decides."""

    where: str
    recorded: str
    decided: str

    def __str__(self) -> str:
        return f"{self.where}: recorded {self.recorded}, decided {self.decided}"


def replay(
    package_file: PackageFile,
    package_hash: str,
    entries: tuple[e.Entry, ...],
    chain_values: tuple[str, ...],
) -> Finding | None:
    """The first difference between the record and a fresh decision, or None when they are identical."""
    problem = verify(package_file)
    if problem is not None:
        return Finding("test package", problem, "tables and hash that follow from the parameters")
    if package_hash != package_file.content_hash:
        return Finding("test package", package_hash, package_file.content_hash)
    if len(entries) != len(chain_values):
        return Finding("chain", f"{len(chain_values)} values", f"{len(entries)} entries")
    compiled = compile_package(package_file)
    state: SittingState | None = None
    head = chain.GENESIS
    for entry, value in zip(entries, chain_values, strict=True):
        try:
            progress = decide_again(compiled, state, entry)
        except (Refused, CorruptLogError) as error:
            return Finding(f"entry {entry.revision}", _kinds(entry), f"refused, {error}")
        for finding in _differences(entry, progress.entry):
            return finding
        head = chain.extend(head, entry)
        if head != value:
            where = f"entry {entry.revision} ({_kinds(entry)}) or its place in the chain"
            return Finding(where, value[:16], head[:16])
        state = progress.state
    return None


def replay_sitting(package_file: PackageFile, sitting: "SittingFile") -> Finding | None:
    """The first difference in an exported sitting, whose heading must be that of its log."""
    first = sitting.entries[0].events[0] if sitting.entries and sitting.entries[0].events else None
    if not isinstance(first, e.Created):
        return Finding("log", "no creation", "a log that begins with its creation")
    if sitting.sitting_id != first.sitting_id:
        return Finding("sitting", sitting.sitting_id, first.sitting_id)
    return replay(package_file, sitting.package_hash, sitting.entries, sitting.chain)


def decide_again(compiled: CompiledPackage, state: SittingState | None, entry: e.Entry) -> Progress:
    """What the engine decides for the input that an entry records."""
    if not entry.events:
        raise CorruptLogError("an entry without events")
    first = entry.events[0]
    at: dict[str, Any] = {"now_ms": entry.at_ms, "actor": entry.actor}
    if state is None:
        if not isinstance(first, e.Created):
            raise CorruptLogError("the log does not begin with its creation")
        return _create_again(compiled, first, at)
    verb = _VERBS.get(type(first))
    if verb is not None:
        return verb(compiled, state, entry, at)
    if type(first) not in _PLAIN_ACTS:
        raise CorruptLogError(f"nobody can ask for {type(first).__name__} by itself")
    return engine.act(state, first, **at)


def _create_again(compiled: CompiledPackage, created: e.Created, at: dict[str, Any]) -> Progress:
    expected = msgspec.structs.replace(
        created,
        package_hash=compiled.content_hash,
        time_allowed_ms=compiled.package.time_allowed_s * 1000,
    )
    return engine.create(expected, **at)


def _begin_again(
    compiled: CompiledPackage, state: SittingState, entry: e.Entry, at: dict[str, Any]
) -> Progress:
    read = [event for event in entry.events if isinstance(event, e.ExposureRead)]
    wanted = sorted(control.section_id for control in controls(compiled))
    if sorted(event.section_id for event in read) != wanted:
        raise CorruptLogError(f"exposure is to be read for {', '.join(wanted) or 'no section'}")
    return engine.begin(compiled, state, exposure=read, **at)


def _respond_again(
    compiled: CompiledPackage, state: SittingState, entry: e.Entry, at: dict[str, Any]
) -> Progress:
    position = _position(state, entry.events[0])
    if compiled.sections[state.presentations[position - 1].section_index].is_linear:
        return _save_again(compiled, state, entry, at)
    scored = _score_again(compiled, state, entry.events[0])
    return engine.record_response(compiled, state, position=position, scored=scored, **at)


def _save_again(
    compiled: CompiledPackage, state: SittingState, entry: e.Entry, at: dict[str, Any]
) -> Progress:
    """One press of a button at a fixed form: its entry may hold a response, a clearing, a mark."""
    scored, clear, flagged = None, False, None
    for event in entry.events:
        match event:
            case e.ResponseRecorded():
                scored = _score_again(compiled, state, event)
            case e.ResponseCleared():
                clear = True
            case e.PresentationFlagged():
                flagged = event.flagged
            case _:
                raise CorruptLogError(f"{type(event).__name__} in an entry of a fixed form")
    saved = engine.save_form(
        compiled,
        state,
        position=_position(state, entry.events[0]),
        change=engine.FormChange(scored, clear=clear, flagged=flagged),
        **at,
    )
    if saved is None:
        raise CorruptLogError("nothing changed")
    return saved


def _position(state: SittingState, event: Any) -> int:
    position: int = event.position
    if not 1 <= position <= len(state.presentations):
        raise CorruptLogError(f"position {position} was not presented")
    return position


def _score_again(compiled: CompiledPackage, state: SittingState, event: Any) -> ScoredResponse:
    item = compiled.items[state.presentations[_position(state, event) - 1].item_id]
    scored: ScoredResponse = interaction(item.interaction).score(item, event.response)
    return scored


def _expire_again(
    compiled: CompiledPackage, state: SittingState, _entry: e.Entry, at: dict[str, Any]
) -> Progress:
    ended = engine.expire(compiled, state, **at)
    if ended is None:
        raise CorruptLogError("the time was not up")
    return ended


def _pause_again(
    _compiled: CompiledPackage, state: SittingState, entry: e.Entry, at: dict[str, Any]
) -> Progress:
    paused: Any = entry.events[0]
    return engine.pause(state, by=paused.by, reason=paused.reason, **at)


def _terminate_again(
    _compiled: CompiledPackage, state: SittingState, entry: e.Entry, at: dict[str, Any]
) -> Progress:
    terminated: Any = entry.events[0]
    return engine.terminate(state, reason=terminated.reason, **at)


_VERBS: dict[type[e.Event], Callable[[CompiledPackage, SittingState, e.Entry, dict[str, Any]], Progress]] = {
    e.Begun: _begin_again,
    e.Resumed: lambda compiled, state, _, at: engine.begin(compiled, state, **at),
    e.ResponseRecorded: _respond_again,
    e.ResponseCleared: _save_again,
    e.PresentationFlagged: _save_again,
    e.SectionEnded: lambda compiled, state, _, at: engine.finish_section(compiled, state, **at),
    e.WaitingEntered: lambda _, state, __, at: engine.enter_waiting(state, **at),
    e.Paused: _pause_again,
    e.Terminated: _terminate_again,
    e.Expired: _expire_again,
}
"""How each kind of entry is decided again."""

_PLAIN_ACTS = frozenset(
    {
        e.CheckedIn,
        e.PledgeSigned,
        e.DeviceChecked,
        e.Authorised,
        e.Denied,
        e.Readmitted,
        e.Cancelled,
        e.ResumeRequested,
        e.TimeAdded,
        e.Reactivated,
        e.Released,
    }
)
"""Lifecycle acts that decide nothing further. Items, endings and scores are missing: they follow from
something, and an entry that begins with one was forged.
"""


def _differences(recorded: e.Entry, decided: e.Entry) -> Iterator[Finding]:
    where = f"entry {decided.revision}"
    if recorded.revision != decided.revision:
        yield Finding(f"{where}, revision", str(recorded.revision), str(decided.revision))
    if recorded.at_ms != decided.at_ms:
        yield Finding(f"{where}, time", str(recorded.at_ms), str(decided.at_ms))
    for number, (old, new) in enumerate(zip(recorded.events, decided.events, strict=False), start=1):
        if type(old) is not type(new):
            yield Finding(f"{where}, event {number}", type(old).__name__, type(new).__name__)
            return
        for name in old.__struct_fields__:
            if getattr(old, name) != getattr(new, name):
                place = f"{where}, {type(old).__name__}, {name}"
                yield Finding(place, str(getattr(old, name)), str(getattr(new, name)))
    if len(recorded.events) != len(decided.events):
        yield Finding(f"{where}, events", _kinds(recorded), _kinds(decided))


def _kinds(entry: e.Entry) -> str:
    return ", ".join(type(event).__name__ for event in entry.events)
