"""Who calls: what every use case is told about the peer it works for.

Made by `backend.service.guard` from a checked certificate; a use case trusts it and asks nothing of the connection.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.core.model import Certificate, Identity
from backend.core.rbac import Grants


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated peer. `address` is host:port as seen by the edge; `origin` goes into the audit trail."""

    identity: Identity
    certificate: Certificate
    grants: Grants
    address: str
    origin: str = "rpc"  # "rpc", "cli", "tui" or "agent"

    @property
    def name(self) -> str:
        """The identity's name: the actor of an audit event."""
        return self.identity.name
