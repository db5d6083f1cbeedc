"""How a refusal looks on the wire: gRPC code, text and `moc.Error` in grpc-status-details-bin (moc/protocol.md 6.3).

NotFound and AlreadyExists have their own gRPC codes, a rejected token is Unauthenticated (3.8), and everything else is
Unknown, because Go clients read `moc.Error` only behind Unknown. `Parameters` carries our stable reason.

The status text is the sentence and, at its end, MOC's base text for the code (6.2). Go clients of the release that CAPH
pins cannot read the details at all, whoever sent them, and tell errors apart by that text alone (6.4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import grpc
from google.protobuf import any_pb2
from google.rpc import status_pb2

from backend.core.errors import (
    AgentError,
    AlreadyExists,
    CertificateExpired,
    Fenced,
    LimitReached,
    NotFound,
    TokenRejected,
)
from backend.core.inert import inert
from backend.wire.moc import common_pb2

DETAILS_KEY = "grpc-status-details-bin"
# A refusal that names thousands of clients must arrive: peers drop headers above 8 kB (gRPC's own limit). The sentence
# travels three times, once percent-encoded and twice in base64.
_SENTENCE_BYTES: Final = 1_000
# Go clients take any text with this word for an ended certificate and sign in again, for ever (6.4). Our own sentences
# say it only where that cures; a name that came from somebody else is shown with a dot in it.
_EXPIRED: Final = re.compile("expired", re.IGNORECASE)
RETRY_KEY = "retry-after"  # seconds; only with a refusal that time heals


class InternalFault(AgentError):
    """Something broke in the agent itself; the log has the details, the caller does not."""

    def __init__(self) -> None:
        super().__init__("the agent failed at this request; its log names the cause")


class NotServed(AgentError):
    """A method that this agent does not have: a MOC service that is not part of it, or a call of another version.

    gRPC's own text for that says "not found", which Go clients would take for the absence of the thing asked for.
    """

    reason = "not_served"
    moc_code = 20  # NotImplemented

    def __init__(self, path: str) -> None:
        super().__init__(f"this agent does not serve {inert(path)}")


# moc/protocol.md 6.2. A rejected token keeps the product's own wording, which operators search for.
_BASE_TEXTS: Final[Mapping[int, str]] = {
    1: "Not Found",
    4: "Invalid Input",
    6: "Not Supported",
    7: "Already Exists",
    11: "Failed",
    14: "OldVersion",
    20: "Not Implemented",
    24: "Inconsistent State",
    29: "Expired",
    30: "Revoked",
    40: "Access is denied",
    43: "NoAuthenticationInformation",
    50: "PreCheckFailed",
    51: "ProviderNotReady",
}
_CODES: tuple[tuple[type[AgentError], grpc.StatusCode], ...] = (
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (AlreadyExists, grpc.StatusCode.ALREADY_EXISTS),
    (TokenRejected, grpc.StatusCode.UNAUTHENTICATED),
    (NotServed, grpc.StatusCode.UNIMPLEMENTED),
)


def code_of(refusal: AgentError) -> grpc.StatusCode:
    """Return the gRPC code for a refusal."""
    return next((code for kind, code in _CODES if isinstance(refusal, kind)), grpc.StatusCode.UNKNOWN)


def text_of(refusal: AgentError) -> str:
    """Return the status text: the sentence, ending with MOC's base text for its code unless it is in it already."""
    sentence, base = _sentence(refusal), _BASE_TEXTS.get(refusal.moc_code, "")
    return sentence if base.lower() in sentence.lower() else f"{sentence}: {base}"


def _broken(word: re.Match[str]) -> str:
    return f"{word[0][:4]}\u00b7{word[0][4:]}"


def _sentence(refusal: AgentError) -> str:
    told = refusal.for_callers()
    if not isinstance(refusal, CertificateExpired):
        told = _EXPIRED.sub(_broken, told)
    text = told.encode()
    return told if len(text) <= _SENTENCE_BYTES else f"{text[:_SENTENCE_BYTES].decode(errors='ignore')}\u2026"


def trailers_of(refusal: AgentError) -> tuple[tuple[str, str | bytes], ...]:
    """Return the trailing metadata of a refusal: the status details, and a retry hint where time heals."""
    error = common_pb2.Error(Message=_sentence(refusal), Code=refusal.moc_code, Parameters=refusal.reason)
    packed = any_pb2.Any()
    packed.Pack(error)
    status = status_pb2.Status(code=code_of(refusal).value[0], message=text_of(refusal), details=[packed])
    trailers: list[tuple[str, str | bytes]] = [(DETAILS_KEY, status.SerializeToString())]
    if isinstance(refusal, Fenced | LimitReached):
        trailers.append((RETRY_KEY, str(int(refusal.retry_after.total_seconds()))))
    return tuple(trailers)
