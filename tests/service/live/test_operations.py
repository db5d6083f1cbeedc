"""Operations: plan, confirm by hash, and move by what is observed (US-07 to US-11)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backend.core.errors import (
    AccessDenied,
    ConfirmationRefused,
    InconsistentState,
    InvalidInput,
    NotFound,
    PlanChanged,
)
from backend.core.model import Cluster, Outcome
from backend.core.plan import ActionKind
from backend.service import audit, fleet, identities, operations
from backend.service.operations import OperationView, PlanView
from backend.store.sqlite import open_store

if TYPE_CHECKING:
    from tests.service.live.conftest import Live

DUE = timedelta(days=63)  # 30 % of 90 days are left
SECOND = timedelta(seconds=1)


def plan(live: Live, action: ActionKind, *names: str, **more: object) -> PlanView:
    with live.site.transaction() as tx:
        return operations.plan(tx, live.site.world, live.site.admin, action=action, names=names, **more)  # type: ignore[arg-type]


def start(live: Live, planned: PlanView, hash: str = "") -> OperationView:
    with live.site.transaction() as tx:
        return operations.start(
            tx, live.site.world, live.site.admin, plan_id=planned.id, hash=hash or planned.hash, origin="tui"
        )


def run(live: Live, action: ActionKind, *names: str, **more: object) -> str:
    return start(live, plan(live, action, *names, **more)).row.id


def look(live: Live, operation_id: str) -> OperationView:
    with live.site.transaction() as tx:
        view = operations.get(tx, operation_id)
    assert view.done + view.failed + view.running + view.waiting + view.skipped == view.total
    return view


def states(live: Live, operation_id: str) -> dict[str, str]:
    return {target.row.name: target.row.state for target in look(live, operation_id).targets}


def age(live: Live, by: timedelta = DUE) -> None:
    """Time passes, and every client is heard at its end."""
    live.site.clock.advance(by)
    for client in live.clients.values():
        client.beat()


def test_planning_writes_the_plan_and_nothing_else(live: Live) -> None:
    live.client("kva")
    age(live)
    with live.site.transaction() as tx:
        before = (tx.changes.current(), tx.audit.head())
    planned = plan(live, ActionKind.RENEW, "kva")
    with live.site.transaction() as tx:
        assert (tx.changes.current(), tx.audit.head()) == before
        assert tx.plans.get(planned.id).hash == planned.hash


def test_a_due_client_is_renewed_only_when_its_new_serial_was_used(live: Live) -> None:
    client = live.client("kva")
    age(live)
    old = client.certificate
    operation = run(live, ActionKind.RENEW, "kva")
    assert states(live, operation) == {"kva": "waiting"}
    live.tick()
    assert states(live, operation) == {"kva": "ordered"}
    client.beat()  # takes the order and renews, over the old certificate
    live.tick()
    assert states(live, operation) == {"kva": "issued"}
    client.beat()  # the first call with the new one
    live.tick()
    view = look(live, operation)
    assert view.row.state == "done"
    row = view.targets[0].row
    assert old is not None
    assert client.certificate is not None
    assert (row.old_serial, row.new_serial) == (old.serial, client.certificate.serial)
    assert view.targets[0].certificate_then is not None
    with live.site.transaction() as tx:
        event = next(found for found in tx.audit.newest(50, subject="kva") if found.action == "renew")
        assert event.outcome is Outcome.DONE
        assert tx.orders.open_of(client.number) == []
        assert audit.verify(tx).intact


def test_a_client_that_is_not_due_is_skipped_with_its_reason_and_nothing_starts(live: Live) -> None:
    live.client("kva")
    planned = plan(live, ActionKind.RENEW, "kva")
    assert planned.draft.runs == 0
    with pytest.raises(InconsistentState, match="nothing to do"):
        start(live, planned)


def test_a_wrong_hash_an_old_plan_and_a_second_start_are_refused(live: Live) -> None:
    live.client("kva")
    age(live)
    planned = plan(live, ActionKind.RENEW, "kva")
    with pytest.raises(ConfirmationRefused, match="hash"):
        start(live, planned, "0" * 64)
    with pytest.raises(NotFound), live.site.transaction() as tx:
        operations.start(tx, live.site.world, live.site.admin, plan_id="none", hash=planned.hash)
    start(live, planned)
    with pytest.raises(ConfirmationRefused, match="started before"):
        start(live, planned)


@pytest.mark.parametrize(("late", "accepted"), [(-1, True), (0, True), (1, False)])
def test_a_plan_is_good_for_fifteen_minutes(live: Live, late: int, accepted: bool) -> None:
    live.client("kva")
    age(live)
    planned = plan(live, ActionKind.RENEW, "kva")
    live.site.clock.advance(timedelta(minutes=15) + late * SECOND)
    live.clients["kva"].beat()
    if accepted:
        assert start(live, planned).row.state == "running"
    else:
        with pytest.raises(ConfirmationRefused, match="was good until"):
            start(live, planned)


def test_a_plan_whose_facts_changed_is_refused_and_the_change_is_named(live: Live) -> None:
    client = live.client("kva")
    live.client("csi")
    age(live)
    planned = plan(live, ActionKind.RENEW, "kva", "csi")
    client.renew()
    client.call()
    with pytest.raises(PlanChanged, match="kva: its certificate ends at another time"):
        start(live, planned)


def test_a_second_request_for_the_same_client_names_the_operation_that_runs(live: Live) -> None:
    live.client("kva")
    age(live)
    first, second = plan(live, ActionKind.RENEW, "kva"), plan(live, ActionKind.RENEW, "kva")
    running = start(live, first).row.id
    with pytest.raises(InconsistentState, match=running):
        start(live, second)


def test_targets_start_in_order_and_never_more_than_the_plan_allows(live: Live) -> None:
    names = [f"kva-{number}" for number in range(5)]
    for name in names:
        live.client(name).obeys = False
    age(live)
    operation = run(live, ActionKind.RENEW, *names, parallel=2)
    live.tick()
    live.tick()
    assert [name for name, state in states(live, operation).items() if state == "ordered"] == names[:2]
    with pytest.raises(InvalidInput):
        plan(live, ActionKind.RENEW, *names, parallel=5)


def test_every_client_is_touched_once_however_often_the_agent_ticks(live: Live) -> None:
    names = [f"kva-{number}" for number in range(4)]
    for name in names:
        live.client(name)
    age(live)
    operation = run(live, ActionKind.RENEW, *names, parallel=2)
    for _ in range(12):
        live.tick()
        live.tick()
        live.pass_interval()
    assert set(states(live, operation).values()) == {"done"}
    with live.site.transaction() as tx:
        for client in live.clients.values():
            assert len(tx.certificates.of(client.number)) == 2


def test_the_first_failure_stops_what_has_not_started(live: Live) -> None:
    for name in ("kva-1", "kva-2", "kva-3"):
        live.client(name)
    age(live)
    live.clients["kva-1"].obeys = False
    operation = run(live, ActionKind.RENEW, "kva-1", "kva-2", "kva-3")
    for _ in range(8):
        live.pass_interval()
    assert states(live, operation) == {"kva-1": "failed", "kva-2": "skipped", "kva-3": "skipped"}
    view = look(live, operation)
    assert view.row.state == "failed"
    assert "no answer: the client took the order" in view.targets[0].row.result
    assert "kva-1 failed" in view.targets[1].row.result
    with live.site.transaction() as tx:
        assert tx.orders.open_of(live.clients["kva-1"].number) == []  # it cannot obey after the report


@pytest.mark.parametrize(("late", "state"), [(0, "ordered"), (1, "failed")])
def test_an_order_waits_two_minutes_for_an_answer(live: Live, late: int, state: str) -> None:
    live.client("kva")
    age(live)
    operation = run(live, ActionKind.RENEW, "kva")
    live.tick()
    live.site.clock.advance(timedelta(seconds=120 + late))
    live.tick()
    assert states(live, operation) == {"kva": state}


def test_stop_lets_running_targets_end_and_starts_no_other(live: Live) -> None:
    for name in ("kva-1", "kva-2"):
        live.client(name)
    age(live)
    operation = run(live, ActionKind.RENEW, "kva-1", "kva-2")
    live.tick()
    with live.site.transaction() as tx:
        operations.stop(tx, live.site.world, live.site.admin, operation)
    assert states(live, operation) == {"kva-1": "ordered", "kva-2": "skipped"}
    for _ in range(3):
        live.pass_interval()
    assert states(live, operation) == {"kva-1": "done", "kva-2": "skipped"}
    assert look(live, operation).row.state == "stopped"
    with live.site.transaction() as tx, pytest.raises(InconsistentState, match="has ended"):
        operations.stop(tx, live.site.world, live.site.admin, operation)


def test_a_target_whose_identity_is_deleted_meanwhile_fails_by_name(live: Live) -> None:
    live.client("kva")
    age(live)
    operation = run(live, ActionKind.RENEW, "kva")
    live.tick()
    with live.site.transaction() as tx:
        identities.delete(tx, live.site.world, live.site.admin, "kva")
    live.tick()
    assert "deleted" in look(live, operation).targets[0].row.result


def test_a_target_whose_cluster_is_removed_meanwhile_fails_with_that_reason(live: Live) -> None:
    world, admin = live.site.world, live.site.admin
    with live.site.transaction() as tx:
        fleet.put_cluster(tx, world, admin, Cluster(name="edge", is_management=False))
    live.client("kva", signed_in=False)
    operation = run(live, ActionKind.REPAIR, "kva", force=True, reason="its disk died")
    with live.site.transaction() as tx:
        operations.tick(tx, world)
        fleet.remove_cluster(tx, world, admin, "edge")
        operations.tick(tx, world)
    view = look(live, operation)
    assert (view.row.state, view.targets[0].row.state) == ("failed", "failed")
    assert "cluster edge was removed" in view.targets[0].row.result


def test_a_token_is_rotated_over_the_heartbeat_and_done_when_the_client_confirms_it(live: Live) -> None:
    client = live.client("kva")
    age(live)
    before = client.token_id
    operation = run(live, ActionKind.ROTATE_TOKEN, "kva")
    for _ in range(3):
        live.pass_interval()
    view = look(live, operation)
    assert view.row.state == "done"
    assert "stored the new token" in view.targets[0].row.result
    assert client.token_id != before


def test_a_client_that_cannot_store_its_token_fails_with_what_to_do(live: Live) -> None:
    client = live.client("kva")
    age(live)
    client.stores = False
    operation = run(live, ActionKind.ROTATE_TOKEN, "kva")
    for _ in range(2):
        live.pass_interval()
    assert "not writable" in look(live, operation).targets[0].row.result


def test_a_token_by_file_is_done_when_the_file_is_written_and_says_that_it_is_not_used_yet(
    live: Live, tmp_path: Path
) -> None:
    live.client("kva", login_file_path=str(tmp_path / "login.yaml"), token_lifetime=timedelta(days=30))
    live.site.clock.advance(timedelta(days=22))  # its token is due, its certificate is not, and it is silent
    operation = run(live, ActionKind.ROTATE_TOKEN, "kva", force=True, reason="the host is off for maintenance")
    live.tick()
    assert states(live, operation) == {"kva": "ordered"}
    assert live.write_files()
    live.tick()
    view = look(live, operation)
    assert view.targets[0].row.state == "done"
    assert "not yet used" in view.targets[0].row.result
    assert (tmp_path / "login.yaml").exists()


def test_a_locked_out_client_is_repaired_by_file_when_its_new_certificate_was_used(live: Live, tmp_path: Path) -> None:
    import yaml

    from backend.core.model import Secret

    path = tmp_path / "login.yaml"
    client = live.client("kva", login_file_path=str(path))
    live.site.clock.advance(timedelta(days=91))
    operation = run(live, ActionKind.REPAIR, "kva")
    live.tick()
    live.write_files()
    live.tick()
    assert states(live, operation) == {"kva": "delivered"}
    client.token = Secret(yaml.safe_load(path.read_text())["token"])
    client.sign_in()
    live.tick()
    assert states(live, operation) == {"kva": "issued"}
    client.call()
    live.tick()
    assert look(live, operation).row.state == "done"


def test_a_repair_by_hand_waits_for_the_person_and_then_for_the_sign_in(live: Live) -> None:
    import yaml

    from backend.core.model import Secret

    client = live.client("kva")
    live.site.clock.advance(timedelta(days=91))
    operation = run(live, ActionKind.REPAIR, "kva")
    live.tick()
    live.site.clock.advance(timedelta(days=3))
    live.tick()
    assert states(live, operation) == {"kva": "ordered"}
    site = live.site
    with site.transaction() as tx:
        first = operations.take_login_file(tx, site.world, site.admin, operation_id=operation, name="kva")
    with site.transaction() as tx:
        file = operations.take_login_file(tx, site.world, site.admin, operation_id=operation, name="kva")
    assert file.yaml.reveal() != first.yaml.reveal()
    live.tick()
    assert states(live, operation) == {"kva": "delivered"}
    client.token = Secret(yaml.safe_load(file.yaml.reveal())["token"])
    client.sign_in()
    client.call()
    live.tick()
    assert look(live, operation).row.state == "done"
    with site.transaction() as tx, pytest.raises(InconsistentState, match="waits for no login file"):
        operations.take_login_file(tx, site.world, site.admin, operation_id=operation, name="kva")


def test_nobody_takes_the_login_file_of_an_identity_that_may_more_than_they_may(live: Live) -> None:
    """A login file holds the token: with an owner's in hand, whoever rotates tokens would be an owner."""
    site = live.site
    helper = site.signed_in("helper", "IdentityContributor", cluster="edge")
    site.signed_in("chief", "Owner", cluster="edge")
    plain = live.client("kva", signed_in=False)
    with site.transaction() as tx:
        made = operations.plan(
            tx,
            site.world,
            helper,
            action=ActionKind.ROTATE_TOKEN,
            names=["chief", "kva"],
            force=True,
            reason="drill",
            parallel=2,
        )
        operation = operations.start(tx, site.world, helper, plan_id=made.id, hash=made.hash).row.id
    live.tick()
    with site.transaction() as tx:
        before = tx.tokens.of(tx.identities.get("chief").number)
    with site.transaction() as tx, pytest.raises(AccessDenied, match="chief"):
        operations.take_login_file(tx, site.world, helper, operation_id=operation, name="chief")
    with site.transaction() as tx:
        assert tx.tokens.of(tx.identities.get("chief").number) == before
        assert operations.take_login_file(tx, site.world, helper, operation_id=operation, name=plain.name).name == "kva"


