"""Acts on sittings, in two steps: a page that names the people and asks for the reason, then the act."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import events as e
from cat_engine.core.clock import LedgerLine
from cat_engine.core.transitions import Status
from cat_engine.delivery.sittings import read_log
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.proctoring.acts import (
    EXTENSION_LIMIT_MS,
    NEEDS_REASON,
    VERBS,
    Order,
    Outcome,
    carry_out,
    is_possible,
)
from cat_engine.proctoring.reasons import REASONS, checked
from web.access import ExamSession, access_roster_entry, access_staff_sitting
from web.accounts.tables import accounts
from web.language import Translator
from web.pages import Page, render, translator_of
from web.proctor import board
from web.proctor.board_pages import PATH, RULE, access_session, affected_of
from web.proctor.views import ActChoice, CandidateView, ConfirmView, LogLine, ReasonGroup, Seat, TimeLine
from web.refusals import STATUSES, refusal_sentence
from web.requests import WebRequest, read_form, typed_fields
from web.rules import actor_of
from web.services import services_of

GRAVE = frozenset({"end", "deny"})
MINUTES_AT_FIRST = "5"
REFUSED_SHOWN = 20
"""How many refusals the address of the next page can carry."""

SHOWN_EVENTS: tuple[type[e.Event], ...] = (
    e.Created,
    e.CheckedIn,
    e.PledgeSigned,
    e.DeviceChecked,
    e.WaitingEntered,
    e.Authorised,
    e.Denied,
    e.Readmitted,
    e.Cancelled,
    e.Begun,
    e.Paused,
    e.ResumeRequested,
    e.Resumed,
    e.TimeAdded,
    e.Expired,
    e.Completed,
    e.Terminated,
    e.Reactivated,
)
"""The life of a sitting. Items, responses, sections and scores are missing: a proctor has no use for
them.
"""


class AskForm(msgspec.Struct, frozen=True, kw_only=True):
    """A button of the board: an act for the ticked seats, for everybody, or for one."""

    sittings: tuple[str, ...] = ()
    act: Annotated[str, msgspec.Meta(max_length=20)] = ""
    everyone: Annotated[str, msgspec.Meta(max_length=20)] = ""
    one: Annotated[str, msgspec.Meta(max_length=80)] = ""
    state: Annotated[str, msgspec.Meta(max_length=20)] = ""


class ActForm(msgspec.Struct, frozen=True, kw_only=True):
    """The confirmation, with its reason and minutes."""

    sittings: tuple[str, ...]
    act: Annotated[str, msgspec.Meta(max_length=20)]
    reason: Annotated[str, msgspec.Meta(max_length=40)] = ""
    minutes: Annotated[str, msgspec.Meta(max_length=10)] = ""
    state: Annotated[str, msgspec.Meta(max_length=20)] = ""
    confirm: Annotated[str, msgspec.Meta(max_length=4)] = ""
    asked_at_ms: int | None = None


@post(PATH + "/confirm", opt=RULE, status_code=200)
async def act_confirm(request: WebRequest, exam_session_id: FromPath[str]) -> Page | Redirect:
    """Who will be affected, for whom it is not possible and why; nothing happens yet."""
    session = await access_session(request, exam_session_id)
    form = await read_form(request, AskForm)
    act, _, only = form.one.partition(":") if form.one else (form.act or form.everyone, "", "")
    if act not in VERBS:
        raise Refused(Refusal.FIELD_INVALID, field="act")
    seats = await _seats(request, session)
    if form.everyone and not form.one:
        # "everybody" means whoever it can be done to; the board shows the others' states
        seats = [seat for seat in seats if is_possible(act, Status(seat.status))]
    else:
        chosen = {only} if only else set(form.sittings)
        seats = [seat for seat in seats if seat.sitting_id in chosen]
    if not seats:
        query = {"notice": "nothing_selected"} | (
            {"state": form.state} if form.state in board.FILTERS else {}
        )
        return Redirect(f"{board.session_url(session.id)}?{urlencode(query)}", status_code=303)
    return render(request, "proctor/confirm.html", _confirm_view(request, session, act, seats, form.state))


async def _seats(request: WebRequest, session: ExamSession) -> list[Seat]:
    services = services_of(request)
    now_ms = services.clock.now_ms()
    found = await board.read_seats(services, session, translator_of(request), now_ms)
    return sorted(found, key=lambda seat: (seat.seat, seat.candidate_number))


def _confirm_view(
    request: WebRequest, session: ExamSession, act: str, seats: Sequence[Seat], state: str
) -> ConfirmView:
    t, head = translator_of(request), board.head_of(session)
    state = state if state in board.FILTERS else ""
    possible = [seat for seat in seats if is_possible(act, Status(seat.status))]
    return ConfirmView(
        head=head,
        act=act,
        act_url=f"{head.url}/acts",
        back_url=f"{head.url}?state={state}" if state else head.url,
        state=state,
        affected=tuple(affected_of(seat) for seat in possible),
        impossible=tuple(affected_of(seat) for seat in seats if seat not in possible),
        needs_reason=act in NEEDS_REASON,
        needs_minutes=act == "extend",
        is_grave=act in GRAVE,
        reasons=_reason_groups(t),
        minutes=MINUTES_AT_FIRST,
        asked_at_ms=services_of(request).clock.now_ms(),
    )


def _reason_groups(t: Translator) -> tuple[ReasonGroup, ...]:
    return tuple(
        ReasonGroup(
            category=t(f"proctor.reason_category.{category}"),
            reasons=tuple(
                (f"{category}.{reason}", board.reason_word(t, f"{category}.{reason}")) for reason in reasons
            ),
        )
        for category, reasons in REASONS.items()
    )


@post(PATH + "/acts", opt=RULE, status_code=303)
async def act_carry_out(request: WebRequest, exam_session_id: FromPath[str]) -> Page | Redirect:
    """Do it to each; what was done and what was refused stands on the board afterwards."""
    session, services = await access_session(request, exam_session_id), services_of(request)
    form = await read_form(request, ActForm)
    if form.act not in VERBS:
        raise Refused(Refusal.FIELD_INVALID, field="act")
    try:
        order = _order(form)
    except Refused as refused:
        return await _ask_again(request, session, form, refused)
    chosen = set(form.sittings)
    refs = [
        board.ref_of(row, session)
        for row in await board.read_rows(services, session.id)
        if row.sitting_id in chosen
    ]
    now_ms = services.clock.now_ms()
    outcomes = await carry_out(services.storage, services.sittings, actor_of(request), refs, order, now_ms)
    return Redirect(_result_url(session, form, outcomes), status_code=303)


def _order(form: ActForm) -> Order:
    """The order as typed; a missing reason or a wrong amount is refused before anything is touched."""
    reason = checked(form.reason) if form.act in NEEDS_REASON else ""
    amount_ms = 0
    if form.act == "extend":
        text = form.minutes.strip()
        amount_ms = int(text) * 60_000 if text.isascii() and text.isdigit() else 0
        if not 0 < amount_ms <= EXTENSION_LIMIT_MS:
            raise Refused(Refusal.TIME_AMOUNT_INVALID)
    return Order(form.act, reason, amount_ms, form.asked_at_ms)


async def _ask_again(request: WebRequest, session: ExamSession, form: ActForm, refused: Refused) -> Page:
    typed = await typed_fields(request)
    chosen = set(form.sittings)
    seats = [seat for seat in await _seats(request, session) if seat.sitting_id in chosen]
    sentence = refusal_sentence(translator_of(request), refused.code)
    is_minutes = refused.code is Refusal.TIME_AMOUNT_INVALID
    view = msgspec.structs.replace(
        _confirm_view(request, session, form.act, seats, form.state),
        reason=form.reason,
        minutes=typed.get("minutes", ""),
        reason_error="" if is_minutes else sentence,
        minutes_error=sentence if is_minutes else "",
    )
    return render(request, "proctor/confirm.html", view, STATUSES[refused.code])


def _result_url(session: ExamSession, form: ActForm, outcomes: Sequence[Outcome]) -> str:
    refused = [(outcome.sitting_id, outcome.refused.code) for outcome in outcomes if outcome.refused]
    query = [("act", form.act), ("done", str(len(outcomes) - len(refused)))]
    query += [("refused", f"{sitting_id}:{code.value}") for sitting_id, code in refused[:REFUSED_SHOWN]]
    if form.state in board.FILTERS:
        query.append(("state", form.state))
    return f"{board.session_url(session.id)}?{urlencode(query)}"


# --------------------------------------------------------------------------------------------- one candidate


@get(PATH + "/sittings/{sitting_id:str}", opt=RULE)
async def proctor_candidate_page(
    request: WebRequest, exam_session_id: FromPath[str], sitting_id: FromPath[str]
) -> Page:
    """One candidate: time ledger, what happened, and every act with the reason why it is not possible."""
    session, services, t = (
        await access_session(request, exam_session_id),
        services_of(request),
        translator_of(request),
    )
    permission = Permission.EXAM_SESSION_PROCTOR
    async with services.storage.reading() as connection:
        sitting = await access_staff_sitting(connection, actor_of(request), sitting_id, permission)
        entry = await access_roster_entry(connection, actor_of(request), sitting.roster_entry_id, permission)
        entries, _ = await read_log(connection, sitting.id)
        names = await _names(connection, actor_of(request), entries)
    row = next((r for r in await board.read_rows(services, session.id) if r.sitting_id == sitting_id), None)
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    now_ms = services.clock.now_ms()
    state = (await services.sittings.load(board.ref_of(row, session))).state
    head = board.head_of(session)
    view = CandidateView(
        head=head,
        seat=board.seat_of(session, row, state, t, now_ms),
        post_title=entry.post_title,
        accommodation_note=entry.accommodation_note,
        acts=tuple(ActChoice(act=act, possible=is_possible(act, state.status)) for act in VERBS),
        confirm_url=f"{head.url}/confirm",
        time_lines=tuple(_time_line(line, names, t) for line in state.time.lines),
        allowed_s=state.time.allowed_ms // 1000,
        used_s=state.time.used_at(now_ms) // 1000,
        log=_log_lines(entries, names, t),
        at_ms=now_ms,
    )
    return render(request, "proctor/candidate.html", view)


async def _names(connection: AsyncConnection, actor: Actor, entries: Sequence[e.Entry]) -> dict[str, str]:
    """Names of the staff who appear in a log, by their label."""
    ids = {entry.actor.partition(":")[2] for entry in entries if entry.actor.startswith("staff:")}
    rows = await connection.execute(
        select(accounts.c.id, accounts.c.name).where(
            accounts.c.id.in_(sorted(ids)), accounts.c.agency_id == actor.agency_id
        )
    )
    return {f"staff:{row.id}": row.name for row in rows}


def _who(label: str, names: dict[str, str], t: Translator) -> str:
    return names.get(label) or t(f"proctor.actor.{label.partition(':')[0]}")


def _time_line(line: LedgerLine, names: dict[str, str], t: Translator) -> TimeLine:
    reason = "" if line.kind in {"base", "accommodation"} else board.reason_word(t, line.reason)
    return TimeLine(
        kind=line.kind,
        amount_s=line.amount_ms // 1000,
        reason=reason,
        actor=_who(line.actor, names, t),
        at_ms=line.at_ms,
    )


def _log_lines(entries: Sequence[e.Entry], names: dict[str, str], t: Translator) -> tuple[LogLine, ...]:
    """What happened, newest first."""
    lines = [
        LogLine(
            at_ms=entry.at_ms,
            event=str(event.__struct_config__.tag),
            detail=_detail(event, t),
            actor=_who(entry.actor, names, t),
        )
        for entry in entries
        for event in entry.events
        if isinstance(event, SHOWN_EVENTS)
    ]
    return tuple(reversed(lines))


def _detail(event: e.Event, t: Translator) -> str:
    match event:
        case e.Denied() | e.Readmitted() | e.Cancelled() | e.Paused() | e.Terminated() | e.Reactivated():
            return board.reason_word(t, event.reason)
        case e.TimeAdded():
            reason = board.reason_word(t, event.reason)
            return t("proctor.log.minutes", minutes=event.amount_ms // 60_000, reason=reason)
        case _:
            return ""


route_handlers = (act_confirm, act_carry_out, proctor_candidate_page)
