"""From when on a client can no longer recover by itself, apart from when its certificate ends (pki.md 4.7).

A client recovers as long as it holds one thing that the agent takes: a certificate, or a token to sign in with. Owns
how long that lasts, given what the client and the agent do without anybody's help: renewals by a client that is seen to
renew, token rotations by an agent that has a route. What only a person does is not counted, and neither is a promise
that was broken: a missed slot, a late token, a heartbeat that stays away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from backend.core.delta import NO_END
from backend.core.evidence import Evidence, TokenLife, thresholds
from backend.core.facts import ClientFacts
from backend.core.limits import ABSOLUTE_DUE
from backend.core.reasons import at
from backend.core.token_policy import RotatedBy

SECOND: Final = timedelta(seconds=1)


class Outlook(Enum):
    """What can be said of a client's recovery."""

    STRANDED = "stranded"  # it cannot recover by itself now
    DATED = "dated"  # from a known second on it cannot
    UNKNOWN = "unknown"  # nothing that it holds is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranding:
    """When a client is beyond its own help, as things go.

    `from_at` is the first second at which it is (None: no such second is known). `silent_from_at` is the same if from
    now on nothing happened: the client switched off, cut off or stopped. `is_certain` False: its token was never seen,
    so both may lie later. `why` is a sentence.
    """

    outlook: Outlook
    from_at: datetime | None
    silent_from_at: datetime | None
    is_certain: bool
    why: str

    def is_stranded(self, now: datetime) -> bool:
        """Tell whether it is beyond its own help at `now`."""
        return self.outlook is Outlook.STRANDED or (self.from_at is not None and now >= self.from_at)


def stranding(facts: ClientFacts, now: datetime, *, issuing_not_after: datetime | None) -> Stranding:
    """Forecast one client; `issuing_not_after` is the end of the CA that signs now, None while that is not known."""
    e = Evidence(facts, now)
    if facts.identity_revoked:
        return _out("Its identity is revoked: only a new identity helps.")
    if e.distrusted:
        return _out("Its CA is not trusted any more: it needs a login file with the present one.")
    means = _Means(e, issuing_not_after or NO_END)
    if not means.is_known:
        return Stranding(
            outlook=Outlook.UNKNOWN,
            from_at=None,
            silent_from_at=None,
            is_certain=False,
            why="It has no working certificate, and the agent has never seen its token.",
        )
    silent = max(means.certificate_until, means.token_until)
    if silent <= now:
        end = None if silent == _NEVER else silent
        return Stranding(
            outlook=Outlook.STRANDED,
            from_at=end,
            silent_from_at=end,
            is_certain=True,
            why="It has neither a working certificate nor a working token: it needs a login file.",
        )
    from_at, why = means.forecast()
    return Stranding(
        outlook=Outlook.DATED,
        from_at=from_at,
        silent_from_at=silent,
        is_certain=e.token is not TokenLife.UNKNOWN,
        why=why,
    )


def _out(why: str) -> Stranding:
    return Stranding(outlook=Outlook.STRANDED, from_at=None, silent_from_at=None, is_certain=True, why=why)


_NEVER: Final = datetime.min.replace(tzinfo=NO_END.tzinfo)


_BY: Final = {  # whose word a forecast counts on
    RotatedBy.FLAG: " The agent rotates its token, by its flag autoRotate.",
    RotatedBy.POLICY: " The agent rotates its token, by policy.",
    RotatedBy.NOBODY: "",
}


