"""Which CA generation the agent's own certificate is of, and which cross certificate stands behind it.

In a rotation with overlap the CA that issues and the one that serves differ for a while (pki.md 5.3, Z4 to Z6). The
answer is read from rows, so that listeners need nothing but to look again (invariant I6).
"""

from __future__ import annotations

from datetime import datetime

from backend.core.model import Authority
from backend.core.overlap import OverlapPhase
from backend.store.port import Transaction
from backend.store.records import RotationRow

OVERLAP = "overlap"


def find_overlap(tx: Transaction) -> RotationRow | None:
    """Return the open rotation if it is one with overlap."""
    rotation = tx.rotations.find_open()
    return rotation if rotation is not None and rotation.kind == OVERLAP else None


def serving_authority(tx: Transaction) -> Authority:
    """Return the generation that the agent's own certificate must be of now."""
    rotation = find_overlap(tx)
    if rotation is None:
        return tx.authorities.issuing()
    is_new = OverlapPhase(rotation.phase).serves_new
    return tx.authorities.get(rotation.to_generation if is_new else rotation.from_generation)


def cross_behind(tx: Transaction, authority: Authority, now: datetime) -> str:
    """Return the cross certificate (PEM) to present behind a leaf of `authority`; "" when there is none to present.

    One by the generation before is presented as long as it lives: it carries clients that never took the new root home
    (invariant I10). One by the generation after only on the way back, for clients that hold no other root by then.
    """
    rotation = find_overlap(tx)
    before, after = authority.generation - 1, 0
    if rotation is not None:
        before = rotation.from_generation if authority.generation == rotation.to_generation else before
        after = rotation.to_generation if OverlapPhase(rotation.phase).is_rollback else 0
    issuer = after if rotation is not None and authority.generation == rotation.from_generation and after else before
    found = tx.cross.find(authority.generation, issuer)
    return found.pem if found is not None and now <= found.not_after else ""
