"""The CA rotation, tick by tick, with clients that live (US-14 to US-17, pki.md 5.6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from backend.core.blast import ReturnRoute
from backend.core.errors import (
    ConfirmationRefused,
    Fenced,
    IllegalTransition,
    InconsistentState,
    InvalidInput,
    NotFound,
    OldVersion,
    PlanChanged,
    Unauthenticated,
)
from backend.core.model import AuthorityStatus, RevokeReason, Secret
from backend.core.plan import ActionKind
from backend.core.rotation import ClientStanding
from backend.pki.trust import split_bundle, verify_chain
from backend.service import audit, operations, rotation, server_certificate
from backend.service.reconcile import reconcile
from backend.service.rotation import Move, RotationPlanView, RotationView
from backend.store.sqlite import open_store

if TYPE_CHECKING:
    from tests.service.live.conftest import Live


def plan(live: Live) -> RotationPlanView:
    with live.site.transaction() as tx:
        return rotation.plan_rotation(tx, live.site.world, live.site.admin)


def start(live: Live, planned: RotationPlanView | None = None, **changes: Any) -> RotationView:
    planned = planned or plan(live)
    given = {"plan_id": planned.id, "hash": planned.hash, "deployment": "north", "reason": "yearly", "origin": "tui"}
    with live.site.transaction() as tx:
        return rotation.start_rotation(tx, live.site.world, live.site.admin, **{**given, **changes})


def look(live: Live) -> RotationView:
    with live.site.transaction() as tx:
        view = rotation.get(tx, live.site.world)
    assert sum(view.counts.values()) == view.total
    return view


def decide(live: Live, move: Move, **more: Any) -> RotationView:
    now = look(live).row
    with live.site.transaction() as tx:
        return rotation.move(
            tx,
            live.site.world,
            live.site.admin,
            **{"rotation_id": now.id, "version": now.version, "move": move, **more},
        )


def until(live: Live, phase: str, *silent: str, most: int = 20) -> RotationView:
    for _ in range(most):
        view = look(live)
        if view.row.phase == phase:
            return view
        report = live.pass_interval(*silent)
        assert report.errors == ()
    raise AssertionError(f"{look(live).row.phase}, not {phase}: {[gate.why for gate in look(live).gates]}")


def standing(live: Live, name: str) -> ClientStanding:
    return next(client.standing for client in look(live).clients if client.row.name == name)


def reopen(live: Live) -> None:
    """The agent dies and starts again."""
    live.site.store.close()
    object.__setattr__(live.site, "store", open_store(live.site.directory / "store.db"))
    live.site.world.peers.clear()
    with live.site.transaction() as tx:
        reconcile(tx, live.site.world)


@pytest.fixture
def fleet(live: Live) -> Live:
    """Three clients that report, beside the administrator, who does not."""
    for name in ("kva", "csi", "kms"):
        live.client(name)
    return live


def test_a_plan_names_every_client_with_its_way_back_and_changes_nothing(live: Live, tmp_path: Any) -> None:
    live.client("kva")
    live.client("csi", signed_in=False)
    live.client("kms", login_file_path=str(tmp_path / "kms.yaml")).beat()
    live.site.clock.advance(timedelta(minutes=5))  # kms and kva are silent now
    live.clients["kva"].beat()
    with live.site.transaction() as tx:
        before = (tx.changes.current(), tx.audit.head())
    planned = plan(live)
    with live.site.transaction() as tx:
        assert (tx.changes.current(), tx.audit.head()) == before
    routes = {client.name: client.route for client in planned.clients}
    assert routes["kva"] is ReturnRoute.ITSELF
    assert routes["csi"] is ReturnRoute.OUT
    assert routes["kms"] is ReturnRoute.FILE
    assert planned.clients[0].route is ReturnRoute.OUT  # those that cannot return come first
    assert sum(planned.by(route) for route in ReturnRoute) == len(planned.clients)
    assert not [check for check in planned.checks if check.result == "fail"]
    assert "unknown for the" in planned.duration


def test_a_rotation_brings_every_living_client_back_and_its_counts_always_sum(fleet: Live) -> None:
    started = start(fleet)
    assert started.row.phase == "planned"
    seen = []
    for _ in range(20):
        fleet.pass_interval()
        view = look(fleet)
        if view.row.phase not in seen:
            seen.append(view.row.phase)
    # The administrator's tool sends no heartbeats here: it signs in when its user comes back.
    assert look(fleet).row.phase == "re-enrolling"
    assert {name: standing(fleet, name) for name in fleet.clients} == dict.fromkeys(
        fleet.clients, ClientStanding.RETURNED
    )
    admin_returns(fleet)
    view = until(fleet, "done")
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


def admin_returns(live: Live) -> None:
    """The administrator's file was written again with a fresh token; here the first token still signs in."""
    certificate = live.site.certificate("admin", live.site.admin_token)
    caller = live.site.caller(certificate)
    from backend.service.guard import mark_used

    with live.site.transaction() as tx:
        mark_used(tx, caller, live.site.clock.now())
    object.__setattr__(live.site, "admin", caller)


