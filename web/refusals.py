"""From a refusal to what a person or a program reads: status, sentence, what to do.

The words are messages `refusals.<code>.title` and `refusals.<code>.sentence`. Unexpected errors are logged
with a reference number that the page shows; of the error only its type and the lines of code are kept, since
its message may quote what somebody typed.
"""

import logging
import secrets
import traceback
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar.exceptions import HTTPException
from litestar.response import Redirect, Response

from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import is_away
from web.candidate.views import FieldError, RefusalView
from web.language import Translator
from web.pages import language_of, render, render_fragment, translator_of
from web.requests import WebRequest
from web.security import SAFE_METHODS
from web.services import services_of

log = logging.getLogger("cat_engine.web")

STATUSES: Final[Mapping[Refusal, int]] = {
    Refusal.CONFLICT: 409,
    Refusal.FIELD_INVALID: 422,
    Refusal.FIELD_MISSING: 422,
    Refusal.FORM_EXPIRED: 403,
    Refusal.FORM_MALFORMED: 400,
    Refusal.METHOD_NOT_ALLOWED: 405,
    Refusal.NOT_ALLOWED: 403,
    Refusal.NOT_FOUND: 404,
    Refusal.NOT_SIGNED_IN: 401,
    Refusal.OVERLOADED: 503,
    Refusal.TOO_LARGE: 413,
    Refusal.TOO_MANY_ATTEMPTS: 429,
    Refusal.UNEXPECTED: 500,
    Refusal.ACCOUNT_DISABLED: 403,
    Refusal.CREDENTIALS_WRONG: 401,
    Refusal.PIN_WRONG: 401,
    Refusal.SESSION_NOT_OPEN: 409,
    Refusal.SESSION_CLOSED: 409,
    Refusal.ALREADY_ANSWERED: 409,
    Refusal.CONSENT_MISSING: 422,
    Refusal.PLEDGE_TEXT_CHANGED: 409,
    Refusal.PRESENTATION_NOT_CURRENT: 409,
    Refusal.PREPARATION_INCOMPLETE: 409,
    Refusal.REASON_MISSING: 422,
    Refusal.REASON_UNKNOWN: 422,
    Refusal.RESPONSE_MISSING: 422,
    Refusal.RESPONSE_UNKNOWN: 422,
    Refusal.SECTION_NOT_LINEAR: 409,
    Refusal.SITTING_MOVED: 409,
    Refusal.SITTING_STATE: 409,
    Refusal.TIME_AMOUNT_INVALID: 422,
    Refusal.TIME_IS_UP: 409,
    Refusal.PACKAGE_EMPTY_POOL: 422,
    Refusal.PACKAGE_INVALID: 422,
    Refusal.PACKAGE_PARAMETERS: 422,
    Refusal.PACKAGE_RULE_UNKNOWN: 422,
    Refusal.PACKAGE_TAMPERED: 422,
    Refusal.ROSTER_BIRTH_AFTER_APPOINTMENT: 422,
    Refusal.ROSTER_COLUMN_MISSING: 422,
    Refusal.ROSTER_DATE_IMPOSSIBLE: 422,
    Refusal.ROSTER_DUPLICATE_NIP: 422,
    Refusal.ROSTER_EMPTY: 422,
    Refusal.ROSTER_ENCODING: 422,
    Refusal.ROSTER_NAME_MISSING: 422,
    Refusal.ROSTER_NIP_INVALID: 422,
    Refusal.ROSTER_NUMBER_INVALID: 422,
    Refusal.ROSTER_POST_UNKNOWN: 422,
    Refusal.ROSTER_ROW_WIDTH: 422,
    Refusal.ROSTER_SEAT_TAKEN: 422,
    Refusal.ROSTER_SEAT_UNKNOWN: 422,
    Refusal.CONFLICT_STATEMENT_MISSING: 403,
    Refusal.RESULT_ALREADY_RELEASED: 409,
    Refusal.RESULT_NOT_RELEASED: 409,
    Refusal.RESULT_NOT_SCORED: 409,
    Refusal.POSTING_NOT_DEAD: 409,
}

_FROM_STATUS: Final[Mapping[int, Refusal]] = {
    400: Refusal.FORM_MALFORMED,
    401: Refusal.NOT_SIGNED_IN,
    403: Refusal.NOT_ALLOWED,
    404: Refusal.NOT_FOUND,
    405: Refusal.METHOD_NOT_ALLOWED,
    413: Refusal.TOO_LARGE,
    503: Refusal.OVERLOADED,
}
RETRY_AFTER_S: Final = 5


