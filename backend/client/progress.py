"""How a running client is doing, in the words that people read: the status beside its cloudconfig.

Owns the words for a client's state. Keeps no credential and no secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import backend
from backend.client.credential import Credential
from backend.client.planner import AwaitLoginFile, Decision, SignIn, Wait
from backend.client.record import Status
from backend.core.inert import inert
from backend.core.renewal import renewal_slot

_SENTENCE_LENGTH = 500


@dataclass(slots=True, kw_only=True)
class Progress:
    """What the loop lived through. `crashes` and `failures` count in a row; `skew` is our clock less the agent's."""

    crashes: int = 0
    failures: int = 0
    is_connected: bool = False
    is_retrying: bool = False
    last_contact_at: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
    skew: timedelta = timedelta(0)

    def complain(self, sentence: str, now: datetime) -> None:
        """Keep what went wrong last; it goes into the next heartbeat."""
        self.last_error = inert(sentence, limit=_SENTENCE_LENGTH)
        self.last_error_at = now

    def state(self, decision: Decision) -> str:
        """One or two words for the state."""
        if isinstance(decision, AwaitLoginFile):
            return "waiting for a login file"
        if self.crashes:
            return "recovering"
        if self.is_retrying:
            return "retrying"
        if isinstance(decision, SignIn):
            return "signing in"
        return "working" if self.is_connected else "agent away"


def status_of(credential: Credential, progress: Progress, decision: Decision, now: datetime) -> Status:
    """Return the status to publish."""
    facts = credential.facts()
    access = credential.material.access
    slot = renewal_slot(access.validity, access.serial) if access is not None else None
    return Status(
        state=progress.state(decision),
        identity=facts.identity,
        agent=facts.agent,
        serial=facts.serial,
        not_before=facts.not_before,
        not_after=facts.not_after,
        renew_at=slot.renew_at if slot is not None else None,
        token_id=facts.token_id,
        token_expires_at=facts.token_expires_at,
        next_step=decision.reason,
        next_at=decision.until if isinstance(decision, Wait) else None,
        last_error=progress.last_error,
        last_error_at=progress.last_error_at,
        last_contact_at=progress.last_contact_at,
        failures=progress.failures,
        skew_seconds=int(progress.skew.total_seconds()),
        version=backend.__version__,
        written_at=now,
    )
