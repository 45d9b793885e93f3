"""The roster of an exam session: seen, imported from a file, exported, and turned into slips.

An import takes two steps. The first shows what would happen, row by row, and stores nothing; its page carries
the file along. The second reads the same file again against the roster as it is by then, and imports only
when the outcome is the one that was shown.
"""

import base64
import binascii
import hashlib
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.roster import ParsedRoster, parse_roster
from cat_engine.delivery.rosters import Slip, import_roster, make_slips, require_scheduled, roster_context
from cat_engine.delivery.tables import roster_entries, seats
from cat_engine.foundation.actors import Permission
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.tables import people
from cat_engine.panel.setup import apply_roster
from cat_engine.panel.tables import posts
from web.access import ExamSession, access_exam_session, access_roster_entry
from web.accounts.pins import new_pin, printed_pin, seal_pin
from web.accounts.sessions import end_roster_entry_sessions
from web.administrator.accommodation_pages import accommodation_url
from web.administrator.exam_sessions import session_url
from web.administrator.views import (
    GoodLine,
    PreviewView,
    RefusedLine,
    RosterLine,
    RosterView,
    SlipLine,
    SlipsView,
)
from web.candidate.views import FieldError
from web.exports import csv_response
from web.pages import Page, render, translator_of
from web.refusals import STATUSES, refusal_sentence
from web.requests import WebRequest, read_form, read_upload_form
from web.rules import actor_of, requires
from web.security import MAXIMUM_ROSTER_BYTES
from web.services import services_of

RULE = requires(Permission.ROSTER_MANAGE)
PATH = "/administrator/exam-sessions/{exam_session_id:str}/roster"


class UploadForm(msgspec.Struct, frozen=True, kw_only=True):
    """The upload carries nothing but the file."""


class ImportForm(msgspec.Struct, frozen=True, kw_only=True):
    """The confirmation: the file as base64, and what the preview showed."""

    content: Annotated[str, msgspec.Meta(max_length=2 * MAXIMUM_ROSTER_BYTES)]
    fingerprint: Annotated[str, msgspec.Meta(max_length=64)]


class SlipsForm(msgspec.Struct, frozen=True, kw_only=True):
    """For whom slips are made."""

    only_missing: bool = False


@get(PATH, opt=RULE)
async def roster_page(request: WebRequest, exam_session_id: FromPath[str]) -> Page:
    """The roster and the form that imports one."""
    return await _show_roster(request, exam_session_id, None)


@post(PATH + "/preview", opt=RULE, status_code=200, request_max_body_size=MAXIMUM_ROSTER_BYTES)
async def roster_preview(request: WebRequest, exam_session_id: FromPath[str]) -> Page:
    """What the file would do; nothing is stored."""
    async with services_of(request).storage.reading() as connection:
        session = await _access(connection, request, exam_session_id)
        try:
            await require_scheduled(connection, session.id)
            _, upload = await read_upload_form(request, UploadForm, "roster")
            if upload is None:
                raise Refused(Refusal.FIELD_MISSING, field="roster")
            parsed = await _parse(connection, request, session, upload.content)
        except Refused as refused:
            outcome = refused
        else:
            return _preview(request, session, upload.content, parsed, has_changed=False)
    return await _show_roster(request, exam_session_id, outcome)


@post(PATH + "/import", opt=RULE, status_code=200, request_max_body_size=2 * MAXIMUM_ROSTER_BYTES)
async def roster_import(request: WebRequest, exam_session_id: FromPath[str]) -> Page | Redirect:
    """Import the good rows, all or none, when the outcome is still the one that was shown.

    In a selection everybody on the roster thereby applies for the post that the roster names.
    """
    services, actor = services_of(request), actor_of(request)
    now_ms = services.clock.now_ms()
    async with services.storage.transaction() as connection:
        session = await _access(connection, request, exam_session_id)
        form = await read_form(request, ImportForm)
        content = _decode(form.content)
        parsed = await _parse(connection, request, session, content)
        if _fingerprint(parsed) != form.fingerprint:
            return _preview(request, session, content, parsed, has_changed=True)
        await import_roster(connection, actor, session.id, parsed, now_ms)
        if session.selection_id is not None:
            await apply_roster(connection, actor, session.id, session.selection_id, now_ms)
    return Redirect(f"{session_url(exam_session_id)}/roster", status_code=303)


