"""The one door to an agent: what the screen may ask, and the values that come back.

The screen knows this Protocol and nothing behind it; `tui.remote` implements it over `backend.client`. Every call may
raise an `AgentError` (the agent's own sentence) or `Unreachable`; none blocks the event loop. Values are frozen, their
texts already inert (`backend.core.inert`), their instants aware UTC datetimes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, Protocol

from backend.core.errors import AgentError
from backend.core.fleet import FleetDelta
from backend.core.overlap_gates import OverlapSettings
from backend.core.plan import ActionKind
from backend.core.update import UpdateScope
from tui.rotating import DEFAULT_SETTINGS, RotationKind, RotationMove, RotationPlanView, RotationView


class Unreachable(AgentError):
    """The agent did not answer; the sentence says where it was looked for and since when."""

    reason: ClassVar[str] = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where this screen looks, and as whom."""

    context: str
    address: str
    identity: str
    certificate_not_after: datetime | None
    token_expires_at: datetime | None
    tag: str = ""  # a word that stands wherever the site is named, such as PROD


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateView:
    """One issued certificate of a client."""

    serial: str
    generation: int
    issuer: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    issued_at: datetime
    renew_from: datetime | None
    renew_until: datetime | None
    first_used_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoke_reason: str
    renew_count: int
    current: bool
    shortened: bool
    pem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """One token record of a client; never the token."""

    id: str
    issued_at: datetime
    expires_at: datetime
    state: str
    dies_at: datetime | None
    first_used_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatView:
    """What the client last said of itself."""

    heard_at: datetime
    interval: timedelta
    address: str
    serial: str
    epoch: int
    skew: timedelta
    loop_alive: bool
    last_error: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One audit event."""

    index: int
    at: datetime
    actor: str
    origin: str
    action: str
    subject: str
    outcome: str
    detail: tuple[tuple[str, str], ...]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRotationView:
    """Who rotates a token by itself: "flag", "policy" with its rule, or "nobody"; `fault` "": nothing fails."""

    by: str
    rule: str
    due_at: datetime | None
    overlap: timedelta
    fault: str
    fault_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDetail:
    """One client in full (US-02)."""

    name: str
    id: str
    number: int
    kind: str
    client_type: str
    cluster: str
    host: str
    owner: str
    location: str
    roles: tuple[str, ...]
    login_file_path: str
    token_lifetime: timedelta
    created_at: datetime
    revoked_at: datetime | None
    revoked_by: str
    certificates: tuple[CertificateView, ...]
    tokens: tuple[TokenView, ...]
    last_seen_at: datetime | None
    last_seen_from: str
    last_seen_serial: str
    heartbeat: HeartbeatView | None
    history: tuple[EventView, ...]
    delivery_route: str
    places: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    rotation: TokenRotationView | None = None  # None: an agent of an earlier version does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTargetView:
    """What a plan does with one client, or why it does nothing."""

    name: str
    number: int
    cluster: str
    kind: str
    runs: bool
    why: str
    route: str
    steps: tuple[str, ...]
    certificate_now: datetime | None
    certificate_then: datetime | None
    token_now: datetime | None
    token_then: datetime | None
    downtime: str
    route_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A stored plan: nothing has happened yet."""

    id: str
    action: ActionKind
    hash: str
    made_at: datetime
    expires_at: datetime
    targets: tuple[PlanTargetView, ...]
    warnings: tuple[str, ...]
    runs: int
    parallel: int
    force: bool
    reason: str
    max_failures: int = 1
    resumes: str = ""  # the operation that it goes on with


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationTargetView:
    """Progress of one client in an operation."""

    name: str
    state: str
    step: str
    result: str
    old_serial: str
    new_serial: str
    started_at: datetime | None
    ended_at: datetime | None
    route: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationView:
    """A plan being carried out; the counts sum to `total`."""

    id: str
    action: ActionKind
    state: str
    actor: str
    started_at: datetime
    ended_at: datetime | None
    targets: tuple[OperationTargetView, ...]
    total: int
    done: int
    failed: int
    running: int
    waiting: int
    skipped: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where a login file for delivery by hand was put, readable by its owner only."""

    name: str
    path: Path
    instruction: str
    token_expires_at: datetime | None = field(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLine:
    """One problem: how bad, since when, and who knows. `told` "" and `held` "": nobody was told yet."""

    entity: str
    name: str
    cluster: str
    severity: str  # expired, critical, unknown, warning
    state: str
    summary: str
    next_step: str
    raised_at: datetime
    since_at: datetime
    told: str
    told_at: datetime | None
    held: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceView:
    """Quiet about one entity, or about a cluster ("cluster:NAME"), until an instant."""

    subject: str
    name: str
    is_acknowledgement: bool
    until: datetime | None
    ceiling: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkView:
    """Somebody who is told, and whether notices arrive; `failing_since` None: the last one did."""

    name: str
    owed: int
    failing_since: datetime | None
    last_error: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsView:
    """Everything about alerts, worst first, as the agent said it."""

    alerts: tuple[AlertLine, ...] = ()
    silences: tuple[SilenceView, ...] = ()
    sinks: tuple[SinkView, ...] = ()

    @property
    def failing(self) -> tuple[SinkView, ...]:
        """The sinks that take no notices."""
        return tuple(sink for sink in self.sinks if sink.failing_since is not None)

    def quiet_over(self, alert: AlertLine) -> SilenceView | None:
        """Return the acknowledgement or silence that an alert is under; its own goes before its cluster's."""
        subjects = {one.subject: one for one in self.silences}
        return subjects.get(alert.entity) or (subjects.get(f"cluster:{alert.cluster}") if alert.cluster else None)


