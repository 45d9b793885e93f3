"""Login sessions: begun at sign-in, seen while in use, ended at sign-out; all on the server.

Limits: staff 30 minutes idle and 12 hours in all; candidates 12 hours in all, with no idle limit, since
reading a long text must not sign anybody out of an exam.
"""

import secrets
from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from web.accounts.principals import CANDIDATE_ABSOLUTE_MS, STAFF_ABSOLUTE_MS, Principal, hash_token
from web.accounts.tables import login_sessions

TOKEN_BYTES = 32
SEEN_EVERY_MS = 60_000  # how old the note of the last request may be before it is written again


async def begin_staff_session(
    connection: AsyncConnection, account_id: str, now_ms: int, replaced_token_hash: str | None
) -> str:
    """A new token for an account; whatever the browser was signed in as before is signed out."""
    await _clear(connection, now_ms, replaced_token_hash)
    return await _begin(connection, now_ms, STAFF_ABSOLUTE_MS, account_id=account_id)


async def begin_candidate_session(
    connection: AsyncConnection, roster_entry_id: str, now_ms: int, replaced_token_hash: str | None
) -> str:
    """A new token for a roster entry.

    Earlier login sessions of the same entry stay as rows until they expire, so that the machine that was left
    can be told that the sitting moved; being older than the newest, they open nothing any more.
    """
    await _clear(connection, now_ms, replaced_token_hash, roster_entry_id)
    newest = (
        await connection.execute(
            select(func.max(login_sessions.c.created_at_ms)).where(
                login_sessions.c.roster_entry_id == roster_entry_id
            )
        )
    ).scalar_one_or_none()
    # two sign-ins in one millisecond still have an order
    created_at_ms = now_ms if newest is None else max(now_ms, newest + 1)
    return await _begin(
        connection,
        now_ms,
        CANDIDATE_ABSOLUTE_MS,
        roster_entry_id=roster_entry_id,
        created_at_ms=created_at_ms,
    )


async def note_seen(connection: AsyncConnection, principal: Principal, now_ms: int) -> None:
    """Push the idle limit of an account's login session."""
    await connection.execute(
        update(login_sessions)
        .where(login_sessions.c.token_hash == principal.token_hash)
        .values(last_seen_at_ms=now_ms)
    )


def is_seen_stale(principal: Principal, now_ms: int) -> bool:
    """Whether the note of the last request is due to be written again."""
    return not principal.is_candidate and now_ms - principal.last_seen_at_ms >= SEEN_EVERY_MS


async def end_session(connection: AsyncConnection, principal: Principal) -> None:
    """Sign out; for a candidate everywhere, since an older login session must not come back to life."""
    statement = delete(login_sessions)
    if principal.roster_entry_id is not None:
        statement = statement.where(login_sessions.c.roster_entry_id == principal.roster_entry_id)
    else:
        statement = statement.where(login_sessions.c.token_hash == principal.token_hash)
    await connection.execute(statement)


async def end_account_sessions(connection: AsyncConnection, account_id: str) -> None:
    """Sign an account out everywhere: it was disabled, or its password was replaced."""
    await connection.execute(delete(login_sessions).where(login_sessions.c.account_id == account_id))


async def end_roster_entry_sessions(connection: AsyncConnection, roster_entry_ids: Sequence[str]) -> None:
    """Sign candidates out everywhere: they have new PINs."""
    await connection.execute(
        delete(login_sessions).where(login_sessions.c.roster_entry_id.in_(roster_entry_ids))
    )


async def _clear(
    connection: AsyncConnection, now_ms: int, replaced_token_hash: str | None, roster_entry_id: str = ""
) -> None:
    await connection.execute(delete(login_sessions).where(login_sessions.c.expires_at_ms <= now_ms))
    if replaced_token_hash is not None:
        replaced = login_sessions.alias("replaced")
        entry = select(replaced.c.roster_entry_id).where(replaced.c.token_hash == replaced_token_hash)
        # and the older ones of another candidate who sat here: they would live again at the machines left
        await connection.execute(
            delete(login_sessions).where(
                (login_sessions.c.token_hash == replaced_token_hash)
                | (
                    (login_sessions.c.roster_entry_id == entry.scalar_subquery())
                    & (login_sessions.c.roster_entry_id != roster_entry_id)
                )
            )
        )


async def _begin(
    connection: AsyncConnection,
    now_ms: int,
    lasts_ms: int,
    *,
    account_id: str | None = None,
    roster_entry_id: str | None = None,
    created_at_ms: int | None = None,
) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await connection.execute(
        insert(login_sessions).values(
            token_hash=hash_token(token),
            account_id=account_id,
            roster_entry_id=roster_entry_id,
            created_at_ms=now_ms if created_at_ms is None else created_at_ms,
            last_seen_at_ms=now_ms,
            expires_at_ms=now_ms + lasts_ms,
        )
    )
    return token
