"""Reading the embedded register: one person's record, and a unit on its nine boxes. One statement a page.

Of each aspect the newest report that is still valid counts; where none is valid any more, the newest expired
one tells that and when. Several sections of one aspect in that report count as their mean.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Row, Select, and_, func, literal, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.tables import people, policies
from cat_engine.talent.nine_box import (
    EXAMPLE_POLICY,
    Box,
    Missing,
    NineBoxPolicy,
    missing_to_next,
    place,
    policy_from,
    potential_value,
)
from cat_engine.talent.tables import performance_ratings, talent_entries


class Entry(msgspec.Struct, frozen=True):
    """One measured aspect of a person, as entered from one report."""

    aspect: str
    scale_score: str
    standard_error: str
    level: int
    measured_at_ms: int
    expires_at_ms: int
    report_number: str
    is_expired: bool


ENTRY_COLUMNS = tuple(name for name in Entry.__struct_fields__ if name != "is_expired")


class Rating(msgspec.Struct, frozen=True):
    """Performance of one year as imported, 0..100."""

    year: int
    value: int
    source: str


class Standing(msgspec.Struct, frozen=True):
    """Where a person stands. `reasons` say why an axis, and so the box, is missing."""

    x: Decimal | None
    y: Decimal | None
    box: Box | None
    missing: Missing | None
    reasons: tuple[str, ...]
    policy_version: int


class UnitMember(msgspec.Struct, frozen=True):
    """One person of a unit's grid."""

    person_id: str
    name: str
    nip: str | None
    post: str
    unit: str
    standing: Standing


class PersonRecord(msgspec.Struct, frozen=True):
    """A person's whole record, newest entries and years first."""

    person_id: str
    name: str
    nip: str | None
    post: str
    unit: str
    rank: str
    is_simulated: bool
    entries: tuple[Entry, ...]
    ratings: tuple[Rating, ...]
    standing: Standing


async def nine_box_policy(connection: AsyncConnection, agency_id: str, at_ms: int) -> NineBoxPolicy:
    """The version in force at a time; an agency without one sees the example, marked as such."""
    body = await connection.scalar(
        select(policies.c.body)
        .where(
            policies.c.agency_id == agency_id,
            policies.c.kind == "nine_box",
            policies.c.valid_from_ms <= at_ms,
        )
        .order_by(policies.c.valid_from_ms.desc(), policies.c.version.desc())
        .limit(1)
    )
    return policy_from(msgspec.json.decode(body) if body else EXAMPLE_POLICY)


async def person_record(
    connection: AsyncConnection, actor: Actor, person_id: str, policy: NineBoxPolicy, at_ms: int
) -> PersonRecord:
    """Everything known of one person of the agency."""
    actor.require(Permission.TALENT_READ)
    chosen = select(people).where(people.c.id == person_id, people.c.agency_id == actor.agency_id)
    rows = (await connection.execute(_joined(chosen, at_ms))).all()
    if not rows:
        raise Refused(Refusal.NOT_FOUND)
    person, entries, ratings = rows[0], _entries(rows, at_ms), _ratings(rows)
    return PersonRecord(
        person_id=person.id,
        name=person.name,
        nip=person.nip,
        post=person.post,
        unit=person.unit,
        rank=person.rank,
        is_simulated=person.is_simulated,
        entries=entries,
        ratings=ratings,
        standing=standing(entries, ratings, policy),
    )


async def units(connection: AsyncConnection, actor: Actor) -> tuple[tuple[str, int], ...]:
    """The agency's units and how many people each has: the choice above the grid."""
    actor.require(Permission.TALENT_READ)
    rows = await connection.execute(
        select(people.c.unit, func.count())
        .where(people.c.agency_id == actor.agency_id)
        .group_by(people.c.unit)
        .order_by(people.c.unit)
    )
    return tuple((row[0], row[1]) for row in rows)


