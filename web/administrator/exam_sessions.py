"""Exam sessions: the list and one session."""

from litestar import get
from litestar.params import FromPath
from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.tables import exam_sessions, rooms, roster_entries, seats, test_packages
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.panel.tables import selections
from web.access import ExamSession, access_exam_session
from web.administrator.views import SessionLine, SessionListView, SessionView
from web.pages import Page, render
from web.requests import WebRequest
from web.rules import actor_of, requires
from web.services import services_of

LIST_URL = "/administrator/exam-sessions"


def session_url(exam_session_id: str) -> str:
    """The page of one exam session."""
    return f"{LIST_URL}/{exam_session_id}"


@get(LIST_URL, opt=requires(Permission.EXAM_SESSION_MANAGE))
async def session_list_page(request: WebRequest) -> Page:
    """The agency's exam sessions, newest first."""
    async with services_of(request).storage.reading() as connection:
        lines = await _session_lines(connection, actor_of(request))
    view = SessionListView(
        sessions=lines,
        new_url=f"{LIST_URL}/new",
        rooms_url="/administrator/rooms",
        selections_url="/administrator/selections",
    )
    return render(request, "administrator/exam_sessions.html", view)


@get(LIST_URL + "/{exam_session_id:str}", opt=requires(Permission.EXAM_SESSION_MANAGE))
async def session_page(request: WebRequest, exam_session_id: FromPath[str]) -> Page:
    """One exam session: its facts, and how far its roster is."""
    async with services_of(request).storage.reading() as connection:
        session = await access_exam_session(
            connection, actor_of(request), exam_session_id, Permission.EXAM_SESSION_MANAGE
        )
        view = await _session_view(connection, session)
    return render(request, "administrator/exam_session.html", view)


async def _session_lines(connection: AsyncConnection, actor: Actor) -> tuple[SessionLine, ...]:
    candidates = (
        select(func.count())
        .where(roster_entries.c.exam_session_id == exam_sessions.c.id)
        .scalar_subquery()
        .label("candidates")
    )
    rows = await connection.execute(
        select(
            exam_sessions,
            rooms.c.name.label("room"),
            test_packages.c.code,
            test_packages.c.version,
            candidates,
        )
        .join(rooms, rooms.c.id == exam_sessions.c.room_id)
        .join(test_packages, test_packages.c.id == exam_sessions.c.package_id)
        .where(exam_sessions.c.agency_id == actor.agency_id)
        .order_by(exam_sessions.c.starts_at_ms.desc(), exam_sessions.c.id)
    )
    return tuple(
        SessionLine(
            url=session_url(row.id),
            title=row.title,
            room=row.room,
            package=f"{row.code} v{row.version}",
            starts_at_ms=row.starts_at_ms,
            status=row.status,
            candidates=row.candidates,
        )
        for row in rows
    )


async def _session_view(connection: AsyncConnection, session: ExamSession) -> SessionView:
    without_slip = func.coalesce(func.sum(case((roster_entries.c.pin_hash == "", 1), else_=0)), 0)
    on_roster = (
        await connection.execute(
            select(func.count().label("candidates"), without_slip.label("without_slip")).where(
                roster_entries.c.exam_session_id == session.id
            )
        )
    ).one()
    seat_count = select(func.count()).select_from(seats).where(seats.c.room_id == session.room_id)
    package = (
        await connection.execute(
            select(test_packages.c.code, test_packages.c.version).where(
                test_packages.c.id == session.package_id
            )
        )
    ).one()
    title = select(selections.c.title).where(selections.c.id == session.selection_id)
    return SessionView(
        title=session.title,
        room=session.room_name,
        package=f"{package.code} v{package.version}",
        selection=await connection.scalar(title) or "",
        starts_at_ms=session.starts_at_ms,
        status=session.status,
        candidates=on_roster.candidates,
        seats=(await connection.execute(seat_count)).scalar_one(),
        without_slip=on_roster.without_slip,
        roster_url=f"{session_url(session.id)}/roster",
        edit_url=f"{session_url(session.id)}/edit" if session.status == "scheduled" else "",
        back_url=LIST_URL,
    )


route_handlers = (session_list_page, session_page)
