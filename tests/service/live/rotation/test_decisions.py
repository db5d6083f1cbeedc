"""What people decide about a CA rotation, and what may not be decided (US-15, US-16)."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from backend.core.errors import (
    ConfirmationRefused,
    IllegalTransition,
    InconsistentState,
    InvalidInput,
    NotFound,
    OldVersion,
    PlanChanged,
)
from backend.core.model import Secret
from backend.core.plan import ActionKind
from backend.core.rotation import ClientStanding
from backend.service import audit, operations, rotation
from backend.service.reconcile import reconcile
from backend.service.rotation import Move

if TYPE_CHECKING:
    from tests.service.live.rotation.conftest import Rotating


@pytest.mark.parametrize("phase", ["planned", "staged", "fenced"])
def test_a_rotation_can_be_aborted_until_the_cutover_and_another_one_follows(fleet: Rotating, phase: str) -> None:
    fleet.start()
    fleet.until(phase)
    view = fleet.decide(Move.ABORT, reason="not today")
    assert (view.row.phase, view.row.outcome) == ("aborted", "aborted")
    fleet.tick()
    assert fleet.site.world.signer.key_files() == ("ca-g1.key",)
    with fleet.site.transaction() as tx:
        assert tx.bundles.current().generations == (1,)
        assert tx.authorities.issuing().generation == 1
    fleet.clients["kva"].renew()  # issuing goes on
    fleet.start()
    fleet.until("re-enrolling")


@pytest.mark.parametrize("phase", ["cutover", "re-enrolling"])
def test_there_is_no_way_back_after_the_cutover(fleet: Rotating, phase: str) -> None:
    fleet.start()
    fleet.until(phase)
    with pytest.raises(IllegalTransition):
        fleet.decide(Move.ABORT)
    with fleet.site.transaction() as tx:
        assert tx.authorities.issuing().generation == 2


def test_the_cutover_waits_for_a_client_that_reports_and_not_for_one_that_fell_silent(fleet: Rotating) -> None:
    fleet.clients["csi"].obeys = False  # reports, and never takes the bundle
    fleet.start()
    for _ in range(6):
        fleet.pass_interval()
    view = fleet.look()
    assert view.row.phase == "staged"
    assert "waiting for csi" in view.gates[1].why
    for _ in range(4):
        fleet.pass_interval("csi")
    view = fleet.look()
    assert view.row.phase != "staged"
    silent = next(client.row for client in view.clients if client.row.name == "csi")
    assert silent.route == "manual"
    assert "fell silent" in silent.why


def test_proceed_ends_the_waiting_in_staged_and_nowhere_else(fleet: Rotating) -> None:
    fleet.clients["csi"].obeys = False
    fleet.start()
    with pytest.raises(InconsistentState, match="waits for nothing"):
        fleet.decide(Move.PROCEED)
    for _ in range(4):
        fleet.pass_interval()
    fleet.decide(Move.PROCEED, reason="csi is to be reinstalled")
    fleet.pass_interval()
    assert fleet.look().row.phase == "fenced"


def test_finish_wants_a_reason_and_the_name_of_everybody_who_is_not_back(fleet: Rotating) -> None:
    fleet.start()
    fleet.until("re-enrolling", "kms")
    for _ in range(6):
        fleet.pass_interval("kms")
    assert fleet.standing("kms") is ClientStanding.STUCK
    with pytest.raises(InvalidInput, match="needs a reason"):
        fleet.decide(Move.FINISH, written_off=["kms", "admin"])
    with pytest.raises(InvalidInput, match="were not named: admin"):
        fleet.decide(Move.FINISH, written_off=["kms"], reason="gone")
    with pytest.raises(InvalidInput, match="no clients named nobody"):
        fleet.decide(Move.FINISH, written_off=["kms", "admin", "nobody"], reason="gone")
    view = fleet.decide(Move.FINISH, written_off=["kms", "admin", "kva"], reason="reinstalled next week")
    assert view.counts[ClientStanding.WRITTEN_OFF] == 2  # kva is back, so it is not written off
    fleet.tick()
    assert fleet.look().row.outcome == "completed"


def test_a_move_that_was_decided_on_an_older_look_is_refused(fleet: Rotating) -> None:
    fleet.start()
    with pytest.raises(OldVersion):
        fleet.decide(Move.ABORT, version=99)
    with fleet.site.transaction() as tx, pytest.raises(NotFound):
        rotation.move(tx, fleet.site.world, fleet.site.admin, rotation_id="none", version=1, move=Move.ABORT)


def test_a_client_that_joins_before_the_cutover_is_counted(fleet: Rotating) -> None:
    fleet.start()
    fleet.until("staged")
    fleet.client("late")
    fleet.until("re-enrolling")
    assert fleet.look().total == 5
    fleet.pass_interval()
    assert fleet.standing("late") is ClientStanding.RETURNED


def test_a_client_whose_identity_is_deleted_meanwhile_does_not_hold_the_rotation(fleet: Rotating) -> None:
    from backend.service import identities

    fleet.start()
    fleet.until("re-enrolling", "kms")
    with fleet.site.transaction() as tx:
        identities.delete(tx, fleet.site.world, fleet.site.admin, "kms")
    del fleet.clients["kms"]
    fleet.pass_interval()
    assert fleet.standing("kms") is ClientStanding.WRITTEN_OFF


def test_a_client_with_a_login_file_comes_back_by_the_file_that_is_written(alone: Rotating, tmp_path: Any) -> None:
    path = tmp_path / "kms.yaml"
    client = alone.client("kms", login_file_path=str(path))
    alone.site.clock.advance(timedelta(minutes=5))
    alone.start()
    alone.until("re-enrolling", "kms")
    assert alone.write_files() == [str(path)]
    document = yaml.safe_load(path.read_text())
    client.token = Secret(document["token"])
    client.sign_in()
    client.call()
    alone.tick()
    assert alone.standing("kms") is ClientStanding.RETURNED


def test_a_confirmation_must_name_the_deployment_and_repeat_the_hash(fleet: Rotating) -> None:
    planned = fleet.plan()
    for changes, match in [
        ({"deployment": "North"}, "name typed"),
        ({"deployment": ""}, "name typed"),
        ({"hash": "0" * 64}, "hash"),
    ]:
        with pytest.raises(ConfirmationRefused, match=match):
            fleet.start(planned, **changes)
    fleet.start(planned)
    with pytest.raises(ConfirmationRefused, match="started before"):
        fleet.start(planned)


@pytest.mark.parametrize(("seconds", "accepted"), [(899, True), (900, True), (901, False)])
def test_a_rotation_plan_is_good_for_fifteen_minutes(fleet: Rotating, seconds: int, accepted: bool) -> None:
    planned = fleet.plan()
    fleet.site.clock.advance(timedelta(seconds=seconds))
    for client in fleet.clients.values():
        client.beat()
    if accepted:
        fleet.start(planned)
    else:
        with pytest.raises(ConfirmationRefused, match="was good until"):
            fleet.start(planned)


def test_enrolling_a_client_after_the_plan_makes_the_confirmation_fail_with_its_name(fleet: Rotating) -> None:
    planned = fleet.plan()
    fleet.client("late")
    with pytest.raises(PlanChanged, match="late is new"):
        fleet.start(planned)


def test_no_operation_starts_while_a_rotation_is_open_and_none_may_run_before(fleet: Rotating) -> None:
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
        fleet.start()
    with site.transaction() as tx:
        operations.stop(tx, site.world, site.admin, running)
    fleet.start()
    with site.transaction() as tx, pytest.raises(InconsistentState, match="is open"):
        operations.start(tx, site.world, site.admin, plan_id=made[1].id, hash=made[1].hash)
    with pytest.raises(InconsistentState, match="no CA rotation is open"):
        fleet.start()


def test_an_operation_that_waits_for_hands_does_not_stand_in_the_way_and_hands_out_the_new_root(
    fleet: Rotating,
) -> None:
    site = fleet.site
    fleet.client("lost", signed_in=False)
    with site.transaction() as tx:
        wish: dict[str, Any] = {
            "action": ActionKind.REPAIR,
            "names": ["lost"],
            "force": True,
            "reason": "its disk died",
        }
        made = operations.plan(tx, site.world, site.admin, **wish)
        running = operations.start(tx, site.world, site.admin, plan_id=made.id, hash=made.hash).row.id
        operations.tick(tx, site.world)
        assert [(one.route, one.state) for one in tx.operations.targets(running)] == [("manual", "ordered")]
    assert operation_check(fleet) == ("ok", "1 client waits for a login file by hand")
    fleet.start()
    fleet.until("re-enrolling", "lost")
    with site.transaction() as tx:
        file = operations.take_login_file(tx, site.world, site.admin, operation_id=running, name="lost")
        root = tx.authorities.get(2).pem
    assert base64.b64decode(yaml.safe_load(file.yaml.reveal())["certificate"]).decode().strip() == root.strip()


def test_a_login_file_that_is_on_its_way_is_warned_of_and_work_under_way_forbids_a_rotation(fleet: Rotating) -> None:
    site = fleet.site
    fleet.client("lost", signed_in=False)
    with site.transaction() as tx:
        wish: dict[str, Any] = {
            "action": ActionKind.REPAIR,
            "names": ["lost"],
            "force": True,
            "reason": "its disk died",
        }
        made = operations.plan(tx, site.world, site.admin, **wish)
        running = operations.start(tx, site.world, site.admin, plan_id=made.id, hash=made.hash).row.id
        operations.tick(tx, site.world)
        operations.take_login_file(tx, site.world, site.admin, operation_id=running, name="lost")
    assert operation_check(fleet) == ("warn", "the login files taken for lost hold the present CA only")
    with site.transaction() as tx:
        wish = {"action": ActionKind.RENEW, "names": ["kva", "csi"], "force": True, "reason": "a test"}
        made = operations.plan(tx, site.world, site.admin, **wish)
        operations.start(tx, site.world, site.admin, plan_id=made.id, hash=made.hash)
    result, details = operation_check(fleet)
    assert result == "fail"
    assert "renew of " in details
    assert {"csi", "kva"} <= set(re.findall("[a-z]+", details))


def operation_check(fleet: Rotating) -> tuple[str, str]:
    """What the readiness says of operations."""
    check = next(one for one in fleet.plan().checks if one.test == "no operation is running")
    assert ("5 Jobs, then K" in check.recommendation) is (check.result == "fail")
    return check.result, check.details


@pytest.mark.parametrize(("jump", "frozen"), [(60, False), (61, True), (-60, False), (-61, True)])
def test_a_jump_of_the_wall_clock_by_more_than_a_minute_freezes_the_rotation(
    alone: Rotating, jump: int, frozen: bool
) -> None:
    alone.tick()
    alone.start()
    alone.tick()
    alone.site.clock.set(alone.site.clock.now() + timedelta(seconds=jump))
    alone.tick()
    assert (alone.look().row.phase == "planned") is frozen


def test_a_frozen_rotation_goes_on_when_the_clock_comes_back_when_clients_agree_or_when_a_person_says_so(
    fleet: Rotating,
) -> None:
    fleet.tick()
    fleet.start()
    fleet.tick()
    clock = fleet.site.clock
    clock.set(clock.now() + timedelta(hours=1))
    assert fleet.tick().doubt
    clock.set(clock.now() - timedelta(hours=1))
    assert not fleet.tick().doubt
    assert fleet.look().row.phase == "staged"
    clock.set(clock.now() + timedelta(hours=1))
    assert "jumped ahead" in fleet.tick().doubt
    fleet.reopen()  # a restart does not heal it
    assert fleet.tick().doubt
    for client in fleet.clients.values():
        client.beat()  # their clocks say the same
    assert not fleet.tick().doubt
    clock.set(clock.now() + timedelta(hours=1))
    assert fleet.tick().doubt
    fleet.decide(Move.PROCEED, reason="checked against the wall")
    assert not fleet.tick().doubt


def test_the_key_of_a_distrusted_generation_is_destroyed_only_by_name_and_after_the_commit(fleet: Rotating) -> None:
    fleet.start()
    fleet.until("re-enrolling")
    site = fleet.site
    with site.transaction() as tx, pytest.raises(InconsistentState, match="is open"):
        rotation.destroy(tx, site.world, site.admin, generation=1, deployment="north")
    fleet.admin_returns()
    fleet.until("done")
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


def test_a_missing_staged_key_holds_the_cutover_and_the_rotation_can_still_be_aborted(fleet: Rotating) -> None:
    fleet.start()
    fleet.until("fenced")
    fleet.site.world.signer.destroy("ca-g2.key")
    report = fleet.tick()
    assert "ca-g2.key" in report.errors[0][1]
    assert fleet.look().row.phase == "fenced"
    fleet.decide(Move.ABORT)
    with fleet.site.transaction() as tx:
        assert tx.authorities.issuing().generation == 1
        assert not tx.meta.find("fenced")