@get(PATH + ".csv", opt=RULE)
async def roster_export(request: WebRequest, exam_session_id: FromPath[str]) -> Response[bytes]:
    """The roster as a file that can be corrected and imported elsewhere."""
    t = translator_of(request)
    async with services_of(request).storage.reading() as connection:
        session = await _access(connection, request, exam_session_id)
        lines = await _roster_lines(connection, session.id)
    names = ("nip", "name", "candidate_number", "seat", "post")
    heading = [t(f"administrator.roster_column.{name}") for name in names]
    return csv_response("roster.csv", heading, ([getattr(line, name) for name in names] for line in lines))


@post(PATH + "/slips", opt=RULE, status_code=200)
async def roster_slips(request: WebRequest, exam_session_id: FromPath[str]) -> Page:
    """New PINs, shown this once. Whoever signed in with an old one is signed out."""
    async with services_of(request).storage.transaction() as connection:
        session = await _access(connection, request, exam_session_id)
        form = await read_form(request, SlipsForm)
        if session.status == "open" and not form.only_missing:
            raise Refused(Refusal.CONFLICT)  # the room would be signed out while its clocks run
        slips = await _make_slips(request, connection, session, only_missing=form.only_missing)
    return _show_slips(request, session, slips)


@post("/administrator/roster-entries/{roster_entry_id:str}/slip", opt=RULE, status_code=200)
async def roster_entry_slip(request: WebRequest, roster_entry_id: FromPath[str]) -> Page:
    """A new slip for one candidate who has lost the old one."""
    async with services_of(request).storage.transaction() as connection:
        entry = await access_roster_entry(
            connection, actor_of(request), roster_entry_id, Permission.ROSTER_MANAGE
        )
        session = await _access(connection, request, entry.exam_session_id)
        slips = await _make_slips(request, connection, session, roster_entry_id=entry.id)
    return _show_slips(request, session, slips)


async def _access(connection: AsyncConnection, request: WebRequest, exam_session_id: str) -> ExamSession:
    return await access_exam_session(connection, actor_of(request), exam_session_id, Permission.ROSTER_MANAGE)


async def _parse(
    connection: AsyncConnection, request: WebRequest, session: ExamSession, content: bytes
) -> ParsedRoster:
    titles: frozenset[str] | None = None
    if session.selection_id is not None:
        statement = select(posts.c.title).where(posts.c.selection_id == session.selection_id)
        titles = frozenset((await connection.execute(statement)).scalars())
    now_ms = services_of(request).clock.now_ms()
    return parse_roster(content, await roster_context(connection, session.id, titles, now_ms))


async def _make_slips(
    request: WebRequest,
    connection: AsyncConnection,
    session: ExamSession,
    *,
    only_missing: bool = False,
    roster_entry_id: str | None = None,
) -> tuple[Slip, ...]:
    services = services_of(request)
    slips = await make_slips(
        connection,
        actor_of(request),
        session.id,
        services.clock.now_ms(),
        only_missing=only_missing,
        roster_entry_id=roster_entry_id,
        new_pin=new_pin,
        seal_pin=partial(seal_pin, services.settings.secret_key),
    )
    if session.status != "open":
        # in an open room whoever sits there works on; the new PIN counts at the next sign-in
        await end_roster_entry_sessions(connection, [slip.roster_entry_id for slip in slips])
    return slips


