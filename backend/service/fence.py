"""What an open CA rotation forbids: issuing while it stands between its two CAs, and operations beside it.

The fence is a row, so that it holds across a restart (pki.md 5.6, D2). `backend.service.rotation` sets and clears it.
"""

from __future__ import annotations

from typing import Final

from backend.core.errors import Fenced
from backend.core.overlap import OverlapPhase
from backend.service.world import World
from backend.store.port import Transaction

FENCE_KEY: Final = "fenced"

# Here a rotation with overlap only waits for clients that renew in their own time, which may take weeks.
_PATIENT: Final = {OverlapPhase.DRAINING.value, OverlapPhase.SHADOW.value, OverlapPhase.DISTRUSTED.value}


def is_fenced(tx: Transaction) -> bool:
    """Tell whether issuing is stopped."""
    return bool(tx.meta.find(FENCE_KEY))


def set_fence(tx: Transaction, reason: str) -> None:
    """Stop issuing, because of `reason` (not empty)."""
    tx.meta.put(FENCE_KEY, reason)


def clear_fence(tx: Transaction) -> None:
    """Let issuing go on."""
    tx.meta.put(FENCE_KEY, "")


def refuse_when_fenced(tx: Transaction, world: World) -> None:
    """Raise `Fenced`, with the time to wait, while issuing is stopped: for sign-in, renewal and creation alike."""
    if is_fenced(tx):
        raise Fenced(world.policy.fence_retry)


def forbids_operations(tx: Transaction) -> str:
    """Return why nothing else may be changed now, "" when it may (domain.md 16.6-7).

    A rehearsal changes nothing, and while a rotation with overlap waits for clients' own renewals no token may run out.
    """
    found = tx.rotations.find_open()
    if found is None or found.kind == "rehearsal" or (found.kind == "overlap" and found.phase in _PATIENT):
        return ""
    return f"CA rotation {found.id} is open; nothing else is changed until it has ended"
