"""The forecasts of `mocdeck forecast` as metrics: who is stranded when, what may be off or restart, the CA's cliff.

The rules are `backend.core`'s; here they become numbers, made for a scrape and kept for a minute, because a forecast
moves with days and not with seconds. A series without its instant is left out, never 0. The judgement is that of the
screen's view `7`, so a rule never disagrees with it.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric

import backend
from backend.core.evidence import Evidence
from backend.core.facts import Overlay, State
from backend.core.fleet import FleetColumns
from backend.core.forecast import SiteForecast, forecast
from backend.core.safe_off import Reboot, SafeOff, Verdict
from backend.core.subjects import SiteView, Subject, read_site
from backend.core.token_policy import RotatedBy
from backend.core.upgrade import Readiness, Result, readiness

UPGRADE: Final = timedelta(days=1)  # how long an upgrade is taken to last, for its readiness
MARGIN: Final = timedelta(days=1)
FLEET: Final = "(fleet)"  # the name of the whole fleet among the clusters, as on the command line
_IDENTITY: Final = ("identity", "kind", "cluster")
_ANSWERS: Final = ("yes", "no", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is coming, as seen at one instant."""

    site: SiteView
    coming: SiteForecast
    upgrade: Readiness


def outlook(columns: FleetColumns, now: datetime) -> Outlook:
    """Forecast everything; takes a moment for ten thousand clients, so ask for it off the core's thread."""
    site = read_site(columns, now)
    return Outlook(
        site=site,
        coming=forecast(site),
        upgrade=readiness(site, duration=UPGRADE, margin=MARGIN, tool_version=backend.__version__),
    )


def families(found: Outlook) -> Iterator[Metric]:
    """Yield the families of one outlook."""
    yield from _stranding(found.site)
    yield from _silent_stops(found.site)
    yield from _rotations(found.site)
    yield from _clusters(found.coming)
    yield from _upgrade(found.upgrade)
    yield from _cliff(found.coming)


def _labels(subject: Subject) -> tuple[str, str, str]:
    return subject.name, subject.facts.kind.value, subject.cluster


def _stranding(site: SiteView) -> Iterator[Metric]:
    as_things_go = GaugeMetricFamily(
        "mocdeck_identity_stranded_from_timestamp_seconds",
        "First second from which the client cannot recover by itself, as things go.",
        labels=_IDENTITY,
    )
    if_silent = GaugeMetricFamily(
        "mocdeck_identity_stranded_if_silent_from_timestamp_seconds",
        "First second from which it cannot recover by itself if it fell silent now.",
        labels=_IDENTITY,
    )
    for subject in site.subjects:
        one = subject.stranding
        for family, instant in ((as_things_go, one.from_at), (if_silent, one.silent_from_at)):
            if instant is not None:
                family.add_metric(_labels(subject), instant.timestamp())
    yield from (as_things_go, if_silent)
    yield GaugeMetricFamily(
        "mocdeck_identities_stranded",
        "Clients that cannot recover by themselves now.",
        value=sum(subject.stranding.is_stranded(site.now) for subject in site.subjects),
    )


def _silent_stops(site: SiteView) -> Iterator[Metric]:
    """Of clients that promise to renew: whether the promise was broken without a word (pki.md 4.9, US-05)."""
    family = GaugeMetricFamily(
        "mocdeck_identity_renewal_stopped",
        "1 when a client that renews by itself has missed its slot, is overdue, or says that its loop is broken.",
        labels=_IDENTITY,
    )
    for subject in site.subjects:
        facts = subject.facts
        if facts.auto_renew is True or facts.loop_broken:
            has_stopped = facts.loop_broken or subject.found.state is State.OVERDUE
            has_stopped = has_stopped or Overlay.MISSED_SLOT in subject.found.overlays
            family.add_metric(_labels(subject), int(has_stopped))
    yield family


def _rotations(site: SiteView) -> Iterator[Metric]:
    counts = GaugeMetricFamily(
        "mocdeck_identities_by_token_rotation", "Clients by who rotates their token by itself.", labels=["by"]
    )
    counted = Tally(subject.facts.rotated_by for subject in site.subjects)
    for by in RotatedBy:
        counts.add_metric([by.value], counted[by])
    yield counts
    fails = GaugeMetricFamily(
        "mocdeck_identity_token_rotation_fails",
        "1 when the agent is to rotate the client's token by itself, and cannot or is late.",
        labels=_IDENTITY,
    )
    for subject in site.subjects:
        if subject.facts.rotated_by is not RotatedBy.NOBODY:
            fails.add_metric(_labels(subject), int(not Evidence(subject.facts, site.now).rotates))
    yield fails


def _clusters(coming: SiteForecast) -> Iterator[Metric]:
    until = GaugeMetricFamily(
        "mocdeck_cluster_safe_off_until_timestamp_seconds",
        "Until when the cluster may be switched off; left out where it may not.",
        labels=["cluster"],
    )
    verdict = GaugeMetricFamily(
        "mocdeck_cluster_safe_off", "1 for what is said of switching the cluster off.", labels=["cluster", "verdict"]
    )
    reboot = GaugeMetricFamily(
        "mocdeck_cluster_reboot_safe", "1 for whether the cluster may restart now.", labels=["cluster", "answer"]
    )
    pairs: list[tuple[SafeOff, Reboot]] = [(one.safe_off, one.reboot) for one in coming.clusters]
    for off, restart in (*pairs, (coming.fleet, coming.fleet_reboot)):
        name = off.name or FLEET
        if off.until is not None:
            until.add_metric([name], off.until.timestamp())
        for word in Verdict:
            verdict.add_metric([name, word.value], int(off.verdict is word))
        answer = "no" if not restart.is_safe else "unknown" if restart.unknown else "yes"
        for text in _ANSWERS:
            reboot.add_metric([name, text], int(text == answer))
    yield from (until, verdict, reboot)


def _upgrade(ready: Readiness) -> Iterator[Metric]:
    days = (UPGRADE + MARGIN).days
    whole = GaugeMetricFamily(
        "mocdeck_upgrade_ready",
        f"1 for the result of the upgrade's readiness: whether everything lasts for {days} days.",
        labels=["result"],
    )
    checks = GaugeMetricFamily(
        "mocdeck_upgrade_check", "1 for the result of each test of the upgrade's readiness.", labels=["test", "result"]
    )
    for word in Result:
        whole.add_metric([word.value], int(ready.result is word))
        for check in ready.checks:
            checks.add_metric([check.test, word.value], int(check.result is word))
    yield from (whole, checks)


def _cliff(coming: SiteForecast) -> Iterator[Metric]:
    begins = GaugeMetricFamily(
        "mocdeck_ca_cliff_timestamp_seconds",
        "First second from which new certificates are cut short by the end of the CA that issues.",
        labels=["generation"],
    )
    limited = GaugeMetricFamily(
        "mocdeck_ca_limited_identities",
        "Clients whose certificate ends with the CA or after it.",
        labels=["generation"],
    )
    if coming.cliff is not None:
        generation = [str(coming.cliff.generation)]
        begins.add_metric(generation, coming.cliff.shortened_from.timestamp())
        limited.add_metric(generation, len(coming.cliff.limited))
    yield from (begins, limited)