class _Means:
    """What a client can come back with. The `_until` are the first second without it; `_NEVER`: it has none."""

    def __init__(self, e: Evidence, issuing_not_after: datetime) -> None:
        self.e, self.now = e, e.now
        self.facts = e.facts
        self.last = issuing_not_after + SECOND if issuing_not_after < NO_END else NO_END
        revoked = e.certificate is not None and e.certificate.is_revoked
        usable = e.effective_not_after is not None and not revoked
        self.certificate_until = _NEVER
        if usable and e.effective_not_after is not None:
            self.certificate_until = _after(e.effective_not_after)
        self.token_until = _NEVER
        if e.token_expires_at is not None:  # a sign-in needs a CA that can issue
            self.token_until = min(e.token_expires_at, self.last)
        self.is_known = self.certificate_until > self.now or e.token is not TokenLife.UNKNOWN
        off_until = self.facts.planned_off_until if e.planned_off else None
        self.wakes_at = off_until or self.now
        self.lives = not e.stale and not e.uncertain

    def forecast(self) -> tuple[datetime, str]:
        """Return the first second beyond its own help, and why not earlier and not later."""
        certificate_until = self._renewed() or self.certificate_until
        token_until = self._rotated(certificate_until)
        last = max(certificate_until, token_until)
        goes_on = certificate_until > self.certificate_until or token_until > self.token_until
        by = _BY[self.facts.rotated_by] if token_until > self.token_until else ""
        if goes_on and last >= self.last:
            return last, f"It keeps itself going until the CA ends, at {at(self.last - SECOND)}.{by}"
        if certificate_until <= self.now:
            why = f"It has no working certificate; its token signs it in until {at(token_until)}."
        elif token_until > certificate_until:
            why = f"Its certificate ends before; its token signs it in until {at(token_until)}."
        elif token_until > self.now:
            why = f"Its token ends before; its certificate works until {at(certificate_until - SECOND)}."
        elif self.e.token is TokenLife.UNKNOWN:
            why = f"Its certificate works until {at(certificate_until - SECOND)}; its token was never seen."
        else:
            why = f"Its certificate works until {at(certificate_until - SECOND)}, and it has no token to sign in with."
        return last, f"{why} {self._lack()}{by}"

    def _lack(self) -> str:
        if self.certificate_until <= self.now:
            return "Nothing that it does by itself changes that."
        if self.facts.auto_renew is not True:
            return "It does not renew by itself." if self.facts.auto_renew is False else "Nobody knows that it renews."
        if self.e.slot_missed or self.e.late:
            return "Its renewals have stopped, so none is counted on."
        return "It is off or silent, so no renewal is counted on."

    @property
    def _renews(self) -> bool:
        is_broken = self.e.slot_missed or (self.e.late and not self.e.planned_off)
        return self.facts.auto_renew is True and self.lives and not is_broken and self.certificate_until > self.now

    def _renewed(self) -> datetime | None:
        """Until when renewals carry it: to the CA's end, if it is awake for one, or signs in once it is."""
        if not self._renews:
            return None
        slot_end = self.facts.renew_until or self._due_at()
        if max(slot_end, self.wakes_at) < self.certificate_until:
            return self.last
        back_at = max(self.certificate_until, self.wakes_at)  # then its own loop signs in
        return self.last if back_at < self.token_until else None

    def _due_at(self) -> datetime:
        certificate = self.e.certificate
        if certificate is None:
            return self.now
        due, _, _ = thresholds(certificate.validity.lifetime)
        return certificate.validity.not_after - due

    def _rotated(self, certificate_until: datetime) -> datetime:
        """Until when the agent's own rotations give it a token: always, over a file; else while it has a connection."""
        facts = self.facts
        if self.e.token is TokenLife.UNKNOWN or self._is_rotation_late():
            return self.token_until
        if facts.has_file_route:
            return self.last
        expires_at, issued_at = facts.token.expires_at, facts.token.issued_at
        if not (facts.has_heartbeat and self.lives) or expires_at is None:
            return self.token_until
        # Without iat nobody knows how long the next one lasts: it is counted as if it lasted until it is due again.
        lifetime = ABSOLUTE_DUE if issued_at is None else expires_at - issued_at
        due = ABSOLUTE_DUE if issued_at is None else thresholds(lifetime)[0]
        taken_at = max(expires_at - due, self.wakes_at)
        if taken_at >= certificate_until:
            return self.token_until
        step = max(lifetime - due, lifetime / 2)
        taken_at += step * ((certificate_until - SECOND - taken_at) // step)  # the last one it can still fetch
        return max(self.token_until, min(taken_at + lifetime, self.last))

    def _is_rotation_late(self) -> bool:
        """A rotation that nobody does, that fails, or that should have happened and has not is not counted on."""
        return not self.e.rotates or self.e.token is TokenLife.ENDED


def _after(not_after: datetime) -> datetime:
    return not_after + SECOND if not_after < NO_END else NO_END
