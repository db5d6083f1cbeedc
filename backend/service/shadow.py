"""Shadow distrust: every call judged a second time against the trust set without the old CA, enforcing nothing.

What it finds is who would fail once the old CA is gone, when and from where (pki.md 4.3). The chain is verified for
real, once for each certificate that is seen in the phase; calls on it are then judged by that.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from backend.core.errors import Unauthenticated
from backend.core.model import Certificate
from backend.core.overlap import OverlapPhase
from backend.pki.trust import split_bundle, verify_chain
from backend.service.serving import find_overlap
from backend.store.port import Transaction


def would_fail(tx: Transaction, certificate: Certificate, now: datetime) -> bool:
    """Tell whether this certificate would be refused without the old CA; False outside of the shadow phase."""
    rotation = find_overlap(tx)
    if rotation is None or rotation.phase != OverlapPhase.SHADOW.value:
        return False
    roots = split_bundle(tx.authorities.get(rotation.to_generation).pem)
    try:
        verify_chain(split_bundle(certificate.pem)[0], roots, now)
    except Unauthenticated:
        return True
    return False


def note_would_fail(tx: Transaction, identity_number: int, address: str, now: datetime) -> None:
    """Keep that a call was made that would have failed; the tick takes the rotation back to draining."""
    rotation = find_overlap(tx)
    row = None if rotation is None else tx.rotations.find_overlap_client(rotation.id, identity_number)
    if row is not None:
        tx.rotations.put_overlap_clients([replace(row, would_fail_at=now, would_fail_from=address)])
