"""One call through the core: decode, authenticate, authorise, handle, encode; and the record of a refusal.

Runs on the core thread inside the call's savepoint. The guard looks at the peer on every call, whatever the connection
proved when it was opened (architecture.md, decision 3).
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from google.protobuf.message import DecodeError, Message

from backend.core.errors import AccessDenied, AgentError, InconsistentState, InvalidInput, Unauthenticated
from backend.pki.renewal import ProofRefused
from backend.server.authorise import authorise
from backend.server.calls import Call, Reply
from backend.server.servicer import Answer, Context, Part, Served, Unfinished
from backend.server.servicers import TABLE
from backend.service import audit, guard
from backend.service.caller import Caller
from backend.service.world import World
from backend.store.port import Transaction
from backend.wire.methods import DATA_METHODS, LOGIN_METHODS, METHODS, get_method

log = logging.getLogger("mocdeck.rpc")

WATCHES: Final = frozenset({get_method("FleetAgent", "Watch").path})
READS: Final = frozenset(path for path, method in DATA_METHODS.items() if method.streams_answers) - WATCHES
DATA_UNARY: Final = frozenset(DATA_METHODS) - READS - WATCHES
LOGIN_UNARY: Final = frozenset(LOGIN_METHODS)

# Refusals worth a link in the audit chain: somebody was not let in, was not allowed, or confirmed what no longer held.
_AUDITED: Final = (Unauthenticated, AccessDenied, InconsistentState, ProofRefused)
_REPEAT: Final = timedelta(minutes=1)  # a client that retries writes one link a minute; the log has every refusal
_REMEMBERED: Final = 10_000


class Dispatcher:
    """Answers calls; used by the core thread only."""

    def __init__(self, world: World, table: Mapping[str, Served] = TABLE) -> None:
        self._world = world
        self._table = table
        self._refused: dict[tuple[str, str, str, str], datetime] = {}

    def answer(self, tx: Transaction, call: Call) -> Reply:
        """Return the encoded answer.

        Raises:
            AgentError: the call is refused; the caller undoes its savepoint and then calls `record`.
        """
        request = _decode(call)
        served = self._table[call.path]
        peer = self._authenticate(tx, call) if call.path in DATA_METHODS else None
        context = Context(tx, self._world, call, peer)
        if peer is not None:
            authorise(context, request)
            if not call.is_continued:  # else each watcher of an idle fleet would be news to all the others
                guard.mark_used(tx, peer, self._world.clock.now())
        return _encode(served.handle(context, request))

    def record(self, tx: Transaction, call: Call, refusal: AgentError) -> None:
        """Log a refusal, and chain it into the audit trail if it is one that an auditor asks about."""
        if call.peer.leaf_pem is not None:  # the undone savepoint had marked its use, and nobody else's
            guard.forget(self._world, _der(call.peer.leaf_pem))
        now = self._world.clock.now()
        caller = self._find_caller(tx, call)
        if caller is not None:
            guard.mark_used(tx, caller, now)  # a refused call is a call; what the savepoint had noted went with it
        actor = "" if caller is None else caller.name
        subject = call.path.rpartition(".")[2]
        fields = {"call": subject, "from": call.peer.address, "actor": actor, "reason": refusal.reason}
        log.info("refused", extra={"fields": {**fields, "why": str(refusal)}})
        if not isinstance(refusal, _AUDITED) or self._is_repeat(
            (actor, call.peer.address, subject, refusal.reason), now
        ):
            return
        audit.record_refusal(
            tx,
            now,
            actor=actor,
            origin="rpc",
            action="call",
            subject=subject,
            error=refusal,
            address=call.peer.address,
        )

    def _authenticate(self, tx: Transaction, call: Call) -> Caller:
        if call.peer.leaf_pem is None:
            raise Unauthenticated("the data port needs a client certificate")
        return guard.authenticate(tx, self._world, _der(call.peer.leaf_pem), call.peer.address)

    def _find_caller(self, tx: Transaction, call: Call) -> Caller | None:
        try:
            return self._authenticate(tx, call)
        except AgentError:
            return None

    def _is_repeat(self, key: tuple[str, str, str, str], now: datetime) -> bool:
        last = self._refused.get(key)
        if last is not None and timedelta(0) <= now - last < _REPEAT:
            return True
        if len(self._refused) >= _REMEMBERED:
            self._refused.clear()
        self._refused[key] = now
        return False


def _der(leaf_pem: bytes) -> bytes:
    return ssl.PEM_cert_to_DER_cert(leaf_pem.decode("ascii"))


def _decode(call: Call) -> Message:
    message = METHODS[call.path].request()
    try:
        message.ParseFromString(call.body)
    except DecodeError:
        raise InvalidInput(f"the request to {call.path} is not a {message.DESCRIPTOR.full_name}") from None
    return message


def _encode(answer: Answer) -> Reply:
    if isinstance(answer, Unfinished):
        return Reply(progress=answer.progress)
    if isinstance(answer, Part):
        bodies = tuple(message.SerializeToString() for message in answer.messages)
        return Reply(bodies, change=answer.change, rest=answer.rest)
    messages = [answer] if isinstance(answer, Message) else answer
    return Reply(tuple(message.SerializeToString() for message in messages))