def test_clients_have_the_new_root_before_the_old_one_goes(fleet: Live) -> None:
    start(fleet)
    until(fleet, "fenced")
    for client in fleet.clients.values():
        assert len(split_bundle(client.bundle)) == 2
    until(fleet, "cutover")
    with fleet.site.transaction() as tx:
        held = tx.certificates.of(fleet.clients["kva"].number)[0]
        assert held.revoke_reason is RevokeReason.ROTATION


def test_an_old_certificate_is_refused_from_the_cutover_on(fleet: Live) -> None:
    start(fleet)
    old = fleet.clients["kva"].certificate
    assert old is not None
    fleet.site.caller(old)
    until(fleet, "cutover")
    with pytest.raises(Unauthenticated):
        fleet.site.caller(old)


def test_nothing_is_issued_while_the_fence_stands(fleet: Live) -> None:
    start(fleet)
    until(fleet, "fenced")
    client = fleet.clients["kva"]
    with pytest.raises(Fenced):
        fleet.site.certificate("kva", client.token)
    with pytest.raises(Fenced):
        client.renew()


def test_the_agents_own_certificate_changes_in_the_transaction_of_the_cutover(fleet: Live) -> None:
    with fleet.site.transaction() as tx:
        before = server_certificate.ensure(tx, fleet.site.world)
    start(fleet)
    until(fleet, "cutover")
    with fleet.site.transaction() as tx:
        after = server_certificate.ensure(tx, fleet.site.world)
        roots = split_bundle(tx.bundles.current().pem)
    assert after.serial != before.serial
    assert after.key_pem.reveal() == before.key_pem.reveal()
    verify_chain(split_bundle(after.chain_pem)[0], roots, fleet.site.clock.now())


def test_a_rotation_killed_before_every_tick_ends_as_one_that_was_not(fleet: Live) -> None:
    start(fleet)
    for _ in range(16):
        reopen(fleet)
        fleet.pass_interval()
        reopen(fleet)
        view = look(fleet)
        if view.row.phase == "re-enrolling" and standing(fleet, "admin") is not ClientStanding.RETURNED:
            admin_returns(fleet)
    assert look(fleet).row.outcome == "completed"
    with fleet.site.transaction() as tx:
        assert [authority.generation for authority in tx.authorities.all()] == [1, 2]
        assert tx.bundles.current().epoch == 3
        assert audit.verify(tx).intact
        assert fleet.site.world.signer.key_files() == ("ca-g1.key", "ca-g2.key")


def test_a_key_file_of_an_interrupted_staging_is_shredded_and_made_anew(fleet: Live) -> None:
    start(fleet)
    fleet.tick()  # the intent
    site = fleet.site
    site.world.signer.stage(2, "north", site.clock.now(), timedelta(days=365))  # the file, and then a kill
    with site.transaction() as tx:
        (found,) = reconcile(tx, site.world)
    assert "ca-g2.key of an interrupted CA rotation was shredded" in found
    with site.transaction() as tx:
        assert reconcile(tx, site.world) == ()
    fleet.tick()
    assert look(fleet).row.phase == "staged"


