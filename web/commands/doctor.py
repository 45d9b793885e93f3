"""`cat-engine doctor`: whether a deployment can be trusted with an exam; each check says how to mend it."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from cat_engine.foundation import ledger
from cat_engine.foundation.clock import SystemClock
from cat_engine.foundation.storage import Storage
from web.database import current_revision, load_tables, newest_revision
from web.settings import Settings

CLOCK_LIMIT_MS = 2000
DISK_LIMIT_BYTES = 1_000_000_000

_DURABLE: Mapping[str, str] = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


@dataclass(frozen=True)
class Check:
    """One look at the deployment."""

    name: str
    passed: bool
    found: str
    mend: str = ""


async def examine(settings: Settings) -> list[Check]:
    """All checks, in the order an operator would mend them."""
    load_tables()
    storage = Storage(settings.database_url)
    try:
        checks = [*await _database(storage), *await _migrations(storage)]
        if all(check.passed for check in checks):
            checks += [await _clock(storage), await _ledger(storage)]
        checks += [await _redis(settings), _disk(settings), _key(settings), _address(settings)]
    finally:
        await storage.close()
    return checks


async def _database(storage: Storage) -> list[Check]:
    try:
        async with storage.reading() as connection:
            if storage.is_sqlite:
                found = {
                    name: str(await connection.scalar(text(f"PRAGMA {name}")))
                    for name in ("journal_mode", "synchronous")
                }
                expected: Mapping[str, str] = {"journal_mode": "wal", "synchronous": "2"}
            else:
                found = {
                    name: str(await connection.scalar(text("SELECT current_setting(:name)"), {"name": name}))
                    for name in _DURABLE
                }
                expected = _DURABLE
    except (SQLAlchemyError, OSError) as error:
        return [
            Check("database", False, type(error).__name__, "check CAT_ENGINE_DATABASE_URL and the server")
        ]
    return [
        Check(f"database {name}", found[name] == value, found[name], f"set {name} to {value}")
        for name, value in expected.items()
    ]


async def _migrations(storage: Storage) -> list[Check]:
    newest = newest_revision()
    try:
        revision = await current_revision(storage)
    except (SQLAlchemyError, OSError):
        return []
    return [Check("migrations", revision == newest, revision or "none", "run `cat-engine migrate`")]


async def _clock(storage: Storage) -> Check:
    """The database's clock against ours: two hosts that disagree blame each other in a dispute."""
    if storage.is_sqlite:
        return Check("clock", True, "same machine as the database")
    before = SystemClock().now_ms()
    async with storage.reading() as connection:
        theirs = float(await connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0)
    offset_ms = abs(round(theirs * 1000) - before)
    return Check("clock", offset_ms <= CLOCK_LIMIT_MS, f"{offset_ms} ms apart", "synchronise both by NTP")


async def _ledger(storage: Storage) -> Check:
    async with storage.reading() as connection:
        broken = await ledger.first_break(connection)
        size, head = await ledger.head(connection)
    found = f"{size} entries, head {head[:16]}" if broken is None else f"breaks at entry {broken}"
    return Check("ledger chain", broken is None, found, "compare with printed heads; call the auditor")


async def _redis(settings: Settings) -> Check:
    if settings.redis_url is None:
        return Check("redis", True, "not configured; everything works without it")
    client = Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        mend = "start Redis or unset CAT_ENGINE_REDIS_URL"
        return Check("redis", False, type(error).__name__, mend)
    finally:
        await client.aclose()
    return Check("redis", True, "answers")


def _disk(settings: Settings) -> Check:
    folder = settings.data_directory if settings.data_directory.exists() else Path()
    free = shutil.disk_usage(folder).free
    return Check("disk", free >= DISK_LIMIT_BYTES, f"{free // 1_000_000} MB free", "free at least 1 GB")


def _key(settings: Settings) -> Check:
    distinct = len(set(settings.secret_key))
    return Check("secret key", distinct >= 16, f"{len(settings.secret_key)} bytes", "use 48 random bytes")


def _address(settings: Settings) -> Check:
    return Check(
        "public address",
        True,
        settings.public_url + ("" if settings.secure_cookies else " (demonstration only)"),
    )


def probe(url: str) -> list[Check]:
    """Ask a running server's health page: what container health checks call."""
    try:
        response = httpx.get(url, timeout=3.0)
    except httpx.HTTPError as error:
        return [Check("health", False, type(error).__name__, "is the server running?")]
    return [Check("health", response.status_code == 200, response.text[:200], "see the server's log")]
