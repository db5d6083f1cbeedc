"""Handing a key and its certificate to `ssl`, which reads them from a file only.

The key lies there sealed with a password that is never written down, in a file that only its owner may read, and for no
longer than OpenSSL takes to read it. Whom a context trusts and what it serves is the caller's.
"""

from __future__ import annotations

import os
import secrets
import ssl
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from backend.core.model import Secret
from backend.pki import keys


def load_pair(context: ssl.SSLContext, chain_pem: str, key_pem: Secret) -> None:
    """Let `context` show this chain, leaf first.

    Raises:
        ssl.SSLError: key and certificate do not belong together.
        InvalidInput: the key is none that is allowed.
        OSError: there is no place for temporary files.
    """
    seal = secrets.token_hex(32)
    key = keys.load_private_key(key_pem.reveal().encode())
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(seal.encode()))
    descriptor, name = tempfile.mkstemp(prefix="mocdeck-")  # 0600 by mkstemp
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(chain_pem.encode() + b"\n" + sealed)
        context.load_cert_chain(name, password=seal)
    finally:
        with suppress(OSError):
            Path(name).unlink()
