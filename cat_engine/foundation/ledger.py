"""The append-only log of what was done and by whom.

Each entry is hashed over the one before it, so an edit, a deletion or an insertion in the middle shows when
the chain is checked. The entry is written in the same transaction as the act it tells of. (A chain alone does
not stop somebody who rewrites all of it; the head of the chain is therefore printed on the minutes and kept
by others.)
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785
from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation.actors import Actor
from cat_engine.foundation.tables import ledger_entries

GENESIS = "0" * 64
PAGE = 1000
LOWEST = -(2**63)  # the first page begins before the first entry: nothing stands there unseen
HASHED_COLUMNS = ("sequence", "at_ms", "agency_id", "actor", "action", "subject", "detail")
LEDGER_LOCK = 0x6C656467  # PostgreSQL advisory lock: one writer of the chain at a time


def entry_hash(previous_hash: str, entry: Mapping[str, Any]) -> str:
    """SHA-256 over the previous hash and the canonical JSON (RFC 8785) of the entry."""
    return hashlib.sha256(previous_hash.encode() + rfc8785.dumps(dict(entry))).hexdigest()


async def append(
    connection: AsyncConnection,
    actor: Actor,
    *,
    action: str,
    subject: str,
    at_ms: int,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry inside the caller's transaction."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LEDGER_LOCK})
    newest = (
        await connection.execute(
            select(ledger_entries.c.sequence, ledger_entries.c.hash)
            .order_by(ledger_entries.c.sequence.desc())
            .limit(1)
        )
    ).first()
    sequence, previous_hash = (newest.sequence + 1, newest.hash) if newest else (1, GENESIS)
    entry = {
        "sequence": sequence,
        "at_ms": at_ms,
        "agency_id": actor.agency_id,
        "actor": actor.label,
        "action": action,
        "subject": subject,
        "detail": rfc8785.dumps(dict(detail or {})).decode(),
    }
    await connection.execute(
        insert(ledger_entries).values(
            **entry, previous_hash=previous_hash, hash=entry_hash(previous_hash, entry)
        )
    )


async def first_break(connection: AsyncConnection) -> int | None:
    """The sequence number of the first entry that does not fit the chain, or None when all do.

    Read in pages, so that a long ledger needs little memory and no transaction around the reading.
    """
    previous_hash, expected = GENESIS, 1
    while True:
        rows = (
            await connection.execute(
                select(ledger_entries)
                .where(ledger_entries.c.sequence >= (expected if expected > 1 else LOWEST))
                .order_by(ledger_entries.c.sequence)
                .limit(PAGE)
            )
        ).mappings()
        page = rows.all()
        for row in page:
            entry = {name: row[name] for name in HASHED_COLUMNS}
            fits = row["sequence"] == expected and row["previous_hash"] == previous_hash
            if not fits or row["hash"] != entry_hash(previous_hash, entry):
                return expected
            previous_hash, expected = row["hash"], expected + 1
        if len(page) < PAGE:
            return None


async def head(connection: AsyncConnection) -> tuple[int, str]:
    """How many entries there are, and the hash of the last: what is printed on minutes."""
    size = (await connection.execute(select(func.count()).select_from(ledger_entries))).scalar_one()
    newest = (
        await connection.execute(
            select(ledger_entries.c.hash).order_by(ledger_entries.c.sequence.desc()).limit(1)
        )
    ).scalar_one_or_none()
    return size, newest or GENESIS
