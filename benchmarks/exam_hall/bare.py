"""The same rows without the product: what the database alone can make durable.

A twin of `sitting_log` takes the very rows that the answers wrote, once with a commit for each row and once
in groups as large as the candidates are many.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types

Rows = list[tuple[Any, ...]]

COLUMNS = (
    "sitting_id VARCHAR(36) NOT NULL REFERENCES sittings (id), revision INTEGER NOT NULL,"
    " at_ms BIGINT NOT NULL, actor VARCHAR(80) NOT NULL, events TEXT NOT NULL, status VARCHAR(16) NOT NULL,"
    " answered INTEGER NOT NULL, chain VARCHAR(64) NOT NULL, PRIMARY KEY (sitting_id, revision)"
)
EMPTY = "DELETE FROM bare_log"


def _groups(rows: Rows, size: int) -> Iterator[Rows]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def sqlite_rows_per_s(file: Path, rows: Rows, group: int) -> float:
    """One connection, as the product has one writer; `group` rows to a commit, synchronous=FULL."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"CREATE TABLE IF NOT EXISTS bare_log ({COLUMNS})")
    connection.execute(EMPTY)
    begun = time.perf_counter()
    for batch in _groups(rows, group):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO bare_log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", batch)
        connection.execute("COMMIT")
    took_s = time.perf_counter() - begun
    connection.close()
    return len(rows) / took_s


async def postgresql_rows_per_s(url: str, rows: Rows, *, connections: int, group: int) -> float:
    """`connections` writers at once, `group` rows to a commit."""
    address = url.replace("postgresql+asyncpg", "postgresql")
    open_ = [await asyncpg.connect(address) for _ in range(connections)]
    try:
        await open_[0].execute(f"CREATE TABLE IF NOT EXISTS bare_log ({COLUMNS})")
        await open_[0].execute(EMPTY)
        waiting = iter(list(_groups(rows, group)))

        async def write(connection: Any) -> None:
            statement = await connection.prepare(
                "INSERT INTO bare_log VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
            )
            for batch in waiting:
                # asyncpg makes one implicit transaction of an executemany
                await (statement.fetch(*batch[0]) if group == 1 else statement.executemany(batch))

        begun = time.perf_counter()
        await asyncio.gather(*(write(connection) for connection in open_))
        return len(rows) / (time.perf_counter() - begun)
    finally:
        for connection in open_:
            await connection.close()
