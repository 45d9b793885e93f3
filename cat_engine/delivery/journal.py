"""The journal: how log entries become durable.

One writer task per process drains a bounded queue into one multi-row INSERT and one commit, so that a room
full of answers costs one flush of the disk instead of forty. The primary key (sitting, revision) is the
fence: of two writers of the same revision exactly one wins, whatever the tabs, retries, servers or stale
caches were.

Batches are sorted by key, because two servers inserting overlapping keys in different orders deadlock; a
batch that fails is retried row by row, so that one bad row does not fail sixty people.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.tables import sitting_log
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage

QUEUE_LIMIT = 5000
BATCH_LIMIT = 500
WAIT_LIMIT_S = 10.0


@dataclass(frozen=True)
class LogRow:
    """One entry as stored."""

    sitting_id: str
    revision: int
    at_ms: int
    actor: str
    events: str
    status: str
    answered: int
    chain: str

    @property
    def key(self) -> tuple[str, int]:
        """The fence."""
        return self.sitting_id, self.revision


Pending = tuple[LogRow, "asyncio.Future[bool]"]


async def insert_rows(connection: AsyncConnection, rows: Sequence[LogRow]) -> set[tuple[str, int]]:
    """Insert rows whose key is free; the keys that were won."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(sitting_log).on_conflict_do_nothing()
    statement = statement.returning(sitting_log.c.sitting_id, sitting_log.c.revision)
    result = await connection.execute(statement, [asdict(row) for row in rows])
    return {(row.sitting_id, row.revision) for row in result}


class Journal:
    """The group-committing writer of one process."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._queue: asyncio.Queue[Pending] = asyncio.Queue(QUEUE_LIMIT)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin draining; call once inside the running loop."""
        self._task = asyncio.create_task(self._drain(), name="journal")

    async def stop(self) -> None:
        """Write what is queued, then end."""
        await self._queue.join()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def append(self, row: LogRow) -> bool:
        """True once the row is durable; False when another writer holds its revision.

        A full queue or a writer that does not come back is refused as overload: never "ok" without the row.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((row, future))
            return await asyncio.wait_for(asyncio.shield(future), WAIT_LIMIT_S)
        except (asyncio.QueueFull, TimeoutError) as error:
            raise Refused(Refusal.OVERLOADED) from error

    async def _drain(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH_LIMIT and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            batch.sort(key=lambda pending: pending[0].key)
            try:
                await self._write(batch)
            except Exception:
                for pending in batch:
                    await self._write_alone(pending)
            for _ in batch:
                self._queue.task_done()

    async def _write(self, batch: list[Pending]) -> None:
        async with self._storage.transaction() as connection:
            won = await insert_rows(connection, [row for row, _ in batch])
        seen: set[tuple[str, int]] = set()
        for row, future in batch:
            # two rows of one batch may carry the same key: only the first of them was inserted
            _settle(future, row.key in won and row.key not in seen)
            seen.add(row.key)

    async def _write_alone(self, pending: Pending) -> None:
        try:
            await self._write([pending])
        except Exception as error:
            if not pending[1].done():
                pending[1].set_exception(error)


def _settle(future: "asyncio.Future[bool]", won: bool) -> None:
    if not future.done():
        future.set_result(won)
