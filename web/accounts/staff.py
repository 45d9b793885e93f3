"""Accounts of staff: made, given roles, switched off; never deleted, since the ledger names them.

Passwords are generated, shown once and replaced the same way: an administrator can reset one, never choose
it. Nobody changes the own account's roles or switches it off or on.
"""

import secrets
from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation.actors import Actor, Permission, Role
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.ledger import append
from cat_engine.foundation.refusals import Refusal, Refused
from web.accounts.passwords import normalise_username
from web.accounts.sessions import end_account_sessions
from web.accounts.tables import account_roles, accounts

STAFF_ROLES = tuple(sorted(role for role in Role if role is not Role.CANDIDATE))
# no 0 and o, 1 and l: a password is sometimes read out once
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_password() -> str:
    """Four groups of five characters, 99 random bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


async def create_account(
    connection: AsyncConnection,
    actor: Actor,
    *,
    username: str,
    name: str,
    roles: Sequence[Role],
    password_hash: str,
    now_ms: int,
) -> str:
    """A new account in the actor's agency; the identity it got."""
    actor.require(Permission.ACCOUNT_MANAGE)
    account_id = new_id(now_ms)
    try:
        async with connection.begin_nested():
            await connection.execute(
                insert(accounts).values(
                    id=account_id,
                    agency_id=actor.agency_id,
                    username=normalise_username(username),
                    name=name.strip(),
                    password_hash=password_hash,
                    is_disabled=False,
                    failed_attempts=0,
                    locked_until_ms=0,
                )
            )
    except IntegrityError:
        raise Refused(Refusal.CONFLICT, field="username") from None
    await _write_roles(connection, account_id, roles)
    detail = {"roles": sorted(roles)}
    await append(connection, actor, action="account.created", subject=account_id, at_ms=now_ms, detail=detail)
    return account_id


async def set_roles(
    connection: AsyncConnection, actor: Actor, account_id: str, roles: Sequence[Role], now_ms: int
) -> None:
    """Exactly these roles from the next request on."""
    _refuse_self(actor, account_id)
    await connection.execute(delete(account_roles).where(account_roles.c.account_id == account_id))
    await _write_roles(connection, account_id, roles)
    detail = {"roles": sorted(roles)}
    await append(
        connection, actor, action="account.roles_set", subject=account_id, at_ms=now_ms, detail=detail
    )


async def set_disabled(
    connection: AsyncConnection, actor: Actor, account_id: str, is_disabled: bool, now_ms: int
) -> None:
    """Switch an account off, which ends its login sessions at once, or on again."""
    _refuse_self(actor, account_id)
    await connection.execute(
        update(accounts).where(accounts.c.id == account_id).values(is_disabled=is_disabled)
    )
    if is_disabled:
        await end_account_sessions(connection, account_id)
    action = "account.disabled" if is_disabled else "account.enabled"
    await append(connection, actor, action=action, subject=account_id, at_ms=now_ms)


async def replace_password(
    connection: AsyncConnection, actor: Actor, account_id: str, password_hash: str, now_ms: int
) -> None:
    """A generated password instead of the old one; whoever is signed in with that is signed out."""
    actor.require(Permission.ACCOUNT_MANAGE)
    await connection.execute(
        update(accounts)
        .where(accounts.c.id == account_id)
        .values(password_hash=password_hash, failed_attempts=0, locked_until_ms=0)
    )
    await end_account_sessions(connection, account_id)
    await append(connection, actor, action="account.password_reset", subject=account_id, at_ms=now_ms)


async def roles_by_account(
    connection: AsyncConnection, account_ids: Sequence[str]
) -> dict[str, tuple[Role, ...]]:
    """The roles of several accounts."""
    rows = await connection.execute(
        select(account_roles)
        .where(account_roles.c.account_id.in_(account_ids))
        .order_by(account_roles.c.role)
    )
    found: dict[str, tuple[Role, ...]] = {}
    for row in rows:
        found[row.account_id] = (*found.get(row.account_id, ()), Role(row.role))
    return found


def _refuse_self(actor: Actor, account_id: str) -> None:
    actor.require(Permission.ACCOUNT_MANAGE)
    if account_id == actor.subject_id:
        raise Refused(Refusal.NOT_ALLOWED)


async def _write_roles(connection: AsyncConnection, account_id: str, roles: Sequence[Role]) -> None:
    if any(role not in STAFF_ROLES for role in roles):
        raise Refused(Refusal.FIELD_INVALID, field="roles")
    rows = [{"account_id": account_id, "role": role.value} for role in sorted(set(roles))]
    if rows:
        await connection.execute(insert(account_roles), rows)
