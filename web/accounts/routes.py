"""The first page, signing in and out."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from cat_engine.foundation.actors import Actor
from cat_engine.foundation.ledger import append
from cat_engine.foundation.refusals import Refusal, Refused
from web.accounts.candidate_sign_in import SIGN_IN_URL as CANDIDATE_SIGN_IN_URL
from web.accounts.candidate_sign_in import candidate_sign_in, candidate_sign_in_page
from web.accounts.passwords import charge_attempt, forgive_attempts
from web.accounts.principals import find_principal, hash_token
from web.accounts.sessions import begin_staff_session, end_session
from web.accounts.views import DeskView, EntryView, StaffSignInView
from web.candidate.views import FieldError
from web.pages import Page, navigation_of, render, translator_of
from web.refusals import STATUSES, field_error, refusal_sentence
from web.requests import WebRequest, read_form, typed_fields
from web.rules import PUBLIC, SIGNED_IN, look_up_visitor, principal_of
from web.security import cleared_login_cookie, login_cookie, login_token_hash
from web.services import Services, services_of

STAFF_SIGN_IN_URL = "/staff/sign-in"


class StaffSignInForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the sign-in page sends."""

    username: Annotated[str, msgspec.Meta(max_length=80)]
    password: Annotated[str, msgspec.Meta(max_length=256)]


@get("/", opt=PUBLIC)
async def entry_page(request: WebRequest) -> Page | Redirect:
    """The choice between candidates and staff; whoever is signed in goes straight to the work."""
    visitor = await look_up_visitor(request)
    if visitor is not None:
        return Redirect("/sitting" if visitor.is_candidate else "/desk", status_code=303)
    view = EntryView(candidate_url=CANDIDATE_SIGN_IN_URL, staff_url=STAFF_SIGN_IN_URL)
    return render(request, "accounts/entry.html", view)


@get("/desk", opt=SIGNED_IN)
async def desk_page(request: WebRequest) -> Page:
    """What the person's roles open."""
    principal = principal_of(request)
    view = DeskView(name=principal.actor.name, links=navigation_of(request, principal))
    return render(request, "accounts/desk.html", view)


@get(STAFF_SIGN_IN_URL, opt=PUBLIC)
async def staff_sign_in_page(request: WebRequest) -> Page:
    """The form."""
    view = StaffSignInView(sign_in_url=STAFF_SIGN_IN_URL, candidate_url=CANDIDATE_SIGN_IN_URL)
    return render(request, "accounts/staff_sign_in.html", view)


@post(STAFF_SIGN_IN_URL, opt=PUBLIC, status_code=200)
async def staff_sign_in(request: WebRequest) -> Page | Redirect:
    """Check username and password; begin a login session under a new token."""
    try:
        form = await read_form(request, StaffSignInForm)
        token = await sign_in_staff(services_of(request), form, login_token_hash(request))
    except Refused as refused:
        return await _shown_again(request, refused)
    response = Redirect("/desk", status_code=303)
    response.set_cookie(login_cookie(services_of(request).settings, token))
    return response


@post("/sign-out", opt=SIGNED_IN, status_code=303)
async def sign_out(request: WebRequest) -> Redirect:
    """End the login session on the server, and let the browser forget what it kept."""
    services, principal = services_of(request), principal_of(request)
    async with services.storage.transaction() as connection:
        await end_session(connection, principal)
        await append(
            connection,
            principal.actor,
            action="login_session.ended",
            subject=principal.actor.subject_id,
            at_ms=services.clock.now_ms(),
        )
    response = Redirect("/", status_code=303, headers={"Clear-Site-Data": '"cache", "storage"'})
    response.set_cookie(cleared_login_cookie(services.settings))
    return response


async def sign_in_staff(services: Services, form: StaffSignInForm, replaced_token_hash: str | None) -> str:
    """The token of a new login session.

    Unknown, locked and wrong are one refusal after the same work; only who knows the password learns that the
    account is disabled.
    """
    now_ms = services.clock.now_ms()
    async with services.storage.transaction() as connection:
        charged = await charge_attempt(connection, form.username, now_ms)
    account_id, stored, is_disabled = charged or ("", None, False)
    if not await services.passwords.check(stored, form.password):
        raise Refused(Refusal.CREDENTIALS_WRONG)
    async with services.storage.transaction() as connection:
        await forgive_attempts(connection, account_id)
        if not is_disabled:
            token = await begin_staff_session(connection, account_id, now_ms, replaced_token_hash)
            principal = await find_principal(connection, hash_token(token), now_ms)
            actor = principal.actor if principal else Actor(subject_id=account_id, agency_id="", name="")
            await append(connection, actor, action="account.sign_in", subject=account_id, at_ms=now_ms)
            return token
    raise Refused(Refusal.ACCOUNT_DISABLED)


async def _shown_again(request: WebRequest, refused: Refused) -> Page:
    t, typed = translator_of(request), await typed_fields(request)
    if "field" in refused.details:
        error = field_error(t, refused)
    else:
        error = FieldError(field="password", sentence=refusal_sentence(t, refused.code))
    view = StaffSignInView(
        sign_in_url=STAFF_SIGN_IN_URL,
        candidate_url=CANDIDATE_SIGN_IN_URL,
        username=typed.get("username", ""),
        refusal_code=refused.code.value,
        errors=(error,),
    )
    return render(request, "accounts/staff_sign_in.html", view, STATUSES[refused.code])


route_handlers: tuple[HTTPRouteHandler, ...] = (
    entry_page,
    desk_page,
    staff_sign_in_page,
    staff_sign_in,
    candidate_sign_in_page,
    candidate_sign_in,
    sign_out,
)
