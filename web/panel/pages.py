"""The panel's pages: selections, the statement before anything opens, a selection and its posts."""

import hashlib
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import select

from cat_engine.foundation.actors import Permission
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.panel import selections
from cat_engine.panel.selections import SelectionPolicy
from cat_engine.panel.tables import panel_members
from web.access import Selection, access_selection, reaches_as_panel_only
from web.language import Translator
from web.pages import Page, render, translator_of
from web.panel.views import (
    PostLine,
    RuleFacts,
    SelectionLine,
    SelectionListView,
    SelectionView,
    StatementView,
)
from web.requests import WebRequest, read_form
from web.rules import actor_of, requires
from web.services import services_of

URL = "/panel"
RULE = requires(Permission.SELECTION_READ)
STATEMENT_SENTENCES = (
    "panel.statement.family",
    "panel.statement.interest",
    "panel.statement.independent",
    "panel.statement.secret",
    "panel.statement.withdraw",
)


def selection_url(selection_id: str) -> str:
    """The page of one selection."""
    return f"{URL}/selections/{selection_id}"


def statement_url(selection_id: str) -> str:
    """The page on which a member signs."""
    return f"{selection_url(selection_id)}/statement"


def post_url(post_id: str) -> str:
    """The page of one post."""
    return f"{URL}/posts/{post_id}"


@get(URL, opt=RULE)
async def selection_list_page(request: WebRequest) -> Page:
    """The selections of whoever asks, the newest year first."""
    actor = actor_of(request)
    async with services_of(request).storage.reading() as connection:
        rows = await selections.selections_of(connection, actor)
    is_member = reaches_as_panel_only(actor, Permission.SELECTION_READ)
    lines = tuple(
        SelectionLine(
            url=selection_url(row.id) if row.is_signed or not is_member else statement_url(row.id),
            title=row.title,
            year=row.year,
            posts=row.posts,
            is_signed=row.is_signed,
            asks_statement=is_member,
        )
        for row in rows
    )
    return render(request, "panel/selections.html", SelectionListView(selections=lines))


@get(URL + "/selections/{selection_id:str}", opt=RULE)
async def selection_page(request: WebRequest, selection_id: FromPath[str]) -> Page | Redirect:
    """A selection with its posts; whoever has not signed is led to the statement."""
    actor = actor_of(request)
    try:
        async with services_of(request).storage.reading() as connection:
            await access_selection(connection, actor, selection_id)
            found = await selections.selection(connection, actor, selection_id)
    except Refused as refused:
        if refused.code is not Refusal.CONFLICT_STATEMENT_MISSING:
            raise
        return Redirect(statement_url(selection_id), status_code=303)
    view = SelectionView(
        title=found.title,
        year=found.year,
        rules=rule_facts(found.policy),
        posts=tuple(
            PostLine(
                url=post_url(post.id),
                title=post.title,
                unit=post.unit,
                required_level=post.required_level,
                applicants=post.applicants,
            )
            for post in found.posts
        ),
        statement_url=statement_url(selection_id)
        if reaches_as_panel_only(actor, Permission.SELECTION_READ)
        else "",
        back_url=URL,
    )
    return render(request, "panel/selection.html", view)


def rule_facts(policy: SelectionPolicy) -> RuleFacts:
    """The policy as the pages show it."""
    return RuleFacts(
        cut_score=policy.cut_score,
        places=policy.places,
        weights=tuple(sorted(policy.weights.items(), key=lambda part: (-part[1], part[0]))),
        tie_break=policy.tie_break,
        is_example=policy.is_example,
    )


# ------------------------------------------------------------------------------------------- the statement


class StatementForm(msgspec.Struct, frozen=True, kw_only=True):
    """The text that was read, by its hash, and the signature."""

    text_hash: Annotated[str, msgspec.Meta(max_length=64)]
    accepted: Annotated[str, msgspec.Meta(max_length=4)] = ""


@get(URL + "/selections/{selection_id:str}/statement", opt=RULE)
async def statement_page(request: WebRequest, selection_id: FromPath[str]) -> Page:
    """The text, and the form or the moment of signing."""
    return render(request, "panel/statement.html", await _statement(request, selection_id))


@post(URL + "/selections/{selection_id:str}/statement", opt=RULE, status_code=200)
async def sign_statement(request: WebRequest, selection_id: FromPath[str]) -> Page | Redirect:
    """Sign. Only the text that is in force can be signed, in either language."""
    form = await read_form(request, StatementForm)
    services, actor = services_of(request), actor_of(request)
    view = await _statement(request, selection_id)
    if form.text_hash not in {statement_hash(t) for t in services.translators.values()}:
        raise Refused(Refusal.PLEDGE_TEXT_CHANGED)
    if not form.accepted:
        refused = msgspec.structs.replace(view, error=translator_of(request)("panel.statement.not_accepted"))
        return render(request, "panel/statement.html", refused, status=422)
    await selections.sign_statement(
        services.storage, actor, selection_id, services.clock.now_ms(), text_hash=form.text_hash
    )
    return Redirect(selection_url(selection_id), status_code=303)


async def _statement(request: WebRequest, selection_id: str) -> StatementView:
    services, actor = services_of(request), actor_of(request)
    async with services.storage.reading() as connection:
        found = await access_selection(connection, actor, selection_id, before_statement=True)
        member = await connection.scalar(
            select(panel_members.c.account_id).where(
                panel_members.c.selection_id == found.id, panel_members.c.account_id == actor.subject_id
            )
        )
    if member is None:  # an auditor reads without being asked for a statement
        raise Refused(Refusal.NOT_FOUND)
    return _statement_view(found, actor.name, translator_of(request))


def _statement_view(found: Selection, member: str, t: Translator) -> StatementView:
    return StatementView(
        title=found.title,
        year=found.year,
        member=member,
        text_hash=statement_hash(t),
        sign_url=statement_url(found.id),
        selection_url=selection_url(found.id),
        back_url=URL,
        signed_at_ms=found.statement_at_ms,
    )


def statement_hash(t: Translator) -> str:
    """SHA-256 over the sentences of the statement in one language: what the ledger says was signed."""
    return hashlib.sha256("\n".join(t(key) for key in STATEMENT_SENTENCES).encode()).hexdigest()


route_handlers = (selection_list_page, selection_page, statement_page, sign_statement)
