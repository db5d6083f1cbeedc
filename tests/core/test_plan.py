"""Plans: who runs, who is refused and what is right instead, in which order, under which hash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import InvalidInput
from backend.core.facts import ClientFacts, TokenFacts
from backend.core.model import ClientKind, TokenStanding
from backend.core.plan import NOT_DUE, ActionKind, Decision, PlanDraft, PlanFacts, Route, make_plan, renewal_result

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MakeClient = Callable[..., ClientFacts]
RENEW, ROTATE, REPAIR = ActionKind.RENEW, ActionKind.ROTATE_TOKEN, ActionKind.REPAIR


@pytest.fixture
def plan(make_client: MakeClient, now: datetime) -> Callable[..., PlanDraft]:
    """Plan for clients given by their facts' arguments; those of `PlanFacts` go under "plan"."""

    def make(action: ActionKind, *clients: dict[str, Any], at: timedelta = timedelta(0), **options: Any) -> PlanDraft:
        facts = []
        for number, arguments in enumerate(clients):
            given_facts = {"name": f"c{number}", **arguments}
            own = given_facts.pop("plan", {})
            facts.append(
                PlanFacts(
                    **{
                        "number": number,
                        "facts": make_client(**given_facts),
                        "certificate_lifetime": 90 * DAY,
                        "token_lifetime": 90 * DAY,
                        "heartbeat_alive": True,
                        "cluster": "wl1",
                        **own,
                    }
                )
            )
        return make_plan(action, facts, now + at, **{"authority_not_after": now + 300 * DAY, **options})

    return make


def only(plan: PlanDraft) -> Decision:
    (decision,) = plan.decisions
    return decision


Plan = Callable[..., PlanDraft]
EMPTY = TokenStanding.EMPTY


@pytest.mark.parametrize(
    ("action", "client", "runs", "why"),
    [
        (RENEW, {"left": 27 * DAY}, True, "due"),
        (RENEW, {"left": 27 * DAY, "auto_renew": True}, True, "due"),
        (RENEW, {"left": 27 * DAY + SECOND}, False, NOT_DUE),
        (RENEW, {"left": 20 * DAY, "token_left": -DAY}, True, "does not help its token"),
        (RENEW, {"token_left": -DAY}, False, "rotate the token"),
        (RENEW, {"token_left": 20 * DAY}, False, "rotate the token"),
        (RENEW, {"left": -SECOND}, False, "must sign in"),
        (RENEW, {"left": -SECOND, "token_left": -DAY}, False, "repair"),
        (RENEW, {"left": -SECOND, "token_left": None}, False, "repair"),
        (RENEW, {"left": None}, False, "sign in first"),
        (RENEW, {"left": None, "token_standing": EMPTY}, False, "repair"),
        (RENEW, {"is_trusted": False}, False, "new login file"),
        (RENEW, {"identity_revoked": True}, False, "new identity"),
        (RENEW, {"is_revoked": True}, False, "repair"),
        (RENEW, {"left": 91 * DAY}, False, "fix the clock"),
        (RENEW, {"left": 20 * DAY, "skew": 301 * SECOND}, False, "fix the clock"),
        (RENEW, {"left": 20 * DAY, "is_orphan": True}, False, "remove the identity"),
        (RENEW, {"left": 20 * DAY, "action_running": True}, False, "another operation"),
        (RENEW, {"left": 20 * DAY, "observed_ago": None}, False, "see whether it runs"),
        (RENEW, {"left": 20 * DAY, "authority_left": 20 * DAY}, False, "CA ends first"),
        (ROTATE, {"token_left": -DAY}, True, "still works"),
        (ROTATE, {"token_standing": EMPTY}, True, "is empty"),
        (ROTATE, {"token_left": 27 * DAY}, True, "due"),
        (ROTATE, {"token_left": None}, True, "never seen"),
        (ROTATE, {}, False, NOT_DUE),
        (ROTATE, {"left": -DAY}, False, "its way back"),
        (ROTATE, {"left": -DAY, "token_left": -DAY}, False, "repair"),
        (ROTATE, {"is_trusted": False}, False, "repair"),
        (ROTATE, {"left": None, "token_left": None}, False, "see whether it runs"),
        (REPAIR, {"left": -DAY}, True, "has ended"),
        (REPAIR, {"left": -DAY, "token_left": -DAY}, True, "locked out"),
        (REPAIR, {"left": None, "token_standing": EMPTY}, True, "neither"),
        (REPAIR, {"is_trusted": False}, True, "no longer trusted"),
        (REPAIR, {"is_revoked": True}, True, "revoked"),
        (REPAIR, {"identity_revoked": True}, False, "new identity"),
        (REPAIR, {"left": None}, False, "first time"),
        (REPAIR, {"token_left": -DAY}, False, "rotating the token is enough"),
        (REPAIR, {"left": 20 * DAY}, False, "renew it"),
        (REPAIR, {"left": 20 * DAY, "plan": {"heartbeat_alive": False}}, True, "cannot be told to renew"),
        (REPAIR, {}, False, NOT_DUE),
    ],
)
def test_an_action_runs_where_it_helps_and_names_the_right_one_where_it_does_not(
    action: ActionKind, client: dict[str, Any], runs: bool, why: str, plan: Plan
) -> None:
    decision = only(plan(action, client))
    assert decision.runs is runs
    assert why in decision.why
    assert bool(decision.steps) is bool(decision.downtime) is (decision.route is not Route.NONE) is runs


