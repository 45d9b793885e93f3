"""Setting up a selection: its rules, its posts, its panel, and the applications that a roster brings.

Rules and posts are fixed from the moment somebody of the selection has a sitting: nobody changes what counts
after people were measured. Whoever sits on the panel may change until the end; signatures stay in the ledger.
"""

import secrets
from collections.abc import Callable, Collection
from typing import Any, Final

import msgspec
from sqlalchemy import and_, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.tables import exam_sessions, roster_entries, sittings
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.ledger import append
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.panel.selections import SelectionPolicy, read_policy
from cat_engine.panel.tables import applications, panel_members, posts, selections

ASPECTS: Final = ("potential", "competency", "knowledge")
# Crockford's base 32: no letter that is read as another, none that makes words
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class SelectionDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What an administrator decides about a selection."""

    title: str
    year: int
    policy: SelectionPolicy


class PostDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What an administrator decides about a vacancy; rosters name it by its title."""

    title: str
    unit: str
    required_level: int


class SelectionLine(msgspec.Struct, frozen=True):
    """One selection in the list."""

    id: str
    title: str
    year: int
    posts: int


class SetupPost(msgspec.Struct, frozen=True):
    """One vacancy with its number of applications. Codes and names are not the administrator's to see."""

    id: str
    title: str
    unit: str
    required_level: int
    applications: int


class Member(msgspec.Struct, frozen=True):
    """One member of the panel, and when the conflict-of-interest statement was signed."""

    account_id: str
    statement_at_ms: int | None


class SelectionSetup(msgspec.Struct, frozen=True, kw_only=True):
    """A selection as its administrator sees it."""

    id: str
    title: str
    year: int
    policy: SelectionPolicy
    posts: tuple[SetupPost, ...]
    members: tuple[Member, ...]
    is_fixed: bool  # somebody has a sitting


def new_blind_code() -> str:
    """Six characters in two groups, 30 random bits: nothing of the person is in it."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(6))
    return f"{code[:3]}-{code[3:]}"


async def selections_of_agency(connection: AsyncConnection, actor: Actor) -> tuple[SelectionLine, ...]:
    """The agency's selections, the newest year first."""
    actor.require(Permission.EXAM_SESSION_MANAGE)
    rows = await connection.execute(
        select(selections.c.id, selections.c.title, selections.c.year, func.count(posts.c.id))
        .outerjoin(posts, posts.c.selection_id == selections.c.id)
        .where(selections.c.agency_id == actor.agency_id)
        .group_by(selections.c.id, selections.c.title, selections.c.year)
        .order_by(selections.c.year.desc(), selections.c.title, selections.c.id)
    )
    return tuple(SelectionLine(*row) for row in rows)


async def selection_setup(connection: AsyncConnection, actor: Actor, selection_id: str) -> SelectionSetup:
    """A selection of the actor's agency; another agency's looks like none."""
    actor.require(Permission.EXAM_SESSION_MANAGE)
    found = (
        await connection.execute(
            select(selections).where(
                selections.c.id == selection_id, selections.c.agency_id == actor.agency_id
            )
        )
    ).first()
    if found is None:
        raise Refused(Refusal.NOT_FOUND)
    vacancies = await connection.execute(
        select(posts.c.id, posts.c.title, posts.c.unit, posts.c.required_level, func.count(applications.c.id))
        .outerjoin(applications, applications.c.post_id == posts.c.id)
        .where(posts.c.selection_id == selection_id)
        .group_by(posts.c.id, posts.c.title, posts.c.unit, posts.c.required_level)
        .order_by(posts.c.title, posts.c.id)
    )
    members = await connection.execute(
        select(panel_members.c.account_id, panel_members.c.statement_at_ms).where(
            panel_members.c.selection_id == selection_id
        )
    )
    return SelectionSetup(
        id=found.id,
        title=found.title,
        year=found.year,
        policy=read_policy(found.policy),
        posts=tuple(SetupPost(*row) for row in vacancies),
        members=tuple(Member(*row) for row in members),
        is_fixed=await _is_fixed(connection, selection_id),
    )


