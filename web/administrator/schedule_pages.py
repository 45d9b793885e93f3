"""The form of an exam session: a new one, and one that is not open yet."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.rooms import rooms_of
from cat_engine.delivery.scheduling import Schedule, reschedule, schedule, start_at_ms
from cat_engine.delivery.tables import test_packages
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.panel.setup import apply_roster, selections_of_agency
from web.access import ExamSession, access_exam_session, access_selection
from web.administrator.exam_sessions import LIST_URL, session_url
from web.administrator.forms import Identity, Line, one_line, typed_again
from web.administrator.room_pages import LIST_URL as ROOMS_URL
from web.administrator.session_texts import default_texts, read_text, texts_as_typed
from web.administrator.setup_views import Choice, ScheduleView, SetupForm
from web.candidate.details import PledgeText
from web.formats import Zone
from web.language import LANGUAGES
from web.pages import Page, language_of, render
from web.refusals import STATUSES
from web.requests import WebRequest, read_form
from web.rules import actor_of, principal_of, requires
from web.services import services_of

RULE = requires(Permission.EXAM_SESSION_MANAGE)
NEW_URL = LIST_URL + "/new"
EDIT_PATH = LIST_URL + "/{exam_session_id:str}/edit"
MOST_LETTERS: Final = 6000

Text = Annotated[str, msgspec.Meta(max_length=MOST_LETTERS)]


class ScheduleForm(msgspec.Struct, frozen=True, kw_only=True):
    """An exam session."""

    title: Line
    room_id: Identity
    package_id: Identity
    selection_id: Identity = ""
    date: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    time: Annotated[str, msgspec.Meta(pattern=r"^\d{1,2}[:.]\d{2}$")]
    version: Annotated[str, msgspec.Meta(max_length=40)]
    rules_id: Text
    pledge_id: Text
    rules_en: Text
    pledge_en: Text


@get(NEW_URL, opt=RULE)
async def session_new_page(request: WebRequest) -> Page:
    """An empty form with the rules that ship with the program."""
    form = SetupForm(action_url=NEW_URL, values=texts_as_typed(default_texts()))
    return await _show(request, form, None)


@post(NEW_URL, opt=RULE, status_code=200)
async def session_create(request: WebRequest) -> Page | Redirect:
    """A new exam session."""
    services, actor = services_of(request), actor_of(request)
    try:
        form = await read_form(request, ScheduleForm)
        async with services.storage.transaction() as connection:
            wanted = await _read(connection, request, form, kept={})
            exam_session_id = await schedule(connection, actor, wanted, services.clock.now_ms())
    except Refused as refused:
        return await _show_again(request, NEW_URL, refused, None)
    return Redirect(session_url(exam_session_id), status_code=303)


@get(EDIT_PATH, opt=RULE)
async def session_edit_page(request: WebRequest, exam_session_id: FromPath[str]) -> Page:
    """The same form as it stands."""
    async with services_of(request).storage.reading() as connection:
        session = await _access(connection, request, exam_session_id)
    starts = datetime.fromtimestamp(session.starts_at_ms / 1000, UTC).astimezone(Zone[session.zone].offset)
    values = {
        "title": session.title,
        "room_id": session.room_id,
        "package_id": session.package_id,
        "selection_id": session.selection_id or "",
        "date": starts.date().isoformat(),
        "time": starts.strftime("%H:%M"),
        **texts_as_typed(_texts(session)),
    }
    form = SetupForm(action_url=f"{session_url(session.id)}/edit", values=values)
    return await _show(request, form, session)


@post(EDIT_PATH, opt=RULE, status_code=200)
async def session_edit(request: WebRequest, exam_session_id: FromPath[str]) -> Page | Redirect:
    """Change it, while it is not open. A roster that is there applies in a selection that is new to it."""
    services, actor = services_of(request), actor_of(request)
    async with services.storage.reading() as connection:
        session = await _access(connection, request, exam_session_id)
    now_ms = services.clock.now_ms()
    try:
        form = await read_form(request, ScheduleForm)
        async with services.storage.transaction() as connection:
            wanted = await _read(connection, request, form, kept=_texts(session))
            await reschedule(connection, actor, session.id, wanted, now_ms)
            if wanted.selection_id not in (None, session.selection_id):
                await apply_roster(
                    connection, actor, session.id, wanted.selection_id, now_ms, is_new_to_selection=True
                )
    except Refused as refused:
        return await _show_again(request, f"{session_url(session.id)}/edit", refused, session)
    return Redirect(session_url(session.id), status_code=303)


async def _access(connection: AsyncConnection, request: WebRequest, exam_session_id: str) -> ExamSession:
    return await access_exam_session(
        connection, actor_of(request), exam_session_id, Permission.EXAM_SESSION_MANAGE
    )


def _texts(session: ExamSession) -> dict[str, PledgeText]:
    return msgspec.json.decode(session.pledge, type=dict[str, PledgeText])


async def _read(
    connection: AsyncConnection, request: WebRequest, form: ScheduleForm, *, kept: Mapping[str, PledgeText]
) -> Schedule:
    """What the form says. A question for consent, which it does not show, stays as it was."""
    if form.selection_id:
        try:
            await access_selection(
                connection, actor_of(request), form.selection_id, Permission.EXAM_SESSION_MANAGE
            )
        except Refused:
            raise Refused(Refusal.FIELD_INVALID, field="selection_id") from None
    texts = {
        language: read_text(
            language,
            version=one_line(form.version),
            rules=getattr(form, f"rules_{language}"),
            pledge=getattr(form, f"pledge_{language}"),
            consent=kept[language].consent if language in kept else "",
        )
        for language in LANGUAGES
    }
    zone, now_ms = Zone[principal_of(request).zone], services_of(request).clock.now_ms()
    return Schedule(
        title=one_line(form.title),
        room_id=form.room_id,
        package_id=form.package_id,
        selection_id=form.selection_id or None,
        starts_at_ms=start_at_ms(form.date, form.time, zone.offset, now_ms),
        pledge=msgspec.json.encode(texts).decode(),
    )


async def _show_again(
    request: WebRequest, action_url: str, refused: Refused, session: ExamSession | None
) -> Page:
    values, refusal = await typed_again(request, refused)
    form = SetupForm(action_url=action_url, values=values, refusal=refusal)
    return await _show(request, form, session, STATUSES[refused.code])


async def _show(request: WebRequest, form: SetupForm, session: ExamSession | None, status: int = 200) -> Page:
    actor = actor_of(request)
    async with services_of(request).storage.reading() as connection:
        rooms = await rooms_of(connection, actor)
        packages = await _packages(connection, actor, language_of(request))
        selections = await selections_of_agency(connection, actor)
    view = ScheduleView(
        title=session.title if session else "",
        zone=principal_of(request).zone,
        rooms=tuple((room.id, f"{room.name}, {room.building} ({room.seats})") for room in rooms),
        packages=packages,
        selections=tuple((line.id, f"{line.title} ({line.year})") for line in selections),
        form=form,
        rooms_url=ROOMS_URL,
        back_url=session_url(session.id) if session else LIST_URL,
    )
    return render(request, "administrator/schedule.html", view, status)


async def _packages(connection: AsyncConnection, actor: Actor, language: str) -> tuple[Choice, ...]:
    """The agency's test packages, the newest first, by code, version and title."""
    actor.require(Permission.PACKAGE_READ)
    rows = await connection.execute(
        select(test_packages.c.id, test_packages.c.code, test_packages.c.version, test_packages.c.title)
        .where(test_packages.c.agency_id == actor.agency_id)
        .order_by(test_packages.c.published_at_ms.desc(), test_packages.c.id)
    )
    found = []
    for row in rows:
        titles = msgspec.json.decode(row.title, type=dict[str, str])
        title = titles.get(language) or next(iter(titles.values()), "")
        found.append((row.id, f"{row.code} v{row.version}: {title}"))
    return tuple(found)


route_handlers = (session_new_page, session_create, session_edit_page, session_edit)
