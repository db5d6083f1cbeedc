"""The fence: while a CA rotation stands between its two CAs, nothing is issued (pki.md 5.6, D2).

The mark is a row, so that it holds across a restart. `backend.service.rotation` sets and clears it.
"""

from __future__ import annotations

from typing import Final

from backend.core.errors import Fenced
from backend.service.world import World
from backend.store.port import Transaction

FENCE_KEY: Final = "fenced"


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
