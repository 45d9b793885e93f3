"""A served exam room for each module of tests, on each database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest
import pytest_asyncio

from tests.web.agency import add_agency
from tests.web.exam.playing import Room, stop_the_beat
from tests.web.serving import served

PLACES = 20  # as many as the room of the agency has seats
_numbers = count(1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def backing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The settings of the smallest installation, and of a larger one: SQLite, and PostgreSQL with Redis."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("room") / "database.sqlite3"
        yield {"database_url": f"sqlite+aiosqlite:///{path}"}
        return
    postgresql = request.getfixturevalue("postgresql_server")
    redis = request.getfixturevalue("redis_server")
    redis.empty()
    name = f"exam_{next(_numbers)}"
    yield {"database_url": postgresql.create_database(name), "redis_url": redis.url}
    postgresql.drop_database(name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(backing: dict[str, str]) -> AsyncIterator[Room]:
    """One server and one room for all tests of a module; each test takes candidates of its own."""
    async with served(**backing) as server:
        await stop_the_beat(server)
        agency = await add_agency(server.storage, "satu", candidates=PLACES)
        yield Room(server, agency, PLACES)
