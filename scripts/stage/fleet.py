"""The fleet of the screenshots and of the screen's tests: one site at one fixed instant, every state of it on purpose.

Owns who is in it; what is thought of them is `backend.core`'s. Dates are spans from `NOW`, so that the picture never
ages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Final

from backend.core.fleet import AuthorityInfo, ClientColumns, ClientFlag, ClusterInfo, FleetDelta, unix
from backend.core.lifecycle import Validity
from backend.core.model import AuthorityStatus

NOW: Final = datetime(2026, 11, 22, 16, 52, 14, tzinfo=UTC)
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
LIFETIME: Final = 90 * DAY
DEPLOYMENT: Final = "bonn"

AUTO: Final = ClientFlag.AUTO_RENEW | ClientFlag.AUTO_ROTATE


@dataclass(frozen=True, kw_only=True)
class Seed:
    """One client; `left` and `token` are what is left at NOW, None for none. `beats`: it sends heartbeats."""

    name: str
    kind: str
    cluster: str = ""
    left: timedelta | None = 60 * DAY
    token: timedelta | None = 60 * DAY
    flags: ClientFlag = AUTO
    beats: bool = True
    silent_for: timedelta = timedelta(seconds=12)
    host: str = ""
    owner: str = ""
    login_file: str = ""
    generation: int = 4
    activity: str = ""
    skew: int = 0


def _days(days: float) -> timedelta:
    return timedelta(seconds=int(days * 86400))


def _workload(cluster: str, owner: str, first: float) -> list[Seed]:
    """The clients of a healthy workload cluster, their ends spread from `first` days on."""
    kinds = (("kms", "KMS"), ("csi", "CSI"), ("cert-manager", "CertManager"), ("cloud-prov", "CloudProvider"))
    short = cluster.partition("-")[2]
    return [
        Seed(
            name=f"{short}-{name}-{number}",
            kind=kind,
            cluster=cluster,
            left=_days(first + 3.3 * place + number * 0.7),
            token=_days(first + 20 + place * 2.1),
            owner=owner,
        )
        for place, (name, kind) in enumerate(kinds)
        for number in (1, 2)
    ]


SEEDS: Final[tuple[Seed, ...]] = (
    Seed(
        name="wl3-csi-3",
        kind="CSI",
        cluster="bonn-wl3",
        left=-72 * MINUTE,
        token=_days(6.13),
        flags=ClientFlag.NONE,
        beats=False,
        owner="team-store",
    ),
    Seed(
        name="wl3-kms-3",
        kind="KMS",
        cluster="bonn-wl3",
        left=-timedelta(minutes=9, seconds=40),
        token=_days(-2.05),
        flags=ClientFlag.NONE,
        beats=False,
        owner="team-store",
    ),
    Seed(
        name="wl4-old-kms",
        kind="KMS",
        cluster="bonn-wl4",
        generation=3,
        flags=AUTO | ClientFlag.CERTIFICATE_UNTRUSTED,
        beats=False,
        owner="team-web",
    ),
    Seed(
        name="nodeagent-07",
        kind="NodeAgent",
        cluster="bonn-mgmt",
        left=timedelta(seconds=41),
        token=_days(71.2),
        flags=ClientFlag.NONE,
        host="host-a",
        owner="ops-anna",
    ),
    Seed(
        name="nodeagent-08",
        kind="NodeAgent",
        cluster="bonn-mgmt",
        left=timedelta(minutes=18, seconds=22),
        token=_days(71.2),
        flags=ClientFlag.NONE,
        host="host-b",
        owner="ops-anna",
    ),
    Seed(
        name="wl5-cert-manager-3",
        kind="CertManager",
        cluster="bonn-wl5",
        left=_days(40),
        token=-250 * MINUTE,
        flags=ClientFlag.NONE,
        owner="team-pay",
    ),
    Seed(
        name="wl5-cloud-prov-3",
        kind="CloudProvider",
        cluster="bonn-wl5",
        left=351 * MINUTE,
        token=_days(12),
        flags=ClientFlag.NONE,
        activity="renewing 2/3",
        owner="team-pay",
    ),
    Seed(
        name="kva-01",
        kind="KVA",
        cluster="bonn-mgmt",
        left=timedelta(hours=22, minutes=14),
        token=_days(40.4),
        flags=ClientFlag.NONE,
        owner="ops-anna",
    ),
    Seed(name="caph-01", kind="CAPH", cluster="bonn-mgmt", left=_days(20.2), token=_days(40.4), owner="ops-ben"),
    Seed(name="caph-02", kind="CAPH", cluster="bonn-mgmt", silent_for=10 * MINUTE, owner="ops-ben"),
    Seed(
        name="cloud-operator",
        kind="CloudOperator",
        cluster="bonn-mgmt",
        left=_days(1.8),
        token=_days(88.1),
        flags=ClientFlag.NONE,
        owner="ops-ben",
    ),
    Seed(
        name="mgmt-csi-1",
        kind="CSI",
        cluster="bonn-mgmt",
        left=_days(3.1),
        token=_days(3.1),
        flags=ClientFlag.NONE,
        owner="ops-ben",
    ),
    Seed(name="mgmt-kms-1", kind="KMS", cluster="bonn-mgmt", left=_days(26.4), token=_days(33.8), owner="ops-ben"),
    Seed(
        name="mgmt-cert-manager-1",
        kind="CertManager",
        cluster="bonn-mgmt",
        left=_days(58.2),
        token=_days(19.1),
        flags=ClientFlag.AUTO_RENEW,
        owner="ops-ben",
    ),
    Seed(
        name="lb-agent-1",
        kind="LBAgent",
        cluster="bonn-wl3",
        token=None,
        flags=AUTO | ClientFlag.TOKEN_EMPTY,
        owner="team-store",
    ),
    Seed(
        name="mocctl-anna",
        kind="Mocctl",
        left=None,
        token=_days(50),
        flags=ClientFlag.NONE,
        beats=False,
        owner="ops-anna",
    ),
    Seed(
        name="kvactl-ben",
        kind="Kvactl",
        left=_days(44.5),
        token=_days(44.5),
        flags=ClientFlag.NONE,
        beats=False,
        owner="ops-ben",
        login_file="/home/ben/.wssd/kvactl-login.yaml",
    ),
    Seed(
        name="gone-node",
        kind="NodeAgent",
        cluster="bonn-mgmt",
        flags=AUTO | ClientFlag.IDENTITY_REVOKED,
        beats=False,
        host="host-c",
    ),
    Seed(name="wl4-stranger", kind="Other", cluster="bonn-wl4", flags=AUTO | ClientFlag.ORPHAN),
    *_workload("bonn-wl3", "team-store", 29),
    *_workload("bonn-wl4", "team-web", 44),
    *_workload("bonn-wl5", "team-pay", 63),
)

AUTHORITIES: Final = (
    AuthorityInfo(
        generation=3,
        subject="bonn CA g3 20241203T101500Z",
        validity=Validity(not_before=NOW - 719 * DAY, not_after=NOW - 354 * DAY),
        status=AuthorityStatus.DISTRUSTED,
        fingerprint="71e0" * 16,
    ),
    AuthorityInfo(
        generation=4,
        subject="bonn CA g4 20260119T131500Z",
        validity=Validity(not_before=NOW - 307 * DAY, not_after=NOW + 58 * DAY + 3 * HOUR),
        status=AuthorityStatus.ISSUING,
        fingerprint="9c41" * 16,
    ),
)
CLUSTERS: Final = (
    ClusterInfo(name="bonn-mgmt", is_management=True),
    ClusterInfo(name="bonn-wl3", is_management=False),
    ClusterInfo(name="bonn-wl4", is_management=False),
    ClusterInfo(name="bonn-wl5", is_management=False),
)


def snapshot(
    seeds: Sequence[Seed] = SEEDS,
    *,
    at: datetime = NOW,
    change: int = 1,
    rotation_phase: str = "",
    rotation_held: bool = False,
) -> FleetDelta:
    """Return the whole fleet as the agent would send it in one chunk."""
    names: list[str] = []
    places: dict[str, int] = {}
    rows: dict[str, list[int]] = {column.name: [] for column in fields(ClientColumns)}

    def put(text: str) -> int:
        if text not in places:
            places[text] = len(names)
            names.append(text)
        return places[text]

    for number, seed in enumerate(seeds, 1):
        values = _row(number, seed, at, put)
        for column, value in values.items():
            rows[column].append(value)
    return FleetDelta(
        change=change,
        agent_time=unix(at),
        full=True,
        last=True,
        deployment=DEPLOYMENT,
        names=names,
        clients=ClientColumns(**rows),
        authorities=AUTHORITIES,
        clusters=CLUSTERS,
        bundle_epoch=7,
        agent_version="0.1.0",
        rotation_phase=rotation_phase,
        rotation_held=rotation_held,
    )


def _row(number: int, seed: Seed, at: datetime, put: Callable[[str], int]) -> dict[str, int]:
    ends = None if seed.left is None else NOW + seed.left
    token = None if seed.token is None else NOW + seed.token
    return {
        "number": number,
        "name": put(seed.name),
        "kind": put(seed.kind),
        "cluster": put(seed.cluster),
        "host": put(seed.host),
        "owner": put(seed.owner),
        "certificate_not_before": unix(None if ends is None else ends - LIFETIME),
        "certificate_not_after": unix(ends),
        "generation": seed.generation,
        "serial_low": 0x5F2A91C077DE0000 + number,
        "used_serial_low": 0x5F2A91C077DE0000 + number,
        "token_issued_at": unix(None if token is None else token - LIFETIME),
        "token_expires_at": unix(token),
        "last_seen_at": unix(at - seed.silent_for),
        "heartbeat_at": unix(at - seed.silent_for) if seed.beats else 0,
        "heartbeat_interval": 30 if seed.beats else 0,
        "skew": seed.skew,
        "flags": int(seed.flags),
        "planned_off_until": 0,
        "activity": put(seed.activity),
    }