def test_a_row_without_its_key_file_stops_the_agent_and_names_the_file(fleet: Live) -> None:
    fleet.site.world.signer.destroy("ca-g1.key")
    with fleet.site.transaction() as tx, pytest.raises(InconsistentState, match=r"ca-g1\.key"):
        reconcile(tx, fleet.site.world)


def test_a_strangers_key_file_is_reported_and_kept(fleet: Live) -> None:
    site = fleet.site
    site.world.signer.stage(7, "north", site.clock.now(), timedelta(days=365))
    with site.transaction() as tx:
        (found,) = reconcile(tx, site.world)
    assert "ca-g7.key belongs to no CA generation" in found
    assert "ca-g7.key" in site.world.signer.key_files()


@pytest.mark.parametrize("phase", ["planned", "staged", "fenced"])
def test_a_rotation_can_be_aborted_until_the_cutover_and_another_one_follows(fleet: Live, phase: str) -> None:
    start(fleet)
    until(fleet, phase)
    view = decide(fleet, Move.ABORT, reason="not today")
    assert (view.row.phase, view.row.outcome) == ("aborted", "aborted")
    fleet.tick()
    assert fleet.site.world.signer.key_files() == ("ca-g1.key",)
    with fleet.site.transaction() as tx:
        assert tx.bundles.current().generations == (1,)
        assert tx.authorities.issuing().generation == 1
    fleet.clients["kva"].renew()  # issuing goes on
    start(fleet)
    until(fleet, "re-enrolling")


@pytest.mark.parametrize("phase", ["cutover", "re-enrolling"])
def test_there_is_no_way_back_after_the_cutover(fleet: Live, phase: str) -> None:
    start(fleet)
    until(fleet, phase)
    with pytest.raises(IllegalTransition):
        decide(fleet, Move.ABORT)
    with fleet.site.transaction() as tx:
        assert tx.authorities.issuing().generation == 2


def test_the_cutover_waits_for_a_client_that_reports_and_not_for_one_that_fell_silent(fleet: Live) -> None:
    fleet.clients["csi"].obeys = False  # reports, and never takes the bundle
    start(fleet)
    for _ in range(6):
        fleet.pass_interval()
    view = look(fleet)
    assert view.row.phase == "staged"
    assert "waiting for csi" in view.gates[1].why
    for _ in range(4):
        fleet.pass_interval("csi")
    view = look(fleet)
    assert view.row.phase != "staged"
    silent = next(client.row for client in view.clients if client.row.name == "csi")
    assert silent.route == "manual"
    assert "fell silent" in silent.why


def test_proceed_ends_the_waiting_in_staged_and_nowhere_else(fleet: Live) -> None:
    fleet.clients["csi"].obeys = False
    start(fleet)
    with pytest.raises(InconsistentState, match="waits for nothing"):
        decide(fleet, Move.PROCEED)
    for _ in range(4):
        fleet.pass_interval()
    decide(fleet, Move.PROCEED, reason="csi is to be reinstalled")
    fleet.pass_interval()
    assert look(fleet).row.phase == "fenced"


def test_finish_wants_a_reason_and_the_name_of_everybody_who_is_not_back(fleet: Live) -> None:
    start(fleet)
    until(fleet, "re-enrolling", "kms")
    for _ in range(6):
        fleet.pass_interval("kms")
    assert standing(fleet, "kms") is ClientStanding.STUCK
    with pytest.raises(InvalidInput, match="needs a reason"):
        decide(fleet, Move.FINISH, written_off=["kms", "admin"])
    with pytest.raises(InvalidInput, match="were not named: admin"):
        decide(fleet, Move.FINISH, written_off=["kms"], reason="gone")
    with pytest.raises(InvalidInput, match="no clients named nobody"):
        decide(fleet, Move.FINISH, written_off=["kms", "admin", "nobody"], reason="gone")
    view = decide(fleet, Move.FINISH, written_off=["kms", "admin", "kva"], reason="reinstalled next week")
    assert view.counts[ClientStanding.WRITTEN_OFF] == 2  # kva is back, so it is not written off
    fleet.tick()
    assert look(fleet).row.outcome == "completed"


