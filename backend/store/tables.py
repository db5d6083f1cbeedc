"""The schema, once for every engine: what is unique, what is indexed, what belongs to what.

Portable types only: an instant is a whole number of Unix seconds, a duration is whole seconds, a serial is 40 hex
digits (SQLite has no 160-bit integers), a mapping is canonical JSON text. `position` columns keep the order of
insertion, for rows made within one second. Refusals that SQL needs triggers for are in the migrations.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

METADATA: Final = MetaData()

# SQLite gives out row numbers only to a column that is called INTEGER; elsewhere 64 bits must be asked for.
_NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")
SERIAL_DIGITS: Final = 40  # 20 octets, the most that RFC 5280, section 4.1.2.2 allows


def _position() -> Column[int]:
    return Column("position", _NUMBER, primary_key=True, autoincrement=True)


def _instant(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _maybe(name: str) -> Column[int]:
    """Make an instant that has not come, or never will."""
    return Column(name, BigInteger)


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, Text, nullable=False, **options)


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _owner(**options: Any) -> Column[int]:
    """Make the identity whose removal removes the row."""
    return Column(
        "identity_number", _NUMBER, ForeignKey("identities.number", ondelete="CASCADE"), nullable=False, **options
    )


def _only(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, unique=True, sqlite_where=text(where))


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where))


identities: Final = Table(
    "identities",
    METADATA,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    _text("id", unique=True),
    _text("name", unique=True),
    _text("kind"),
    _count("client_type"),
    _text("cluster", index=True),
    _text("host"),
    _text("owner"),
    _text("location"),
    _text("tags"),
    _count("token_lifetime"),
    _flag("auto_rotate"),
    _text("login_file_path"),
    Column("auto_renew", Boolean),
    _text("token_standing"),
    _text("cloud_fqdn"),
    _count("cloud_port"),
    _count("cloud_auth_port"),
    _maybe("revoked_at"),
    _text("revoked_by"),
    _maybe("planned_off_until"),
    _instant("created_at"),
    _text("version"),
    sqlite_autoincrement=True,  # a number is never given out twice, also not after a removal
)

certificates: Final = Table(
    "certificates",
    METADATA,
    _position(),
    Column("serial", String(SERIAL_DIGITS), nullable=False, unique=True),
    Column("identity_number", _NUMBER, nullable=False),  # no foreign key: it outlives its identity, for the record
    Column("generation", _NUMBER, ForeignKey("authorities.generation"), nullable=False),
    _instant("not_before"),
    _instant("not_after"),
    _count("requested"),
    _instant("renew_from"),
    _instant("renew_until"),
    _text("key_sha256", index=True),
    _text("fingerprint"),
    _text("pem"),
    _instant("issued_at"),
    _count("renew_count"),
    _maybe("first_used_at"),
    _maybe("last_used_at"),
    _maybe("revoked_at"),
    Column("revoke_reason", Text),
    Index("certificates_by_age", "identity_number", "issued_at", "position"),
    _partial("used_certificates_by_age", "identity_number", "issued_at", "position", where="first_used_at IS NOT NULL"),
    _partial("live_certificates_by_end", "not_after", "not_before", where="revoked_at IS NULL"),
    sqlite_autoincrement=True,
)

tokens: Final = Table(
    "tokens",
    METADATA,
    _position(),
    _text("id", unique=True),
    _owner(),
    _text("digest"),
    _instant("issued_at"),
    _instant("expires_at"),
    _text("state"),
    _maybe("dies_at"),
    _maybe("first_used_at"),
    _maybe("delivered_at"),
    Index("tokens_by_age", "identity_number", "issued_at", "position"),
    _partial("current_tokens", "identity_number", "issued_at", "position", where="state = 'current'"),
    sqlite_autoincrement=True,
)

authorities: Final = Table(
    "authorities",
    METADATA,
    Column("generation", _NUMBER, primary_key=True, autoincrement=False),
    _text("subject"),
    _instant("not_before"),
    _instant("not_after"),
    _text("fingerprint"),
    _text("pem"),
    _text("key_file"),
    _text("status"),
    _instant("created_at"),
    _only("one_issuing_authority", "status", where="status = 'issuing'"),
)

bundles: Final = Table(
    "bundles",
    METADATA,
    Column("epoch", _NUMBER, primary_key=True, autoincrement=False),
    _text("generations"),
    _text("pem"),
    _instant("created_at"),
)

bundle_statements: Final = Table(  # apart from the bundles: those of older programs get theirs later
    "bundle_statements",
    METADATA,
    Column("epoch", _NUMBER, ForeignKey("bundles.epoch"), primary_key=True, autoincrement=False),
    _text("statement"),
    _text("signature"),
    _text("previous_signature"),
    _instant("signed_at"),
)

cross_certificates: Final = Table(
    "cross_certificates",
    METADATA,
    Column("subject_generation", _NUMBER, ForeignKey("authorities.generation"), primary_key=True, autoincrement=False),
    Column("issuer_generation", _NUMBER, ForeignKey("authorities.generation"), primary_key=True, autoincrement=False),
    _text("pem"),
    _instant("not_after"),
    _instant("created_at"),
)

clusters: Final = Table(
    "clusters",
    METADATA,
    Column("name", Text, primary_key=True),
    _flag("is_management"),
    _maybe("removed_at"),
    _maybe("planned_off_until"),
)

roles: Final = Table("roles", METADATA, Column("name", Text, primary_key=True), _text("document"))

assignments: Final = Table(
    "assignments",
    METADATA,
    Column("name", Text, primary_key=True),
    _text("identity_name", index=True),
    _text("document"),
)

resources: Final = Table(
    "resources",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    _text("id"),
    _text("version"),
    _instant("created_at"),
    Column("body", LargeBinary, nullable=False),
    _text("tags"),
)

heartbeats: Final = Table(
    "heartbeats",
    METADATA,
    _owner(primary_key=True, autoincrement=False),
    _instant("heard_at"),
    _count("interval"),
    _text("address"),
    Column("serial", String(SERIAL_DIGITS), nullable=False),
    _count("epoch"),
    _count("skew"),
    _flag("loop_alive"),
    _text("last_error"),
    _text("version"),
)

seen: Final = Table(
    "seen",
    METADATA,
    _owner(primary_key=True, autoincrement=False),
    _instant("at"),
    _text("address"),
    Column("serial", String(SERIAL_DIGITS), nullable=False),
)

orders: Final = Table(
    "orders",
    METADATA,
    _position(),
    _text("id", unique=True),
    _owner(index=True),
    _text("kind"),
    _instant("created_at"),
    _text("operation_id"),
    _count("overlap_seconds"),
    _maybe("handed_out_at"),
    _text("token_id"),
    _maybe("done_at"),
    _only("one_open_order_of_a_kind", "identity_number", "kind", where="done_at IS NULL"),
    sqlite_autoincrement=True,
)

deliveries: Final = Table(
    "deliveries",
    METADATA,
    _position(),
    _text("id", unique=True),
    _owner(index=True),
    _text("route"),
    _text("cluster"),
    _text("place"),
    _text("token_id"),
    _instant("created_at"),
    _text("operation_id", index=True),
    _count("attempts"),
    _maybe("tried_at"),
    _maybe("written_at"),
    _text("last_error"),
    _partial("open_deliveries", "position", where="written_at IS NULL"),
    sqlite_autoincrement=True,
)

token_faults: Final = Table(
    "token_faults",
    METADATA,
    _owner(primary_key=True, autoincrement=False),
    _text("token_id"),
    _text("why"),
    _instant("since_at"),
)

plans: Final = Table(
    "plans",
    METADATA,
    Column("id", Text, primary_key=True),
    _text("kind"),
    _text("hash"),
    _instant("made_at"),
    _instant("expires_at"),
    _text("actor"),
    _text("body"),
    _flag("started"),
)

operations: Final = Table(
    "operations",
    METADATA,
    _position(),
    _text("id", unique=True),
    _text("plan_id"),
    _text("action"),
    _text("state", index=True),
    _text("actor"),
    _text("origin"),
    _count("parallel"),
    _text("reason"),
    _count("overlap_seconds"),
    _instant("started_at"),
    _maybe("ended_at"),
    _flag("stopping"),
    sqlite_autoincrement=True,
)

targets: Final = Table(
    "targets",
    METADATA,
    Column("operation_id", Text, ForeignKey("operations.id"), primary_key=True),
    Column("position", _NUMBER, primary_key=True, autoincrement=False),
    _count("identity_number"),
    _text("name"),
    _text("route"),
    _text("state"),
    _text("step"),
    _text("result"),
    Column("old_serial", String(SERIAL_DIGITS)),
    Column("new_serial", String(SERIAL_DIGITS)),
    _text("token_id"),
    _maybe("started_at"),
    _maybe("ended_at"),
    _partial("active_targets", "identity_number", where="state IN ('ordered', 'issued', 'delivered')"),
)

rotations: Final = Table(
    "rotations",
    METADATA,
    _position(),
    _text("id", unique=True),
    _text("phase"),
    _count("version"),
    _count("from_generation"),
    _count("to_generation"),
    _text("plan_id"),
    _text("plan_hash"),
    _text("actor"),
    _text("reason"),
    _instant("started_at"),
    _instant("phase_at"),
    _maybe("ended_at"),
    _text("outcome"),
    _flag("proceed"),
    _text("kind"),
    _text("cause"),
    _flag("automatic"),
    _text("held"),
    _text("settings"),
    _text("rolled_back_from"),
    Column("is_open", Integer),  # 1 until it has ended, then nothing
    _only("one_open_rotation", "is_open", where="is_open = 1"),
    sqlite_autoincrement=True,
)

rotation_clients: Final = Table(
    "rotation_clients",
    METADATA,
    _position(),
    Column("rotation_id", Text, ForeignKey("rotations.id"), nullable=False),
    _count("identity_number"),
    _text("name"),
    _text("route"),
    _text("why"),
    _maybe("informed_at"),
    _maybe("lost_at"),
    _maybe("returned_at"),
    _text("written_off"),
    Index("rotation_clients_once", "rotation_id", "identity_number", unique=True),
    sqlite_autoincrement=True,
)

overlap_clients: Final = Table(
    "overlap_clients",
    METADATA,
    _position(),
    Column("rotation_id", Text, ForeignKey("rotations.id"), nullable=False),
    _count("identity_number"),
    _text("name"),
    _text("route"),
    _text("after"),
    _count("wave"),
    _maybe("informed_at"),
    _maybe("proved_at"),
    _text("proved_from"),
    _text("careless"),
    Column("serial", String(SERIAL_DIGITS), nullable=False),
    _count("generation"),
    _maybe("generation_at"),
    _maybe("holds_until"),
    _maybe("ordered_at"),
    _text("waived"),
    _text("written_off"),
    _text("decided_by"),
    _maybe("would_fail_at"),
    _text("would_fail_from"),
    Index("overlap_clients_once", "rotation_id", "identity_number", unique=True),
    sqlite_autoincrement=True,
)

rotation_probes: Final = Table(
    "rotation_probes",
    METADATA,
    Column("rotation_id", Text, ForeignKey("rotations.id"), primary_key=True),
    Column("cell", Text, primary_key=True),
    _text("expected"),
    _text("observed"),
    _count("made"),
    _count("deviations"),
    _instant("last_at"),
)

rotation_steps: Final = Table(
    "rotation_steps",
    METADATA,
    _position(),
    Column("rotation_id", Text, ForeignKey("rotations.id"), nullable=False),
    _text("step"),
    _instant("begun_at"),
    _maybe("done_at"),
    Index("rotation_steps_once", "rotation_id", "step", unique=True),
    sqlite_autoincrement=True,
)

audit: Final = Table(
    "audit",
    METADATA,
    Column("index", _NUMBER, primary_key=True, autoincrement=False),
    _instant("at"),
    _text("actor"),
    _text("origin"),
    _text("action"),
    _text("subject"),
    _text("outcome"),
    _text("detail"),
    _text("previous"),
    _text("digest"),
    Index("audit_by_subject", "subject", "index"),
)

change_counter: Final = Table(
    "change_counter",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row: 1
    _count("counter"),
    _count("floor"),  # a reader below it must read everything
)

changed: Final = Table(
    "changed",
    METADATA,
    _owner(primary_key=True, autoincrement=False),
    Column("change", BigInteger, nullable=False, index=True),
)

removed: Final = Table(
    "removed",
    METADATA,
    Column("identity_number", _NUMBER, primary_key=True, autoincrement=False),
    Column("change", BigInteger, nullable=False, index=True),
)

meta: Final = Table("meta", METADATA, Column("key", Text, primary_key=True), _text("value"))
