"""The values that every room shares: identities, credentials, authorities, clusters and audit events.

Frozen, keyword-only, and checked at birth. Instants are aware UTC datetimes of whole seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, IntEnum

from backend.core.lifecycle import Validity


class ClientKind(Enum):
    """What program an identity belongs to (source document; domain.md, section 3)."""

    NODE_AGENT = "NodeAgent"
    KVA = "KVA"
    KMS = "KMS"
    CLOUD_OPERATOR = "CloudOperator"
    CSI = "CSI"
    CERT_MANAGER = "CertManager"
    CAPH = "CAPH"
    CLOUD_PROVIDER = "CloudProvider"
    LB_AGENT = "LBAgent"
    MOCCTL = "Mocctl"
    KVACTL = "Kvactl"
    ADMIN = "Admin"
    OTHER = "Other"

    @property
    def is_admin_tool(self) -> bool:
        """Tell whether a person signs in with it, rather than a service."""
        return self in {ClientKind.MOCCTL, ClientKind.KVACTL, ClientKind.ADMIN}


class ClientType(IntEnum):
    """`moc.ClientType`; the numbers are the wire's (moc/messages.md, section 4)."""

    CONTROLPLANE = 0
    EXTERNALCLIENT = 1
    NODE = 2
    ADMIN = 3
    BAREMETAL = 4
    LOADBALANCER = 5
    HOST = 6


class Secret:
    """Text that must not be shown: its `repr` and `str` say nothing; `reveal()` is the one way in."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself, for the wire or a 0600 file only."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__


# Identity tags carry the fleet's shape, so that standard MOC clients keep it (architecture.md, decision 10).
TAG_KIND = "mocdeck.kind"
TAG_CLUSTER = "mocdeck.cluster"
TAG_HOST = "mocdeck.host"
TAG_OWNER = "mocdeck.owner"
TAG_AUTO_RENEW = "mocdeck.auto-renew"  # "yes" | "no"; absent: unknown until the client reports its loop
TAG_TOKEN = "mocdeck.token"  # noqa: S105 - a tag; "elsewhere" | "none", read when an identity is made and not kept


class TokenStanding(Enum):
    """What the agent knows of an identity's token (columns of domain.md 16.2)."""

    KNOWN = "known"  # the agent minted it and knows its dates
    EMPTY = "empty"  # the identity exists and holds no live token record
    UNKNOWN = "unknown"  # the identity came with a certificate signed elsewhere; its token was never seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One client's account: its rights hang on it, and its token and certificates belong to it.

    `number` is the store's row number: small, stable and never reused, so the fleet view is keyed by it. `id` is the
    GUID that MOC clients see. `auto_renew` is None while nobody knows whether the client renews by itself.
    """

    number: int
    id: str
    name: str
    kind: ClientKind
    client_type: ClientType = ClientType.EXTERNALCLIENT
    cluster: str = ""
    host: str = ""
    owner: str = ""
    location: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    token_lifetime: timedelta = timedelta(days=90)
    auto_rotate: bool = False
    login_file_path: str = ""
    auto_renew: bool | None = None
    token_standing: TokenStanding = TokenStanding.KNOWN
    cloud_fqdn: str = ""
    cloud_port: int = 0
    cloud_auth_port: int = 0
    revoked_at: datetime | None = None
    revoked_by: str = ""
    planned_off_until: datetime | None = None
    created_at: datetime
    version: str = ""  # Unix time in nanoseconds as decimal text, as MOC's own status does (moc/protocol.md 2.1)


class RevokeReason(Enum):
    """Why a certificate stopped counting before its end."""

    IDENTITY = "identity"  # the identity was revoked
    CERTIFICATE = "certificate"  # this serial was revoked
    ROTATION = "ca rotation"  # its generation was distrusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A client certificate that the agent issued.

    `requested` is the lifetime asked for; `validity` may be shorter when the CA ends first. `renew_from` and
    `renew_until` bound the slot in which the client should renew (pki.md 5.8), fixed at issuance.
    `first_used_at` is the first authenticated call made with it, the proof that it is in use.
    """

    serial: int
    identity_number: int
    generation: int
    validity: Validity
    requested: timedelta
    renew_from: datetime
    renew_until: datetime
    key_sha256: str  # hex SHA-256 of the SubjectPublicKeyInfo
    fingerprint: str  # hex SHA-256 of the DER certificate
    pem: str
    issued_at: datetime
    renew_count: int = 0
    first_used_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    revoke_reason: RevokeReason | None = None


class TokenState(Enum):
    """A token's place in its rotation (pki.md 5.9)."""

    CURRENT = "current"
    PREVIOUS = "previous"  # rotated away; still signs in until `dies_at` or the first use of its successor
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What the agent keeps of an identity token: never the token itself. Valid while now < expires_at (RFC 7519)."""

    id: str  # the JWT's jti
    identity_number: int
    digest: str  # hex HMAC-SHA-256 of the compact JWT under the agent's pepper
    issued_at: datetime
    expires_at: datetime
    state: TokenState = TokenState.CURRENT
    dies_at: datetime | None = None
    first_used_at: datetime | None = None
    delivered_at: datetime | None = None  # known to have reached the client (used, acknowledged, or file written)

    def is_alive(self, now: datetime) -> bool:
        """Tell whether the token signs in at `now`."""
        if self.state is TokenState.ENDED or now >= self.expires_at:
            return False
        return self.dies_at is None or now < self.dies_at


class AuthorityStatus(Enum):
    """Life of a CA generation (pki.md 5.1)."""

    STAGED = "staged"
    TRUSTED = "trusted"
    ISSUING = "issuing"
    DISTRUSTED = "distrusted"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """One CA generation: its root certificate and where its key lies. The key itself never travels in a value."""

    generation: int
    subject: str
    validity: Validity
    fingerprint: str
    pem: str
    key_file: str
    status: AuthorityStatus
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A trust bundle epoch: the roots, in order, that clients and agent trust. Epochs only grow (pki.md 5.1)."""

    epoch: int
    generations: tuple[int, ...]
    pem: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A management or workload cluster of this deployment."""

    name: str
    is_management: bool
    removed_at: datetime | None = None
    planned_off_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What a client last said of itself, and when the agent heard it."""

    identity_number: int
    heard_at: datetime
    interval: timedelta
    address: str
    serial: int
    epoch: int
    skew: timedelta  # client clock less agent clock; positive: the client is ahead
    loop_alive: bool
    last_error: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeen:
    """The last authenticated call of an identity: when, from where and with which certificate."""

    identity_number: int
    at: datetime
    address: str
    serial: int


class Outcome(Enum):
    """How an audited action ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One link of the audit chain; `previous` and `digest` are hex SHA-256 (see `backend.service.audit`)."""

    index: int
    at: datetime
    actor: str
    origin: str  # "rpc", "cli", "tui", "agent"
    action: str
    subject: str
    outcome: Outcome
    detail: Mapping[str, str]
    previous: str
    digest: str