def test_a_move_that_was_decided_on_an_older_look_is_refused(fleet: Live) -> None:
    start(fleet)
    with pytest.raises(OldVersion):
        decide(fleet, Move.ABORT, version=99)
    with fleet.site.transaction() as tx, pytest.raises(NotFound):
        rotation.move(tx, fleet.site.world, fleet.site.admin, rotation_id="none", version=1, move=Move.ABORT)


def test_a_client_that_joins_before_the_cutover_is_counted(fleet: Live) -> None:
    start(fleet)
    until(fleet, "staged")
    fleet.client("late")
    until(fleet, "re-enrolling")
    assert look(fleet).total == 5
    fleet.pass_interval()
    assert standing(fleet, "late") is ClientStanding.RETURNED


def test_a_client_whose_identity_is_deleted_meanwhile_does_not_hold_the_rotation(fleet: Live) -> None:
    from backend.service import identities

    start(fleet)
    until(fleet, "re-enrolling", "kms")
    with fleet.site.transaction() as tx:
        identities.delete(tx, fleet.site.world, fleet.site.admin, "kms")
    del fleet.clients["kms"]
    fleet.pass_interval()
    assert standing(fleet, "kms") is ClientStanding.WRITTEN_OFF


def test_a_client_with_a_login_file_comes_back_by_the_file_that_the_agent_writes(live: Live, tmp_path: Any) -> None:
    path = tmp_path / "kms.yaml"
    client = live.client("kms", login_file_path=str(path))
    live.site.clock.advance(timedelta(minutes=5))
    start(live)
    until(live, "re-enrolling", "kms")
    assert live.write_files() == [str(path)]
    document = yaml.safe_load(path.read_text())
    client.token = Secret(document["token"])
    client.sign_in()
    client.call()
    live.tick()
    assert standing(live, "kms") is ClientStanding.RETURNED


def test_a_confirmation_must_name_the_deployment_and_repeat_the_hash(fleet: Live) -> None:
    planned = plan(fleet)
    for changes, match in [
        ({"deployment": "North"}, "name typed"),
        ({"deployment": ""}, "name typed"),
        ({"hash": "0" * 64}, "hash"),
    ]:
        with pytest.raises(ConfirmationRefused, match=match):
            start(fleet, planned, **changes)
    start(fleet, planned)
    with pytest.raises(ConfirmationRefused, match="started before"):
        start(fleet, planned)


@pytest.mark.parametrize(("seconds", "accepted"), [(899, True), (900, True), (901, False)])
def test_a_rotation_plan_is_good_for_fifteen_minutes(fleet: Live, seconds: int, accepted: bool) -> None:
    planned = plan(fleet)
    fleet.site.clock.advance(timedelta(seconds=seconds))
    for client in fleet.clients.values():
        client.beat()
    if accepted:
        start(fleet, planned)
    else:
        with pytest.raises(ConfirmationRefused, match="was good until"):
            start(fleet, planned)


def test_enrolling_a_client_after_the_plan_makes_the_confirmation_fail_with_its_name(fleet: Live) -> None:
    planned = plan(fleet)
    fleet.client("late")
    with pytest.raises(PlanChanged, match="late is new"):
        start(fleet, planned)


