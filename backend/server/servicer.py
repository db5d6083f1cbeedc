"""What every servicer is made of: a context, a table from RPC path to handler, and nothing else.

A handler converts, calls one use case, converts. It is found by its method, so no path is typed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from backend.core.errors import Unauthenticated
from backend.server.calls import Call
from backend.service.caller import Caller
from backend.service.world import World
from backend.store.port import Transaction


@dataclass(frozen=True, slots=True)
class Context:
    """One call inside the core: its transaction, its world, and who calls (nobody, on the login port)."""

    tx: Transaction
    world: World
    call: Call
    peer: Caller | None = None

    @property
    def caller(self) -> Caller:
        """The authenticated peer.

        Raises:
            Unauthenticated: the call came over the login port.
        """
        if self.peer is None:
            raise Unauthenticated("this call needs a client certificate; make it on the data port")
        return self.peer


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A call that has done its share for now: `progress` is in its next turn's `Call`."""

    progress: object


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a stream: `rest` is in the `Call` that asks for the next; `change` of the part that completes it."""

    messages: Sequence[Message]
    rest: object | None
    change: int = 0


Answer = Message | Sequence[Message] | Unfinished | Part
Handler = Callable[[Context, Any], Answer]


@dataclass(frozen=True, slots=True)
class Served:
    """What answers a method."""

    handle: Handler


Table = Mapping[str, Served]
