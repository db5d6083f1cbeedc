"""Tokens rotated by policy: who, when, with which overlap, and what is seen when it does not work (US-05.4, S5, S6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.core.facts import ClientFacts, NextAction, Overlay, Severity, State
from backend.core.health import assess
from backend.core.model import ClientKind, Cluster, Outcome, TokenState
from backend.core.stranding import stranding
from backend.core.token_policy import RotatedBy, TokenPolicy, TokenRule
from backend.service import fleet
from backend.service.auto_rotation import CANNOT_STORE, NO_WAY
from backend.service.deliveries import due as due_deliveries
from backend.service.deliveries import mark_unreachable
from backend.service.description import describe
from backend.service.fleet import columns_of
from backend.service.token_view import note_policy, policy_view

if TYPE_CHECKING:
    from tests.service.live.conftest import Live

DUE_AT = timedelta(days=63)
SECOND = timedelta(seconds=1)
KMS = TokenRule(name="plug-ins", kinds=frozenset({ClientKind.KMS}), overlap=timedelta(hours=6))
REST = TokenRule(name="rest")


def put(live: Live, *rules: TokenRule) -> None:
    """The agent starts with these rules."""
    object.__setattr__(live.site, "world", replace(live.site.world, token_policy=TokenPolicy(rules=rules)))


def facts(live: Live, number: int) -> ClientFacts:
    now = live.site.clock.now()
    with live.site.transaction() as tx:
        columns = columns_of(tx, live.site.world, [number])
    index = columns.index_of(number)
    assert index is not None
    return columns.facts(index, now=now, agent_alive=True, agent_now=now)


def faults(live: Live) -> dict[str, str]:
    with live.site.transaction() as tx:
        return {name: fault.why for name, fault in policy_view(tx, live.site.world).faults}


@pytest.mark.parametrize(("early", "begun"), [(SECOND, 0), (timedelta(0), 1), (-SECOND, 1)])
def test_a_policy_rotates_from_the_last_thirty_percent_on(live: Live, early: timedelta, begun: int) -> None:
    put(live, KMS)
    client = live.client("kms-1", kind=ClientKind.KMS)
    other = live.client("csi-1", kind=ClientKind.CSI)
    live.site.clock.advance(DUE_AT - early)
    live.tick()
    with live.site.transaction() as tx:
        assert len(tx.orders.open_of(client.number)) == begun
        assert not tx.orders.open_of(other.number), "no rule is about it"


def test_the_rotation_states_its_overlap_and_the_old_token_ends_with_it(live: Live) -> None:
    put(live, KMS)
    client = live.client("kms-1", kind=ClientKind.KMS)
    old = client.token_id
    live.site.clock.advance(DUE_AT)
    live.tick()
    client.beat()
    with live.site.transaction() as tx:
        before = tx.tokens.find(old)
        made = describe(tx, live.site.world, "kms-1").token_rotation
        event = next(one for one in tx.audit.newest(50, subject="kms-1") if one.action == "auto_rotate")
    assert before is not None
    assert (before.state, before.dies_at) == (TokenState.PREVIOUS, live.site.clock.now() + timedelta(hours=6))
    assert (made.by, made.rule, made.overlap, made.fault) == (RotatedBy.POLICY, "plug-ins", timedelta(hours=6), None)
    assert (event.detail["by"], event.detail["rule"], event.outcome) == ("policy", "plug-ins", Outcome.DONE)


def test_who_rotates_is_seen_by_every_reader_flag_policy_or_nobody(live: Live) -> None:
    put(live, KMS)
    by_flag = live.client("caph", kind=ClientKind.CAPH, auto_rotate=True)
    by_policy = live.client("kms-1", kind=ClientKind.KMS)
    nobody = live.client("csi-1", kind=ClientKind.CSI)
    found = [facts(live, one.number) for one in (by_flag, by_policy, nobody)]
    assert [one.rotated_by for one in found] == [RotatedBy.FLAG, RotatedBy.POLICY, RotatedBy.NOBODY]
    live.site.clock.advance(DUE_AT)
    now = live.site.clock.now()
    for client in live.clients.values():
        client.renew()
        client.beat()
    severities = [assess(facts(live, one.number), now).severity for one in (by_policy, nobody)]
    assert severities == [Severity.INFO, Severity.WARNING], "what somebody sees to is no warning"


def test_the_forecast_counts_on_a_policy_and_no_longer_on_one_that_fails(live: Live) -> None:
    client = live.client("kms-1", kind=ClientKind.KMS, auto_renew=True)
    now = live.site.clock.now()
    end = now + timedelta(days=365)
    alone = stranding(replace(facts(live, client.number), auto_renew=False), now, issuing_not_after=end).from_at
    put(live, KMS)
    known = replace(facts(live, client.number), auto_renew=False)
    counted = stranding(known, now, issuing_not_after=end).from_at
    failing = stranding(replace(known, rotation_fails=True), now, issuing_not_after=end).from_at
    assert alone is not None
    assert counted is not None
    assert failing == alone < counted


def test_an_orphan_is_no_part_of_a_policy(live: Live) -> None:
    put(live, REST)
    with live.site.transaction() as tx:
        fleet.put_cluster(tx, live.site.world, live.site.admin, Cluster(name="edge", is_management=False))
    client = live.client("kms-1", kind=ClientKind.KMS)
    with live.site.transaction() as tx:
        fleet.remove_cluster(tx, live.site.world, live.site.admin, "edge")
    live.site.clock.advance(DUE_AT)
    live.tick()
    with live.site.transaction() as tx:
        assert not tx.orders.open_of(client.number)
    assert facts(live, client.number).rotated_by is RotatedBy.NOBODY


def test_a_client_that_nobody_can_reach_is_a_fault_from_the_day_it_is_due(live: Live) -> None:
    put(live, KMS)
    identity, _ = live.site.identity("kms-lonely", kind=ClientKind.KMS, cluster="edge")
    live.site.clock.advance(DUE_AT - SECOND)
    live.tick()
    assert faults(live) == {}
    live.site.clock.advance(SECOND)
    live.tick()
    assert faults(live) == {"kms-lonely": NO_WAY}
    judged = assess(facts(live, identity.number), live.site.clock.now())
    assert Overlay.ROTATION_FAILS in judged.overlays
    assert judged.severity is Severity.WARNING
    assert any("its policy says so" in reason for reason in judged.reasons)
    for _ in range(3):
        live.tick()
    with live.site.transaction() as tx:
        failed = [one for one in tx.audit.newest(50, subject="kms-lonely") if one.outcome is Outcome.FAILED]
    assert [one.action for one in failed] == ["auto_rotate"], "said once, not at every round"


def test_a_client_that_cannot_store_is_a_fault_until_it_can(live: Live) -> None:
    put(live, KMS)
    client = live.client("kms-1", kind=ClientKind.KMS)
    client.stores = False
    live.site.clock.advance(DUE_AT)
    client.beat()
    live.pass_interval()
    live.pass_interval()
    assert faults(live) == {"kms-1": CANNOT_STORE}
    client.stores = True
    live.site.clock.advance(timedelta(days=1))
    for _ in range(4):
        live.pass_interval()
    assert faults(live) == {}
    assert facts(live, client.number).rotation_fails is False


def test_a_client_that_takes_tokens_and_loses_them_is_a_fault_although_its_newest_token_is_fresh(live: Live) -> None:
    """A full disk: every hand-out makes a current token of ninety days, which the client does not hold."""
    put(live, KMS)
    client = live.client("kms-1", kind=ClientKind.KMS)
    live.site.clock.advance(DUE_AT)
    client.renew()
    client.obeys = False
    live.tick()
    client.beat()
    live.tick()
    assert faults(live) == {}
    for _ in range(6):
        live.site.clock.advance(timedelta(seconds=30))
        client.beat()
        live.tick()
    assert "has not stored it" in faults(live)["kms-1"]
    judged = assess(facts(live, client.number), live.site.clock.now())
    assert judged.state is not State.TOKEN_DUE
    assert (judged.severity, judged.next_action) == (Severity.WARNING, NextAction.ROTATE_TOKEN)
    client.obeys = True
    live.site.clock.advance(timedelta(hours=1))
    live.pass_interval()
    live.pass_interval()
    assert faults(live) == {}


def test_a_place_that_cannot_be_written_is_a_fault_with_its_reason(live: Live) -> None:
    put(live, KMS)
    live.site.identity("kms-1", kind=ClientKind.KMS, cluster="edge", login_file_path="/srv/login/kms-1.yaml")
    live.site.clock.advance(DUE_AT)
    live.tick()
    with live.site.transaction() as tx:
        [owed] = [one for one in due_deliveries(tx, live.site.world) if one.identity_name == "kms-1"]
        mark_unreachable(tx, live.site.world, owed, "the directory is not there")
    live.tick()
    assert faults(live) == {"kms-1": "/srv/login/kms-1.yaml: the directory is not there"}


def test_the_fault_goes_with_its_identity_and_with_the_rule(live: Live) -> None:
    put(live, KMS)
    live.site.identity("kms-lonely", kind=ClientKind.KMS, cluster="edge")
    live.site.clock.advance(DUE_AT)
    live.tick()
    put(live)
    live.tick()
    assert faults(live) == {}


def test_a_changed_policy_is_audited_once_and_readers_read_everything_again(live: Live) -> None:
    live.client("kms-1", kind=ClientKind.KMS)
    with live.site.transaction() as tx:
        assert not note_policy(tx, live.site.world), "no rules, as before"
        before = tx.changes.current()
    put(live, KMS, REST)
    with live.site.transaction() as tx:
        assert note_policy(tx, live.site.world)
        assert not note_policy(tx, live.site.world)
        event = tx.audit.newest(1)[0]
        assert fleet.read(tx, live.site.world, before)[0].full
    assert event.action == "set_token_policy"
    assert "plug-ins: kind KMS: rotated, overlap 21600 s" in event.detail["rules"]
    put(live)
    with live.site.transaction() as tx:
        assert note_policy(tx, live.site.world)
        assert tx.audit.newest(1)[0].detail["rules"] == "none"
