"""What the tests that set up an exam share: addresses, a sound form, and filling forms in over HTTP."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import httpx

from tests.web.agency import csrf_token
from tests.web.staff_scene import text_of

SESSIONS, ROOMS = "/administrator/exam-sessions", "/administrator/rooms"
SELECTIONS, ACCOUNTS = "/administrator/selections", "/administrator/accounts"
SELECTION = {
    "title": "Seleksi terbuka Nusa Lestari",
    "year": "2023",
    "cut_score": "470,5",
    "places": "1",
    "weight_potential": "40",
    "weight_competency": "60",
    "tie_break_1": "competency",
    "names_open": "after_release",
}


async def send(
    client: httpx.AsyncClient, page: str, form: Mapping[str, Any], to: str | None = None
) -> httpx.Response:
    """Fill in the form of a page, with what it begins with, and send it."""
    token = await csrf_token(client, page)
    return await client.post(to or page, data={"csrf_token": token, **form})


async def done(client: httpx.AsyncClient, page: str, form: Mapping[str, Any], to: str | None = None) -> str:
    """The same, taken: where it leads."""
    answer = await send(client, page, form, to)
    assert answer.status_code == 303, text_of(answer.text)
    location: str = answer.headers["location"]
    return location


async def chosen(client: httpx.AsyncClient, page: str, name: str, label: str) -> str:
    """The value behind an option of a list or a box."""
    shown = (await client.get(page)).text
    options = re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)<', shown)
    boxes = re.findall(rf'name="{name}" value="([^"]+)"[^>]*>\s*<span>([^<]*)', shown)
    return next(value for value, text in (*options, *boxes) if label in html.unescape(text))


def texts_of(page: str) -> dict[str, str]:
    """The rules and pledge that a form begins with."""
    areas = re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)</textarea>', page)
    version = re.findall(r'name="version"[^>]* value="([^"]*)"', page)[0]
    return {"version": version, **{name: html.unescape(text) for name, text in areas}}
