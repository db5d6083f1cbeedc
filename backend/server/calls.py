"""What crosses the seam between the RPC edge and the core: bytes and the peer's identity in, bytes or a refusal out.

Nothing here knows gRPC or the store, so that the seam can become a process boundary (performance.md 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backend.core.errors import AgentError


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end: the leaf that TLS verified (None on the login port) and the network address."""

    leaf_pem: bytes | None
    address: str


@dataclass(frozen=True, slots=True)
class Call:
    """One RPC: its full path, its request as it came, who sent it, and its lower-case metadata.

    `is_continued` tells that a watch or a long call goes on: the agent works on, its caller did nothing new. `progress`
    is what a long call has come to so far, as its last `Reply` had it in `progress` or `rest`.
    """

    path: str
    body: bytes = field(repr=False)
    peer: Peer
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)  # with the token, on a sign-in
    is_continued: bool = False
    progress: object | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer: one message for a unary call, any number for a stream, or a refusal.

    With `progress` it is no answer yet: the call is to be submitted again with it, so that others get their turn. With
    `rest` it is one part of a stream: what follows is asked for with it once this part is on its way.
    """

    bodies: tuple[bytes, ...] = field(default=(), repr=False)  # a fresh token may be in one
    refusal: AgentError | None = None
    change: int = 0  # the fleet's change counter as the answer saw it; 0: the answer is not complete yet
    progress: object | None = None
    rest: object | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """The progress of a call that waits for looks at the delivery places of these clients (None: of all)."""

    names: tuple[str, ...] | None
    anew: bool = False