class Gateway(Protocol):
    """An agent, as the screen sees it."""

    @property
    def connection(self) -> Connection: ...

    def watch(self, since: int) -> AsyncIterator[FleetDelta]:
        """Yield what changed after `since`, for ever; raises `Unreachable` when the agent goes away."""
        ...

    async def describe(self, name: str) -> ClientDetail: ...
    async def plan(
        self,
        action: ActionKind,
        names: Sequence[str],
        *,
        force: bool = False,
        reason: str = "",
        parallel: int = 0,
        update: UpdateScope | None = None,
    ) -> PlanView:
        """Ask what an action would do; `update` goes with UPDATE, in place of names."""
        ...

    async def plan_resumption(self, operation_id: str, *, parallel: int = 0) -> PlanView:
        """Ask what is still to do of an operation that was stopped or failed."""
        ...

    async def start(self, plan: PlanView) -> OperationView: ...
    async def operation(self, operation_id: str) -> OperationView: ...
    async def operations(self) -> Sequence[OperationView]: ...
    async def stop(self, operation_id: str) -> OperationView: ...
    async def take_login_file(self, operation_id: str, name: str) -> Delivery: ...
    async def plan_rotation(
        self, kind: RotationKind = RotationKind.OVERLAP, settings: OverlapSettings = DEFAULT_SETTINGS
    ) -> RotationPlanView:
        """Ask what a rotation would do to every client; the settings are for one with overlap."""
        ...

    async def approve_rotation(self, plan_id: str, plan_hash: str, typed_name: str) -> str:
        """Approve, as the second person, a plan that somebody else made; return the approver's name."""
        ...

    async def start_rotation(self, plan: RotationPlanView, typed_name: str, reason: str) -> RotationView: ...
    async def rotation(self) -> RotationView | None:
        """The open rotation, or the last one; None when there never was one."""
        ...

    async def move_rotation(
        self, rotation: RotationView, move: RotationMove, *, written_off: Sequence[str] = (), reason: str = ""
    ) -> RotationView:
        """Tell an open rotation what to do, as it was seen; `written_off` names the clients that it is about."""
        ...

    async def destroy_authority(self, generation: int, typed_name: str) -> None:
        """Destroy the key of a distrusted generation, for good."""
        ...

    async def events(self, limit: int = 200) -> Sequence[EventView]:
        """Newest first."""
        ...

    async def alerts(self) -> AlertsView: ...
    async def acknowledge(self, entity: str, until: datetime, reason: str) -> SilenceView:
        """Be quiet about an alert until an instant; worse breaks it."""
        ...

    async def close(self) -> None: ...
