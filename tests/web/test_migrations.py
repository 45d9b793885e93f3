"""The schema's migrations on both databases: up, down, up again, and equal to the tables in the code."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, inspect, select, text

from cat_engine.foundation.storage import Storage, metadata
from cat_engine.foundation.tables import agencies
from web.database import (
    current_revision,
    downgrade,
    load_tables,
    newest_revision,
    schema_differences,
    upgrade,
)


async def tables_in(storage: Storage) -> set[str]:
    async with storage.reading() as connection:
        return await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))


async def test_up_and_down_leave_nothing_and_up_again_fits_the_code(database_url: str) -> None:
    storage = Storage(database_url)
    try:
        assert await current_revision(storage) is None
        await upgrade(storage)
        load_tables()
        assert await current_revision(storage) == newest_revision()
        assert await tables_in(storage) == {*metadata.tables, "alembic_version"}
        assert await schema_differences(storage) == []
        await downgrade(storage, "base")
        assert await tables_in(storage) == {"alembic_version"}
        await upgrade(storage)
        assert await schema_differences(storage) == []
    finally:
        await storage.close()


async def test_a_column_that_the_code_does_not_know_is_a_difference(database_url: str) -> None:
    storage = Storage(database_url)
    try:
        await upgrade(storage)
        async with storage.transaction() as connection:
            await connection.execute(text("ALTER TABLE agencies ADD COLUMN forgotten TEXT"))
        assert "forgotten" in repr(await schema_differences(storage))
    finally:
        await storage.close()


async def test_upgrading_what_is_up_to_date_keeps_every_row(database_url: str) -> None:
    storage = Storage(database_url)
    row = {"id": "a", "code": "a", "name": "A", "zone": "WIB", "is_demonstration": False}
    try:
        await upgrade(storage)
        async with storage.transaction() as connection:
            await connection.execute(insert(agencies).values(**row))
        await upgrade(storage)
        async with storage.reading() as connection:
            assert dict((await connection.execute(select(agencies))).mappings().one()) == row
    finally:
        await storage.close()


async def test_a_migration_that_fails_half_way_changes_nothing(database_url: str) -> None:
    """A table in the way: the tables made before it are taken back with it."""
    storage = Storage(database_url)
    try:
        async with storage.transaction() as connection:
            await connection.execute(text("CREATE TABLE login_sessions (id INTEGER)"))
        with pytest.raises(Exception, match="login_sessions"):
            await upgrade(storage)
        assert await tables_in(storage) == {"login_sessions"}
    finally:
        await storage.close()
