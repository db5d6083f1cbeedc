"""Which certificate an identity holds now, and whether it still counts: one answer for fleet, detail and plans.

The agent cannot look into a client; it knows what it issued and what was used in a call. So the current certificate is
the one last *used*, as long as it lives and counts; one that was issued and never used is only a promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from backend.core.model import Authority, AuthorityStatus, Certificate

_BELIEVED = {AuthorityStatus.ISSUING, AuthorityStatus.TRUSTED}


def trusted_generations(authorities: Iterable[Authority]) -> frozenset[int]:
    """Generations whose leaves are accepted: issuing and trusted ones, never a staged or distrusted one."""
    return frozenset(authority.generation for authority in authorities if authority.status in _BELIEVED)


def current_certificate(
    certificates: Sequence[Certificate], trusted: frozenset[int], now: datetime
) -> Certificate | None:
    """Choose among one identity's certificates, newest first; None when there are none.

    The one last used in a call, unless its end has passed or it no longer counts: then the newest, which is what the
    client would hold if the answer reached it. The newest too when none was ever used.
    """
    if not certificates:
        return None
    used = last_used(certificates)
    if used is not None and is_good(used, trusted, now):
        return used
    return certificates[0]


def last_used(certificates: Iterable[Certificate]) -> Certificate | None:
    """The certificate with the latest use; of two used in the same second, the one issued later."""
    used = [certificate for certificate in certificates if certificate.last_used_at is not None]
    return max(used, key=lambda certificate: (certificate.last_used_at, certificate.issued_at), default=None)


def is_good(certificate: Certificate, trusted: frozenset[int], now: datetime) -> bool:
    """Tell whether the guard would accept it at `now`: alive, not revoked, of a trusted generation."""
    return (
        certificate.revoked_at is None
        and certificate.generation in trusted
        and not certificate.validity.is_expired(now)
        and not certificate.validity.is_pending(now)
    )
