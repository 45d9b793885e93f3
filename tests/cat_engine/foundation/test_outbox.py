"""Promised work: nothing lost, nothing settled by the wrong worker, and a wait that grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation import outbox
from cat_engine.foundation.outbox import Dispatcher, Message, PermanentError, RetryPlan, TransientError
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import outbox_messages
from tests.cat_engine.results.rows import AGENCY, T0, HandClock, open_storage

PLAN = RetryPlan(base_ms=1000, limit_ms=60_000, max_attempts=4, lease_ms=30_000, handler_time_limit_s=5.0)


class Recorder:
    """A handler that does what the test says, and writes down what it was asked."""

    def __init__(self, act: Callable[[Message], Any] | None = None) -> None:
        self.seen: list[Message] = []
        self.failures: list[tuple[str, bool]] = []
        self.arrived = asyncio.Semaphore(0)
        self._act = act

    async def handle(self, message: Message) -> None:
        self.seen.append(message)
        self.arrived.release()
        if self._act is not None:
            result = self._act(message)
            if asyncio.iscoroutine(result):
                await result

    async def failed(
        self, connection: AsyncConnection, message: Message, reason: str, *, is_dead: bool, at_ms: int
    ) -> None:
        # inside the settling transaction: what it writes commits with the message's state, or not at all
        assert connection.in_transaction()
        self.failures.append((reason, is_dead))


def raising(error: BaseException) -> Callable[[Message], None]:
    def act(message: Message) -> None:
        raise error

    return act


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Storage]:
    async with open_storage(database_url) as opened:
        yield opened


async def promise(storage: Storage, topic: str = "t", at_ms: int = T0, **payload: Any) -> str:
    async with storage.transaction() as connection:
        return await outbox.add(connection, AGENCY, topic, payload, at_ms)


async def row_of(storage: Storage, message_id: str) -> Any:
    async with storage.reading() as connection:
        return (
            await connection.execute(select(outbox_messages).where(outbox_messages.c.id == message_id))
        ).one()


def dispatcher(storage: Storage, clock: HandClock, handler: Recorder, **more: Any) -> Dispatcher:
    return Dispatcher(storage, clock, {"t": handler}, plan=PLAN, **more)


async def test_a_promise_of_a_transaction_that_fails_was_never_made(storage: Storage) -> None:
    async def act() -> None:
        async with storage.transaction() as connection:
            await outbox.add(connection, AGENCY, "t", {}, T0)
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await act()
    handler = Recorder()
    assert await dispatcher(storage, HandClock(), handler).run_once() == 0
    assert handler.seen == []


async def test_success_is_done_once_and_carries_the_payload(storage: Storage) -> None:
    message_id = await promise(storage, report="r-1", n=3)
    handler = Recorder()
    worker = dispatcher(storage, HandClock(), handler)
    assert await worker.run_once() == 1
    assert await worker.run_once() == 0
    assert [(m.id, m.payload, m.attempts) for m in handler.seen] == [
        (message_id, {"report": "r-1", "n": 3}, 1)
    ]
    assert (await row_of(storage, message_id)).state == "done"


async def test_messages_of_other_topics_and_later_times_are_left_alone(storage: Storage) -> None:
    foreign = await promise(storage, topic="other")
    later = await promise(storage, at_ms=T0 + 1)
    handler = Recorder()
    clock = HandClock()
    worker = dispatcher(storage, clock, handler)
    assert await worker.run_once() == 0
    clock.at_ms += 1
    assert await worker.run_once() == 1
    assert [m.id for m in handler.seen] == [later]
    assert (await row_of(storage, foreign)).attempts == 0


async def test_transient_failures_wait_longer_each_time_then_die(storage: Storage) -> None:
    message_id = await promise(storage)
    handler = Recorder(raising(TransientError("away")))
    clock = HandClock()
    worker = dispatcher(storage, clock, handler)
    waits = []
    for _ in range(PLAN.max_attempts):
        assert await worker.run_once() == 1
        row = await row_of(storage, message_id)
        waits.append(row.not_before_ms - clock.at_ms)
        clock.at_ms = max(row.not_before_ms, clock.at_ms)
    assert row.state == "dead"
    assert row.last_error == "away"
    for attempt, wait in enumerate(waits[:-1]):
        assert 500 * 2**attempt <= wait <= 1000 * 2**attempt
    assert handler.failures == [("away", False)] * 3 + [("away", True)]
    clock.at_ms += 10**9
    assert await worker.run_once() == 0


async def test_a_permanent_failure_dies_at_once_and_can_be_requeued(storage: Storage) -> None:
    message_id = await promise(storage)
    refuse = True

    def act(message: Message) -> None:
        if refuse:
            raise PermanentError("wrong key")

    handler = Recorder(act)
    worker = dispatcher(storage, HandClock(), handler)
    await worker.run_once()
    assert (await row_of(storage, message_id)).state == "dead"
    assert handler.failures == [("wrong key", True)]
    refuse = False
    async with storage.transaction() as connection:
        assert await outbox.requeue(connection, message_id, T0)
        assert not await outbox.requeue(connection, message_id, T0)
    await worker.run_once()
    row = await row_of(storage, message_id)
    assert (row.state, row.attempts, row.last_error) == ("done", 1, "")


async def test_retry_after_is_respected_but_not_without_limit(storage: Storage) -> None:
    patient = await promise(storage, seconds=90)
    endless = await promise(storage, seconds=10**9)
    handler = Recorder(
        lambda m: raising(TransientError("later", retry_after_ms=m.payload["seconds"] * 1000))(m)
    )
    await dispatcher(storage, HandClock(), handler).run_once()
    assert (await row_of(storage, patient)).not_before_ms == T0 + 90_000
    assert (await row_of(storage, endless)).not_before_ms == T0 + outbox.RETRY_AFTER_LIMIT_MS


async def test_a_bug_in_a_handler_loses_nothing_and_tells_no_content(storage: Storage) -> None:
    message_id = await promise(storage)
    handler = Recorder(raising(KeyError("nip 198609262015051001")))
    await dispatcher(storage, HandClock(), handler).run_once()
    row = await row_of(storage, message_id)
    assert (row.state, row.last_error) == ("waiting", "unexpected: KeyError")


async def test_a_handler_that_hangs_is_put_off(storage: Storage) -> None:
    message_id = await promise(storage)
    handler = Recorder(lambda m: asyncio.sleep(30))
    plan = RetryPlan(base_ms=1000, handler_time_limit_s=0.05)
    await Dispatcher(storage, HandClock(), {"t": handler}, plan=plan).run_once()
    assert (await row_of(storage, message_id)).last_error == "handler_time_limit"


async def test_the_handler_runs_outside_of_the_claiming_transaction(storage: Storage) -> None:
    message_id = await promise(storage)
    seen_while_handling: list[Any] = []

    async def write_meanwhile(message: Message) -> None:
        # on SQLite this would wait for ever if the claim still held the only writer
        async with storage.transaction() as connection:
            await outbox.add(connection, AGENCY, "other", {}, T0)
        seen_while_handling.append(await row_of(storage, message_id))

    await dispatcher(storage, HandClock(), Recorder(write_meanwhile)).run_once()
    assert seen_while_handling[0].not_before_ms == T0 + PLAN.lease_ms
    assert (await row_of(storage, message_id)).state == "done"


async def test_a_dead_worker_s_message_falls_due_again(storage: Storage) -> None:
    message_id = await promise(storage)
    clock = HandClock()
    asleep = Recorder(lambda m: asyncio.sleep(30))
    task = asyncio.create_task(dispatcher(storage, clock, asleep).run_once())
    await asleep.arrived.acquire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    second = Recorder()
    worker = dispatcher(storage, clock, second)
    assert await worker.run_once() == 0, "the lease still runs"
    clock.at_ms += PLAN.lease_ms
    assert await worker.run_once() == 1
    assert second.seen[0].attempts == 2
    assert (await row_of(storage, message_id)).state == "done"


async def test_a_message_that_kills_every_worker_is_given_up(storage: Storage) -> None:
    message_id = await promise(storage)
    clock = HandClock()
    handler = Recorder(raising(asyncio.CancelledError()))  # the process dies: no outcome
    for _ in range(PLAN.max_attempts):
        with pytest.raises(asyncio.CancelledError):
            await dispatcher(storage, clock, handler).run_once()
        clock.at_ms += PLAN.lease_ms
    assert await dispatcher(storage, clock, handler).run_once() == 0
    assert (await row_of(storage, message_id)).state == "dead"
    assert handler.failures == [("lease_expired", True)]
    assert len(handler.seen) == PLAN.max_attempts


async def test_an_overslept_failure_does_not_put_off_the_successor(storage: Storage) -> None:
    message_id = await promise(storage)
    clock = HandClock()

    async def oversleep(message: Message) -> None:
        clock.at_ms += PLAN.lease_ms
        assert await dispatcher(storage, clock, Recorder()).run_once() == 1
        raise PermanentError("too late to matter")

    overslept = Recorder(oversleep)
    await dispatcher(storage, clock, overslept).run_once()
    assert (await row_of(storage, message_id)).state == "done"
    assert overslept.failures == []


async def test_several_dispatchers_share_without_doubling(storage: Storage) -> None:
    ids = {await promise(storage, n=n) for n in range(40)}
    handler = Recorder(lambda m: asyncio.sleep(0.001))
    workers = [dispatcher(storage, HandClock(), handler, batch=3) for _ in range(4)]

    async def drain(worker: Dispatcher) -> None:
        while await worker.run_once():
            pass

    await asyncio.gather(*map(drain, workers))
    assert sorted(m.id for m in handler.seen) == sorted(ids)


async def test_one_batch_runs_side_by_side(storage: Storage) -> None:
    for n in range(4):
        await promise(storage, n=n)
    together = asyncio.Barrier(4)
    handler = Recorder(lambda m: together.wait())
    assert await dispatcher(storage, HandClock(), handler, batch=4).run_once() == 4
    assert handler.failures == []


async def test_run_forever_works_waits_and_stops(storage: Storage) -> None:
    handler, stop = Recorder(), asyncio.Event()
    task = asyncio.create_task(dispatcher(storage, HandClock(), handler).run_forever(stop, idle_s=0.01))
    first = await promise(storage)
    await handler.arrived.acquire()
    second = await promise(storage)
    await handler.arrived.acquire()
    stop.set()
    await asyncio.wait_for(task, 5)
    assert [m.id for m in handler.seen] == [first, second]


async def test_run_forever_outlives_a_database_that_goes_away(storage: Storage) -> None:
    message_id = await promise(storage)
    handler, stop = Recorder(), asyncio.Event()
    refusals = 3

    @event.listens_for(storage.engine.sync_engine, "before_cursor_execute")
    def cut(*_: Any) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise ConnectionResetError("the database went away")

    task = asyncio.create_task(dispatcher(storage, HandClock(), handler).run_forever(stop, idle_s=0.01))
    await handler.arrived.acquire()
    stop.set()
    await asyncio.wait_for(task, 5)
    assert refusals == 0
    assert (await row_of(storage, message_id)).state == "done"


@settings(deadline=None)
@given(st.text(max_size=40), st.integers(1, 200))
def test_the_wait_is_bounded_and_the_same_again(message_id: str, attempts: int) -> None:
    plan = RetryPlan()
    wait = plan.delay_ms(message_id, attempts)
    whole = min(plan.limit_ms, plan.base_ms * 2 ** (attempts - 1))
    assert whole // 2 <= wait <= whole
    assert wait == plan.delay_ms(message_id, attempts)


def test_the_wait_differs_between_messages() -> None:
    plan = RetryPlan()
    assert len({plan.delay_ms(f"m-{n}", 6) for n in range(100)}) > 90
