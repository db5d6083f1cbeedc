"""Updating certificates of management or of a cluster: one plan, and each client gets what it needs (domain.md 6)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from backend.core.errors import InconsistentState, InvalidInput, NotFound, PlanChanged
from backend.core.model import ClientKind, Cluster, Secret
from backend.core.plan import ActionKind, Decision
from backend.core.planrules import STORED_NOT_IN_USE
from backend.core.update import MANAGEMENT_KINDS, UpdateScope
from backend.service import audit, identities, operations
from backend.service.fleet import put_cluster
from backend.service.operations import OperationView, PlanView
from backend.service.targets import ENDED
from backend.store.sqlite import open_store

if TYPE_CHECKING:
    from tests.service.live.conftest import Client, Live

DUE = timedelta(days=63)  # 30 % of 90 days are left
DAY = timedelta(days=1)
MANAGEMENT = UpdateScope()
CLUSTER = UpdateScope(cluster="edge-1")
WITH_BALANCERS = UpdateScope(cluster="edge-1", patch_load_balancer=True)
ROTATE, RENEW, REPAIR = ActionKind.ROTATE_TOKEN, ActionKind.RENEW, ActionKind.REPAIR


@pytest.fixture
def site_of_two(live: Live) -> Live:
    """A management cluster and a workload cluster, both empty."""
    for name, is_management in (("mgmt", True), ("edge-1", False)):
        with live.site.transaction() as tx:
            put_cluster(tx, live.site.world, live.site.admin, Cluster(name=name, is_management=is_management))
    return live


def plan(live: Live, scope: UpdateScope, **more: object) -> PlanView:
    with live.site.transaction() as tx:
        return operations.plan(tx, live.site.world, live.site.admin, action=ActionKind.UPDATE, update=scope, **more)  # type: ignore[arg-type]


def start(live: Live, planned: PlanView) -> str:
    with live.site.transaction() as tx:
        view = operations.start(
            tx, live.site.world, live.site.admin, plan_id=planned.id, hash=planned.hash, origin="cli"
        )
    return view.row.id


def look(live: Live, operation_id: str) -> OperationView:
    with live.site.transaction() as tx:
        view = operations.get(tx, operation_id)
    assert view.done + view.failed + view.running + view.waiting + view.skipped == view.total
    return view


def decided(planned: PlanView) -> dict[str, Decision]:
    return {decision.name: decision for decision in planned.draft.decisions if decision.number}


def counts(live: Live, client: Client) -> tuple[int, int]:
    """How many certificates and tokens a client ever had."""
    with live.site.transaction() as tx:
        return len(tx.certificates.of(client.number)), len(tx.tokens.of(client.number))


def age(live: Live, by: timedelta = DUE) -> None:
    live.site.clock.advance(by)
    for client in live.clients.values():
        client.beat()


def reopen(live: Live) -> None:
    """The agent is killed and comes back."""
    live.site.store.close()
    object.__setattr__(live.site, "store", open_store(live.site.directory / "store.db"))


def test_forty_clients_with_a_crash_between_any_two_ticks_are_each_touched_once(site_of_two: Live) -> None:
    live = site_of_two
    kinds = {}
    for kind in MANAGEMENT_KINDS:
        for number in range(5):
            name = f"{kind.value.lower()}-{number}"
            live.client(name, kind=kind, cluster="mgmt")
            kinds[name] = kind
    live.client("elsewhere", kind=ClientKind.CSI, cluster="edge-1")
    planned = plan(live, MANAGEMENT, force=True, reason="OPS-7", parallel=4)
    assert [kinds[decision.name] for decision in planned.draft.decisions] == [
        k for k in MANAGEMENT_KINDS for _ in "12345"
    ]
    operation = start(live, planned)
    for _ in range(120):
        reopen(live)
        live.pass_interval()
        view = look(live, operation)
        states = {target.row.name: target.row.state for target in view.targets}
        assert view.running <= 4
        if not all(states[name] in ENDED for name, kind in kinds.items() if kind is ClientKind.NODE_AGENT):
            others = {states[name] for name, kind in kinds.items() if kind is not ClientKind.NODE_AGENT}
            assert others == {"waiting"}, "node agents come first"
        assert sum(states[f"kms-{number}"] not in {*ENDED, "waiting"} for number in range(5)) <= 1
        if view.row.state != "running":
            break
    assert (view.row.state, view.done, view.total) == ("done", 40, 40)
    assert {counts(live, live.clients[name]) for name in kinds} == {(2, 2)}, "one new certificate, one new token each"
    assert counts(live, live.clients["elsewhere"]) == (1, 1)
    for target in view.targets:
        assert "stored the new token" in target.row.result
        assert "is in use" in target.row.result
    with live.site.transaction() as tx:
        assert not any(tx.orders.open_of(client.number) for client in live.clients.values())
        assert audit.verify(tx).intact


def test_each_client_gets_what_it_needs_and_what_is_not_due_is_left_alone(site_of_two: Live) -> None:
    live = site_of_two
    live.client("due-both", kind=ClientKind.KVA, cluster="mgmt")
    live.client("due-token", kind=ClientKind.CSI, cluster="mgmt")
    live.client("due-certificate", kind=ClientKind.CAPH, cluster="mgmt")
    age(live)
    live.clients["due-token"].renew()
    live.clients["due-token"].beat()
    renewed = live.clients["due-certificate"]
    with live.site.transaction() as tx:
        _, token = identities.rotate(tx, live.site.world, live.site.admin, "due-certificate")
        renewed.token, renewed.token_id = token, tx.tokens.of(renewed.number)[0].id
    renewed.beat()
    live.client("fresh", kind=ClientKind.KMS, cluster="mgmt")
    before = {name: counts(live, client) for name, client in live.clients.items()}
    planned = plan(live, MANAGEMENT)
    parts = {name: decision.parts for name, decision in decided(planned).items()}
    assert parts == {
        "due-both": (ROTATE, RENEW),
        "due-token": (ROTATE,),
        "due-certificate": (RENEW,),
        "fresh": (),
    }
    operation = start(live, planned)
    for _ in range(15):
        live.pass_interval()
    view = look(live, operation)
    assert (view.row.state, view.done, view.skipped) == ("done", 3, 1)
    gained = {
        name: tuple(now - then for now, then in zip(counts(live, live.clients[name]), before[name], strict=True))
        for name in before
    }
    assert gained == {"due-both": (1, 1), "due-token": (0, 1), "due-certificate": (1, 0), "fresh": (0, 0)}


def test_a_locked_out_client_is_repaired_with_a_login_file(
    site_of_two: Live,
) -> None:
    live = site_of_two
    path = live.site.directory.parent / "csi.yaml"
    client = live.client("csi", kind=ClientKind.CSI, cluster="edge-1", login_file_path=str(path))
    live.site.clock.advance(91 * DAY)
    renew_admin(live)
    planned = plan(live, CLUSTER)
    assert decided(planned)["csi"].parts == (REPAIR,)
    assert decided(planned)["csi"].route.value == "file"
    operation = start(live, planned)
    live.tick()
    deliver(live, path)
    live.tick()
    client.token = Secret(yaml.safe_load(path.read_text())["token"])
    client.sign_in()
    live.tick()
    assert look(live, operation).running == 1, "signed in is not in use"
    client.beat()
    live.tick()
    assert look(live, operation).row.state == "done"


def test_the_login_file_that_nobody_signs_in_with_is_stored_but_not_in_use(
    site_of_two: Live,
) -> None:
    live = site_of_two
    path = live.site.directory.parent / "csi.yaml"
    live.client("csi", kind=ClientKind.CSI, cluster="edge-1", login_file_path=str(path))
    live.site.clock.advance(91 * DAY)
    renew_admin(live)
    operation = start(live, plan(live, CLUSTER))
    live.tick()
    deliver(live, path)
    for _ in range(6):
        live.pass_interval("csi")
    target = look(live, operation).targets[0].row
    assert target.state == "failed"
    assert target.result.startswith(STORED_NOT_IN_USE)
    assert "restart" in target.result


def test_a_certificate_that_is_issued_and_never_used_ends_the_operation_as_its_own_result(site_of_two: Live) -> None:
    live = site_of_two
    frozen = live.client("kva", kind=ClientKind.KVA, cluster="mgmt")
    live.client("caph", kind=ClientKind.CAPH, cluster="mgmt")
    operation = start(live, plan(live, MANAGEMENT, force=True, reason="OPS-7"))
    while frozen.certificate is not None and counts(live, frozen)[0] == 1:
        live.pass_interval()
    for _ in range(6):
        live.pass_interval("kva")
    rows = {target.row.name: target.row for target in look(live, operation).targets}
    assert rows["kva"].result.startswith(f"{STORED_NOT_IN_USE}: certificate ")
    assert "restart the client" in rows["kva"].result
    assert rows["caph"].state == "skipped"
    assert counts(live, live.clients["caph"]) == (1, 1), "nothing later was started"


def test_a_client_that_came_right_while_it_waited_is_not_touched_again(site_of_two: Live) -> None:
    live = site_of_two
    live.client("host-1", kind=ClientKind.NODE_AGENT, cluster="mgmt")
    kva = live.client("kva", kind=ClientKind.KVA, cluster="mgmt")
    age(live)
    for client in live.clients.values():  # only certificates are due from here on
        with live.site.transaction() as tx:
            _, client.token = identities.rotate(tx, live.site.world, live.site.admin, client.name)
            client.token_id = tx.tokens.of(client.number)[0].id
        client.beat()
    operation = start(live, plan(live, MANAGEMENT))
    live.pass_interval()
    kva.renew()  # by itself, in its own slot
    for _ in range(8):
        live.pass_interval()
    assert look(live, operation).row.state == "done"
    assert counts(live, kva)[0] == 2


def test_load_balancer_agents_are_listed_and_left_alone_unless_they_are_asked_for(site_of_two: Live) -> None:
    live = site_of_two
    live.client("kms", kind=ClientKind.KMS, cluster="edge-1")
    live.client("lb-active", kind=ClientKind.LB_AGENT, cluster="edge-1")
    live.client("lb-passive", kind=ClientKind.LB_AGENT, cluster="edge-1")
    age(live)
    without, with_them = plan(live, CLUSTER), plan(live, WITH_BALANCERS)
    assert without.draft.runs == 1
    assert "--patch-load-balancer" in decided(without)["lb-active"].why
    assert [decision.name for decision in with_them.draft.decisions if decision.runs] == [
        "kms",
        "lb-active",
        "lb-passive",
    ]
    missing = [decision.name for decision in with_them.draft.decisions if not decision.number]
    assert missing == ["CSI in edge-1", "CertManager in edge-1", "CloudProvider in edge-1"]
    assert any("kubelets" in warning for warning in without.draft.warnings)
    view = look(live, start(live, without))
    assert view.total == 3, "who was never seen is a line of the plan and no target"


def test_a_workload_cluster_waits_for_management_that_cannot_get_in(site_of_two: Live) -> None:
    live = site_of_two
    live.client("host-1", kind=ClientKind.NODE_AGENT, cluster="mgmt")
    live.site.clock.advance(91 * DAY)
    renew_admin(live)
    live.client("kms", kind=ClientKind.KMS, cluster="edge-1")
    refused = decided(plan(live, CLUSTER))["kms"]
    assert not refused.runs
    assert "host-1 cannot get in; run `mocdeck update certificates` first" in refused.why
    assert decided(plan(live, CLUSTER, force=True, reason="the host is gone for good"))["kms"].runs


def test_who_is_out_on_purpose_is_left_alone_and_stands_in_nobodys_way(site_of_two: Live) -> None:
    live = site_of_two
    until = live.site.clock.now() + 200 * DAY
    with live.site.transaction() as tx:
        off = Cluster(name="mgmt", is_management=True, planned_off_until=until)
        put_cluster(tx, live.site.world, live.site.admin, off)
    live.client("kva", kind=ClientKind.KVA, cluster="mgmt")
    live.client("gone-host", kind=ClientKind.NODE_AGENT, cluster="")
    with live.site.transaction() as tx:
        identities.revoke(tx, live.site.world, live.site.admin, "gone-host")
    live.site.clock.advance(91 * DAY)
    renew_admin(live)
    live.client("kms", kind=ClientKind.KMS, cluster="edge-1")
    lines = decided(plan(live, MANAGEMENT))
    assert lines["kva"].why.startswith("left alone: it is planned off until")
    assert lines["gone-host"].why.startswith("left alone: its identity is revoked")
    assert "not due" in decided(plan(live, CLUSTER))["kms"].why
    forced = decided(plan(live, MANAGEMENT, force=True, reason="it is back already"))
    assert (forced["kva"].runs, forced["gone-host"].runs) == (True, False)


@pytest.mark.parametrize(
    ("scope", "error", "said"),
    [
        (UpdateScope(cluster="nowhere"), NotFound, "no cluster 'nowhere'"),
        (UpdateScope(cluster="mgmt"), InvalidInput, "mocdeck update certificates"),
    ],
)
def test_only_a_workload_cluster_of_this_site_can_be_named(
    scope: UpdateScope, error: type[Exception], said: str, site_of_two: Live
) -> None:
    with pytest.raises(error, match=said):
        plan(site_of_two, scope)


def test_an_update_takes_no_names_and_another_action_no_cluster(live: Live) -> None:
    with live.site.transaction() as tx:
        for words in ({"names": ["a"], "action": ActionKind.UPDATE}, {"update": MANAGEMENT, "action": RENEW}):
            with pytest.raises(InvalidInput, match="management or for one cluster"):
                operations.plan(tx, live.site.world, live.site.admin, **words)  # type: ignore[arg-type]


def test_the_plan_is_refused_when_the_operators_login_ends_before_it_could(site_of_two: Live) -> None:
    live = site_of_two
    live.client("kva", kind=ClientKind.KVA, cluster="mgmt")
    end = live.site.admin.certificate.validity.not_after
    # No more than the plan's own quarter of an hour and one client's two minutes.
    needed = live.site.world.policy.plan_lifetime + timedelta(minutes=2)
    with live.site.transaction() as tx:
        token = tx.tokens.of(live.site.admin.identity.number)[0]
    live.site.clock.advance(max(end, token.expires_at) - needed - live.site.clock.now())
    with pytest.raises(InconsistentState, match="your own login ends"):
        plan(live, MANAGEMENT)


def test_a_new_client_of_the_cluster_changes_the_plan(site_of_two: Live) -> None:
    live = site_of_two
    live.client("kms", kind=ClientKind.KMS, cluster="edge-1")
    age(live)
    planned = plan(live, CLUSTER)
    live.client("csi", kind=ClientKind.CSI, cluster="edge-1")
    with pytest.raises(PlanChanged, match=r"CSI in edge-1 is gone; csi is new"):
        start(live, planned)


def renew_admin(live: Live) -> None:
    """The administrator signs in again, however long ago that was."""
    from backend.pki.keys import KeyKind, generate_key
    from backend.service.token_line import rotate_token

    with live.site.transaction() as tx:
        identity = tx.identities.get("admin")
        _, token = rotate_token(tx, live.site.world, identity, overlap=timedelta(0))
    certificate = live.site.certificate("admin", token, generate_key(KeyKind.P256))
    object.__setattr__(live.site, "admin", live.site.caller(certificate))


def deliver(live: Live, path: Path) -> None:
    assert str(path) in live.write_files()
