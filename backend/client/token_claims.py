"""What a client can read of its own token: the id and the end. Only the agent can tell whether it counts.

The signature is not checked, because no client holds the agent's key; nothing here may be used to trust anybody.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from backend.core.model import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaims:
    """`id` is the jti, "" when it states none; `expires_at` None when it states no end."""

    id: str = ""
    name: str = ""
    expires_at: datetime | None = None


def peek(token: Secret) -> TokenClaims:
    """Read a token's claims; what cannot be read is left empty, as older agents may have written other tokens."""
    try:
        _, payload, _ = token.reveal().split(".")  # RFC 7515, section 7.1
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return TokenClaims()
    if not isinstance(claims, dict):
        return TokenClaims()
    token_id, name, end = claims.get("jti"), claims.get("name"), claims.get("exp")
    try:
        expires_at = datetime.fromtimestamp(end, UTC) if type(end) is int else None
    except (OverflowError, ValueError, OSError):
        expires_at = None
    return TokenClaims(
        id=token_id if isinstance(token_id, str) else "",
        name=name if isinstance(name, str) else "",
        expires_at=expires_at,
    )
