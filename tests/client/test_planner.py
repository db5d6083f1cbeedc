"""What a client does next, at the second before, the second and the second after."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.client.planner import (
    AwaitLoginFile,
    FetchBundle,
    FetchChain,
    Holding,
    ProveClock,
    Renew,
    SignIn,
    Situation,
    Wait,
    decide,
)
from backend.core.lifecycle import Validity
from backend.core.renewal import renewal_slot

BORN = datetime(2026, 3, 1, tzinfo=UTC)
LIFE = Validity(not_before=BORN, not_after=BORN + timedelta(days=90))
SERIAL = 77
SECOND = timedelta(seconds=1)
RENEW_AT = renewal_slot(LIFE, SERIAL).renew_at
HELD = Holding(validity=LIFE, serial=SERIAL, has_token=True, token_expires_at=BORN + timedelta(days=120))


def situation(**changes: object) -> Situation:
    return replace(Situation(holding=HELD), **changes)  # type: ignore[arg-type]


def holding(**changes: object) -> Situation:
    return Situation(holding=replace(HELD, **changes))  # type: ignore[arg-type]


def test_it_waits_until_the_second_of_its_slot_and_then_renews() -> None:
    before = decide(situation(), RENEW_AT - SECOND)
    assert isinstance(before, Wait)
    assert before.until == RENEW_AT
    assert isinstance(decide(situation(), RENEW_AT), Renew)
    assert isinstance(decide(situation(), RENEW_AT + SECOND), Renew)


def test_the_last_second_of_a_certificate_still_renews_and_the_next_one_signs_in() -> None:
    assert isinstance(decide(situation(), LIFE.not_after - SECOND), Renew)
    assert isinstance(decide(situation(), LIFE.not_after), Renew)
    assert isinstance(decide(situation(), LIFE.not_after + SECOND), SignIn)


def test_a_token_signs_in_until_the_second_before_its_end() -> None:
    end = LIFE.not_after + timedelta(days=10)
    dead = holding(token_expires_at=end)
    assert isinstance(decide(dead, end - SECOND), SignIn)
    assert isinstance(decide(dead, end), AwaitLoginFile)
    assert isinstance(decide(dead, end + SECOND), AwaitLoginFile)


def test_without_a_certificate_the_token_decides() -> None:
    assert isinstance(decide(holding(validity=None), BORN), SignIn)
    assert isinstance(decide(holding(validity=None, token_expires_at=None), BORN), SignIn)
    waits = decide(holding(validity=None, has_token=False), BORN)
    assert isinstance(waits, AwaitLoginFile)
    assert "no token" in waits.reason
    refused = decide(holding(validity=None, token_refused=True), BORN)
    assert isinstance(refused, AwaitLoginFile)
    assert "refuses the token" in refused.reason


def test_a_refused_certificate_signs_in_and_an_untrusted_agent_is_not_shown_the_token() -> None:
    assert isinstance(decide(holding(certificate_refused=True), BORN), SignIn)
    for led_no_further in ({"chain_refused": True}, {"chain_cut": True}):
        assert isinstance(decide(holding(agent_untrusted=True, **led_no_further), BORN), AwaitLoginFile)


def test_a_client_that_no_longer_knows_the_agent_asks_for_the_signed_chain_first() -> None:
    for held in (HELD, replace(HELD, validity=None), replace(HELD, has_token=False)):
        untrusting = replace(held, agent_untrusted=True)
        for at in (BORN, LIFE.not_after + SECOND):
            assert isinstance(decide(Situation(holding=untrusting), at), FetchChain)
            assert isinstance(decide(Situation(holding=untrusting, login_changed=True), at), FetchChain)
    failed = situation(holding=replace(HELD, agent_untrusted=True), retry_at=BORN + SECOND)
    assert isinstance(decide(failed, BORN), Wait)
    assert isinstance(decide(failed, BORN + SECOND), FetchChain)


def test_after_a_cut_it_keeps_what_it_has_and_says_so() -> None:
    """R74: never another walk with these roots; a login file that somebody brings is another matter."""
    cut = replace(HELD, agent_untrusted=True, chain_cut=True)
    waits = decide(Situation(holding=cut), BORN)
    assert isinstance(waits, AwaitLoginFile)
    assert "was cut" in waits.reason
    assert "stay" in waits.reason
    assert isinstance(decide(Situation(holding=cut, login_changed=True), BORN), SignIn)
    refused = decide(Situation(holding=replace(cut, certificate_refused=True)), BORN)
    assert isinstance(refused, AwaitLoginFile)  # a sign-in would end at the same certificate of the agent
    assert isinstance(decide(Situation(holding=replace(cut, agent_untrusted=False)), BORN), Wait)


def test_a_chain_that_led_nowhere_leaves_a_client_without_a_certificate_trying_to_sign_in() -> None:
    led_nowhere = holding(validity=None, agent_untrusted=True, chain_refused=True)
    assert isinstance(decide(led_nowhere, BORN), SignIn)


def test_a_changed_login_file_comes_first_unless_its_token_is_dead() -> None:
    assert isinstance(decide(situation(login_changed=True), BORN + SECOND), SignIn)
    changed = replace(holding(token_expires_at=BORN), login_changed=True)
    assert isinstance(decide(changed, BORN + SECOND), Wait)


def test_nothing_is_decided_from_dates_while_the_clock_is_in_doubt() -> None:
    doubted = situation(clock_doubted=True)
    for instant in (RENEW_AT, LIFE.not_after + SECOND, BORN - timedelta(days=400), BORN + timedelta(days=4000)):
        assert isinstance(decide(doubted, instant), ProveClock)
    refused = replace(holding(certificate_refused=True), clock_doubted=True)
    assert isinstance(decide(refused, LIFE.not_after + SECOND), SignIn)  # the agent's word counts


def test_a_try_that_failed_is_followed_when_its_wait_is_over() -> None:
    later = situation(retry_at=RENEW_AT + timedelta(minutes=5))
    assert isinstance(decide(later, RENEW_AT + timedelta(minutes=5) - SECOND), Wait)
    assert isinstance(decide(later, RENEW_AT + timedelta(minutes=5)), Renew)


def test_orders_are_obeyed_out_of_the_slot() -> None:
    assert isinstance(decide(situation(renew_ordered=True), BORN + SECOND), Renew)
    assert isinstance(decide(situation(sign_in_ordered=True), BORN + SECOND), SignIn)
    without = replace(holding(has_token=False), sign_in_ordered=True)
    assert isinstance(decide(without, BORN + SECOND), Wait)


@pytest.mark.parametrize(("refused", "kind"), [(2, Renew), (3, SignIn), (4, SignIn)])
def test_a_renewal_that_is_refused_three_times_gives_way_to_a_sign_in(refused: int, kind: type) -> None:
    assert isinstance(decide(situation(renewals_refused=refused), RENEW_AT), kind)


def test_new_roots_are_fetched_when_nothing_else_is_due() -> None:
    assert isinstance(decide(situation(bundle_behind=True), BORN + SECOND), FetchBundle)
    assert isinstance(decide(situation(bundle_behind=True), RENEW_AT), Renew)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.integers(min_value=-400, max_value=400), st.booleans(), st.booleans(), st.booleans(), st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_a_decision_always_has_a_reason_and_a_dead_token_is_never_shown(
    days: int, has_token: bool, dead: bool, refused: bool, untrusted: bool, ordered: bool
) -> None:
    now = BORN + timedelta(days=days)
    held = replace(
        HELD,
        has_token=has_token,
        token_expires_at=now if dead else None,
        certificate_refused=refused,
        agent_untrusted=untrusted,
    )
    decision = decide(Situation(holding=held, sign_in_ordered=ordered, login_changed=ordered), now)
    assert decision.reason
    if dead or not has_token:
        assert not isinstance(decision, SignIn)
    if isinstance(decision, Wait):
        assert decision.until > now


def test_a_client_that_does_not_renew_by_itself_waits_for_the_order_and_signs_in_at_the_end() -> None:
    waiting = situation(renews_itself=False)
    decision = decide(waiting, LIFE.not_after)
    assert isinstance(decision, Wait)
    assert decision.until == LIFE.not_after
    assert isinstance(decide(replace(waiting, renew_ordered=True), RENEW_AT - SECOND), Renew)
    assert isinstance(decide(waiting, LIFE.not_after + SECOND), SignIn)
