"""The bank as its pages ask for it: one statement for a page of the list, one for an item."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation.actors import Actor
from item_bank.tables import calibrations, item_enemies, item_versions, items
from web.author.views import BankFilters

PAGE_SIZE: Final = 25
LEVELS: Final = ("1", "2", "3", "4", "5")
STATUSES: Final = ("draft", "review", "approved", "pretest", "operational", "retired")
PROVENANCES: Final = ("design", "calibrated")
LANGUAGES: Final = ("id", "en")

SORTS: Final[Mapping[str, ColumnElement[Any]]] = {
    "code": items.c.code,
    "competency": items.c.competency,
    "family": items.c.family,
    "level": items.c.level,
    "status": items.c.status,
}

_newest = (
    select(item_versions.c.item_id, func.max(item_versions.c.version).label("version"))
    .group_by(item_versions.c.item_id)
    .subquery("newest_version")
)
_dated = (
    select(calibrations.c.item_version_id, func.max(calibrations.c.made_at_ms).label("made_at_ms"))
    .group_by(calibrations.c.item_version_id)
    .subquery("newest_calibration")
)


def _with_newest(statement: Select[Any]) -> Select[Any]:
    """Join the newest version and its newest calibration, where an item has them."""
    version = and_(item_versions.c.item_id == _newest.c.item_id, item_versions.c.version == _newest.c.version)
    calibration = and_(
        calibrations.c.item_version_id == _dated.c.item_version_id,
        calibrations.c.made_at_ms == _dated.c.made_at_ms,
    )
    return (
        statement.select_from(items)
        .outerjoin(_newest, _newest.c.item_id == items.c.id)
        .outerjoin(item_versions, version)
        .outerjoin(_dated, _dated.c.item_version_id == item_versions.c.id)
        .outerjoin(calibrations, calibration)
    )


def conditions(actor: Actor, filters: BankFilters) -> list[ColumnElement[bool]]:
    """The agency's items that the filters leave."""
    found: list[ColumnElement[bool]] = [items.c.agency_id == actor.agency_id]
    if filters.words:
        found.append(
            or_(
                *(
                    column.icontains(filters.words, autoescape=True)
                    for column in (items.c.code, items.c.indicator, item_versions.c.citation)
                )
            )
        )
    if filters.competency:
        branch = items.c.competency.startswith(f"{filters.competency}.", autoescape=True)
        found.append(or_(items.c.competency == filters.competency, branch))
    if filters.family:
        found.append(items.c.family == filters.family)
    if filters.level:
        found.append(items.c.level == int(filters.level))
    if filters.status:
        found.append(items.c.status == filters.status)
    if filters.provenance:
        found.append(calibrations.c.provenance == filters.provenance)
    if filters.language:
        found.append(item_versions.c.bodies.contains(f'"{filters.language}":{{', autoescape=True))
    return found


async def count_items(connection: AsyncConnection, actor: Actor, filters: BankFilters) -> int:
    """How many items the filters leave."""
    statement = _with_newest(select(func.count(items.c.id.distinct()))).where(*conditions(actor, filters))
    return int((await connection.execute(statement)).scalar_one())


async def read_items(
    connection: AsyncConnection, actor: Actor, filters: BankFilters, sort: str, offset: int
) -> list[RowMapping]:
    """One page of the list; `sort` is a key of SORTS, with a minus in front for the other direction."""
    column = SORTS[sort.removeprefix("-")]
    statement = (
        _with_newest(
            select(items, item_versions.c.bodies, calibrations.c.provenance, calibrations.c.parameters)
        )
        .where(*conditions(actor, filters))
        .order_by(column.desc() if sort.startswith("-") else column, items.c.code, items.c.id)
        .limit(PAGE_SIZE)
        .offset(offset)
    )
    return list((await connection.execute(statement)).mappings())


async def read_kinds(connection: AsyncConnection, actor: Actor) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The competencies and the families that the agency has items of, for the filters."""
    rows = (
        await connection.execute(
            select(items.c.competency, items.c.family)
            .where(items.c.agency_id == actor.agency_id)
            .distinct()
            .order_by(items.c.competency, items.c.family)
        )
    ).all()
    return tuple(sorted({row.competency for row in rows})), tuple(sorted({row.family for row in rows}))


async def read_item(connection: AsyncConnection, item_id: str) -> RowMapping | None:
    """The newest version of an item with its newest calibration, None for an item without a version."""
    statement = _with_newest(
        select(
            item_versions,
            calibrations.c.model,
            calibrations.c.parameters,
            calibrations.c.metric_d,
            calibrations.c.provenance,
            calibrations.c.made_at_ms,
        )
    ).where(items.c.id == item_id, item_versions.c.id.is_not(None))
    row: RowMapping | None = (await connection.execute(statement)).mappings().first()
    return row


async def read_enemies(connection: AsyncConnection, actor: Actor, item_id: str) -> list[RowMapping]:
    """The items that may not meet this one."""
    statement = (
        select(items.c.id, items.c.code, items.c.indicator)
        .join(item_enemies, item_enemies.c.enemy_id == items.c.id)
        .where(item_enemies.c.item_id == item_id, items.c.agency_id == actor.agency_id)
        .order_by(items.c.code)
    )
    return list((await connection.execute(statement)).mappings())


class Parameters(msgspec.Struct, frozen=True):
    """The parameters of a calibration as they are stored."""

    a: float
    b: tuple[float, ...]
    c: float = 0.0
    d: float = 1.0

    @property
    def difficulty(self) -> float:
        """Difficulty, or the mean of the steps."""
        return sum(self.b) / len(self.b)


def decode_parameters(text: str | None) -> Parameters | None:
    """The stored parameters, where there are any."""
    return msgspec.json.decode(text, type=Parameters) if text else None
