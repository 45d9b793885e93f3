"""From the sign-in to the first item: identity, rules, device, practice, waiting room, begin."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response
from markupsafe import Markup, escape
from sqlalchemy import select

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import Progress
from cat_engine.core.state import SittingState
from cat_engine.delivery.sittings import Decide, LiveSitting
from cat_engine.delivery.tables import sittings
from cat_engine.foundation.actors import Permission
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.interactions.choice.scoring import option_ids
from web.accounts.principals import SittingAccess
from web.candidate.details import details_of, own_live_sitting, own_sitting
from web.candidate.views import ItemView, OptionView
from web.pages import Page, render, render_fragment, translator_of
from web.refusals import is_htmx
from web.requests import WebRequest, read_form
from web.rules import OWN_SITTING, PUBLIC, principal_of, requires
from web.services import services_of

LETTERS = "ABCDEFGHIJ"


@get("/sitting", opt=requires(Permission.SITTING_ANSWER))
async def my_sitting(request: WebRequest) -> Redirect:
    """To the sitting of whoever signed in."""
    async with services_of(request).storage.reading() as connection:
        sitting_id = (
            await connection.execute(
                select(sittings.c.id).where(
                    sittings.c.roster_entry_id == principal_of(request).actor.subject_id
                )
            )
        ).scalar_one_or_none()
    if sitting_id is None:
        raise Refused(Refusal.SESSION_NOT_OPEN)
    return Redirect(f"/sittings/{sitting_id}", status_code=303)


def go_to(request: WebRequest, url: str) -> Response[bytes] | Redirect:
    """Lead the browser on, as a page or from within htmx."""
    if is_htmx(request):
        return Response(b"", headers={"HX-Redirect": url})
    return Redirect(url, status_code=303)


async def act(request: WebRequest, sitting_id: str, event: e.AnyEvent) -> LiveSitting:
    """Do one plain lifecycle act to the visitor's own sitting."""
    access, ref = await own_sitting(request, sitting_id)
    label = access.principal.actor.label

    def decide(_compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
        return engine.act(state, event, now_ms=now_ms, actor=label)

    return await services_of(request).sittings.apply(ref, decide)


class IdentityForm(msgspec.Struct, frozen=True):
    """Nothing is typed."""


@post("/sittings/{sitting_id:str}/identity", opt=OWN_SITTING, status_code=200)
async def confirm_identity(request: WebRequest, sitting_id: FromPath[str]) -> Response[bytes] | Redirect:
    """The candidate says: yes, this is me."""
    access, live = await own_live_sitting(request, sitting_id)
    await read_form(request, IdentityForm)
    if live.state.status.value == "scheduled":
        details = await details_of(request, access)
        await act(request, sitting_id, e.CheckedIn(seat=details.seat))
    return go_to(request, f"/sittings/{sitting_id}")


class PledgeForm(msgspec.Struct, frozen=True, kw_only=True):
    """The text that was read, by its hash, and the acceptance."""

    text_hash: Annotated[str, msgspec.Meta(max_length=64)]
    accepted: str = ""
    consented: str = ""


@post("/sittings/{sitting_id:str}/pledge", opt=OWN_SITTING, status_code=200)
async def sign_pledge(request: WebRequest, sitting_id: FromPath[str]) -> Response[bytes] | Redirect:
    """Accept rules and pledge."""
    access, _ = await own_sitting(request, sitting_id)
    form = await read_form(request, PledgeForm)
    details = await details_of(request, access)
    if form.text_hash not in {text.text_hash for text in details.pledge.values()}:
        raise Refused(Refusal.PLEDGE_TEXT_CHANGED)
    if not form.accepted:
        return go_to(request, f"/sittings/{sitting_id}?refused=1")
    await act(request, sitting_id, e.PledgeSigned(text_hash=form.text_hash))
    return go_to(request, f"/sittings/{sitting_id}")


class DeviceForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the browser measured; all blank without JavaScript. A measurement that failed bars nobody."""

    javascript: Annotated[str, msgspec.Meta(max_length=20)] = ""
    clock_offset_ms: Annotated[str, msgspec.Meta(max_length=20)] = ""
    latency_ms: Annotated[str, msgspec.Meta(max_length=20)] = ""
    window_size: Annotated[str, msgspec.Meta(max_length=20)] = ""

    @property
    def offset_ms(self) -> int | None:
        """The clock offset, when it is a number."""
        digits = self.clock_offset_ms.removeprefix("-")
        return int(self.clock_offset_ms) if digits.isascii() and digits.isdigit() else None


@get("/clock", opt=PUBLIC)
async def clock(request: WebRequest) -> Response[bytes]:
    """The server's milliseconds, for the device check."""
    return Response(str(services_of(request).clock.now_ms()).encode(), media_type="text/plain")


@post("/sittings/{sitting_id:str}/device", opt=OWN_SITTING, status_code=200)
async def check_device(request: WebRequest, sitting_id: FromPath[str]) -> Response[bytes] | Redirect:
    """Keep what the device check found, and enter the waiting room; practice comes while waiting."""
    access, ref = await own_sitting(request, sitting_id)
    form = await read_form(request, DeviceForm)
    checked = e.DeviceChecked(javascript=bool(form.javascript), clock_offset_ms=form.offset_ms)
    await act(request, sitting_id, checked)
    await services_of(request).sittings.apply(ref, _enter_waiting(access.principal.actor.label))
    return go_to(request, f"/sittings/{sitting_id}/practice")


def _enter_waiting(label: str) -> Decide:
    def decide(_compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
        return engine.enter_waiting(state, now_ms=now_ms, actor=label)

    return decide


@post("/sittings/{sitting_id:str}/begin", opt=OWN_SITTING, status_code=200)
async def begin(request: WebRequest, sitting_id: FromPath[str]) -> Response[bytes] | Redirect:
    """Start the clock, or let it run on; a second press is harmless."""
    access, ref = await own_sitting(request, sitting_id)
    try:
        await services_of(request).sittings.begin(ref, access.principal.actor)
    except Refused as refused:
        if refused.code is not Refusal.SITTING_STATE:
            raise
    return go_to(request, f"/sittings/{sitting_id}")


# ------------------------------------------------------------------------------------------------- practice


class PracticeForm(msgspec.Struct, frozen=True, kw_only=True):
    """As the item's form, but nothing of it is kept."""

    presentation: str = ""
    response: str = ""
    client_at_ms: str = ""
    confirm: str = ""
    ask_first: str = ""


@get("/sittings/{sitting_id:str}/practice", opt=OWN_SITTING)
async def practice_page(request: WebRequest, sitting_id: FromPath[str]) -> Page:
    """The practice item."""
    access, _ = await own_sitting(request, sitting_id)
    return render(request, "candidate/practice.html", _practice_view(request, access))


@post("/sittings/{sitting_id:str}/practice", opt=OWN_SITTING, status_code=200)
async def practise(request: WebRequest, sitting_id: FromPath[str]) -> Page | Response[bytes] | Redirect:
    """The same steps as an item that counts: choose, confirm, send."""
    access, _ = await own_sitting(request, sitting_id)
    form = await read_form(request, PracticeForm)
    known = form.response in option_ids(4)
    if known and (form.confirm == "1" or (form.confirm == "0" and not form.ask_first)):
        return go_to(request, f"/sittings/{sitting_id}")
    view = _practice_view(
        request,
        access,
        chosen=form.response if known else "",
        confirming=known and form.confirm == "0",
        missing=not known and form.confirm != "change",
    )
    if is_htmx(request):
        return render_fragment(request, "candidate/item_fragment.html", view)
    return render(request, "candidate/practice.html", view)


def _practice_view(
    request: WebRequest,
    access: SittingAccess,
    *,
    chosen: str = "",
    confirming: bool = False,
    missing: bool = False,
) -> ItemView:
    t = translator_of(request)
    url = f"/sittings/{access.sitting_id}/practice"
    return ItemView(
        sitting_id=access.sitting_id,
        respond_url=url,
        presentation="practice",
        ordinal=1,
        most=1,
        stem=Markup("<p>{}</p>").format(t("exam.practice.stem")),
        options=tuple(
            OptionView(id=option_id, letter=LETTERS[place], text=escape(t(f"exam.practice.{option_id}")))
            for place, option_id in enumerate(option_ids(4))
        ),
        chosen=chosen,
        step="confirm" if confirming else "answer",
        missing=missing,
        practice=True,
        skip_practice_url=f"/sittings/{access.sitting_id}",
        candidate_name=access.principal.actor.name,
        test_name=t("candidate.practice.title"),
        item_language=t.language,
    )


route_handlers = [
    my_sitting,
    confirm_identity,
    sign_pledge,
    check_device,
    clock,
    begin,
    practice_page,
    practise,
]
