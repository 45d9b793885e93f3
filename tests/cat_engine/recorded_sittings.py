"""Exported sittings in which everything happens that can, and the tools of somebody who lies about them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec

from cat_engine.core import chain, engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import FormChange, Progress
from cat_engine.core.state import SittingState
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import PackageFile
from cat_engine.integrity.exports import SittingFile
from cat_engine.interactions.choice.scoring import score
from tests.cat_engine import small_packages as small
from tests.cat_engine.stories import story_exposure, story_package

Path = tuple[str | int, ...]


@cache
def package_file() -> PackageFile:
    return freeze(story_package().package)


class Recorder:
    """Takes decisions and keeps their entries."""

    def __init__(self, seed: str) -> None:
        self.compiled: CompiledPackage = story_package()
        self.now_ms = small.START_MS
        created = small.created_on(self.compiled, seed=seed, accommodation_ms=120_000)
        self.progresses = [engine.create(created, now_ms=self.now_ms, actor=small.PROCTOR)]

    @property
    def state(self) -> SittingState:
        return self.progresses[-1].state

    def take(
        self, verb: Callable[..., Progress | None], *, after_ms: int = 5000, actor: str = "", **given: Any
    ) -> None:
        self.now_ms += after_ms
        progress = verb(now_ms=self.now_ms, actor=actor or small.CANDIDATE, **given)
        assert progress is not None
        self.progresses.append(progress)

    def act(self, event: e.AnyEvent, *, actor: str = small.PROCTOR) -> None:
        self.take(lambda **at: engine.act(self.state, event, **at), actor=actor)

    def arrive(self) -> None:
        self.act(e.CheckedIn(seat="A1"), actor=small.CANDIDATE)
        self.act(e.PledgeSigned(text_hash="a" * 64), actor=small.CANDIDATE)
        self.act(e.DeviceChecked(javascript=True, clock_offset_ms=12), actor=small.CANDIDATE)
        self.take(lambda **at: engine.enter_waiting(self.state, **at))

    def begin(self) -> None:
        self.act(e.Authorised())
        self.take(lambda **at: engine.begin(self.compiled, self.state, exposure=story_exposure(), **at))

    def answer(self, option: int) -> None:
        position = len(self.state.presentations)
        item = self.compiled.items[self.state.presentations[-1].item_id]
        scored = score(item, f"o{option}")
        self.take(
            lambda **at: engine.record_response(
                self.compiled, self.state, position=position, scored=scored, **at
            )
        )

    def save(
        self, offset: int, option: int | None, *, clear: bool = False, flagged: bool | None = None
    ) -> None:
        presentation = self.state.in_section(self.state.section_index)[offset]
        scored = score(self.compiled.items[presentation.item_id], f"o{option}") if option else None
        change = FormChange(scored, clear=clear, flagged=flagged)
        self.take(
            lambda **at: engine.save_form(
                self.compiled, self.state, position=presentation.position, change=change, **at
            )
        )

    def finish(self) -> None:
        self.take(lambda **at: engine.finish_section(self.compiled, self.state, **at))

    def exported(self) -> SittingFile:
        entries = tuple(progress.entry for progress in self.progresses)
        return SittingFile(
            sitting_id=self.state.sitting_id,
            package_hash=self.compiled.content_hash,
            entries=entries,
            chain=chain_of(entries),
        )


def chain_of(entries: tuple[e.Entry, ...]) -> tuple[str, ...]:
    values, head = [], chain.GENESIS
    for entry in entries:
        head = chain.extend(head, entry)
        values.append(head)
    return tuple(values)


@cache
def eventful() -> SittingFile:
    """Denied, readmitted, interrupted twice, ended and brought back, answered, handed in, released."""
    made = Recorder("eventful")
    made.arrive()
    made.act(e.Denied(reason="candidate.identity"))
    made.act(e.Readmitted(reason="staff.mistake"))
    made.arrive()
    made.act(e.Cancelled(reason="candidate.late"))
    made.act(e.Readmitted(reason="staff.mistake"))
    made.arrive()
    made.begin()
    made.answer(1)
    made.answer(4)
    made.take(
        lambda **at: engine.pause(made.state, by="proctor", reason="candidate.toilet", **at),
        actor=small.PROCTOR,
    )
    made.act(e.TimeAdded(kind="incident", amount_ms=60_000, reason="technical.network"))
    made.act(e.ResumeRequested(), actor=small.CANDIDATE)
    made.begin()
    made.take(
        lambda **at: engine.terminate(made.state, reason="candidate.behaviour", **at), actor=small.PROCTOR
    )
    made.act(e.Reactivated(reason="staff.mistake"))
    made.begin()
    made.answer(3)
    made.answer(5)
    made.save(0, 2)
    made.save(1, 1, flagged=True)
    made.save(0, 3)
    made.save(2, None, flagged=True)
    made.save(1, None, clear=True)
    made.finish()
    for option in (2, 5, 3, 1, 4):
        made.answer(option)
    made.act(e.Released())
    return made.exported()


@cache
def expired() -> SittingFile:
    """A sitting that time ended."""
    made = Recorder("expired")
    made.arrive()
    made.begin()
    made.answer(2)
    made.take(
        lambda **at: engine.expire(made.compiled, made.state, **at), after_ms=800_000, actor="system:clock"
    )
    return made.exported()


def as_json(sitting: SittingFile) -> Any:
    return msgspec.json.decode(msgspec.json.encode(sitting))


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where every single value of a document is."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path


def changed(document: Any, path: Path) -> Any:
    """The document with one value changed a little, in its own type."""
    copied = copy.deepcopy(document)
    holder = copied
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = _another(holder[path[-1]])
    return copied


def _another(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value + 0.01
        case None:
            return 1
        case "o1" | "o2" | "o3" | "o4":
            return f"o{int(value[1:]) + 1}"
        case "o5":
            return "o1"
        case "":
            return "x"
        case _:
            return ("0" if value[0] != "0" else "1") + value[1:]
