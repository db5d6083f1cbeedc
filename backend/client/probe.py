"""A short TLS handshake that tells why a connection failed, when gRPC only says "unavailable".

gRPC reports a refused TLS 1.3 client certificate as "Socket closed", because the handshake was over on our side. This
handshake goes one step further than the agent's name: it offers our certificate and waits for the first byte back.
It sends no request and no token, and it ends by its deadline.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from backend.client.access_file import AccessFile
from backend.pki.contexts import load_pair
from backend.wire.knock import Diagnosis, Finding, knock

DEADLINE_SECONDS: Final = 4.0


async def diagnose(host: str, port: int, server_name: str, trust_pem: str, access: AccessFile | None) -> Diagnosis:
    """Connect once and tell how far it goes; `access` None: the login port, which asks for no certificate."""
    return await asyncio.to_thread(_diagnose, host, port, server_name, trust_pem, access)


def _diagnose(host: str, port: int, server_name: str, trust_pem: str, access: AccessFile | None) -> Diagnosis:
    try:
        context = _context(trust_pem, access)
    except (ssl.SSLError, OSError) as error:
        return Diagnosis(finding=Finding.UNTRUSTED, detail=f"our own files cannot be used for TLS: {error}")
    return knock(context, host, port, server_name, DEADLINE_SECONDS)


def _context(trust_pem: str, access: AccessFile | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=trust_pem)
    context.set_alpn_protocols(["h2"])
    if access is not None:
        load_pair(context, access.certificate_pem, access.key_pem)
    return context
