"""One client's dates set against one instant: what is expired, due, late and limited.

Owns the comparisons and their boundaries (domain.md 16.1 and 5.2); it names no state and no severity. It is built once
per judgement and read by `backend.core.health` and `backend.core.reasons`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Final

from backend.core.facts import CertificateFacts, ClientFacts, TokenFacts
from backend.core.lifecycle import share
from backend.core.limits import (
    ABSOLUTE_CRITICAL,
    ABSOLUTE_DUE,
    AUTHORITY_WARNING,
    CRITICAL,
    DUE,
    OVERDUE,
    SKEW_UNCERTAIN,
    SKEW_WARNING,
    SLOT_GRACE,
    STALE_INTERVALS,
)
from backend.core.model import TokenStanding

_NOTHING: Final = timedelta(0)
# A token without iat: what is late follows from what is due as it does for a known lifetime.
ABSOLUTE: Final = (ABSOLUTE_DUE, share(ABSOLUTE_DUE, OVERDUE / DUE), ABSOLUTE_CRITICAL)


class TokenLife(Enum):
    """What the token is worth now (the columns of domain.md 16.2)."""

    ALIVE = "alive"
    ENDED = "ended"
    EMPTY = "empty"
    UNKNOWN = "unknown"


@lru_cache(maxsize=4096)
def thresholds(lifetime: timedelta) -> tuple[timedelta, timedelta, timedelta]:
    """Return the time left at which a credential of this lifetime is due, late and critical."""
    return share(lifetime, DUE), share(lifetime, OVERDUE), share(lifetime, CRITICAL)


class Evidence:
    """The comparisons of one client at `now`. Durations are time left, negative once past; None: not applicable.

    `due`, `late` and `critical` are of the leaf's own dates; those that begin with `effective` count the CA's end too.
    `late` of certificate and token is a fact of the dates alone; whether it is anybody's fault is not decided here.
    """

    __slots__ = (
        "authority_ended",
        "authority_left",
        "certificate",
        "distrusted",
        "due",
        "effective_critical",
        "effective_due",
        "effective_left",
        "effective_not_after",
        "expired",
        "facts",
        "late",
        "limited",
        "now",
        "pending",
        "planned_off",
        "rotates",
        "slot_missed",
        "stale",
        "token",
        "token_critical",
        "token_due",
        "token_expires_at",
        "token_late",
        "uncertain",
    )

    def __init__(self, facts: ClientFacts, now: datetime) -> None:
        self.facts = facts
        self.now = now
        self._read_certificate(facts.certificate)
        self._read_token(facts.token)
        planned = facts.planned_off_until
        self.planned_off = planned is not None and now < planned
        self.uncertain = abs(facts.skew) > SKEW_UNCERTAIN
        self.stale = not self.planned_off and self._is_unconfirmed()
        # Counted on: the agent rotates its token, and neither the dates nor a fault say that it does not.
        self.rotates = facts.auto_rotate is True and not self.token_late and not facts.rotation_fails
        self.slot_missed = facts.renew_until is not None and self._has_missed_slot(facts.renew_until)

    def _read_certificate(self, certificate: CertificateFacts | None) -> None:
        self.certificate = certificate
        self.distrusted = self.pending = self.expired = self.due = self.late = False
        self.limited = self.authority_ended = self.effective_due = self.effective_critical = False
        self.effective_not_after: datetime | None = None
        self.effective_left: timedelta | None = None
        self.authority_left = _NOTHING
        if certificate is None:
            return
        now = self.now
        not_after = certificate.validity.not_after
        authority_not_after = certificate.authority_not_after
        left = not_after - now
        due, late, critical = thresholds(certificate.validity.lifetime)
        self.distrusted = not certificate.is_trusted
        self.pending = now < certificate.validity.not_before
        self.expired = left < _NOTHING
        self.due = left <= due
        self.late = left < late
        self.limited = authority_not_after <= not_after
        self.authority_left = authority_not_after - now
        self.authority_ended = self.authority_left < _NOTHING
        self.effective_not_after = authority_not_after if self.limited else not_after
        self.effective_left = effective_left = self.effective_not_after - now
        self.effective_due = effective_left <= due
        self.effective_critical = effective_left <= critical

    def _read_token(self, token: TokenFacts) -> None:
        self.token_due = self.token_late = self.token_critical = False
        self.token_expires_at = expires_at = token.expires_at
        if token.standing is TokenStanding.EMPTY:
            self.token = TokenLife.EMPTY
            return
        if token.standing is TokenStanding.UNKNOWN or expires_at is None:
            self.token = TokenLife.UNKNOWN
            return
        left = expires_at - self.now
        if left <= _NOTHING:  # RFC 7519 4.1.4: not accepted on or after exp
            self.token = TokenLife.ENDED
            return
        self.token = TokenLife.ALIVE
        due, late, critical = ABSOLUTE if token.issued_at is None else thresholds(expires_at - token.issued_at)
        self.token_due = left <= due
        self.token_late = left < late
        self.token_critical = left <= critical

    def _is_unconfirmed(self) -> bool:
        facts = self.facts
        if not facts.agent_alive or facts.observed_at is None:
            return True
        return self.now - facts.observed_at > facts.poll_interval * STALE_INTERVALS

    def _has_missed_slot(self, renew_until: datetime) -> bool:
        """Tell it until OVERDUE says the same; a new certificate has a new slot and clears it (domain.md US-05.2)."""
        if self.now <= renew_until or self.certificate is None or self.late or self.planned_off:
            return False
        grace = share(self.certificate.validity.lifetime, SLOT_GRACE)
        return self.facts.auto_renew is True and self.now > renew_until + grace

    @property
    def token_is_dead(self) -> bool:
        """Tell whether the client certainly cannot sign in: its token has ended, or it has none."""
        return self.token is TokenLife.ENDED or self.token is TokenLife.EMPTY

    @property
    def skew_is_notable(self) -> bool:
        """Tell whether the endpoint's clock deserves a word."""
        return abs(self.facts.skew) > SKEW_WARNING

    @property
    def authority_is_the_problem(self) -> bool:
        """Tell whether the CA ends before the leaf, and soon enough that renewing no longer helps (domain.md V16)."""
        if self.certificate is None or not self.limited:
            return False
        return self.authority_left <= max(AUTHORITY_WARNING, self.certificate.validity.lifetime)
