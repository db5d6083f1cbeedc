"""CA rotation with overlap: its kind and settings, what each client has proved, and the trust matrix as probed."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Rotations that were made before are disruptive and routine; nothing else of theirs changes."""
    for name, default in (
        ("kind", "disruptive"),
        ("cause", "routine"),
        ("held", ""),
        ("settings", "{}"),
        ("rolled_back_from", ""),
    ):
        op.add_column("rotations", sa.Column(name, sa.Text(), nullable=False, server_default=default))
    op.add_column("rotations", sa.Column("automatic", sa.Boolean(), nullable=False, server_default=sa.false()))
    _clients()
    _probes()


def _clients() -> None:
    op.create_table(
        "overlap_clients",
        sa.Column("position", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("rotation_id", sa.Text(), sa.ForeignKey("rotations.id"), nullable=False),
        *_texts("name", "route", "after", "proved_from", "careless", "waived", "written_off", "decided_by"),
        *_texts("would_fail_from"),
        sa.Column("serial", sa.String(40), nullable=False),
        *_wholes("identity_number", "wave", "generation"),
        *_maybes("informed_at", "proved_at", "generation_at", "holds_until", "ordered_at", "would_fail_at"),
        sqlite_autoincrement=True,
    )
    op.create_index("overlap_clients_once", "overlap_clients", ["rotation_id", "identity_number"], unique=True)


def _probes() -> None:
    op.create_table(
        "rotation_probes",
        sa.Column("rotation_id", sa.Text(), sa.ForeignKey("rotations.id"), nullable=False),
        *_texts("cell", "expected", "observed"),
        *_wholes("made", "deviations", "last_at"),
        sa.PrimaryKeyConstraint("rotation_id", "cell"),
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _wholes(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _maybes(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger()) for name in names]
