"""Making and recognising identity tokens with the agent's own key and pepper.

The token itself leaves as a `Secret` and is not kept: rows hold its id and digest. The pepper lies in the key vault,
apart from the store, so that a stolen store alone proves no token (pki.md 5.9).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from backend.core.errors import InconsistentState
from backend.core.model import Identity, Secret, Token
from backend.pki import tokens
from backend.pki.keys import KeyKind, generate_key, load_private_key, private_key_pem
from backend.pki.vault import KeyVault

SIGNING_KEY_FILE: Final = "token-signing.key"
PEPPER_FILE: Final = "token-pepper"
_PEPPER_BYTES: Final = 32
_NO_DIGEST: Final = "0" * 64  # compared against when there is no record, so that unknown ids take the same path


class TokenMint:
    """Signs, reads and recognises identity tokens (RS256 JWTs, moc/protocol.md 3.8)."""

    def __init__(self, key: RSAPrivateKey, pepper: bytes) -> None:
        self._key = key
        self._public_key = key.public_key()
        self._pepper = pepper

    def mint(self, identity: Identity, now: datetime) -> tuple[Token, Secret]:
        """Make a token that lives `identity.token_lifetime` from `now`, and the record to keep of it."""
        token_id = str(uuid.uuid4())
        secret = tokens.mint(self._key, identity.name, now, identity.token_lifetime, token_id)
        record = Token(
            id=token_id,
            identity_number=identity.number,
            digest=tokens.digest(secret, self._pepper),
            issued_at=now,
            expires_at=now + identity.token_lifetime,
        )
        return record, secret

    def derive(self, purpose: str) -> str:
        """Return 64 hex digits that belong to `purpose` alone and that nobody without the pepper can make."""
        return hmac.new(self._pepper, f"derived\0{purpose}".encode(), hashlib.sha256).hexdigest()

    def read(self, token: Secret) -> tokens.Claims:
        """Return the claims of a token that this agent signed; says nothing about its time or record.

        Raises:
            TokenRejected: it is not a token of this agent.
        """
        return tokens.read(token.reveal(), self._public_key)

    def recognises(self, token: Secret, record: Token | None) -> bool:
        """Tell, in constant time, whether `record` is this token's; False without a record."""
        digest = tokens.digest(token, self._pepper)
        return tokens.same(digest, _NO_DIGEST if record is None else record.digest)


def create_mint(vault: KeyVault) -> TokenMint:
    """Make the signing key and the pepper and keep both in the vault."""
    key = generate_key(KeyKind.RSA2048)
    if not isinstance(key, RSAPrivateKey):  # RS256 is what MOC's clients and tools read
        raise InconsistentState("the token-signing key must be an RSA key")
    pepper = secrets.token_bytes(_PEPPER_BYTES)
    vault.write(SIGNING_KEY_FILE, private_key_pem(key))
    vault.write(PEPPER_FILE, pepper)
    return TokenMint(key, pepper)


def load_mint(vault: KeyVault) -> TokenMint:
    """Load the signing key and the pepper from the vault.

    Raises:
        InconsistentState: the vault's signing key is not an RSA key.
    """
    key = load_private_key(vault.read(SIGNING_KEY_FILE), is_sealed=True)
    if not isinstance(key, RSAPrivateKey):
        raise InconsistentState(f"{SIGNING_KEY_FILE} in the key vault is not an RSA key; restore it from a backup")
    return TokenMint(key, vault.read(PEPPER_FILE))
