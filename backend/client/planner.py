"""What a client does next with its credential: facts and an instant in, one decision out.

Pure, and the only place that decides; `backend.client.runner` and `backend.client.session` carry decisions out. The
order of the checks is the precedence. Nothing is decided from dates while the clock is in doubt: the agent is asked
for its time first, and a refusal by the agent counts as its word on the matter (pki.md 5.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from backend.core.lifecycle import Validity
from backend.core.renewal import renewal_slot

REFUSALS_UNTIL_SIGN_IN: Final = 3  # an agent that keeps refusing a renewal may still take the token


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing to do before `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew:
    """Renew the certificate, proving the old key."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Trade the token for a certificate."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchBundle:
    """Send a heartbeat at once: the agent has published roots that this client has not stored."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchChain:
    """Ask for the signed chain of trust bundles over a channel that nobody vouches for, and follow it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveClock:
    """Send a heartbeat at once and compare clocks before anything is decided from dates."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitLoginFile:
    """Nothing that this client holds opens the agent: keep watching the login file, and keep trying calmly."""

    reason: str


Decision: TypeAlias = Wait | Renew | SignIn | FetchBundle | FetchChain | ProveClock | AwaitLoginFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What the client holds: its certificate, and its token as far as it can be read without the agent's key.

    `token_expires_at` None with a token: it states no end. The `*_refused` facts are the agent's own answers about this
    very certificate and this very token; `agent_untrusted` is ours about the agent. `chain_refused`: the signed chain
    of trust bundles led on from the present roots neither; `chain_cut`: it never will, somebody cut it on purpose.
    """

    validity: Validity | None = None
    serial: int = 0
    has_token: bool = False
    token_expires_at: datetime | None = None
    token_refused: bool = False
    certificate_refused: bool = False
    agent_untrusted: bool = False
    chain_refused: bool = False
    chain_cut: bool = False

    def is_token_usable(self, now: datetime) -> bool:
        """Tell whether a sign-in is worth trying; a token is valid while now < its end (RFC 7519)."""
        if not self.has_token or self.token_refused:
            return False
        return self.token_expires_at is None or now < self.token_expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything else that a decision depends on."""

    holding: Holding
    login_changed: bool = False
    clock_doubted: bool = False
    bundle_behind: bool = False
    renew_ordered: bool = False
    sign_in_ordered: bool = False
    renews_itself: bool = True  # False: it renews when it is told to, and only then
    renewals_refused: int = 0  # in a row, by an agent that could be reached
    retry_at: datetime | None = None


def decide(situation: Situation, now: datetime) -> Decision:
    """Return the next step. Same facts, same instant, same answer."""
    holding = situation.holding
    if situation.retry_at is not None and now < situation.retry_at:
        return Wait(until=situation.retry_at, reason="the last try failed; the next one follows")
    if holding.agent_untrusted and not (holding.chain_refused or holding.chain_cut):
        return FetchChain(reason="the agent's certificate fits none of the roots held here; newer ones are asked for")
    if situation.login_changed and holding.is_token_usable(now):
        return SignIn(reason="the login file changed")
    if holding.agent_untrusted and holding.validity is not None:
        return AwaitLoginFile(reason=_untrusted_words(holding))  # heartbeats go on, and notice when it is known again
    if holding.certificate_refused:
        return _sign_in(holding, now, "the agent refuses the certificate")
    if holding.validity is None:
        return _sign_in(holding, now, "there is no certificate")
    if situation.clock_doubted:
        return ProveClock(reason="the clock jumped; the agent's time decides")
    return _by_dates(situation, holding.validity, now)


def _by_dates(situation: Situation, validity: Validity, now: datetime) -> Decision:
    holding = situation.holding
    if validity.is_expired(now):
        return _sign_in(holding, now, "the certificate has expired")
    if situation.sign_in_ordered and holding.is_token_usable(now):
        return SignIn(reason="the agent asks for a new sign-in")
    renew_at = renewal_slot(validity, holding.serial).renew_at
    if situation.renew_ordered or (situation.renews_itself and now >= renew_at):
        if situation.renewals_refused >= REFUSALS_UNTIL_SIGN_IN and holding.is_token_usable(now):
            return SignIn(reason=f"renewal was refused {situation.renewals_refused} times")
        why = "the agent asks for a renewal" if situation.renew_ordered else "the renewal slot has come"
        return Renew(reason=why)
    if situation.bundle_behind:
        return FetchBundle(reason="the agent has published new roots")
    if not situation.renews_itself:
        return Wait(until=validity.not_after, reason="it renews only when it is told to")
    return Wait(until=renew_at, reason="the certificate is renewed then")


def _sign_in(holding: Holding, now: datetime, why: str) -> Decision:
    if holding.is_token_usable(now):
        return SignIn(reason=why)
    return AwaitLoginFile(reason=f"{why}, and {_token_words(holding)}")


def _untrusted_words(holding: Holding) -> str:
    if holding.chain_cut:
        return "the chain of trust was cut, as the CA trusted here may be in wrong hands; the roots held here stay"
    return "the agent's certificate fits none of the roots held here"


def _token_words(holding: Holding) -> str:
    if not holding.has_token:
        return "there is no token to sign in with"
    if holding.token_refused:
        return "the agent refuses the token too"
    return "the token has expired too"
