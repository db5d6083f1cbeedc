"""How far a TLS connection to a gRPC port gets: through the handshake, and to the first byte that comes back.

With TLS 1.3 a server refuses a client's certificate after the client believes that all is well, so the answer to the
first words of HTTP/2 has to be waited for (RFC 8446, section 4.4; RFC 9113, section 3.4). It sends no request.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from enum import Enum
from typing import Final

# What a client of HTTP/2 says first: preface and an empty SETTINGS frame. A server answers at once.
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


class Knocked(Enum):
    """What a knock came to."""

    ANSWERED = "answered"
    UNTRUSTED = "untrusted"  # we do not accept the server's certificate
    REFUSED = "refused"  # it does not accept ours
    UNREACHED = "unreached"  # no connection, or no answer in time


def knock(context: ssl.SSLContext, host: str, port: int, server_name: str, seconds: float) -> tuple[Knocked, str]:
    """Connect once, and tell how far it went with the system's or OpenSSL's words on it; ends by its deadline."""
    try:
        with (
            socket.create_connection((host, port), timeout=seconds) as plain,
            context.wrap_socket(plain, server_hostname=server_name) as secured,
        ):
            return _first_answer(secured)
    except ssl.SSLCertVerificationError as error:
        return Knocked.UNTRUSTED, error.verify_message
    except ssl.SSLError as error:  # an alert: a TLS 1.2 server judges a client's certificate within the handshake
        return Knocked.REFUSED, error.reason or "TLS alert"
    except OSError as error:
        return Knocked.UNREACHED, error.strerror or str(error)


def _first_answer(secured: ssl.SSLSocket) -> tuple[Knocked, str]:
    try:
        secured.sendall(_PREFACE)
        answer = secured.recv(1)
    except TimeoutError:
        return Knocked.UNREACHED, "it accepts connections and says nothing"
    except ssl.SSLError as error:
        return Knocked.REFUSED, error.reason or "TLS alert"
    except ConnectionError:
        return Knocked.REFUSED, "it closed the connection after our certificate"
    with suppress(OSError):
        secured.unwrap()
    return (Knocked.ANSWERED, "") if answer else (Knocked.REFUSED, "it closed the connection after our certificate")
