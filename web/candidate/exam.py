"""The sitting itself: show the page that the state asks for, take responses."""

import asyncio
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response

from cat_engine.core import engine
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import Progress
from cat_engine.core.state import SittingState
from cat_engine.core.transitions import Status
from cat_engine.delivery.sittings import LiveSitting, SittingRef
from cat_engine.foundation.refusals import Refusal, Refused
from web.accounts.principals import SittingAccess
from web.candidate import present
from web.candidate.details import Details, details_of, own_live_sitting, own_sitting
from web.candidate.entry import go_to
from web.candidate.views import (
    BeginView,
    DeviceCheckView,
    IdentityView,
    ItemView,
    RuleSection,
    RulesView,
)
from web.pages import Page, language_of, render, render_fragment, translator_of
from web.refusals import is_htmx
from web.requests import WebRequest, read_form
from web.rules import OWN_SITTING
from web.services import services_of

CONSENT_MS = 5 * 60 * 1000
REVIEW = "review"


# ------------------------------------------------------------------------------------------- whole pages


@get("/sittings/{sitting_id:str}", opt=OWN_SITTING)
async def sitting_page(request: WebRequest, sitting_id: FromPath[str]) -> Page | Redirect:
    """The page that the sitting's state asks for; one address for all of them, so Back leads nowhere else."""
    access, live = await own_live_sitting(request, sitting_id)
    services = services_of(request)
    now_ms = services.clock.now_ms()
    if live.state.status is Status.IN_PROGRESS and live.state.time.remaining_at(now_ms) == 0:
        # the grace is for answers under way; whoever leaves the item has none, and waits until it is over
        over_ms = (live.state.time.deadline_ms or now_ms) + live.installed.compiled.package.answer_grace_ms
        await asyncio.sleep(max(0, over_ms - now_ms + 50) / 1000)
        live = await services.sittings.expire(live) or live
    return await _page_of_state(request, access, live, now_ms)


async def _page_of_state(request: WebRequest, access: SittingAccess, live: LiveSitting, now_ms: int) -> Page:
    state, t = live.state, translator_of(request)
    details = await details_of(request, access)
    match state.status:
        case Status.SCHEDULED:
            return render(request, "candidate/identity.html", _identity(access, details))
        case Status.CHECKED_IN if not state.pledge_hash:
            return render(request, "candidate/rules.html", _rules(request, access, live, details, now_ms))
        case Status.CHECKED_IN:
            return render(request, "candidate/device_check.html", _device(access))
        case Status.WAITING | Status.WAITING_RESUME:
            view = present.waiting_view(access, live, details, t, now_ms)
            return render(request, "candidate/waiting.html", view)
        case Status.AUTHORISED:
            return render(request, "candidate/begin.html", _begin(access, live, now_ms))
        case Status.PAUSED:
            return render(
                request, "candidate/interrupted.html", present.interrupted_view(access, live, now_ms)
            )
        case Status.IN_PROGRESS:
            return _item_page(request, access, live, details, now_ms)
        case Status.DENIED | Status.CANCELLED:
            raise Refused(Refusal.SITTING_STATE, status=state.status.value, act="enter")
        case _:
            return render(request, "candidate/finished.html", present.finished_view(access, live, t))


def _item_page(
    request: WebRequest, access: SittingAccess, live: LiveSitting, details: Details, now_ms: int
) -> Page:
    t, go = translator_of(request), request.query_params.get("go", "")
    if live.installed.compiled.sections[live.state.section_index].is_linear:
        if go == REVIEW:
            asked = "asked" in request.query_params
            review = present.review_view(access, live, t, now_ms, asked=asked, details=details)
            return render(request, "candidate/review.html", review)
        view = present.fixed_form_view(access, live, _place(live, go), t, now_ms, details=details)
        return render(request, "candidate/fixed_form.html", view)
    current = live.state.current
    if current is None:
        raise Refused(Refusal.SITTING_STATE, status=live.state.status.value, act="show")
    ask_first = request.query_params.get("ask_first") != "0"
    item = present.item_view(access, live, current, t, now_ms, ask_first=ask_first, details=details)
    return render(request, "candidate/item.html", item)


def _place(live: LiveSitting, go: str) -> int:
    """The place in the open form: as asked, else the first without an answer."""
    form = live.state.in_section(live.state.section_index)
    if go.isascii() and go.isdigit() and 1 <= int(go) <= len(form):
        return int(go)
    return next((place for place, p in enumerate(form, start=1) if p.response is None), 1)


def _identity(access: SittingAccess, details: Details) -> IdentityView:
    return IdentityView(
        confirm_url=f"{present.base_url(access)}/identity",
        reject_url="/sign-out",
        name=access.principal.actor.name,
        candidate_number=details.candidate_number,
        post=details.post_title,
        agency=access.principal.agency_name,
        session_name=details.session_name,
        session_at_ms=details.starts_at_ms,
        room=details.room,
        seat=details.seat,
    )


