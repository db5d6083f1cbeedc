"""Updating certificates: who belongs to it, in which order, and what each client gets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.core.facts import ClientFacts
from backend.core.grants import Action, GeneralOperation, Grant, Grants, Permission, Provider, ProviderOperation
from backend.core.model import ClientKind, TokenStanding
from backend.core.plan import NOT_DUE, ActionKind, Decision, PlanDraft, PlanFacts, Route, absent_line, make_plan
from backend.core.planrules import Verdict
from backend.core.rbac import PERMISSIONS, UPDATE, allows
from backend.core.update import (
    CLUSTER_KINDS,
    LEFT_ALONE,
    MANAGEMENT_KINDS,
    UpdateScope,
    management_first,
    must_wait,
    rank_of,
)

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
ROTATE, RENEW, REPAIR = ActionKind.ROTATE_TOKEN, ActionKind.RENEW, ActionKind.REPAIR
MANAGEMENT, CLUSTER = UpdateScope(), UpdateScope(cluster="wl1")
EMPTY = TokenStanding.EMPTY
MakeClient = Callable[..., ClientFacts]


@pytest.fixture
def plan(make_client: MakeClient, now: datetime) -> Callable[..., PlanDraft]:
    """Plan an update for clients given by their facts' arguments; those of `PlanFacts` go under "plan"."""

    def make(*clients: dict[str, Any], **options: Any) -> PlanDraft:
        facts = []
        for number, arguments in enumerate(clients, 1):
            given = {"name": f"c{number}", **arguments}
            own = given.pop("plan", {})
            known: dict[str, Any] = {
                "number": number,
                "facts": make_client(**given),
                "certificate_lifetime": 90 * DAY,
                "token_lifetime": 90 * DAY,
                "heartbeat_alive": True,
                "cluster": "wl1",
            }
            facts.append(PlanFacts(**(known | own)))
        return make_plan(ActionKind.UPDATE, facts, now, **{"authority_not_after": now + 300 * DAY, **options})

    return make


Plan = Callable[..., PlanDraft]
SILENT = {"heartbeat_alive": False}


def only(plan: PlanDraft) -> Decision:
    (decision,) = plan.decisions
    return decision


@pytest.mark.parametrize(
    ("client", "parts", "why"),
    [
        ({}, (), NOT_DUE),
        ({"left": 27 * DAY + SECOND}, (), NOT_DUE),
        ({"left": 27 * DAY}, (RENEW,), "due: its certificate ends at"),
        ({"token_left": 27 * DAY + SECOND}, (), NOT_DUE),
        ({"token_left": 27 * DAY}, (ROTATE,), "due: its token ends at"),
        ({"token_left": -DAY}, (ROTATE,), "still works"),
        ({"token_standing": EMPTY}, (ROTATE,), "is empty"),
        ({"left": 20 * DAY, "token_left": 20 * DAY}, (ROTATE, RENEW), "due: its token ends at"),
        ({"left": 20 * DAY, "token_left": -DAY}, (ROTATE, RENEW), "its certificate ends at"),
        ({"left": -DAY}, (REPAIR,), "has ended"),
        ({"left": -DAY, "token_left": -DAY}, (REPAIR,), "locked out"),
        ({"left": None, "token_standing": EMPTY}, (REPAIR,), "neither"),
        ({"is_trusted": False}, (REPAIR,), "no longer trusted"),
        ({"is_revoked": True}, (REPAIR,), "revoked"),
        ({"left": 20 * DAY, "plan": SILENT}, (REPAIR,), "cannot be told"),
        ({"left": 26 * DAY, "auto_renew": True, "plan": SILENT}, (), "it renews by itself"),
        ({"left": 26 * DAY, "token_left": DAY, "auto_renew": True, "plan": SILENT}, (REPAIR,), "renews by itself"),
        ({"left": 25 * DAY, "auto_renew": True, "plan": SILENT}, (REPAIR,), "cannot be told"),
        ({"left": 20 * DAY, "plan": {"can_store_token": False}}, (REPAIR,), "cannot be told"),
        ({"left": None}, (), "sign in first"),
        ({"identity_revoked": True}, (), "new identity"),
        ({"left": 91 * DAY}, (), "fix the clock"),
        ({"left": 20 * DAY, "skew": 301 * SECOND}, (), "fix the clock"),
        ({"left": 20 * DAY, "action_running": True}, (), "another operation"),
        ({"left": 20 * DAY, "is_orphan": True}, (), "remove the identity"),
        ({"left": 20 * DAY, "authority_left": 20 * DAY}, (), "refused: renewing does not help, the CA ends first"),
        ({"left": 60 * DAY, "authority_left": 40 * DAY}, (), f"{NOT_DUE}; its CA ends first"),
        ({"left": 20 * DAY, "authority_left": 20 * DAY, "token_left": DAY}, (ROTATE,), "not fixed: its CA ends at"),
        ({"left": 20 * DAY, "plan": {"barred": LEFT_ALONE}}, (), "--patch-load-balancer"),
    ],
)
def test_each_client_gets_the_least_that_puts_it_right(
    client: dict[str, Any], parts: tuple[ActionKind, ...], why: str, plan: Plan, now: datetime
) -> None:
    decision = only(plan(client))
    assert decision.parts == parts
    assert why in decision.why
    assert decision.runs is bool(parts) is bool(decision.steps)
    assert (decision.token_then is not None) is (ROTATE in parts or REPAIR in parts)
    assert (decision.certificate_then is not None) is (RENEW in parts or REPAIR in parts)