async def _roster_lines(connection: AsyncConnection, exam_session_id: str) -> tuple[RosterLine, ...]:
    rows = await connection.execute(
        select(roster_entries, people.c.name, people.c.nip, seats.c.label)
        .join(people, people.c.id == roster_entries.c.person_id)
        .outerjoin(seats, seats.c.id == roster_entries.c.seat_id)
        .where(roster_entries.c.exam_session_id == exam_session_id)
        .order_by(roster_entries.c.candidate_number)
    )
    return tuple(
        RosterLine(
            name=row.name,
            nip=row.nip or "",
            candidate_number=row.candidate_number,
            seat=row.label or "",
            post=row.post_title,
            accommodation_s=row.accommodation_s,
            has_slip=bool(row.pin_hash),
            slip_url=f"/administrator/roster-entries/{row.id}/slip",
            accommodation_url=accommodation_url(row.id),
        )
        for row in rows
    )


async def _show_roster(request: WebRequest, exam_session_id: str, refused: Refused | None) -> Page:
    async with services_of(request).storage.reading() as connection:
        session = await _access(connection, request, exam_session_id)
        entries = await _roster_lines(connection, session.id)
    url = session_url(session.id)
    errors: tuple[FieldError, ...] = ()
    if refused is not None:
        sentence = refusal_sentence(translator_of(request), refused.code)
        errors = (FieldError(field="roster", sentence=sentence),)
    view = RosterView(
        title=session.title,
        can_import=session.status == "scheduled",
        can_accommodate=session.status != "closed",
        entries=entries,
        without_slip=sum(not entry.has_slip for entry in entries),
        preview_url=f"{url}/roster/preview",
        slips_url=f"{url}/roster/slips",
        export_url=f"{url}/roster.csv",
        back_url=url,
        errors=errors,
    )
    return render(request, "administrator/roster.html", view, STATUSES[refused.code] if refused else 200)


def _preview(
    request: WebRequest, session: ExamSession, content: bytes, parsed: ParsedRoster, *, has_changed: bool
) -> Page:
    t, url = translator_of(request), session_url(session.id)
    view = PreviewView(
        title=session.title,
        good=tuple(
            GoodLine(**{name: getattr(row, name) for name in GoodLine.__struct_fields__})
            for row in parsed.rows
        ),
        refused=tuple(
            RefusedLine(
                row_number=row.row_number,
                column=t(f"administrator.roster_column.{row.column}") if row.column else "",
                value=row.value,
                code=row.code.value,
                sentence=refusal_sentence(t, row.code),
            )
            for row in parsed.refused
        ),
        has_changed=has_changed,
        content=base64.urlsafe_b64encode(content).decode(),
        fingerprint=_fingerprint(parsed),
        import_url=f"{url}/roster/import",
        back_url=f"{url}/roster",
    )
    return render(request, "administrator/roster_preview.html", view)


def _show_slips(request: WebRequest, session: ExamSession, slips: tuple[Slip, ...]) -> Page:
    view = SlipsView(
        title=session.title,
        agency=session.agency_name,
        room=session.room_name,
        starts_at_ms=session.starts_at_ms,
        slips=tuple(
            SlipLine(
                candidate_number=slip.candidate_number,
                name=slip.name,
                seat=slip.seat,
                post=slip.post_title,
                pin=printed_pin(slip.pin),
            )
            for slip in slips
        ),
        back_url=f"{session_url(session.id)}/roster",
    )
    return render(request, "administrator/slips.html", view)


def _decode(content: str) -> bytes:
    try:
        return base64.b64decode(content, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Refused(Refusal.FIELD_INVALID, field="content") from None


def _fingerprint(parsed: ParsedRoster) -> str:
    """What was shown, in one word: two previews with the same one do the same."""
    told: tuple[Any, ...] = (parsed.rows, parsed.refused)
    return hashlib.sha256(repr(told).encode()).hexdigest()


route_handlers = (
    roster_page,
    roster_preview,
    roster_import,
    roster_export,
    roster_slips,
    roster_entry_slip,
)