def _rules(
    request: WebRequest, access: SittingAccess, live: LiveSitting, details: Details, now_ms: int
) -> RulesView:
    text = details.pledge.get(language_of(request)) or details.pledge["id"]
    return RulesView(
        accept_url=f"{present.base_url(access)}/pledge",
        decline_url="/sign-out",
        rules=tuple(RuleSection(heading=s.heading, sentences=s.sentences) for s in text.rules),
        pledge=text.pledge,
        consent=text.consent,
        text_version=text.version,
        text_hash=text.text_hash,
        remaining_ms=max(0, live.state.last_at_ms + CONSENT_MS - now_ms),
        refused="refused" in request.query_params,
    )


def _device(access: SittingAccess) -> DeviceCheckView:
    return DeviceCheckView(
        continue_url=f"{present.base_url(access)}/device", probe_url="/clock", lockdown="open"
    )


def _begin(access: SittingAccess, live: LiveSitting, now_ms: int) -> BeginView:
    return BeginView(
        begin_url=f"{present.base_url(access)}/begin",
        resuming=live.state.begun_at_ms is not None,
        name=access.principal.actor.name,
        remaining_s=live.state.time.remaining_at(now_ms) // 1000,
        most=sum(part.most_items for part in live.installed.compiled.sections),
    )


@get("/sittings/{sitting_id:str}/waiting", opt=OWN_SITTING)
async def waiting(request: WebRequest, sitting_id: FromPath[str]) -> Page | Response[bytes] | Redirect:
    """Asked every few seconds by waiting pages; leads on when something happened."""
    access, live = await own_live_sitting(request, sitting_id)
    still = {Status.WAITING: "waiting", Status.WAITING_RESUME: "waiting", Status.PAUSED: "paused"}
    if live.state.status not in still or not is_htmx(request):
        return go_to(request, present.base_url(access))
    if live.state.status is Status.PAUSED:
        return Response(b"", status_code=200)
    details = await details_of(request, access)
    now_ms = services_of(request).clock.now_ms()
    view = present.waiting_view(access, live, details, translator_of(request), now_ms)
    return render_fragment(request, "candidate/waiting_fragment.html", view)


@get("/sittings/{sitting_id:str}/here", opt=OWN_SITTING)
async def here(request: WebRequest, sitting_id: FromPath[str]) -> Response[bytes] | Redirect:
    """A sign of life of an item page; when the sitting was paused or ended meanwhile, it is led on."""
    access, live = await own_live_sitting(request, sitting_id)
    if live.state.status is not Status.IN_PROGRESS:
        return go_to(request, present.base_url(access))
    return Response(b"", status_code=204)


# --------------------------------------------------------------------------------------------- responses


class ResponseForm(msgspec.Struct, frozen=True, kw_only=True):
    """The item's form, of an adaptive item or of a fixed form's."""

    presentation: Annotated[int, msgspec.Meta(ge=1, le=9999)]
    response: Annotated[str, msgspec.Meta(max_length=40)] = ""
    client_at_ms: Annotated[str, msgspec.Meta(max_length=20)] = ""
    confirm: Annotated[str, msgspec.Meta(max_length=10)] = ""
    ask_first: Annotated[str, msgspec.Meta(max_length=4)] = ""
    go: Annotated[str, msgspec.Meta(max_length=10)] = ""
    flag: Annotated[str, msgspec.Meta(max_length=4)] = ""
    clear: Annotated[str, msgspec.Meta(max_length=4)] = ""


@post("/sittings/{sitting_id:str}/responses", opt=OWN_SITTING, status_code=200)
async def respond(request: WebRequest, sitting_id: FromPath[str]) -> Page | Response[bytes] | Redirect:
    """Take a response: one SELECT, one INSERT, and the next item."""
    access, ref = await own_sitting(request, sitting_id)
    form = await read_form(request, ResponseForm)
    live = await services_of(request).sittings.load(ref)
    if live.state.status is not Status.IN_PROGRESS:
        return go_to(request, present.base_url(access))
    place = form.presentation
    if place > len(live.state.presentations):
        raise Refused(Refusal.PRESENTATION_NOT_CURRENT, position=place)
    section_index = live.state.presentations[place - 1].section_index
    if live.installed.compiled.sections[section_index].is_linear:
        return await _save_form(request, access, ref, live, form)
    return await _answer(request, access, ref, live, form)