@pytest.mark.parametrize(
    ("client", "parts"),
    [
        ({}, (ROTATE, RENEW)),
        ({"left": 20 * DAY}, (ROTATE, RENEW)),
        ({"token_left": -DAY}, (ROTATE, RENEW)),
        ({"plan": SILENT}, (REPAIR,)),
        ({"left": 20 * DAY, "skew": 300 * SECOND}, (ROTATE, RENEW)),
        ({"left": 20 * DAY, "skew": 301 * SECOND}, ()),
        ({"left": -DAY, "skew": -301 * SECOND}, ()),
        ({"left": -DAY}, (REPAIR,)),
        ({"left": 26 * DAY, "auto_renew": True, "plan": SILENT}, (REPAIR,)),
        ({"identity_revoked": True}, ()),
        ({"left": 91 * DAY}, ()),
        ({"left": 20 * DAY, "action_running": True}, ()),
        ({"plan": {"barred": LEFT_ALONE}}, ()),
        ({"plan": {"barred": management_first(["host-1"])}}, (ROTATE, RENEW)),
    ],
)
def test_force_means_regardless_of_expiry_and_never_against_what_cannot_work(
    client: dict[str, Any], parts: tuple[ActionKind, ...], plan: Plan
) -> None:
    assert only(plan(client, force=True, reason="OPS-1")).parts == parts


def test_the_token_goes_first_and_both_are_ordered_over_the_heartbeat(plan: Plan, now: datetime) -> None:
    decision = only(plan({"left": 20 * DAY, "token_left": 20 * DAY}))
    assert decision.route is Route.HEARTBEAT
    assert decision.steps == ("order", "deliver", "store", "order", "issue", "use")
    assert (decision.token_then, decision.certificate_then) == (now + 90 * DAY, now + 90 * DAY)


def test_a_shortened_certificate_is_announced_with_both_dates(plan: Plan, now: datetime) -> None:
    made = plan({"left": 20 * DAY}, authority_not_after=now + 58 * DAY)
    assert only(made).certificate_then == now + 58 * DAY
    assert "2027-01-19" in made.warnings[0]
    assert "2027-02-20" in made.warnings[0]


@pytest.mark.parametrize("kinds", [MANAGEMENT_KINDS, CLUSTER_KINDS])
def test_the_order_is_that_of_the_kinds_and_then_by_name(kinds: tuple[ClientKind, ...], plan: Plan) -> None:
    clients = [
        {"name": f"{tag}-{kind.value}", "kind": kind, "left": DAY} for kind in reversed(kinds) for tag in ("b", "a")
    ]
    ordered = [(decision.kind, decision.name[0]) for decision in plan(*clients).decisions]
    assert ordered == [(kind, tag) for kind in kinds for tag in ("a", "b")]
    assert [rank_of(kind) for kind in kinds] == sorted(rank_of(kind) for kind in kinds)


