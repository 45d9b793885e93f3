"""The comparison after the kills: whatever it counts, it has been seen to count."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import delete, insert, select, update

from cat_engine.delivery.tables import sitting_log
from tests.cat_engine.exam_room import ExamRoom, candidate, exam_room
from tests.faults.audit import Audit, Outage, compare
from tests.faults.candidates import Acknowledged, ClockReading, Memory

pytestmark = pytest.mark.faults


@pytest.fixture
async def room(sqlite_url: str) -> AsyncIterator[ExamRoom]:
    """A room with one sitting, four items answered."""
    async with exam_room(sqlite_url) as opened:
        await opened.begin()
        for position in range(1, 5):
            opened.clock.at_ms += 10_000
            await opened.sittings.respond(await opened.ref(), candidate(), position, "o1")
        yield opened


def remembering(room: ExamRoom, *, answers: int = 4) -> Memory:
    sitting_id = room.sitting_ids[0]
    known = [Acknowledged(sitting_id, position, "o1", 1, 0) for position in range(1, answers + 1)]
    return Memory(acknowledged=known)


async def audited(room: ExamRoom, memory: Memory, *outages: Outage) -> Audit:
    return await compare(room.storage, memory, outages, replays=0)


async def last_row(room: ExamRoom) -> dict[str, object]:
    async with room.storage.reading() as connection:
        rows = await connection.execute(select(sitting_log).order_by(sitting_log.c.revision.desc()).limit(1))
        return dict(rows.mappings().one())


async def test_a_room_in_order_has_nothing_to_report(room: ExamRoom) -> None:
    audit = await audited(room, remembering(room))
    assert (audit.acknowledged, audit.lost, audit.doubled, audit.unacknowledged) == (4, 0, 0, 0)
    assert audit.findings == []


async def test_an_answer_that_is_not_in_the_log_is_lost(room: ExamRoom) -> None:
    async with room.storage.transaction() as connection:
        row = await last_row(room)
        await connection.execute(delete(sitting_log).where(sitting_log.c.revision == row["revision"]))
    assert (await audited(room, remembering(room))).lost == 1


async def test_another_answer_in_its_place_is_a_lost_answer_too(room: ExamRoom) -> None:
    memory = remembering(room, answers=3)
    memory.acknowledged.append(Acknowledged(room.sitting_ids[0], 4, "o2", 1, 0))
    assert (await audited(room, memory)).lost == 1


async def test_an_item_asked_again_after_its_answer_counts_as_lost(room: ExamRoom) -> None:
    memory = remembering(room)
    memory.forgotten.add((room.sitting_ids[0], 2))
    assert (await audited(room, memory)).lost == 1


async def test_a_sitting_that_is_gone_loses_all_its_answers(room: ExamRoom) -> None:
    async with room.storage.transaction() as connection:
        await connection.execute(delete(sitting_log))
    assert (await audited(room, remembering(room))).lost == 4


async def test_an_answer_stored_twice_is_doubled(room: ExamRoom) -> None:
    row = await last_row(room)
    async with room.storage.transaction() as connection:
        again = {**row, "revision": int(str(row["revision"])) + 1}
        await connection.execute(insert(sitting_log).values(**again))
    audit = await audited(room, remembering(room))
    assert audit.doubled == 1
    assert any("chain breaks" in finding for finding in audit.findings)
    assert any("shown 2 times" in finding for finding in audit.findings)


async def test_a_gap_in_the_revisions_is_found(room: ExamRoom) -> None:
    row = await last_row(room)
    async with room.storage.transaction() as connection:
        await connection.execute(
            update(sitting_log)
            .where(sitting_log.c.revision == row["revision"])
            .values(revision=int(str(row["revision"])) + 1)
        )
    assert any("gap" in finding for finding in (await audited(room, remembering(room))).findings)


async def test_answers_that_nobody_was_told_of_are_counted_apart(room: ExamRoom) -> None:
    audit = await audited(room, remembering(room, answers=3))
    assert (audit.lost, audit.unacknowledged) == (0, 1)


async def test_an_outage_at_the_candidates_expense_is_found(room: ExamRoom) -> None:
    """A minute passes, eight seconds of it an outage, and the page's clock goes down by the whole minute."""
    memory = remembering(room)
    outage = Outage("web", killed_ms=20_000, good_ms=28_000, crowding=1.0)
    for used_ms, is_found in ((60_000, True), (52_000, False)):
        memory.readings[room.sitting_ids[0]] = [
            ClockReading(0, 10, 3_600_000),
            ClockReading(60_000, 60_010, 3_600_000 - used_ms),
        ]
        audit = await audited(room, memory, outage)
        assert bool(audit.findings) is is_found
