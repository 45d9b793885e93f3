"""Who sits where, for the pages around the items: one statement, off the answer path."""

import hashlib

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.sittings import LiveSitting, SittingRef
from cat_engine.delivery.tables import exam_sessions, rooms, roster_entries, seats
from cat_engine.foundation.refusals import Refusal, Refused
from web.access import access_sitting
from web.accounts.principals import SittingAccess
from web.requests import WebRequest
from web.rules import remember_principal
from web.services import services_of


class PledgeSection(msgspec.Struct, frozen=True):
    """One heading of the rules and its sentences."""

    heading: str
    sentences: tuple[str, ...]


class PledgeText(msgspec.Struct, frozen=True, kw_only=True):
    """What is accepted, in one language."""

    version: str
    rules: tuple[PledgeSection, ...]
    pledge: tuple[str, ...]
    consent: str = ""

    @property
    def text_hash(self) -> str:
        """The first 16 hexadecimal digits of SHA-256 over the text: what was signed."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:16]


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """The candidate's place."""

    candidate_number: str
    post_title: str
    seat: str
    room: str
    building: str
    session_name: str
    starts_at_ms: int
    pledge: dict[str, PledgeText]


async def own_sitting(request: WebRequest, sitting_id: str) -> tuple[SittingAccess, SittingRef]:
    """The sitting in the address, if it is the visitor's own: one statement."""
    async with services_of(request).storage.reading() as connection:
        access = await access_sitting(connection, request, sitting_id)
    remember_principal(request, access.principal)
    services = services_of(request)
    services.presence.note(access.sitting_id, services.clock.now_ms())
    ref = SittingRef(access.sitting_id, access.principal.actor.agency_id, access.package_id, access.revision)
    return access, ref


async def own_live_sitting(request: WebRequest, sitting_id: str) -> tuple[SittingAccess, LiveSitting]:
    """The same, with its state."""
    access, ref = await own_sitting(request, sitting_id)
    return access, await services_of(request).sittings.load(ref)


async def details_of(request: WebRequest, access: SittingAccess) -> Details:
    """Seat, room, session, post and rules of a candidate."""
    async with services_of(request).storage.reading() as connection:
        return await _read_details(connection, access.principal.actor.subject_id)


async def _read_details(connection: AsyncConnection, roster_entry_id: str) -> Details:
    row = (
        await connection.execute(
            select(
                roster_entries.c.candidate_number,
                roster_entries.c.post_title,
                seats.c.label.label("seat"),
                rooms.c.name.label("room"),
                rooms.c.building,
                exam_sessions.c.title.label("session_name"),
                exam_sessions.c.starts_at_ms,
                exam_sessions.c.pledge,
            )
            .join(exam_sessions, exam_sessions.c.id == roster_entries.c.exam_session_id)
            .join(rooms, rooms.c.id == exam_sessions.c.room_id)
            .outerjoin(seats, seats.c.id == roster_entries.c.seat_id)
            .where(roster_entries.c.id == roster_entry_id)
        )
    ).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    return Details(
        candidate_number=row.candidate_number,
        post_title=row.post_title,
        seat=row.seat or "",
        room=row.room,
        building=row.building,
        session_name=row.session_name,
        starts_at_ms=row.starts_at_ms,
        pledge=msgspec.json.decode(row.pledge, type=dict[str, PledgeText]),
    )
