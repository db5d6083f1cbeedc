"""Heartbeats: what they say, and what the answers bring home."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.core.facts import Severity
from backend.core.health import assess
from backend.core.model import Outcome, TokenState
from backend.pki.epochs import walk
from backend.service import audit
from backend.service.epochs import publish_epoch
from backend.service.fence import set_fence
from backend.service.fleet import columns_of
from backend.store.records import Order, OrderKind

if TYPE_CHECKING:
    from tests.service.live.conftest import Client, Live


def give(live: Live, client: Client, kind: OrderKind, overlap_seconds: int = -1) -> Order:
    order = Order(
        id=str(uuid.uuid4()),
        identity_number=client.number,
        kind=kind,
        created_at=live.site.clock.now(),
        overlap_seconds=overlap_seconds,
    )
    with live.site.transaction() as tx:
        tx.orders.put(order)
    return order


def test_a_heartbeat_is_kept_with_the_clients_skew_and_proves_its_renewal_loop(live: Live) -> None:
    client = live.client("kva")
    client.skew = timedelta(seconds=-42)
    client.beat()
    with live.site.transaction() as tx:
        kept = tx.heartbeats.find(client.number)
        assert kept is not None
        assert kept.skew == timedelta(seconds=-42)
        assert kept.heard_at == live.site.clock.now()
        assert tx.identities.get("kva").auto_renew is True


def test_a_loop_that_reports_itself_down_is_no_longer_counted_on_until_it_is_back(live: Live) -> None:
    client = live.client("kva")
    client.beat(loop_alive=False)
    with live.site.transaction() as tx:
        assert tx.identities.get("kva").auto_renew is False
    client.beat()
    with live.site.transaction() as tx:
        assert tx.identities.get("kva").auto_renew is True


@pytest.mark.parametrize(
    ("loop_alive", "renews_itself", "is_broken", "renews"),
    [
        (True, True, False, True),
        (False, True, True, False),
        (False, False, False, False),  # set not to renew: nothing is wrong with it
        (False, None, False, False),  # an older client, which cannot tell the two apart
    ],
)
def test_a_broken_loop_of_a_client_that_renews_itself_is_critical_and_any_other_is_not(
    live: Live, loop_alive: bool, renews_itself: bool | None, is_broken: bool, renews: bool
) -> None:
    client = live.client("kva")
    client.beat(loop_alive=loop_alive, renews_itself=renews_itself)
    now = live.site.clock.now()
    with live.site.transaction() as tx:
        columns = columns_of(tx, live.site.world, [client.number])
    index = columns.index_of(client.number)
    assert index is not None
    facts = columns.facts(index, now=now, agent_alive=True, agent_now=now)
    judged = assess(facts, now)
    assert (facts.loop_broken, facts.auto_renew) == (is_broken, renews)
    assert (judged.severity is Severity.CRITICAL) is is_broken
    assert any("its loop is broken" in reason for reason in judged.reasons) is is_broken
    client.beat(loop_alive=True, renews_itself=True)
    with live.site.transaction() as tx:
        columns = columns_of(tx, live.site.world, [client.number])
    assert not columns.facts(0, now=now, agent_alive=True, agent_now=now).loop_broken


def test_a_program_that_comes_and_goes_says_nothing_about_the_loop_of_its_identity(live: Live) -> None:
    """An operator's session may use the identity of a program that renews by itself elsewhere."""
    client = live.client("kva")
    client.beat(interval=timedelta(0), loop_alive=False)
    with live.site.transaction() as tx:
        assert tx.identities.get("kva").auto_renew is True


def test_a_client_without_a_heartbeat_of_its_own_is_told_the_policys_and_any_other_keeps_its_own(live: Live) -> None:
    client = live.client("kva")
    assert client.beat(interval=timedelta(0), loop_alive=False).interval == live.site.world.policy.heartbeat
    assert client.beat(interval=timedelta(seconds=45)).interval == timedelta(0)


def test_a_client_behind_the_present_epoch_gets_the_bundle_and_one_at_it_does_not(live: Live) -> None:
    client = live.client("kva", signed_in=False)
    client.sign_in()
    first = client.beat()
    assert first.bundle_pem.startswith("-----BEGIN CERTIFICATE-----")
    assert client.beat().bundle_pem == ""


def test_a_client_that_is_behind_gets_the_chain_from_its_own_epoch_on(live: Live) -> None:
    client = live.client("kva")
    client.beat()
    world, first = live.site.world, client.bundle
    with live.site.transaction() as tx:
        tx.authorities.add(world.signer.stage(2, "north", live.site.clock.now(), world.policy.authority_lifetime))
        publish_epoch(tx, world, (1, 2), live.site.clock.now())
    client.epoch = 0
    assert client.beat().chain == ()  # only a login file's roots are held: there is nothing to follow from
    client.epoch = 1
    answer = client.beat()
    assert walk(first, answer.chain, epoch=1).bundle_pem == answer.bundle_pem
    assert client.beat().chain == ()


def test_a_client_from_the_future_of_a_restored_store_gets_the_bundle_again(live: Live) -> None:
    client = live.client("kva")
    client.epoch = 99
    assert client.beat().bundle_pem


