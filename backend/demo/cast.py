"""Who lives in the demo: every client of the source document, and every state of domain.md 16.2 at least once.

A table and nothing else. What a row expects is compared with the judgement of the seeded store by a test.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from backend.core.facts import Overlay, Severity, State
from backend.core.model import ClientKind
from backend.demo.stories import DAY, MINUTE, Living, Story

DEPLOYMENT: Final = "harbor"
NEIGHBOURS: Final = ("fjord", "delta")  # further sites, in the order in which `--sites` adds them
MANAGEMENT: Final = "mgmt"
PLANNED_OFF: Final = "lab"
REMOVED: Final = "pilot"
REPAIRED_BY_HAND: Final = "kvactl-ana-h2"  # an operation on it waits for its login file to be carried

_HOUR: Final = timedelta(hours=1)
_LIVING: Final = Living()
_SECOND: Final = timedelta(seconds=1)


def _fine(name: str, kind: ClientKind, **changes: object) -> Story:
    """A living client with nothing to report."""
    story = Story(name=name, kind=kind, expect=State.OK, severity=Severity.OK, living=_LIVING)
    return replace(story, **changes)  # type: ignore[arg-type] # the fields of a story


def _silent(name: str, kind: ClientKind, expect: State, severity: Severity, **changes: object) -> Story:
    """A client of MOC's own, which sends no heartbeats; seen three hours ago, unless told otherwise."""
    story = Story(name=name, kind=kind, expect=expect, severity=severity, last_call=3 * _HOUR, auto_renew=False)
    return replace(story, **changes)  # type: ignore[arg-type] # the fields of a story


_HOSTS: Final = (
    _fine("host-01", ClientKind.NODE_AGENT, host="host-01", created_ago=160 * DAY, is_veteran=True),
    _fine(
        "host-02", ClientKind.NODE_AGENT,
        host="host-02", certificate_left=52 * DAY, living=Living(clock_offset=45 * _SECOND),
    ),
    _silent(
        "host-03", ClientKind.NODE_AGENT, State.EMPTY, Severity.WARNING,
        host="host-03", unminted="none", certificate_left=None, last_call=None, created_ago=DAY, auto_renew=None,
    ),
)  # fmt: skip

_MANAGEMENT: Final = (
    _fine("mgmt-kva", ClientKind.KVA, created_ago=158 * DAY, is_veteran=True, certificate_left=47 * DAY),
    _fine("mgmt-kms", ClientKind.KMS, created_ago=158 * DAY, is_veteran=True, certificate_left=66 * DAY),
    _fine("mgmt-operator", ClientKind.CLOUD_OPERATOR, certificate_left=71 * DAY, token_left=44 * DAY),
    _fine("mgmt-csi", ClientKind.CSI, certificate_left=58 * DAY, token_left=39 * DAY),
    # Its token comes to its last 30 % in a minute and a half: the agent rotates it and writes the file it watches.
    _fine(
        "mgmt-certmgr", ClientKind.CERT_MANAGER,
        certificate_left=64 * DAY, token_left=27 * DAY + 90 * _SECOND, auto_rotate=True, has_login_path=True,
    ),
    _fine("mgmt-caph", ClientKind.CAPH, created_ago=158 * DAY, is_veteran=True, certificate_left=43 * DAY),
    _silent(
        "mgmt-ccm", ClientKind.CLOUD_PROVIDER, State.OVERDUE, Severity.WARNING,
        auto_renew=True, certificate_left=21 * DAY + 5 * _HOUR,
    ),
    _fine("mgmt-dns", ClientKind.OTHER, owner="network", certificate_left=76 * DAY, token_left=50 * DAY),
    _fine("mgmt-ipam", ClientKind.OTHER, owner="network", certificate_left=61 * DAY, token_left=70 * DAY),
    _fine("mgmt-images", ClientKind.OTHER, certificate_left=54 * DAY, token_left=33 * DAY),
    # It says autoRotate, and nobody can bring it a token: no heartbeats, no file, no Secret.
    _silent(
        "mgmt-arc", ClientKind.OTHER, State.TOKEN_DUE, Severity.WARNING,
        overlays=frozenset({Overlay.ROTATION_FAILS}), auto_renew=True, auto_rotate=True,
        token_left=26 * DAY + 4 * _HOUR, certificate_left=57 * DAY,
    ),
    # In a minute it is due, in two the token below has ended, and in three the certificate of kvactl-ana-h1.
    _silent(
        "mgmt-backup", ClientKind.OTHER, State.OK, Severity.OK,
        owner="storage", certificate_left=27 * DAY + MINUTE, token_left=40 * DAY,
    ),
    _silent(
        "mgmt-metrics", ClientKind.OTHER, State.TOKEN_DUE, Severity.CRITICAL,
        owner="observability", certificate_left=49 * DAY, token_left=2 * MINUTE,
    ),
)  # fmt: skip

