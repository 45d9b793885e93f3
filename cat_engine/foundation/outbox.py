"""Work promised inside a transaction, done after it.

A message is written in the same transaction as the act that calls for it, so either both exist or neither
does. A dispatcher takes due messages, works on them outside of any transaction and writes down how it went.
Taking one is a lease: its next due time is pushed ahead, and a dispatcher that dies in the middle merely lets
the message fall due again. A message is therefore handled *at least* once, and every handler carries a key by
which the other side recognises a repetition.

States: waiting -> done, or waiting -> dead (given up; a person looks at it and may requeue it).
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import rfc8785
from sqlalchemy import Update, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation.clock import Clock
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.storage import Storage, is_away
from cat_engine.foundation.tables import outbox_messages

log = logging.getLogger(__name__)

RETRY_AFTER_LIMIT_MS = 24 * 3600 * 1000
REASON_LENGTH = 500


class TransientError(Exception):
    """Not this time: try again later, not before `retry_after_ms` where the other side said so."""

    def __init__(self, reason: str, *, retry_after_ms: int = 0) -> None:
        super().__init__(reason)
        self.retry_after_ms = retry_after_ms


class PermanentError(Exception):
    """It will not work however often it is tried: a wrong setting, a refusal by the other side."""


class Message(msgspec.Struct, frozen=True):
    """One promise as a handler sees it; `attempts` counts the present try."""

    id: str
    agency_id: str
    topic: str
    payload: Mapping[str, Any]
    created_at_ms: int
    attempts: int


class Handler(Protocol):
    """Keeps the promises of one topic. It may be called again with a message it has already dealt with."""

    async def handle(self, message: Message) -> None:
        """Do the work; raise TransientError or PermanentError where it did not succeed."""
        ...

    async def failed(
        self, connection: AsyncConnection, message: Message, reason: str, *, is_dead: bool, at_ms: int
    ) -> None:
        """Note a failed try in the transaction that puts the message off or gives it up."""
        ...


@dataclass(frozen=True)
class RetryPlan:
    """How long to wait after the n-th failed try, in milliseconds, and when to give up.

    min(limit, base * 2^(n-1)), of which the upper half is jitter. Twenty tries with these values span about a
    day and a half: the other side may be down from Friday evening into Sunday.
    """

    base_ms: int = 5_000
    limit_ms: int = 6 * 3600 * 1000
    max_attempts: int = 20
    lease_ms: int = 120_000
    handler_time_limit_s: float = 60.0

    def delay_ms(self, message_id: str, attempts: int) -> int:
        """The wait after the given try. Jitter comes from a hash: the same message always waits the same."""
        whole_ms = min(self.limit_ms, self.base_ms << min(attempts - 1, 40))
        digest = hashlib.sha256(f"{message_id}/{attempts}".encode()).digest()
        share = int.from_bytes(digest[:4]) / 2**32
        return whole_ms // 2 + int(share * (whole_ms - whole_ms // 2))


async def add(
    connection: AsyncConnection,
    agency_id: str,
    topic: str,
    payload: Mapping[str, Any],
    at_ms: int,
    *,
    message_id: str | None = None,
) -> str:
    """Promise a piece of work in the caller's transaction; returns the message's identity."""
    identity = message_id or new_id(at_ms)
    await connection.execute(
        insert(outbox_messages).values(
            id=identity,
            agency_id=agency_id,
            topic=topic,
            payload=rfc8785.dumps(dict(payload)).decode(),
            created_at_ms=at_ms,
            not_before_ms=at_ms,
            attempts=0,
            state="waiting",
            last_error="",
        )
    )
    return identity


async def requeue(connection: AsyncConnection, message_id: str, at_ms: int) -> bool:
    """Give a dead message all its tries again; False when it is not dead."""
    result = await connection.execute(
        update(outbox_messages)
        .where(outbox_messages.c.id == message_id, outbox_messages.c.state == "dead")
        .values(state="waiting", attempts=0, not_before_ms=at_ms)
    )
    return result.rowcount == 1


class Dispatcher:
    """Takes due messages of the topics it has handlers for; several may run at once, in one or many
    processes.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        handlers: Mapping[str, Handler],
        *,
        plan: RetryPlan | None = None,
        batch: int = 8,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._handlers = handlers
        self._plan = plan or RetryPlan()
        self._batch = batch

    async def run_once(self) -> int:
        """Handle one batch of due messages side by side; how many were taken."""
        messages = await self._claim()
        outcomes = await asyncio.gather(*map(self._work_on, messages), return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:  # settling failed; every other message of the batch has been settled
                raise outcome
        return len(messages)

    async def run_forever(self, stop: asyncio.Event, *, idle_s: float = 1.0) -> None:
        """Until told to stop; then the batch in hand is finished first. A database that is away is waited
        for.
        """
        while not stop.is_set():
            try:
                taken = await self.run_once()
            except Exception as error:
                if is_away(error):
                    log.warning("outbox: waits for the database: %s", type(error).__qualname__)
                else:
                    log.exception("outbox: the batch could not be taken or settled")
                taken = 0
            if taken == 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), idle_s)

    async def _claim(self) -> list[Message]:
        """Lease due messages. PostgreSQL skips rows another dispatcher is taking; SQLite has one writer."""
        if not self._handlers:
            return []
        now_ms = self._clock.now_ms()
        columns = outbox_messages.c
        due = (
            select(outbox_messages)
            .where(
                columns.state == "waiting",
                columns.not_before_ms <= now_ms,
                columns.topic.in_(sorted(self._handlers)),
            )
            .order_by(columns.not_before_ms, columns.id)
            .limit(self._batch)
            .with_for_update(skip_locked=True)
        )
        messages = []
        async with self._storage.transaction() as connection:
            for row in (await connection.execute(due)).all():
                message = Message(
                    id=row.id,
                    agency_id=row.agency_id,
                    topic=row.topic,
                    payload=msgspec.json.decode(row.payload),
                    created_at_ms=row.created_at_ms,
                    attempts=row.attempts,
                )
                if row.attempts >= self._plan.max_attempts:
                    # the last lease ran out without an outcome: the work may kill whoever does it
                    await self._bury(connection, message, "lease_expired", now_ms)
                else:
                    messages.append(msgspec.structs.replace(message, attempts=row.attempts + 1))
            if messages:
                await connection.execute(
                    update(outbox_messages)
                    .where(columns.id.in_([message.id for message in messages]))
                    .values(attempts=columns.attempts + 1, not_before_ms=now_ms + self._plan.lease_ms)
                )
        return messages

    async def _work_on(self, message: Message) -> None:
        try:
            async with asyncio.timeout(self._plan.handler_time_limit_s):
                await self._handlers[message.topic].handle(message)
        except PermanentError as error:
            await self._settle_failure(message, str(error), retry_after_ms=None)
        except TransientError as error:
            await self._settle_failure(message, str(error), retry_after_ms=error.retry_after_ms)
        except TimeoutError:
            await self._settle_failure(message, "handler_time_limit", retry_after_ms=0)
        except Exception as error:
            # a bug or a database that went away: neither may lose the message, so it counts as one failed try
            log.exception("outbox: topic %s, message %s", message.topic, message.id)
            await self._settle_failure(message, f"unexpected: {type(error).__name__}", retry_after_ms=0)
        else:
            await self._settle_success(message)

    async def _settle_success(self, message: Message) -> None:
        async with self._storage.transaction() as connection:
            await connection.execute(
                update(outbox_messages)
                .where(outbox_messages.c.id == message.id)
                .values(state="done", last_error="")
            )

    async def _settle_failure(self, message: Message, reason: str, *, retry_after_ms: int | None) -> None:
        """Put off, or give up when it is permanent (`retry_after_ms` None) or the tries are used up."""
        now_ms = self._clock.now_ms()
        async with self._storage.transaction() as connection:
            if retry_after_ms is None or message.attempts >= self._plan.max_attempts:
                await self._bury(connection, message, reason, now_ms)
                return
            wait_ms = max(
                self._plan.delay_ms(message.id, message.attempts), min(retry_after_ms, RETRY_AFTER_LIMIT_MS)
            )
            result = await connection.execute(
                _still_ours(message).values(not_before_ms=now_ms + wait_ms, last_error=reason[:REASON_LENGTH])
            )
            if result.rowcount == 1:
                await self._note(connection, message, reason, is_dead=False, at_ms=now_ms)

    async def _bury(self, connection: AsyncConnection, message: Message, reason: str, now_ms: int) -> None:
        result = await connection.execute(
            _still_ours(message).values(state="dead", not_before_ms=now_ms, last_error=reason[:REASON_LENGTH])
        )
        if result.rowcount == 1:
            await self._note(connection, message, reason, is_dead=True, at_ms=now_ms)

    async def _note(
        self, connection: AsyncConnection, message: Message, reason: str, *, is_dead: bool, at_ms: int
    ) -> None:
        handler = self._handlers[message.topic]
        await handler.failed(connection, message, reason[:REASON_LENGTH], is_dead=is_dead, at_ms=at_ms)


def _still_ours(message: Message) -> Update:
    """Only while no later lease has begun: a worker that overslept must not put off its successor's try."""
    return update(outbox_messages).where(
        outbox_messages.c.id == message.id,
        outbox_messages.c.state == "waiting",
        outbox_messages.c.attempts == message.attempts,
    )
