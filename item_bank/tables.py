"""Tables of the item bank. Versions are never changed, calibrations never overwritten."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from cat_engine.foundation.storage import metadata

items = Table(
    "items",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), ForeignKey("agencies.id"), nullable=False, index=True),
    Column("code", String(60), nullable=False),
    Column("family", String(40), nullable=False),
    Column("competency", String(80), nullable=False, index=True),
    Column("indicator", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("status", String(16), nullable=False),  # draft, review, approved, pretest, operational, retired
    UniqueConstraint("agency_id", "code"),
)

item_versions = Table(
    "item_versions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("item_id", String(36), ForeignKey("items.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("interaction", String(40), nullable=False),
    Column("bodies", Text, nullable=False),  # JSON: language -> stimulus, stem, options
    Column("option_points", Text, nullable=False),  # JSON list; the key
    Column("option_notes", Text, nullable=False),  # JSON list; why a distractor attracts
    Column("citation", Text, nullable=False),
    Column("expected_time_s", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("created_by", String(80), nullable=False),
    UniqueConstraint("item_id", "version"),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("item_version_id", String(36), ForeignKey("item_versions.id"), nullable=False, index=True),
    Column("model", String(8), nullable=False),
    Column("parameters", Text, nullable=False),  # JSON: a, b, c
    Column("metric_d", String(8), nullable=False),  # the scaling constant, as written: "1.0" or "1.702"
    Column("provenance", String(20), nullable=False),  # design (rancangan) or calibrated
    Column("made_at_ms", BigInteger, nullable=False),
)

item_enemies = Table(
    "item_enemies",
    metadata,
    Column("item_id", String(36), ForeignKey("items.id"), nullable=False),
    Column("enemy_id", String(36), ForeignKey("items.id"), nullable=False),
    PrimaryKeyConstraint("item_id", "enemy_id"),
)