def test_no_operation_starts_while_a_rotation_is_open_and_none_may_run_before(fleet: Live) -> None:
    site = fleet.site
    site.clock.advance(timedelta(days=63))
    for client in fleet.clients.values():
        client.beat()
    with site.transaction() as tx:
        made = [
            operations.plan(tx, site.world, site.admin, action=ActionKind.RENEW, names=[name])
            for name in ("kva", "csi")
        ]
    with site.transaction() as tx:
        running = operations.start(tx, site.world, site.admin, plan_id=made[0].id, hash=made[0].hash).row.id
    with pytest.raises(InconsistentState, match="no operation is running"):
        start(fleet)
    with site.transaction() as tx:
        operations.stop(tx, site.world, site.admin, running)
    start(fleet)
    with site.transaction() as tx, pytest.raises(InconsistentState, match="is open"):
        operations.start(tx, site.world, site.admin, plan_id=made[1].id, hash=made[1].hash)
    with pytest.raises(InconsistentState, match="no CA rotation is open"):
        start(fleet)


@pytest.mark.parametrize(("jump", "frozen"), [(60, False), (61, True), (-60, False), (-61, True)])
def test_a_jump_of_the_wall_clock_by_more_than_a_minute_freezes_the_rotation(
    live: Live, jump: int, frozen: bool
) -> None:
    live.tick()
    start(live)
    live.tick()
    live.site.clock.set(live.site.clock.now() + timedelta(seconds=jump))
    live.tick()
    assert (look(live).row.phase == "planned") is frozen


def test_a_frozen_rotation_goes_on_when_the_clock_comes_back_when_clients_agree_or_when_a_person_says_so(
    fleet: Live,
) -> None:
    fleet.tick()
    start(fleet)
    fleet.tick()
    clock = fleet.site.clock
    clock.set(clock.now() + timedelta(hours=1))
    assert fleet.tick().doubt
    clock.set(clock.now() - timedelta(hours=1))
    assert not fleet.tick().doubt
    assert look(fleet).row.phase == "staged"
    clock.set(clock.now() + timedelta(hours=1))
    assert "jumped ahead" in fleet.tick().doubt
    reopen(fleet)  # a restart does not heal it
    assert fleet.tick().doubt
    for client in fleet.clients.values():
        client.beat()  # their clocks say the same
    assert not fleet.tick().doubt
    clock.set(clock.now() + timedelta(hours=1))
    assert fleet.tick().doubt
    decide(fleet, Move.PROCEED, reason="checked against the wall")
    assert not fleet.tick().doubt


def test_the_key_of_a_distrusted_generation_is_destroyed_only_by_name_and_after_the_commit(fleet: Live) -> None:
    start(fleet)
    until(fleet, "re-enrolling")
    site = fleet.site
    with site.transaction() as tx, pytest.raises(InconsistentState, match="is open"):
        rotation.destroy(tx, site.world, site.admin, generation=1, deployment="north")
    admin_returns(fleet)
    until(fleet, "done")
    with site.transaction() as tx, pytest.raises(ConfirmationRefused):
        rotation.destroy(tx, site.world, site.admin, generation=1, deployment="south")
    with site.transaction() as tx, pytest.raises(InconsistentState, match="only the key of a distrusted one"):
        rotation.destroy(tx, site.world, site.admin, generation=2, deployment="north")
    with site.transaction() as tx:
        rotation.destroy(tx, site.world, site.admin, generation=1, deployment="north")
    assert "ca-g1.key" in site.world.signer.key_files()
    assert fleet.tick().swept
    assert site.world.signer.key_files() == ("ca-g2.key",)
    with site.transaction() as tx:
        assert reconcile(tx, site.world) == ()
        assert audit.verify(tx).intact


def test_a_missing_staged_key_holds_the_cutover_and_the_rotation_can_still_be_aborted(fleet: Live) -> None:
    start(fleet)
    until(fleet, "fenced")
    fleet.site.world.signer.destroy("ca-g2.key")
    report = fleet.tick()
    assert "ca-g2.key" in report.errors[0][1]
    assert look(fleet).row.phase == "fenced"
    decide(fleet, Move.ABORT)
    with fleet.site.transaction() as tx:
        assert tx.authorities.issuing().generation == 1
        assert not tx.meta.find("fenced")
