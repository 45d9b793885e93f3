"""What a candidate's program reads off a page: which page it is, what may be answered, the time left."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_ACTION = re.compile(r'<form[^>]*?\saction="/sittings/([^/"]+)/(\w+)"')
_SECTION = re.compile(r'name="section" value="([^"]*)"')
_CSRF = re.compile(r'name="csrf_token" value="([^"]*)"')
_POSITION = re.compile(r'name="presentation" value="(\d+)"')
_OPTION = re.compile(r'<input type="radio" name="response" value="([^"]+)"( checked)?')
_TEXT_HASH = re.compile(r'name="text_hash" value="([^"]+)"')
_REMAINING = re.compile(r'data-remaining-ms="(\d+)"')
_WORDS = re.compile(
    r'<div id="stem"[^>]*>(.*?)</div>|<span class="option__text"[^>]*>(.*?)</span>', re.DOTALL
)

_KINDS = {
    "identity": "identity",
    "pledge": "rules",
    "device": "device",
    "begin": "begin",
    "responses": "item",
    "finish": "review",
}


@dataclass(frozen=True)
class Shown:
    """One page or fragment, understood.

    `kind` is sign_in, identity, rules, device, waiting, begin, item (adaptive), form (an item of a fixed
    form), review, finished, or other.
    """

    kind: str
    csrf_token: str = ""
    position: int = 0
    options: tuple[str, ...] = ()
    is_answered: bool = False
    text_hash: str = ""
    section: str = ""
    remaining_ms: int | None = None
    words: str = ""


def read_page(html: str) -> Shown:
    """The page behind the HTML."""
    kind = "other"
    for _, verb in _ACTION.findall(html):
        kind = _KINDS.get(verb, kind)
    if kind == "item" and 'name="go" value="next"' in html:
        kind = "form"
    if kind == "other":
        marks = {"receipt__code": "finished", "/waiting": "waiting", 'name="pin"': "sign_in"}
        kind = next((found for mark, found in marks.items() if mark in html), kind)
    options = _OPTION.findall(html)
    remaining = _first(_REMAINING, html)
    return Shown(
        kind=kind,
        csrf_token=_first(_CSRF, html),
        position=int(_first(_POSITION, html) or 0),
        options=tuple(value for value, _ in options),
        is_answered=any(checked for _, checked in options),
        text_hash=_first(_TEXT_HASH, html),
        section=_first(_SECTION, html),
        remaining_ms=int(remaining) if remaining and kind in {"item", "form", "review"} else None,
        words=hashlib.sha256(repr(_WORDS.findall(html)).encode()).hexdigest()[:16] if options else "",
    )


def _first(pattern: re.Pattern[str], html: str) -> str:
    found = pattern.search(html)
    return found[1] if found else ""
