"""The only way a handler gets an object: each function loads and authorises in one statement.

The permission is asked first: a role that lacks it is told so (403). Then the object is looked up inside the
actor's own agency, so that an unknown object and another agency's look alike (404).
"""

from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, select, true
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.tables import exam_sessions, rooms, roster_entries, sittings, test_packages
from cat_engine.foundation.actors import GRANTS, Actor, Permission, Role
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.tables import agencies, people
from cat_engine.panel.tables import panel_members, selections
from cat_engine.results.tables import score_reports
from cat_engine.talent.tables import postings
from item_bank.tables import items
from web.accounts.principals import SittingAccess, find_own_sitting
from web.accounts.tables import accounts
from web.security import login_token_hash
from web.services import WebConnection, services_of

T = TypeVar("T", bound=msgspec.Struct)

PANEL_ROLES = frozenset({Role.PANEL_CHAIR, Role.PANEL_MEMBER})


class ExamSession(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled slot in a room."""

    id: str
    agency_id: str
    agency_name: str
    zone: str
    room_id: str
    room_name: str
    package_id: str
    selection_id: str | None
    title: str
    starts_at_ms: int
    status: str  # scheduled, open, closed
    pledge: str


class RosterEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A person on the roster of an exam session."""

    id: str
    agency_id: str
    exam_session_id: str
    person_id: str
    person_name: str
    nip: str | None
    candidate_number: str
    seat_id: str | None
    post_title: str
    accommodation_s: int
    accommodation_note: str


class StaffSitting(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting as staff may reach it."""

    id: str
    agency_id: str
    exam_session_id: str
    roster_entry_id: str
    package_id: str
    person_id: str
    is_simulated: bool


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """An installed test package, without its document: keys and parameters are the engine's."""

    id: str
    agency_id: str
    code: str
    version: int
    title: str
    content_hash: str
    published_at_ms: int


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody the agency knows."""

    id: str
    agency_id: str
    nip: str | None
    name: str
    post: str
    unit: str
    rank: str
    is_simulated: bool


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A released score report."""

    id: str
    agency_id: str
    sitting_id: str
    person_id: str
    report_number: str
    verification_code: str
    package_hash: str
    sitting_chain: str
    scores: str
    released_at_ms: int
    released_by: str
    expires_at_ms: int


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """An open-promotion round, and whether the asking member has signed its conflict statement."""

    id: str
    agency_id: str
    title: str
    year: int
    policy: str
    statement_at_ms: int | None


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """A report on its way to the talent record."""

    id: str
    agency_id: str
    report_id: str
    connector: str
    state: str
    attempts: int
    last_error: str
    receipt: str


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the bank."""

    id: str
    agency_id: str
    code: str
    family: str
    competency: str
    indicator: str
    level: int
    status: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff."""

    id: str
    agency_id: str
    username: str
    name: str
    is_disabled: bool


async def access_sitting(
    connection: AsyncConnection, request: WebConnection, sitting_id: str
) -> SittingAccess:
    """The signed-in candidate's own sitting: cookie, person, sitting and newest revision in one statement."""
    now_ms = services_of(request).clock.now_ms()
    return await find_own_sitting(connection, login_token_hash(request), sitting_id, now_ms)


async def access_exam_session(
    connection: AsyncConnection, actor: Actor, exam_session_id: str, permission: Permission
) -> ExamSession:
    """An exam session of the actor's agency."""
    statement = (
        select(
            exam_sessions,
            rooms.c.name.label("room_name"),
            agencies.c.name.label("agency_name"),
            agencies.c.zone,
        )
        .join(rooms, rooms.c.id == exam_sessions.c.room_id)
        .join(agencies, agencies.c.id == exam_sessions.c.agency_id)
        .where(exam_sessions.c.id == exam_session_id, exam_sessions.c.agency_id == actor.agency_id)
    )
    return await _load(connection, actor, permission, statement, ExamSession)


async def access_roster_entry(
    connection: AsyncConnection, actor: Actor, roster_entry_id: str, permission: Permission
) -> RosterEntry:
    """A person on a roster of the actor's agency."""
    statement = (
        select(roster_entries, people.c.name.label("person_name"), people.c.nip)
        .join(people, people.c.id == roster_entries.c.person_id)
        .where(roster_entries.c.id == roster_entry_id, roster_entries.c.agency_id == actor.agency_id)
    )
    return await _load(connection, actor, permission, statement, RosterEntry)


async def access_staff_sitting(
    connection: AsyncConnection, actor: Actor, sitting_id: str, permission: Permission
) -> StaffSitting:
    """A sitting of the actor's agency; for the panel only of a selection whose statement is signed."""
    statement = (
        select(sittings, roster_entries.c.person_id)
        .join(roster_entries, roster_entries.c.id == sittings.c.roster_entry_id)
        .join(exam_sessions, exam_sessions.c.id == sittings.c.exam_session_id)
        .where(
            sittings.c.id == sitting_id,
            sittings.c.agency_id == actor.agency_id,
            panel_scope(actor, permission, exam_sessions.c.selection_id),
        )
    )
    return await _load(connection, actor, permission, statement, StaffSitting)


async def access_package(
    connection: AsyncConnection,
    actor: Actor,
    package_id: str,
    permission: Permission = Permission.PACKAGE_READ,
) -> Package:
    """A test package of the actor's agency."""
    columns = [test_packages.c[name] for name in Package.__struct_fields__]
    statement = select(*columns).where(
        test_packages.c.id == package_id, test_packages.c.agency_id == actor.agency_id
    )
    return await _load(connection, actor, permission, statement, Package)


async def access_person(
    connection: AsyncConnection, actor: Actor, person_id: str, permission: Permission
) -> Person:
    """Somebody of the actor's agency."""
    statement = select(people).where(people.c.id == person_id, people.c.agency_id == actor.agency_id)
    return await _load(connection, actor, permission, statement, Person)


async def access_report(
    connection: AsyncConnection, actor: Actor, report_id: str, permission: Permission
) -> Report:
    """A score report: a candidate's own, staff's of the agency, the panel's of its own selections."""
    statement = (
        select(score_reports)
        .join(sittings, sittings.c.id == score_reports.c.sitting_id)
        .join(exam_sessions, exam_sessions.c.id == sittings.c.exam_session_id)
        .where(
            score_reports.c.id == report_id,
            score_reports.c.agency_id == actor.agency_id,
            panel_scope(actor, permission, exam_sessions.c.selection_id),
        )
    )
    if Role.CANDIDATE in actor.roles:
        statement = statement.where(sittings.c.roster_entry_id == actor.subject_id)
    return await _load(connection, actor, permission, statement, Report)


async def access_selection(
    connection: AsyncConnection,
    actor: Actor,
    selection_id: str,
    permission: Permission = Permission.SELECTION_READ,
    *,
    before_statement: bool = False,
) -> Selection:
    """A selection of the actor's agency.

    Members of the panel reach only the selections they are members of, and nothing of those before they
    signed the statement that they have no conflict of interest, except the page on which they sign it.
    """
    membership = and_(
        panel_members.c.selection_id == selections.c.id, panel_members.c.account_id == actor.subject_id
    )
    statement = (
        select(selections, panel_members.c.statement_at_ms)
        .outerjoin(panel_members, membership)
        .where(selections.c.id == selection_id, selections.c.agency_id == actor.agency_id)
    )
    is_panel = reaches_as_panel_only(actor, permission)
    if is_panel:
        statement = statement.where(panel_members.c.account_id.is_not(None))
    selection = await _load(connection, actor, permission, statement, Selection)
    if is_panel and selection.statement_at_ms is None and not before_statement:
        raise Refused(Refusal.CONFLICT_STATEMENT_MISSING)
    return selection


async def access_posting(
    connection: AsyncConnection,
    actor: Actor,
    posting_id: str,
    permission: Permission = Permission.POSTING_MANAGE,
) -> Posting:
    """A posting of the actor's agency."""
    statement = select(postings).where(postings.c.id == posting_id, postings.c.agency_id == actor.agency_id)
    return await _load(connection, actor, permission, statement, Posting)


async def access_item(
    connection: AsyncConnection, actor: Actor, item_id: str, permission: Permission = Permission.BANK_READ
) -> Item:
    """An item of the actor's agency."""
    statement = select(items).where(items.c.id == item_id, items.c.agency_id == actor.agency_id)
    return await _load(connection, actor, permission, statement, Item)


async def access_account(
    connection: AsyncConnection,
    actor: Actor,
    account_id: str,
    permission: Permission = Permission.ACCOUNT_MANAGE,
) -> Account:
    """An account of the actor's agency, without what only sign-in may see."""
    columns = [accounts.c[name] for name in Account.__struct_fields__]
    statement = select(*columns).where(accounts.c.id == account_id, accounts.c.agency_id == actor.agency_id)
    return await _load(connection, actor, permission, statement, Account)


def reaches_as_panel_only(actor: Actor, permission: Permission) -> bool:
    """Whether only membership of a panel gives the actor this permission."""
    granting = {role for role in actor.roles if permission in GRANTS[role]}
    return bool(granting) and granting <= PANEL_ROLES


def panel_scope(
    actor: Actor, permission: Permission, selection_id: ColumnElement[Any]
) -> ColumnElement[bool]:
    """What narrows a query to the selections that the actor may see: all, unless panel only."""
    if not reaches_as_panel_only(actor, permission):
        return true()
    return exists().where(
        panel_members.c.selection_id == selection_id,
        panel_members.c.account_id == actor.subject_id,
        panel_members.c.statement_at_ms.is_not(None),
    )


async def _load(
    connection: AsyncConnection,
    actor: Actor,
    permission: Permission,
    statement: Select[Any],
    object_type: type[T],
) -> T:
    actor.require(permission)
    row: RowMapping | None = (await connection.execute(statement)).mappings().first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    return object_type(**{name: row[name] for name in object_type.__struct_fields__})