def test_the_login_file_of_a_deleted_client_is_not_that_of_its_namesake(live: Live) -> None:
    site = live.site
    live.client("kva", signed_in=False)
    operation = run(live, ActionKind.ROTATE_TOKEN, "kva", force=True, reason="drill")
    live.tick()
    with site.transaction() as tx:
        identities.delete(tx, site.world, site.admin, "kva")
    site.identity("kva")
    with site.transaction() as tx, pytest.raises(InconsistentState, match="deleted"):
        operations.take_login_file(tx, site.world, site.admin, operation_id=operation, name="kva")


def test_stopping_a_repair_by_hand_ends_it_although_nobody_came(live: Live) -> None:
    live.client("kva")
    live.site.clock.advance(timedelta(days=91))
    operation = run(live, ActionKind.REPAIR, "kva")
    live.tick()
    with live.site.transaction() as tx:
        view = operations.stop(tx, live.site.world, live.site.admin, operation)
    assert (view.row.state, view.skipped) == ("stopped", 1)


def test_a_crash_between_any_two_ticks_changes_nothing(live: Live) -> None:
    """The store is closed and opened again before every tick: rows are the only memory."""
    names = ["kva-1", "kva-2", "kva-3"]
    for name in names:
        live.client(name)
    age(live)
    operation = run(live, ActionKind.RENEW, *names)
    path = live.site.directory / "store.db"
    for _ in range(12):
        live.site.store.close()
        object.__setattr__(live.site, "store", open_store(path))
        live.pass_interval()
    view = look(live, operation)
    assert (view.done, view.row.state) == (3, "done")
    with live.site.transaction() as tx:
        assert [len(tx.certificates.of(client.number)) for client in live.clients.values()] == [2, 2, 2]
        assert audit.verify(tx).intact


def test_old_plans_that_were_never_started_are_forgotten(live: Live) -> None:
    live.client("kva")
    age(live)
    planned = plan(live, ActionKind.RENEW, "kva")
    live.site.clock.advance(timedelta(hours=1))
    live.tick()
    with live.site.transaction() as tx, pytest.raises(NotFound):
        tx.plans.get(planned.id)


def test_operations_are_listed_newest_first(live: Live) -> None:
    for name in ("kva-1", "kva-2"):
        live.client(name)
    age(live)
    made = [run(live, ActionKind.RENEW, name) for name in ("kva-1", "kva-2")]
    with live.site.transaction() as tx:
        assert [view.row.id for view in operations.recent(tx)] == made[::-1]
