"""The first schema: every table as it was when version 0001 was written, with its guards.

A record of the past, not a view of `backend.store.tables`: later versions are steps from here. Guards that need
triggers are written for SQLite; another engine adds its own.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# A message is a whole sentence: the store hands it to the caller as it is.
_GUARDS: Final = (
    """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only; an event cannot be changed'); END""",
    """CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only; an event cannot be removed'); END""",
    """CREATE TRIGGER audit_has_no_gaps BEFORE INSERT ON audit
    WHEN NEW."index" <> (SELECT MAX("index") + 1 FROM audit)
    BEGIN SELECT RAISE(ABORT, 'the audit has no gaps; an event must follow the newest one'); END""",
    """CREATE TRIGGER epochs_grow BEFORE INSERT ON bundles
    WHEN NEW.epoch <= (SELECT MAX(epoch) FROM bundles)
    BEGIN SELECT RAISE(ABORT, 'trust bundle epochs only grow; this one is not newer than the last'); END""",
    """CREATE TRIGGER epochs_are_not_changed BEFORE UPDATE ON bundles
    BEGIN SELECT RAISE(ABORT, 'a published trust bundle cannot be changed'); END""",
    """CREATE TRIGGER epochs_are_not_removed BEFORE DELETE ON bundles
    BEGIN SELECT RAISE(ABORT, 'a published trust bundle cannot be removed'); END""",
    """CREATE TRIGGER only_the_issuing_generation_signs BEFORE INSERT ON certificates
    WHEN (SELECT status FROM authorities WHERE generation = NEW.generation) IS NOT 'issuing'
    BEGIN SELECT RAISE(ABORT, 'a certificate must come from the CA generation that is issuing'); END""",
    """CREATE TRIGGER certificates_are_not_removed BEFORE DELETE ON certificates
    BEGIN SELECT RAISE(ABORT, 'certificates are kept for the record; one cannot be removed'); END""",
)


def upgrade() -> None:
    """Create everything in an empty database."""
    _identities()
    _trust()
    _certificates()
    _tokens()
    _access()
    _presence()
    _owed()
    _operations()
    _rotations()
    _journal()
    _changes()
    if op.get_bind().dialect.name == "sqlite":
        for guard in _GUARDS:
            op.execute(guard)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _maybe(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=True)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [_text(name) for name in names]


def _wholes(*names: str) -> list[sa.Column[int]]:
    return [_whole(name) for name in names]


def _maybes(*names: str) -> list[sa.Column[int]]:
    return [_maybe(name) for name in names]


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("number", _NUMBER, autoincrement=True, nullable=False),
        *_texts("id", "name", "kind"),
        _whole("client_type"),
        *_texts("cluster", "host", "owner", "location", "tags"),
        _whole("token_lifetime"),
        _flag("auto_rotate"),
        _text("login_file_path"),
        sa.Column("auto_renew", sa.Boolean(), nullable=True),
        *_texts("token_standing", "cloud_fqdn"),
        *_wholes("cloud_port", "cloud_auth_port"),
        _maybe("revoked_at"),
        _text("revoked_by"),
        _maybe("planned_off_until"),
        _whole("created_at"),
        _text("version"),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_identities_cluster", "identities", ["cluster"])
    op.create_table(
        "clusters",
        _text("name"),
        _flag("is_management"),
        *_maybes("removed_at", "planned_off_until"),
        sa.PrimaryKeyConstraint("name"),
    )


def _trust() -> None:
    op.create_table(
        "authorities",
        sa.Column("generation", _NUMBER, autoincrement=False, nullable=False),
        _text("subject"),
        *_wholes("not_before", "not_after"),
        *_texts("fingerprint", "pem", "key_file", "status"),
        _whole("created_at"),
        sa.PrimaryKeyConstraint("generation"),
    )
    op.create_index("one_issuing_authority", "authorities", ["status"], unique=True, **_where("status = 'issuing'"))
    op.create_table(
        "bundles",
        sa.Column("epoch", _NUMBER, autoincrement=False, nullable=False),
        *_texts("generations", "pem"),
        _whole("created_at"),
        sa.PrimaryKeyConstraint("epoch"),
    )


