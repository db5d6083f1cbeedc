"""What is coming, for a whole site at one instant: clusters, the fleet, the CA. Gathers; the rules lie elsewhere.

Cheap enough to be asked every few seconds for ten thousand clients by a screen or a metrics page that also wants the
clients' own forecasts, which `backend.core.subjects` holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from backend.core.cliff import Cliff, cliff
from backend.core.facts import ClientFacts
from backend.core.lifecycle import Validity
from backend.core.safe_off import Reboot, SafeOff, safe_off, safe_to_reboot
from backend.core.stranding import Outlook
from backend.core.subjects import SiteView, Subject

Leaves = Sequence[tuple[str, Validity]]  # in-cluster certificates whose dates are known, by name


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterForecast:
    """One cluster: until when it may be off, and whether it may restart now."""

    name: str
    is_management: bool
    safe_off: SafeOff
    reboot: Reboot


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteForecast:
    """All clusters by name, the fleet as one, and the issuing CA's cliff (None: the agent names no issuing CA)."""

    clusters: tuple[ClusterForecast, ...]
    fleet: SafeOff
    fleet_reboot: Reboot
    cliff: Cliff | None


def forecast(site: SiteView, *, leaves: Mapping[str, Leaves] | None = None) -> SiteForecast:
    """Forecast a site; `leaves` are the in-cluster certificates by cluster, where somebody observes them."""
    known = leaves or {}
    members: dict[str, list[ClientFacts]] = {cluster.name: [] for cluster in site.present_clusters}
    gone = {cluster.name for cluster in site.clusters} - members.keys()
    for subject in site.subjects:
        if subject.cluster and subject.cluster not in gone:
            members.setdefault(subject.cluster, []).append(subject.facts)
    management = {cluster.name for cluster in site.present_clusters if cluster.is_management}
    everyone = [subject.facts for subject in site.subjects]
    return SiteForecast(
        clusters=tuple(
            ClusterForecast(
                name=name,
                is_management=name in management,
                safe_off=safe_off(name, members[name], site.now, issuing=site.issuing, leaves=known.get(name, ())),
                reboot=safe_to_reboot(name, members[name], site.now),
            )
            for name in sorted(members)
        ),
        fleet=safe_off(
            "", everyone, site.now, issuing=site.issuing, leaves=[leaf for part in known.values() for leaf in part]
        ),
        fleet_reboot=safe_to_reboot("", everyone, site.now),
        cliff=None if site.issuing is None else cliff(site.issuing, site.subjects),
    )


def by_stranding(subjects: Iterable[Subject]) -> list[Subject]:
    """Return clients by the second from which they cannot recover: who is beyond help first, who is unknown last."""

    def key(subject: Subject) -> tuple[int, float, str]:
        found = subject.stranding
        rank = (Outlook.STRANDED, Outlook.DATED, Outlook.UNKNOWN).index(found.outlook)
        return rank, 0.0 if found.from_at is None else found.from_at.timestamp(), subject.name

    return sorted(subjects, key=key)


def strands_within(subject: Subject, site: SiteView, window: timedelta) -> bool:
    """Tell whether a client is beyond its own help now or before `window` has passed."""
    from_at = subject.stranding.from_at
    return subject.stranding.is_stranded(site.now) or (from_at is not None and from_at <= site.now + window)
