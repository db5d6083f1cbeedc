"""The fleet as columns: what a reader gets, and what it gets again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from backend.core.delta import ClientFlag
from backend.core.errors import NotFound
from backend.core.facts import Assessment, Overlay, Severity, State
from backend.core.fleet import FleetColumns
from backend.core.health import assess
from backend.core.lifecycle import share
from backend.core.limits import OVERDUE, SLOT_GRACE
from backend.core.model import ClientKind, Cluster, RevokeReason
from backend.service.fleet import describe, put_cluster, read, remove_cluster

if TYPE_CHECKING:
    from tests.service.live.conftest import Live


def load(live: Live, columns: FleetColumns, limit: int = 2000) -> FleetColumns:
    with live.site.transaction() as tx:
        for delta in read(tx, live.site.world, columns.change, limit):
            columns.apply(delta)
    return columns


def state(live: Live, columns: FleetColumns, name: str) -> State:
    now = live.site.clock.now()
    index = next(i for i in range(len(columns)) if columns.text("name", i) == name)
    return assess(columns.facts(index, now=now, agent_alive=True, agent_now=now), now).state


def test_a_new_reader_gets_every_client_in_chunks_of_the_asked_size(live: Live) -> None:
    for number in range(5):
        live.client(f"kva-{number}")
    with live.site.transaction() as tx:
        deltas = read(tx, live.site.world, 0, limit=2)
    assert [len(delta.clients) for delta in deltas] == [2, 2, 2]
    assert [delta.full for delta in deltas] == [True, False, False]
    assert [delta.last for delta in deltas] == [False, False, True]
    columns = load(live, FleetColumns(), limit=2)
    assert len(columns) == 6  # with the administrator
    assert columns.deployment == "north"
    assert columns.authorities[0].generation == 1


def test_a_reader_who_knows_the_counter_gets_only_what_changed(live: Live) -> None:
    first, second = live.client("kva-1"), live.client("kva-2")
    columns = load(live, FleetColumns())
    second.beat()
    with live.site.transaction() as tx:
        deltas = read(tx, live.site.world, columns.change)
    assert [list(delta.clients.number) for delta in deltas] == [[second.number]]
    load(live, columns)
    with live.site.transaction() as tx:
        (nothing,) = read(tx, live.site.world, columns.change)
    assert not len(nothing.clients)
    assert nothing.last
    assert first.number


def test_a_counter_from_the_future_is_answered_in_full(live: Live) -> None:
    with live.site.transaction() as tx:
        assert read(tx, live.site.world, 10**9)[0].full


def test_a_deleted_client_leaves_the_reader(live: Live) -> None:
    from backend.service import identities

    client = live.client("kva")
    columns = load(live, FleetColumns())
    with live.site.transaction() as tx:
        identities.delete(tx, live.site.world, live.site.admin, "kva")
    load(live, columns)
    assert columns.index_of(client.number) is None


def test_the_current_certificate_is_the_one_used_until_it_ends_and_then_the_newest(live: Live) -> None:
    client = live.client("kva")
    used = client.certificate
    assert used is not None
    live.site.clock.advance(timedelta(days=1))
    client.renew()  # issued, never used
    columns = load(live, FleetColumns())
    index = columns.index_of(client.number)
    assert index is not None
    assert columns.row(index).serial_low == used.serial & (2**64 - 1)
    live.site.clock.advance(timedelta(days=89, seconds=1))
    newest = client.certificate
    assert newest is not None
    row = load(live, FleetColumns()).row(index)
    assert row.serial_low == newest.serial & (2**64 - 1)
    assert row.used_serial_low == used.serial & (2**64 - 1)


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_client_that_went_back_to_its_older_certificate_is_shown_with_that_one(live: Live, seconds: int) -> None:
    """A client falls back to the pair before when its fresh one is lost; list, detail and plan must say the same."""
    client = live.client("kva")
    older = client.certificate
    assert older is not None
    live.site.clock.advance(timedelta(days=1))
    client.renew()
    client.call()
    live.site.clock.advance(timedelta(seconds=seconds))
    client.certificate = older
    client.call()
    columns = load(live, FleetColumns())
    row = columns.row(columns.index_of(client.number) or 0)
    assert row.serial_low == row.used_serial_low == older.serial & (2**64 - 1)
    with live.site.transaction() as tx:
        found = describe(tx, live.site.world, "kva")
    assert [one.certificate.serial for one in found.certificates if one.current] == [older.serial]


def test_a_program_that_promises_no_heartbeats_is_not_missed_when_it_is_closed(live: Live) -> None:
    client = live.client("laptop", kind=ClientKind.MOCCTL, cluster="")
    client.beat(interval=timedelta(0), loop_alive=False)
    live.site.clock.advance(timedelta(days=2))
    columns = load(live, FleetColumns())
    index = columns.index_of(client.number) or 0
    assert columns.row(index).heartbeat_interval == timedelta(0)
    now = live.site.clock.now()
    assert not assess(columns.facts(index, now=now, agent_alive=True, agent_now=now), now).overlays


def test_a_certificate_revoked_by_a_person_is_revoked_and_the_newer_one_counts(live: Live) -> None:
    client = live.client("kva")
    assert client.certificate is not None
    with live.site.transaction() as tx:
        tx.certificates.revoke(client.certificate.serial, live.site.clock.now(), RevokeReason.CERTIFICATE)
    assert state(live, load(live, FleetColumns()), "kva") is State.REVOKED
    client.sign_in()
    client.call()
    assert state(live, load(live, FleetColumns()), "kva") is State.OK


def test_a_service_without_a_cluster_is_an_orphan_and_an_administrators_tool_is_not(live: Live) -> None:
    live.client("stray", cluster="")
    live.client("tool", cluster="", kind=ClientKind.MOCCTL)
    columns = load(live, FleetColumns())
    orphans = {columns.row(i).name for i in range(len(columns)) if columns.row(i).flags & ClientFlag.ORPHAN}
    assert orphans == {"stray"}


def test_the_clients_of_a_removed_cluster_are_orphans_until_it_is_back(live: Live) -> None:
    live.client("kva", cluster="edge-1")
    site = live.site
    columns = load(live, FleetColumns())
    with site.transaction() as tx:
        remove_cluster(tx, site.world, site.admin, "edge-1")
    load(live, columns)
    assert columns.row(columns.index_of(live.clients["kva"].number) or 0).flags & ClientFlag.ORPHAN
    assert any(cluster.is_removed for cluster in columns.clusters)
    with site.transaction() as tx:
        put_cluster(tx, site.world, site.admin, Cluster(name="edge-1", is_management=False))
    load(live, columns)
    assert not columns.row(columns.index_of(live.clients["kva"].number) or 0).flags & ClientFlag.ORPHAN
    with site.transaction() as tx, pytest.raises(NotFound, match="no cluster"):
        remove_cluster(tx, site.world, site.admin, "nowhere")


def test_one_client_is_described_in_full(live: Live) -> None:
    client = live.client("kva", owner="ops@example.test", host="host-1")
    live.site.clock.advance(timedelta(days=1))
    client.renew()
    client.call()
    with live.site.transaction() as tx:
        found = describe(tx, live.site.world, "kva")
    assert [described.current for described in found.certificates] == [True, False]
    assert found.certificates[0].certificate.renew_count == 1
    assert found.owner == "ops@example.test"
    assert found.last_seen is not None
    assert found.last_seen.serial == found.certificates[0].certificate.serial
    assert found.history[0].action == "renew"
    assert found.delivery_route == "manual"  # its last heartbeat is a day old
    client.beat()
    with live.site.transaction() as tx:
        assert describe(tx, live.site.world, "kva").delivery_route == "heartbeat"


def test_the_columns_carry_the_slot_of_the_newest_certificate(live: Live) -> None:
    client = live.client("csi-1")
    assert client.certificate is not None
    columns = load(live, FleetColumns())
    index = columns.index_of(client.number)
    assert index is not None
    assert columns.row(index).renew_until == client.certificate.renew_until
    now = live.site.clock.now()
    facts = columns.facts(index, now=now, agent_alive=True, agent_now=now)
    assert (facts.renew_until, facts.has_heartbeat, facts.has_file_route) == (
        client.certificate.renew_until,
        True,
        False,
    )
    live.site.clock.advance(timedelta(days=60))
    client.renew()
    assert load(live, columns).row(index).renew_until == client.certificate.renew_until


def test_a_client_without_heartbeats_promises_no_slot_and_a_path_is_a_route(live: Live) -> None:
    client = live.client("csi-1", signed_in=False, login_file_path="/var/lib/mocdeck-test/login.yaml")
    client.sign_in()
    columns = load(live, FleetColumns())
    index = columns.index_of(client.number)
    assert index is not None
    now = live.site.clock.now()
    facts = columns.facts(index, now=now, agent_alive=True, agent_now=now)
    assert (facts.renew_until, facts.has_heartbeat, facts.has_file_route) == (None, False, True)
    assert columns.row(index).renew_until is not None


def test_an_agent_of_an_earlier_version_sends_no_slots_and_is_understood(live: Live) -> None:
    live.client("csi-1")
    with live.site.transaction() as tx:
        (delta,) = read(tx, live.site.world, 0)
    columns = FleetColumns()
    columns.apply(replace(delta, clients=replace(delta.clients, renew_until=())))
    assert [columns.row(i).renew_until for i in range(len(columns))] == [None, None]


def test_a_living_client_that_stopped_renewing_is_told_by_its_slot_until_a_renewal_arrives(
    live: Live,
) -> None:
    client = live.client("csi-1")
    assert client.certificate is not None
    certificate = client.certificate
    alarm = certificate.renew_until + share(certificate.validity.lifetime, SLOT_GRACE) + timedelta(seconds=1)
    assert certificate.validity.not_after - alarm > share(certificate.validity.lifetime, OVERDUE)
    columns = FleetColumns()

    def found_at(instant: datetime) -> Assessment:
        live.site.clock.advance(instant - live.site.clock.now())
        client.beat()
        index = load(live, columns).index_of(client.number)
        assert index is not None
        now = live.site.clock.now()
        return assess(columns.facts(index, now=now, agent_alive=True, agent_now=now), now)

    assert Overlay.MISSED_SLOT not in found_at(alarm - timedelta(seconds=1)).overlays
    missed = found_at(alarm)
    assert missed.severity is Severity.WARNING
    assert Overlay.MISSED_SLOT in missed.overlays
    client.renew()
    assert Overlay.MISSED_SLOT not in found_at(alarm + timedelta(seconds=1)).overlays
