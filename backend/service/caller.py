"""Who calls: what every use case is told about the peer it works for.

Made by `backend.service.guard` from a checked certificate; a use case trusts it and asks nothing of the connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.core.model import Certificate, Identity
from backend.core.rbac import Grants
from backend.service.peers import Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated peer. `address` is the peer's as seen by the edge; `origin` goes into the audit trail.

    `identity` may be older than its row in what heartbeats and rotations change: read the row again before writing it.
    `peer` is the remembered entry it came from.
    """

    identity: Identity
    certificate: Certificate
    grants: Grants
    address: str
    origin: str = "rpc"  # "rpc", "cli", "tui" or "agent"
    peer: Peer | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The identity's name: the actor of an audit event."""
        return self.identity.name
