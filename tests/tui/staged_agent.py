"""An agent behind the port, in memory, with a fleet in every state of domain.md 16.2 and some hostile names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.core.fleet import AuthorityInfo, ClientColumns, ClientFlag, ClusterInfo, FleetDelta, unix
from backend.core.lifecycle import Validity
from backend.core.model import AuthorityStatus
from backend.core.plan import ActionKind
from tui.gateway import (
    AlertsView,
    CertificateView,
    ClientDetail,
    Connection,
    EventView,
    HeartbeatView,
    OperationTargetView,
    OperationView,
    SilenceView,
    TokenView,
    Unreachable,
)

NOW = datetime(2026, 11, 22, 16, 52, 14, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
HOSTILE = (
    "\x1b]0;owned\x07evil",
    "[red]bold[/red]",
    "abc\u202etxt.exe",
    "x" * 4096,
    "nul\x00\x9bname",
    "日本語クラスタ",
)


@dataclass(kw_only=True)
class Seed:
    """One client of the staged fleet; spans are time left at NOW."""

    name: str
    left: timedelta | None
    token: timedelta | None
    kind: str = "CSI"
    cluster: str = "bonn-wl3"
    lifetime: timedelta = 90 * DAY
    flags: ClientFlag = ClientFlag.NONE
    heard: timedelta | None = None
    skew: int = 0
    activity: str = ""
    generation: int = 4
    owner: str = "ops-anna"


AUTO = ClientFlag.AUTO_RENEW | ClientFlag.AUTO_ROTATE
SEEDS = (
    Seed(name="csi-012", left=-72 * MINUTE, token=6 * DAY + 3 * HOUR),
    Seed(name="kms-007", left=-timedelta(minutes=9, seconds=40), token=-49 * HOUR, kind="KMS"),
    Seed(name="nodeagent-07", left=timedelta(seconds=41), token=71 * DAY, kind="NodeAgent", cluster="bonn-mgmt"),
    Seed(
        name="nodeagent-08",
        left=timedelta(minutes=18, seconds=22),
        token=71 * DAY,
        kind="NodeAgent",
        cluster="bonn-mgmt",
    ),
    Seed(name="cert-manager-03", left=40 * DAY, token=-250 * MINUTE, kind="CertManager", cluster="oslo-wl1"),
    Seed(name="kms-001", left=60 * DAY, token=-2 * DAY, kind="KMS", cluster="oslo-wl1", flags=AUTO),
    Seed(name="cloud-prov-01", left=351 * MINUTE, token=12 * DAY, kind="CloudProvider", activity="renewing 2/3"),
    Seed(name="kva-01", left=20 * DAY, token=40 * DAY, kind="KVA", cluster="bonn-mgmt", flags=AUTO),
    Seed(
        name="caph-02", left=60 * DAY, token=60 * DAY, kind="CAPH", cluster="bonn-mgmt", flags=AUTO, heard=-10 * MINUTE
    ),
    Seed(name="csi-003", left=60 * DAY, token=26 * DAY, flags=ClientFlag.AUTO_RENEW),
    Seed(name="csi-004", left=26 * DAY, token=60 * DAY, flags=AUTO),
    Seed(name="csi-005", left=26 * DAY, token=60 * DAY),
    Seed(name="lbagent-01", left=60 * DAY, token=None, kind="LBAgent", flags=AUTO | ClientFlag.TOKEN_EMPTY),
    Seed(name="mocctl-anna", left=None, token=50 * DAY, kind="Mocctl", cluster=""),
    Seed(name="kvactl-ben", left=None, token=None, kind="Kvactl", cluster="", flags=ClientFlag.TOKEN_EMPTY),
    Seed(name="old-kms", left=70 * DAY, token=80 * DAY, kind="KMS", flags=ClientFlag.CERTIFICATE_UNTRUSTED),
    Seed(name="gone-node", left=70 * DAY, token=80 * DAY, kind="NodeAgent", flags=ClientFlag.IDENTITY_REVOKED),
    Seed(name="future-csi", left=90 * DAY + 60 * MINUTE, token=80 * DAY),
    Seed(name="skewed-csi", left=60 * DAY, token=80 * DAY, flags=AUTO, skew=400, heard=timedelta(0)),
    Seed(name="unseen-admin", left=60 * DAY, token=None, kind="Admin", cluster="", flags=ClientFlag.TOKEN_UNKNOWN),
    Seed(name="stranger", left=60 * DAY, token=60 * DAY, flags=AUTO | ClientFlag.ORPHAN, owner=""),
    *(
        Seed(name=f"cloud-operator-{n:02}", left=(44 + n) * DAY, token=60 * DAY, kind="CloudOperator", flags=AUTO)
        for n in range(12)
    ),
)


def columns_of(seeds: Sequence[Seed], first: int = 1) -> tuple[list[str], ClientColumns]:
    """Lay seeds out as the agent would send them."""
    names: list[str] = []
    rows: dict[str, list[int]] = {column.name: [] for column in fields(ClientColumns)}

    def put(text: str) -> int:
        if text not in names:
            names.append(text)
        return names.index(text)

    for number, seed in enumerate(seeds, first):
        ends = None if seed.left is None else NOW + seed.left
        token = None if seed.token is None else NOW + seed.token
        heard = None if seed.heard is None else NOW + seed.heard
        values = {
            "number": number,
            "name": put(seed.name),
            "kind": put(seed.kind),
            "cluster": put(seed.cluster),
            "host": put(""),
            "owner": put(seed.owner),
            "certificate_not_before": 0 if ends is None else unix(ends - seed.lifetime),
            "certificate_not_after": unix(ends),
            "generation": seed.generation,
            "serial_low": number,
            "used_serial_low": number,
            "token_issued_at": 0 if token is None else unix(token - 90 * DAY),
            "token_expires_at": unix(token),
            "last_seen_at": unix(NOW - MINUTE),
            "heartbeat_at": unix(heard),
            "heartbeat_interval": 0 if heard is None else 30,
            "skew": seed.skew,
            "flags": int(seed.flags),
            "planned_off_until": 0,
            "activity": put(seed.activity),
        }
        for column, value in values.items():
            rows[column].append(value)
    return names, ClientColumns(**rows)


def snapshot(seeds: Sequence[Seed], at: datetime = NOW, change: int = 1) -> FleetDelta:
    """A whole fleet in one chunk."""
    names, clients = columns_of(seeds)
    return FleetDelta(
        change=change,
        agent_time=unix(at),
        full=True,
        last=True,
        deployment="bonn",
        names=names,
        clients=clients,
        authorities=(
            AuthorityInfo(
                generation=4,
                subject="bonn CA g4",
                validity=Validity(not_before=NOW - 265 * DAY, not_after=NOW + 100 * DAY),
                status=AuthorityStatus.ISSUING,
                fingerprint="9c41" * 16,
            ),
        ),
        clusters=(
            ClusterInfo(name="bonn-mgmt", is_management=True),
            ClusterInfo(name="bonn-wl3", is_management=False),
            ClusterInfo(name="oslo-wl1", is_management=False),
        ),
        bundle_epoch=7,
        agent_version="0.1.0",
    )


class StagedAgent:
    """An implementation of the Gateway port whose agent is this object; `tell` sends, `cut` breaks the link."""

    def __init__(self, seeds: Sequence[Seed] = SEEDS) -> None:
        self.seeds = list(seeds)
        self.queue: asyncio.Queue[FleetDelta | Exception] = asyncio.Queue()
        self.reachable = True
        self.asked: list[str] = []  # every call that would change something
        self.described: list[str] = []
        self.watches: list[int] = []
        self.operations_kept: list[OperationView] = [operation()]
        self.alerts_kept = AlertsView()
        self.audit = [event(3), event(2), event(1)]

    @property
    def connection(self) -> Connection:
        return Connection(
            context="bonn",
            address="agent.example:55000",
            identity="ops-anna",
            certificate_not_after=NOW + 60 * DAY,
            token_expires_at=NOW + 60 * DAY,
        )

    def tell(self, delta: FleetDelta) -> None:
        self.queue.put_nowait(delta)

    def cut(self) -> None:
        self.reachable = False
        self.queue.put_nowait(Unreachable("no agent at agent.example:55000 since 16:52:14Z"))

    async def watch(self, since: int) -> AsyncIterator[FleetDelta]:
        self.watches.append(since)
        if not self.reachable:
            raise Unreachable("no agent at agent.example:55000 since 16:52:14Z")
        if not since:
            yield snapshot(self.seeds)
        while True:
            item = await self.queue.get()
            if isinstance(item, Exception):
                raise item
            yield item

    async def describe(self, name: str) -> ClientDetail:
        self.described.append(name)
        seed = next(seed for seed in self.seeds if seed.name == name)
        return detail_of(seed)

    async def operations(self) -> Sequence[OperationView]:
        if not self.reachable:
            raise Unreachable("no agent")
        return self.operations_kept

    async def operation(self, operation_id: str) -> OperationView:
        return self.operations_kept[0]

    async def events(self, limit: int = 200) -> Sequence[EventView]:
        return self.audit

    async def stop(self, operation_id: str) -> OperationView:
        self.asked.append(f"stop {operation_id}")
        return replace(self.operations_kept[0], state="stopping")

    async def rotation(self) -> None:
        return None

    async def alerts(self) -> AlertsView:
        if not self.reachable:
            raise Unreachable("no agent")
        return self.alerts_kept

    async def acknowledge(self, entity: str, until: datetime, reason: str) -> SilenceView:
        self.asked.append(f"acknowledge {entity} {until:%Y-%m-%dT%H:%M:%SZ} {reason}")
        made = SilenceView(
            subject=entity, name=entity, is_acknowledgement=True, until=until, ceiling="expired", actor="ops-anna",
            reason=reason,
        )  # fmt: skip
        self.alerts_kept = replace(self.alerts_kept, silences=(made,))
        return made

    async def close(self) -> None: ...

    def __getattr__(self, name: str) -> Any:
        """The calls that plan or change: none of these screens may make one by itself."""
        if name in {"plan", "start", "take_login_file", "plan_rotation", "start_rotation", "move_rotation"}:

            async def refuse(*_: object, **__: object) -> None:
                self.asked.append(name)
                raise Unreachable(f"{name} is not staged")

            return refuse
        raise AttributeError(name)


def operation(**changes: Any) -> OperationView:
    targets = (
        OperationTargetView(
            name="cloud-prov-01", state="running", step="waiting for the client", result="", old_serial="5f2a91c077de",
            new_serial="", started_at=NOW, ended_at=None, route="heartbeat",
        ),
        OperationTargetView(
            name="kva-02", state="done", step="used", result="renewed", old_serial="11112222", new_serial="33334444",
            started_at=NOW, ended_at=NOW, route="heartbeat",
        ),
    )  # fmt: skip
    made = OperationView(
        id="31", action=ActionKind.RENEW, state="running", actor="ops-anna", started_at=NOW, ended_at=None,
        targets=targets, total=2, done=1, failed=0, running=1, waiting=0, skipped=0, reason="OPS-4411",
    )  # fmt: skip
    return replace(made, **changes)


def event(index: int, **changes: Any) -> EventView:
    made = EventView(
        index=index, at=NOW - timedelta(minutes=10 - index), actor="ops-anna", origin="tui", action="renew",
        subject=f"kva-{index:02}", outcome="done" if index != 2 else "refused", detail=(("serial", "5f2a91c0"),),
        digest="ab12" * 16,
    )  # fmt: skip
    return replace(made, **changes)


def detail_of(seed: Seed) -> ClientDetail:
    ends = NOW + (seed.left or 60 * DAY)
    certificate = CertificateView(
        serial="5f2a91c077de00112233445566778899", generation=4, issuer="bonn CA g4", not_before=ends - seed.lifetime,
        not_after=ends, fingerprint="9c41" * 16, issued_at=ends - seed.lifetime, renew_from=ends - 30 * DAY,
        renew_until=ends - 25 * DAY, first_used_at=NOW - DAY, last_used_at=NOW - MINUTE, revoked_at=None,
        revoke_reason="", renew_count=2, current=True, shortened=False, pem="",
    )  # fmt: skip
    token = TokenView(
        id="tok-1", issued_at=NOW - 30 * DAY, expires_at=NOW + 60 * DAY, state="current", dies_at=None,
        first_used_at=NOW - 29 * DAY, delivered_at=NOW - 30 * DAY,
    )  # fmt: skip
    return ClientDetail(
        name=seed.name, id="0f0e-4a", number=1, kind=seed.kind, client_type="ExternalClient", cluster=seed.cluster,
        host="", owner=seed.owner, location="MocLocation", roles=("NodeAgentReader",), login_file_path="",
        token_lifetime=90 * DAY, created_at=NOW - 200 * DAY, revoked_at=None, revoked_by="",
        certificates=(certificate, replace(certificate, serial="aa", current=False)) if seed.left else (),
        tokens=(token,), last_seen_at=NOW - MINUTE, last_seen_from="10.0.4.17", last_seen_serial="5f2a91c077de",
        heartbeat=HeartbeatView(
            heard_at=NOW - timedelta(seconds=12), interval=timedelta(seconds=30), address="10.0.4.17",
            serial="5f2a91c077de", epoch=7, skew=timedelta(seconds=1), loop_alive=True, last_error="", version="0.1.0",
        ),
        history=(event(2), event(1)), delivery_route="heartbeat", places=(), tags=(("mocdeck.kind", seed.kind),),
    )  # fmt: skip
