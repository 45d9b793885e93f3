"""`cat-engine create-agency`: an agency and the one account that makes all others."""

import re
from typing import Final

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Role, system_actor
from cat_engine.foundation.clock import SystemClock
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import agencies
from web.accounts.passwords import Passwords, normalise_username
from web.accounts.staff import new_password
from web.accounts.tables import account_roles, accounts
from web.database import current_revision, load_tables, newest_revision
from web.settings import Settings

CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,39}")
USERNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{2,79}")
MOST_LETTERS: Final = 200


class AgencyError(ValueError):
    """The agency cannot be created; the sentence says why."""


async def create_agency(
    settings: Settings, *, code: str, name: str, zone: str, administrator: str, administrator_name: str
) -> str:
    """Create both, all or nothing; the administrator's generated password, which is kept nowhere."""
    code, name, administrator_name = code.strip(), name.strip(), administrator_name.strip()
    username = normalise_username(administrator)
    _check(code, name, username, administrator_name)
    load_tables()
    storage, passwords, password = Storage(settings.database_url), Passwords(), new_password()
    try:
        storage.claim()
        if await current_revision(storage) != newest_revision():
            raise AgencyError("the database is not at this release's schema; run `cat-engine migrate`")
        password_hash, now_ms = await passwords.hash(password), SystemClock().now_ms()
        agency_id = new_id(now_ms)
        async with storage.transaction() as connection:
            await _add_agency(connection, agency_id, code, name, zone, now_ms)
            await _add_administrator(
                connection, agency_id, username, administrator_name, password_hash, now_ms
            )
    finally:
        passwords.close()
        await storage.close()
    return password


def _check(code: str, name: str, username: str, administrator_name: str) -> None:
    if not CODE.fullmatch(code):
        raise AgencyError(
            f"{code!r} is no code: 2 to 40 letters, digits, dots, hyphens or underscores, "
            "a letter or digit first"
        )
    if not USERNAME.fullmatch(username):
        raise AgencyError(
            f"{username!r} is no user name: 3 to 80 letters, digits, dots, hyphens, underscores or @, "
            "a letter or digit first"
        )
    for what, text in (("name", name), ("administrator's name", administrator_name)):
        if not text or len(text) > MOST_LETTERS or not text.isprintable():
            raise AgencyError(f"the {what} must be one line of 1 to {MOST_LETTERS} characters")


async def _add_agency(
    connection: AsyncConnection, agency_id: str, code: str, name: str, zone: str, now_ms: int
) -> None:
    try:
        async with connection.begin_nested():
            await connection.execute(
                insert(agencies).values(id=agency_id, code=code, name=name, zone=zone, is_demonstration=False)
            )
    except IntegrityError:
        raise AgencyError(f"there is an agency with the code {code} already") from None
    actor = system_actor("create-agency", agency_id)
    await ledger.append(
        connection,
        actor,
        action="agency.created",
        subject=agency_id,
        at_ms=now_ms,
        detail={"code": code, "zone": zone},
    )


async def _add_administrator(
    connection: AsyncConnection, agency_id: str, username: str, name: str, password_hash: str, now_ms: int
) -> None:
    account_id = new_id(now_ms)
    try:
        async with connection.begin_nested():
            await connection.execute(
                insert(accounts).values(
                    id=account_id,
                    agency_id=agency_id,
                    username=username,
                    name=name,
                    password_hash=password_hash,
                    is_disabled=False,
                    failed_attempts=0,
                    locked_until_ms=0,
                )
            )
    except IntegrityError:
        raise AgencyError(f"there is an account with the user name {username} already") from None
    await connection.execute(
        insert(account_roles).values(account_id=account_id, role=Role.ADMINISTRATOR.value)
    )
    await ledger.append(
        connection,
        system_actor("create-agency", agency_id),
        action="account.created",
        subject=account_id,
        at_ms=now_ms,
        detail={"roles": [Role.ADMINISTRATOR.value]},
    )
