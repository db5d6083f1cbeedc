"""Alerts in the store: findings become owed notices in one commit, and quiet belongs to those who may act."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.core.alerts import Alert, AlertEvent, Finding, pending_changes
from backend.core.errors import InvalidInput, NotFound
from backend.core.facts import Severity
from backend.core.model import Cluster, Outcome, Secret
from backend.service import alerts, fleet, outbox
from backend.service.alert_file import Sink
from backend.store.alert_records import NoticeRow

if TYPE_CHECKING:
    from tests.service.conftest import Site

DAY = timedelta(days=1)
EXPIRED, CRITICAL, WARNING = Severity.EXPIRED, Severity.CRITICAL, Severity.WARNING
ONCALL = Sink(name="oncall", url=Secret("https://a.example/x"), place="https://a.example")
PAGER = Sink(name="pager", url=Secret("https://b.example/x"), place="https://b.example", least=CRITICAL)


def seen(severity: Severity, entity: str = "client:7", name: str = "kms-1", cluster: str = "") -> Finding:
    return Finding(entity=entity, name=name, cluster=cluster, severity=severity, state="LATENT", summary="ended")


def find(site: Site, *findings: Finding, sinks: Sequence[Sink] = (ONCALL,), is_complete: bool = True) -> int:
    with site.transaction() as tx:
        now = site.clock.now()
        known, silences = alerts.known_alerts(tx), alerts.live_silences(tx, now)
        changes = pending_changes(known, findings, silences, now, is_complete=is_complete)
        return alerts.apply_changes(tx, site.world, changes, sinks).told


def owed(site: Site, sink: Sink = ONCALL) -> list[NoticeRow]:
    with site.transaction() as tx:
        return list(tx.notices.owed(sink.name, 100))


def told(site: Site, sink: Sink = ONCALL) -> list[tuple[str, AlertEvent]]:
    """Take everything that is owed, as a sink that works does."""
    with site.transaction() as tx:
        parcel = outbox.take(tx, site.world, sink, is_well=False)
        if parcel is None:
            return []
        outbox.mark_sent(tx, site.world, sink, parcel)
        return [(notice.name, notice.event) for notice in parcel.notices]


def standing(site: Site) -> list[Alert]:
    with site.transaction() as tx:
        return list(alerts.view(tx).alerts)


def test_a_finding_is_owed_once_to_each_sink_that_wants_its_tier(site: Site) -> None:
    assert find(site, seen(WARNING), sinks=[ONCALL, PAGER]) == 1
    assert find(site, seen(WARNING), sinks=[ONCALL, PAGER]) == 0
    assert told(site) == [("kms-1", AlertEvent.RAISED)]
    assert told(site, PAGER) == []
    find(site, seen(CRITICAL), sinks=[ONCALL, PAGER])
    assert told(site) == [("kms-1", AlertEvent.WORSE)]
    assert told(site, PAGER) == [("kms-1", AlertEvent.RAISED)]
    find(site, sinks=[ONCALL, PAGER])
    assert told(site) == told(site, PAGER) == [("kms-1", AlertEvent.CLEARED)]
    assert standing(site) == []


def test_a_day_later_it_is_told_again(site: Site) -> None:
    find(site, seen(WARNING))
    told(site)
    site.clock.advance(DAY - timedelta(seconds=1))
    find(site, seen(WARNING))
    assert told(site) == []
    site.clock.advance(timedelta(seconds=1))
    find(site, seen(WARNING))
    assert told(site) == [("kms-1", AlertEvent.REPEATED)]


def test_a_sink_that_was_away_gets_the_present_and_no_flood(site: Site) -> None:
    for severity in (WARNING, CRITICAL, EXPIRED, CRITICAL):
        find(site, seen(severity))
        site.clock.advance(2 * DAY)
    (notice,) = owed(site)
    assert (notice.event, notice.before, notice.after) == (AlertEvent.RAISED, None, CRITICAL)


def test_what_came_and_went_unheard_is_not_told(site: Site) -> None:
    find(site, seen(WARNING))
    find(site)
    assert owed(site) == []


def test_what_may_have_been_heard_is_cleared(site: Site) -> None:
    find(site, seen(WARNING))
    with site.transaction() as tx:
        assert outbox.take(tx, site.world, ONCALL, is_well=True) is not None
        outbox.mark_failed(tx, site.world, ONCALL, "no answer within 15 s")
    find(site)
    assert [notice.event for notice in owed(site)] == [AlertEvent.CLEARED]


def test_an_acknowledgement_holds_until_worse_breaks_it(site: Site) -> None:
    find(site, seen(WARNING))
    told(site)
    with site.transaction() as tx:
        made = alerts.acknowledge(tx, site.world, site.admin, "kms-1", site.clock.now() + 9 * DAY, "spare part comes")
    assert (made.ceiling, made.actor) == (WARNING, "admin")
    site.clock.advance(3 * DAY)
    assert find(site, seen(WARNING)) == 0
    assert standing(site)[0].held.startswith("acknowledged until")
    assert find(site, seen(CRITICAL)) == 1
    assert told(site) == [("kms-1", AlertEvent.WORSE)]
    with site.transaction() as tx:
        assert alerts.view(tx).silences == []


def test_an_acknowledgement_ends_by_itself_and_with_its_alert(site: Site) -> None:
    find(site, seen(WARNING), seen(WARNING, "client:8", "csi-1"))
    told(site)
    with site.transaction() as tx:
        for name in ("kms-1", "client:8"):
            alerts.acknowledge(tx, site.world, site.admin, name, site.clock.now() + 2 * DAY, "")
    find(site, seen(WARNING))
    with site.transaction() as tx:
        assert [silence.name for silence in alerts.view(tx).silences] == ["kms-1"]
    told(site)
    site.clock.advance(2 * DAY)
    find(site, seen(WARNING))
    assert told(site) == [("kms-1", AlertEvent.REPEATED)]
    with site.transaction() as tx:
        assert alerts.view(tx).silences == []


def test_a_silenced_cluster_is_quiet_about_warnings_of_its_clients_only(site: Site) -> None:
    with site.transaction() as tx:
        fleet.put_cluster(tx, site.world, site.admin, Cluster(name="wl-1", is_management=False))
        alerts.silence(tx, site.world, site.admin, "wl-1", site.clock.now() + DAY, "moved", is_cluster=True)
    find(
        site,
        seen(WARNING, "client:7", "kms-1", "wl-1"),
        seen(CRITICAL, "client:8", "csi-1", "wl-1"),
        seen(WARNING, "client:9", "kva", ""),
    )
    assert {name for name, _ in told(site)} == {"csi-1", "kva"}
    with site.transaction() as tx:
        assert [silence.name for silence in alerts.view(tx).silences] == ["wl-1"], "it stays for the others"
        alerts.silence(tx, site.world, site.admin, "wl-1", None, "", is_cluster=True)
    find(site, seen(WARNING, "client:7", "kms-1", "wl-1"), seen(CRITICAL, "client:8", "csi-1", "wl-1"))
    assert ("kms-1", AlertEvent.RAISED) in told(site)


def test_silencing_a_client_needs_no_alert_and_is_audited(site: Site) -> None:
    site.identity("csi-1")
    with site.transaction() as tx:
        made = alerts.silence(tx, site.world, site.admin, "csi-1", site.clock.now() + DAY, "why", is_cluster=False)
        assert made is not None
        assert made.subject.startswith("client:")
        event = tx.audit.newest(1)[0]
    assert (event.action, event.subject, event.actor) == ("silence_alerts", "csi-1", "admin")
    assert event.detail["reason"] == "why"


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_silence_ends_in_the_future_and_within_a_year(site: Site, days: int) -> None:
    find(site, seen(WARNING))
    with site.transaction() as tx, pytest.raises(InvalidInput, match="within a year"):
        alerts.acknowledge(tx, site.world, site.admin, "kms-1", site.clock.now() + days * DAY, "")


def test_what_does_not_exist_cannot_be_silenced(site: Site) -> None:
    until = site.clock.now() + DAY
    with site.transaction() as tx:
        with pytest.raises(NotFound):
            alerts.acknowledge(tx, site.world, site.admin, "nobody", until, "")
        with pytest.raises(NotFound):
            alerts.silence(tx, site.world, site.admin, "nobody", until, "", is_cluster=False)
        with pytest.raises(NotFound):
            alerts.silence(tx, site.world, site.admin, "nobody", until, "", is_cluster=True)
        with pytest.raises(NotFound):
            alerts.silence(tx, site.world, site.admin, "admin", None, "", is_cluster=False)
        with pytest.raises(NotFound):
            alerts.test_sinks(tx, site.world, site.admin, "", ())


def test_what_was_not_looked_at_is_not_taken_for_well(site: Site) -> None:
    find(site, seen(CRITICAL))
    told(site)
    find(site, seen(CRITICAL, "agent:clock", "agent's clock"), is_complete=False)
    assert told(site) == [("agent's clock", AlertEvent.RAISED)]
    assert {alert.name for alert in standing(site)} == {"kms-1", "agent's clock"}


def test_failures_wait_longer_each_time_and_leave_one_link_for_their_beginning_and_end(site: Site) -> None:
    find(site, seen(WARNING))
    waits = []
    for _ in range(9):
        with site.transaction() as tx:
            assert outbox.take(tx, site.world, ONCALL, is_well=True) is not None
            outbox.mark_failed(tx, site.world, ONCALL, "https://a.example answered with status 500")
            row = tx.sinks.find("oncall")
            assert row is not None
            assert row.next_at is not None
            waits.append(int((row.next_at - site.clock.now()).total_seconds()))
            assert outbox.take(tx, site.world, ONCALL, is_well=True) is None
        site.clock.advance(timedelta(seconds=waits[-1]))
    assert waits == [10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert told(site) == [("kms-1", AlertEvent.RAISED)]
    with site.transaction() as tx:
        links = [event for event in tx.audit.newest(50) if event.action == "notify"]
        row = tx.sinks.find("oncall")
    assert [link.outcome for link in links] == [Outcome.DONE, Outcome.FAILED]
    assert row is not None
    assert (row.failing_since_at, row.attempts, row.failures, row.deliveries) == (None, 0, 9, 1)


def test_a_wait_does_not_outlive_a_clock_that_went_back(site: Site) -> None:
    find(site, seen(WARNING))
    with site.transaction() as tx:
        outbox.mark_failed(tx, site.world, ONCALL, "gone")
    site.clock.set(site.clock.now() - 30 * DAY)
    assert told(site) == [("kms-1", AlertEvent.RAISED)]


def test_a_new_sink_is_told_of_what_stands_and_a_removed_one_of_nothing(site: Site) -> None:
    with site.transaction() as tx:
        outbox.settle_sinks(tx, site.world, [ONCALL])
    find(site, seen(CRITICAL))
    told(site)
    with site.transaction() as tx:
        outbox.settle_sinks(tx, site.world, [ONCALL, PAGER])
    assert told(site) == []
    assert told(site, PAGER) == [("kms-1", AlertEvent.RAISED)]
    find(site, seen(EXPIRED))
    with site.transaction() as tx:
        outbox.settle_sinks(tx, site.world, [PAGER])
        assert [row.name for row in tx.sinks.all()] == ["pager"]
    assert owed(site) == []


def test_that_a_sink_fails_is_told_to_the_others(site: Site) -> None:
    find(site, seen(CRITICAL, "sink:oncall", "sink oncall"), sinks=[ONCALL, PAGER])
    assert owed(site) == []
    assert told(site, PAGER) == [("sink oncall", AlertEvent.RAISED)]


def test_notices_survive_a_restart_and_are_not_made_twice(site: Site) -> None:
    from backend.service.bootstrap import STORE_FILE
    from backend.store.sqlite import open_store

    find(site, seen(WARNING))
    first = owed(site)
    site.store.close()
    again = open_store(site.directory / STORE_FILE)
    try:
        with again.transaction() as tx:
            assert list(tx.notices.owed("oncall", 9)) == first
            assert alerts.apply_changes(tx, site.world, {"client:7": seen(WARNING)}, [ONCALL]).told == 0
            assert list(tx.notices.owed("oncall", 9)) == first
    finally:
        again.close()


def test_no_secret_of_a_sink_reaches_the_audit(site: Site) -> None:
    with site.transaction() as tx:
        outbox.mark_failed(tx, site.world, ONCALL, "gone")
        alerts.test_sinks(tx, site.world, site.admin, "", [ONCALL])
        text = json.dumps([dict(event.detail) for event in tx.audit.newest(10)])
    assert "https://a.example" in text
    assert ONCALL.url.reveal() not in text


def test_the_end_of_what_was_told_stays_in_the_audit_and_the_end_of_what_was_not_does_not(site: Site) -> None:
    find(site, seen(CRITICAL), sinks=[])
    raised = standing(site)[0].raised_at
    site.clock.advance(DAY)
    find(site, sinks=[])
    with site.transaction() as tx:
        (link,) = (event for event in tx.audit.newest(50) if event.action == "clear_alert")
    assert (link.subject, link.actor, link.detail["severity"]) == ("kms-1", "agent", "critical")
    assert link.detail["raised_at"] == f"{raised:%Y-%m-%dT%H:%M:%SZ}"
    find(site, replace(seen(WARNING), expected="an operation is under way"), sinks=[])
    find(site, sinks=[])
    with site.transaction() as tx:
        assert len([event for event in tx.audit.newest(50) if event.action == "clear_alert"]) == 1
