"""The item bank on disk: bring drafts in as items with a version, a calibration and enemies."""

import hashlib
from collections.abc import Sequence

import msgspec
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Actor
from cat_engine.foundation.identifiers import new_id
from item_bank.cleaning import clean
from item_bank.demonstration.drafts import DraftItem, ItemBody
from item_bank.tables import calibrations, item_enemies, item_versions, items

METRIC_D = "1.0"
BY_DESIGN = "design"
_PROVENANCES = {"rancangan": BY_DESIGN}


def clean_body(body: ItemBody) -> ItemBody:
    """The body with only what an item may contain."""
    return ItemBody(
        stimulus=clean(body.stimulus), stem=clean(body.stem), options=tuple(clean(o) for o in body.options)
    )


def content_hash(bodies: dict[str, ItemBody], option_points: tuple[int, ...]) -> str:
    """SHA-256 over the words in all languages and the points: what makes a version this version."""
    return hashlib.sha256(msgspec.json.encode([bodies, option_points], order="sorted")).hexdigest()


async def add_drafts(
    connection: AsyncConnection, actor: Actor, drafts: Sequence[DraftItem], *, status: str, at_ms: int
) -> dict[str, str]:
    """Store drafts as items in that workflow status; code to item identity."""
    identities = {draft.code: new_id(at_ms) for draft in drafts}
    versions = {draft.code: new_id(at_ms) for draft in drafts}
    await connection.execute(
        insert(items),
        [_item_row(draft, identities[draft.code], actor.agency_id, status) for draft in drafts],
    )
    await connection.execute(
        insert(item_versions),
        [_version_row(d, versions[d.code], identities[d.code], actor, at_ms) for d in drafts],
    )
    await connection.execute(
        insert(calibrations), [_calibration_row(d, versions[d.code], at_ms) for d in drafts]
    )
    pairs = [
        {"item_id": identities[draft.code], "enemy_id": identities[enemy]}
        for draft in drafts
        for enemy in draft.enemies
    ]
    if pairs:
        await connection.execute(insert(item_enemies), pairs)
    await ledger.append(
        connection, actor, action="bank.add", subject="item_bank", at_ms=at_ms, detail={"items": len(drafts)}
    )
    return identities


def _item_row(draft: DraftItem, item_id: str, agency_id: str, status: str) -> dict[str, object]:
    return {
        "id": item_id,
        "agency_id": agency_id,
        "code": draft.code,
        "family": draft.family,
        "competency": draft.competency,
        "indicator": draft.indicator,
        "level": draft.level,
        "status": status,
    }


def _version_row(
    draft: DraftItem, version_id: str, item_id: str, actor: Actor, at_ms: int
) -> dict[str, object]:
    bodies = {language: clean_body(body) for language, body in draft.bodies.items()}
    return {
        "id": version_id,
        "item_id": item_id,
        "version": 1,
        "interaction": "choice",
        "bodies": msgspec.json.encode(bodies).decode(),
        "option_points": msgspec.json.encode(draft.option_points).decode(),
        "option_notes": msgspec.json.encode(draft.option_notes).decode(),
        "citation": draft.citation,
        "expected_time_s": draft.expected_time_s,
        "content_hash": content_hash(bodies, draft.option_points),
        "created_at_ms": at_ms,
        "created_by": actor.label,
    }


def _calibration_row(draft: DraftItem, version_id: str, at_ms: int) -> dict[str, object]:
    return {
        "id": new_id(at_ms),
        "item_version_id": version_id,
        "model": draft.model,
        "parameters": msgspec.json.encode({"a": draft.a, "b": draft.b, "c": draft.c}).decode(),
        "metric_d": METRIC_D,
        "provenance": _PROVENANCES[draft.provenance],
        "made_at_ms": at_ms,
    }