def test_the_oldest_open_order_is_handed_out_until_the_client_reports_it_done(live: Live) -> None:
    client = live.client("kva")
    client.obeys = False
    order = give(live, client, OrderKind.RENEW)
    live.site.clock.advance(timedelta(seconds=1))
    give(live, client, OrderKind.SIGN_IN)
    assert [client.beat().order.id for _ in range(2)] == [order.id, order.id]  # type: ignore[union-attr]
    client.done_order = order.id
    after = client.beat().order
    assert after is not None
    assert after.kind is OrderKind.SIGN_IN


def test_a_client_cannot_report_an_order_that_it_never_got(live: Live) -> None:
    client = live.client("kva")
    client.obeys = False
    order = give(live, client, OrderKind.RENEW)
    client.done_order = order.id
    answer = client.beat().order
    assert answer is not None
    assert answer.id == order.id


def test_a_token_goes_out_once_and_is_done_when_the_client_names_it(live: Live) -> None:
    client = live.client("kva")
    give(live, client, OrderKind.TAKE_TOKEN)
    answer = client.beat()
    assert answer.login_token is not None
    assert client.beat().order is None
    with live.site.transaction() as tx:
        newest = tx.tokens.of(client.number)[0]
        assert newest.id == client.token_id
        assert newest.delivered_at is not None
        assert audit.verify(tx).intact


def test_a_token_that_did_not_arrive_is_ended_and_another_one_goes_out(live: Live) -> None:
    client = live.client("kva")
    order = give(live, client, OrderKind.TAKE_TOKEN)
    client.obeys = False  # the answer is lost on the way
    first = client.beat().order
    live.site.clock.advance(timedelta(seconds=30))
    second = client.beat().order
    assert first is not None
    assert second is not None
    assert first.id == second.id == order.id
    assert first.token_id != second.token_id
    with live.site.transaction() as tx:
        lost = tx.tokens.find(first.token_id)
        held = tx.tokens.find(client.token_id)
        assert lost is not None
        assert held is not None
        assert lost.state is TokenState.ENDED
        assert held.is_alive(live.site.clock.now())  # what the client holds still signs in


def test_a_client_that_never_keeps_its_token_is_sent_one_ever_more_rarely(live: Live) -> None:
    """Its disk may be full for weeks; each try is a token, a signature and a link of the audit chain."""
    client = live.client("kva")
    give(live, client, OrderKind.TAKE_TOKEN)
    client.obeys = False
    for _ in range(6 * 60):
        client.beat()
        live.site.clock.advance(timedelta(minutes=1))
    with live.site.transaction() as tx:
        tokens = tx.tokens.of(client.number)
        held = tx.tokens.find(client.token_id)
    assert 10 <= len(tokens) <= 14  # twice as long between two each time, up to an hour
    assert held is not None
    assert held.is_alive(live.site.clock.now())


def test_a_client_that_cannot_store_its_due_token_is_asked_once_a_day(live: Live) -> None:
    """As on a mounted Kubernetes Secret; the fleet shows the token as due, and a person decides."""
    client = live.client("kva", auto_rotate=True)
    client.stores = False
    live.site.clock.advance(timedelta(days=63))
    client.beat()
    for _ in range(5):
        live.pass_interval()
    assert begun(live) == 1
    live.site.clock.advance(timedelta(days=1))
    for _ in range(5):
        live.pass_interval()
    assert begun(live) == 2
    client.stores = True
    live.site.clock.advance(timedelta(days=1))
    for _ in range(3):
        live.pass_interval()
    with live.site.transaction() as tx:
        assert client.token_id == tx.tokens.of(client.number)[0].id
        assert len(tx.tokens.of(client.number)) == 2


def begun(live: Live) -> int:
    with live.site.transaction() as tx:
        events = tx.audit.newest(500, subject="kva")
    return sum(event.action == "auto_rotate" and event.outcome is Outcome.DONE for event in events)


def test_a_client_that_cannot_store_a_token_is_not_sent_one(live: Live) -> None:
    client = live.client("kva")
    client.stores = False
    order = give(live, client, OrderKind.TAKE_TOKEN)
    assert client.beat().login_token is None
    with live.site.transaction() as tx:
        closed = tx.orders.find(order.id)
        assert closed is not None
        assert closed.done_at is not None
        assert len(tx.tokens.of(client.number)) == 1


def test_no_order_goes_out_while_issuing_is_fenced(live: Live) -> None:
    client = live.client("kva")
    give(live, client, OrderKind.RENEW)
    with live.site.transaction() as tx:
        set_fence(tx, "a CA rotation")
    assert client.beat().order is None


def test_hostile_texts_of_a_client_are_made_inert_before_they_are_kept(live: Live) -> None:
    client = live.client("kva")
    assert client.certificate is not None
    from backend.service.heartbeat import Beat, beat

    caller = live.site.caller(client.certificate)
    now = live.site.clock.now()
    said = Beat(serial=1, epoch=0, clock=now, loop_alive=False, last_error="\x1b[31mred\u202e" + "x" * 9999)
    with live.site.transaction() as tx:
        beat(tx, live.site.world, caller, said)
        beat(tx, live.site.world, caller, replace(said, clock=now + timedelta(days=900_000), interval=timedelta(9)))
        kept = tx.heartbeats.find(client.number)
        assert kept is not None
        assert "\x1b" not in kept.last_error
        assert len(kept.last_error) <= 300
        assert kept.interval == timedelta(hours=1)