async def create_selection(
    connection: AsyncConnection, actor: Actor, draft: SelectionDraft, now_ms: int
) -> str:
    """A new selection without posts; its identity."""
    actor.require(Permission.EXAM_SESSION_MANAGE)
    selection_id = new_id(now_ms)
    await connection.execute(
        insert(selections).values(id=selection_id, agency_id=actor.agency_id, **_selection_columns(draft))
    )
    await _note(connection, actor, "selection.created", selection_id, now_ms, _rules_told(draft))
    return selection_id


async def change_selection(
    connection: AsyncConnection, actor: Actor, selection_id: str, draft: SelectionDraft, now_ms: int
) -> None:
    """Other rules, while nobody was measured by the old ones."""
    await _require_changeable(connection, actor, selection_id)
    await connection.execute(
        update(selections).where(selections.c.id == selection_id).values(**_selection_columns(draft))
    )
    await _note(connection, actor, "selection.changed", selection_id, now_ms, _rules_told(draft))


async def find_post(connection: AsyncConnection, actor: Actor, post_id: str) -> tuple[str, PostDraft]:
    """A vacancy of the actor's agency: the identity of its selection, and what was decided about it."""
    actor.require(Permission.EXAM_SESSION_MANAGE)
    row = (
        await connection.execute(
            select(posts)
            .join(selections, selections.c.id == posts.c.selection_id)
            .where(posts.c.id == post_id, selections.c.agency_id == actor.agency_id)
        )
    ).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    return row.selection_id, PostDraft(title=row.title, unit=row.unit, required_level=row.required_level)


async def add_post(
    connection: AsyncConnection, actor: Actor, selection_id: str, draft: PostDraft, now_ms: int
) -> str:
    """A new vacancy; its identity. Two of one title could not be told apart on a roster."""
    await _require_changeable(connection, actor, selection_id)
    await _require_new_title(connection, selection_id, draft.title, but=None)
    post_id = new_id(now_ms)
    await connection.execute(
        insert(posts).values(id=post_id, selection_id=selection_id, **msgspec.structs.asdict(draft))
    )
    detail = {"post": post_id, "required_level": draft.required_level}
    await _note(connection, actor, "selection.post_added", selection_id, now_ms, detail)
    return post_id


async def change_post(
    connection: AsyncConnection, actor: Actor, post_id: str, draft: PostDraft, now_ms: int
) -> None:
    """Other words or another level; rosters that name the post by its old title are corrected."""
    selection_id, before = await find_post(connection, actor, post_id)
    await _require_changeable(connection, actor, selection_id)
    await _require_new_title(connection, selection_id, draft.title, but=post_id)
    await connection.execute(
        update(posts).where(posts.c.id == post_id).values(**msgspec.structs.asdict(draft))
    )
    of_selection = select(exam_sessions.c.id).where(exam_sessions.c.selection_id == selection_id)
    await connection.execute(
        update(roster_entries)
        .where(
            roster_entries.c.exam_session_id.in_(of_selection), roster_entries.c.post_title == before.title
        )
        .values(post_title=draft.title)
    )
    detail = {"post": post_id, "required_level": draft.required_level}
    await _note(connection, actor, "selection.post_changed", selection_id, now_ms, detail)


async def set_members(
    connection: AsyncConnection,
    actor: Actor,
    selection_id: str,
    account_ids: Collection[str],
    now_ms: int,
) -> None:
    """Exactly these members. Whoever stays keeps the signature; whoever comes back signs again.

    Whoever calls has made sure that the accounts are the agency's and sit on panels.
    """
    setup = await selection_setup(connection, actor, selection_id)
    wanted, there = set(account_ids), {member.account_id for member in setup.members}
    added, removed = sorted(wanted - there), sorted(there - wanted)
    if removed:
        await connection.execute(
            delete(panel_members).where(
                panel_members.c.selection_id == selection_id, panel_members.c.account_id.in_(removed)
            )
        )
    if added:
        await connection.execute(
            insert(panel_members),
            [
                {"selection_id": selection_id, "account_id": account_id, "statement_at_ms": None}
                for account_id in added
            ],
        )
    if added or removed:
        detail = {"added": added, "removed": removed}
        await _note(connection, actor, "selection.members_set", selection_id, now_ms, detail)


