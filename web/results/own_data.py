"""What is kept of a candidate, who has read it, and what the candidate has asked for.

Acts are found in the ledger by what they name: the sitting, the roster entry, the person, the post of an
application (whose ranked list shows all its applicants), the unit on its nine boxes. Requests for a copy or a
correction are entries of the ledger too; they are due within three days (UU 27/2022, articles 30 and 32).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.tables import exam_sessions, roster_entries, sittings
from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Actor
from cat_engine.foundation.tables import ledger_entries, people
from cat_engine.panel.tables import applications, posts
from cat_engine.results.tables import score_reports
from cat_engine.talent.tables import postings
from web.accounts.tables import account_roles
from web.candidate.views import DataAccess, DataClass, DataRequest
from web.language import Translator
from web.results.readings import RESULT_READ

REQUEST: Final = "data.request"
DUE_MS: Final = 3 * 24 * 60 * 60 * 1000
MOST_ACCESSES: Final = 200
KINDS: Final = ("copy", "correction")
_SIGNED_IN: Final = ("candidate.", "login_session.", "data.")


class Holder(msgspec.Struct, frozen=True):
    """Everything by which a candidate's data can be named."""

    sitting_id: str
    roster_entry_id: str
    person_id: str
    agency_id: str
    unit: str
    post_ids: tuple[str, ...]
    posting_ids: tuple[str, ...]
    released_at_ms: int | None
    expires_at_ms: int | None

    @property
    def request_subject(self) -> str:
        """What the ledger calls the requests of this candidate."""
        return f"roster_entry:{self.roster_entry_id}"


class Request(msgspec.Struct, frozen=True):
    """One request as the ledger keeps it."""

    kind: str
    what: str
    due_at_ms: int
    at_ms: int = 0


async def find_holder(connection: AsyncConnection, sitting_id: str) -> Holder:
    """The names of the sitting's candidate. Access is the caller's to check."""
    row = (
        await connection.execute(
            select(
                sittings.c.agency_id,
                sittings.c.roster_entry_id,
                roster_entries.c.person_id,
                exam_sessions.c.selection_id,
                people.c.unit,
                score_reports.c.id.label("report_id"),
                score_reports.c.released_at_ms,
                score_reports.c.expires_at_ms,
            )
            .join(roster_entries, roster_entries.c.id == sittings.c.roster_entry_id)
            .join(exam_sessions, exam_sessions.c.id == sittings.c.exam_session_id)
            .join(people, people.c.id == roster_entries.c.person_id)
            .outerjoin(score_reports, score_reports.c.sitting_id == sittings.c.id)
            .where(sittings.c.id == sitting_id)
        )
    ).one()
    applied = await connection.execute(
        select(posts.c.id)
        .join(applications, applications.c.post_id == posts.c.id)
        .where(applications.c.person_id == row.person_id, posts.c.selection_id == row.selection_id)
    )
    posted = await connection.execute(select(postings.c.id).where(postings.c.report_id == row.report_id))
    return Holder(
        sitting_id=sitting_id,
        roster_entry_id=row.roster_entry_id,
        person_id=row.person_id,
        agency_id=row.agency_id,
        unit=row.unit,
        post_ids=tuple(applied.scalars()),
        posting_ids=tuple(posted.scalars()),
        released_at_ms=row.released_at_ms,
        expires_at_ms=row.expires_at_ms,
    )


def data_classes(holder: Holder, t: Translator) -> tuple[DataClass, ...]:
    """What is kept, why, on what legal basis, until when; None follows the archive's retention schedule."""
    kept_until: Mapping[str, int | None] = {
        "identity": None,
        "responses": None,
        "result": holder.expires_at_ms,
        "acts": None,
    }
    return tuple(
        DataClass(
            name=t(f"results.data.{name}_name"),
            purpose=t(f"results.data.{name}_purpose"),
            basis=t(f"results.data.{name}_basis"),
            kept_until_ms=until,
        )
        for name, until in kept_until.items()
    )


