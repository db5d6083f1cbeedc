"""The schema, once for every engine: what is unique, what is indexed, what belongs to what.

The kinds of columns are in `columns`, the tables of alerts and of CA rotations in modules of their own. Refusals that
SQL needs triggers for are in the migrations.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from backend.store.columns import (
    METADATA,
    NUMBER,
    SERIAL_DIGITS,
    count,
    flag,
    instant,
    maybe,
    only_one,
    owner,
    partial,
    position,
    words,
)

identities: Final = Table(
    "identities",
    METADATA,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    words("id", unique=True),
    words("name", unique=True),
    words("kind"),
    count("client_type"),
    words("cluster", index=True),
    words("host"),
    words("owner"),
    words("location"),
    words("tags"),
    count("token_lifetime"),
    flag("auto_rotate"),
    words("login_file_path"),
    Column("auto_renew", Boolean),
    words("token_standing"),
    words("cloud_fqdn"),
    count("cloud_port"),
    count("cloud_auth_port"),
    maybe("revoked_at"),
    words("revoked_by"),
    maybe("planned_off_until"),
    instant("created_at"),
    words("version"),
    sqlite_autoincrement=True,  # a number is never given out twice, also not after a removal
)

certificates: Final = Table(
    "certificates",
    METADATA,
    position(),
    Column("serial", String(SERIAL_DIGITS), nullable=False, unique=True),
    Column("identity_number", NUMBER, nullable=False),  # no foreign key: it outlives its identity, for the record
    Column("generation", NUMBER, ForeignKey("authorities.generation"), nullable=False),
    instant("not_before"),
    instant("not_after"),
    count("requested"),
    instant("renew_from"),
    instant("renew_until"),
    words("key_sha256", index=True),
    words("fingerprint"),
    words("pem"),
    instant("issued_at"),
    count("renew_count"),
    maybe("first_used_at"),
    maybe("last_used_at"),
    maybe("revoked_at"),
    Column("revoke_reason", Text),
    Index("certificates_by_age", "identity_number", "issued_at", "position"),
    partial("used_certificates_by_age", "identity_number", "issued_at", "position", where="first_used_at IS NOT NULL"),
    partial("live_certificates_by_end", "not_after", "not_before", where="revoked_at IS NULL"),
    sqlite_autoincrement=True,
)

tokens: Final = Table(
    "tokens",
    METADATA,
    position(),
    words("id", unique=True),
    owner(),
    words("digest"),
    instant("issued_at"),
    instant("expires_at"),
    words("state"),
    maybe("dies_at"),
    maybe("first_used_at"),
    maybe("delivered_at"),
    Index("tokens_by_age", "identity_number", "issued_at", "position"),
    partial("current_tokens", "identity_number", "issued_at", "position", where="state = 'current'"),
    sqlite_autoincrement=True,
)

authorities: Final = Table(
    "authorities",
    METADATA,
    Column("generation", NUMBER, primary_key=True, autoincrement=False),
    words("subject"),
    instant("not_before"),
    instant("not_after"),
    words("fingerprint"),
    words("pem"),
    words("key_file"),
    words("status"),
    instant("created_at"),
    only_one("one_issuing_authority", "status", where="status = 'issuing'"),
)

bundles: Final = Table(
    "bundles",
    METADATA,
    Column("epoch", NUMBER, primary_key=True, autoincrement=False),
    words("generations"),
    words("pem"),
    instant("created_at"),
)

bundle_statements: Final = Table(  # apart from the bundles: those of older programs get theirs later
    "bundle_statements",
    METADATA,
    Column("epoch", NUMBER, ForeignKey("bundles.epoch"), primary_key=True, autoincrement=False),
    words("statement"),
    words("signature"),
    words("previous_signature"),
    instant("signed_at"),
)

cross_certificates: Final = Table(
    "cross_certificates",
    METADATA,
    Column("subject_generation", NUMBER, ForeignKey("authorities.generation"), primary_key=True, autoincrement=False),
    Column("issuer_generation", NUMBER, ForeignKey("authorities.generation"), primary_key=True, autoincrement=False),
    words("pem"),
    instant("not_after"),
    instant("created_at"),
)

clusters: Final = Table(
    "clusters",
    METADATA,
    Column("name", Text, primary_key=True),
    flag("is_management"),
    maybe("removed_at"),
    maybe("planned_off_until"),
)

roles: Final = Table("roles", METADATA, Column("name", Text, primary_key=True), words("document"))

assignments: Final = Table(
    "assignments",
    METADATA,
    Column("name", Text, primary_key=True),
    words("identity_name", index=True),
    words("document"),
)

resources: Final = Table(
    "resources",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    words("id"),
    words("version"),
    instant("created_at"),
    Column("body", LargeBinary, nullable=False),
    words("tags"),
)

heartbeats: Final = Table(
    "heartbeats",
    METADATA,
    owner(primary_key=True, autoincrement=False),
    instant("heard_at"),
    count("interval"),
    words("address"),
    Column("serial", String(SERIAL_DIGITS), nullable=False),
    count("epoch"),
    count("skew"),
    flag("loop_alive"),
    words("last_error"),
    words("version"),
)

seen: Final = Table(
    "seen",
    METADATA,
    owner(primary_key=True, autoincrement=False),
    instant("at"),
    words("address"),
    Column("serial", String(SERIAL_DIGITS), nullable=False),
)

orders: Final = Table(
    "orders",
    METADATA,
    position(),
    words("id", unique=True),
    owner(index=True),
    words("kind"),
    instant("created_at"),
    words("operation_id"),
    count("overlap_seconds"),
    maybe("handed_out_at"),
    words("token_id"),
    maybe("done_at"),
    only_one("one_open_order_of_a_kind", "identity_number", "kind", where="done_at IS NULL"),
    sqlite_autoincrement=True,
)

deliveries: Final = Table(
    "deliveries",
    METADATA,
    position(),
    words("id", unique=True),
    owner(index=True),
    words("route"),
    words("cluster"),
    words("place"),
    words("token_id"),
    instant("created_at"),
    words("operation_id", index=True),
    count("attempts"),
    maybe("tried_at"),
    maybe("written_at"),
    words("last_error"),
    partial("open_deliveries", "position", where="written_at IS NULL"),
    sqlite_autoincrement=True,
)

token_faults: Final = Table(
    "token_faults",
    METADATA,
    owner(primary_key=True, autoincrement=False),
    words("token_id"),
    words("why"),
    instant("since_at"),
)

plans: Final = Table(
    "plans",
    METADATA,
    Column("id", Text, primary_key=True),
    words("kind"),
    words("hash"),
    instant("made_at"),
    instant("expires_at"),
    words("actor"),
    words("body"),
    flag("started"),
)

operations: Final = Table(
    "operations",
    METADATA,
    position(),
    words("id", unique=True),
    words("plan_id"),
    words("action"),
    words("state", index=True),
    words("actor"),
    words("origin"),
    count("parallel"),
    words("reason"),
    count("overlap_seconds"),
    instant("started_at"),
    maybe("ended_at"),
    flag("stopping"),
    sqlite_autoincrement=True,
)

targets: Final = Table(
    "targets",
    METADATA,
    Column("operation_id", Text, ForeignKey("operations.id"), primary_key=True),
    Column("position", NUMBER, primary_key=True, autoincrement=False),
    count("identity_number"),
    words("name"),
    words("route"),
    words("state"),
    words("step"),
    words("result"),
    Column("old_serial", String(SERIAL_DIGITS)),
    Column("new_serial", String(SERIAL_DIGITS)),
    words("token_id"),
    maybe("started_at"),
    maybe("ended_at"),
    partial("active_targets", "identity_number", where="state IN ('ordered', 'issued', 'delivered')"),
)

audit: Final = Table(
    "audit",
    METADATA,
    Column("index", NUMBER, primary_key=True, autoincrement=False),
    instant("at"),
    words("actor"),
    words("origin"),
    words("action"),
    words("subject"),
    words("outcome"),
    words("detail"),
    words("previous"),
    words("digest"),
    Index("audit_by_subject", "subject", "index"),
)

change_counter: Final = Table(
    "change_counter",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row: 1
    count("counter"),
    count("floor"),  # a reader below it must read everything
)

changed: Final = Table(
    "changed",
    METADATA,
    owner(primary_key=True, autoincrement=False),
    Column("change", BigInteger, nullable=False, index=True),
)

removed: Final = Table(
    "removed",
    METADATA,
    Column("identity_number", NUMBER, primary_key=True, autoincrement=False),
    Column("change", BigInteger, nullable=False, index=True),
)

meta: Final = Table("meta", METADATA, Column("key", Text, primary_key=True), words("value"))
