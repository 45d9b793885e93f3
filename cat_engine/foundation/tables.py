"""Tables of the floor: agencies, people, policies, the ledger, the outbox.

Identifiers are version 7 UUIDs as text; times are milliseconds since the epoch; documents are canonical JSON
text.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from cat_engine.foundation.storage import metadata

agencies = Table(
    "agencies",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("zone", String(4), nullable=False),  # WIB, WITA or WIT
    Column("is_demonstration", Boolean, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), ForeignKey("agencies.id"), nullable=False, index=True),
    # the NIP where there is one, else the number that the agency uses; an identity, never a credential
    Column("nip", String(18), nullable=True),
    Column("name", String(200), nullable=False),
    Column("post", String(200), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("rank", String(20), nullable=False),
    Column("is_simulated", Boolean, nullable=False),
    UniqueConstraint("agency_id", "nip"),
)

policies = Table(
    "policies",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), ForeignKey("agencies.id"), nullable=False),
    Column("kind", String(40), nullable=False),  # nine_box, score_validity, result_disclosure, ...
    Column("version", Integer, nullable=False),
    Column("valid_from_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("agency_id", "kind", "version"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("agency_id", String(36), nullable=False, index=True),
    Column("actor", String(80), nullable=False),
    Column("action", String(80), nullable=False),
    Column("subject", String(120), nullable=False, index=True),
    Column("detail", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

outbox_messages = Table(
    "outbox_messages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), nullable=False),
    Column("topic", String(80), nullable=False),
    Column("payload", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("not_before_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", String(12), nullable=False),  # waiting, done, dead
    Column("last_error", Text, nullable=False),
    Index("ix_outbox_messages_due", "state", "not_before_ms"),
)
