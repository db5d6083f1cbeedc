"""The error tree: one class per thing that a caller can do about it.

    AgentError                      anything the agent refuses, with a stable `reason` and a MOC code
    ├── NotFound                    the named thing is not there
    ├── AlreadyExists               the name is taken
    ├── InvalidInput                the request itself is wrong; correct it
    ├── NotSupported                understood, and deliberately not offered
    ├── Unauthenticated             no acceptable credential
    │   ├── TokenRejected           unknown, past its end, rotated away: one error, so nobody learns which tokens exist
    │   ├── CertificateExpired      past its end: sign in again with the token
    │   ├── CertificateUntrusted    issued by a generation that is no longer trusted
    │   └── Revoked                 the identity or this certificate was revoked
    ├── AccessDenied                known caller, no permission
    ├── OldVersion                  somebody changed the resource since it was read
    ├── InconsistentState           the resource's state forbids this now
    │   ├── IllegalTransition       a rotation or operation move that its table does not have
    │   ├── PlanChanged             the facts under a plan have changed; look again
    │   └── ConfirmationRefused     the typed confirmation or the hash does not fit
    ├── Fenced                      issuing is stopped for a CA rotation; come back after `retry_after`
    ├── LimitReached                too many of these in a short time; come back after `retry_after`
    └── StoreUnavailable            the store could not commit; nothing was changed

MOC codes are those of moc/protocol.md, section 6.1; their gRPC mapping is `backend.server.status`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar


class AgentError(Exception):
    """A refusal: `str()` is one sentence with what happened, to which thing and what to do next."""

    reason: ClassVar[str] = "failed"
    moc_code: ClassVar[int] = 11  # Failed

    def for_callers(self) -> str:
        """Return the sentence as it leaves the agent: without what is only its operator's to know."""
        return str(self)


class NotFound(AgentError):
    """The named thing does not exist."""

    reason: ClassVar[str] = "not_found"
    moc_code: ClassVar[int] = 1


class AlreadyExists(AgentError):
    """The name is taken by another thing."""

    reason: ClassVar[str] = "already_exists"
    moc_code: ClassVar[int] = 7


class InvalidInput(AgentError):
    """The request is wrong in itself and would be refused again unchanged."""

    reason: ClassVar[str] = "invalid_input"
    moc_code: ClassVar[int] = 4


class NotSupported(AgentError):
    """The request is understood and deliberately not offered."""

    reason: ClassVar[str] = "not_supported"
    moc_code: ClassVar[int] = 6


class Unauthenticated(AgentError):
    """The caller has no credential that the agent accepts."""

    reason: ClassVar[str] = "unauthenticated"
    moc_code: ClassVar[int] = 43  # NoAuthenticationInformation


class TokenRejected(Unauthenticated):
    """Unknown, past its end, rotated away or of another identity: one error and one text for all."""

    reason: ClassVar[str] = "token_rejected"
    moc_code: ClassVar[int] = 33  # InvalidToken

    def __init__(self) -> None:
        super().__init__("Valid Token Required.")  # the wording Go clients and their operators know


class CertificateExpired(Unauthenticated):
    """The certificate's end has passed; only a new sign-in helps (moc/protocol.md 4.4, 6.4)."""

    reason: ClassVar[str] = "certificate_expired"
    moc_code: ClassVar[int] = 29


class CertificateUntrusted(Unauthenticated):
    """The certificate is not one this agent issued under a generation it still trusts."""

    reason: ClassVar[str] = "certificate_untrusted"
    moc_code: ClassVar[int] = 43


class Revoked(Unauthenticated):
    """The identity or its certificate was revoked."""

    reason: ClassVar[str] = "revoked"
    moc_code: ClassVar[int] = 30


class AccessDenied(AgentError):
    """The caller is known and no role assignment of its allows the call."""

    reason: ClassVar[str] = "access_denied"
    moc_code: ClassVar[int] = 40


class OldVersion(AgentError):
    """The version sent with the request is not the resource's present one."""

    reason: ClassVar[str] = "old_version"
    moc_code: ClassVar[int] = 14


class InconsistentState(AgentError):
    """The resource's state forbids the request now."""

    reason: ClassVar[str] = "inconsistent_state"
    moc_code: ClassVar[int] = 24


class IllegalTransition(InconsistentState):
    """No row of the transition table leads from `state` by `event`."""

    reason: ClassVar[str] = "illegal_transition"

    def __init__(self, state: str, event: str) -> None:
        super().__init__(f"nothing leads from {state} by {event}")
        self.state = state
        self.event = event


class PlanChanged(InconsistentState):
    """The facts under a plan have changed since it was shown."""

    reason: ClassVar[str] = "plan_changed"


class ConfirmationRefused(InconsistentState):
    """The typed name, the hash or the age of a confirmation does not fit the plan."""

    reason: ClassVar[str] = "confirmation_refused"
    moc_code: ClassVar[int] = 50  # PreCheckFailed


class Fenced(AgentError):
    """Issuing is stopped for the moment of a CA rotation."""

    reason: ClassVar[str] = "fenced"
    moc_code: ClassVar[int] = 51  # ProviderNotReady

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(
            f"the agent issues nothing while its CA is being rotated; retry in {int(retry_after.total_seconds())} s"
        )
        self.retry_after = retry_after


class LimitReached(AgentError):
    """Too many of these came in a short time; nothing is wrong with this one but the moment."""

    reason: ClassVar[str] = "limit_reached"
    moc_code: ClassVar[int] = 51  # ProviderNotReady: Go clients try again

    def __init__(self, what: str, retry_after: timedelta) -> None:
        super().__init__(f"{what}; retry in {int(retry_after.total_seconds())} s")
        self.retry_after = retry_after


class StoreUnavailable(AgentError):
    """The store could not commit; nothing of the request took effect.

    `place` is the part of the sentence that says where the store lies: for the log, never for a caller.
    """

    reason: ClassVar[str] = "store_unavailable"
    moc_code: ClassVar[int] = 51
    place: str = ""

    def __init__(self, sentence: str, *, place: str = "") -> None:
        super().__init__(sentence)
        self.place = place

    def for_callers(self) -> str:
        """Return the sentence without the store's place."""
        return str(self).replace(f" {self.place}", "") if self.place else str(self)
