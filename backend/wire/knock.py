"""How far a TLS connection to a gRPC port gets: through the handshake, and to the first byte that comes back.

With TLS 1.3 a server refuses a client's certificate after the client believes that all is well, so the answer to the
first words of HTTP/2 has to be waited for (RFC 8446, section 4.4; RFC 9113, section 3.4). It sends no request and no
token. The client explains refused connections with it, the agent probes itself in a CA rotation.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final

# What a client of HTTP/2 says first: preface and an empty SETTINGS frame. A server answers at once.
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


class Finding(Enum):
    """How far a connection gets."""

    UNREACHABLE = "unreachable"  # no connection, or no answer in time
    UNTRUSTED = "untrusted"  # we do not accept the server's certificate
    REFUSED = "refused"  # it does not accept ours
    ANSWERS = "answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The finding, with the system's or OpenSSL's words on it."""

    finding: Finding
    detail: str = ""


def knock(context: ssl.SSLContext, host: str, port: int, server_name: str, seconds: float) -> Diagnosis:
    """Connect once and tell how far it went; no step takes longer than `seconds`."""
    try:
        with (
            socket.create_connection((host, port), timeout=seconds) as plain,
            context.wrap_socket(plain, server_hostname=server_name) as secured,
        ):
            return _first_answer(secured)
    except ssl.SSLCertVerificationError as error:
        return Diagnosis(finding=Finding.UNTRUSTED, detail=error.verify_message)
    except ssl.SSLError as error:  # an alert: a TLS 1.2 server judges our certificate within the handshake
        return Diagnosis(finding=Finding.REFUSED, detail=error.reason or "TLS alert")
    except OSError as error:
        return Diagnosis(finding=Finding.UNREACHABLE, detail=words_of(error))


def _first_answer(secured: ssl.SSLSocket) -> Diagnosis:
    try:
        secured.sendall(_PREFACE)
        answer = secured.recv(1)
    except TimeoutError:
        return Diagnosis(finding=Finding.UNREACHABLE, detail="it accepts connections and says nothing")
    except ssl.SSLError as error:
        return Diagnosis(finding=Finding.REFUSED, detail=error.reason or "TLS alert")
    except OSError as error:
        return Diagnosis(finding=Finding.REFUSED, detail=words_of(error))
    if not answer:
        return Diagnosis(finding=Finding.REFUSED, detail="it closed the connection on our certificate")
    with suppress(OSError):
        secured.unwrap()
    return Diagnosis(finding=Finding.ANSWERS)


def words_of(error: OSError) -> str:
    """Say in an operator's words why a connection failed."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved"
    return (error.strerror or type(error).__name__).lower()
