"""Passwords of staff: argon2id (RFC 9106), checked by two threads at most.

One check costs tens of milliseconds of a core and 64 MiB; a storm of sign-ins must not take the machine from
candidates who are answering. What does not fit into the short queue is refused at once.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation.refusals import Refusal, Refused
from web.accounts.tables import accounts
from web.accounts.throttle import ACCOUNT_DELAY_CAP_S, ACCOUNT_DELAY_S, charge

T = TypeVar("T")

CHECKS_AT_ONCE = 2
CHECKS_WAITING = 32
PASSWORD_MINIMUM_LENGTH = 12
PASSWORD_MAXIMUM_LENGTH = 256


class Passwords:
    """Hashes and checks passwords beside the event loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
        self._threads = ThreadPoolExecutor(CHECKS_AT_ONCE, thread_name_prefix="password")
        self._busy = 0
        # compared against when there is no such account, so that both cases take the same work
        self._nobody = self._hasher.hash("no account has this password")

    async def hash(self, password: str) -> str:
        """The text to store, salt and costs included."""
        return await self._run(lambda: self._hasher.hash(password))

    async def check(self, stored: str | None, password: str) -> bool:
        """Whether the password is the stored one; without a stored one the same work, and no."""
        fits = await self._run(lambda: self._fits(stored or self._nobody, password))
        return fits and stored is not None

    def close(self) -> None:
        """Let the threads finish what they began."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _fits(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._busy >= CHECKS_AT_ONCE + CHECKS_WAITING:
            raise Refused(Refusal.OVERLOADED)
        self._busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._busy -= 1


def normalise_username(text: str) -> str:
    """Usernames differ by more than case and outer spaces."""
    return text.strip().casefold()


async def charge_attempt(
    connection: AsyncConnection, username: str, now_ms: int
) -> tuple[str, str, bool] | None:
    """Count an attempt on an account: (id, stored password, is disabled); None when unknown or locked."""
    statement = charge(
        accounts,
        {"username": normalise_username(username)},
        accounts.c.failed_attempts,
        accounts.c.locked_until_ms,
        now_ms=now_ms,
        first_s=ACCOUNT_DELAY_S,
        cap_s=ACCOUNT_DELAY_CAP_S,
    ).returning(accounts.c.id, accounts.c.password_hash, accounts.c.is_disabled)
    row = (await connection.execute(statement)).first()
    return None if row is None else (row.id, row.password_hash, row.is_disabled)


async def forgive_attempts(connection: AsyncConnection, account_id: str) -> None:
    """The right password was given: the counter starts again."""
    await connection.execute(
        update(accounts).where(accounts.c.id == account_id).values(failed_attempts=0, locked_until_ms=0)
    )


async def stored_password(connection: AsyncConnection, account_id: str) -> str | None:
    """The stored hash of an account, for confirming an act with the password."""
    statement = select(accounts.c.password_hash).where(accounts.c.id == account_id)
    return (await connection.execute(statement)).scalar_one_or_none()
