"""Precedence, overlays, next actions and the sentences of the judgement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.facts import (
    CertificateFacts,
    ClientFacts,
    NextAction,
    Overlay,
    Severity,
    State,
    TokenFacts,
)
from backend.core.health import CHECKS, assess, blast_radius
from backend.core.lifecycle import Validity
from backend.core.model import ClientKind, TokenStanding

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MakeClient = Callable[..., ClientFacts]
EMPTY = TokenStanding.EMPTY


def test_the_chain_of_checks_stands_in_the_order_of_precedence() -> None:
    assert [*(state for state, _ in CHECKS), State.UNKNOWN] == list(State)


@pytest.mark.parametrize(
    ("given_facts", "state"),
    [
        ({"identity_revoked": True, "is_trusted": False}, State.REVOKED),
        ({"is_revoked": True, "left": -DAY, "token_left": -DAY}, State.REVOKED),
        ({"is_trusted": False, "left": 91 * DAY}, State.TRUST_BROKEN),
        ({"is_trusted": False, "left": -DAY}, State.TRUST_BROKEN),
        ({"left": 91 * DAY, "token_left": -DAY}, State.SKEW),
        ({"left": None, "token_left": -DAY}, State.LOCKED_OUT),
        ({"left": -DAY, "token_standing": EMPTY}, State.LOCKED_OUT),
        ({"left": -DAY, "token_left": None}, State.EXPIRED_UNKNOWN),
        ({"left": None}, State.NEVER_SIGNED_IN),
        ({"left": None, "token_left": None}, State.UNKNOWN),
        ({"left": DAY, "token_left": -DAY, "auto_renew": True}, State.LATENT),
        ({"left": 20 * DAY, "token_left": 20 * DAY, "auto_renew": True}, State.OVERDUE),
        ({"left": 20 * DAY, "token_left": 20 * DAY}, State.TOKEN_DUE),
        ({"left": 20 * DAY, "token_left": None}, State.DUE_UNKNOWN),
        ({"left": 20 * DAY, "token_left": None, "auto_renew": True}, State.OVERDUE),
        ({"token_left": None}, State.OK_UNKNOWN),
        ({"authority_left": -SECOND}, State.TRUST_BROKEN),
        ({"authority_left": -SECOND, "left": -SECOND}, State.REPAIRABLE),
    ],
)
def test_when_several_states_hold_the_more_severe_one_is_shown(
    given_facts: dict[str, Any], state: State, make_client: MakeClient, now: datetime
) -> None:
    assert assess(make_client(**given_facts), now).state is state


@pytest.mark.parametrize(
    ("given_facts", "action"),
    [
        ({"identity_revoked": True}, NextAction.NEW_IDENTITY),
        ({"is_revoked": True}, NextAction.REPAIR),
        ({"is_trusted": False}, NextAction.REISSUE_LOGIN),
        ({"authority_left": -SECOND}, NextAction.ROTATE_CA),
        ({"authority_left": -SECOND, "left": -SECOND}, NextAction.ROTATE_CA),
        ({"left": None}, NextAction.FIRST_SIGN_IN),
        ({"left": -DAY, "token_left": None}, NextAction.REPAIR),
        ({"left": None, "token_left": None}, NextAction.PROBE),
        ({"token_left": None}, NextAction.ROTATE_TOKEN),
        ({"left": 20 * DAY, "authority_left": 20 * DAY}, NextAction.ROTATE_CA),
        ({"left": 20 * DAY, "authority_left": 20 * DAY, "auto_renew": True}, NextAction.ROTATE_CA),
        ({"left": 89 * DAY, "authority_left": 89 * DAY}, NextAction.ROTATE_CA),
        ({"left": 200 * DAY, "lifetime": 365 * DAY, "authority_left": 199 * DAY}, NextAction.ROTATE_CA),
        ({"left": 20 * DAY, "token_left": 26 * DAY, "auto_rotate": True}, NextAction.RENEW),
        ({"left": 20 * DAY, "has_heartbeat": False}, NextAction.RENEW_THERE),
        ({"left": 20 * DAY, "has_heartbeat": False, "auto_renew": True}, NextAction.AUTO_LATE),
        ({"left": 20 * DAY, "planned_off_until": datetime(2026, 12, 1, tzinfo=UTC)}, NextAction.WAIT),
        ({"action_running": True, "left": -DAY}, NextAction.WAIT),
        ({"is_orphan": True, "left": -DAY}, NextAction.EXPLAIN_ORPHAN),
        ({"observed_ago": None}, NextAction.PROBE),
        ({"observed_ago": None, "left": -DAY}, NextAction.SIGN_IN),
        ({"observed_ago": None, "left": None}, NextAction.FIRST_SIGN_IN),
    ],
)
def test_the_next_step_is_the_one_that_helps(
    given_facts: dict[str, Any], action: NextAction, make_client: MakeClient, now: datetime
) -> None:
    assert assess(make_client(**given_facts), now).next_action is action


@pytest.mark.parametrize("kind", [ClientKind.KMS, ClientKind.NODE_AGENT, ClientKind.MOCCTL, ClientKind.KVACTL])
def test_a_dead_token_is_critical_where_everything_else_hangs_on_the_client(
    kind: ClientKind, make_client: MakeClient, now: datetime
) -> None:
    assert assess(make_client(token_left=-DAY, kind=kind), now).severity is Severity.CRITICAL


def test_a_token_in_its_last_tenth_is_critical_even_before_the_first_sign_in(
    make_client: MakeClient, now: datetime
) -> None:
    assert assess(make_client(left=None, token_left=9 * DAY + SECOND), now).severity is Severity.WARNING
    assert assess(make_client(left=None, token_left=9 * DAY), now).severity is Severity.CRITICAL


def test_an_auto_rotating_token_becomes_a_warning_when_its_rotation_is_late(
    make_client: MakeClient, now: datetime
) -> None:
    on_time = assess(make_client(token_left=25.2 * DAY, auto_rotate=True), now)
    late = assess(make_client(token_left=25.2 * DAY - SECOND, auto_rotate=True), now)
    assert (on_time.severity, on_time.next_action) == (Severity.INFO, NextAction.AUTO_ROTATE)
    assert (late.severity, late.next_action) == (Severity.WARNING, NextAction.ROTATE_TOKEN)


def test_a_row_is_stale_only_after_two_whole_intervals(make_client: MakeClient, now: datetime) -> None:
    assert Overlay.STALE not in assess(make_client(observed_ago=60 * SECOND), now).overlays
    assert Overlay.STALE in assess(make_client(observed_ago=61 * SECOND), now).overlays


def test_when_the_agent_does_not_answer_no_row_is_better_than_unknown(make_client: MakeClient, now: datetime) -> None:
    fine = assess(make_client(agent_alive=False), now)
    dead = assess(make_client(agent_alive=False, left=-DAY), now)
    soon = assess(make_client(agent_alive=False, left=9 * DAY), now)
    assert (fine.severity, fine.overlays) == (Severity.UNKNOWN, frozenset({Overlay.STALE}))
    assert dead.severity is Severity.EXPIRED
    assert soon.severity is Severity.CRITICAL
    assert "agent does not answer" in fine.reasons[-1]


def test_a_plan_to_be_off_silences_silence_and_nothing_else(make_client: MakeClient, now: datetime) -> None:
    until = now + DAY
    silent = assess(make_client(observed_ago=5 * DAY, planned_off_until=until), now)
    assert (silent.severity, silent.overlays, silent.next_action) == (
        Severity.INFO,
        frozenset({Overlay.PLANNED_OFF}),
        NextAction.WAIT,
    )
    assert assess(make_client(left=20 * DAY, planned_off_until=until), now).severity is Severity.WARNING
    assert Overlay.STALE in assess(make_client(observed_ago=5 * DAY, planned_off_until=now), now).overlays


def test_a_certificate_that_ends_while_its_client_is_off_is_announced(make_client: MakeClient, now: datetime) -> None:
    found = assess(make_client(left=DAY, planned_off_until=now + 2 * DAY), now)
    assert "on its return it must sign in" in found.reasons[-1]


def test_an_orphan_is_never_fine(make_client: MakeClient, now: datetime) -> None:
    found = assess(make_client(is_orphan=True), now)
    assert (found.severity, found.overlays) == (Severity.INFO, frozenset({Overlay.ORPHAN}))


def test_a_running_action_lies_over_the_state(make_client: MakeClient, now: datetime) -> None:
    found = assess(make_client(left=20 * DAY, action_running=True), now)
    assert (found.state, found.overlays) == (State.DUE, frozenset({Overlay.ACTION_RUNNING}))


def test_latent_hides_overdue_in_the_column_and_not_in_the_reasons(make_client: MakeClient, now: datetime) -> None:
    found = assess(make_client(left=20 * DAY, token_left=-DAY, auto_renew=True), now)
    assert found.state is State.LATENT
    assert any("should have renewed by itself" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("given_facts", "words"),
    [
        ({"is_trusted": False, "token_left": -DAY}, "rotate the token as well"),
        ({"is_trusted": False, "token_standing": EMPTY}, "holds no token either"),
        ({"left": None, "token_left": -DAY}, "no certificate"),
        ({"left": -DAY, "token_standing": EMPTY}, "it holds no token"),
        ({"left": 20 * DAY, "token_left": 20 * DAY}, "certificate is due"),
        ({"left": 20 * DAY, "auto_renew": None}, "nobody knows whether it renews by itself"),
        ({"left": 26 * DAY, "auto_renew": True}, "renews by itself"),
        ({"left": 20 * DAY, "token_left": 20 * DAY, "auto_renew": True}, "Its token ends"),
        ({"token_left": 26 * DAY, "auto_rotate": True}, "rotates it by itself"),
        ({"token_left": None}, "never seen its token"),
        ({"skew": 40 * SECOND}, "40 s ahead of"),
        ({"skew": -400 * SECOND}, "400 s behind"),
        ({"observed_ago": None}, "Nothing was ever heard"),
        ({"identity_revoked": True}, "The identity is revoked"),
        ({"is_revoked": True}, "certificate is revoked"),
        ({"authority_left": -SECOND}, "until the CA is rotated"),
    ],
)
def test_the_reasons_say_what_holds(
    given_facts: dict[str, Any], words: str, make_client: MakeClient, now: datetime
) -> None:
    assert words in " ".join(assess(make_client(**given_facts), now).reasons)


def test_the_blast_radius_puts_administrators_before_node_agents_before_kms() -> None:
    kinds = [ClientKind.CSI, ClientKind.KMS, ClientKind.NODE_AGENT, ClientKind.ADMIN]
    assert [blast_radius(kind) for kind in kinds] == [0, 1, 2, 3]


NOW = datetime.fromisoformat("2026-11-22T16:52:14+00:00")
SECONDS = st.integers(min_value=-400 * 86400, max_value=400 * 86400).map(lambda s: timedelta(seconds=s))
LIFETIMES = st.sampled_from([4 * DAY, 60 * DAY, 90 * DAY, 365 * DAY])


@st.composite
def clients(draw: st.DrawFn) -> ClientFacts:
    certificate = None
    if draw(st.booleans()):
        left, lifetime = draw(SECONDS), draw(LIFETIMES)
        certificate = CertificateFacts(
            validity=Validity(not_before=NOW + left - lifetime, not_after=NOW + left),
            authority_not_after=NOW + draw(SECONDS),
            is_trusted=draw(st.booleans()),
            is_revoked=draw(st.booleans()),
        )
    standing = draw(st.sampled_from(TokenStanding))
    expires_at = NOW + draw(SECONDS) if standing is TokenStanding.KNOWN else None
    return ClientFacts(
        kind=draw(st.sampled_from(ClientKind)),
        name="x",
        certificate=certificate,
        token=TokenFacts(
            standing=standing,
            issued_at=expires_at - draw(LIFETIMES) if expires_at and draw(st.booleans()) else None,
            expires_at=expires_at,
        ),
        auto_renew=draw(st.sampled_from([True, False, None])),
        auto_rotate=draw(st.sampled_from([True, False, None])),
        observed_at=draw(st.sampled_from([None, NOW, NOW - DAY])),
        skew=draw(st.sampled_from([0, 31, -301])) * SECOND,
        is_orphan=draw(st.booleans()),
        planned_off_until=draw(st.sampled_from([None, NOW, NOW + DAY])),
        action_running=draw(st.booleans()),
        agent_alive=draw(st.booleans()),
    )


@settings(derandomize=True, deadline=None, max_examples=300)
@given(clients())
def test_every_client_that_is_not_fine_has_a_next_step_and_a_reason(facts: ClientFacts) -> None:
    found = assess(facts, NOW)
    if found.severity is not Severity.OK:
        assert found.next_action is not NextAction.NONE
        assert found.reasons
    assert all(reason.endswith(".") and "None" not in reason for reason in found.reasons)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(clients())
def test_what_cannot_be_confirmed_is_never_better_than_unknown(facts: ClientFacts) -> None:
    found = assess(facts, NOW)
    if found.overlays & {Overlay.STALE, Overlay.UNCERTAIN}:
        assert found.severity <= Severity.UNKNOWN


@settings(derandomize=True, deadline=None, max_examples=200)
@given(lifetime=LIFETIMES, ago=st.integers(min_value=0, max_value=364 * 86400))
def test_a_certificate_only_gets_worse_with_time(lifetime: timedelta, ago: int) -> None:
    def at(left: timedelta) -> Severity:
        facts = ClientFacts(
            kind=ClientKind.CSI,
            name="x",
            certificate=CertificateFacts(
                validity=Validity(not_before=NOW + left - lifetime, not_after=NOW + left),
                authority_not_after=NOW + 800 * DAY,
            ),
            token=TokenFacts(standing=TokenStanding.KNOWN, issued_at=NOW - DAY, expires_at=NOW + 800 * DAY),
            auto_renew=True,
            observed_at=NOW,
        )
        return assess(facts, NOW).severity

    left = lifetime - min(timedelta(seconds=ago), lifetime)
    assert at(left - SECOND) <= at(left)


@pytest.mark.parametrize(
    ("client", "severity", "is_told"),
    [
        ({"left": 80 * DAY}, Severity.CRITICAL, True),
        ({"left": 80 * DAY, "loop_broken": False}, Severity.OK, False),
        ({"left": SECOND}, Severity.CRITICAL, True),
        ({"left": -SECOND}, Severity.EXPIRED, False),  # what it could not prevent is what is told
        ({"left": None}, Severity.WARNING, False),  # it has nothing yet that could be renewed
    ],
)
def test_a_broken_loop_is_critical_for_as_long_as_there_is_a_certificate_to_lose(
    client: dict[str, Any], severity: Severity, is_told: bool, make_client: MakeClient, now: datetime
) -> None:
    given = dict(client)
    is_broken = given.pop("loop_broken", True)
    facts = replace(make_client(auto_renew=not is_broken, **given), loop_broken=is_broken)
    judged = assess(facts, now)
    assert judged.severity is severity
    said = [reason for reason in judged.reasons if "its loop is broken" in reason]
    assert bool(said) is is_told
    if said and judged.effective_not_after is not None:
        assert f"ends at {judged.effective_not_after:%Y-%m-%d %H:%M:%S}Z" in said[0]