async def unit_grid(
    connection: AsyncConnection,
    actor: Actor,
    policy: NineBoxPolicy,
    at_ms: int,
    *,
    unit: str | None = None,
    limit: int = 200,
    offset: int = 0,
) -> tuple[UnitMember, ...]:
    """The people of a unit (or of the agency) by name, each with both axes and the box, or why not."""
    actor.require(Permission.TALENT_READ)
    chosen = select(people).where(people.c.agency_id == actor.agency_id)
    if unit is not None:
        chosen = chosen.where(people.c.unit == unit)
    chosen = chosen.order_by(people.c.name, people.c.id).limit(limit).offset(offset)
    grouped: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in (await connection.execute(_joined(chosen, at_ms))).all():
        grouped[row.id].append(row)
    return tuple(
        UnitMember(
            person_id=rows[0].id,
            name=rows[0].name,
            nip=rows[0].nip,
            post=rows[0].post,
            unit=rows[0].unit,
            standing=standing(_entries(rows, at_ms), _ratings(rows), policy),
        )
        for rows in grouped.values()
    )


def standing(entries: Sequence[Entry], ratings: Sequence[Rating], policy: NineBoxPolicy) -> Standing:
    """Both axes from a record; `entries` and `ratings` are ordered newest first."""
    reasons: list[str] = []
    scores: dict[str, Decimal] = {}
    for part in policy.potential_parts:
        of_aspect = [entry for entry in entries if entry.aspect == part.aspect]
        valid = [entry for entry in of_aspect if not entry.is_expired]
        if valid:
            newest = [entry for entry in valid if entry.report_number == valid[0].report_number]
            scores[part.aspect] = sum((Decimal(entry.scale_score) for entry in newest), Decimal(0)) / len(
                newest
            )
        else:
            reasons.append(f"{part.aspect}_{'expired' if of_aspect else 'not_measured'}")
    x = None if reasons else potential_value(scores, policy)
    y = Decimal(ratings[0].value) if ratings else None
    if y is None:
        reasons.append("performance_not_imported")
    if x is None or y is None:
        return Standing(x, y, None, None, tuple(reasons), policy.version)
    return Standing(x, y, place(x, y, policy), missing_to_next(x, y, policy), (), policy.version)


def _joined(chosen: Select[Any], at_ms: int) -> Select[Any]:
    """People with their entries and, in rows of their own, their ratings: a union, no product."""
    person = chosen.subquery("person")
    kinds = select(literal(1).label("kind")).union_all(select(literal(2))).subquery("kinds")
    entry, rating = talent_entries.c, performance_ratings.c
    is_entry = and_(kinds.c.kind == 1, entry.person_id == person.c.id, entry.measured_at_ms <= at_ms)
    is_rating = and_(kinds.c.kind == 2, rating.person_id == person.c.id)
    return (
        select(person, talent_entries.c.id.label("entry_id"), *(entry[name] for name in ENTRY_COLUMNS))
        .add_columns(rating.year, rating.value, rating.source)
        .select_from(person)
        .join(kinds, true())
        .outerjoin(talent_entries, is_entry)
        .outerjoin(performance_ratings, is_rating)
        .order_by(person.c.name, person.c.id)
    )


def _entries(rows: Iterable[Row[Any]], at_ms: int) -> tuple[Entry, ...]:
    """Valid before expired, then newest first."""
    found = [
        Entry(**{name: getattr(row, name) for name in ENTRY_COLUMNS}, is_expired=row.expires_at_ms <= at_ms)
        for row in rows
        if row.entry_id is not None
    ]
    found.sort(key=lambda entry: (entry.measured_at_ms, entry.report_number, entry.aspect), reverse=True)
    return tuple(sorted(found, key=lambda entry: entry.is_expired))


def _ratings(rows: Iterable[Row[Any]]) -> tuple[Rating, ...]:
    """Newest year first."""
    found = [Rating(row.year, row.value, row.source) for row in rows if row.year is not None]
    return tuple(sorted(found, key=lambda rating: rating.year, reverse=True))
