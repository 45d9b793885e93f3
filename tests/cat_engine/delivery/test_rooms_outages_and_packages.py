"""Opening a room, giving back the time an outage took, installing packages: once, whoever asks how often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from cat_engine.core import events as e
from cat_engine.core.test_package import RuleChoice, TestPackage
from cat_engine.core.transitions import Status
from cat_engine.delivery import exam_sessions, outages
from cat_engine.delivery.packages import install
from cat_engine.delivery.tables import exam_sessions as sessions_table
from cat_engine.delivery.tables import sittings, test_packages
from cat_engine.foundation import ledger
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.tables import ledger_entries
from tests.cat_engine import small_packages as small
from tests.cat_engine.exam_room import (
    AGENCY,
    MANAGER,
    SESSION,
    ExamRoom,
    add_candidate,
    candidate,
    exam_room,
    open_room,
    process,
    statements,
    views_of,
)


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[ExamRoom]:
    async with exam_room(database_url, candidates=3, opened=False) as made:
        yield made


async def count(room: ExamRoom) -> int:
    async with room.storage.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(sittings))).scalar_one()


async def acts(room: ExamRoom, action: str) -> int:
    async with room.storage.reading() as connection:
        assert await ledger.first_break(connection) is None
        found = await connection.execute(
            select(func.count()).select_from(ledger_entries).where(ledger_entries.c.action == action)
        )
        return found.scalar_one()


# ------------------------------------------------------------------------------------------- exam sessions


async def test_opening_gives_each_roster_entry_one_sitting_with_its_own_seed_and_time(room: ExamRoom) -> None:
    await add_candidate(room, 3, accommodation_s=900)
    await open_room(room)
    seeds, times = set(), []
    for number in range(4):
        created = (await room.log(number))[0].events[0]
        assert isinstance(created, e.Created)
        assert (created.candidate, created.sitting_id) == (f"roster-{number}", room.sitting_ids[number])
        assert len(created.seed) == 32
        seeds.add(created.seed)
        times.append((created.time_allowed_ms, created.accommodation_ms))
    assert len(seeds) == 4
    assert times == [(3_600_000, 0)] * 3 + [(3_600_000, 900_000)]


async def test_opening_again_makes_nothing_anew_and_takes_in_whoever_came_later(room: ExamRoom) -> None:
    await open_room(room)
    before = list(room.sitting_ids)
    await open_room(room)
    await add_candidate(room, 3)
    await open_room(room)
    assert room.sitting_ids[:3] == before
    assert await count(room) == 4
    assert await acts(room, "exam_session.open") == 3


async def test_a_closed_room_is_not_opened_again(room: ExamRoom) -> None:
    await open_room(room)
    await exam_sessions.close_session(room.storage, MANAGER, SESSION, room.clock.now_ms())
    with pytest.raises(Refused) as refused:
        await open_room(room)
    assert refused.value.code is Refusal.SESSION_CLOSED
    async with room.storage.reading() as connection:
        status = (await connection.execute(select(sessions_table.c.status))).scalar_one()
    assert status == "closed"
    assert await acts(room, "exam_session.close") == 1


async def test_an_unknown_room_is_not_found(room: ExamRoom) -> None:
    with pytest.raises(Refused) as refused:
        await exam_sessions.open_session(room.storage, room.server.packages, MANAGER, "no-such", 0)
    assert refused.value.code is Refusal.NOT_FOUND


async def test_the_board_shows_every_seat_by_one_statement(room: ExamRoom) -> None:
    await open_room(room)
    await room.begin(1)
    await room.sittings.respond(await room.ref(1), candidate(1), 1, "o1")
    async with room.storage.reading() as connection:
        with statements(room.storage) as seen:
            rows = await exam_sessions.board(connection, SESSION)
    assert len(seen) == 1
    assert [(row.seat, row.status, row.answered) for row in rows] == [
        ("A0", Status.SCHEDULED, 0),
        ("A1", Status.IN_PROGRESS, 1),
        ("A2", Status.SCHEDULED, 0),
    ]
    assert rows[1].revision == (await room.ref(1)).revision


# ------------------------------------------------------------------------------------------------- outages


async def test_an_outage_is_given_back_once_by_whichever_process_starts_first(room: ExamRoom) -> None:
    await open_room(room)
    await room.begin(0)
    await room.begin(1)
    await outages.beat(room.storage, room.clock.now_ms())
    room.clock.at_ms += 95_000
    async with process(room.url, room.clock) as other:
        credited = await asyncio.gather(
            outages.give_back(room.storage, room.sittings, room.clock.now_ms()),
            outages.give_back(other.storage, other.sittings, room.clock.now_ms()),
        )
        assert sorted(credited) == [0, 2]
        assert await outages.give_back(other.storage, other.sittings, room.clock.now_ms()) == 0
    for number, lines in ((0, 2), (1, 2), (2, 1)):
        state = await room.stored(number)
        assert len(state.time.lines) == lines
    line = (await room.stored(0)).time.lines[1]
    assert (line.kind, line.amount_ms, line.reason, line.actor) == (
        "incident",
        95_000,
        "technical.server",
        "system:outage",
    )
    assert await acts(room, "sitting.outage_credit") == 2
    live = await room.sittings.respond(await room.ref(0), candidate(), 1, "o1")
    assert live.state.time.allowed_ms == 3_695_000


async def test_a_beat_that_is_young_is_no_outage_and_the_first_start_is_none_either(room: ExamRoom) -> None:
    await open_room(room)
    await room.begin(0)
    assert await outages.give_back(room.storage, room.sittings, room.clock.now_ms()) == 0
    await outages.beat(room.storage, room.clock.now_ms())
    await outages.beat(room.storage, room.clock.now_ms() + 1000)
    late = room.clock.now_ms() + 1000 + outages.OUTAGE_FROM_MS - 1
    assert await outages.give_back(room.storage, room.sittings, late) == 0
    assert await outages.give_back(room.storage, room.sittings, late + 1) == 1


async def test_a_candidate_whose_time_would_have_ended_in_the_outage_goes_on(room: ExamRoom) -> None:
    await open_room(room)
    await room.begin(0)
    room.clock.at_ms += 3_500_000
    await outages.beat(room.storage, room.clock.now_ms())
    room.clock.at_ms += 300_000
    assert await outages.give_back(room.storage, room.sittings, room.clock.now_ms()) == 1
    assert await room.sittings.sweep_expired() == 0
    state = await room.stored(0)
    assert state.time.remaining_at(room.clock.now_ms()) == 100_000


# ------------------------------------------------------------------------------------------------ packages


async def _install(room: ExamRoom, package: TestPackage, *, words: bool = True) -> None:
    views = views_of(package) if words else {}
    async with room.storage.transaction() as connection:
        await install(connection, AGENCY, package, views, at_ms=room.clock.now_ms())


async def test_a_package_that_could_not_run_is_not_installed(room: ExamRoom) -> None:
    package = replace(small.mixed_package(), code="OTHER")
    items = list(package.items)
    items[3] = replace(items[3], interaction="hologram")
    section = replace(package.sections[0], selection=RuleChoice("no_such_rule"))
    cases = (
        (replace(package, items=tuple(items)), True, Refusal.PACKAGE_INVALID),
        (replace(package, sections=(section, *package.sections[1:])), True, Refusal.PACKAGE_RULE_UNKNOWN),
        (package, False, Refusal.PACKAGE_INVALID),
    )
    for broken, words, code in cases:
        with pytest.raises(Refused) as refused:
            await _install(room, broken, words=words)
        assert refused.value.code is code
    async with room.storage.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(test_packages))).scalar_one() == 1


async def test_an_installed_package_shows_items_in_the_language_there_is(room: ExamRoom) -> None:
    installed = await room.server.packages.get(room.package_id)
    assert installed.compiled.content_hash == small.mixed_file().content_hash
    item = small.mixed_package().items[0]
    assert installed.view(item.item_id, "en") == installed.view(item.item_id, "id")
    assert await room.server.packages.get(room.package_id) is installed
