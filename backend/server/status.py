"""How a refusal looks on the wire: gRPC code, text and `moc.Error` in grpc-status-details-bin (moc/protocol.md 6.3).

NotFound and AlreadyExists have their own gRPC codes, a rejected token is Unauthenticated (3.8), and everything else is
Unknown, because Go clients read `moc.Error` only behind Unknown. `Parameters` carries our stable reason.
"""

from __future__ import annotations

import grpc
from google.protobuf import any_pb2
from google.rpc import status_pb2

from backend.core.errors import AgentError, AlreadyExists, Fenced, NotFound, TokenRejected
from backend.wire.moc import common_pb2

DETAILS_KEY = "grpc-status-details-bin"
RETRY_KEY = "retry-after"  # seconds; only with a refusal that time heals


class InternalFault(AgentError):
    """Something broke in the agent itself; the log has the details, the caller does not."""

    def __init__(self) -> None:
        super().__init__("the agent failed at this request; its log names the cause")


_CODES: tuple[tuple[type[AgentError], grpc.StatusCode], ...] = (
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (AlreadyExists, grpc.StatusCode.ALREADY_EXISTS),
    (TokenRejected, grpc.StatusCode.UNAUTHENTICATED),
)


def code_of(refusal: AgentError) -> grpc.StatusCode:
    """Return the gRPC code for a refusal."""
    return next((code for kind, code in _CODES if isinstance(refusal, kind)), grpc.StatusCode.UNKNOWN)


def trailers_of(refusal: AgentError) -> tuple[tuple[str, str | bytes], ...]:
    """Return the trailing metadata of a refusal: the status details, and a retry hint where time heals."""
    error = common_pb2.Error(Message=str(refusal), Code=refusal.moc_code, Parameters=refusal.reason)
    packed = any_pb2.Any()
    packed.Pack(error)
    status = status_pb2.Status(code=code_of(refusal).value[0], message=str(refusal), details=[packed])
    trailers: list[tuple[str, str | bytes]] = [(DETAILS_KEY, status.SerializeToString())]
    if isinstance(refusal, Fenced):
        trailers.append((RETRY_KEY, str(int(refusal.retry_after.total_seconds()))))
    return tuple(trailers)
