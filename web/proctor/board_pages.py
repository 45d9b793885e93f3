"""The proctor's list of exam sessions, the room board, the projector, opening and closing."""

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect

from cat_engine.core.transitions import UNFINISHED, Status
from cat_engine.delivery.exam_sessions import close_session, open_session
from cat_engine.foundation.actors import Permission
from cat_engine.foundation.refusals import Refusal
from cat_engine.proctoring.acts import VERBS
from web.access import ExamSession, access_exam_session
from web.formats import Zone
from web.pages import Page, render, render_fragment, translator_of
from web.proctor import board
from web.proctor.views import (
    ActResult,
    Affected,
    BoardView,
    RefusedLine,
    RoomView,
    RosterSeat,
    Seat,
    SessionListView,
    SwitchView,
)
from web.refusals import is_htmx, refusal_sentence
from web.requests import WebRequest
from web.rules import actor_of, requires
from web.services import services_of

RULE = requires(Permission.EXAM_SESSION_PROCTOR)
PATH = board.BASE_URL + "/exam-sessions/{exam_session_id:str}"
DAY_S = 24 * 60 * 60


async def access_session(request: WebRequest, exam_session_id: str) -> ExamSession:
    """The exam session in the address, if the proctor's agency holds it."""
    async with services_of(request).storage.reading() as connection:
        return await access_exam_session(
            connection, actor_of(request), exam_session_id, Permission.EXAM_SESSION_PROCTOR
        )


@get(board.BASE_URL, opt=RULE)
async def proctor_list_page(request: WebRequest) -> Page:
    """The agency's exam sessions, open rooms first."""
    async with services_of(request).storage.reading() as connection:
        lines = await board.read_sessions(connection, actor_of(request))
    return render(request, "proctor/exam_sessions.html", SessionListView(sessions=lines))


@get(PATH, opt=RULE)
async def board_page(request: WebRequest, exam_session_id: FromPath[str]) -> Page:
    """The room board; htmx asks the same address for the part that changes."""
    session = await access_session(request, exam_session_id)
    view = await _board_view(request, session)
    if is_htmx(request):
        return render_fragment(request, "proctor/board_fragment.html", view)
    return render(request, "proctor/board.html", view)


async def _board_view(request: WebRequest, session: ExamSession) -> BoardView:
    services, t = services_of(request), translator_of(request)
    now_ms = services.clock.now_ms()
    found = await board.read_seats(services, session, t, now_ms)
    expected: tuple[RosterSeat, ...] = ()
    if not found:
        async with services.storage.reading() as connection:
            expected = await board.read_expected(connection, session.id)
    head = board.head_of(session)
    state = request.query_params.get("state", "")
    state = state if state in board.FILTERS else ""
    return BoardView(
        head=head,
        list_url=board.BASE_URL,
        poll_url=f"{head.url}?state={state}" if state else head.url,
        confirm_url=f"{head.url}/confirm",
        room_url=f"{head.url}/room",
        open_url=f"{head.url}/open",
        close_url=f"{head.url}/close",
        state=state,
        filters=board.filters_of(found, head.url, state),
        seats=tuple(seat for seat in found if board.belongs(seat, state)),
        total=len(found),
        waiting=sum(seat.status == Status.WAITING for seat in found),
        attention=sum(board.belongs(seat, board.ATTENTION) for seat in found),
        at_ms=now_ms,
        selected=frozenset(request.query_params.getall("sittings", [])),
        expected=expected,
        result=_result(request, found),
        nothing_selected=request.query_params.get("notice") == "nothing_selected",
    )


def _result(request: WebRequest, found: tuple[Seat, ...]) -> ActResult | None:
    """What an act before this page did: `act`, how many it was `done` to, and `refused` as sitting:code."""
    act, done = request.query_params.get("act", ""), request.query_params.get("done", "")
    if act not in VERBS or not (done.isascii() and done.isdigit() and len(done) < 6):
        return None
    t, by_id = translator_of(request), {seat.sitting_id: seat for seat in found}
    refused = []
    for text in request.query_params.getall("refused", []):
        sitting_id, _, code = text.partition(":")
        seat = by_id.get(sitting_id)
        if seat is not None and code in Refusal.__members__.values():
            sentence = refusal_sentence(t, Refusal(code))
            refused.append(RefusedLine(name=seat.name, seat=seat.seat, sentence=sentence))
    return ActResult(act=act, done=int(done), refused=tuple(refused))


