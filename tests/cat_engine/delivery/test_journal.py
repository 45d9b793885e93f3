"""The journal: nothing is said to be durable that is not, and of two writers of one revision one wins."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError

from cat_engine.delivery import journal as module
from cat_engine.delivery.journal import Journal, LogRow
from cat_engine.delivery.tables import sitting_log
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from tests.cat_engine.exam_room import ExamRoom, exam_room


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[ExamRoom]:
    async with exam_room(database_url, candidates=3) as opened:
        yield opened


def row(room: ExamRoom, revision: int, *, sitting: int = 0, actor: str = "candidate:1") -> LogRow:
    return LogRow(
        sitting_id=room.sitting_ids[sitting],
        revision=revision,
        at_ms=room.clock.at_ms,
        actor=actor,
        events="[]",
        status="in_progress",
        answered=0,
        chain="0" * 64,
    )


async def stored(storage: Storage) -> dict[tuple[str, int], str]:
    async with storage.reading() as connection:
        rows = await connection.execute(
            select(sitting_log.c.sitting_id, sitting_log.c.revision, sitting_log.c.actor).where(
                sitting_log.c.revision > 1
            )
        )
        return {(found.sitting_id, found.revision): found.actor for found in rows}


async def test_many_answers_share_few_commits_and_all_are_there(room: ExamRoom) -> None:
    commits = Counter[str]()
    event.listen(room.storage.engine.sync_engine, "commit", lambda _connection: commits.update(["commit"]))
    rows = [row(room, revision, sitting=number) for number in range(3) for revision in range(2, 202)]
    won = await asyncio.gather(*(room.server.journal.append(each) for each in rows))
    assert all(won)
    assert set(await stored(room.storage)) == {each.key for each in rows}
    assert commits["commit"] <= 20, "six hundred answers were not written in groups"


async def test_an_answer_is_in_the_database_before_it_is_acknowledged(room: ExamRoom) -> None:
    other = Storage(room.url)
    try:
        for revision in range(2, 12):
            assert await room.server.journal.append(row(room, revision))
            assert row(room, revision).key in await stored(other)
    finally:
        await other.close()


async def test_of_two_equal_keys_in_one_batch_exactly_one_wins(room: ExamRoom) -> None:
    doubled = [row(room, 1 + i // 2, actor=f"writer:{i}") for i in range(2, 80)]
    won = await asyncio.gather(*(room.server.journal.append(each) for each in doubled))
    winners = {each.key: each.actor for each, first in zip(doubled, won, strict=True) if first}
    assert len(winners) == sum(won) == 39
    assert await stored(room.storage) == winners


async def test_two_journals_never_both_win(room: ExamRoom) -> None:
    """Two processes write the same two hundred revisions, one forwards and one backwards."""
    second = Storage(room.url)
    other = Journal(second)
    other.start()
    try:
        keys = [(sitting, revision) for sitting in range(2) for revision in range(2, 102)]
        one = [row(room, revision, sitting=s, actor="process:1") for s, revision in keys]
        two = [row(room, revision, sitting=s, actor="process:2") for s, revision in reversed(keys)]
        results = await asyncio.gather(
            *(room.server.journal.append(each) for each in one), *(other.append(each) for each in two)
        )
        won = [each for each, first in zip([*one, *two], results, strict=True) if first]
        assert len(won) == len({each.key for each in won}) == 200
        assert await stored(room.storage) == {each.key: each.actor for each in won}
    finally:
        await other.stop()
        await second.close()


async def test_a_poisoned_row_fails_alone(room: ExamRoom) -> None:
    good = [row(room, revision) for revision in range(2, 42)]
    poisoned = replace(row(room, 2), sitting_id="no-such-sitting")
    results = await asyncio.gather(
        *(room.server.journal.append(each) for each in (*good[:20], poisoned, *good[20:])),
        return_exceptions=True,
    )
    assert isinstance(results.pop(20), IntegrityError)
    assert results == [True] * 40
    assert len(await stored(room.storage)) == 40
    assert await room.server.journal.append(row(room, 42)), "the journal goes on after a failure"


async def test_a_full_queue_is_refused_as_overload_and_what_was_queued_is_written(room: ExamRoom) -> None:
    journal = Journal(room.storage)
    queued = [
        asyncio.create_task(journal.append(row(room, revision)))
        for revision in range(2, 2 + module.QUEUE_LIMIT)
    ]
    await asyncio.sleep(0)
    with pytest.raises(Refused) as refused:
        await journal.append(row(room, 1, sitting=1))
    assert refused.value.code is Refusal.OVERLOADED
    journal.start()
    assert all(await asyncio.gather(*queued))
    await journal.stop()
    assert len(await stored(room.storage)) == module.QUEUE_LIMIT


async def test_a_writer_that_does_not_come_back_is_no_yes(
    room: ExamRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_LIMIT_S", 0.05)
    journal = Journal(room.storage)
    with pytest.raises(Refused) as refused:
        await journal.append(row(room, 2))
    assert refused.value.code is Refusal.OVERLOADED
    assert await stored(room.storage) == {}


async def test_stopping_writes_what_is_queued_and_ends(room: ExamRoom) -> None:
    journal = Journal(room.storage)
    journal.start()
    waiting = [asyncio.create_task(journal.append(row(room, revision))) for revision in range(2, 52)]
    await asyncio.sleep(0)
    await asyncio.wait_for(journal.stop(), 5)
    assert all([await each for each in waiting])
    assert len(await stored(room.storage)) == 50
