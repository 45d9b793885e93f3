"""Tables of the panel. Applications carry a blind code; names open to the panel with the policy, not
before.
"""

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

selections = Table(
    "selections",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("agency_id", String(36), ForeignKey("agencies.id"), nullable=False, index=True),
    Column("title", String(200), nullable=False),
    Column("year", Integer, nullable=False),
    Column("policy", Text, nullable=False),  # JSON: cut score, weights, tie-break list, places per post
)

posts = Table(
    "posts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("selection_id", String(36), ForeignKey("selections.id"), nullable=False, index=True),
    Column("title", String(200), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("required_level", Integer, nullable=False),
)

applications = Table(
    "applications",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("post_id", String(36), ForeignKey("posts.id"), nullable=False, index=True),
    Column("person_id", String(36), ForeignKey("people.id"), nullable=False),
    Column("blind_code", String(12), nullable=False, unique=True),
    UniqueConstraint("post_id", "person_id"),
)

# nothing of a selection opens to a member before the conflict-of-interest statement is signed
panel_members = Table(
    "panel_members",
    metadata,
    Column("selection_id", String(36), ForeignKey("selections.id"), nullable=False),
    Column("account_id", String(36), nullable=False),
    Column("statement_at_ms", BigInteger, nullable=True),
    PrimaryKeyConstraint("selection_id", "account_id"),
)
