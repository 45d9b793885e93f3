"""Rooms: the list with the form for a new one, and one room with its seat plan."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect

from cat_engine.delivery.rooms import MOST_COLUMNS, MOST_ROWS, Room, create_room, find_room, rooms_of
from cat_engine.foundation.actors import Permission
from cat_engine.foundation.refusals import Refused
from web.administrator.exam_sessions import LIST_URL as SESSIONS_URL
from web.administrator.forms import Line, one_line, typed_again
from web.administrator.setup_views import PlanRow, RoomLine, RoomListView, RoomView, SetupForm
from web.pages import Page, render
from web.refusals import STATUSES
from web.requests import WebRequest, read_form
from web.rules import actor_of, requires
from web.services import services_of

RULE = requires(Permission.EXAM_SESSION_MANAGE)
LIST_URL = "/administrator/rooms"


class RoomForm(msgspec.Struct, frozen=True, kw_only=True):
    """A new room."""

    name: Annotated[str, msgspec.Meta(max_length=120)]
    building: Line
    rows: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)]
    columns: Annotated[int, msgspec.Meta(ge=1, le=MOST_COLUMNS)]


@get(LIST_URL, opt=RULE)
async def room_list_page(request: WebRequest) -> Page:
    """The agency's rooms."""
    return await _show_list(request, SetupForm(action_url=LIST_URL))


@post(LIST_URL, opt=RULE, status_code=200)
async def room_create(request: WebRequest) -> Page | Redirect:
    """A room with all its seats."""
    services = services_of(request)
    try:
        form = await read_form(request, RoomForm)
        async with services.storage.transaction() as connection:
            room_id = await create_room(
                connection,
                actor_of(request),
                name=one_line(form.name),
                building=one_line(form.building),
                rows=form.rows,
                columns=form.columns,
                now_ms=services.clock.now_ms(),
            )
    except Refused as refused:
        values, refusal = await typed_again(request, refused)
        again = SetupForm(action_url=LIST_URL, values=values, refusal=refusal)
        return await _show_list(request, again, STATUSES[refused.code])
    return Redirect(f"{LIST_URL}/{room_id}", status_code=303)


@get(LIST_URL + "/{room_id:str}", opt=RULE)
async def room_page(request: WebRequest, room_id: FromPath[str]) -> Page:
    """One room with its seat plan."""
    async with services_of(request).storage.reading() as connection:
        room = await find_room(connection, actor_of(request), room_id)
    plan = seat_plan(room)
    view = RoomView(
        name=room.name,
        building=room.building,
        seats=len(room.seats),
        columns=len(plan[0].seats) if plan else 0,
        plan=plan,
        back_url=LIST_URL,
    )
    return render(request, "administrator/room.html", view)


def seat_plan(room: Room) -> tuple[PlanRow, ...]:
    """The seats where they stand; rows and columns are counted from one, whatever number they begin with."""
    if not room.seats:
        return ()
    labels = {(seat.row, seat.column): seat.label for seat in room.seats}
    rows, columns = ({place[axis] for place in labels} for axis in (0, 1))
    return tuple(
        PlanRow(
            number=number,
            seats=tuple(labels.get((row, column), "") for column in range(min(columns), max(columns) + 1)),
        )
        for number, row in enumerate(range(min(rows), max(rows) + 1), start=1)
    )


async def _show_list(request: WebRequest, form: SetupForm, status: int = 200) -> Page:
    async with services_of(request).storage.reading() as connection:
        found = await rooms_of(connection, actor_of(request))
    view = RoomListView(
        rooms=tuple(
            RoomLine(url=f"{LIST_URL}/{room.id}", name=room.name, building=room.building, seats=room.seats)
            for room in found
        ),
        form=form,
        back_url=SESSIONS_URL,
    )
    return render(request, "administrator/rooms.html", view, status)


route_handlers = (room_list_page, room_create, room_page)
