"""Fixtures every test may ask for: real servers, real databases, a real browser.

Servers are started once for each pytest process (each xdist worker has its own) and only when a test asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from tests.services.chromium import ensure_chromium
from tests.services.postgresql import PostgreSQL
from tests.services.redis import Redis

_database_numbers = count(1)

# CI tries the same cases every time: a red run must mean a changed program, not an unlucky draw. New cases
# are sought with `pytest --hypothesis-profile=explore`.
settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """The PostgreSQL that tests share; a test that kills a server takes `own_postgresql_server`."""
    with PostgreSQL() as server:
        yield server


@pytest.fixture
def own_postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL for one test alone, to kill and to restart."""
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """The Redis that tests share; a test that kills a server takes `own_redis_server`."""
    with Redis() as server:
        yield server


@pytest.fixture
def own_redis_server() -> Iterator[Redis]:
    """A Redis for one test alone, to kill and to restart."""
    with Redis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """The shared Redis, emptied."""
    redis_server.empty()
    return redis_server.url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite database that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'database.sqlite3'}"


@pytest.fixture
def postgresql_url(postgresql_server: PostgreSQL) -> Iterator[str]:
    """A fresh, empty database of the shared PostgreSQL."""
    database = f"test_{next(_database_numbers)}"
    yield postgresql_server.create_database(database)
    postgresql_server.drop_database(database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, empty database: the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The browser's program, for Playwright's `executable_path`."""
    return ensure_chromium()
