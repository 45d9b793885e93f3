"""One selection: its posts and its panel, each with the form that changes them."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.panel.setup import (
    PostDraft,
    SelectionSetup,
    add_post,
    change_post,
    find_post,
    selection_setup,
    set_members,
)
from web.access import PANEL_ROLES
from web.accounts.staff import roles_by_account
from web.accounts.tables import account_roles, accounts
from web.administrator.forms import Identity, Line, one_line, typed_again
from web.administrator.selection_pages import LIST_URL, selection_url
from web.administrator.setup_views import MemberLine, PostLine, PostView, SelectionView, SetupForm
from web.language import Translator
from web.pages import Page, formats_of, render, translator_of
from web.refusals import STATUSES
from web.requests import WebRequest, read_form
from web.rules import actor_of, requires
from web.services import services_of

RULE = requires(Permission.EXAM_SESSION_MANAGE)
PATH = LIST_URL + "/{selection_id:str}"
POST_PATH = "/administrator/posts/{post_id:str}"


class PostForm(msgspec.Struct, frozen=True, kw_only=True):
    """A vacancy."""

    title: Line
    unit: Line
    required_level: Annotated[int, msgspec.Meta(ge=1, le=5)]

    @property
    def draft(self) -> PostDraft:
        """As the panel keeps it."""
        return PostDraft(
            title=one_line(self.title), unit=one_line(self.unit), required_level=self.required_level
        )


class MembersForm(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts that were ticked."""

    account_id: tuple[Identity, ...] = ()


@get(PATH, opt=RULE)
async def setup_page(request: WebRequest, selection_id: FromPath[str]) -> Page:
    """One selection."""
    return await _show(request, selection_id)


@post(PATH + "/posts", opt=RULE, status_code=200)
async def post_create(request: WebRequest, selection_id: FromPath[str]) -> Page | Redirect:
    """A new vacancy."""
    services, actor = services_of(request), actor_of(request)
    async with services.storage.reading() as connection:
        setup = await selection_setup(connection, actor, selection_id)
    try:
        form = await read_form(request, PostForm)
        async with services.storage.transaction() as connection:
            await add_post(connection, actor, setup.id, form.draft, services.clock.now_ms())
    except Refused as refused:
        values, refusal = await typed_again(request, refused)
        again = SetupForm(action_url=f"{selection_url(setup.id)}/posts", values=values, refusal=refusal)
        return await _show(request, setup.id, post_form=again, status=STATUSES[refused.code])
    return Redirect(selection_url(setup.id), status_code=303)


@post(PATH + "/members", opt=RULE, status_code=200)
async def members_set(request: WebRequest, selection_id: FromPath[str]) -> Page | Redirect:
    """Exactly the ticked accounts sit on the panel; each signs the statement itself."""
    services, actor = services_of(request), actor_of(request)
    async with services.storage.reading() as connection:
        setup = await selection_setup(connection, actor, selection_id)
    try:
        form = await read_form(request, MembersForm)
        async with services.storage.transaction() as connection:
            await _require_eligible(connection, actor, setup, form.account_id)
            await set_members(connection, actor, setup.id, form.account_id, services.clock.now_ms())
    except Refused as refused:
        _, refusal = await typed_again(request, refused)
        again = SetupForm(action_url=f"{selection_url(setup.id)}/members", refusal=refusal)
        return await _show(request, setup.id, member_form=again, status=STATUSES[refused.code])
    return Redirect(selection_url(setup.id), status_code=303)


@get(POST_PATH, opt=RULE)
async def setup_post_page(request: WebRequest, post_id: FromPath[str]) -> Page:
    """One vacancy, to be corrected."""
    async with services_of(request).storage.reading() as connection:
        _, draft = await find_post(connection, actor_of(request), post_id)
    values = {"title": draft.title, "unit": draft.unit, "required_level": str(draft.required_level)}
    return await _show_post(request, post_id, SetupForm(action_url=_post_url(post_id), values=values))


@post(POST_PATH, opt=RULE, status_code=200)
async def post_edit(request: WebRequest, post_id: FromPath[str]) -> Page | Redirect:
    """Other words or another level, while nobody was measured."""
    services, actor = services_of(request), actor_of(request)
    async with services.storage.reading() as connection:
        selection_id, _ = await find_post(connection, actor, post_id)
    try:
        form = await read_form(request, PostForm)
        async with services.storage.transaction() as connection:
            await change_post(connection, actor, post_id, form.draft, services.clock.now_ms())
    except Refused as refused:
        values, refusal = await typed_again(request, refused)
        again = SetupForm(action_url=_post_url(post_id), values=values, refusal=refusal)
        return await _show_post(request, post_id, again, STATUSES[refused.code])
    return Redirect(selection_url(selection_id), status_code=303)


