"""The vectors V1 to V32 of domain.md 16.4, and the worst-first order that they fix."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.core.facts import ClientFacts, Limit, NextAction, Overlay, Severity, State
from backend.core.health import assess, assess_authority
from backend.core.lifecycle import Validity
from backend.core.model import ClientKind, TokenStanding

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
MakeClient = Callable[..., ClientFacts]

VECTORS: dict[str, tuple[dict[str, Any], State, Severity, NextAction]] = {
    "V1": ({"left": 27 * DAY + SECOND}, State.OK, Severity.OK, NextAction.NONE),
    "V2": ({"left": 27 * DAY}, State.DUE, Severity.WARNING, NextAction.RENEW),
    "V3": ({"left": 27 * DAY, "auto_renew": True}, State.DUE, Severity.INFO, NextAction.AUTO),
    "V4": ({"left": 25.2 * DAY, "auto_renew": True}, State.DUE, Severity.INFO, NextAction.AUTO),
    "V5": ({"left": 25.2 * DAY - SECOND, "auto_renew": True}, State.OVERDUE, Severity.WARNING, NextAction.AUTO_LATE),
    "V6": ({"left": 9 * DAY}, State.DUE, Severity.CRITICAL, NextAction.RENEW),
    "V6 auto": ({"left": 9 * DAY, "auto_renew": True}, State.OVERDUE, Severity.CRITICAL, NextAction.AUTO_LATE),
    "V6 unknown": ({"left": 9 * DAY, "auto_renew": None}, State.DUE, Severity.CRITICAL, NextAction.RENEW),
    "V7": ({"left": 18 * DAY, "lifetime": 60 * DAY}, State.DUE, Severity.WARNING, NextAction.RENEW),
    "V8": (
        {"left": 28 * HOUR + 48 * timedelta(minutes=1), "lifetime": 4 * DAY, "auto_renew": True},
        State.DUE,
        Severity.INFO,
        NextAction.AUTO,
    ),
    "V9": (
        {"left": timedelta(hours=26, minutes=52, seconds=47), "lifetime": 4 * DAY, "auto_renew": True},
        State.OVERDUE,
        Severity.WARNING,
        NextAction.AUTO_LATE,
    ),
    "V10": ({"left": 0 * DAY}, State.DUE, Severity.CRITICAL, NextAction.RENEW),
    "V11": ({"left": -SECOND}, State.REPAIRABLE, Severity.EXPIRED, NextAction.SIGN_IN),
    "V12": ({"token_left": 0 * DAY}, State.LATENT, Severity.WARNING, NextAction.ROTATE_TOKEN),
    "V13": ({"token_left": -DAY, "auto_renew": True}, State.LATENT, Severity.WARNING, NextAction.ROTATE_TOKEN),
    "V14": (
        {"token_left": -DAY, "auto_renew": True, "kind": ClientKind.KMS},
        State.LATENT,
        Severity.CRITICAL,
        NextAction.ROTATE_TOKEN,
    ),
    "V15": ({"left": -SECOND, "token_left": -SECOND}, State.LOCKED_OUT, Severity.EXPIRED, NextAction.REPAIR),
    "V16": ({"left": 80 * DAY, "authority_left": 20 * DAY}, State.OK, Severity.WARNING, NextAction.ROTATE_CA),
    "V17": ({"left": 90 * DAY + 10 * SECOND}, State.SKEW, Severity.CRITICAL, NextAction.FIX_CLOCK),
    "V18": ({"observed_ago": timedelta(seconds=90)}, State.OK, Severity.UNKNOWN, NextAction.PROBE),
    "V20": (
        {"token_standing": TokenStanding.EMPTY},
        State.LATENT,
        Severity.WARNING,
        NextAction.ROTATE_TOKEN,
    ),
    "V21": (
        {"left": None, "token_standing": TokenStanding.EMPTY},
        State.EMPTY,
        Severity.WARNING,
        NextAction.REPAIR,
    ),
    "V22": ({"is_trusted": False}, State.TRUST_BROKEN, Severity.EXPIRED, NextAction.REISSUE_LOGIN),
    "V23": (
        {"token_left": 20 * DAY, "token_lifetime": None},
        State.TOKEN_DUE,
        Severity.WARNING,
        NextAction.ROTATE_TOKEN,
    ),
    "V24": ({"token_left": 27 * DAY}, State.TOKEN_DUE, Severity.WARNING, NextAction.ROTATE_TOKEN),
    "V25": ({"token_left": 27 * DAY, "auto_rotate": True}, State.TOKEN_DUE, Severity.INFO, NextAction.AUTO_ROTATE),
    "V26": ({"token_left": 9 * DAY}, State.TOKEN_DUE, Severity.CRITICAL, NextAction.ROTATE_TOKEN),
    "V26 auto": (
        {"token_left": 9 * DAY, "auto_rotate": True},
        State.TOKEN_DUE,
        Severity.CRITICAL,
        NextAction.ROTATE_TOKEN,
    ),
    "V31": ({"skew": 31 * SECOND}, State.OK, Severity.OK, NextAction.FIX_CLOCK),
    "V32": ({"skew": -301 * SECOND}, State.OK, Severity.UNKNOWN, NextAction.FIX_CLOCK),
}


@pytest.mark.parametrize("vector", VECTORS)
def test_a_client_is_judged_as_its_vector_says(vector: str, make_client: MakeClient, now: datetime) -> None:
    given, state, severity, action = VECTORS[vector]
    found = assess(make_client(**given), now)
    assert (found.state, found.severity, found.next_action) == (state, severity, action)


def test_the_order_is_worst_first_and_then_by_time_left_blast_radius_and_name(
    make_client: MakeClient, now: datetime
) -> None:
    judged = {vector: assess(make_client(name=vector, **given[0]), now) for vector, given in VECTORS.items()}
    order = sorted(judged, key=lambda vector: judged[vector].sort_key)
    assert order == [
        *("V11", "V15", "V22"),
        *("V10", "V6", "V6 auto", "V6 unknown", "V14", "V26", "V26 auto", "V17"),
        *("V18", "V32"),
        *("V9", "V7", "V16", "V5", "V2", "V12", "V13", "V20", "V23", "V24", "V21"),
        *("V8", "V4", "V3", "V25"),
        *("V1", "V31"),
    ]


def test_v16_names_the_ca_as_the_limit_and_its_end_as_the_effective_one(make_client: MakeClient, now: datetime) -> None:
    found = assess(make_client(left=80 * DAY, authority_left=20 * DAY), now)
    assert found.limited_by is Limit.AUTHORITY
    assert found.effective_not_after == now + 20 * DAY
    assert any("CA ends first" in reason for reason in found.reasons)


def test_v17_is_never_called_expired(make_client: MakeClient, now: datetime) -> None:
    found = assess(make_client(left=90 * DAY + 10 * SECOND), now)
    assert found.severity is not Severity.EXPIRED
    assert "not valid before" in found.reasons[0]


def test_v18_keeps_the_state_under_the_stale_overlay(make_client: MakeClient, now: datetime) -> None:
    found = assess(make_client(observed_ago=timedelta(seconds=90)), now)
    assert found.overlays == {Overlay.STALE}
    assert found.reasons


def test_v20_says_that_the_token_is_empty(make_client: MakeClient, now: datetime) -> None:
    found = assess(make_client(token_standing=TokenStanding.EMPTY), now)
    assert "token is empty" in found.reasons[0]


def test_v31_warns_and_v32_makes_the_verdict_uncertain(make_client: MakeClient, now: datetime) -> None:
    assert assess(make_client(skew=30 * SECOND), now).overlays == frozenset()
    assert assess(make_client(skew=31 * SECOND), now).overlays == {Overlay.SKEW_WARNING}
    assert assess(make_client(skew=300 * SECOND), now).overlays == {Overlay.SKEW_WARNING}
    assert assess(make_client(skew=301 * SECOND), now).overlays == {Overlay.UNCERTAIN}


@pytest.mark.parametrize(
    ("left", "longest_leaf", "state", "severity"),
    [
        pytest.param(90 * DAY + SECOND, 90 * DAY, "OK", Severity.OK, id="V27"),
        pytest.param(90 * DAY, 90 * DAY, "DUE", Severity.WARNING, id="V28"),
        pytest.param(30 * DAY + SECOND, 90 * DAY, "DUE", Severity.WARNING, id="a second before V29"),
        pytest.param(30 * DAY, 90 * DAY, "DUE", Severity.CRITICAL, id="V29"),
        pytest.param(200 * DAY, 365 * DAY, "DUE", Severity.WARNING, id="V30"),
        pytest.param(0 * DAY, 90 * DAY, "DUE", Severity.CRITICAL, id="its last second"),
        pytest.param(-SECOND, 90 * DAY, "EXPIRED", Severity.EXPIRED, id="ended"),
        pytest.param(365 * DAY + SECOND, 90 * DAY, "NOT YET VALID", Severity.CRITICAL, id="not begun"),
    ],
)
def test_a_ca_is_judged_as_its_vector_says(
    left: timedelta, longest_leaf: timedelta, state: str, severity: Severity, now: datetime
) -> None:
    validity = Validity(not_before=now + left - 365 * DAY, not_after=now + left)
    found = assess_authority(validity, now, longest_leaf=longest_leaf)
    assert (found.state, found.severity) == (state, severity)
    assert bool(found.reason) is (state != "OK")
