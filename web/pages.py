"""From a view to a response: one template engine, one way to render.

Templates decide nothing: they receive a frozen `view`, the translator, the formats of the reader's language
and place, and the frame that surrounds every page.
"""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.datastructures import Cookie
from litestar.response import Response

from cat_engine.foundation.actors import Permission
from web.accounts.principals import Principal
from web.assets import AssetTable
from web.formats import Formats, Zone
from web.language import (
    LANGUAGES,
    Frame,
    Language,
    LanguageChoice,
    NavigationLink,
    Translator,
    choose_language,
)
from web.requests import WebRequest
from web.rules import known_principal
from web.security import csp_nonce, csrf_token
from web.services import services_of

Page = Response[bytes]

TEMPLATES_FOLDER: Final = Path(__file__).parent / "templates"
LANGUAGE_COOKIE: Final = "language"
LANGUAGE_COOKIE_S: Final = 365 * 24 * 60 * 60
HTML: Final = "text/html"
COMPRESSION_LEVEL: Final = 5
_LANGUAGE: Final = "cat_engine.language"

# what leads a member of staff to the work; shown in the navigation and on the first page, in this order
NAVIGATION: Final[tuple[tuple[Permission, str, str], ...]] = (
    (Permission.EXAM_SESSION_MANAGE, "/administrator/exam-sessions", "exam_sessions"),
    (Permission.EXAM_SESSION_PROCTOR, "/proctor", "proctor"),
    (Permission.BANK_READ, "/bank", "bank"),
    (Permission.PACKAGE_READ, "/packages", "packages"),
    (Permission.SITTING_EXPORT, "/sitting-files", "sitting_files"),
    (Permission.SELECTION_READ, "/panel", "panel"),
    (Permission.RESULT_RELEASE, "/results", "results"),
    (Permission.TALENT_READ, "/talent", "talent"),
    (Permission.ACCOUNT_MANAGE, "/administrator/accounts", "accounts"),
    (Permission.LEDGER_READ, "/ledger", "ledger"),
)


def make_templates(assets: AssetTable, folder: Path = TEMPLATES_FOLDER) -> Environment:
    """The template engine: escapes always, forgives no missing value, never looks at the files again."""
    templates = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["asset"] = assets
    return templates


def language_of(request: WebRequest) -> Language:
    """The reader's language: asked for now, chosen before, preferred by the browser, else Indonesian."""
    state = request.scope["state"]
    if _LANGUAGE not in state:
        state[_LANGUAGE] = choose_language(
            request.query_params.get("language"),
            request.cookies.get(LANGUAGE_COOKIE),
            request.headers.get("accept-language"),
        )
    language: Language = state[_LANGUAGE]
    return language


def translator_of(request: WebRequest) -> Translator:
    """The messages in the reader's language."""
    return services_of(request).translators[language_of(request)]


def formats_of(request: WebRequest) -> Formats:
    """Dates and numbers in the reader's language, in the time of the agency's place."""
    principal = known_principal(request)
    return Formats(language_of(request), Zone[principal.zone] if principal else Zone.WIB)


def render(request: WebRequest, template: str, view: msgspec.Struct, status: int = 200) -> Page:
    """A whole page in its frame."""
    frame = make_frame(request, known_principal(request))
    return _respond(request, template, {"view": view, "frame": frame}, status)


def render_fragment(request: WebRequest, template: str, view: msgspec.Struct, status: int = 200) -> Page:
    """A part of a page that htmx puts in place; it has no frame."""
    return _respond(request, template, {"view": view}, status)


def _respond(request: WebRequest, template: str, values: Mapping[str, Any], status: int) -> Page:
    services, language = services_of(request), language_of(request)
    principal = known_principal(request)
    html = services.templates.get_template(template).render(
        t=services.translators[language],
        language=language,
        csrf_token=csrf_token(request),
        csp_nonce=csp_nonce(request.scope),
        formats=formats_of(request),
        actor=principal.actor if principal else None,
        **values,
    )
    content, headers = _compressed(request, html.encode())
    return Response(
        content,
        status_code=status,
        media_type=HTML,
        headers=headers,
        cookies=_language_cookies(request, language),
    )


def _compressed(request: WebRequest, content: bytes) -> tuple[bytes, dict[str, str]]:
    """The page as it travels: gzip where the browser takes it.

    Lengths of compressed pages can betray a secret beside something that an attacker makes us repeat; our
    cookies are SameSite=Strict, so nobody else's page can ask for one of ours in the visitor's name.
    """
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return content, {"Vary": "Accept-Encoding"}
    return gzip.compress(content, COMPRESSION_LEVEL, mtime=0), {
        "Content-Encoding": "gzip",
        "Vary": "Accept-Encoding",
    }


def _language_cookies(request: WebRequest, language: Language) -> list[Cookie]:
    """A language asked for in the address is remembered."""
    if request.query_params.get("language") != language:
        return []
    return [
        Cookie(
            key=LANGUAGE_COOKIE,
            value=language,
            max_age=LANGUAGE_COOKIE_S,
            path="/",
            secure=services_of(request).settings.secure_cookies,
            httponly=True,
            samesite="lax",
        )
    ]


def make_frame(request: WebRequest, principal: Principal | None) -> Frame:
    """Names, languages and the way around, for the person who reads."""
    t = translator_of(request)
    if principal is None:
        return Frame(agency_name=t("accounts.frame.agency"), languages=_language_choices(request))
    return Frame(
        agency_name=principal.agency_name,
        languages=_language_choices(request),
        navigation=navigation_of(request, principal),
        home_url="/sitting" if principal.is_candidate else "/desk",
        person_name=principal.actor.name,
        person_detail=", ".join(t(f"accounts.role.{role}") for role in sorted(principal.actor.roles)),
        sign_out_url="/sign-out",
        demonstration=principal.is_demonstration,
    )


def navigation_of(request: WebRequest, principal: Principal) -> tuple[NavigationLink, ...]:
    """The links that the person's roles open."""
    t, path = translator_of(request), request.url.path
    return tuple(
        NavigationLink(label=t(f"accounts.navigation.{key}"), url=url, current=path.startswith(url))
        for permission, url, key in NAVIGATION
        if principal.actor.may(permission)
    )


def _language_choices(request: WebRequest) -> tuple[LanguageChoice, ...]:
    """The same page in each language; an answer to a form has no address of its own to come back to."""
    if request.method != "GET":
        return ()
    chosen = language_of(request)
    return tuple(
        LanguageChoice(
            language=language,
            url=f"{request.url.path}?{_with_language(request, language)}",
            chosen=language == chosen,
        )
        for language in LANGUAGES
    )


def _with_language(request: WebRequest, language: Language) -> str:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "language"]
    return urlencode([*kept, ("language", language)])
