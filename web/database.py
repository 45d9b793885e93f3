"""The schema of the whole product: its tables, and the migrations that make and unmake them."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from cat_engine.foundation.storage import Storage, metadata

MIGRATIONS_FOLDER: Final = Path(__file__).parent / "migrations"
MIGRATION_LOCK: Final = (
    0x6D696772  # PostgreSQL advisory lock: two servers that start together migrate one by one
)

TABLE_MODULES: Final = (
    "cat_engine.foundation.tables",
    "cat_engine.delivery.tables",
    "cat_engine.panel.tables",
    "cat_engine.results.tables",
    "cat_engine.talent.tables",
    "item_bank.tables",
    "web.accounts.tables",
)


def load_tables() -> None:
    """Make every folder's tables known to the one metadata."""
    for name in TABLE_MODULES:
        import_module(name)


async def upgrade(storage: Storage, revision: str = "head") -> None:
    """Bring the database to a revision, the newest unless said otherwise: all or nothing."""
    await _run(storage, lambda config: command.upgrade(config, revision))


async def downgrade(storage: Storage, revision: str) -> None:
    """Take the database back to a revision; `base` is the empty database."""
    await _run(storage, lambda config: command.downgrade(config, revision))


async def current_revision(storage: Storage) -> str | None:
    """The revision the database is at, None when it was never migrated."""
    async with storage.reading() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def newest_revision() -> str:
    """The revision this release of the program expects."""
    head = ScriptDirectory(str(MIGRATIONS_FOLDER)).get_current_head()
    if head is None:
        raise LookupError("there is no migration")
    return head


async def schema_differences(storage: Storage) -> list[Any]:
    """What the database lacks or has more than the tables in the code; empty when they agree."""
    load_tables()

    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    async with storage.reading() as connection:
        return await connection.run_sync(compare)


async def _run(storage: Storage, act: Callable[[Config], None]) -> None:
    load_tables()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_FOLDER).replace("%", "%%"))

    def migrate(connection: Connection) -> None:
        config.attributes["connection"] = connection
        act(config)

    async with storage.transaction() as connection:
        if not storage.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        await connection.run_sync(migrate)
