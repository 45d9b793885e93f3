"""Whole sittings of simulated candidates, through the verbs that people's answers take.

What is simulated is the test as it will run: its rules, its clock, its log. The same arguments give the same
log.
"""

from collections.abc import Iterator, Mapping, Sequence

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import FormChange, Progress, ScoredResponse
from cat_engine.core.simulation.people import Person, Responder
from cat_engine.core.simulation.truth import Ability
from cat_engine.core.state import Presentation, SittingState

PREPARATION_STEP_MS = 20_000  # from one act before the beginning to the next
REVIEW_MS = 15_000  # from the last answer of a fixed form to handing it in
STAFF = "system:simulation"
NO_PLEDGE_TEXT = "0" * 64


def simulate_sitting(
    compiled: CompiledPackage,
    created: e.Created,
    theta: Mapping[str, Ability],
    now_ms: int,
    responder_seed: str,
    *,
    seat: str = "",
    pledge_hash: str = NO_PLEDGE_TEXT,
    exposure: Sequence[e.ExposureRead] = (),
) -> list[Progress]:
    """A whole sitting from its creation at `now_ms` to its score.

    `theta` gives the ability by section, `exposure` what is read of other sittings when this one begins.
    Somebody whose time runs out is ended by the clock, as in a room.
    """
    person = Responder(compiled, theta, responder_seed)
    progresses = _prepared(created, now_ms, seat=seat, pledge_hash=pledge_hash)
    progresses += sit(compiled, progresses[-1].state, person, exposure=exposure)
    return progresses


def prepared(created: e.Created, now_ms: int) -> SittingState:
    """The state of a sitting whose candidate was admitted and may begin."""
    return _prepared(created, now_ms, seat="", pledge_hash=NO_PLEDGE_TEXT)[-1].state


def sit(
    compiled: CompiledPackage, admitted: SittingState, person: Person, exposure: Sequence[e.ExposureRead] = ()
) -> Iterator[Progress]:
    """Everything from the beginning to the score, one decision after the other."""
    candidate = f"candidate:{admitted.candidate}"
    at_ms = admitted.last_at_ms + PREPARATION_STEP_MS
    progress = engine.begin(compiled, admitted, now_ms=at_ms, actor=candidate, exposure=exposure)
    yield progress
    while not progress.state.is_over:
        state = progress.state
        asked = _unanswered(compiled, state)
        at_ms = state.last_at_ms + (REVIEW_MS if asked is None else person.time_ms(asked))
        late = engine.is_late(compiled, state, at_ms)
        expired = engine.expire(compiled, state, now_ms=at_ms, actor=STAFF) if late else None
        if expired is not None:
            progress = expired
        elif asked is None:
            progress = engine.finish_section(compiled, state, now_ms=at_ms, actor=candidate)
        else:
            scored = person.answer(asked)
            progress = _answered(compiled, state, asked.position, scored, at_ms, candidate)
        yield progress


def _unanswered(compiled: CompiledPackage, state: SittingState) -> Presentation | None:
    """The item that waits for its response; of a fixed form the first one."""
    if not compiled.sections[state.section_index].is_linear:
        return state.current
    return next((p for p in state.in_section(state.section_index) if p.response is None), None)


def _prepared(created: e.Created, now_ms: int, *, seat: str, pledge_hash: str) -> list[Progress]:
    """From creation to admission."""
    candidate = f"candidate:{created.candidate}"
    progresses = [engine.create(created, now_ms=now_ms, actor=STAFF)]
    acts: tuple[tuple[e.AnyEvent, str], ...] = (
        (e.CheckedIn(seat=seat), candidate),
        (e.PledgeSigned(text_hash=pledge_hash), candidate),
        (e.DeviceChecked(javascript=True, clock_offset_ms=0), candidate),
        (e.WaitingEntered(), candidate),
        (e.Authorised(), STAFF),
    )
    for number, (event, actor) in enumerate(acts, start=1):
        state, at_ms = progresses[-1].state, now_ms + number * PREPARATION_STEP_MS
        if isinstance(event, e.WaitingEntered):
            progresses.append(engine.enter_waiting(state, now_ms=at_ms, actor=actor))
        else:
            progresses.append(engine.act(state, event, now_ms=at_ms, actor=actor))
    return progresses


def _answered(
    compiled: CompiledPackage,
    state: SittingState,
    position: int,
    scored: ScoredResponse,
    now_ms: int,
    actor: str,
) -> Progress:
    if not compiled.sections[state.section_index].is_linear:
        return engine.record_response(
            compiled, state, position=position, scored=scored, now_ms=now_ms, actor=actor
        )
    saved = engine.save_form(
        compiled, state, position=position, change=FormChange(scored), now_ms=now_ms, actor=actor
    )
    if saved is None:
        raise ValueError(f"position {position} holds {scored.response} already")
    return saved
