"""Peers that were checked before: so that a call on an open connection costs one look-up and no query.

The cache holds what rows said of a leaf. It never decides: `backend.service.guard` checks the time and every flag on
each call; every use case that changes an identity, a role, an assignment, a revocation or an authority empties it, and
the server's core does after a commit that failed. Sign-ins and renewals only add certificates, so they leave it alone;
a refused call has changed nothing, so only its own leaf is forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backend.core.model import Authority, Certificate, Identity
from backend.core.rbac import Grants

CAPACITY: Final = 20_000  # twice the largest fleet in view; the oldest entry leaves first


@dataclass(slots=True, kw_only=True)
class Peer:
    """What the rows said of one leaf; `marked_at` and `marked_from` are the last use that was written down."""

    identity: Identity
    certificate: Certificate
    authority: Authority
    grants: Grants
    marked_at: datetime | None = None
    marked_from: str = ""
    would_fail: bool = False  # without the CA that a rotation is about to distrust


class PeerCache:
    """Peers by the SHA-256 of their leaf's DER; used by the core thread only."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._peers: OrderedDict[str, Peer] = OrderedDict()
        self._capacity = capacity

    def find(self, fingerprint: str) -> Peer | None:
        """The peer remembered under a leaf's hex SHA-256."""
        return self._peers.get(fingerprint)

    def remember(self, fingerprint: str, peer: Peer) -> None:
        """Keep a peer; the oldest goes when there are too many."""
        self._peers[fingerprint] = peer
        while len(self._peers) > self._capacity:
            self._peers.popitem(last=False)

    def forget(self, fingerprint: str) -> None:
        """Forget one leaf, if it is known: a call of it was undone, and with it what was noted of the call."""
        self._peers.pop(fingerprint, None)

    def clear(self) -> None:
        """Forget all: the next call of each peer reads rows again."""
        self._peers.clear()

    def __len__(self) -> int:
        return len(self._peers)
