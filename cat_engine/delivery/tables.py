"""Tables of delivery. A sitting is its log: `sittings` holds what never changes, `sitting_log` what
happened.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
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

rooms = Table(
    "rooms",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), ForeignKey("agencies.id"), nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("building", String(200), nullable=False),
)

seats = Table(
    "seats",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("room_id", String(36), ForeignKey("rooms.id"), nullable=False),
    Column("label", String(12), nullable=False),
    Column("row", Integer, nullable=False),
    Column("column", Integer, nullable=False),
    UniqueConstraint("room_id", "label"),
)

# a frozen test package as installed: `document` is the package file (parameters, keys and tables), which
# only the engine reads; what candidates see of its items is in `package_presentations`
test_packages = Table(
    "test_packages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), ForeignKey("agencies.id"), nullable=False, index=True),
    Column("code", String(60), nullable=False),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),  # JSON: language -> text
    Column("content_hash", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("published_at_ms", BigInteger, nullable=False),
    UniqueConstraint("agency_id", "code", "version"),
)

package_presentations = Table(
    "package_presentations",
    metadata,
    Column("package_id", String(36), ForeignKey("test_packages.id"), nullable=False),
    Column("item_id", String(36), nullable=False),
    Column("language", String(2), nullable=False),
    Column("body", Text, nullable=False),  # JSON: stimulus, stem, options; no key
    PrimaryKeyConstraint("package_id", "item_id", "language"),
)

exam_sessions = Table(
    "exam_sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), ForeignKey("agencies.id"), nullable=False, index=True),
    Column("room_id", String(36), ForeignKey("rooms.id"), nullable=False),
    Column("package_id", String(36), ForeignKey("test_packages.id"), nullable=False),
    Column("selection_id", String(36), nullable=True),
    Column("title", String(200), nullable=False),
    Column("starts_at_ms", BigInteger, nullable=False),
    Column("status", String(12), nullable=False),  # scheduled, open, closed
    Column("pledge", Text, nullable=False),  # JSON: language -> list of rules (tata tertib, pakta integritas)
)

roster_entries = Table(
    "roster_entries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), ForeignKey("agencies.id"), nullable=False, index=True),
    Column("exam_session_id", String(36), ForeignKey("exam_sessions.id"), nullable=False),
    Column("person_id", String(36), ForeignKey("people.id"), nullable=False),
    Column("candidate_number", String(20), nullable=False, unique=True),
    Column("pin_hash", String(64), nullable=False),  # HMAC-SHA256 with the server's key, hexadecimal
    Column("seat_id", String(36), ForeignKey("seats.id"), nullable=True),
    Column("post_title", String(200), nullable=False),
    Column("accommodation_s", Integer, nullable=False),  # extra time, seconds
    Column("accommodation_note", String(200), nullable=False),
    Column("failed_pin_attempts", Integer, nullable=False),
    Column("pin_locked_until_ms", BigInteger, nullable=False),
    UniqueConstraint("exam_session_id", "person_id"),
    UniqueConstraint("exam_session_id", "seat_id"),
)

sittings = Table(
    "sittings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), ForeignKey("agencies.id"), nullable=False, index=True),
    Column("exam_session_id", String(36), ForeignKey("exam_sessions.id"), nullable=False, index=True),
    Column("roster_entry_id", String(36), ForeignKey("roster_entries.id"), nullable=False, unique=True),
    Column("package_id", String(36), ForeignKey("test_packages.id"), nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("is_simulated", Boolean, nullable=False),
)

# append-only; the primary key is the fence against double submits, two tabs, two servers and stale workers
sitting_log = Table(
    "sitting_log",
    metadata,
    Column("sitting_id", String(36), ForeignKey("sittings.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("events", Text, nullable=False),  # JSON array of the events of one decision
    Column("status", String(16), nullable=False),  # after this entry, for boards
    Column("answered", Integer, nullable=False),  # after this entry, for boards
    Column("chain", String(64), nullable=False),  # SHA-256 over the previous chain value and this entry
    PrimaryKeyConstraint("sitting_id", "revision"),
)

# the last moment at which some server of ours was alive: what lies between it and a start is an outage
service_beats = Table(
    "service_beats",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
)
