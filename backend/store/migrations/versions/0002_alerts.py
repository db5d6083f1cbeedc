"""Alerts: who is not well and who was told of it, silences, owed notices and how each sink is doing."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the four tables; nothing that was there changes."""
    _judgement()
    _telling()


def _judgement() -> None:
    op.create_table(
        "alerts",
        *_texts("entity", "name", "cluster"),
        *_wholes("severity"),
        *_texts("state", "summary", "next_step"),
        *_wholes("raised_at", "since_at"),
        *_maybes("told", "told_at"),
        *_texts("held"),
        sa.PrimaryKeyConstraint("entity"),
    )
    op.create_table(
        "silences",
        *_texts("subject", "name"),
        sa.Column("is_acknowledgement", sa.Boolean(), nullable=False),
        *_wholes("until", "ceiling"),
        *_texts("actor", "reason"),
        *_wholes("made_at"),
        sa.PrimaryKeyConstraint("subject"),
    )


def _telling() -> None:
    op.create_table(
        "notices",
        sa.Column("position", _NUMBER, autoincrement=True, nullable=False),
        *_texts("id", "sink", "entity", "name", "cluster", "event"),
        *_maybes("before", "after"),
        *_texts("state", "summary", "next_step"),
        *_wholes("since_at", "created_at", "attempts"),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("one_notice_of_an_entity", "notices", ["sink", "entity"], unique=True)
    op.create_table(
        "sinks",
        *_texts("name"),
        *_wholes("attempts", "failures", "deliveries"),
        *_maybes("next_at", "failing_since_at"),
        *_texts("last_error"),
        *_maybes("tried_at", "sent_at", "alive_at"),
        sa.PrimaryKeyConstraint("name"),
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _wholes(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _maybes(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=True) for name in names]
