"""Which certificate an identity holds now, and whether it still counts: one answer for fleet, detail and plans.

The agent cannot look into a client; it knows what it issued and what was used in a call. So the current certificate is
the one of the last *call*, as long as it lives and counts; one that was issued and never used is only a promise. Which
call was the last is the row of the identity's last sight, which alone knows it for two calls within one second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from backend.core.model import Authority, AuthorityStatus, Certificate, LastSeen
from backend.store.port import Transaction

Instant = TypeVar("Instant", datetime, int)

_BELIEVED = {AuthorityStatus.ISSUING, AuthorityStatus.TRUSTED}


def trusted_generations(authorities: Iterable[Authority]) -> frozenset[int]:
    """Generations whose leaves are accepted: issuing and trusted ones, never a staged or distrusted one."""
    return frozenset(authority.generation for authority in authorities if authority.status in _BELIEVED)


def current_of(tx: Transaction, identity_number: int, trusted: frozenset[int], now: datetime) -> Certificate | None:
    """Return an identity's current certificate; None when it never had one."""
    seen = tx.seen.find(identity_number)
    return current_certificate(tx.certificates.of(identity_number), seen, trusted, now)


def current_certificate(
    certificates: Sequence[Certificate], seen: LastSeen | None, trusted: frozenset[int], now: datetime
) -> Certificate | None:
    """Choose among one identity's certificates, newest first; None when there are none.

    The one of its last call, unless its end has passed or it no longer counts: then the newest, which is what the
    client would hold if the answer reached it. The newest too when it never called.
    """
    for certificate in certificates:
        if seen is not None and certificate.serial == seen.serial and is_good(certificate, trusted, now):
            return certificate
    return certificates[0] if certificates else None


def is_good(certificate: Certificate, trusted: frozenset[int], now: datetime) -> bool:
    """Tell whether the guard would accept it at `now`: alive, not revoked, of a trusted generation."""
    validity, is_revoked = certificate.validity, certificate.revoked_at is not None
    return counts(validity.not_before, validity.not_after, now, certificate.generation in trusted, is_revoked)


def counts(not_before: Instant, not_after: Instant, now: Instant, is_trusted: bool, is_revoked: bool) -> bool:
    """The same of bare columns: instants are all datetimes, or all Unix seconds."""
    return not_before <= now <= not_after and is_trusted and not is_revoked
