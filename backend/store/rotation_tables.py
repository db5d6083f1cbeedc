"""Tables of CA rotations: the moves, the clients of each kind, the trust matrix as probed, and the steps."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from backend.store.columns import METADATA, SERIAL_DIGITS, count, flag, instant, maybe, only_one, position, words

rotations: Final = Table(
    "rotations",
    METADATA,
    position(),
    words("id", unique=True),
    words("phase"),
    count("version"),
    count("from_generation"),
    count("to_generation"),
    words("plan_id"),
    words("plan_hash"),
    words("actor"),
    words("reason"),
    instant("started_at"),
    instant("phase_at"),
    maybe("ended_at"),
    words("outcome"),
    flag("proceed"),
    words("kind"),
    words("cause"),
    flag("automatic"),
    words("held"),
    words("settings"),
    words("rolled_back_from"),
    Column("is_open", Integer),  # 1 until it has ended, then nothing
    only_one("one_open_rotation", "is_open", where="is_open = 1"),
    sqlite_autoincrement=True,
)

rotation_clients: Final = Table(
    "rotation_clients",
    METADATA,
    position(),
    Column("rotation_id", Text, ForeignKey("rotations.id"), nullable=False),
    count("identity_number"),
    words("name"),
    words("route"),
    words("why"),
    maybe("informed_at"),
    maybe("lost_at"),
    maybe("returned_at"),
    words("written_off"),
    Index("rotation_clients_once", "rotation_id", "identity_number", unique=True),
    sqlite_autoincrement=True,
)

overlap_clients: Final = Table(
    "overlap_clients",
    METADATA,
    position(),
    Column("rotation_id", Text, ForeignKey("rotations.id"), nullable=False),
    count("identity_number"),
    words("name"),
    words("route"),
    words("after"),
    count("wave"),
    maybe("informed_at"),
    maybe("proved_at"),
    words("proved_from"),
    words("careless"),
    Column("serial", String(SERIAL_DIGITS), nullable=False),
    count("generation"),
    maybe("generation_at"),
    maybe("holds_until"),
    maybe("ordered_at"),
    words("waived"),
    words("written_off"),
    words("decided_by"),
    maybe("would_fail_at"),
    words("would_fail_from"),
    Index("overlap_clients_once", "rotation_id", "identity_number", unique=True),
    sqlite_autoincrement=True,
)

rotation_probes: Final = Table(
    "rotation_probes",
    METADATA,
    Column("rotation_id", Text, ForeignKey("rotations.id"), primary_key=True),
    Column("cell", Text, primary_key=True),
    words("expected"),
    words("observed"),
    count("made"),
    count("deviations"),
    instant("last_at"),
)

rotation_steps: Final = Table(
    "rotation_steps",
    METADATA,
    position(),
    Column("rotation_id", Text, ForeignKey("rotations.id"), nullable=False),
    words("step"),
    instant("begun_at"),
    maybe("done_at"),
    Index("rotation_steps_once", "rotation_id", "step", unique=True),
    sqlite_autoincrement=True,
)