async def _answer(
    request: WebRequest, access: SittingAccess, ref: SittingRef, live: LiveSitting, form: ResponseForm
) -> Page | Response[bytes] | Redirect:
    ask_first = bool(form.ask_first)
    current = live.state.current
    is_current = current is not None and current.position == form.presentation
    asking = form.confirm == "change" or not form.response or (form.confirm == "0" and ask_first)
    if is_current and current is not None and asking:
        view = present.item_view(
            access,
            live,
            current,
            translator_of(request),
            services_of(request).clock.now_ms(),
            chosen=form.response,
            confirming=form.confirm == "0" and bool(form.response),
            missing=not form.response,
            ask_first=ask_first,
        )
        return _shown(request, view)
    try:
        live = await services_of(request).sittings.respond(
            ref, access.principal.actor, form.presentation, form.response
        )
    except Refused as refused:
        if refused.code not in _SHOW_CURRENT:
            raise
        return go_to(request, present.base_url(access))
    return _next(request, access, live, ask_first=ask_first)


_SHOW_CURRENT = {
    Refusal.ALREADY_ANSWERED,
    Refusal.PRESENTATION_NOT_CURRENT,
    Refusal.TIME_IS_UP,
    Refusal.SITTING_STATE,
}
"""Refusals of a response after which the page that shows how things stand says all: the answer first given
counts, the room was paused, the time is over."""


def _shown(request: WebRequest, view: ItemView) -> Page:
    if is_htmx(request):
        return render_fragment(request, "candidate/item_fragment.html", view)
    return render(request, "candidate/item.html", view)


def _next(
    request: WebRequest, access: SittingAccess, live: LiveSitting, *, ask_first: bool
) -> Page | Response[bytes] | Redirect:
    url = present.base_url(access)
    if live.state.status is not Status.IN_PROGRESS:
        return go_to(request, url)
    if not is_htmx(request):
        return Redirect(url if ask_first else f"{url}?ask_first=0", status_code=303)
    t, now_ms = translator_of(request), services_of(request).clock.now_ms()
    current = live.state.current
    if live.installed.compiled.sections[live.state.section_index].is_linear or current is None:
        # another kind of page begins: the palette needs the whole frame
        return go_to(request, url)
    item = present.item_view(access, live, current, t, now_ms, ask_first=ask_first)
    return render_fragment(request, "candidate/item_fragment.html", item)


async def _save_form(
    request: WebRequest, access: SittingAccess, ref: SittingRef, live: LiveSitting, form: ResponseForm
) -> Page | Response[bytes] | Redirect:
    try:
        live = await services_of(request).sittings.save_form(
            ref,
            access.principal.actor,
            form.presentation,
            form.response,
            clear=bool(form.clear),
            flagged=bool(form.flag),
        )
    except Refused as refused:
        if refused.code not in _SHOW_CURRENT:
            raise
        return go_to(request, present.base_url(access))
    first = live.state.in_section(live.state.section_index)[0].position
    place = form.presentation - first + 1
    size = len(live.state.in_section(live.state.section_index))
    go = {"prev": str(place - 1), "next": REVIEW if place == size else str(place + 1)}.get(form.go, form.go)
    go = go or str(place)
    if not is_htmx(request):
        return Redirect(f"{present.base_url(access)}?go={go}", status_code=303)
    t, now_ms = translator_of(request), services_of(request).clock.now_ms()
    if go == REVIEW:
        review = present.review_view(access, live, t, now_ms, asked=False)
        return render_fragment(request, "candidate/review_fragment.html", review)
    view = present.fixed_form_view(access, live, _place(live, go), t, now_ms)
    return render_fragment(request, "candidate/fixed_form_fragment.html", view)


class FinishForm(msgspec.Struct, frozen=True, kw_only=True):
    """Asked once (0), said (1)."""

    confirm: Annotated[str, msgspec.Meta(max_length=4)] = "0"
    section: Annotated[str, msgspec.Meta(max_length=80)] = ""


@post("/sittings/{sitting_id:str}/finish", opt=OWN_SITTING, status_code=200)
async def finish(request: WebRequest, sitting_id: FromPath[str]) -> Response[bytes] | Redirect:
    """Hand in a fixed form, after a second question."""
    access, ref = await own_sitting(request, sitting_id)
    form = await read_form(request, FinishForm)
    url = present.base_url(access)
    if form.confirm != "1":
        return go_to(request, f"{url}?go={REVIEW}&asked=1")
    label = access.principal.actor.label

    def decide(compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
        return engine.finish_section(compiled, state, section_id=form.section, now_ms=now_ms, actor=label)

    try:
        await services_of(request).sittings.apply(ref, decide)
    except Refused as refused:
        if refused.code not in {*_SHOW_CURRENT, Refusal.SECTION_NOT_LINEAR}:
            raise
    return go_to(request, url)


route_handlers = [sitting_page, waiting, here, respond, finish]
