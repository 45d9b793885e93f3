"""Installed test packages: kept whole in memory, shared by all sittings of a process."""

import asyncio

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import (
    PackageFile,
    TestPackage,
    content_hash,
    decode_file,
    encode_file,
)
from cat_engine.delivery.tables import package_presentations, test_packages
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from cat_engine.interactions import registry as interactions


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """What a candidate sees of an item in one language. It has no field for a key."""

    stimulus: str = ""
    stem: str
    options: tuple[str, ...]


class InstalledPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package ready to run, and the words of its items: (item, language) to view."""

    package_id: str
    agency_id: str
    compiled: CompiledPackage
    views: dict[tuple[str, str], ItemView]

    def view(self, item_id: str, language: str) -> ItemView:
        """The item in that language, or in the package's first one where it was not translated."""
        found = self.views.get((item_id, language))
        return found or self.views[item_id, self.compiled.package.languages[0]]


class PackageStore:
    """Loads each installed package once."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._installed: dict[str, InstalledPackage] = {}
        self._loading = asyncio.Lock()

    async def get(self, package_id: str) -> InstalledPackage:
        """The package, from memory or from the database.

        Never called by somebody who holds a connection: a room that starts after a restart would take all of
        the pool's connections and then wait for one more each. A room asks for the same package: one reads
        it.
        """
        found = self._installed.get(package_id)
        if found is not None:
            return found
        async with self._loading:
            if package_id not in self._installed:
                async with self._storage.reading() as connection:
                    self._installed[package_id] = await load(connection, package_id)
            return self._installed[package_id]

    async def get_in(self, connection: AsyncConnection, package_id: str) -> InstalledPackage:
        """The same for a caller who holds a connection: that one is used."""
        if package_id not in self._installed:
            self._installed[package_id] = await load(connection, package_id)
        return self._installed[package_id]


async def load(connection: AsyncConnection, package_id: str) -> InstalledPackage:
    """Read, check the hash, compile."""
    row = (await connection.execute(select(test_packages).where(test_packages.c.id == package_id))).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    package_file = decode_file(row.document)
    actual = content_hash(package_file.package, package_file.tables)
    if not row.content_hash == package_file.content_hash == actual:
        raise Refused(Refusal.PACKAGE_TAMPERED, package=row.code)
    words = await connection.execute(
        select(package_presentations).where(package_presentations.c.package_id == package_id)
    )
    return InstalledPackage(
        package_id=package_id,
        agency_id=row.agency_id,
        compiled=compile_package(package_file),
        views={
            (word.item_id, word.language): msgspec.json.decode(word.body, type=ItemView) for word in words
        },
    )


async def install(
    connection: AsyncConnection,
    agency_id: str,
    package: TestPackage,
    views: dict[tuple[str, str], ItemView],
    *,
    at_ms: int,
) -> tuple[str, PackageFile]:
    """Freeze a package and store it with the words of its items; its identity and its file."""
    missing = {item.item_id for item in package.items} - {
        item_id for item_id, language in views if language == package.languages[0]
    }
    if missing:
        raise Refused(Refusal.PACKAGE_INVALID, reason=f"{len(missing)} items without words")
    package_file = freeze(package)
    compile_package(package_file)  # refuses unknown rules now, not on the day
    unknown = {item.interaction for item in package.items} - interactions.names().keys()
    if unknown:
        raise Refused(Refusal.PACKAGE_INVALID, reason=f"unknown interaction {min(unknown)}")
    package_id = new_id(at_ms)
    await connection.execute(
        insert(test_packages).values(
            id=package_id,
            agency_id=agency_id,
            code=package.code,
            version=package.version,
            title=msgspec.json.encode(package.title).decode(),
            content_hash=package_file.content_hash,
            document=encode_file(package_file).decode(),
            published_at_ms=at_ms,
        )
    )
    await connection.execute(
        insert(package_presentations),
        [
            {
                "package_id": package_id,
                "item_id": item_id,
                "language": language,
                "body": msgspec.json.encode(view).decode(),
            }
            for (item_id, language), view in views.items()
        ],
    )
    return package_id, package_file
