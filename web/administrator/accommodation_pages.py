"""Extra time for one person on a roster, as long as there is no sitting."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import select

from cat_engine.delivery.scheduling import set_accommodation
from cat_engine.delivery.tables import sittings
from cat_engine.foundation.actors import Permission
from cat_engine.foundation.refusals import Refused
from web.access import RosterEntry, access_exam_session, access_roster_entry
from web.administrator.exam_sessions import session_url
from web.administrator.forms import Line, one_line, typed_again
from web.administrator.setup_views import AccommodationView, SetupForm
from web.pages import Page, render
from web.refusals import STATUSES
from web.requests import WebRequest, read_form
from web.rules import actor_of, requires
from web.services import services_of

RULE = requires(Permission.ROSTER_MANAGE)
PATH = "/administrator/roster-entries/{roster_entry_id:str}/accommodation"


class AccommodationForm(msgspec.Struct, frozen=True, kw_only=True):
    """Whole minutes and the ground; how many are allowed is delivery's to say."""

    minutes: Annotated[int, msgspec.Meta(ge=-100_000, le=100_000)]
    note: Line = ""


def accommodation_url(roster_entry_id: str) -> str:
    """The page of one person's extra time."""
    return f"/administrator/roster-entries/{roster_entry_id}/accommodation"


@get(PATH, opt=RULE)
async def accommodation_page(request: WebRequest, roster_entry_id: FromPath[str]) -> Page:
    """What was granted, and the form as long as it can be changed."""
    entry = await _access(request, roster_entry_id)
    values = {"minutes": str(entry.accommodation_s // 60), "note": entry.accommodation_note}
    return await _show(request, entry, SetupForm(action_url=accommodation_url(entry.id), values=values))


@post(PATH, opt=RULE, status_code=200)
async def accommodation_set(request: WebRequest, roster_entry_id: FromPath[str]) -> Page | Redirect:
    """Grant it, change it, or with zero minutes take it back."""
    services, entry = services_of(request), await _access(request, roster_entry_id)
    try:
        form = await read_form(request, AccommodationForm)
        async with services.storage.transaction() as connection:
            await set_accommodation(
                connection,
                actor_of(request),
                entry.id,
                minutes=form.minutes,
                note=one_line(form.note) if form.minutes else "",
                now_ms=services.clock.now_ms(),
            )
    except Refused as refused:
        values, refusal = await typed_again(request, refused)
        again = SetupForm(action_url=accommodation_url(entry.id), values=values, refusal=refusal)
        return await _show(request, entry, again, STATUSES[refused.code])
    return Redirect(f"{session_url(entry.exam_session_id)}/roster", status_code=303)


async def _access(request: WebRequest, roster_entry_id: str) -> RosterEntry:
    async with services_of(request).storage.reading() as connection:
        return await access_roster_entry(
            connection, actor_of(request), roster_entry_id, Permission.ROSTER_MANAGE
        )


async def _show(request: WebRequest, entry: RosterEntry, form: SetupForm, status: int = 200) -> Page:
    async with services_of(request).storage.reading() as connection:
        session = await access_exam_session(
            connection, actor_of(request), entry.exam_session_id, Permission.ROSTER_MANAGE
        )
        sitting = select(sittings.c.id).where(sittings.c.roster_entry_id == entry.id)
        has_sitting = (await connection.execute(sitting)).first() is not None
    view = AccommodationView(
        name=entry.person_name,
        candidate_number=entry.candidate_number,
        session_title=session.title,
        can_change=session.status != "closed" and not has_sitting,
        form=form,
        back_url=f"{session_url(session.id)}/roster",
    )
    return render(request, "administrator/accommodation.html", view, status)


route_handlers = (accommodation_page, accommodation_set)