def _certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("position", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("identity_number", _NUMBER, nullable=False),
        sa.Column("generation", _NUMBER, nullable=False),
        *_wholes("not_before", "not_after", "requested", "renew_from", "renew_until"),
        *_texts("key_sha256", "fingerprint", "pem"),
        *_wholes("issued_at", "renew_count"),
        *_maybes("first_used_at", "last_used_at", "revoked_at"),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["generation"],
            ["authorities.generation"],
        ),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("serial"),
        sqlite_autoincrement=True,
    )
    op.create_index("certificates_by_age", "certificates", ["identity_number", "issued_at", "position"])
    op.create_index("ix_certificates_key_sha256", "certificates", ["key_sha256"])
    op.create_index(
        "live_certificates_by_end", "certificates", ["not_after", "not_before"], **_where("revoked_at IS NULL")
    )
    op.create_index(
        "used_certificates_by_age",
        "certificates",
        ["identity_number", "issued_at", "position"],
        **_where("first_used_at IS NOT NULL"),
    )


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("position", _NUMBER, autoincrement=True, nullable=False),
        _text("id"),
        sa.Column("identity_number", _NUMBER, nullable=False),
        _text("digest"),
        *_wholes("issued_at", "expires_at"),
        _text("state"),
        *_maybes("dies_at", "first_used_at", "delivered_at"),
        sa.ForeignKeyConstraint(["identity_number"], ["identities.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "current_tokens", "tokens", ["identity_number", "issued_at", "position"], **_where("state = 'current'")
    )
    op.create_index("tokens_by_age", "tokens", ["identity_number", "issued_at", "position"])


def _access() -> None:
    op.create_table("roles", *_texts("name", "document"), sa.PrimaryKeyConstraint("name"))
    op.create_table("assignments", *_texts("name", "identity_name", "document"), sa.PrimaryKeyConstraint("name"))
    op.create_index("ix_assignments_identity_name", "assignments", ["identity_name"])
    op.create_table(
        "resources",
        *_texts("kind", "name", "location", "id", "version"),
        _whole("created_at"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _text("tags"),
        sa.PrimaryKeyConstraint("kind", "name", "location"),
    )


def _presence() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("identity_number", _NUMBER, autoincrement=False, nullable=False),
        *_wholes("heard_at", "interval"),
        _text("address"),
        sa.Column("serial", sa.String(length=40), nullable=False),
        *_wholes("epoch", "skew"),
        _flag("loop_alive"),
        *_texts("last_error", "version"),
        sa.ForeignKeyConstraint(["identity_number"], ["identities.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("identity_number"),
    )
    op.create_table(
        "seen",
        sa.Column("identity_number", _NUMBER, autoincrement=False, nullable=False),
        _whole("at"),
        _text("address"),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["identity_number"], ["identities.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("identity_number"),
    )


def _owed() -> None:
    op.create_table(
        "orders",
        sa.Column("position", _NUMBER, autoincrement=True, nullable=False),
        _text("id"),
        sa.Column("identity_number", _NUMBER, nullable=False),
        _text("kind"),
        _whole("created_at"),
        _text("operation_id"),
        _whole("overlap_seconds"),
        _maybe("handed_out_at"),
        _text("token_id"),
        _maybe("done_at"),
        sa.ForeignKeyConstraint(["identity_number"], ["identities.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_orders_identity_number", "orders", ["identity_number"])
    op.create_index(
        "one_open_order_of_a_kind", "orders", ["identity_number", "kind"], unique=True, **_where("done_at IS NULL")
    )
    op.create_table(
        "deliveries",
        sa.Column("position", _NUMBER, autoincrement=True, nullable=False),
        _text("id"),
        sa.Column("identity_number", _NUMBER, nullable=False),
        *_texts("path", "token_id"),
        _whole("created_at"),
        _text("operation_id"),
        _whole("attempts"),
        _maybe("written_at"),
        _text("last_error"),
        sa.ForeignKeyConstraint(["identity_number"], ["identities.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_identity_number", "deliveries", ["identity_number"])
    op.create_index("ix_deliveries_operation_id", "deliveries", ["operation_id"])
    op.create_index("open_deliveries", "deliveries", ["position"], **_where("written_at IS NULL"))
    op.create_table(
        "plans",
        *_texts("id", "kind", "hash"),
        *_wholes("made_at", "expires_at"),
        *_texts("actor", "body"),
        _flag("started"),
        sa.PrimaryKeyConstraint("id"),
    )


def _operations() -> None:
    op.create_table(
        "operations",
        sa.Column("position", _NUMBER, autoincrement=True, nullable=False),
        *_texts("id", "plan_id", "action", "state", "actor", "origin"),
        _whole("parallel"),
        _text("reason"),
        *_wholes("overlap_seconds", "started_at"),
        _maybe("ended_at"),
        _flag("stopping"),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_operations_state", "operations", ["state"])
    op.create_table(
        "targets",
        _text("operation_id"),
        sa.Column("position", _NUMBER, autoincrement=False, nullable=False),
        _whole("identity_number"),
        *_texts("name", "route", "state", "step", "result"),
        sa.Column("old_serial", sa.String(length=40), nullable=True),
        sa.Column("new_serial", sa.String(length=40), nullable=True),
        _text("token_id"),
        *_maybes("started_at", "ended_at"),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["operations.id"],
        ),
        sa.PrimaryKeyConstraint("operation_id", "position"),
    )
    op.create_index(
        "active_targets", "targets", ["identity_number"], **_where("state IN ('ordered', 'issued', 'delivered')")
    )


def _rotations() -> None:
    op.create_table(
        "rotations",
        sa.Column("position", _NUMBER, autoincrement=True, nullable=False),
        *_texts("id", "phase"),
        *_wholes("version", "from_generation", "to_generation"),
        *_texts("plan_id", "plan_hash", "actor", "reason"),
        *_wholes("started_at", "phase_at"),
        _maybe("ended_at"),
        _text("outcome"),
        _flag("proceed"),
        sa.Column("is_open", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("one_open_rotation", "rotations", ["is_open"], unique=True, **_where("is_open = 1"))
    op.create_table(
        "rotation_clients",
        sa.Column("position", _NUMBER, autoincrement=True, nullable=False),
        _text("rotation_id"),
        _whole("identity_number"),
        *_texts("name", "route", "why"),
        *_maybes("informed_at", "lost_at", "returned_at"),
        _text("written_off"),
        sa.ForeignKeyConstraint(
            ["rotation_id"],
            ["rotations.id"],
        ),
        sa.PrimaryKeyConstraint("position"),
        sqlite_autoincrement=True,
    )
    op.create_index("rotation_clients_once", "rotation_clients", ["rotation_id", "identity_number"], unique=True)
    op.create_table(
        "rotation_steps",
        sa.Column("position", _NUMBER, autoincrement=True, nullable=False),
        *_texts("rotation_id", "step"),
        _whole("begun_at"),
        _maybe("done_at"),
        sa.ForeignKeyConstraint(
            ["rotation_id"],
            ["rotations.id"],
        ),
        sa.PrimaryKeyConstraint("position"),
        sqlite_autoincrement=True,
    )
    op.create_index("rotation_steps_once", "rotation_steps", ["rotation_id", "step"], unique=True)


def _journal() -> None:
    op.create_table(
        "audit",
        sa.Column("index", _NUMBER, autoincrement=False, nullable=False),
        _whole("at"),
        *_texts("actor", "origin", "action", "subject", "outcome", "detail", "previous", "digest"),
        sa.PrimaryKeyConstraint("index"),
    )
    op.create_index("audit_by_subject", "audit", ["subject", "index"])
    op.create_table("meta", *_texts("key", "value"), sa.PrimaryKeyConstraint("key"))


def _changes() -> None:
    op.create_table(
        "change_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        *_wholes("counter", "floor"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO change_counter (id, counter, floor) VALUES (1, 1, 0)")
    op.create_table(
        "changed",
        sa.Column("identity_number", _NUMBER, autoincrement=False, nullable=False),
        _whole("change"),
        sa.ForeignKeyConstraint(["identity_number"], ["identities.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("identity_number"),
    )
    op.create_index("ix_changed_change", "changed", ["change"])
    op.create_table(
        "removed",
        sa.Column("identity_number", _NUMBER, autoincrement=False, nullable=False),
        _whole("change"),
        sa.PrimaryKeyConstraint("identity_number"),
    )
    op.create_index("ix_removed_change", "removed", ["change"])