_TOOLS: Final = (
    _fine(
        "mocctl-ana-h1", ClientKind.MOCCTL,
        host="host-01", owner="ana", roles=("Contributor",), lifetime=60 * DAY, certificate_left=38 * DAY,
    ),
    _fine(
        "mocctl-ben-h1", ClientKind.MOCCTL,
        host="host-01", owner="ben", roles=("Contributor",), lifetime=60 * DAY, certificate_left=44 * DAY,
    ),
    _fine(
        "kvactl-ben-h1", ClientKind.KVACTL,
        host="host-01", owner="ben", lifetime=60 * DAY, certificate_left=51 * DAY,
    ),
    _silent(
        "kvactl-ana-h1", ClientKind.KVACTL, State.DUE, Severity.CRITICAL,
        host="host-01", owner="ana", lifetime=60 * DAY, certificate_left=3 * MINUTE, token_left=35 * DAY,
    ),
    _silent(
        "kvactl-ben-h2", ClientKind.KVACTL, State.REPAIRABLE, Severity.EXPIRED,
        host="host-02", owner="ben", lifetime=60 * DAY, certificate_left=-2 * DAY - 7 * _HOUR, token_left=31 * DAY,
        last_call=9 * DAY,
    ),
    _silent(
        "mocctl-ben-h2", ClientKind.MOCCTL, State.SKEW, Severity.CRITICAL,
        host="host-02", owner="ben", lifetime=60 * DAY, early_by=6 * _HOUR, token_left=89 * DAY, last_call=None,
    ),
    _silent(
        "mocctl-ana-h2", ClientKind.MOCCTL, State.TRUST_BROKEN, Severity.EXPIRED,
        host="host-02", owner="ana", lifetime=365 * DAY, certificate_left=165 * DAY, token_left=-110 * DAY,
        last_call=131 * DAY,
    ),
    _silent(
        REPAIRED_BY_HAND, ClientKind.KVACTL, State.TRUST_BROKEN, Severity.EXPIRED,
        overlays=frozenset({Overlay.ACTION_RUNNING}),
        host="host-02", owner="ana", lifetime=365 * DAY, certificate_left=165 * DAY, token_left=-110 * DAY,
        last_call=126 * DAY,
    ),
    _fine("eve", ClientKind.ADMIN, cluster="", owner="eve", roles=("Owner",), certificate_left=72 * DAY),
    _silent(
        "noor", ClientKind.ADMIN, State.NEVER_SIGNED_IN, Severity.WARNING,
        cluster="", owner="noor", roles=("Reader",), certificate_left=None, token_left=88 * DAY,
        last_call=None, auto_renew=None,
    ),
    _silent(
        "kim", ClientKind.ADMIN, State.REVOKED, Severity.EXPIRED,
        cluster="", owner="kim", certificate_left=29 * DAY, token_left=29 * DAY, last_call=14 * DAY,
        revoked_ago=12 * DAY,
    ),
)  # fmt: skip

_SHOP: Final = (
    _fine(
        "shop-kms", ClientKind.KMS, expect=State.LATENT, severity=Severity.CRITICAL,
        certificate_left=46 * DAY, token_left=-11 * DAY, has_login_path=True,
    ),
    _fine(
        "shop-csi", ClientKind.CSI, expect=State.LATENT, severity=Severity.WARNING,
        certificate_left=55 * DAY, token_left=-4 * DAY, has_login_path=True,
    ),
    _fine(
        "shop-certmgr", ClientKind.CERT_MANAGER,
        expect=State.TOKEN_DUE, severity=Severity.WARNING, certificate_left=68 * DAY, token_left=19 * DAY,
    ),
    _silent(
        "shop-ccm", ClientKind.CLOUD_PROVIDER, State.DUE, Severity.INFO,
        auto_renew=True, certificate_left=26 * DAY + 8 * _HOUR, token_left=48 * DAY,
    ),
    _silent(
        "shop-lb-1", ClientKind.LB_AGENT, State.OK, Severity.UNKNOWN,
        overlays=frozenset({Overlay.STALE}), auto_renew=True, beats_until=10 * MINUTE, last_call=None,
    ),
    _silent(
        "shop-lb-2", ClientKind.LB_AGENT, State.OK_UNKNOWN, Severity.INFO,
        unminted="elsewhere", certificate_left=63 * DAY,
    ),
    # It let its renewal slot pass while it still reported that all was well, and fell silent this morning.
    _silent(
        "shop-search", ClientKind.OTHER, State.DUE, Severity.UNKNOWN,
        overlays=frozenset({Overlay.STALE, Overlay.MISSED_SLOT}), owner="search", auto_renew=True,
        certificate_left=25 * DAY + 16 * _HOUR, token_left=57 * DAY, beats_until=5 * _HOUR, last_call=None,
    ),
    _fine("shop-proxy", ClientKind.OTHER, owner="network", certificate_left=69 * DAY, token_left=55 * DAY),
    _fine("shop-ingress", ClientKind.OTHER, owner="network", certificate_left=74 * DAY, token_left=62 * DAY),
)  # fmt: skip