@pytest.mark.parametrize(
    ("action", "client", "runs"),
    [
        (RENEW, {}, True),
        (RENEW, {"left": 20 * DAY, "skew": 301 * SECOND}, True),
        (RENEW, {"left": 20 * DAY, "authority_left": 20 * DAY}, True),
        (ROTATE, {}, True),
        (REPAIR, {}, True),
        (RENEW, {"left": -DAY}, False),
        (RENEW, {"identity_revoked": True}, False),
        (ROTATE, {"is_trusted": False}, False),
        (REPAIR, {"left": 91 * DAY}, False),
    ],
)
def test_force_lifts_what_is_merely_unwise_and_never_what_cannot_work(
    action: ActionKind, client: dict[str, Any], runs: bool, plan: Plan
) -> None:
    decision = only(plan(action, client, force=True, reason="OPS-1"))
    assert decision.runs is runs
    assert decision.why.startswith("forced, although" if runs else "refused")


def test_nothing_runs_once_the_issuing_ca_has_ended(plan: Plan, now: datetime) -> None:
    decision = only(plan(REPAIR, {"left": -DAY}, authority_not_after=now, force=True, reason="x"))
    assert not decision.runs
    assert "rotate the CA first" in decision.why


@pytest.mark.parametrize(
    ("action", "client", "route"),
    [
        (RENEW, {"left": 20 * DAY}, Route.HEARTBEAT),
        (ROTATE, {"token_left": -DAY}, Route.HEARTBEAT),
        (ROTATE, {"token_left": -DAY, "plan": {"can_store_token": False}}, Route.MANUAL),
        (ROTATE, {"token_left": -DAY, "plan": {"heartbeat_alive": False, "login_file_path": "/l"}}, Route.FILE),
        (REPAIR, {"left": -DAY, "plan": {"login_file_path": "/l"}}, Route.FILE),
        (REPAIR, {"is_revoked": True}, Route.MANUAL),
    ],
)
def test_an_action_takes_the_route_that_reaches_the_client(
    action: ActionKind, client: dict[str, Any], route: Route, plan: Plan
) -> None:
    assert only(plan(action, client)).route is route


def test_a_client_without_heartbeats_cannot_be_told_to_renew(plan: Plan) -> None:
    silent = {"left": 26 * DAY, "plan": {"heartbeat_alive": False}}
    told = only(plan(RENEW, silent))
    by_itself = only(plan(RENEW, {**silent, "auto_renew": True}))
    assert (told.runs, told.route) == (False, Route.NONE)
    assert "repair it" in told.why
    assert (by_itself.runs, by_itself.route) == (False, Route.ITSELF)
    assert "renews by itself" in by_itself.why


