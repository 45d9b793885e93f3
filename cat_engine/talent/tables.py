"""Tables of the talent record: what was posted where, and the embedded register."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from cat_engine.foundation.storage import metadata

# one posting = one promise to hand one score report to one connector, with its proof
postings = Table(
    "postings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), ForeignKey("agencies.id"), nullable=False, index=True),
    Column("report_id", String(36), ForeignKey("score_reports.id"), nullable=False),
    Column("connector", String(40), nullable=False),
    Column("idempotency_key", String(64), nullable=False, unique=True),
    Column("state", String(12), nullable=False),  # waiting, delivered, dead
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("receipt", Text, nullable=False),  # JSON, "" until delivered
    Column("created_at_ms", BigInteger, nullable=False),
    Column("delivered_at_ms", BigInteger, nullable=True),
    UniqueConstraint("report_id", "connector"),
)

# how an agency's postings leave: which connectors, with which settings (secrets by reference to a file)
connector_settings = Table(
    "connector_settings",
    metadata,
    Column("agency_id", String(36), ForeignKey("agencies.id"), primary_key=True),
    Column("connector", String(40), primary_key=True),
    Column("settings", Text, nullable=False),
)

talent_entries = Table(
    "talent_entries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), ForeignKey("agencies.id"), nullable=False),
    Column("person_id", String(36), ForeignKey("people.id"), nullable=False, index=True),
    Column("aspect", String(40), nullable=False),  # competency, potential, knowledge
    Column("scale_score", String(12), nullable=False),
    Column("standard_error", String(12), nullable=False),
    Column("level", Integer, nullable=False),
    Column("measured_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("report_number", String(60), nullable=False),
    Column("idempotency_key", String(80), nullable=False, unique=True),
)

performance_ratings = Table(
    "performance_ratings",
    metadata,
    Column("person_id", String(36), ForeignKey("people.id"), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("value", Integer, nullable=False),  # 0..100, imported, never computed here
    Column("source", String(120), nullable=False),
)
