"""A short TLS handshake that tells why a connection failed, when gRPC only says "unavailable".

gRPC reports a refused TLS 1.3 client certificate as "Socket closed", because the handshake was over on our side. This
handshake goes one step further than the agent's name: it offers our certificate and waits for the first byte back.
It sends no request and no token, and it ends by its deadline.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from enum import Enum
from typing import Final

from backend.client.access_file import AccessFile
from backend.pki.contexts import load_pair

DEADLINE_SECONDS: Final = 4.0
# What a client of HTTP/2 says first: preface and an empty SETTINGS frame (RFC 9113, 3.4). A server answers at once.
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


class Finding(Enum):
    """How far a connection gets."""

    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"  # we do not accept the agent's certificate
    REFUSED = "refused"  # it does not accept ours
    ANSWERS = "answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The finding, with the system's or OpenSSL's words on it."""

    finding: Finding
    detail: str = ""


async def diagnose(host: str, port: int, server_name: str, trust_pem: str, access: AccessFile | None) -> Diagnosis:
    """Connect once and tell how far it goes; `access` None: the login port, which asks for no certificate."""
    return await asyncio.to_thread(_diagnose, host, port, server_name, trust_pem, access)


def _diagnose(host: str, port: int, server_name: str, trust_pem: str, access: AccessFile | None) -> Diagnosis:
    try:
        context = _context(trust_pem, access)
    except (ssl.SSLError, OSError) as error:
        return Diagnosis(finding=Finding.UNTRUSTED, detail=f"our own files cannot be used for TLS: {error}")
    try:
        with (
            socket.create_connection((host, port), timeout=DEADLINE_SECONDS) as plain,
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
    return Diagnosis(finding=Finding.ANSWERS)


def _context(trust_pem: str, access: AccessFile | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=trust_pem)
    context.set_alpn_protocols(["h2"])
    if access is not None:
        load_pair(context, access.certificate_pem, access.key_pem)
    return context


def words_of(error: OSError) -> str:
    """Say in an operator's words why a connection failed."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved"
    return (error.strerror or type(error).__name__).lower()
