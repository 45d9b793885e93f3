"""Releasing results: choose, be told what will happen, do it."""

from typing import Annotated, Final

import msgspec
from litestar import get, post
from litestar.response import Redirect
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.results.release import release
from cat_engine.talent.postings import DEFAULT_CONNECTOR, promise
from cat_engine.talent.tables import connector_settings
from web.access import access_staff_sitting
from web.language import Translator
from web.pages import Page, render, translator_of
from web.requests import WebRequest, read_form
from web.results.views import ConfirmView, WaitingLine, WaitingView
from web.results.waiting import MOST_SITTINGS, waiting_groups
from web.rules import actor_of, requires
from web.services import services_of

URL: Final = "/results"
CONFIRM_URL: Final = f"{URL}/confirm"
RELEASE_URL: Final = f"{URL}/release"
RULE = requires(Permission.RESULT_RELEASE)

SittingId = Annotated[str, msgspec.Meta(max_length=36)]


class ChooseForm(msgspec.Struct, frozen=True, kw_only=True):
    """The sittings that were ticked."""

    sitting_id: tuple[SittingId, ...] = ()


class ReleaseForm(msgspec.Struct, frozen=True, kw_only=True):
    """The same, confirmed."""

    sitting_id: tuple[SittingId, ...]
    confirm: Annotated[str, msgspec.Meta(max_length=1)]


@get(URL, opt=RULE)
async def waiting_page(request: WebRequest) -> Page:
    """What waits for release in the selections of this chair."""
    text = request.query_params.get("released", "")
    released = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    return render(request, "results/waiting.html", await _waiting(request, released=released))


@post(CONFIRM_URL, opt=RULE, status_code=200)
async def confirm_page(request: WebRequest) -> Page:
    """What releasing these would do, with the numbers; nothing has happened yet."""
    form = await read_form(request, ChooseForm)
    if not form.sitting_id:
        again = await _waiting(request, is_nothing_chosen=True)
        return render(request, "results/waiting.html", again, status=422)
    async with services_of(request).storage.reading() as connection:
        lines = await _chosen(connection, actor_of(request), form.sitting_id)
        connectors = await _connectors(connection, actor_of(request), translator_of(request))
    view = ConfirmView(
        sitting_ids=tuple(line.sitting_id for line in lines),
        partial=sum(line.completeness != "complete" for line in lines),
        with_incidents=sum(line.pauses > 0 or line.ended_by == "proctor" for line in lines),
        connectors=connectors,
        release_url=RELEASE_URL,
        back_url=URL,
    )
    return render(request, "results/confirm.html", view)


@post(RELEASE_URL, opt=RULE, status_code=200)
async def release_results(request: WebRequest) -> Redirect:
    """Release: reports, numbers and promised postings, each sitting in one transaction."""
    form = await read_form(request, ReleaseForm)
    services, actor = services_of(request), actor_of(request)
    async with services.storage.reading() as connection:
        lines = await _chosen(connection, actor, form.sitting_id)
    wanted = [line.sitting_id for line in lines]
    reports = await release(
        services.storage, services.sittings, promise, actor, wanted, services.clock.now_ms()
    )
    return Redirect(f"{URL}?released={len(reports)}", status_code=303)


async def _chosen(
    connection: AsyncConnection, actor: Actor, sitting_ids: tuple[str, ...]
) -> list[WaitingLine]:
    """The chosen sittings, each authorised; refused as a whole when one is gone, released, or not intact."""
    for sitting_id in dict.fromkeys(sitting_ids):
        await access_staff_sitting(connection, actor, sitting_id, Permission.RESULT_RELEASE)
    groups = await waiting_groups(connection, actor, sitting_ids)
    lines = [line for group in groups for line in group.lines]
    if len(lines) != len(set(sitting_ids)):
        raise Refused(Refusal.RESULT_ALREADY_RELEASED)
    if not all(line.is_intact for line in lines):
        raise Refused(Refusal.CONFLICT)
    return lines


async def _waiting(request: WebRequest, *, released: int = 0, is_nothing_chosen: bool = False) -> WaitingView:
    async with services_of(request).storage.reading() as connection:
        groups = await waiting_groups(connection, actor_of(request))
    return WaitingView(
        groups=groups,
        choose_url=CONFIRM_URL,
        released=released,
        is_nothing_chosen=is_nothing_chosen,
        is_cut_off=sum(len(group.lines) for group in groups) == MOST_SITTINGS,
    )


async def _connectors(connection: AsyncConnection, actor: Actor, t: Translator) -> tuple[str, ...]:
    """Where each report goes, by the names that people know."""
    configured = await connection.execute(
        select(connector_settings.c.connector)
        .where(connector_settings.c.agency_id == actor.agency_id)
        .order_by(connector_settings.c.connector)
    )
    return tuple(connector_name(t, name) for name in configured.scalars().all() or [DEFAULT_CONNECTOR])


def connector_name(t: Translator, name: str) -> str:
    """Ours have a name in the catalogue; one from another distribution is called as it calls itself."""
    key = f"results.connector.{name}"
    return t(key) if t.has(key) else name


route_handlers = (waiting_page, confirm_page, release_results)
