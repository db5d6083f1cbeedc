"""Identity tokens: RS256 JWTs with the claims that MOC's clients carry (moc/protocol.md 3.8).

Owns minting, reading and the digest under which a token is stored. Reading checks signature and shape only: whether a
token is alive is a row's matter (`backend.service.signin`). Every refusal is the same `TokenRejected`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from backend.core.errors import TokenRejected
from backend.core.model import Secret

if TYPE_CHECKING:
    from jwt.types import Options

ISSUER: Final = "wssdagentsvc"
_ALGORITHM: Final = "RS256"
_MAX_CHARACTERS: Final = 4096  # a token of ours has about 600
_SHAPE_ONLY: Final[Options] = {
    "require": ["name", "jti", "iat", "exp", "iss"],
    "verify_signature": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says: `id` is its jti, the dates are whole seconds, and it is valid while now < expires_at."""

    name: str
    id: str
    issued_at: datetime
    expires_at: datetime


def mint(
    signing_key: rsa.RSAPrivateKey, identity_name: str, now: datetime, lifetime: timedelta, token_id: str
) -> Secret:
    """Sign a token for an identity, valid from `now` for `lifetime`; `token_id` is its jti and the name of its row."""
    claims = {
        "name": identity_name,
        "jti": token_id,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
        "iss": ISSUER,
    }
    return Secret(jwt.encode(claims, signing_key, algorithm=_ALGORITHM))


def read(token_text: str, public_key: rsa.RSAPublicKey) -> Claims:
    """Return the claims of a token that `public_key` verifies, however old it is.

    Raises:
        TokenRejected: too long, not a JWT, another algorithm, a wrong signature or a claim that is missing or strange.
    """
    if len(token_text) > _MAX_CHARACTERS or not token_text.isascii():
        raise TokenRejected
    try:
        claims = jwt.decode(token_text, public_key, algorithms=[_ALGORITHM], issuer=ISSUER, options=_SHAPE_ONLY)
        return _claims(claims)
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, OSError, RecursionError):
        raise TokenRejected from None


def digest(token: Secret, pepper: bytes) -> str:
    """Hex HMAC-SHA-256 of the compact JWT; a 256-bit secret needs no slow hash (pki.md 5.9)."""
    return hmac.new(pepper, token.reveal().encode(), hashlib.sha256).hexdigest()


def same(a: str, b: str) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(a.encode(), b.encode())


def _claims(claims: Mapping[str, Any]) -> Claims:
    name, token_id, issued, expires = claims["name"], claims["jti"], claims["iat"], claims["exp"]
    if not (isinstance(name, str) and name and isinstance(token_id, str) and token_id):
        raise TokenRejected
    if type(issued) is not int or type(expires) is not int or issued >= expires:  # bool is an int to isinstance
        raise TokenRejected
    return Claims(
        name=name,
        id=token_id,
        issued_at=datetime.fromtimestamp(issued, UTC),
        expires_at=datetime.fromtimestamp(expires, UTC),
    )