def affected_of(seat: Seat) -> Affected:
    """The person as a confirmation names them."""
    return Affected(
        sitting_id=seat.sitting_id,
        seat=seat.seat,
        name=seat.name,
        candidate_number=seat.candidate_number,
        status=seat.status,
    )


# -------------------------------------------------------------------------------------- opening and closing


@get([PATH + "/open", PATH + "/close"], opt=RULE)
async def switch_page(request: WebRequest, exam_session_id: FromPath[str]) -> Page | Redirect:
    """What opening or closing the room will mean, before it is done."""
    session = await access_session(request, exam_session_id)
    head, act = board.head_of(session), request.url.path.rpartition("/")[2]
    if (act == "close") != (session.status == "open"):
        return Redirect(head.url, status_code=303)
    services = services_of(request)
    found = await board.read_seats(services, session, translator_of(request), services.clock.now_ms())
    async with services.storage.reading() as connection:
        candidates = len(await board.read_expected(connection, session.id))
    view = SwitchView(
        head=head,
        act=act,
        act_url=f"{head.url}/{act}",
        candidates=candidates,
        unfinished=tuple(affected_of(seat) for seat in found if seat.status in UNFINISHED),
    )
    return render(request, "proctor/switch.html", view)


@post(PATH + "/open", opt=RULE, status_code=303)
async def room_open(request: WebRequest, exam_session_id: FromPath[str]) -> Redirect:
    """Candidates may sign in from now on."""
    session = await access_session(request, exam_session_id)
    services = services_of(request)
    now_ms = services.clock.now_ms()
    await open_session(services.storage, services.packages, actor_of(request), session.id, now_ms)
    return Redirect(board.session_url(session.id), status_code=303)


@post(PATH + "/close", opt=RULE, status_code=303)
async def room_close(request: WebRequest, exam_session_id: FromPath[str]) -> Redirect:
    """Nobody may sign in any more."""
    session = await access_session(request, exam_session_id)
    services = services_of(request)
    await close_session(services.storage, actor_of(request), session.id, services.clock.now_ms())
    return Redirect(board.session_url(session.id), status_code=303)


# --------------------------------------------------------------------------------------------- the projector


@get(PATH + "/room", opt=RULE)
async def room_page(request: WebRequest, exam_session_id: FromPath[str]) -> Page:
    """For everybody in the room: what session this is, the time, and what to do."""
    session = await access_session(request, exam_session_id)
    services = services_of(request)
    now_ms = services.clock.now_ms()
    async with services.storage.reading() as connection:
        candidates = len(await board.read_expected(connection, session.id))
    statuses = [row.status for row in await board.read_rows(services, session.id)]
    head = board.head_of(session)
    local_s = now_ms // 1000 + Zone[session.zone].value * 3600
    view = RoomView(
        head=head,
        agency_name=session.agency_name,
        sign_in_address=services.settings.public_url.partition("://")[2],
        poll_url=f"{head.url}/room",
        back_url=head.url,
        now_ms=now_ms,
        second_of_day=local_s % DAY_S,
        zone=session.zone,
        candidates=candidates,
        ready=sum(status in {Status.WAITING, Status.AUTHORISED} for status in statuses),
        working=sum(
            status in {Status.IN_PROGRESS, Status.PAUSED, Status.WAITING_RESUME} for status in statuses
        ),
        finished=sum(status in board.FILTERS["finished"] for status in statuses),
    )
    if is_htmx(request):
        return render_fragment(request, "proctor/room_fragment.html", view)
    return render(request, "proctor/room.html", view)


route_handlers = (proctor_list_page, board_page, switch_page, room_open, room_close, room_page)