def test_the_dates_before_and_after_are_those_of_the_action(plan: Plan, now: datetime) -> None:
    renewed = only(plan(RENEW, {"left": 20 * DAY}))
    assert (renewed.certificate_now, renewed.certificate_then) == (now + 20 * DAY, now + 90 * DAY)
    assert (renewed.token_now, renewed.token_then) == (now + 60 * DAY, None)
    rotated = only(plan(ROTATE, {"token_left": 20 * DAY}))
    assert (rotated.certificate_then, rotated.token_then) == (None, now + 90 * DAY)
    repaired = only(plan(REPAIR, {"left": None, "token_standing": EMPTY}))
    assert (repaired.certificate_now, repaired.certificate_then) == (None, now + 90 * DAY)
    assert repaired.downtime.startswith("it is down already")
    assert renewed.downtime.startswith("none: the present certificate works until")
    assert rotated.downtime == "none: its certificate goes on working"


def test_a_shortened_certificate_is_announced_with_both_dates(plan: Plan, now: datetime) -> None:
    made = plan(RENEW, {"left": 20 * DAY}, authority_not_after=now + 58 * DAY)
    assert only(made).certificate_then == now + 58 * DAY
    assert "2027-01-19" in made.warnings[0]
    assert "2027-02-20" in made.warnings[0]


def test_the_warnings_say_what_the_plan_will_not_fix(plan: Plan) -> None:
    carried = plan(REPAIR, *({"left": -DAY} for _ in range(7)), {})
    assert "A person must carry the login file of c0, c1, c2, c3, c4 and 2 more" in carried.warnings[0]
    assert "1 of 8 will not be touched" in carried.warnings[1]
    assert "does not help the tokens of c0" in plan(RENEW, {"left": 20 * DAY, "token_left": 20 * DAY}).warnings[0]


def test_node_agents_go_before_management_before_workload_and_the_refused_come_last(plan: Plan) -> None:
    made = plan(
        RENEW,
        {"name": "wl-b", "left": DAY},
        {"name": "fine"},
        {"name": "mgmt", "left": DAY, "plan": {"is_management": True, "cluster": "zz"}},
        {"name": "tool", "left": DAY, "plan": {"cluster": ""}},
        {"name": "node", "left": DAY, "kind": ClientKind.NODE_AGENT, "plan": {"cluster": "zz"}},
        {"name": "wl-a", "left": DAY},
    )
    assert [decision.name for decision in made.decisions] == ["node", "tool", "mgmt", "wl-a", "wl-b", "fine"]
    assert made.runs == 5


def test_a_client_named_twice_is_planned_once(plan: Plan) -> None:
    twice = plan(RENEW, {"left": DAY, "plan": {"number": 7}}, {"left": DAY, "plan": {"number": 7}})
    assert len(twice.decisions) == 1


def test_the_hash_holds_while_the_facts_hold_and_time_passes(plan: Plan) -> None:
    client = {"left": 20 * DAY, "observed_ago": timedelta(0)}
    assert plan(RENEW, client).hash == plan(RENEW, client, at=59 * SECOND).hash
    assert plan(RENEW, client).hash != plan(RENEW, client, at=21 * DAY).hash


@pytest.mark.parametrize(
    "change",
    [
        {"left": 21 * DAY},
        {"token_left": 61 * DAY},
        {"plan": {"serial": 8}},
        {"plan": {"token_id": "other"}},
        {"plan": {"heartbeat_alive": False}},
        {"plan": {"certificate_lifetime": 60 * DAY}},
        {"kind": ClientKind.KMS},
    ],
)
def test_any_fact_that_matters_changes_the_hash(change: dict[str, Any], plan: Plan) -> None:
    client = {"left": 20 * DAY}
    assert plan(RENEW, client).hash != plan(RENEW, {**client, **change}).hash


