"""A sitting as a file: what leaves the database to be checked by people who do not trust it.

The export holds the log with its chain and names the package by hash; together with the package file it is
all that a replay needs. Neither holds a person's name or NIP.
"""

from typing import Final, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core.events import Entry
from cat_engine.delivery.sittings import read_log
from cat_engine.delivery.tables import sittings, test_packages
from cat_engine.foundation.refusals import Refusal, Refused

FORMAT: Final = "cat-engine/sitting/1"


class SittingFile(msgspec.Struct, frozen=True, kw_only=True):
    """An exported sitting: its log, and the chain value after each entry."""

    format: Literal["cat-engine/sitting/1"] = FORMAT
    sitting_id: str
    package_hash: str
    entries: tuple[Entry, ...]
    chain: tuple[str, ...]


def decode_sitting(data: bytes) -> SittingFile:
    """Read an exported sitting; ValidationError says what does not fit."""
    return msgspec.json.decode(data, type=SittingFile)


async def export_sitting(connection: AsyncConnection, sitting_id: str) -> bytes:
    """The sitting's file."""
    row = (
        await connection.execute(
            select(test_packages.c.content_hash)
            .join(sittings, sittings.c.package_id == test_packages.c.id)
            .where(sittings.c.id == sitting_id)
        )
    ).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    entries, heads = await read_log(connection, sitting_id)
    exported = SittingFile(
        sitting_id=sitting_id,
        package_hash=row.content_hash,
        entries=tuple(entries),
        chain=tuple(heads),
    )
    return msgspec.json.format(msgspec.json.encode(exported, order="sorted"), indent=1)


async def export_package(connection: AsyncConnection, package_id: str) -> bytes:
    """The package file as it was frozen. It holds keys and parameters: for panels and courts, under seal."""
    document = (
        await connection.execute(select(test_packages.c.document).where(test_packages.c.id == package_id))
    ).scalar_one_or_none()
    if document is None:
        raise Refused(Refusal.NOT_FOUND)
    return str(document).encode()
