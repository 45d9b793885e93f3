"""Table of results: one row per released score report, never changed."""

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, Text

from cat_engine.foundation.storage import metadata

score_reports = Table(
    "score_reports",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), ForeignKey("agencies.id"), nullable=False, index=True),
    Column("sitting_id", String(36), ForeignKey("sittings.id"), nullable=False, unique=True),
    Column("person_id", String(36), ForeignKey("people.id"), nullable=False, index=True),
    Column("report_number", String(60), nullable=False, unique=True),
    Column("verification_code", String(32), nullable=False, unique=True),
    Column("package_hash", String(64), nullable=False),
    Column("sitting_chain", String(64), nullable=False),
    Column("scores", Text, nullable=False),  # JSON: the reported scores (no theta)
    Column("released_at_ms", BigInteger, nullable=False),
    Column("released_by", String(80), nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
)
