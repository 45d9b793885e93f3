"""The register that comes with the product: one entry per section of a report, kept in our own database."""

import hashlib

import msgspec
from sqlalchemy import Insert
from sqlalchemy.dialects import postgresql, sqlite

from cat_engine.foundation.identifiers import new_id
from cat_engine.talent.connecting import DeliveryContext, PostedScore, Receipt, ScoreReportMessage
from cat_engine.talent.tables import talent_entries


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: it is there."""


async def deliver(report: ScoreReportMessage, settings: Settings, context: DeliveryContext) -> Receipt:
    """Enter the sections that are not entered yet. The unique key of an entry makes a repetition harmless."""
    del settings
    now_ms = context.clock.now_ms()
    entered = 0
    async with context.storage.transaction() as connection:
        for score in report.scores:
            statement = _insert(connection.dialect.name, _entry(report, score, now_ms))
            entered += (await connection.execute(statement)).rowcount
    return Receipt(
        receipt_id=f"register:{report.report_number}",
        idempotency_key=report.idempotency_key,
        was_repeated=entered == 0,
    )


def _entry(report: ScoreReportMessage, score: PostedScore, now_ms: int) -> dict[str, object]:
    return {
        "id": new_id(now_ms),
        "agency_id": report.agency_id,
        "person_id": report.person_id,
        "aspect": score.aspect,
        "scale_score": score.scale_score,
        "standard_error": score.scale_error,
        "level": score.level,
        "measured_at_ms": report.measured_at_ms,
        "expires_at_ms": report.expires_at_ms,
        "report_number": report.report_number,
        "idempotency_key": hashlib.sha256(
            f"{report.idempotency_key}/{score.section_id}".encode()
        ).hexdigest(),
    }


def _insert(dialect: str, values: dict[str, object]) -> Insert:
    if dialect == "postgresql":
        return postgresql.insert(talent_entries).values(values).on_conflict_do_nothing()
    return sqlite.insert(talent_entries).values(values).on_conflict_do_nothing()
