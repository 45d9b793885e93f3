"""PINs of candidates: ten characters of Crockford's base 32, 50 random bits, shown once on the slip.

Stored is HMAC-SHA256 under the server's key over the entry's identity and the PIN, so a copy of the database
gives none away and a PIN works for its own entry only. With 50 bits and a throttle a slow hash adds nothing,
and a room of two hundred signs in within a second.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core.transitions import Status
from cat_engine.delivery.tables import exam_sessions, roster_entries, sitting_log, sittings
from cat_engine.foundation.refusals import Refusal
from web.accounts.throttle import PIN_DELAY_CAP_S, PIN_DELAY_S, charge

NEVER_ENTERED = (None, Status.SCHEDULED, Status.DENIED, Status.CANCELLED)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PIN_LENGTH = 10
# letters that people write for digits (Crockford's rule), and what slips print between groups
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": "", "\t": "", "\N{NO-BREAK SPACE}": ""})


def new_pin() -> str:
    """A fresh PIN."""
    return "".join(secrets.choice(ALPHABET) for _ in range(PIN_LENGTH))


def printed_pin(pin: str) -> str:
    """The PIN as the slip shows it, in two groups."""
    return f"{pin[:5]}-{pin[5:]}"


def normalise_pin(text: str) -> str:
    """What somebody typed, as the alphabet writes it."""
    return text.upper().translate(_READ_AS)


def seal_pin(secret_key: bytes, roster_entry_id: str, pin: str) -> str:
    """What the database keeps of a PIN, hexadecimal."""
    message = f"pin|{roster_entry_id}|{normalise_pin(pin)}".encode()
    return hmac.new(secret_key, message, hashlib.sha256).hexdigest()


@dataclass(frozen=True, kw_only=True)
class ChargedEntry:
    """A roster entry one of whose attempts was just counted."""

    id: str
    agency_id: str
    pin_hash: str  # "" while no slip was made
    exam_session_id: str


async def charge_pin_attempt(
    connection: AsyncConnection, candidate_number: str, now_ms: int
) -> ChargedEntry | None:
    """Count an attempt on a roster entry; None when the number is unknown or the lock still lasts."""
    statement = charge(
        roster_entries,
        {"candidate_number": candidate_number.strip().upper()},
        roster_entries.c.failed_pin_attempts,
        roster_entries.c.pin_locked_until_ms,
        now_ms=now_ms,
        first_s=PIN_DELAY_S,
        cap_s=PIN_DELAY_CAP_S,
    ).returning(*(roster_entries.c[name] for name in ("id", "agency_id", "pin_hash", "exam_session_id")))
    row = (await connection.execute(statement)).mappings().first()
    return None if row is None else ChargedEntry(**row)


def is_pin_right(secret_key: bytes, entry: ChargedEntry | None, pin: str) -> bool:
    """Constant-time comparison, with the same work when there is no such entry."""
    sealed = seal_pin(secret_key, entry.id if entry else "nobody", pin)
    stored = entry.pin_hash if entry else ""
    return hmac.compare_digest(sealed, stored.rjust(len(sealed))) and entry is not None


async def forgive_pin_attempts(connection: AsyncConnection, roster_entry_id: str) -> None:
    """Start the counter again: the right PIN was given, or a proctor vouches for the person."""
    await connection.execute(
        update(roster_entries)
        .where(roster_entries.c.id == roster_entry_id)
        .values(failed_pin_attempts=0, pin_locked_until_ms=0)
    )


async def entry_refusal(connection: AsyncConnection, entry: ChargedEntry) -> Refusal | None:
    """Why the candidate may not enter the exam session now, or None when they may.

    Whoever has checked in may come back after the session is closed: to go on at another machine, or to read
    the own result and the own data.
    """
    newest_status = (
        select(sitting_log.c.status)
        .where(sitting_log.c.sitting_id == sittings.c.id)
        .order_by(sitting_log.c.revision.desc())
        .limit(1)
        .scalar_subquery()
    )
    row = (
        await connection.execute(
            select(exam_sessions.c.status, newest_status.label("sitting_status"))
            .outerjoin(sittings, sittings.c.roster_entry_id == entry.id)
            .where(exam_sessions.c.id == entry.exam_session_id)
        )
    ).one()
    if row.status == "open" or (row.status == "closed" and row.sitting_status not in NEVER_ENTERED):
        return None
    return Refusal.SESSION_NOT_OPEN if row.status == "scheduled" else Refusal.SESSION_CLOSED
