"""Deliveries by more routes than a file: which route, through which cluster, and when it was last tried."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Files stay files; what is owed is tried anew at once."""
    op.execute("ALTER TABLE deliveries RENAME COLUMN path TO place")
    op.add_column("deliveries", sa.Column("route", sa.Text(), nullable=False, server_default="file"))
    op.add_column("deliveries", sa.Column("cluster", sa.Text(), nullable=False, server_default=""))
    op.add_column("deliveries", sa.Column("tried_at", sa.BigInteger()))
