"""What guards every request and response: headers, cookies, forged requests, addresses.

Cross-site requests are stopped three times over: the cookies are SameSite=Strict, the browser's own account
of where a request comes from (Sec-Fetch-Site, Origin) is checked, and every unsafe request carries a token
that only our pages know. The token is HMAC-SHA256 under the server's key over the hash of the login token, or
over the nonce of a visitor who is not signed in yet; so it needs no memory and ends with the login session.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from litestar.datastructures import Cookie
from litestar.types import Message, Scope

from cat_engine.foundation.refusals import Refusal, Refused
from web.accounts.principals import CANDIDATE_ABSOLUTE_MS, hash_token
from web.requests import CSRF_FIELD, WebRequest, form_items
from web.services import WebConnection, services_of, services_of_scope
from web.settings import Settings

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER: Final = "x-csrf-token"
MAXIMUM_FORM_BYTES: Final = 64 * 1024
MAXIMUM_ROSTER_BYTES: Final = 2 * 1024 * 1024

_NONCE, _VISIT, _TOKEN_HASH = "cat_engine.csp_nonce", "cat_engine.new_visit", "cat_engine.token_hash"

_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
    ),
)
# What htmx asks for becomes part of a page that has its policy; as a document of its own nothing in it may
# run. Every answer of a sitting carries these bytes over a district's line, so they are few.
_FRAGMENT_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_NO_STORE: Final = (b"cache-control", b"no-store")
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


def content_security_policy(nonce: str | None) -> str:
    """Nothing from elsewhere, nothing inline; a script in the page only with this response's nonce."""
    scripts = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    )


def csp_nonce(scope: Scope) -> str:
    """The nonce of this response, made when first asked for."""
    nonce: str = scope["state"].setdefault(_NONCE, secrets.token_urlsafe(16))
    return nonce


async def finish_headers(message: Message, scope: Scope) -> None:
    """Add the headers that every response carries, refusals and unknown addresses included."""
    if message["type"] != "http.response.start" or "method" not in scope:
        return
    headers = list(message["headers"])
    state, settings = scope["state"], services_of_scope(scope).settings
    if (b"hx-request", b"true") in scope["headers"]:
        headers.extend(_FRAGMENT_HEADERS)
    else:
        headers.extend(_HEADERS)
        headers.append((b"content-security-policy", content_security_policy(state.get(_NONCE)).encode()))
    if not any(name.lower() == b"cache-control" for name, _ in headers):
        headers.append(_NO_STORE)
    if settings.secure_cookies:
        headers.append(_HSTS)
    if visit := state.get(_VISIT):
        cookie = _cookie(settings, visit_cookie_name(settings), visit, max_age_s=None)
        headers.append((b"set-cookie", cookie.to_header(header="").encode()))
    message["headers"] = headers


# ---------------------------------------------------------------------------------------------------- cookies


def login_cookie_name(settings: Settings) -> str:
    """`__Host-` makes browsers refuse the cookie from another host, path or an unencrypted page."""
    return "__Host-session" if settings.secure_cookies else "session"


def visit_cookie_name(settings: Settings) -> str:
    """The cookie of a visitor who is not signed in; it anchors the token of the sign-in forms."""
    return "__Host-visit" if settings.secure_cookies else "visit"


def login_cookie(settings: Settings, token: str) -> Cookie:
    """The cookie that carries a login token."""
    return _cookie(settings, login_cookie_name(settings), token, max_age_s=CANDIDATE_ABSOLUTE_MS // 1000)


def cleared_login_cookie(settings: Settings) -> Cookie:
    """The same cookie, taken away."""
    return _cookie(settings, login_cookie_name(settings), "", max_age_s=0)


def _cookie(settings: Settings, name: str, value: str, *, max_age_s: int | None) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        max_age=max_age_s,
        path="/",
        secure=settings.secure_cookies,
        httponly=True,
        samesite="strict",
    )


def login_token_hash(connection: WebConnection) -> str | None:
    """The hash of the presented login token; nothing is known yet of whether it is worth anything."""
    state = connection.scope["state"]
    if _TOKEN_HASH not in state:
        token = connection.cookies.get(login_cookie_name(services_of(connection).settings))
        state[_TOKEN_HASH] = hash_token(token) if token else None
    found: str | None = state[_TOKEN_HASH]
    return found


# ------------------------------------------------------------------------------------------- forged requests


def csrf_token(connection: WebConnection) -> str:
    """The token for the forms of this page; a visitor gets a nonce to anchor it to."""
    settings = services_of(connection).settings
    anchor = login_token_hash(connection) or connection.cookies.get(visit_cookie_name(settings))
    if anchor is None:
        anchor = connection.scope["state"].setdefault(_VISIT, secrets.token_urlsafe(16))
    return csrf_token_for(settings.secret_key, anchor)


def csrf_token_for(secret_key: bytes, anchor: str) -> str:
    """The token of one login session (anchor: hash of its token) or of one visitor (anchor: the nonce)."""
    digest = hmac.new(secret_key, f"csrf|{anchor}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def refuse_forged(request: WebRequest) -> None:
    """Refuse an unsafe request unless it demonstrably comes from one of our pages."""
    settings = services_of(request).settings
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Refused(Refusal.FORM_EXPIRED)
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc not in {
        settings.public_host,
        request.headers.get("host", ""),
    }:
        raise Refused(Refusal.FORM_EXPIRED)
    anchor = login_token_hash(request) or request.cookies.get(visit_cookie_name(settings))
    given = request.headers.get(CSRF_HEADER)
    if given is None:
        sent = [value for name, value in await form_items(request) if name == CSRF_FIELD]
        given = sent[0] if len(sent) == 1 and isinstance(sent[0], str) else ""
    expected = csrf_token_for(settings.secret_key, anchor) if anchor else ""
    if not anchor or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Refused(Refusal.FORM_EXPIRED)


def client_address(connection: WebConnection) -> str:
    """The address a request came from; the proxy's word is taken only when the operator vouches for it.

    Of X-Forwarded-For the last entry counts: it is the one that our own proxy appended.
    """
    if services_of(connection).settings.trusted_proxy:
        forwarded = connection.headers.get("x-forwarded-for", "").rsplit(",", 1)[-1].strip()
        if forwarded:
            return forwarded
    return connection.client.host if connection.client else ""
