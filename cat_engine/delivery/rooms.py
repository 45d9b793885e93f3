"""Rooms and their seats. A room is made once with all its seats: rows are letters, columns are numbers."""

from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.tables import rooms, seats
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.ledger import append
from cat_engine.foundation.refusals import Refusal, Refused

MOST_ROWS: Final = len(ascii_uppercase)
MOST_COLUMNS: Final = 40


@dataclass(frozen=True, kw_only=True)
class RoomRow:
    """One room in the list, with the number of its seats."""

    id: str
    name: str
    building: str
    seats: int


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One seat; rows and columns only say where it stands, from front to back and from left to right."""

    label: str
    row: int
    column: int


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room with all its seats, row by row."""

    id: str
    name: str
    building: str
    seats: tuple[Seat, ...]


def seat_label(row: int, column: int) -> str:
    """What is stuck on the table: row 0, column 0 is `A1`."""
    return f"{ascii_uppercase[row]}{column + 1}"


async def rooms_of(connection: AsyncConnection, actor: Actor) -> tuple[RoomRow, ...]:
    """The agency's rooms by building and name."""
    actor.require(Permission.EXAM_SESSION_MANAGE)
    rows = await connection.execute(
        select(rooms.c.id, rooms.c.name, rooms.c.building, func.count(seats.c.id).label("seats"))
        .outerjoin(seats, seats.c.room_id == rooms.c.id)
        .where(rooms.c.agency_id == actor.agency_id)
        .group_by(rooms.c.id, rooms.c.name, rooms.c.building)
        .order_by(rooms.c.building, rooms.c.name, rooms.c.id)
    )
    return tuple(RoomRow(**row) for row in rows.mappings())


async def find_room(connection: AsyncConnection, actor: Actor, room_id: str) -> Room:
    """A room of the actor's agency; another agency's looks like none."""
    actor.require(Permission.EXAM_SESSION_MANAGE)
    found = (
        await connection.execute(
            select(rooms).where(rooms.c.id == room_id, rooms.c.agency_id == actor.agency_id)
        )
    ).first()
    if found is None:
        raise Refused(Refusal.NOT_FOUND)
    places = await connection.execute(
        select(seats.c.label, seats.c.row, seats.c.column)
        .where(seats.c.room_id == room_id)
        .order_by(seats.c.row, seats.c.column)
    )
    return Room(
        id=found.id,
        name=found.name,
        building=found.building,
        seats=tuple(Seat(**place) for place in places.mappings()),
    )


async def create_room(
    connection: AsyncConnection,
    actor: Actor,
    *,
    name: str,
    building: str,
    rows: int,
    columns: int,
    now_ms: int,
) -> str:
    """A room with `rows` times `columns` seats; its identity."""
    actor.require(Permission.EXAM_SESSION_MANAGE)
    for field, count, most in (("rows", rows, MOST_ROWS), ("columns", columns, MOST_COLUMNS)):
        if not 1 <= count <= most:
            raise Refused(Refusal.FIELD_INVALID, field=field)
    same = select(rooms.c.id).where(
        rooms.c.agency_id == actor.agency_id, rooms.c.name == name, rooms.c.building == building
    )
    if (await connection.execute(same)).first() is not None:
        raise Refused(Refusal.CONFLICT, field="name")
    room_id = new_id(now_ms)
    await connection.execute(
        insert(rooms).values(id=room_id, agency_id=actor.agency_id, name=name, building=building)
    )
    await connection.execute(
        insert(seats),
        [
            {
                "id": new_id(now_ms),
                "room_id": room_id,
                "label": seat_label(row, column),
                "row": row,
                "column": column,
            }
            for row in range(rows)
            for column in range(columns)
        ],
    )
    detail = {"rows": rows, "columns": columns}
    await append(connection, actor, action="room.created", subject=room_id, at_ms=now_ms, detail=detail)
    return room_id