def test_the_terms_of_a_plan_are_part_of_its_hash(plan: Plan, now: datetime) -> None:
    client = {"left": 20 * DAY}
    hashes = {
        plan(RENEW, client).hash,
        plan(REPAIR, client).hash,
        plan(RENEW, client, client).hash,
        plan(RENEW, client, parallel=2).hash,
        plan(RENEW, client, max_failures=2).hash,
        plan(RENEW, client, force=True, reason="a").hash,
        plan(RENEW, client, force=True, reason="b").hash,
        plan(RENEW, client, authority_not_after=now + 299 * DAY).hash,
    }
    assert len(hashes) == 8


def test_nonsense_is_refused_with_a_sentence(plan: Plan) -> None:
    with pytest.raises(InvalidInput, match="at least one client"):
        plan(RENEW)
    with pytest.raises(InvalidInput, match="reason"):
        plan(RENEW, {}, force=True, reason=" ")
    with pytest.raises(InvalidInput, match="1 to 4"):
        plan(RENEW, {}, parallel=5)
    assert plan(RENEW, {}, parallel=0).parallel == 1


@pytest.mark.parametrize(("asked", "stops_at"), [(0, 1), (1, 1), (100, 100)])
def test_a_plan_says_at_how_many_failures_it_stops(asked: int, stops_at: int, plan: Plan) -> None:
    assert plan(RENEW, {}, max_failures=asked).max_failures == stops_at
    with pytest.raises(InvalidInput, match="1 to 100"):
        plan(RENEW, {}, max_failures=101)


def test_v19_a_renewal_is_proved_by_its_serial() -> None:
    assert renewal_result(7, 7) == "not due: nothing changed"
    assert renewal_result(7, 0xAB) == "renewed: serial ab is in use"


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    action=st.sampled_from(ActionKind),
    lefts=st.lists(st.tuples(st.integers(-100, 100), st.integers(-100, 100)), min_size=1, max_size=6),
    force=st.booleans(),
)
def test_every_client_gets_one_decision_with_a_reason(
    action: ActionKind, lefts: list[tuple[int, int]], force: bool
) -> None:
    now = datetime.fromisoformat("2026-11-22T16:52:14+00:00")
    facts = [
        PlanFacts(
            number=number,
            facts=ClientFacts(
                kind=ClientKind.CSI,
                name=f"c{number}",
                certificate=None,
                token=TokenFacts(standing=TokenStanding.KNOWN, issued_at=now - DAY, expires_at=now + token * DAY),
                observed_at=now - left * SECOND,
            ),
            certificate_lifetime=90 * DAY,
            token_lifetime=90 * DAY,
        )
        for number, (left, token) in enumerate(lefts)
    ]
    made = make_plan(action, facts, now, force=force, reason="r", authority_not_after=now + 300 * DAY)
    assert sorted(decision.number for decision in made.decisions) == list(range(len(lefts)))
    assert all(decision.why for decision in made.decisions)
    assert make_plan(
        action, list(reversed(facts)), now, force=force, reason="r", authority_not_after=now + 300 * DAY
    ) == replace(made)


@pytest.mark.parametrize("action", [RENEW, ROTATE, REPAIR])
def test_a_client_that_is_off_on_purpose_is_refused_until_then_and_a_reason_lifts_it(
    action: ActionKind, plan: Plan, now: datetime
) -> None:
    left = -DAY if action is REPAIR else 20 * DAY
    off = {"left": left, "token_left": -DAY, "planned_off_until": now + 10 * SECOND}
    for at, runs in ((9 * SECOND, False), (10 * SECOND, True), (11 * SECOND, True)):
        decision = only(plan(action, off, at=at))
        assert decision.runs is runs
        assert ("switched off on purpose until" in decision.why) is not runs
    assert only(plan(action, off, force=True, reason="the host is up")).runs
