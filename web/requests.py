"""Reading what a form sent: strictly, into the frozen type that the handler names.

Fields that the type does not know are refused (nobody writes a column by guessing its name), as are values of
the wrong type; a refusal names the field. Text is taken as sent, except that no text may contain NUL or other
control characters (line breaks and tabs are allowed), which databases and spreadsheets disagree about.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar, get_origin
from urllib.parse import parse_qsl

import msgspec
from litestar.connection import Request
from litestar.datastructures import UploadFile

from cat_engine.foundation.refusals import Refusal, Refused

WebRequest = Request[Any, Any, Any]
T = TypeVar("T", bound=msgspec.Struct)

CSRF_FIELD: Final = "csrf_token"
MAXIMUM_FIELDS: Final = 500
_ITEMS: Final = "cat_engine.form_items"
_ALLOWED_CONTROLS: Final = frozenset("\n\r\t")


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file as sent; its name is only shown, never used as a path."""

    name: str
    content: bytes


async def read_form(request: WebRequest, form_type: type[T]) -> T:
    """The form's fields as `form_type`. Blank optional fields take their default, blank required ones are
    missing.

    A field of type `tuple[...]` takes every value sent under its name, any other field exactly one.
    """
    fields, uploads = await _fields(request)
    if uploads:
        raise Refused(Refusal.FORM_MALFORMED, field=next(iter(uploads)))
    return convert_fields(fields, form_type)


async def read_upload_form(
    request: WebRequest, form_type: type[T], upload_field: str
) -> tuple[T, Upload | None]:
    """The same for a form with one file, None when no file was chosen."""
    fields, uploads = await _fields(request)
    upload = uploads.pop(upload_field, None)
    if uploads:
        raise Refused(Refusal.FORM_MALFORMED, field=next(iter(uploads)))
    return convert_fields(fields, form_type), upload if upload and upload.content else None


@lru_cache(maxsize=256)
def _known_fields(form_type: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(form_type)}


def convert_fields(fields: dict[str, list[str]], form_type: type[T]) -> T:
    """Check and convert the fields one by one, so that the refusal can name the first wrong one."""
    known = _known_fields(form_type)
    for name in fields:
        if name not in known and name != CSRF_FIELD:
            raise Refused(Refusal.FORM_MALFORMED, field=name[:60])
    values: dict[str, Any] = {}
    for name, field in known.items():
        sent = fields.get(name, [])
        is_many = get_origin(field.type) is tuple
        if not is_many and len(sent) > 1:
            raise Refused(Refusal.FORM_MALFORMED, field=name)
        if not sent or (not is_many and not sent[0].strip()):
            if field.required:
                raise Refused(Refusal.FIELD_MISSING, field=name)
            continue
        try:
            values[field.name] = msgspec.convert(sent if is_many else sent[0], field.type, strict=False)
        except msgspec.ValidationError:
            raise Refused(Refusal.FIELD_INVALID, field=name) from None
    return form_type(**values)


async def typed_fields(request: WebRequest) -> dict[str, str]:
    """What was typed, for showing the form again: the last value of each field."""
    fields, _ = await _fields(request)
    return {name: sent[-1] for name, sent in fields.items() if name != CSRF_FIELD}


async def form_items(request: WebRequest) -> list[tuple[str, str | UploadFile]]:
    """The form as sent, parsed once for each request.

    Litestar's own parser for URL-encoded forms keeps the last thousand bodies in memory, passwords and
    answers included, and repairs what is not UTF-8; this one keeps nothing and refuses.
    """
    state = request.scope["state"]
    if _ITEMS in state:
        kept: list[tuple[str, str | UploadFile]] = state[_ITEMS]
        return kept
    media_type, _ = request.content_type
    items: list[tuple[str, str | UploadFile]] = []
    try:
        if media_type == "application/x-www-form-urlencoded":
            text = (await request.body()).decode("ascii")
            items.extend(
                parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAXIMUM_FIELDS)
            )
        elif media_type == "multipart/form-data":
            items.extend((await request.form()).multi_items())
    except ValueError:  # UnicodeDecodeError is one
        raise Refused(Refusal.FORM_MALFORMED) from None
    state[_ITEMS] = items
    return items


async def _fields(request: WebRequest) -> tuple[dict[str, list[str]], dict[str, Upload]]:
    fields: dict[str, list[str]] = {}
    uploads: dict[str, Upload] = {}
    for name, value in await form_items(request):
        if not isinstance(value, str):
            uploads[name] = Upload(name=value.filename, content=await value.read())
            await value.seek(0)
        elif is_clean(value):
            fields.setdefault(name, []).append(value)
        else:
            raise Refused(Refusal.FIELD_INVALID, field=name[:60])
    return fields, uploads


def is_clean(text: str) -> bool:
    """Whether there are no control characters besides line breaks and tabs."""
    return text.isprintable() or not any(
        (character < " " and character not in _ALLOWED_CONTROLS) or "\x7f" <= character <= "\x9f"
        for character in text
    )
