"""From gRPC's statuses to errors that say what to do: the agent's own refusals, TLS failures, silence.

A refusal keeps the agent's sentence and its class, found by the stable reason in `moc.Error.Parameters`, else by MOC's
code, else by gRPC's (moc/protocol.md 6.3). A connection that failed is looked at with `backend.client.probe`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc import status_pb2

from backend.client.access_file import AccessFile
from backend.client.errors import AgentUntrusted, CertificateRefused, Unreachable
from backend.client.probe import diagnose
from backend.core import errors
from backend.core.inert import inert
from backend.wire.knock import Diagnosis, Finding
from backend.wire.moc import common_pb2

DETAILS_KEY: Final = "grpc-status-details-bin"
RETRY_KEY: Final = "retry-after"
_SENTENCE_LENGTH: Final = 1000
_DEFAULT_RETRY: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One way to an agent's port: where, under which name, trusting what, and with which certificate (login: none)."""

    host: str
    port: int
    server_name: str
    trust_pem: str
    access: AccessFile | None = None

    @property
    def where(self) -> str:
        """`host:port` for people and for gRPC; an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _tree(kind: type[errors.AgentError]) -> Iterator[type[errors.AgentError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child)


_BY_REASON: Final = {kind.reason: kind for kind in _tree(errors.AgentError)}
_BY_MOC_CODE: Final[dict[int, type[errors.AgentError]]] = {
    1: errors.NotFound,
    4: errors.InvalidInput,
    6: errors.NotSupported,
    7: errors.AlreadyExists,
    14: errors.OldVersion,
    20: errors.NotSupported,
    24: errors.InconsistentState,
    29: errors.CertificateExpired,
    30: errors.Revoked,
    33: errors.TokenRejected,
    40: errors.AccessDenied,
    43: errors.Unauthenticated,
    50: errors.ConfirmationRefused,
    51: errors.StoreUnavailable,
}
_BY_GRPC_CODE: Final[dict[grpc.StatusCode, type[errors.AgentError]]] = {
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExists,
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidInput,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.InvalidInput,  # the message is too large
    grpc.StatusCode.PERMISSION_DENIED: errors.AccessDenied,
    grpc.StatusCode.UNIMPLEMENTED: errors.NotSupported,
    grpc.StatusCode.UNAVAILABLE: Unreachable,
    grpc.StatusCode.DEADLINE_EXCEEDED: Unreachable,
}


async def translate(error: grpc.aio.AioRpcError, line: Line, now: datetime) -> errors.AgentError:
    """Return the error that a failed call stands for; the caller raises it.

    `now` tells a refused certificate that has expired from one that is refused for another reason.
    """
    refusal = find_refusal(error)
    if refusal is not None:
        return refusal
    code = error.code()
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Unreachable(f"the agent at {line.where} did not answer in time; try again, or look at its log")
    if code is grpc.StatusCode.CANCELLED:  # our own giving up is a CancelledError and never comes here
        return Unreachable(f"the agent at {line.where} ended the call, as one does that is being stopped; try again")
    if code is grpc.StatusCode.UNAVAILABLE:
        found = await diagnose(line.host, line.port, line.server_name, line.trust_pem, line.access)
        return _connection_error(found, line, now)
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return errors.TokenRejected() if line.access is None else errors.Unauthenticated(_sentence(error.details()))
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return errors.NotSupported(f"the agent at {line.where} does not offer this call; is it an older one?")
    return _rebuilt(_BY_GRPC_CODE.get(code, errors.AgentError), _sentence(error.details()), _DEFAULT_RETRY)


def find_refusal(error: grpc.aio.AioRpcError) -> errors.AgentError | None:
    """Return the agent's own refusal out of the status details, or None when there is none."""
    trailers = dict(error.trailing_metadata() or ())
    details = trailers.get(DETAILS_KEY)
    if not isinstance(details, bytes):
        return None
    refusal = common_pb2.Error()
    try:
        status = status_pb2.Status.FromString(details)
        if not any(detail.Unpack(refusal) for detail in status.details):
            return None
    except DecodeError:
        return None
    kind = _BY_REASON.get(refusal.Parameters)
    if kind is None or refusal.Parameters == errors.AgentError.reason:
        kind = _BY_MOC_CODE.get(refusal.Code) or _BY_GRPC_CODE.get(error.code(), errors.AgentError)
    return _rebuilt(kind, _sentence(refusal.Message), _retry_after(trailers.get(RETRY_KEY)))


def _connection_error(found: Diagnosis, line: Line, now: datetime) -> errors.AgentError:
    match found.finding:
        case Finding.UNTRUSTED:
            return AgentUntrusted(
                f"the certificate of the agent at {line.where} is not accepted for {line.server_name!r} "
                f"({found.detail}); bring a login file with its present CA, or correct the name or the clock"
            )
        case Finding.REFUSED if line.access is not None:
            if line.access.validity.is_expired(now):
                return errors.CertificateExpired(
                    f"the certificate of {line.access.identity_name} expired at {line.access.validity.not_after}; "
                    "sign in again"
                )
            return CertificateRefused(
                f"the agent at {line.where} refuses the certificate {line.access.serial_hex} of "
                f"{line.access.identity_name} ({found.detail}); sign in again"
            )
        case Finding.ANSWERS:
            return Unreachable(f"the connection to the agent at {line.where} broke; it answers again, so try again")
        case _:
            return Unreachable(f"cannot reach the agent at {line.where}: {found.detail}; check address, port and agent")


def _rebuilt(kind: type[errors.AgentError], sentence: str, retry_after: timedelta) -> errors.AgentError:
    """Make an error of this class with the agent's sentence, whatever arguments its constructor wants."""
    if kind is errors.Fenced:
        return errors.Fenced(retry_after)
    if kind is errors.LimitReached:
        limited = errors.LimitReached("", retry_after)
        limited.args = (sentence,)
        return limited
    error = kind.__new__(kind, sentence)
    error.args = (sentence,)
    if isinstance(error, errors.IllegalTransition):
        error.state = error.event = ""  # they stand in the sentence
    return error


def _retry_after(value: object) -> timedelta:
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
    return timedelta(seconds=min(int(text), 3600)) if text.isascii() and text.isdecimal() else _DEFAULT_RETRY


def _sentence(text: str | None) -> str:
    return inert(text or "the agent refused without a reason", limit=_SENTENCE_LENGTH)
