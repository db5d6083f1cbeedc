"""Rows that are more than a core value: orders, plans, operations, rotations, resources.

Plain frozen values; how they are kept is the engine's matter. Instants are aware UTC datetimes of whole seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NamedTuple


class OrderKind(Enum):
    """What a client is told to do in the answer to its heartbeat."""

    RENEW = "renew"
    SIGN_IN = "sign in"
    TAKE_TOKEN = "take token"  # noqa: S105 - an order's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One standing order for one client; at most one of a kind is open for an identity."""

    id: str
    identity_number: int
    kind: OrderKind
    created_at: datetime
    operation_id: str = ""
    overlap_seconds: int = -1
    handed_out_at: datetime | None = None
    token_id: str = ""  # of the token that went out with it
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A login file that the agent owes to a place: committed first, written after, then marked (pki.md 5.7).

    `route` is "file", with a path as its place, or "kubernetes", with NAMESPACE/NAME/KEY in `cluster`; a Secret's place
    is "" until the first attempt, which takes the one that is configured then.
    """

    id: str
    identity_number: int
    place: str
    token_id: str  # of the token minted for the last attempt; "" before the first
    created_at: datetime
    operation_id: str = ""
    attempts: int = 0
    written_at: datetime | None = None
    last_error: str = ""
    route: str = "file"
    cluster: str = ""
    tried_at: datetime | None = None

    @property
    def label(self) -> str:
        """The place in an operator's words."""
        if self.route == "file":
            return self.place
        return f"Secret {self.place} in {self.cluster}" if self.place else f"its Secret in {self.cluster}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCertificate:
    """The certificate by which the issuer's generation vouches for the subject's CA; valid no longer than both."""

    subject_generation: int
    issuer_generation: int
    pem: str
    not_after: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatement:
    """What was signed about a bundle epoch, canonical text, with base64 signatures (`backend.pki.epochs`).

    `previous_signature` is "" where the chain begins and where it was cut on purpose.
    """

    epoch: int
    statement: str
    signature: str
    previous_signature: str
    signed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan as it was shown; `body` is its JSON document, `hash` what a confirmation must repeat."""

    id: str
    kind: str  # "operation" or "rotation"
    hash: str
    made_at: datetime
    expires_at: datetime
    actor: str
    body: str
    started: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFault:
    """What keeps the agent from rotating a client's token by itself; `why` is a sentence, `since_at` when it began."""

    identity_number: int
    token_id: str
    why: str
    since_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """A plan being carried out."""

    id: str
    plan_id: str
    action: str  # core.plan.ActionKind value
    state: str  # running, done, failed, stopped
    actor: str
    origin: str
    parallel: int
    reason: str
    overlap_seconds: int
    started_at: datetime
    ended_at: datetime | None = None
    stopping: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRow:
    """One client of an operation; `state` is waiting, ordered, issued, delivered, done, failed or skipped."""

    operation_id: str
    position: int
    identity_number: int
    name: str
    route: str
    state: str
    step: str = ""
    result: str = ""
    old_serial: int | None = None
    new_serial: int | None = None
    token_id: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationRow:
    """A CA rotation; `version` grows with every move and guards it (pki.md, invariant I4)."""

    id: str
    phase: str
    version: int
    from_generation: int
    to_generation: int
    plan_id: str
    plan_hash: str
    actor: str
    reason: str
    started_at: datetime
    phase_at: datetime
    ended_at: datetime | None = None
    outcome: str = ""
    proceed: bool = False  # the operator said not to wait longer in this phase
    kind: str = "disruptive"  # or "overlap", or "rehearsal"
    cause: str = "routine"  # or "compromise"
    automatic: bool = False  # it moves on when its gates are met, without being told
    held: str = ""  # who or what holds it, and why
    settings: Mapping[str, str] = field(default_factory=dict)
    rolled_back_from: str = ""  # the phase in which the way back began


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationClientRow:
    """One client of a rotation: its planned way back and what was observed of it."""

    rotation_id: str
    identity_number: int
    name: str
    route: str  # itself, file, manual, out
    why: str
    informed_at: datetime | None = None  # acknowledged the bundle with the new root
    lost_at: datetime | None = None
    returned_at: datetime | None = None
    written_off: str = ""  # reason; "" when not


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapClientRow:
    """One client of a rotation with overlap, or of a rehearsal: how it gets through, and what was observed of it.

    `generation` is that of the certificate of its last call (0: none was seen), good until `holds_until`.
    """

    rotation_id: str
    identity_number: int
    name: str
    route: str  # core.overlap.Route value
    after: str  # how it comes back once the old CA is distrusted
    wave: int = 0
    informed_at: datetime | None = None  # acknowledged the bundle of the present phase
    proved_at: datetime | None = None  # was recognised at the trust canary
    proved_from: str = ""
    careless: str = ""  # what it accepted that nobody should
    serial: int = 0  # of the certificate of its last call
    generation: int = 0
    generation_at: datetime | None = None
    holds_until: datetime | None = None
    ordered_at: datetime | None = None
    waived: str = ""
    written_off: str = ""
    decided_by: str = ""
    would_fail_at: datetime | None = None
    would_fail_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRow:
    """One cell of the trust matrix over a whole rotation: what was expected and seen last, and how often otherwise."""

    rotation_id: str
    cell: str
    expected: str
    observed: str
    made: int
    deviations: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A named MOC resource of a kind without rules of its own: location, group, node, named certificate."""

    kind: str  # "location", "group", "node", "certificate"
    name: str
    id: str
    location: str
    version: str
    created_at: datetime
    body: bytes  # the resource's own message, serialised
    tags: Mapping[str, str] = field(default_factory=dict)


class FleetRow(NamedTuple):
    """What the fleet view shows of one identity, as stored: Unix seconds, whole seconds of duration, hex serials.

    `newest_` is its newest certificate, `seen_` its last call, `used_` the certificate of that call where it is another
    than the newest, `token_` its CURRENT token; None where there is none. `heartbeat_interval` 0: the client promises
    no regular heartbeats.
    """

    number: int
    name: str
    kind: str
    cluster: str
    host: str
    owner: str
    auto_renew: bool | None
    auto_rotate: bool
    revoked_at: int | None
    token_standing: str
    planned_off_until: int | None
    login_file_path: str
    newest_serial: str | None
    newest_not_before: int | None
    newest_not_after: int | None
    newest_generation: int | None
    newest_revoked_at: int | None
    newest_revoke_reason: str | None
    newest_renew_until: int | None
    used_serial: str | None
    used_not_before: int | None
    used_not_after: int | None
    used_generation: int | None
    used_revoked_at: int | None
    token_issued_at: int | None
    token_expires_at: int | None
    heartbeat_heard_at: int | None
    heartbeat_interval: int | None
    heartbeat_skew: int | None
    heartbeat_loop_alive: bool | None
    seen_at: int | None
    seen_serial: str | None
