"""Sittings on a database: doubles, races, stale memories and late answers do no harm."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable

import pytest
from sqlalchemy import update

from cat_engine.core import chain
from cat_engine.core import events as e
from cat_engine.core.state import SittingState, fold
from cat_engine.core.transitions import Status
from cat_engine.delivery.sittings import SittingRef, find, read_log
from cat_engine.delivery.tables import test_packages as packages_table
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.proctoring.acts import Order, carry_out
from tests.cat_engine import small_packages as small
from tests.cat_engine.exam_room import PROCTOR, ExamRoom, candidate, exam_room, process, statements

TIME_MS = 3_600_000


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[ExamRoom]:
    async with exam_room(database_url, candidates=2) as opened:
        yield opened


async def refusal_of(answer: Awaitable[object]) -> Refusal | None:
    """The code an awaitable is refused with, or None."""
    try:
        await answer
    except Refused as refused:
        return refused.code
    return None


def recorded(entries: list[e.Entry]) -> list[tuple[int, str]]:
    return [
        (event.position, event.response)
        for entry in entries
        for event in entry.events
        if isinstance(event, e.ResponseRecorded)
    ]


async def check_log(room: ExamRoom, number: int = 0) -> SittingState:
    """Revisions without a gap, a chain that holds, a fold that works."""
    async with room.storage.reading() as connection:
        entries, heads = await read_log(connection, room.sitting_ids[number])
    assert [entry.revision for entry in entries] == list(range(1, len(entries) + 1))
    head = chain.GENESIS
    for entry, value in zip(entries, heads, strict=True):
        head = chain.extend(head, entry)
        assert head == value
    return fold(entries)


# ------------------------------------------------------------------------------- doubles and wrong orders


async def test_the_same_answer_eight_times_at_once_is_one_answer(room: ExamRoom) -> None:
    await room.begin()
    ref = await room.ref()
    lives = await asyncio.gather(*(room.sittings.respond(ref, candidate(), 1, "o2") for _ in range(8)))
    assert recorded(await room.log()) == [(1, "o2")]
    assert {live.state.revision for live in lives} == {ref.revision + 1}
    assert len({live.state.presentations[-1].item_id for live in lives}) == 1, "all see the same next item"


async def test_of_different_answers_at_once_one_counts_and_the_others_are_told(room: ExamRoom) -> None:
    await room.begin()
    ref = await room.ref()
    codes = await asyncio.gather(
        *(refusal_of(room.sittings.respond(ref, candidate(), 1, f"o{n}")) for n in range(1, 6))
    )
    assert Counter(codes) == {None: 1, Refusal.ALREADY_ANSWERED: 4}
    assert recorded(await room.log()) == [(1, f"o{codes.index(None) + 1}")]


async def test_a_repetition_much_later_is_harmless(room: ExamRoom) -> None:
    await room.begin()
    for position in (1, 2, 3):
        await room.sittings.respond(await room.ref(), candidate(), position, "o1")
    live = await room.sittings.respond(await room.ref(), candidate(), 1, "o1")
    assert live.state.answered == 3
    assert recorded(await room.log()) == [(1, "o1"), (2, "o1"), (3, "o1")]


async def test_answers_in_the_wrong_order_are_refused_and_leave_no_trace(room: ExamRoom) -> None:
    await room.begin()
    before = await room.rows()
    for position in (0, 2, 3, 99, -1):
        code = await refusal_of(room.sittings.respond(await room.ref(), candidate(), position, "o1"))
        assert code is Refusal.PRESENTATION_NOT_CURRENT
    for response, expected in (("", Refusal.RESPONSE_MISSING), ("o6", Refusal.RESPONSE_UNKNOWN)):
        code = await refusal_of(room.sittings.respond(await room.ref(), candidate(), 1, response))
        assert code is expected
    assert await room.rows() == before
    await room.sittings.respond(await room.ref(), candidate(), 1, "o1")
    code = await refusal_of(room.sittings.respond(await room.ref(), candidate(), 1, "o2"))
    assert code is Refusal.ALREADY_ANSWERED


# ---------------------------------------------------------------------------------------- two processes


async def test_two_processes_answer_turn_about(room: ExamRoom) -> None:
    await room.begin()
    async with process(room.url, room.clock) as other:
        for position in range(1, 13):
            server = (room.server, other)[position % 2]
            await server.sittings.respond(await room.ref(), candidate(), position, "o3")
        ref = await room.ref()
        here, there = await room.sittings.load(ref), await other.sittings.load(ref)
        assert here.state == there.state == await check_log(room)
        assert here.chain == there.chain


async def test_a_process_whose_memory_is_old_finds_out_at_the_fence(room: ExamRoom) -> None:
    """The request was authorised before the other process wrote: its revision is old, its cache too."""
    await room.begin()
    async with process(room.url, room.clock) as other:
        old = await room.ref()
        await other.sittings.load(old)
        await room.sittings.respond(old, candidate(), 1, "o1")
        code = await refusal_of(other.sittings.respond(old, candidate(), 1, "o2"))
        assert code is Refusal.ALREADY_ANSWERED
        same = await other.sittings.respond(old, candidate(), 1, "o1")
        assert same.state.answered == 1
        assert recorded(await check_and_log(room)) == [(1, "o1")]


async def test_the_same_answer_to_two_processes_at_once_is_one_answer(room: ExamRoom) -> None:
    await room.begin()
    async with process(room.url, room.clock) as other:
        ref = await room.ref()
        await other.sittings.load(ref)
        for position in range(1, 9):
            lives = await asyncio.gather(
                room.sittings.respond(ref, candidate(), position, "o4"),
                other.sittings.respond(ref, candidate(), position, "o4"),
            )
            assert lives[0].state == lives[1].state
            ref = await room.ref()
        assert recorded(await check_and_log(room)) == [(position, "o4") for position in range(1, 9)]


async def check_and_log(room: ExamRoom) -> list[e.Entry]:
    await check_log(room)
    return await room.log()


async def test_a_pause_racing_an_answer_leaves_one_order_that_holds(room: ExamRoom) -> None:
    seen = Counter[str]()
    await room.begin()
    async with process(room.url, room.clock) as other:
        for position in range(1, 9):
            ref = await room.ref()
            room.clock.at_ms += 10_000
            order = Order("pause", "candidate.toilet")
            code, outcomes = await asyncio.gather(
                refusal_of(room.sittings.respond(ref, candidate(), position, "o1")),
                carry_out(other.storage, other.sittings, PROCTOR, [ref], order, room.clock.now_ms()),
            )
            assert outcomes[0].refused is None
            state = await check_log(room)
            assert state.status is Status.PAUSED
            assert code in (None, Refusal.SITTING_STATE)
            assert (state.answered == position) == (code is None), "acknowledged is stored, refused is not"
            seen["answered" if code is None else "paused"] += 1
            await room.act("resume")
            await room.go_on()
            await room.sittings.respond(await room.ref(), candidate(), position, "o1")
    assert sum(seen.values()) == 8


async def test_an_extension_from_another_process_comes_before_the_end_of_time(room: ExamRoom) -> None:
    """The request was authorised before a proctor elsewhere gave ten minutes more."""
    await room.begin()
    old = await room.ref()
    async with process(room.url, room.clock) as other:
        room.clock.at_ms += TIME_MS + 60_000
        order = Order("extend", "technical.network", 600_000)
        await carry_out(other.storage, other.sittings, PROCTOR, [old], order, room.clock.now_ms())
    live = await room.sittings.respond(old, candidate(), 1, "o1")
    assert live.state.answered == 1
    assert live.state.status is Status.IN_PROGRESS


async def test_a_server_that_starts_cold_knows_what_the_warm_one_knows(room: ExamRoom) -> None:
    await room.begin()
    for position in range(1, 15):
        live = await room.sittings.respond(await room.ref(), candidate(), position, "o2")
    async with process(room.url, room.clock) as other:
        cold = await other.sittings.load(await room.ref())
    assert cold.state == live.state
    assert (cold.chain, cold.scored_chain) == (live.chain, live.scored_chain)


# ---------------------------------------------------------------------------------------------- the clock


async def test_an_answer_after_the_time_ends_the_sitting_and_is_refused(room: ExamRoom) -> None:
    await room.begin()
    await room.sittings.respond(await room.ref(), candidate(), 1, "o1")
    room.clock.at_ms += TIME_MS + 3_001
    code = await refusal_of(room.sittings.respond(await room.ref(), candidate(), 2, "o1"))
    assert code is Refusal.TIME_IS_UP
    state = await check_log(room)
    assert (state.status, state.answered) == (Status.SCORED, 1)
    code = await refusal_of(room.sittings.respond(await room.ref(), candidate(), 2, "o1"))
    assert code is Refusal.SITTING_STATE


async def test_the_sweep_ends_only_what_is_over_and_two_sweeps_end_it_once(room: ExamRoom) -> None:
    await room.begin(0)
    room.clock.at_ms += 1_000_000
    await room.begin(1)
    assert await room.sittings.sweep_expired() == 0
    room.clock.at_ms += TIME_MS - 1_000_000 + 3_001
    async with process(room.url, room.clock) as other:
        await asyncio.gather(room.sittings.sweep_expired(), other.sittings.sweep_expired())
    first, second = await check_log(room, 0), await check_log(room, 1)
    assert (first.status, second.status) == (Status.SCORED, Status.IN_PROGRESS)
    ends = [event for entry in await room.log() for event in entry.events if isinstance(event, e.Expired)]
    assert len(ends) == 1


# -------------------------------------------------------------------------------------------- fixed forms


async def to_the_form(room: ExamRoom) -> int:
    """Answer until the fixed form opens; the position of its first item."""
    state = await room.begin()
    while state.section_index < 2:
        position = len(state.presentations)
        live = await room.sittings.respond(await room.ref(), candidate(), position, "o3")
        state = live.state
    return state.in_section(2)[0].position


async def test_a_fixed_form_is_saved_piece_by_piece_and_doubles_write_nothing(room: ExamRoom) -> None:
    first = await to_the_form(room)

    async def save(offset: int, response: str = "", *, clear: bool = False, flagged: bool = False) -> None:
        await room.sittings.save_form(
            await room.ref(), candidate(), first + offset, response, clear=clear, flagged=flagged
        )

    await save(2, "o1", flagged=True)
    await save(0, "o5")
    rows = await room.rows()
    await asyncio.gather(save(0, "o5"), save(0, "o5"), save(2, "o1", flagged=True))
    assert await room.rows() == rows
    await save(2, "", clear=True)
    state = await check_log(room)
    form = [(p.response, p.flagged) for p in state.in_section(2)]
    assert form == [("o5", False), (None, False), (None, False), (None, False), (None, False)]
    codes = [
        await refusal_of(save(0, "o9")),
        await refusal_of(save(40, "o1")),
        await refusal_of(save(-first, "o1")),
    ]
    assert codes == [
        Refusal.RESPONSE_UNKNOWN,
        Refusal.PRESENTATION_NOT_CURRENT,
        Refusal.PRESENTATION_NOT_CURRENT,
    ]


# ---------------------------------------------------------------------------------------------- statements


async def test_a_warm_answer_costs_one_statement_after_its_authorisation(room: ExamRoom) -> None:
    await room.begin()
    for position in range(1, 9):
        ref = await room.ref()
        with statements(room.storage) as seen:
            await room.sittings.respond(ref, candidate(), position, "o1")
        assert len(seen) == 1, seen
        assert seen[0].startswith("INSERT INTO sitting_log")


async def test_a_cold_answer_costs_one_statement_more(room: ExamRoom) -> None:
    await room.begin()
    async with process(room.url, room.clock) as other:
        await other.packages.get(room.package_id)
        ref = await room.ref()
        with statements(other.storage) as seen:
            await other.sittings.respond(ref, candidate(), 1, "o1")
        assert [statement.split()[0] for statement in seen] == ["SELECT", "INSERT"]


async def test_a_repeated_answer_costs_no_statement(room: ExamRoom) -> None:
    await room.begin()
    await room.sittings.respond(await room.ref(), candidate(), 1, "o1")
    ref = await room.ref()
    with statements(room.storage) as seen:
        await room.sittings.respond(ref, candidate(), 1, "o1")
    assert seen == []


# -------------------------------------------------------------------------------------------------- others


async def test_what_is_not_there_is_not_found(room: ExamRoom) -> None:
    nobody = SittingRef("no-such-sitting", "agency-1", room.package_id, 1)
    assert await refusal_of(room.sittings.load(nobody)) is Refusal.NOT_FOUND
    async with room.storage.reading() as connection:
        assert await refusal_of(find(connection, "no-such-sitting")) is Refusal.NOT_FOUND
    assert await refusal_of(room.server.packages.get("no-such-package")) is Refusal.NOT_FOUND


async def test_an_edited_package_is_not_run(room: ExamRoom) -> None:
    package_file = small.mixed_file()
    text = small.encode(package_file).replace('"time_allowed_s":3600', '"time_allowed_s":7200')
    async with room.storage.transaction() as connection:
        await connection.execute(update(packages_table).values(document=text))
    async with process(room.url, room.clock) as other:
        assert await refusal_of(other.packages.get(room.package_id)) is Refusal.PACKAGE_TAMPERED
