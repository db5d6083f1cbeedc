"""The CA rotation, tick by tick, with clients that live (US-14 to US-17, pki.md 5.6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from backend.core.blast import ReturnRoute
from backend.core.errors import (
    Fenced,
    InconsistentState,
    Unauthenticated,
)
from backend.core.model import AuthorityStatus, RevokeReason
from backend.core.rotation import ClientStanding
from backend.pki.trust import split_bundle, verify_chain
from backend.service import audit, server_certificate
from backend.service.reconcile import reconcile

if TYPE_CHECKING:
    from tests.service.live.rotation.conftest import Rotating


def test_a_plan_names_every_client_with_its_way_back_and_changes_nothing(alone: Rotating, tmp_path: Any) -> None:
    alone.client("kva")
    alone.client("csi", signed_in=False)
    alone.client("kms", login_file_path=str(tmp_path / "kms.yaml")).beat()
    alone.site.clock.advance(timedelta(minutes=5))  # kms and kva are silent now
    alone.clients["kva"].beat()
    with alone.site.transaction() as tx:
        before = (tx.changes.current(), tx.audit.head())
    planned = alone.plan()
    with alone.site.transaction() as tx:
        assert (tx.changes.current(), tx.audit.head()) == before
    routes = {client.name: client.route for client in planned.clients}
    assert routes["kva"] is ReturnRoute.ITSELF
    assert routes["csi"] is ReturnRoute.OUT
    assert routes["kms"] is ReturnRoute.FILE
    assert planned.clients[0].route is ReturnRoute.OUT  # those that cannot return come first
    assert sum(planned.by(route) for route in ReturnRoute) == len(planned.clients)
    assert not [check for check in planned.checks if check.result == "fail"]
    assert "unknown for the" in planned.duration


def test_a_rotation_brings_every_living_client_back_and_its_counts_always_sum(fleet: Rotating) -> None:
    started = fleet.start()
    assert started.row.phase == "planned"
    seen = []
    for _ in range(20):
        fleet.pass_interval()
        view = fleet.look()
        if view.row.phase not in seen:
            seen.append(view.row.phase)
    # The administrator's tool sends no heartbeats here: it signs in when its user comes back.
    assert fleet.look().row.phase == "re-enrolling"
    assert {name: fleet.standing(name) for name in fleet.clients} == dict.fromkeys(
        fleet.clients, ClientStanding.RETURNED
    )
    fleet.admin_returns()
    view = fleet.until("done")
    assert (view.row.outcome, view.counts[ClientStanding.RETURNED]) == ("completed", 4)
    assert view.outage_p50 is not None
    assert view.outage_p50 <= timedelta(minutes=2)
    with fleet.site.transaction() as tx:
        assert [(a.generation, a.status) for a in tx.authorities.all()] == [
            (1, AuthorityStatus.DISTRUSTED),
            (2, AuthorityStatus.ISSUING),
        ]
        assert tx.bundles.current().generations == (2,)
        assert tx.bundles.current().epoch == 3
        assert audit.verify(tx).intact
        assert not tx.meta.find("fenced")


def test_clients_have_the_new_root_before_the_old_one_goes(fleet: Rotating) -> None:
    fleet.start()
    fleet.until("fenced")
    for client in fleet.clients.values():
        assert len(split_bundle(client.bundle)) == 2
    fleet.until("cutover")
    with fleet.site.transaction() as tx:
        held = tx.certificates.of(fleet.clients["kva"].number)[0]
        assert held.revoke_reason is RevokeReason.ROTATION


def test_an_old_certificate_is_refused_from_the_cutover_on(fleet: Rotating) -> None:
    fleet.start()
    old = fleet.clients["kva"].certificate
    assert old is not None
    fleet.site.caller(old)
    fleet.until("cutover")
    with pytest.raises(Unauthenticated):
        fleet.site.caller(old)


def test_nothing_is_issued_while_the_fence_stands(fleet: Rotating) -> None:
    fleet.start()
    fleet.until("fenced")
    client = fleet.clients["kva"]
    with pytest.raises(Fenced):
        fleet.site.certificate("kva", client.token)
    with pytest.raises(Fenced):
        client.renew()


def test_the_agents_own_certificate_changes_in_the_transaction_of_the_cutover(fleet: Rotating) -> None:
    with fleet.site.transaction() as tx:
        before = server_certificate.ensure(tx, fleet.site.world)
    fleet.start()
    fleet.until("cutover")
    with fleet.site.transaction() as tx:
        after = server_certificate.ensure(tx, fleet.site.world)
        roots = split_bundle(tx.bundles.current().pem)
    assert after.serial != before.serial
    assert after.key_pem.reveal() == before.key_pem.reveal()
    verify_chain(split_bundle(after.chain_pem)[0], roots, fleet.site.clock.now())


def test_a_rotation_killed_before_every_tick_ends_as_one_that_was_not(fleet: Rotating) -> None:
    fleet.start()
    for _ in range(16):
        fleet.reopen()
        fleet.pass_interval()
        fleet.reopen()
        view = fleet.look()
        if view.row.phase == "re-enrolling" and fleet.standing("admin") is not ClientStanding.RETURNED:
            fleet.admin_returns()
    assert fleet.look().row.outcome == "completed"
    with fleet.site.transaction() as tx:
        assert [authority.generation for authority in tx.authorities.all()] == [1, 2]
        assert tx.bundles.current().epoch == 3
        assert audit.verify(tx).intact
        assert fleet.site.world.signer.key_files() == ("ca-g1.key", "ca-g2.key")


def test_a_key_file_of_an_interrupted_staging_is_shredded_and_made_anew(fleet: Rotating) -> None:
    fleet.start()
    fleet.tick()  # the intent
    site = fleet.site
    site.world.signer.stage(2, "north", site.clock.now(), timedelta(days=365))  # the file, and then a kill
    with site.transaction() as tx:
        (found,) = reconcile(tx, site.world)
    assert "ca-g2.key of an interrupted CA rotation was shredded" in found
    with site.transaction() as tx:
        assert reconcile(tx, site.world) == ()
    fleet.tick()
    assert fleet.look().row.phase == "staged"


def test_a_row_without_its_key_file_stops_the_agent_and_names_the_file(fleet: Rotating) -> None:
    fleet.site.world.signer.destroy("ca-g1.key")
    with fleet.site.transaction() as tx, pytest.raises(InconsistentState, match=r"ca-g1\.key"):
        reconcile(tx, fleet.site.world)


def test_a_strangers_key_file_is_reported_and_kept(fleet: Rotating) -> None:
    site = fleet.site
    site.world.signer.stage(7, "north", site.clock.now(), timedelta(days=365))
    with site.transaction() as tx:
        (found,) = reconcile(tx, site.world)
    assert "ca-g7.key belongs to no CA generation" in found
    assert "ca-g7.key" in site.world.signer.key_files()