_LEDGER: Final = (
    _silent(
        "ledger-kms", ClientKind.KMS, State.LOCKED_OUT, Severity.EXPIRED,
        certificate_left=-6 * DAY, token_left=-28 * DAY, last_call=20 * DAY,
    ),
    _fine(
        "ledger-csi", ClientKind.CSI, expect=State.DUE, severity=Severity.WARNING,
        auto_renew=False, certificate_left=19 * DAY, token_left=66 * DAY, living=Living(renews_itself=False),
    ),
    # It runs, watches its login file, and cannot call: the agent's file is its way back.
    _fine(
        "ledger-certmgr", ClientKind.CERT_MANAGER, expect=State.LOCKED_OUT, severity=Severity.EXPIRED,
        certificate_left=-3 * DAY, token_left=-3 * DAY, has_login_path=True, last_call=5 * DAY,
    ),
    _silent(
        "ledger-ccm", ClientKind.CLOUD_PROVIDER, State.DUE_UNKNOWN, Severity.WARNING,
        unminted="elsewhere", certificate_left=22 * DAY,
    ),
    _fine("ledger-lb-1", ClientKind.LB_AGENT, certificate_left=56 * DAY, token_left=41 * DAY),
    _silent(
        "ledger-lb-2", ClientKind.LB_AGENT, State.LATENT, Severity.WARNING,
        unminted="none", certificate_left=50 * DAY,
    ),
    _silent(
        "ledger-proxy", ClientKind.OTHER, State.EXPIRED_UNKNOWN, Severity.EXPIRED,
        owner="network", unminted="elsewhere", certificate_left=-DAY, last_call=2 * DAY,
    ),
    _fine("ledger-ingress", ClientKind.OTHER, owner="network", certificate_left=73 * DAY, token_left=58 * DAY),
    _fine("ledger-backup", ClientKind.OTHER, owner="storage", certificate_left=59 * DAY, token_left=45 * DAY),
)  # fmt: skip

_SWITCHED_OFF: Final = frozenset({Overlay.PLANNED_OFF})
_LAB: Final = tuple(
    Story(
        name=f"{PLANNED_OFF}-{name}",
        kind=kind,
        expect=State.OK,
        severity=Severity.INFO,
        overlays=_SWITCHED_OFF,
        certificate_left=(48 + 5 * index) * DAY,
        token_left=(46 + 5 * index) * DAY,
        beats_until=DAY,
    )
    for index, (name, kind) in enumerate(
        (
            ("kms", ClientKind.KMS),
            ("csi", ClientKind.CSI),
            ("certmgr", ClientKind.CERT_MANAGER),
            ("ccm", ClientKind.CLOUD_PROVIDER),
            ("lb-1", ClientKind.LB_AGENT),
            ("lb-2", ClientKind.LB_AGENT),
        )
    )
)

_PILOT: Final = (
    _silent(
        "pilot-csi", ClientKind.CSI, State.OK, Severity.INFO,
        overlays=frozenset({Overlay.ORPHAN}), auto_renew=True, last_call=16 * DAY,
    ),
)  # fmt: skip


def _in(cluster: str, stories: tuple[Story, ...]) -> tuple[Story, ...]:
    return tuple(replace(story, cluster=cluster) for story in stories)


CAST: Final[tuple[Story, ...]] = (
    *_HOSTS,
    *_MANAGEMENT,
    *_TOOLS,
    *_in("shop", _SHOP),
    *_in("ledger", _LEDGER),
    *_in(PLANNED_OFF, _LAB),
    *_in(REMOVED, _PILOT),
)


def neighbour(name: str) -> tuple[Story, ...]:
    """Who lives at a further site: its hosts, its management cluster, and one workload cluster of its own name."""
    return (*_HOSTS, *_MANAGEMENT, *_in(f"{name}-wl", _SHOP))