@pytest.mark.parametrize(
    ("kind", "under_way", "waits"),
    [
        (ClientKind.KVA, [ClientKind.NODE_AGENT], True),
        (ClientKind.NODE_AGENT, [ClientKind.NODE_AGENT], False),
        (ClientKind.KVA, [ClientKind.CSI], False),
        (ClientKind.KMS, [ClientKind.KMS], True),
        (ClientKind.KMS, [ClientKind.CSI], False),
        (ClientKind.LB_AGENT, [ClientKind.KMS], True),
        (ClientKind.LB_AGENT, [ClientKind.LB_AGENT], False),
        (ClientKind.CSI, [], False),
    ],
)
def test_the_order_rules_hold_when_several_run_at_a_time(
    kind: ClientKind, under_way: list[ClientKind], waits: bool
) -> None:
    assert must_wait(kind, under_way) is waits


@pytest.mark.parametrize(
    ("scope", "kind", "cluster", "belongs"),
    [
        (MANAGEMENT, ClientKind.NODE_AGENT, "wl1", True),  # it belongs to its host, wherever it is listed
        (MANAGEMENT, ClientKind.KMS, "mgmt", True),
        (MANAGEMENT, ClientKind.KVA, "", True),
        (MANAGEMENT, ClientKind.KMS, "wl1", False),
        (MANAGEMENT, ClientKind.MOCCTL, "mgmt", False),
        (MANAGEMENT, ClientKind.LB_AGENT, "mgmt", False),
        (CLUSTER, ClientKind.KMS, "wl1", True),
        (CLUSTER, ClientKind.LB_AGENT, "wl1", True),  # in the plan, and left alone there without the flag
        (CLUSTER, ClientKind.KMS, "wl2", False),
        (CLUSTER, ClientKind.KMS, "", False),
        (CLUSTER, ClientKind.CAPH, "wl1", False),
        (CLUSTER, ClientKind.NODE_AGENT, "wl1", False),
    ],
)
def test_who_belongs_to_an_update(scope: UpdateScope, kind: ClientKind, cluster: str, belongs: bool) -> None:
    assert scope.has(kind, cluster, {"mgmt"}) is belongs


def test_load_balancer_agents_are_expected_only_where_they_are_asked_for() -> None:
    assert len(MANAGEMENT.expected) == 8
    assert ClientKind.LB_AGENT not in CLUSTER.expected
    assert ClientKind.LB_AGENT in UpdateScope(cluster="wl1", patch_load_balancer=True).expected


def test_a_client_that_was_never_seen_is_a_line_of_the_plan_and_of_its_hash(plan: Plan) -> None:
    line = absent_line(ClientKind.KMS, "wl1")
    made = plan({"left": DAY}, absent=[line])
    assert made.decisions[-1] == line
    assert line.why.startswith("expected, never seen")
    assert made.runs == 1
    assert made.hash != plan({"left": DAY}).hash
    assert plan(absent=[line]).runs == 0


@pytest.mark.parametrize(
    ("verbs", "allowed"),
    [
        ((ProviderOperation.IDENTITY_ROTATE,), False),
        ((ProviderOperation.IDENTITY_CERTIFICATE_RENEW,), False),
        ((ProviderOperation.IDENTITY_ROTATE, ProviderOperation.IDENTITY_CERTIFICATE_RENEW), True),
    ],
)
@pytest.mark.parametrize("call", ["Start", "Stop"])
def test_an_update_needs_the_right_to_rotate_and_the_right_to_renew_from_whichever_roles(
    verbs: tuple[int, ...], allowed: bool, call: str
) -> None:
    held = [
        Action(provider=Provider.IDENTITY, operation=GeneralOperation.PROVIDER_ACTION, provider_operation=verb)
        for verb in verbs
    ]
    grants = Grants(identity_name="ops", grants=tuple(Grant(permission=Permission(actions=(one,))) for one in held))
    rule = PERMISSIONS[f"/mocdeck.v1.OperationAgent/{call}"]
    assert allows(rule, grants, code=UPDATE, is_self=False) is allowed


def test_management_comes_first_while_one_of_it_cannot_get_in() -> None:
    assert management_first([]) is None
    verdict = management_first(["a", "b", "c", "d"])
    assert isinstance(verdict, Verdict)
    assert "a, b, c and 1 more cannot get in; run `mocdeck update certificates` first" in verdict.why
