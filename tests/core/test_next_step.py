"""The step that a row names is one that the same row's action carries out: nobody is sent to a key that refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from backend.core.evidence import Evidence
from backend.core.facts import ClientFacts, NextAction
from backend.core.health import assess
from backend.core.plan import PlanFacts, make_plan
from backend.core.planrules import ActionKind, judge_alone

DAY = timedelta(days=1)
MakeClient = Callable[..., ClientFacts]
_KEYS = {
    NextAction.RENEW: ActionKind.RENEW,
    NextAction.RENEW_THERE: ActionKind.REPAIR,
    NextAction.ROTATE_TOKEN: ActionKind.ROTATE_TOKEN,
    NextAction.SIGN_IN: ActionKind.REPAIR,
    NextAction.REPAIR: ActionKind.REPAIR,
    NextAction.REISSUE_LOGIN: ActionKind.REPAIR,
}


@pytest.mark.parametrize("has_heartbeat", [True, False])
@pytest.mark.parametrize("auto_renew", [True, False, None])
@pytest.mark.parametrize("token_left", [60 * DAY, 10 * DAY, -DAY])
@pytest.mark.parametrize("left", [60 * DAY, 20 * DAY, DAY, -DAY])
def test_what_a_row_says_its_plan_does(
    left: timedelta,
    token_left: timedelta,
    auto_renew: bool | None,
    has_heartbeat: bool,
    make_client: MakeClient,
    now: datetime,
) -> None:
    facts = make_client(left, token_left, auto_renew=auto_renew, has_heartbeat=has_heartbeat)
    found = assess(facts, now)
    for action in (ActionKind.RENEW, ActionKind.ROTATE_TOKEN, ActionKind.REPAIR):
        shown = judge_alone(action, Evidence(facts, now), found, can_issue=True)
        client = PlanFacts(
            number=1,
            facts=facts,
            certificate_lifetime=90 * DAY,
            token_lifetime=90 * DAY,
            heartbeat_alive=has_heartbeat,
        )
        (decision,) = make_plan(action, [client], now, authority_not_after=now + 300 * DAY).decisions
        assert (shown.runs, shown.why) == (decision.runs, decision.why)
        if _KEYS.get(found.next_action) is action:
            assert decision.runs, (found.next_step, decision.why)


def test_a_client_that_takes_no_orders_is_renewed_where_it_runs(make_client: MakeClient, now: datetime) -> None:
    found = assess(make_client(20 * DAY, has_heartbeat=False), now)
    assert found.next_step == "renew there"
    assert any("renew it where it runs" in reason and "repair it from here" in reason for reason in found.reasons)
    assert assess(make_client(20 * DAY), now).next_step == "renew"
    assert assess(make_client(DAY), now).next_step == "renew now"


def test_forcing_a_renewal_is_not_offered_where_it_could_not_be_told(make_client: MakeClient, now: datetime) -> None:
    facts = make_client(60 * DAY, has_heartbeat=False)
    verdict = judge_alone(ActionKind.RENEW, Evidence(facts, now), assess(facts, now), can_issue=True)
    assert (verdict.runs, verdict.forced_by_reason) == (False, False)
