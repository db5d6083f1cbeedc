"""What is known of a client when its health is judged, and the judgement.

`ClientFacts` is made from the fleet's columns by `backend.core.fleet`; `Assessment` comes out of
`backend.core.health.assess`, the one function that the agent, the command line and the screen share.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, IntEnum

from backend.core.lifecycle import Validity
from backend.core.model import ClientKind, TokenStanding
from backend.core.token_policy import RotatedBy


class State(Enum):
    """State of an identity (domain.md 16.2), most severe first: the order is the precedence."""

    REVOKED = "REVOKED"
    TRUST_BROKEN = "TRUST BROKEN"
    SKEW = "SKEW"
    LOCKED_OUT = "LOCKED OUT"
    REPAIRABLE = "REPAIRABLE"
    EXPIRED_UNKNOWN = "EXPIRED?"  # certificate past its end, token unknown
    EMPTY = "EMPTY"
    NEVER_SIGNED_IN = "NEVER SIGNED IN"
    LATENT = "LATENT"
    OVERDUE = "OVERDUE"
    TOKEN_DUE = "TOKEN DUE"  # noqa: S105 - a state's name, not a secret
    DUE = "DUE"
    DUE_UNKNOWN = "DUE?"  # due, token unknown
    OK = "OK"
    OK_UNKNOWN = "OK?"  # fine as far as seen; token unknown
    UNKNOWN = "UNKNOWN"


class Overlay(Enum):
    """What lies over a state and never hides it (domain.md 16.2)."""

    STALE = "STALE"
    ORPHAN = "ORPHAN"
    PLANNED_OFF = "PLANNED OFF"
    ACTION_RUNNING = "ACTION RUNNING"
    UNCERTAIN = "UNCERTAIN"  # the endpoint's clock is off by more than five minutes
    SKEW_WARNING = "SKEW WARNING"  # off by more than thirty seconds
    MISSED_SLOT = "MISSED SLOT"  # its renewal slot has passed and no renewal came (pki.md 4.9)
    ROTATION_FAILS = (
        "ROTATION FAILS"  # the agent is to rotate its token, and something stands against it (domain.md S5)
    )


class Severity(IntEnum):
    """Ascending from worst; UNKNOWN sorts between CRITICAL and WARNING (domain.md 16.3)."""

    EXPIRED = 0
    CRITICAL = 1
    UNKNOWN = 2
    WARNING = 3
    INFO = 4
    OK = 5


class NextAction(Enum):
    """The right next step (domain.md 16.5); the value is what NEXT STEP shows."""

    NONE = "-"
    RENEW = "renew"
    RENEW_THERE = "renew there"  # it takes no orders: somebody renews it where it runs, or repairs it from here
    AUTO = "auto renews"
    AUTO_LATE = "auto is late"
    ROTATE_TOKEN = "rotate token"  # noqa: S105 - an action's name
    AUTO_ROTATE = "auto rotates"
    SIGN_IN = "sign in"
    REPAIR = "rotate+sign in"
    REISSUE_LOGIN = "new login file"
    NEW_IDENTITY = "new identity"
    FIX_CLOCK = "fix clock"
    PROBE = "see if it runs"  # nothing can be asked of a client from here: it is the one that calls
    EXPLAIN_ORPHAN = "remove orphan"
    ROTATE_CA = "CA ends first"
    FIRST_SIGN_IN = "first sign-in"
    WAIT = "wait"


class Limit(Enum):
    """Which element ends the certificate's use first."""

    CERTIFICATE = "certificate"
    AUTHORITY = "CA"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """The certificate in question: its dates, its issuer's end, and whether it still counts."""

    validity: Validity
    authority_not_after: datetime
    is_trusted: bool = True
    is_revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """The token's dates. `issued_at` None: no iat, so its lifetime is unknown. `expires_at` None unless KNOWN."""

    standing: TokenStanding
    issued_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFacts:
    """Everything that a client's state, severity and next action depend on.

    `observed_at` is when the facts were last confirmed (a heartbeat for clients that send them, the agent's own
    answer for the others); None: never. `poll_interval` is how often that is expected. `skew` is the endpoint's
    clock less ours. `agent_alive` False: the agent itself does not answer, so nothing of this can be confirmed.
    `renew_until` is the end of its renewal slot, None where it promises to keep none. `has_heartbeat` and
    `has_file_route` say how a fresh token could reach it without anybody's help. `loop_broken`: it is set to renew by
    itself and says that it cannot (US-05.3); `auto_renew` is False then. `auto_rotate` is by its own flag or by the
    agent's policy, which `rotates_by_policy` tells apart; `rotation_fails`: something stands against that now.
    """

    kind: ClientKind
    name: str
    certificate: CertificateFacts | None
    token: TokenFacts
    auto_renew: bool | None = None
    auto_rotate: bool | None = None
    identity_revoked: bool = False
    observed_at: datetime | None = None
    poll_interval: timedelta = timedelta(seconds=30)
    skew: timedelta = timedelta(0)
    is_orphan: bool = False
    planned_off_until: datetime | None = None
    action_running: bool = False
    agent_alive: bool = True
    renew_until: datetime | None = None
    has_heartbeat: bool = False
    has_file_route: bool = False
    loop_broken: bool = False
    rotates_by_policy: bool = False
    rotation_fails: bool = False

    @property
    def rotated_by(self) -> RotatedBy:
        """Who rotates its token of its own accord."""
        if self.auto_rotate is not True:
            return RotatedBy.NOBODY
        return RotatedBy.POLICY if self.rotates_by_policy else RotatedBy.FLAG


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The judgement of one client at one instant.

    `effective_not_after` is the earlier of the certificate's and its CA's end, None without a certificate.
    `reasons` are full sentences for the detail view, worst first; never empty unless the state is OK.
    `sort_key` is a total order, worst first (domain.md 16.3).
    """

    state: State
    severity: Severity
    overlays: frozenset[Overlay]
    next_action: NextAction
    effective_not_after: datetime | None
    limited_by: Limit | None
    token_expires_at: datetime | None
    reasons: tuple[str, ...]
    sort_key: tuple[int, int, int, str]

    @property
    def next_step(self) -> str:
        """The next step as it is shown everywhere."""
        if self.next_action is NextAction.RENEW and self.severity <= Severity.CRITICAL:
            return "renew now"
        return self.next_action.value