async def accesses(
    connection: AsyncConnection, holder: Holder, agency_name: str, t: Translator
) -> tuple[DataAccess, ...]:
    """Acts of staff, and of programs that hand results over, on this candidate's data; newest first."""
    named = (
        holder.sitting_id,
        f"sitting:{holder.sitting_id}",
        holder.roster_entry_id,
        holder.request_subject,
        f"person:{holder.person_id}",
        *(f"posting:{posting_id}" for posting_id in holder.posting_ids),
    )
    shared = (f"agency:{holder.agency_id}", *(f"post:{post_id}" for post_id in holder.post_ids))
    rows = await connection.execute(
        select(ledger_entries)
        .where(
            ledger_entries.c.agency_id == holder.agency_id,
            or_(ledger_entries.c.actor.startswith("staff:"), ledger_entries.c.actor.startswith("system:")),
            or_(
                ledger_entries.c.subject.in_(named),
                # what shows several people at once showed this one from the release on
                and_(
                    ledger_entries.c.subject.in_(shared),
                    ledger_entries.c.at_ms >= (holder.released_at_ms or 2**62),
                ),
            ),
        )
        .order_by(ledger_entries.c.sequence.desc())
        .limit(MOST_ACCESSES)
    )
    found = [(row, msgspec.json.decode(row.detail)) for row in rows if not row.action.startswith(_SIGNED_IN)]
    shown = [(row, detail) for row, detail in found if _concerns(row, detail, holder)]
    roles = await _roles(connection, {row.actor.removeprefix("staff:") for row, _ in shown})
    return tuple(_access(row, detail, roles, agency_name, t) for row, detail in shown)


def _concerns(row: Row[Any], detail: Mapping[str, Any], holder: Holder) -> bool:
    if row.subject.startswith("agency:"):
        return row.action == RESULT_READ and detail.get("unit", "") in {"", holder.unit}
    return True


async def _roles(connection: AsyncConnection, account_ids: set[str]) -> dict[str, str]:
    """The roles that accounts have now, for acts that did not keep the roles of their time."""
    rows = await connection.execute(
        select(account_roles)
        .where(account_roles.c.account_id.in_(account_ids))
        .order_by(account_roles.c.role)
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.account_id, []).append(row.role)
    return {account_id: ",".join(names) for account_id, names in found.items()}


def _access(
    row: Row[Any], detail: Mapping[str, Any], roles: Mapping[str, str], agency_name: str, t: Translator
) -> DataAccess:
    account_id = row.actor.removeprefix("staff:")
    names = str(detail.get("roles") or roles.get(account_id, ""))
    is_staff = row.actor.startswith("staff:")
    said = [t(f"accounts.role.{name}") for name in names.split(",") if t.has(f"accounts.role.{name}")]
    page = str(detail.get("page", ""))
    key = f"{row.action.replace('.', '_')}_{page}" if page else row.action.replace(".", "_")
    known = key if t.has(f"results.access.{key}") else "other"
    return DataAccess(
        at_ms=row.at_ms,
        reader=", ".join(said)
        or t("results.access.reader_staff" if is_staff else "results.access.reader_system"),
        role=agency_name,
        what=t(f"results.access.{known}"),
        why=t(f"results.access.{known}_why"),
    )


async def requests_of(connection: AsyncConnection, holder: Holder) -> tuple[Request, ...]:
    """What the candidate has asked for, newest first."""
    rows = await connection.execute(
        select(ledger_entries.c.at_ms, ledger_entries.c.detail)
        .where(
            ledger_entries.c.agency_id == holder.agency_id,
            ledger_entries.c.subject == holder.request_subject,
            ledger_entries.c.action == REQUEST,
        )
        .order_by(ledger_entries.c.sequence.desc())
    )
    return tuple(
        msgspec.structs.replace(msgspec.json.decode(row.detail, type=Request), at_ms=row.at_ms)
        for row in rows
    )


def request_lines(asked: tuple[Request, ...]) -> tuple[DataRequest, ...]:
    """The requests as the page shows them."""
    return tuple(
        DataRequest(
            at_ms=request.at_ms,
            kind="copy" if request.kind == "copy" else "correction",
            state="open",
            due_at_ms=request.due_at_ms,
        )
        for request in asked
    )


async def ask(
    connection: AsyncConnection, actor: Actor, holder: Holder, kind: str, what: str, at_ms: int
) -> None:
    """Record a request in the caller's transaction; the same one again (a second click) changes nothing."""
    if any(
        request.kind == kind and request.what == what for request in await requests_of(connection, holder)
    ):
        return
    await ledger.append(
        connection,
        actor,
        action=REQUEST,
        subject=holder.request_subject,
        at_ms=at_ms,
        detail={"kind": kind, "what": what, "due_at_ms": at_ms + DUE_MS},
    )
