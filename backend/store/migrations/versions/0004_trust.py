"""Trust that reaches across a CA rotation: cross certificates, and who signed each bundle epoch."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# A message is a whole sentence: the store hands it to the caller as it is.
_GUARDS: Final = (
    """CREATE TRIGGER statements_grow BEFORE INSERT ON bundle_statements
    WHEN NEW.epoch <= (SELECT MAX(epoch) FROM bundle_statements)
    BEGIN SELECT RAISE(ABORT, 'trust bundle epochs are signed in their order; this one was passed over'); END""",
    """CREATE TRIGGER statements_are_not_changed BEFORE UPDATE ON bundle_statements
    BEGIN SELECT RAISE(ABORT, 'a signed trust bundle epoch cannot be changed'); END""",
    """CREATE TRIGGER statements_are_not_removed BEFORE DELETE ON bundle_statements
    BEGIN SELECT RAISE(ABORT, 'a signed trust bundle epoch cannot be removed'); END""",
)


def upgrade() -> None:
    """Create both tables; the agent signs the present epoch when it starts, and the chain begins there."""
    op.create_table(
        "bundle_statements",
        sa.Column("epoch", _NUMBER, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("statement", "signature", "previous_signature")),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["bundles.epoch"]),
        sa.PrimaryKeyConstraint("epoch"),
    )
    op.create_table(
        "cross_certificates",
        sa.Column("subject_generation", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("issuer_generation", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("pem", sa.Text(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["subject_generation"], ["authorities.generation"]),
        sa.ForeignKeyConstraint(["issuer_generation"], ["authorities.generation"]),
        sa.PrimaryKeyConstraint("subject_generation", "issuer_generation"),
    )
    for guard in _GUARDS:
        op.execute(guard)
