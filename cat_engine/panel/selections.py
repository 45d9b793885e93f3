"""Reading selections for their panel: posts, applicants under blind codes, released scores; signing the
statement.

Nothing opens to a member before the conflict-of-interest statement is signed. No query of the ranking touches
names: they are asked for by themselves (`open_names`), and given only when the selection's policy says so.
"""

from decimal import Decimal
from typing import Any, Literal

import msgspec
from sqlalchemy import Select, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Actor, Permission, Role
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import people
from cat_engine.panel.applicants import Applicant, applicants, aspect_means, composite
from cat_engine.panel.ranking import Contender, RankedList, ranked_list
from cat_engine.panel.tables import applications, panel_members, posts, selections


class SelectionPolicy(msgspec.Struct, frozen=True):
    """A selection's rules as data. `weights` by aspect make the composite; without them every section counts
    alike.

    `tie_break` names aspects, compared one after the other. `names_open`: whether the panel may ever ask who
    is behind the codes, and then not before every scored sitting of the selection is released.
    """

    cut_score: Decimal | None = None
    weights: dict[str, int] = {}
    tie_break: tuple[str, ...] = ()
    places: int | None = None
    names_open: Literal["never", "after_release"] = "never"
    is_example: bool = False


class SelectionRow(msgspec.Struct, frozen=True):
    """One selection in the list of those the actor may open, or could after signing."""

    id: str
    title: str
    year: int
    posts: int
    is_signed: bool


class Post(msgspec.Struct, frozen=True):
    """One vacancy with its number of applicants."""

    id: str
    title: str
    unit: str
    required_level: int
    applicants: int


class Selection(msgspec.Struct, frozen=True):
    """One selection with its posts."""

    id: str
    title: str
    year: int
    policy: SelectionPolicy
    posts: tuple[Post, ...]


class PostTable(msgspec.Struct, frozen=True):
    """One post: all its applicants by blind code, and the ranked list of those whose scores are released.

    `is_error_partial`: some composite contains a section without an error of its own, so that the errors
    shown, and with them the groups, are too small.
    """

    post: Post
    applicants: tuple[Applicant, ...]
    ranking: RankedList
    is_error_partial: bool


async def selections_of(connection: AsyncConnection, actor: Actor) -> tuple[SelectionRow, ...]:
    """The selections whose panel the actor sits on (for an auditor: the agency's), the newest year first."""
    actor.require(Permission.SELECTION_READ)
    member = and_(
        panel_members.c.selection_id == selections.c.id, panel_members.c.account_id == actor.subject_id
    )
    query = (
        select(
            selections.c.id,
            selections.c.title,
            selections.c.year,
            func.count(posts.c.id).label("posts"),
            func.max(panel_members.c.statement_at_ms).label("statement_at_ms"),
        )
        .outerjoin(posts, posts.c.selection_id == selections.c.id)
        .join(panel_members, member, isouter=not _sits_on_panels(actor))
        .where(selections.c.agency_id == actor.agency_id)
        .group_by(selections.c.id, selections.c.title, selections.c.year)
        .order_by(selections.c.year.desc(), selections.c.title, selections.c.id)
    )
    return tuple(
        SelectionRow(row.id, row.title, row.year, row.posts, row.statement_at_ms is not None)
        for row in await connection.execute(query)
    )


async def selection(connection: AsyncConnection, actor: Actor, selection_id: str) -> Selection:
    """One selection with its posts; refused before the statement is signed."""
    policy_text, title, year = await _open(connection, actor, selection_id)
    rows = await connection.execute(_posts().where(posts.c.selection_id == selection_id))
    return Selection(
        id=selection_id,
        title=title,
        year=year,
        policy=read_policy(policy_text),
        posts=tuple(Post(*row) for row in rows),
    )


async def post_table(connection: AsyncConnection, actor: Actor, post_id: str) -> PostTable:
    """A post's applicants and ranking; refused before the statement is signed."""
    row = (
        await connection.execute(_posts().add_columns(posts.c.selection_id).where(posts.c.id == post_id))
    ).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    policy = read_policy((await _open(connection, actor, row.selection_id))[0])
    shown = await applicants(connection, row.selection_id, post_id=post_id)
    totals = {applicant.blind_code: composite(applicant.scores, policy.weights) for applicant in shown}
    contenders = [
        Contender(applicant.blind_code, total.scale_score, total.scale_error, aspect_means(applicant.scores))
        for applicant in shown
        if (total := totals[applicant.blind_code]) is not None
    ]
    return PostTable(
        post=Post(*row[:5]),
        applicants=shown,
        ranking=ranked_list(
            contenders, tie_break=policy.tie_break, cut_score=policy.cut_score, places=policy.places
        ),
        is_error_partial=any(total is not None and total.is_error_partial for total in totals.values()),
    )


