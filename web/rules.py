"""Who may call a route: each handler declares one rule, one guard enforces it, and without a rule nobody may.

`opt=PUBLIC`, `opt=SIGNED_IN`, `opt=requires(Permission.X)`, or `opt=OWN_SITTING` for the candidate's pages
`/sittings/{sitting_id}/...`, where `web.access.access_sitting` checks cookie and sitting in one statement. A
route for programs, authenticated by something other than our cookie, says `opt={**PUBLIC, **MACHINE}`; it is
spared the token of the forms and never looks at the cookie.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from litestar.handlers import BaseRouteHandler

from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.refusals import Refusal, Refused
from web.accounts.principals import Principal, find_principal
from web.accounts.sessions import is_seen_stale, note_seen
from web.requests import WebRequest
from web.security import SAFE_METHODS, login_token_hash, refuse_forged
from web.services import WebConnection, services_of

PUBLIC: Final[Mapping[str, Any]] = {"public": True}
SIGNED_IN: Final[Mapping[str, Any]] = {"signed_in": True}
OWN_SITTING: Final[Mapping[str, Any]] = {"own_sitting": True}
MACHINE: Final[Mapping[str, Any]] = {"machine": True}

RULE_NAMES: Final = frozenset({"public", "signed_in", "own_sitting", "permission"})
_PRINCIPAL: Final = "cat_engine.principal"


def requires(permission: Permission) -> Mapping[str, Any]:
    """The rule that one of the signed-in person's roles grants this permission."""
    return {"permission": permission}


async def enforce_rule(connection: WebConnection, route_handler: BaseRouteHandler) -> None:
    """The one guard of the application."""
    request, rule = cast(WebRequest, connection), route_handler.opt
    if request.method == "OPTIONS":  # litestar's own answer: the methods of the address
        return
    if "\0" in request.scope["path"]:  # PostgreSQL takes no such text, and nothing is called so
        raise Refused(Refusal.NOT_FOUND)
    is_public = "public" in rule
    if not is_public and login_token_hash(request) is None:
        raise Refused(Refusal.NOT_SIGNED_IN)
    if request.method not in SAFE_METHODS and "machine" not in rule:
        await refuse_forged(request)
    if is_public or "own_sitting" in rule:
        return
    principal = await _require_principal(request)
    if "permission" in rule:
        principal.actor.require(rule["permission"])
    elif "signed_in" not in rule:
        raise Refused(Refusal.NOT_FOUND)


async def _require_principal(request: WebRequest) -> Principal:
    services = services_of(request)
    now_ms = services.clock.now_ms()
    async with services.storage.reading() as connection:
        principal = await find_principal(connection, login_token_hash(request), now_ms)
    if principal is None:
        raise Refused(Refusal.NOT_SIGNED_IN)
    if is_seen_stale(principal, now_ms):
        async with services.storage.transaction() as connection:
            await note_seen(connection, principal, now_ms)
    remember_principal(request, principal)
    return principal


async def look_up_visitor(request: WebRequest) -> Principal | None:
    """Who visits a public page, if anybody is signed in at all."""
    if login_token_hash(request) is None:
        return None
    try:
        return await _require_principal(request)
    except Refused:
        return None


def remember_principal(connection: WebConnection, principal: Principal) -> None:
    """Keep the principal for the rest of the request."""
    connection.scope["state"][_PRINCIPAL] = principal


def known_principal(connection: WebConnection) -> Principal | None:
    """The principal, where this request has already found it."""
    found: Principal | None = connection.scope["state"].get(_PRINCIPAL)
    return found


def principal_of(connection: WebConnection) -> Principal:
    """Who is asking, on a route whose rule makes sure that somebody is."""
    principal = known_principal(connection)
    if principal is None:
        raise Refused(Refusal.NOT_SIGNED_IN)
    return principal


def actor_of(connection: WebConnection) -> Actor:
    """The acting person, as services want it."""
    return principal_of(connection).actor