def _post_url(post_id: str) -> str:
    return f"/administrator/posts/{post_id}"


async def _show_post(request: WebRequest, post_id: str, form: SetupForm, status: int = 200) -> Page:
    async with services_of(request).storage.reading() as connection:
        selection_id, draft = await find_post(connection, actor_of(request), post_id)
        setup = await selection_setup(connection, actor_of(request), selection_id)
    view = PostView(
        title=draft.title, selection_title=setup.title, form=form, back_url=selection_url(setup.id)
    )
    return render(request, "administrator/post.html", view, status)


async def _require_eligible(
    connection: AsyncConnection, actor: Actor, setup: SelectionSetup, account_ids: tuple[str, ...]
) -> None:
    """Whoever is added has a role on panels in this agency; whoever is a member may stay as one."""
    eligible = {account_id for account_id, _ in await _panel_accounts(connection, actor)}
    known = {member.account_id for member in setup.members}
    if not set(account_ids) <= eligible | known:
        raise Refused(Refusal.FIELD_INVALID, field="account_id")


async def _panel_accounts(connection: AsyncConnection, actor: Actor) -> list[tuple[str, str]]:
    """Accounts in use that a role puts on panels: identity and name."""
    rows = await connection.execute(
        select(accounts.c.id, accounts.c.name)
        .join(account_roles, account_roles.c.account_id == accounts.c.id)
        .where(
            accounts.c.agency_id == actor.agency_id,
            accounts.c.is_disabled.is_(False),
            account_roles.c.role.in_([role.value for role in PANEL_ROLES]),
        )
        .distinct()
        .order_by(accounts.c.name, accounts.c.id)
    )
    return [(row.id, row.name) for row in rows]


async def _member_lines(
    connection: AsyncConnection, actor: Actor, setup: SelectionSetup, t: Translator
) -> tuple[MemberLine, ...]:
    """Everybody who may sit on the panel, and those who do although they no longer may."""
    names = dict(await _panel_accounts(connection, actor))
    signed = {member.account_id: member.statement_at_ms for member in setup.members}
    gone = [account_id for account_id in signed if account_id not in names]
    if gone:
        rows = await connection.execute(
            select(accounts.c.id, accounts.c.name)
            .where(accounts.c.id.in_(gone), accounts.c.agency_id == actor.agency_id)
            .order_by(accounts.c.name, accounts.c.id)
        )
        names |= {row.id: row.name for row in rows}
    roles = await roles_by_account(connection, list(names))
    return tuple(
        MemberLine(
            account_id=account_id,
            name=name,
            roles=tuple(
                t(f"accounts.role.{role}") for role in roles.get(account_id, ()) if role in PANEL_ROLES
            ),
            is_member=account_id in signed,
            statement_at_ms=signed.get(account_id),
        )
        for account_id, name in names.items()
    )


async def _show(
    request: WebRequest,
    selection_id: str,
    *,
    post_form: SetupForm | None = None,
    member_form: SetupForm | None = None,
    status: int = 200,
) -> Page:
    t, formats, actor = translator_of(request), formats_of(request), actor_of(request)
    async with services_of(request).storage.reading() as connection:
        setup = await selection_setup(connection, actor, selection_id)
        members = await _member_lines(connection, actor, setup, t)
    url, policy = selection_url(setup.id), setup.policy
    cut = policy.cut_score
    view = SelectionView(
        title=setup.title,
        year=setup.year,
        cut_score="" if cut is None else formats.number(float(cut), 0 if cut % 1 == 0 else 2),
        places=policy.places,
        weights=tuple(policy.weights.items()),
        tie_break=policy.tie_break,
        names_open=policy.names_open,
        is_fixed=setup.is_fixed,
        posts=tuple(
            PostLine(
                url=_post_url(line.id),
                title=line.title,
                unit=line.unit,
                required_level=line.required_level,
                applications=line.applications,
            )
            for line in setup.posts
        ),
        members=members,
        post_form=post_form or SetupForm(action_url=f"{url}/posts"),
        member_form=member_form or SetupForm(action_url=f"{url}/members"),
        edit_url=f"{url}/edit",
        back_url=LIST_URL,
    )
    return render(request, "administrator/selection.html", view, status)


route_handlers = (setup_page, post_create, members_set, setup_post_page, post_edit)