async def sign_statement(
    storage: Storage, actor: Actor, selection_id: str, at_ms: int, *, text_hash: str
) -> None:
    """Sign the conflict-of-interest statement, on record with its text's hash; again changes nothing."""
    actor.require(Permission.SELECTION_READ)
    mine = and_(panel_members.c.selection_id == selection_id, panel_members.c.account_id == actor.subject_id)
    async with storage.transaction() as connection:
        known = await connection.scalar(
            select(selections.c.id)
            .join(panel_members, mine)
            .where(selections.c.id == selection_id, selections.c.agency_id == actor.agency_id)
        )
        if known is None:
            raise Refused(Refusal.NOT_FOUND)
        result = await connection.execute(
            update(panel_members)
            .where(mine, panel_members.c.statement_at_ms.is_(None))
            .values(statement_at_ms=at_ms)
        )
        if result.rowcount == 1:
            await ledger.append(
                connection,
                actor,
                action="selection.conflict_statement_signed",
                subject=f"selection:{selection_id}",
                at_ms=at_ms,
                detail={"text_hash": text_hash},
            )


async def open_names(storage: Storage, actor: Actor, post_id: str, at_ms: int) -> dict[str, str]:
    """Blind code -> name, where the policy opens names and nothing is left to be judged blind; on record."""
    async with storage.transaction() as connection:
        selection_id = await connection.scalar(select(posts.c.selection_id).where(posts.c.id == post_id))
        if selection_id is None:
            raise Refused(Refusal.NOT_FOUND)
        policy = read_policy((await _open(connection, actor, selection_id))[0])
        if policy.names_open == "never":
            raise Refused(Refusal.NOT_ALLOWED, permission="names_open")
        found = await applicants(connection, selection_id)
        states = {applicant.state for applicant in found}
        # who has not been measured yet is still to be judged blind
        released = [applicant.blind_code for applicant in found if applicant.state == "released"]
        if states & {"in_progress", "scored"} or "released" not in states:
            raise Refused(Refusal.RESULT_NOT_RELEASED)
        rows = await connection.execute(
            select(applications.c.blind_code, people.c.name)
            .join(people, people.c.id == applications.c.person_id)
            .where(applications.c.post_id == post_id, applications.c.blind_code.in_(released))
            .order_by(applications.c.blind_code)
        )
        names = {row.blind_code: row.name for row in rows}
        await ledger.append(
            connection, actor, action="selection.names_opened", subject=f"post:{post_id}", at_ms=at_ms
        )
    return names


def read_policy(text: str) -> SelectionPolicy:
    """The policy stored with a selection; raises msgspec.ValidationError when it is none."""
    return msgspec.json.decode(text, type=SelectionPolicy)


def _sits_on_panels(actor: Actor) -> bool:
    return bool(actor.roles & {Role.PANEL_CHAIR, Role.PANEL_MEMBER})


async def _open(connection: AsyncConnection, actor: Actor, selection_id: str) -> tuple[str, str, int]:
    """Policy, title and year, once the actor may see them: the one door to everything of a selection."""
    actor.require(Permission.SELECTION_READ)
    member = and_(
        panel_members.c.selection_id == selections.c.id, panel_members.c.account_id == actor.subject_id
    )
    row = (
        await connection.execute(
            select(
                selections.c.policy,
                selections.c.title,
                selections.c.year,
                panel_members.c.account_id,
                panel_members.c.statement_at_ms,
            )
            .outerjoin(panel_members, member)
            .where(selections.c.id == selection_id, selections.c.agency_id == actor.agency_id)
        )
    ).first()
    if row is None or (row.account_id is None and _sits_on_panels(actor)):
        raise Refused(Refusal.NOT_FOUND)
    if row.statement_at_ms is None and _sits_on_panels(actor):
        raise Refused(Refusal.CONFLICT_STATEMENT_MISSING, selection_id=selection_id)
    return row.policy, row.title, row.year


def _posts() -> Select[Any]:
    return (
        select(
            posts.c.id,
            posts.c.title,
            posts.c.unit,
            posts.c.required_level,
            func.count(applications.c.id).label("applicants"),
        )
        .outerjoin(applications, applications.c.post_id == posts.c.id)
        .group_by(posts.c.id, posts.c.title, posts.c.unit, posts.c.required_level, posts.c.selection_id)
        .order_by(posts.c.title, posts.c.id)
    )
