"""What keeps the agent from rotating a client's token by itself."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table; the agent's next round fills it."""
    op.create_table(
        "token_faults",
        sa.Column("identity_number", _NUMBER, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("token_id", "why")),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["identity_number"], ["identities.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("identity_number"),
    )
