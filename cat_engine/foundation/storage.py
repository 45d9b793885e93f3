"""The database: engines, connections, units of work. PostgreSQL, or SQLite in the embedded default.

Two ways in. `transaction()` is a unit of work: everything in it commits together, when the block ends without
an exception and before the caller goes on. `reading()` never writes.

SQLite is run so that an acknowledged answer survives a power cut: write-ahead log, synchronous=FULL, one
writer connection that begins with BEGIN IMMEDIATE (a deferred transaction that turns to writing fails at once
when another one writes), and a lock file that keeps a second process out.
"""

import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

from sqlalchemy import MetaData, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of the product. Folders add theirs in a module named `tables`; migrations are checked
against it.
"""


class DatabaseInUseError(RuntimeError):
    """Another process serves this SQLite file: two would starve each other's writers."""


class Storage:
    """One database, opened by one process."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._lock: IO[str] | None = None
        if self.is_sqlite:
            self._writer = _sqlite_engine(url, writer=True)
            self._reader = _sqlite_engine(url, writer=False)
        else:
            self._writer = create_async_engine(
                url, pool_size=pool_size, max_overflow=8, pool_pre_ping=True, skip_autocommit_rollback=True
            )
            # one pool for both; a read needs no transaction around it, which saves two round trips
            self._reader = self._writer.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def engine(self) -> AsyncEngine:
        """The engine that writes: for migrations, checks and the statement counter of the tests."""
        return self._writer

    @property
    def engines(self) -> tuple[AsyncEngine, ...]:
        """All engines of this storage, the writer first."""
        return (self._writer, self._reader) if self.is_sqlite else (self._writer,)

    def claim(self) -> None:
        """Keep other serving processes away from a SQLite file until this one closes it or dies."""
        if not self.is_sqlite or self._lock is not None:
            return
        handle = Path(f"{self.url.database}.lock").open("w")  # noqa: SIM115 - held until close()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.close()
            raise DatabaseInUseError(str(self.url.database)) from error
        self._lock = handle

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A unit of work: committed when the block ends, rolled back when it raises."""
        async with self._writer.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that only reads, each statement by itself: what must agree is asked at once."""
        async with self._reader.connect() as connection:
            yield connection

    async def close(self) -> None:
        """Close all connections and let go of the lock file."""
        for engine in self.engines:
            await engine.dispose()
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database is gone, starting, stopping or out of connections.

    Such an error is nobody's bug, and the same thing tried again later may work. PostgreSQL's classes 08
    (connection), 53 (resources) and 57P (operator) say so; drivers use their own words when nobody answers.
    """
    if isinstance(error, OSError | InterfaceError | OperationalError | PoolTimeoutError):
        return True
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        return error.connection_invalidated or state.startswith(("08", "53", "57P"))
    return False


def _sqlite_engine(url: str, *, writer: bool) -> AsyncEngine:
    options = {} if writer else {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1 if writer else 4,
        max_overflow=0,
        pool_timeout=30,
        pool_reset_on_return="rollback" if writer else None,
        **options,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        # the driver's own implicit BEGIN is deferred; ours is explicit, in on_begin
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA busy_timeout = 10000")
        if not writer:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    if writer:

        @event.listens_for(engine.sync_engine, "begin")
        def on_begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
