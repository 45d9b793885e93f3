"""Acts of proctors: the board offers what the engine allows, each with a reason and a ledger entry."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.state import SittingState
from cat_engine.core.transitions import Status
from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Actor, Role
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.tables import ledger_entries
from cat_engine.proctoring.acts import EXTENSION_LIMIT_MS, NEEDS_REASON, VERBS, Order, carry_out, is_possible
from cat_engine.proctoring.reasons import CODES, REASONS, checked
from tests.cat_engine import small_packages as small
from tests.cat_engine.exam_room import AGENCY, PROCTOR, ExamRoom, exam_room
from tests.cat_engine.stories import story_package

REASON = "technical.network"


def _apply(state: SittingState, *acts: e.AnyEvent) -> SittingState:
    for event in acts:
        state = engine.act(state, event, now_ms=small.START_MS, actor=small.PROCTOR).state
    return state


def every_status() -> dict[Status, SittingState]:
    """A sitting in each status that there is."""
    compiled = story_package()
    created = small.created_on(compiled)
    scheduled = engine.create(created, now_ms=small.START_MS, actor=small.PROCTOR).state
    checked_in = _apply(scheduled, e.CheckedIn(seat="A1"))
    ready = _apply(checked_in, e.PledgeSigned(text_hash="p"), e.DeviceChecked(javascript=True))
    waiting = _apply(ready, e.WaitingEntered())
    authorised = _apply(waiting, e.Authorised())
    begun = small.begun(compiled)
    paused = _apply(begun, e.Paused(by="proctor", reason=REASON, used_ms=0))
    scored = small.simulated(compiled, "all", 0.0)[-1].state
    completed = msgspec.structs.replace(scored, status=Status.COMPLETED)
    states = [
        *(scheduled, checked_in, waiting, authorised, begun, paused, scored, completed),
        msgspec.structs.replace(scored, status=Status.EXPIRED),
        _apply(paused, e.ResumeRequested()),
        _apply(begun, e.Terminated(reason=REASON, used_ms=0)),
        _apply(waiting, e.Denied(reason=REASON)),
        _apply(waiting, e.Cancelled(reason=REASON)),
        _apply(scored, e.Released()),
    ]
    return {state.status: state for state in states}


@pytest.mark.parametrize("act", sorted(VERBS))
def test_what_is_offered_works_and_what_works_is_offered(act: str) -> None:
    states = every_status()
    assert set(states) == set(Status)
    offered, works = set(), set()
    for status, state in states.items():
        if is_possible(act, status):
            offered.add(status)
        with contextlib.suppress(Refused):
            VERBS[act](state, Order(act, REASON, 60_000), small.START_MS, small.PROCTOR)
            works.add(status)
    same_event = {"admit": {Status.PAUSED, Status.WAITING_RESUME}, "resume": {Status.WAITING}}
    assert offered == works - same_event.get(act, set())
    assert offered, "an act that is never possible is no act"


def test_nothing_is_offered_for_a_result_that_is_out() -> None:
    assert not any(is_possible(act, Status.RELEASED) for act in VERBS)


@pytest.mark.parametrize("act", sorted(NEEDS_REASON))
def test_an_act_without_a_known_reason_is_refused(act: str) -> None:
    state = next(state for status, state in every_status().items() if is_possible(act, status))
    for reason, code in (("", Refusal.REASON_MISSING), ("because", Refusal.REASON_UNKNOWN)):
        with pytest.raises(Refused) as refused:
            VERBS[act](state, Order(act, reason, 60_000), small.START_MS, small.PROCTOR)
        assert refused.value.code is code


def test_reasons_are_codes_of_the_tree() -> None:
    assert len(set(CODES)) == len(CODES) == sum(len(reasons) for reasons in REASONS.values())
    assert all(checked(code) == code for code in CODES)


@pytest.mark.parametrize("amount_ms", [0, -60_000, EXTENSION_LIMIT_MS + 1])
def test_an_extension_must_add_time_and_not_a_day(amount_ms: int) -> None:
    state = every_status()[Status.IN_PROGRESS]
    with pytest.raises(Refused) as refused:
        VERBS["extend"](state, Order("extend", REASON, amount_ms), small.START_MS, small.PROCTOR)
    assert refused.value.code is Refusal.TIME_AMOUNT_INVALID


# ------------------------------------------------------------------------------------------- on a database


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[ExamRoom]:
    async with exam_room(database_url, candidates=3) as opened:
        yield opened


async def entries(room: ExamRoom) -> list[Any]:
    async with room.storage.reading() as connection:
        assert await ledger.first_break(connection) is None
        rows = await connection.execute(
            select(ledger_entries).where(ledger_entries.c.action.like("sitting.%")).order_by("sequence")
        )
        return list(rows)


async def test_an_act_is_in_the_log_and_in_the_ledger(room: ExamRoom) -> None:
    await room.begin()
    room.clock.at_ms += 5000
    await room.act("pause", reason="candidate.toilet")
    await room.act("extend", reason="technical.freezing", amount_ms=120_000)
    rows = await entries(room)
    assert [(row.action, row.subject, row.actor) for row in rows] == [
        (f"sitting.{act}", room.sitting_ids[0], PROCTOR.label) for act in ("admit", "pause", "extend")
    ]
    assert msgspec.json.decode(rows[2].detail) == {"amount_ms": 120_000, "reason": "technical.freezing"}
    assert rows[1].at_ms == room.clock.at_ms
    state = await room.stored()
    assert (state.status, state.pause_reason, state.time.used_ms) == (
        Status.PAUSED,
        "candidate.toilet",
        5000,
    )
    assert [line.amount_ms for line in state.time.lines] == [3_600_000, 120_000]


async def test_a_refused_act_leaves_neither_log_nor_ledger(room: ExamRoom) -> None:
    before = await room.rows()
    for act in sorted(VERBS):
        if is_possible(act, Status.SCHEDULED):
            continue
        with pytest.raises(Refused) as refused:
            await room.act(act, reason=REASON, amount_ms=60_000)
        assert refused.value.code is Refusal.SITTING_STATE
        assert refused.value.details == {"status": "scheduled", "act": act}
    assert await room.rows() == before
    assert await entries(room) == []


async def test_an_act_on_many_is_done_wholly_or_refused_one_by_one(room: ExamRoom) -> None:
    await room.begin(0)
    await room.begin(2)
    refs = [await room.ref(number) for number in range(3)]
    outcomes = await carry_out(
        room.storage,
        room.sittings,
        PROCTOR,
        refs,
        Order("pause", "environment.power"),
        room.clock.now_ms(),
    )
    assert [outcome.sitting_id for outcome in outcomes] == room.sitting_ids
    codes = [outcome.refused.code if outcome.refused else None for outcome in outcomes]
    assert codes == [None, Refusal.SITTING_STATE, None]
    statuses = [(await room.stored(number)).status for number in range(3)]
    assert statuses == [Status.PAUSED, Status.SCHEDULED, Status.PAUSED]
    paused = [row.subject for row in await entries(room) if row.action == "sitting.pause"]
    assert paused == [room.sitting_ids[0], room.sitting_ids[2]]


async def test_two_proctors_doing_the_same_thing_do_it_once(room: ExamRoom) -> None:
    await room.begin()
    ref = await room.ref()
    both = await asyncio.gather(
        *(
            carry_out(
                room.storage, room.sittings, PROCTOR, [ref], Order("pause", "staff.mistake"), room.clock.at_ms
            )
            for _ in range(2)
        )
    )
    codes = [outcomes[0].refused.code if outcomes[0].refused else None for outcomes in both]
    assert sorted(codes, key=str) == [None, Refusal.SITTING_STATE]
    pauses = [event for entry in await room.log() for event in entry.events if isinstance(event, e.Paused)]
    assert len(pauses) == 1


async def test_only_a_proctor_may_and_only_what_there_is(room: ExamRoom) -> None:
    ref = await room.ref()
    for role in Role:
        if role is Role.PROCTOR:
            continue
        actor = Actor("x", AGENCY, "X", frozenset({role}))
        with pytest.raises(Refused) as refused:
            await carry_out(
                room.storage, room.sittings, actor, [ref], Order("deny", REASON), room.clock.at_ms
            )
        assert refused.value.code is Refusal.NOT_ALLOWED
    with pytest.raises(Refused) as refused:
        await carry_out(room.storage, room.sittings, PROCTOR, [ref], Order("teleport"), room.clock.at_ms)
    assert refused.value.code is Refusal.FIELD_INVALID
    assert (await room.stored()).status is Status.SCHEDULED


async def test_ending_and_undoing_it_brings_back_the_item_and_the_clock(room: ExamRoom) -> None:
    before = await room.begin()
    room.clock.at_ms += 40_000
    await room.act("end", reason="candidate.behaviour")
    room.clock.at_ms += 900_000
    await room.act("reactivate", reason="staff.mistake")
    await room.act("resume")
    after = await room.go_on()
    assert after.presentations == before.presentations
    assert after.time.used_at(room.clock.at_ms) == 40_000
    assert [row.action for row in await entries(room)] == [
        f"sitting.{act}" for act in ("admit", "end", "reactivate", "resume")
    ]


async def test_a_reason_is_wanted_on_the_database_too(room: ExamRoom) -> None:
    await room.begin()
    with pytest.raises(Refused) as refused:
        await room.act("pause")
    assert refused.value.code is Refusal.REASON_MISSING
    assert len(await entries(room)) == 1
