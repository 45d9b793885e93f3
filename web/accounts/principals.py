"""From a login cookie to who is asking: one statement each.

The cookie holds 256 random bits; the database knows only their SHA-256, so a copy of the database signs
nobody in, and a value that a client made up finds no row.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, and_, bindparam, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.tables import exam_sessions, roster_entries, sitting_log, sittings
from cat_engine.foundation.actors import Actor, Role
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.tables import agencies, people
from web.accounts.tables import account_roles, accounts, login_sessions

STAFF_IDLE_MS = 30 * 60 * 1000
STAFF_ABSOLUTE_MS = 12 * 60 * 60 * 1000
CANDIDATE_ABSOLUTE_MS = 12 * 60 * 60 * 1000


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who a login session belongs to, as of this request."""

    actor: Actor
    agency_name: str
    zone: str  # WIB, WITA or WIT
    is_demonstration: bool
    token_hash: str
    last_seen_at_ms: int
    roster_entry_id: str | None = None
    exam_session_id: str | None = None
    person_id: str | None = None

    @property
    def is_candidate(self) -> bool:
        """Whether a roster entry signed in, and not an account."""
        return self.roster_entry_id is not None


@dataclass(frozen=True, kw_only=True)
class SittingAccess:
    """A candidate at the candidate's own sitting: everything that the answer path must know beforehand."""

    principal: Principal
    sitting_id: str
    package_id: str
    exam_session_id: str
    exam_session_status: str
    revision: int  # of the newest log entry; 0 when the log is empty
    accommodation_s: int
    is_simulated: bool


def hash_token(token: str) -> str:
    """What the database keeps of a login token."""
    return hashlib.sha256(token.encode()).hexdigest()


newer = login_sessions.alias("newer")


def _is_moved() -> ColumnElement[bool]:
    """Whether the same roster entry signed in again later, at another machine."""
    return exists().where(
        newer.c.roster_entry_id == login_sessions.c.roster_entry_id,
        newer.c.created_at_ms > login_sessions.c.created_at_ms,
    )


def _is_alive() -> ColumnElement[bool]:
    return and_(
        login_sessions.c.token_hash == bindparam("token_hash"),
        login_sessions.c.expires_at_ms > bindparam("now_ms"),
        or_(
            login_sessions.c.account_id.is_(None),
            login_sessions.c.last_seen_at_ms > bindparam("idle_since_ms"),
        ),
    )


PRINCIPAL = (
    select(
        login_sessions.c.last_seen_at_ms,
        login_sessions.c.account_id,
        login_sessions.c.roster_entry_id,
        accounts.c.name.label("account_name"),
        accounts.c.is_disabled,
        account_roles.c.role,
        roster_entries.c.exam_session_id,
        roster_entries.c.person_id,
        people.c.name.label("person_name"),
        agencies.c.id.label("agency_id"),
        agencies.c.name.label("agency_name"),
        agencies.c.zone,
        agencies.c.is_demonstration,
        _is_moved().label("is_moved"),
    )
    .select_from(
        login_sessions.outerjoin(accounts, accounts.c.id == login_sessions.c.account_id)
        .outerjoin(account_roles, account_roles.c.account_id == accounts.c.id)
        .outerjoin(roster_entries, roster_entries.c.id == login_sessions.c.roster_entry_id)
        .outerjoin(people, people.c.id == roster_entries.c.person_id)
        .join(agencies, agencies.c.id == func.coalesce(accounts.c.agency_id, roster_entries.c.agency_id))
    )
    .where(_is_alive())
)


def _revision() -> ScalarSelect[int]:
    newest = select(func.max(sitting_log.c.revision)).where(sitting_log.c.sitting_id == sittings.c.id)
    return newest.scalar_subquery()


