"""From the bank to a frozen test package: filter the pool, lay down blueprint and rules, freeze, install."""

from dataclasses import dataclass

import msgspec
from sqlalchemy import LABEL_STYLE_TABLENAME_PLUS_COL, and_, func, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core.test_package import PoolItem, Section, TestPackage
from cat_engine.delivery.packages import ItemView, install
from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.refusals import Refusal, Refused
from item_bank.cleaning import clean
from item_bank.demonstration.drafts import ItemBody
from item_bank.tables import calibrations, item_enemies, item_versions, items

OPERATIONAL = "operational"


class SectionDesign(msgspec.Struct, frozen=True, kw_only=True):
    """A section before its pool is drawn: which part of the competency tree, and everything else.

    `section.item_ids` is empty here; a linear section takes the first `form_length` items of its filter by a
    hash order, so that the form does not follow the bank's numbering.
    """

    section: Section
    competencies: tuple[str, ...]  # branches of the tree that the pool is drawn from
    form_length: int | None = None


class PackageDesign(msgspec.Struct, frozen=True, kw_only=True):
    """A test package before it is frozen."""

    code: str
    version: int
    title: dict[str, str]
    languages: tuple[str, ...]
    sections: tuple[SectionDesign, ...]
    time_allowed_s: int
    total_cut_points: int | None = None


@dataclass(frozen=True)
class _Row:
    pool_item: PoolItem
    competency: str
    bodies: dict[str, ItemBody]


async def publish(connection: AsyncConnection, actor: Actor, design: PackageDesign, at_ms: int) -> str:
    """Assemble, freeze, install; the package's identity. Only operational items are drawn."""
    actor.require(Permission.PACKAGE_PUBLISH)
    rows = await _operational(connection, actor.agency_id)
    sections: list[Section] = []
    used: dict[str, _Row] = {}
    for part in design.sections:
        pool = [row for row in rows if _is_under(row.competency, part.competencies)]
        if not pool:
            raise Refused(Refusal.PACKAGE_EMPTY_POOL, section=part.section.section_id)
        if part.form_length is not None:
            pool = _form(pool, part.form_length)
        used |= {row.pool_item.item_id: row for row in pool}
        item_ids = tuple(row.pool_item.item_id for row in pool)
        sections.append(msgspec.structs.replace(part.section, item_ids=item_ids))
    package = TestPackage(
        code=design.code,
        version=design.version,
        title=design.title,
        languages=design.languages,
        metric_d=1.0,
        items=tuple(row.pool_item for row in used.values()),
        sections=tuple(sections),
        time_allowed_s=design.time_allowed_s,
        total_cut_points=design.total_cut_points,
    )
    views = {
        (item_id, language): ItemView(
            stimulus=clean(body.stimulus),
            stem=clean(body.stem),
            options=tuple(clean(o) for o in body.options),
        )
        for item_id, row in used.items()
        for language, body in row.bodies.items()
    }
    package_id, package_file = await install(connection, actor.agency_id, package, views, at_ms=at_ms)
    await ledger.append(
        connection,
        actor,
        action="package.publish",
        subject=package_id,
        at_ms=at_ms,
        detail={"content_hash": package_file.content_hash, "items": len(used)},
    )
    return package_id


def _is_under(competency: str, branches: tuple[str, ...]) -> bool:
    return any(competency == branch or competency.startswith(f"{branch}.") for branch in branches)


def _form(pool: list[_Row], length: int) -> list[_Row]:
    """The items of a fixed form: in hash order, none an enemy of one before it."""
    chosen: list[_Row] = []
    barred: set[str] = set()
    for row in sorted(pool, key=lambda row: row.pool_item.content_hash):
        if row.pool_item.item_id not in barred:
            chosen.append(row)
            barred |= set(row.pool_item.enemies)
        if len(chosen) == length:
            return chosen
    raise Refused(Refusal.PACKAGE_INVALID, reason=f"the pool has no form of {length} items without enemies")


async def _operational(connection: AsyncConnection, agency_id: str) -> list[_Row]:
    """Every operational item's newest version with its newest calibration, by code: two statements."""
    newest_version = (
        select(item_versions.c.item_id, func.max(item_versions.c.version).label("version"))
        .group_by(item_versions.c.item_id)
        .subquery()
    )
    newest_calibration = (
        select(calibrations.c.item_version_id, func.max(calibrations.c.made_at_ms).label("made_at_ms"))
        .group_by(calibrations.c.item_version_id)
        .subquery()
    )
    found = await connection.execute(
        select(items, item_versions, calibrations)
        .join(item_versions, item_versions.c.item_id == items.c.id)
        .join(
            newest_version,
            and_(
                newest_version.c.item_id == item_versions.c.item_id,
                newest_version.c.version == item_versions.c.version,
            ),
        )
        .join(calibrations, calibrations.c.item_version_id == item_versions.c.id)
        .join(
            newest_calibration,
            and_(
                newest_calibration.c.item_version_id == calibrations.c.item_version_id,
                newest_calibration.c.made_at_ms == calibrations.c.made_at_ms,
            ),
        )
        .where(items.c.agency_id == agency_id, items.c.status == OPERATIONAL)
        .order_by(items.c.code)
        .set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL)
    )
    enemies: dict[str, list[str]] = {}
    pairs = await connection.execute(
        select(item_enemies)
        .join(items, items.c.id == item_enemies.c.item_id)
        .where(items.c.agency_id == agency_id)
    )
    for pair in pairs:
        enemies.setdefault(pair.item_id, []).append(pair.enemy_id)
    return [_row(row, tuple(sorted(enemies.get(row["items_id"], ())))) for row in found.mappings()]


class _Parameters(msgspec.Struct, frozen=True):
    a: float
    b: tuple[float, ...]
    c: float = 0.0
    d: float = 1.0


def _row(row: RowMapping, enemies: tuple[str, ...]) -> _Row:
    parameters = msgspec.json.decode(row["calibrations_parameters"], type=_Parameters)
    return _Row(
        pool_item=PoolItem(
            item_id=row["items_id"],
            code=row["items_code"],
            content_hash=row["item_versions_content_hash"],
            interaction=row["item_versions_interaction"],
            model=row["calibrations_model"],
            a=parameters.a,
            b=parameters.b,
            c=parameters.c,
            d=parameters.d,
            option_points=msgspec.json.decode(row["item_versions_option_points"], type=tuple[int, ...]),
            area=row["items_competency"],
            enemies=enemies,
            provenance=row["calibrations_provenance"],
        ),
        competency=row["items_competency"],
        bodies=msgspec.json.decode(row["item_versions_bodies"], type=dict[str, ItemBody]),
    )
