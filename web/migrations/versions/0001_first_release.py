"""The schema of the first release: every table of the product.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# in an order in which each table finds those it refers to; unmade from the end
TABLES = (
    "agencies",
    "people",
    "policies",
    "ledger_entries",
    "outbox_messages",
    "service_beats",
    "rooms",
    "seats",
    "test_packages",
    "package_presentations",
    "exam_sessions",
    "roster_entries",
    "sittings",
    "sitting_log",
    "selections",
    "posts",
    "applications",
    "panel_members",
    "score_reports",
    "postings",
    "connector_settings",
    "talent_entries",
    "performance_ratings",
    "items",
    "item_versions",
    "calibrations",
    "item_enemies",
    "accounts",
    "account_roles",
    "login_sessions",
)


def upgrade() -> None:
    """Make the tables."""
    _create_foundation_1()
    _create_foundation_2()
    _create_delivery_1()
    _create_delivery_2()
    _create_panel()
    _create_results_and_talent_1()
    _create_results_and_talent_2()
    _create_item_bank()
    _create_accounts()


def downgrade() -> None:
    """Unmake them."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_foundation_1() -> None:
    op.create_table(
        "agencies",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("code", sa.String(40), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("zone", sa.String(4), nullable=False),
        sa.Column("is_demonstration", sa.Boolean, nullable=False),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False, index=True),
        sa.Column("nip", sa.String(18), nullable=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("post", sa.String(200), nullable=False),
        sa.Column("unit", sa.String(200), nullable=False),
        sa.Column("rank", sa.String(20), nullable=False),
        sa.Column("is_simulated", sa.Boolean, nullable=False),
        sa.UniqueConstraint("agency_id", "nip"),
    )
    op.create_table(
        "policies",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("agency_id", "kind", "version"),
    )


def _create_foundation_2() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("agency_id", sa.String(36), nullable=False, index=True),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(80), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False, index=True),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "outbox_messages",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), nullable=False),
        sa.Column("topic", sa.String(80), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("not_before_ms", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Index("ix_outbox_messages_due", "state", "not_before_ms"),
    )
    op.create_table(
        "service_beats",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )


def _create_delivery_1() -> None:
    op.create_table(
        "rooms",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False, index=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("building", sa.String(200), nullable=False),
    )
    op.create_table(
        "seats",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("room_id", sa.String(36), sa.ForeignKey("rooms.id"), nullable=False),
        sa.Column("label", sa.String(12), nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("column", sa.Integer, nullable=False),
        sa.UniqueConstraint("room_id", "label"),
    )
    op.create_table(
        "test_packages",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False, index=True),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("published_at_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("agency_id", "code", "version"),
    )
    op.create_table(
        "package_presentations",
        sa.Column("package_id", sa.String(36), sa.ForeignKey("test_packages.id"), primary_key=True),
        sa.Column("item_id", sa.String(36), primary_key=True),
        sa.Column("language", sa.String(2), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "exam_sessions",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False, index=True),
        sa.Column("room_id", sa.String(36), sa.ForeignKey("rooms.id"), nullable=False),
        sa.Column("package_id", sa.String(36), sa.ForeignKey("test_packages.id"), nullable=False),
        sa.Column("selection_id", sa.String(36), nullable=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("starts_at_ms", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("pledge", sa.Text, nullable=False),
    )


def _create_delivery_2() -> None:
    op.create_table(
        "roster_entries",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False, index=True),
        sa.Column("exam_session_id", sa.String(36), sa.ForeignKey("exam_sessions.id"), nullable=False),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("candidate_number", sa.String(20), nullable=False, unique=True),
        sa.Column("pin_hash", sa.String(64), nullable=False),
        sa.Column("seat_id", sa.String(36), sa.ForeignKey("seats.id"), nullable=True),
        sa.Column("post_title", sa.String(200), nullable=False),
        sa.Column("accommodation_s", sa.Integer, nullable=False),
        sa.Column("accommodation_note", sa.String(200), nullable=False),
        sa.Column("failed_pin_attempts", sa.Integer, nullable=False),
        sa.Column("pin_locked_until_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("exam_session_id", "person_id"),
        sa.UniqueConstraint("exam_session_id", "seat_id"),
    )
    op.create_table(
        "sittings",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False, index=True),
        sa.Column(
            "exam_session_id", sa.String(36), sa.ForeignKey("exam_sessions.id"), nullable=False, index=True
        ),
        sa.Column(
            "roster_entry_id", sa.String(36), sa.ForeignKey("roster_entries.id"), nullable=False, unique=True
        ),
        sa.Column("package_id", sa.String(36), sa.ForeignKey("test_packages.id"), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("is_simulated", sa.Boolean, nullable=False),
    )
    op.create_table(
        "sitting_log",
        sa.Column("sitting_id", sa.String(36), sa.ForeignKey("sittings.id"), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("answered", sa.Integer, nullable=False),
        sa.Column("chain", sa.String(64), nullable=False),
    )


def _create_panel() -> None:
    op.create_table(
        "selections",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False, index=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
    )
    op.create_table(
        "posts",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("selection_id", sa.String(36), sa.ForeignKey("selections.id"), nullable=False, index=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("unit", sa.String(200), nullable=False),
        sa.Column("required_level", sa.Integer, nullable=False),
    )
    op.create_table(
        "applications",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("post_id", sa.String(36), sa.ForeignKey("posts.id"), nullable=False, index=True),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("blind_code", sa.String(12), nullable=False, unique=True),
        sa.UniqueConstraint("post_id", "person_id"),
    )
    op.create_table(
        "panel_members",
        sa.Column("selection_id", sa.String(36), sa.ForeignKey("selections.id"), primary_key=True),
        sa.Column("account_id", sa.String(36), primary_key=True),
        sa.Column("statement_at_ms", sa.BigInteger, nullable=True),
    )


def _create_results_and_talent_1() -> None:
    op.create_table(
        "score_reports",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False, index=True),
        sa.Column("sitting_id", sa.String(36), sa.ForeignKey("sittings.id"), nullable=False, unique=True),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("people.id"), nullable=False, index=True),
        sa.Column("report_number", sa.String(60), nullable=False, unique=True),
        sa.Column("verification_code", sa.String(32), nullable=False, unique=True),
        sa.Column("package_hash", sa.String(64), nullable=False),
        sa.Column("sitting_chain", sa.String(64), nullable=False),
        sa.Column("scores", sa.Text, nullable=False),
        sa.Column("released_at_ms", sa.BigInteger, nullable=False),
        sa.Column("released_by", sa.String(80), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "postings",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False, index=True),
        sa.Column("report_id", sa.String(36), sa.ForeignKey("score_reports.id"), nullable=False),
        sa.Column("connector", sa.String(40), nullable=False),
        sa.Column("idempotency_key", sa.String(64), nullable=False, unique=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("delivered_at_ms", sa.BigInteger, nullable=True),
        sa.UniqueConstraint("report_id", "connector"),
    )
    op.create_table(
        "connector_settings",
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), primary_key=True),
        sa.Column("connector", sa.String(40), primary_key=True),
        sa.Column("settings", sa.Text, nullable=False),
    )


def _create_results_and_talent_2() -> None:
    op.create_table(
        "talent_entries",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("people.id"), nullable=False, index=True),
        sa.Column("aspect", sa.String(40), nullable=False),
        sa.Column("scale_score", sa.String(12), nullable=False),
        sa.Column("standard_error", sa.String(12), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("measured_at_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
        sa.Column("report_number", sa.String(60), nullable=False),
        sa.Column("idempotency_key", sa.String(80), nullable=False, unique=True),
    )
    op.create_table(
        "performance_ratings",
        sa.Column("person_id", sa.String(36), sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
        sa.Column("source", sa.String(120), nullable=False),
    )


def _create_item_bank() -> None:
    op.create_table(
        "items",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False, index=True),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("family", sa.String(40), nullable=False),
        sa.Column("competency", sa.String(80), nullable=False, index=True),
        sa.Column("indicator", sa.Text, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.UniqueConstraint("agency_id", "code"),
    )
    op.create_table(
        "item_versions",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("item_id", sa.String(36), sa.ForeignKey("items.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("interaction", sa.String(40), nullable=False),
        sa.Column("bodies", sa.Text, nullable=False),
        sa.Column("option_points", sa.Text, nullable=False),
        sa.Column("option_notes", sa.Text, nullable=False),
        sa.Column("citation", sa.Text, nullable=False),
        sa.Column("expected_time_s", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(80), nullable=False),
        sa.UniqueConstraint("item_id", "version"),
    )
    op.create_table(
        "calibrations",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column(
            "item_version_id", sa.String(36), sa.ForeignKey("item_versions.id"), nullable=False, index=True
        ),
        sa.Column("model", sa.String(8), nullable=False),
        sa.Column("parameters", sa.Text, nullable=False),
        sa.Column("metric_d", sa.String(8), nullable=False),
        sa.Column("provenance", sa.String(20), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "item_enemies",
        sa.Column("item_id", sa.String(36), sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("enemy_id", sa.String(36), sa.ForeignKey("items.id"), primary_key=True),
    )


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("agency_id", sa.String(36), sa.ForeignKey("agencies.id"), nullable=False, index=True),
        sa.Column("username", sa.String(80), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("is_disabled", sa.Boolean, nullable=False),
        sa.Column("failed_attempts", sa.Integer, nullable=False),
        sa.Column("locked_until_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "account_roles",
        sa.Column("account_id", sa.String(36), sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("role", sa.String(24), primary_key=True),
    )
    op.create_table(
        "login_sessions",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("accounts.id"), nullable=True, index=True),
        sa.Column(
            "roster_entry_id", sa.String(36), sa.ForeignKey("roster_entries.id"), nullable=True, index=True
        ),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("last_seen_at_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
    )