async def apply_roster(
    connection: AsyncConnection,
    actor: Actor,
    exam_session_id: str,
    selection_id: str,
    now_ms: int,
    *,
    is_new_to_selection: bool = False,
    new_code: Callable[[], str] = new_blind_code,
) -> int:
    """An application under a blind code for everybody on the roster who has none; returns how many.

    A roster that is new to the selection is refused when it names a post that the selection does not have:
    that person could not be ranked. (Later rows were compared with the posts when they were read.)
    """
    actor.require(Permission.ROSTER_MANAGE)
    found = (
        await connection.execute(
            select(roster_entries.c.person_id, posts.c.id.label("post_id"), applications.c.blind_code)
            .outerjoin(
                posts,
                and_(posts.c.selection_id == selection_id, posts.c.title == roster_entries.c.post_title),
            )
            .outerjoin(
                applications,
                and_(
                    applications.c.post_id == posts.c.id,
                    applications.c.person_id == roster_entries.c.person_id,
                ),
            )
            .where(roster_entries.c.exam_session_id == exam_session_id)
        )
    ).all()
    if is_new_to_selection and any(row.post_id is None for row in found):
        raise Refused(Refusal.FIELD_INVALID, field="selection_id")
    missing = [row for row in found if row.post_id is not None and row.blind_code is None]
    if not missing:
        return 0
    codes = await _fresh_codes(connection, len(missing), new_code)
    await connection.execute(
        insert(applications),
        [
            {"id": new_id(now_ms), "post_id": row.post_id, "person_id": row.person_id, "blind_code": code}
            for row, code in zip(missing, codes, strict=True)
        ],
    )
    detail = {"exam_session": exam_session_id, "applications": len(missing)}
    await _note(connection, actor, "selection.applications_made", selection_id, now_ms, detail)
    return len(missing)


async def _fresh_codes(connection: AsyncConnection, count: int, new_code: Callable[[], str]) -> list[str]:
    """Codes that nobody has; the unique column is the fence should two drawings meet."""
    fresh: dict[str, None] = {}
    while len(fresh) < count:
        drawn = [new_code() for _ in range(count - len(fresh))]
        taken = set(
            await connection.scalars(
                select(applications.c.blind_code).where(applications.c.blind_code.in_(drawn))
            )
        )
        fresh |= dict.fromkeys(code for code in drawn if code not in taken)
    return list(fresh)


async def _require_changeable(connection: AsyncConnection, actor: Actor, selection_id: str) -> None:
    actor.require(Permission.EXAM_SESSION_MANAGE)
    own = (
        select(selections.c.id)
        .where(selections.c.id == selection_id, selections.c.agency_id == actor.agency_id)
        .with_for_update()
    )
    if (await connection.execute(own)).first() is None:
        raise Refused(Refusal.NOT_FOUND)
    if await _is_fixed(connection, selection_id):
        raise Refused(Refusal.CONFLICT, field="policy")


async def _is_fixed(connection: AsyncConnection, selection_id: str) -> bool:
    """Whether anybody of the selection has a sitting."""
    measured = exists().where(
        sittings.c.exam_session_id == exam_sessions.c.id, exam_sessions.c.selection_id == selection_id
    )
    return bool(await connection.scalar(select(measured)))


async def _require_new_title(
    connection: AsyncConnection, selection_id: str, title: str, *, but: str | None
) -> None:
    same = select(posts.c.id).where(posts.c.selection_id == selection_id, posts.c.title == title)
    if set(await connection.scalars(same)) - {but}:
        raise Refused(Refusal.CONFLICT, field="title")


def _selection_columns(draft: SelectionDraft) -> dict[str, Any]:
    return {
        "title": draft.title,
        "year": draft.year,
        "policy": msgspec.json.encode(draft.policy).decode(),
    }


def _rules_told(draft: SelectionDraft) -> dict[str, Any]:
    """The rules as the ledger keeps them: what was in force when somebody disputes a ranking."""
    return {"year": draft.year, "policy": msgspec.json.encode(draft.policy).decode()}


async def _note(
    connection: AsyncConnection,
    actor: Actor,
    action: str,
    selection_id: str,
    now_ms: int,
    detail: dict[str, Any],
) -> None:
    subject = f"selection:{selection_id}"
    await append(connection, actor, action=action, subject=subject, at_ms=now_ms, detail=detail)
