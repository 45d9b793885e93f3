"""Signing in as a candidate: the number and the PIN from the slip, while the exam session is open."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.response import Redirect
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import engine
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import Progress
from cat_engine.core.state import SittingState
from cat_engine.core.transitions import Status
from cat_engine.delivery.sittings import SittingRef
from cat_engine.delivery.tables import sitting_log, sittings
from cat_engine.foundation.actors import Actor, Role, system_actor
from cat_engine.foundation.ledger import append
from cat_engine.foundation.refusals import Refusal, Refused
from web.accounts.pins import (
    ChargedEntry,
    charge_pin_attempt,
    entry_refusal,
    forgive_pin_attempts,
    is_pin_right,
)
from web.accounts.sessions import begin_candidate_session
from web.accounts.tables import login_sessions
from web.candidate.views import FieldError, SignInView
from web.pages import Page, render, translator_of
from web.refusals import STATUSES, field_error, refusal_sentence
from web.requests import WebRequest, form_items, is_clean, read_form
from web.rules import PUBLIC
from web.security import login_cookie, login_token_hash
from web.services import Services, services_of

SIGN_IN_URL = "/candidate/sign-in"
AFTER_URL = "/sitting"
ANOTHER_MACHINE = "technical.machine"


class CandidateSignInForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the sign-in page sends."""

    candidate_number: Annotated[str, msgspec.Meta(max_length=40)]
    pin: Annotated[str, msgspec.Meta(max_length=40)]


@get(SIGN_IN_URL, opt=PUBLIC)
async def candidate_sign_in_page(request: WebRequest) -> Page:
    """The form."""
    return render(request, "candidate/sign_in.html", _view("", ()))


@post(SIGN_IN_URL, opt=PUBLIC, status_code=200)
async def candidate_sign_in(request: WebRequest) -> Page | Redirect:
    """Check number and PIN; begin a login session, which ends every earlier one of the same candidate."""
    try:
        form = await read_form(request, CandidateSignInForm)
        token = await sign_in_candidate(services_of(request), form, login_token_hash(request))
    except Refused as refused:
        return await _shown_again(request, refused)
    response = Redirect(AFTER_URL, status_code=303)
    response.set_cookie(login_cookie(services_of(request).settings, token))
    return response


async def sign_in_candidate(
    services: Services, form: CandidateSignInForm, replaced_token_hash: str | None
) -> str:
    """The token of a new login session. The attempt is counted and committed before the PIN is looked at."""
    now_ms = services.clock.now_ms()
    async with services.storage.transaction() as connection:
        entry = await charge_pin_attempt(connection, form.candidate_number, now_ms)
    right = is_pin_right(services.settings.secret_key, entry, form.pin)
    if entry is None or not right:
        raise Refused(Refusal.PIN_WRONG)
    return await _begin(services, entry, now_ms, replaced_token_hash)


async def _begin(
    services: Services, entry: ChargedEntry, now_ms: int, replaced_token_hash: str | None
) -> str:
    actor = Actor(subject_id=entry.id, agency_id=entry.agency_id, name="", roles=frozenset({Role.CANDIDATE}))
    token = None
    async with services.storage.transaction() as connection:
        # a right PIN is forgiven even when the exam session is not open: who comes early is not locked out
        await forgive_pin_attempts(connection, entry.id)
        refusal = await entry_refusal(connection, entry)
        if refusal is None:
            if not await _is_same_machine(connection, entry.id, replaced_token_hash):
                await _pause_moved(services, connection, entry)
            token = await begin_candidate_session(connection, entry.id, now_ms, replaced_token_hash)
            await append(connection, actor, action="candidate.sign_in", subject=entry.id, at_ms=now_ms)
    if token is None:
        raise Refused(refusal or Refusal.SESSION_CLOSED)
    return token


async def _is_same_machine(
    connection: AsyncConnection, roster_entry_id: str, replaced_token_hash: str | None
) -> bool:
    """Whether the browser that signs in is the one that is signed in already: nothing moves then."""
    newest = await connection.scalar(
        select(login_sessions.c.token_hash)
        .where(login_sessions.c.roster_entry_id == roster_entry_id)
        .order_by(login_sessions.c.created_at_ms.desc())
        .limit(1)
    )
    return newest is not None and newest == replaced_token_hash


async def _pause_moved(services: Services, connection: AsyncConnection, entry: ChargedEntry) -> None:
    """Stop the clock of a sitting in progress: at another machine it goes on when a proctor has looked.

    Written before the ledger's entry, as the proctors' acts are: the ledger admits one writer at a time, and
    whoever holds it must not wait for a sitting.
    """
    newest_status = (
        select(sitting_log.c.status)
        .where(sitting_log.c.sitting_id == sittings.c.id)
        .order_by(sitting_log.c.revision.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = select(sittings.c.id, sittings.c.package_id, newest_status.label("status"))
    row = (await connection.execute(statement.where(sittings.c.roster_entry_id == entry.id))).first()
    if row is None or row.status != Status.IN_PROGRESS:
        return
    label = system_actor("sign_in", entry.agency_id).label

    def decide(compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
        if state.status is not Status.IN_PROGRESS or engine.is_late(compiled, state, now_ms):
            raise Refused(Refusal.SITTING_STATE, status=state.status.value, act="pause")
        return engine.pause(state, by="system", reason=ANOTHER_MACHINE, now_ms=now_ms, actor=label)

    ref = SittingRef(row.id, entry.agency_id, row.package_id, revision=0)
    try:
        await services.sittings.apply_in(connection, ref, decide)
    except Refused as refused:
        # it ended, was paused or ran out of time meanwhile: there is no clock to stop
        if refused.code is not Refusal.SITTING_STATE:
            raise


async def _shown_again(request: WebRequest, refused: Refused) -> Page:
    t = translator_of(request)
    if refused.details.get("field") in CandidateSignInForm.__struct_fields__:
        error = field_error(t, refused)
    else:  # also for a field that the form has not: the sentence must stand somewhere
        error = FieldError(field="pin", sentence=refusal_sentence(t, refused.code))
    view = _view(await _typed_number(request), (error,))
    return render(request, "candidate/sign_in.html", view, STATUSES[refused.code])


async def _typed_number(request: WebRequest) -> str:
    """The candidate number as typed, also when another field could not be read."""
    for name, value in await form_items(request):
        if name == "candidate_number" and isinstance(value, str) and is_clean(value):
            return value
    return ""


def _view(candidate_number: str, errors: tuple[FieldError, ...]) -> SignInView:
    return SignInView(
        sign_in_url=SIGN_IN_URL,
        candidate_number=candidate_number,
        errors=errors,
        staff_url="/staff/sign-in",
    )