OWN_SITTING = (
    select(
        login_sessions.c.last_seen_at_ms,
        login_sessions.c.roster_entry_id,
        people.c.id.label("person_id"),
        people.c.name.label("person_name"),
        agencies.c.id.label("agency_id"),
        agencies.c.name.label("agency_name"),
        agencies.c.zone,
        agencies.c.is_demonstration,
        roster_entries.c.exam_session_id,
        roster_entries.c.accommodation_s,
        exam_sessions.c.status.label("exam_session_status"),
        sittings.c.id.label("sitting_id"),
        sittings.c.package_id,
        sittings.c.is_simulated,
        func.coalesce(_revision(), 0).label("revision"),
        _is_moved().label("is_moved"),
    )
    .select_from(
        login_sessions.outerjoin(roster_entries, roster_entries.c.id == login_sessions.c.roster_entry_id)
        .outerjoin(people, people.c.id == roster_entries.c.person_id)
        .outerjoin(agencies, agencies.c.id == roster_entries.c.agency_id)
        .outerjoin(exam_sessions, exam_sessions.c.id == roster_entries.c.exam_session_id)
        .outerjoin(
            sittings,
            and_(
                sittings.c.roster_entry_id == login_sessions.c.roster_entry_id,
                sittings.c.id == bindparam("sitting_id"),
            ),
        )
    )
    .where(_is_alive())
)


async def find_principal(
    connection: AsyncConnection, token_hash: str | None, now_ms: int
) -> Principal | None:
    """Who is signed in under this token, or None; a candidate who moved to another machine is refused."""
    if token_hash is None:
        return None
    rows = (
        await connection.execute(
            PRINCIPAL,
            {"token_hash": token_hash, "now_ms": now_ms, "idle_since_ms": now_ms - STAFF_IDLE_MS},
        )
    ).all()
    if not rows:
        return None
    row = rows[0]
    if row.roster_entry_id is not None:
        if row.is_moved:
            raise Refused(Refusal.SITTING_MOVED)
        roles, subject_id, name = frozenset({Role.CANDIDATE}), row.roster_entry_id, row.person_name
    else:
        if row.is_disabled:
            return None
        roles = frozenset(Role(each.role) for each in rows if each.role is not None)
        subject_id, name = row.account_id, row.account_name
    return Principal(
        actor=Actor(subject_id=subject_id, agency_id=row.agency_id, name=name, roles=roles),
        agency_name=row.agency_name,
        zone=row.zone,
        is_demonstration=row.is_demonstration,
        token_hash=token_hash,
        last_seen_at_ms=row.last_seen_at_ms,
        roster_entry_id=row.roster_entry_id,
        exam_session_id=row.exam_session_id,
        person_id=row.person_id,
    )


async def find_own_sitting(
    connection: AsyncConnection, token_hash: str | None, sitting_id: str, now_ms: int
) -> SittingAccess:
    """The sitting of the signed-in candidate; refused when it is somebody else's, unknown or moved."""
    if token_hash is None:
        raise Refused(Refusal.NOT_SIGNED_IN)
    row = (
        await connection.execute(
            OWN_SITTING,
            {
                "token_hash": token_hash,
                "sitting_id": sitting_id,
                "now_ms": now_ms,
                "idle_since_ms": now_ms - STAFF_IDLE_MS,
            },
        )
    ).first()
    if row is None:
        raise Refused(Refusal.NOT_SIGNED_IN)
    if row.roster_entry_id is None:
        raise Refused(Refusal.NOT_ALLOWED)
    if row.sitting_id is None:
        raise Refused(Refusal.NOT_FOUND)
    if row.is_moved:
        raise Refused(Refusal.SITTING_MOVED)
    return SittingAccess(
        principal=Principal(
            actor=Actor(
                subject_id=row.roster_entry_id,
                agency_id=row.agency_id,
                name=row.person_name,
                roles=frozenset({Role.CANDIDATE}),
            ),
            agency_name=row.agency_name,
            zone=row.zone,
            is_demonstration=row.is_demonstration,
            token_hash=token_hash,
            last_seen_at_ms=row.last_seen_at_ms,
            roster_entry_id=row.roster_entry_id,
            exam_session_id=row.exam_session_id,
            person_id=row.person_id,
        ),
        sitting_id=row.sitting_id,
        package_id=row.package_id,
        exam_session_id=row.exam_session_id,
        exam_session_status=row.exam_session_status,
        revision=row.revision,
        accommodation_s=row.accommodation_s,
        is_simulated=row.is_simulated,
    )