def refusal_sentence(t: Translator, code: Refusal) -> str:
    """What happened and what to do about it."""
    return t(f"refusals.{code.value}.sentence")


def field_error(t: Translator, refused: Refused) -> FieldError:
    """The refusal of one field, for the form that is shown again."""
    return FieldError(field=str(refused.details.get("field", "")), sentence=refusal_sentence(t, refused.code))


def is_htmx(request: WebRequest) -> bool:
    """Whether htmx asks for a part of a page (and not for the whole page, on going back in history)."""
    return "hx-request" in request.headers and "hx-history-restore-request" not in request.headers


def wants_json(request: WebRequest) -> bool:
    """Whether a program asks."""
    accept = request.headers.get("accept", "")
    return request.url.path.startswith("/api/") or (
        "application/json" in accept and "text/html" not in accept
    )


def sign_in_url(request: WebRequest) -> str:
    """Where this audience signs in."""
    path = request.url.path
    return "/candidate/sign-in" if path.startswith(("/sitting", "/candidate")) else "/staff/sign-in"


def answer_refused(request: WebRequest, refused: Refused) -> Response[Any]:
    """An expected "no"."""
    is_page = request.method in SAFE_METHODS and not is_htmx(request) and not wants_json(request)
    if refused.code is Refusal.NOT_SIGNED_IN and is_page:
        return Redirect(sign_in_url(request), status_code=303)
    return _answer(request, refused)


def answer_http_exception(request: WebRequest, error: HTTPException) -> Response[Any]:
    """What the framework refused by itself: unknown address, wrong method, too large a body."""
    code = _FROM_STATUS.get(error.status_code)
    if code is None:
        if error.status_code >= 500:
            return answer_unexpected(request, error)
        code = Refusal.FORM_MALFORMED
    response = _answer(request, Refused(code))
    if allow := (error.headers or {}).get("allow"):
        response.headers["Allow"] = allow
    return response


def answer_error(request: WebRequest, error: Exception) -> Response[Any]:
    """No refusal of ours: a database that is away (nothing was acknowledged; try again), or a bug."""
    if not is_away(error):
        return answer_unexpected(request, error)
    log.warning("the database is away: %s", type(error).__qualname__)
    return _answer(request, Refused(Refusal.OVERLOADED))


def answer_unexpected(request: WebRequest, error: Exception) -> Response[Any]:
    """A bug or a broken part: nothing is acknowledged, the reference leads to the log."""
    reference = secrets.token_hex(4).upper()
    frames = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    log.error(
        "unexpected error %s: %s in %s (%s)\n  %s",
        reference,
        type(error).__qualname__,
        str(request.scope.get("route_handler", "no route")),
        request.method,
        "\n  ".join(frames[-12:]),
    )
    return _answer(request, Refused(Refusal.UNEXPECTED), reference)


def _answer(request: WebRequest, refused: Refused, reference: str = "") -> Response[Any]:
    status, t = STATUSES[refused.code], translator_of(request)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    if wants_json(request):
        body = {
            "code": refused.code.value,
            "title": t(f"refusals.{refused.code.value}.title"),
            "sentence": refusal_sentence(t, refused.code),
            "details": refused.details,
            "reference": reference,
        }
        return Response(
            msgspec.json.encode(body),
            status_code=status,
            media_type="application/json",
            headers={**headers, "Content-Language": language_of(request)},
        )
    action_url, action_key = _way_on(request, refused)
    view = RefusalView(
        code=refused.code.value, reference=reference, action_url=action_url, action_label=t(action_key)
    )
    if is_htmx(request):
        response = render_fragment(request, "errors/refusal_fragment.html", view, status)
    else:
        response = render(request, "errors/refusal.html", view, status)
    response.headers.update(headers)
    return response


def _way_on(request: WebRequest, refused: Refused) -> tuple[str, str]:
    """Where the one button of the page leads: to signing in, to where one came from, or to the start."""
    if refused.code in {Refusal.NOT_SIGNED_IN, Refusal.SITTING_MOVED}:
        return sign_in_url(request), "accounts.way.sign_in"
    public = services_of(request).settings.public_url
    referrer = request.headers.get("referer", "")
    if referrer.startswith(public + "/") and referrer != str(request.url):
        return referrer.removeprefix(public), "accounts.way.back"
    return "/", "accounts.way.start"
