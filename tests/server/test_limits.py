"""R73: floods and guesses are held up by where they come from, and shut nobody else out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import yaml

from backend.core.buckets import Rate
from backend.core.errors import AgentError, LimitReached, NotFound, TokenRejected
from backend.pki import keys, requests
from backend.server.calls import Call, Peer
from backend.server.dispatch import Dispatcher
from backend.service.rates import UNLIMITED, RateLimits, Rates
from backend.store.records import Order, OrderKind
from backend.wire.convert import login_message
from backend.wire.methods import get_method
from backend.wire.mocdeck.v1 import operation_pb2, trust_pb2

SECOND = timedelta(seconds=1)
VICTIM, ATTACKER = "192.0.2.7", "198.51.100.9"
LOGIN = get_method("AuthenticationAgent", "Login").path


def limited(site: Any, **rates: Any) -> Any:
    world = replace(site.world, rates=Rates(RateLimits(**rates)))
    return replace(site, world=world, dispatcher=Dispatcher(world))


def token_of_admin(site: Any) -> str:
    return str(yaml.safe_load((site.directory / "admin" / "login.yaml").read_text())["token"])


def sign_in(site: Any, address: str, token: str, key: Any = None) -> AgentError | None:
    csr = requests.make_csr(key or keys.generate_key(keys.KeyKind.P256), "admin")
    body = login_message("admin", csr).SerializeToString()
    call = Call(LOGIN, body, Peer(None, address), {"authorization": token})
    with site.store.transaction() as tx:
        try:
            with tx.savepoint():
                site.dispatcher.answer(tx, call)
        except AgentError as refusal:
            site.dispatcher.record(tx, call, refusal)
            return refusal
    return None


def test_wrong_tokens_are_held_up_by_address_and_never_by_the_name_they_try(site: Any) -> None:
    site = limited(site, failed_sign_ins=Rate(count=1, per=10 * SECOND, burst=3))
    token = token_of_admin(site)
    for _ in range(3):
        assert isinstance(sign_in(site, ATTACKER, "x"), TokenRejected)
    held_up = sign_in(site, ATTACKER, token)  # a right one is not even looked at: the guess would be told by the answer
    assert isinstance(held_up, LimitReached)
    assert held_up.retry_after == 10 * SECOND
    assert "admin" not in str(held_up)
    assert sign_in(site, VICTIM, token) is None
    site.clock.advance(9 * SECOND)
    assert isinstance(sign_in(site, ATTACKER, token), LimitReached)
    site.clock.advance(SECOND)
    assert sign_in(site, ATTACKER, token) is None


def test_right_tokens_use_up_nothing_that_wrong_ones_have(site: Any) -> None:
    site = limited(site, failed_sign_ins=Rate(count=1, per=10 * SECOND, burst=1))
    token = token_of_admin(site)
    assert [sign_in(site, VICTIM, token) for _ in range(5)] == [None] * 5
    assert isinstance(sign_in(site, VICTIM, "x"), TokenRejected)


def test_a_flood_of_sign_ins_is_held_up_by_address(site: Any) -> None:
    site = limited(site, sign_ins=Rate(count=2, per=SECOND, burst=4))
    token, key = token_of_admin(site), keys.generate_key(keys.KeyKind.P256)
    found = [sign_in(site, ATTACKER, token, key) for _ in range(5)]
    assert found[:4] == [None] * 4
    assert isinstance(found[4], LimitReached)
    assert sign_in(site, VICTIM, token, key) is None
    site.clock.advance(SECOND)
    assert [type(sign_in(site, ATTACKER, token, key)) for _ in range(3)] == [type(None), type(None), LimitReached]


def test_the_chain_of_trust_is_told_to_anybody_but_not_without_end(site: Any) -> None:
    site = limited(site, chains=Rate(count=1, per=SECOND, burst=3))

    def ask() -> Any:
        return site.call("TrustAgent", "GetBundleChain", trust_pb2.BundleChainRequest())

    assert [len(ask().links) for _ in range(3)] == [1, 1, 1]
    with pytest.raises(LimitReached, match="ask for the chain") as held_up:
        ask()
    assert held_up.value.retry_after == SECOND
    assert sign_in(site, VICTIM, token_of_admin(site)) is None
    site.clock.advance(SECOND)
    assert ask().links


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("unix:/run/x", "unix:/run/x", True),
    ],
)
def test_an_ipv6_network_counts_as_one_address(site: Any, first: str, second: str, is_one: bool) -> None:
    rates = Rates(RateLimits(sign_ins=Rate(count=1, per=SECOND, burst=1)))
    now = site.clock.now()
    with rates.sign_in(first, now):
        pass
    try:
        with rates.sign_in(second, now):
            passed = True
    except LimitReached:
        passed = False
    assert passed is not is_one


def test_a_client_in_a_loop_gets_ten_certificates_a_minute_and_what_was_ordered_beyond(site: Any) -> None:
    token = token_of_admin(site)
    found = [sign_in(site, VICTIM, token) for _ in range(11)]
    assert found[:10] == [None] * 10
    assert isinstance(found[10], LimitReached)
    assert found[10].retry_after == 6 * SECOND
    with site.store.transaction() as tx:
        number = tx.identities.get("admin").number
        order = Order(id="o", identity_number=number, kind=OrderKind.SIGN_IN, created_at=site.clock.now())
        tx.orders.put(order)
    assert sign_in(site, VICTIM, token) is None
    with site.store.transaction() as tx:
        tx.orders.put(replace(order, done_at=site.clock.now()))
    assert isinstance(sign_in(site, VICTIM, token), LimitReached)
    site.clock.advance(6 * SECOND)
    assert sign_in(site, VICTIM, token) is None


def test_the_same_request_sent_again_is_no_further_certificate(site: Any) -> None:
    token, key = token_of_admin(site), keys.generate_key(keys.KeyKind.P256)
    assert [sign_in(site, VICTIM, token, key) for _ in range(30)] == [None] * 30


def test_nothing_is_held_up_when_nothing_is_limited(site: Any) -> None:
    world = replace(site.world, rates=Rates(UNLIMITED))
    site = replace(site, world=world, dispatcher=Dispatcher(world))
    token = token_of_admin(site)
    assert all(isinstance(sign_in(site, ATTACKER, "x"), TokenRejected) for _ in range(50))
    assert all(sign_in(site, ATTACKER, token) is None for _ in range(15))


def test_a_caller_keeps_so_many_plans_and_loses_its_own_oldest_first(site: Any) -> None:
    world = replace(site.world, policy=replace(site.world.policy, open_plans=2))
    site = replace(site, world=world, dispatcher=Dispatcher(world))
    admin = site.admin()
    other = site.member(admin, "second", "Owner")
    request = operation_pb2.PlanRequest(action=operation_pb2.RENEW, names=["second"], force=True, reason="drill")
    kept = site.call("OperationAgent", "Plan", request, other)
    plans = [site.call("OperationAgent", "Plan", request, admin) for _ in range(3)]
    with site.store.transaction() as tx:
        for plan in (*plans[1:], kept):
            assert tx.plans.get(plan.id).id == plan.id
        with pytest.raises(NotFound, match="make a new one"):
            tx.plans.get(plans[0].id)
