"""Safe-off-until and safe to reboot: the vectors W1 to W5 of domain.md 16.7, and what the answer never says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.facts import CertificateFacts, ClientFacts, TokenFacts
from backend.core.fleet import AuthorityInfo
from backend.core.lifecycle import Validity
from backend.core.model import AuthorityStatus, ClientKind, TokenStanding
from backend.core.safe_off import NOT_OBSERVED, SafeOff, Thing, Verdict, safe_off, safe_to_reboot

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
MakeClient = Callable[..., ClientFacts]


def leaf(now: datetime, left: timedelta, name: str = "kubelet") -> tuple[str, Validity]:
    return name, Validity(not_before=now + left - 96 * HOUR, not_after=now + left)


def authority(now: datetime, left: timedelta = 300 * DAY) -> AuthorityInfo:
    return AuthorityInfo(
        generation=3,
        subject="north CA g3",
        validity=Validity(not_before=now + left - 365 * DAY, not_after=now + left),
        status=AuthorityStatus.ISSUING,
        fingerprint="ab",
    )


@pytest.fixture
def cluster(make_client: MakeClient) -> list[ClientFacts]:
    """MOC clients with everything more than 30 days away."""
    return [
        make_client(60 * DAY, 60 * DAY, kind=ClientKind.KMS, name="kms-1"),
        make_client(50 * DAY, -DAY, kind=ClientKind.CSI, name="csi-1"),
    ]


def ask(clients: list[ClientFacts], now: datetime, *leaves: tuple[str, Validity], **more: Any) -> SafeOff:
    issuing = more.pop("issuing", authority(now))
    return safe_off("wl-1", clients, now, issuing=issuing, leaves=leaves)


def test_w1_the_weakest_leaf_less_a_tenth_of_its_life(cluster: list[ClientFacts], now: datetime) -> None:
    found = ask(cluster, now, leaf(now, 70 * HOUR, "etcd"), leaf(now, 90 * HOUR))
    assert (found.verdict, found.until) == (Verdict.SAFE, now + 60 * HOUR + 24 * MINUTE)
    assert found.limiting is not None
    assert (found.limiting.thing, found.limiting.name) == (Thing.LEAF, "etcd")
    assert found.notes == ()


def test_w2_a_leaf_that_is_due_is_renewed_first_to_gain_time(cluster: list[ClientFacts], now: datetime) -> None:
    found = ask(cluster, now, leaf(now, 28 * HOUR + 48 * MINUTE))
    assert found.until == now + 19 * HOUR + 12 * MINUTE
    assert found.renew_first
    assert "renew first to gain time" in found.advice[0]
    assert not ask(cluster, now, leaf(now, 28 * HOUR + 48 * MINUTE + SECOND)).renew_first


def test_w3_a_margin_that_is_used_up_is_not_safe_and_no_date(cluster: list[ClientFacts], now: datetime) -> None:
    found = ask(cluster, now, leaf(now, 9 * HOUR))
    assert (found.verdict, found.until) == (Verdict.NOT_SAFE, None)
    assert "less than the margin" in found.reasons[0]
    edge = 9 * HOUR + 36 * MINUTE
    assert ask(cluster, now, leaf(now, edge)).verdict is Verdict.NOT_SAFE
    assert ask(cluster, now, leaf(now, edge + SECOND)).until == now + SECOND


def test_w4_an_expired_kms_token_forbids_power_off_and_reboot(cluster: list[ClientFacts], now: datetime) -> None:
    kms = replace(cluster[0], token=replace(cluster[0].token, expires_at=now))
    found = ask([kms, cluster[1]], now, leaf(now, 96 * HOUR))
    assert (found.verdict, found.until) == (Verdict.NOT_SAFE, None)
    assert found.reasons[0].startswith("not safe to power off or reboot: kms-1: KMS token expired")
    assert found.advice == ("mocdeck rotate-token kms-1",)
    assert found.limiting is not None
    assert found.limiting.words == "token of kms-1"
    assert found.otherwise_until == now + 86 * HOUR + 24 * MINUTE
    assert not safe_to_reboot("wl-1", [kms], now).is_safe


def test_w5_a_cluster_off_for_five_days_is_overdue_and_gets_the_way_back_and_no_date(
    cluster: list[ClientFacts], now: datetime
) -> None:
    away = [replace(facts, observed_at=now - 5 * DAY, has_heartbeat=True) for facts in cluster]
    for leaves in ((), (leaf(now, -26 * HOUR),)):
        found = ask(away, now, *leaves)
        assert (found.verdict, found.until, found.off_since) == (Verdict.OVERDUE, None, now - 5 * DAY)
        assert "cloud agent and the management cluster back first" in found.advice[0]


def test_a_cluster_that_went_off_an_hour_ago_still_has_its_date(cluster: list[ClientFacts], now: datetime) -> None:
    away = [replace(facts, observed_at=now - HOUR, has_heartbeat=True) for facts in cluster]
    found = ask(away, now, leaf(now, 70 * HOUR))
    assert (found.verdict, found.until) == (Verdict.OFF, now + 60 * HOUR + 24 * MINUTE)


def test_silence_means_off_only_after_a_while_and_where_most_would_be_heard(
    cluster: list[ClientFacts], now: datetime
) -> None:
    def off_since(quiet: timedelta, *mute: ClientFacts) -> datetime | None:
        away = [replace(facts, observed_at=now - quiet, has_heartbeat=True) for facts in cluster]
        return ask([*away, *mute], now).off_since

    half_an_hour = 30 * MINUTE
    assert off_since(half_an_hour - SECOND) is None
    assert off_since(half_an_hour) == now - half_an_hour
    mute = [replace(cluster[1], name=f"mute-{n}", has_heartbeat=False) for n in range(3)]
    assert off_since(half_an_hour, *mute[:2]) is not None
    assert off_since(half_an_hour, *mute) is None


def test_one_client_that_is_heard_keeps_a_cluster_from_being_off(cluster: list[ClientFacts], now: datetime) -> None:
    one = replace(cluster[0], observed_at=now - 5 * DAY, has_heartbeat=True)
    other = replace(cluster[1], has_heartbeat=True)
    assert ask([one, other], now).off_since is None


def test_certificates_that_nobody_observes_are_named_as_missing(cluster: list[ClientFacts], now: datetime) -> None:
    found = ask(cluster, now)
    assert found.until == now + 41 * DAY, "csi-1's certificate: 50 days less 9"
    assert found.notes == (NOT_OBSERVED,)


def test_only_those_that_sign_in_at_start_need_a_token(cluster: list[ClientFacts], now: datetime) -> None:
    assert ask(cluster[1:], now).verdict is Verdict.SAFE, "a CSI with a live certificate starts without its token"
    node = replace(cluster[1], kind=ClientKind.NODE_AGENT, name="node-1")
    assert ask([node], now).verdict is Verdict.NOT_SAFE
    assert safe_to_reboot("wl-1", [node], now).reasons[0].startswith("node-1: NodeAgent token expired")


def test_a_ca_near_its_end_limits_everything(cluster: list[ClientFacts], now: datetime) -> None:
    found = ask(cluster, now, issuing=authority(now, 60 * DAY))
    assert found.until == now + 60 * DAY - 36.5 * DAY
    assert found.limiting is not None
    assert found.limiting.words == "CA g3"
    assert "mocdeck rotate-ca" in ask(cluster, now, issuing=authority(now, 36 * DAY)).advice


def test_a_token_never_seen_makes_the_answer_unknown(make_client: MakeClient, now: datetime) -> None:
    kms = make_client(60 * DAY, None, kind=ClientKind.KMS, name="kms-1")
    found = ask([kms], now)
    assert (found.verdict, found.until) == (Verdict.UNKNOWN, None)
    assert "kms-1" in found.reasons[0]
    reboot = safe_to_reboot("wl-1", [kms], now)
    assert reboot.is_safe
    assert reboot.unknown


def test_an_empty_token_is_a_dead_one(make_client: MakeClient, now: datetime) -> None:
    kms = make_client(60 * DAY, None, kind=ClientKind.KMS, token_standing=TokenStanding.EMPTY)
    assert "token is empty" in safe_to_reboot("wl-1", [kms], now).reasons[0]


@pytest.mark.parametrize(
    ("left", "standing", "trusted", "verb"),
    [
        (60 * DAY, TokenStanding.EMPTY, True, "rotate-token"),
        (60 * DAY, TokenStanding.KNOWN, True, "rotate-token"),
        (None, TokenStanding.EMPTY, True, "repair"),  # EMPTY: it has nothing to fetch a token with
        (-DAY, TokenStanding.KNOWN, True, "repair"),
        (60 * DAY, TokenStanding.KNOWN, False, "repair"),
    ],
)
def test_the_advice_for_a_dead_token_is_the_action_that_helps(
    make_client: MakeClient, now: datetime, left: timedelta | None, standing: TokenStanding, trusted: bool, verb: str
) -> None:
    token_left = -DAY if standing is TokenStanding.KNOWN else None
    node = make_client(
        left, token_left, kind=ClientKind.NODE_AGENT, token_standing=standing, is_trusted=trusted, name="host-03"
    )
    assert f"mocdeck {verb} host-03" in ask([node], now).advice
    assert len(ask([node], now).advice) == 1


def test_orphans_and_revoked_identities_do_not_count(make_client: MakeClient, now: datetime) -> None:
    gone = make_client(60 * DAY, -DAY, kind=ClientKind.KMS, is_orphan=True)
    revoked = make_client(-DAY, -DAY, kind=ClientKind.KMS, identity_revoked=True)
    assert safe_to_reboot("wl-1", [gone, revoked], now).is_safe


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    lefts=st.lists(st.tuples(st.integers(-10, 90), st.integers(-10, 90)), min_size=1, max_size=5),
    leaves=st.lists(st.integers(-5, 96), max_size=3),
    ca=st.integers(1, 365),
)
def test_no_past_date_is_ever_shown_and_every_date_has_a_margin(
    lefts: list[tuple[int, int]], leaves: list[int], ca: int
) -> None:
    now = datetime.fromisoformat("2026-11-22T16:52:14+00:00")
    clients = [_client(now, certificate * DAY, token * DAY) for certificate, token in lefts]
    found = safe_off(
        "", clients, now, issuing=authority(now, ca * DAY), leaves=[leaf(now, hours * HOUR) for hours in leaves]
    )
    assert (found.until is None) is (found.verdict is not Verdict.SAFE)
    for date in (found.until, found.otherwise_until):
        assert date is None or date > now
    if found.until is not None:
        assert all(found.until <= now + left * DAY - 9 * DAY for left, _ in lefts)
        assert all(found.until <= now + token * DAY - 9 * DAY for _, token in lefts)


def _client(now: datetime, left: timedelta, token_left: timedelta) -> ClientFacts:
    return ClientFacts(
        kind=ClientKind.KMS,
        name="kms-1",
        certificate=CertificateFacts(
            validity=Validity(not_before=now + left - 90 * DAY, not_after=now + left),
            authority_not_after=now + 400 * DAY,
        ),
        token=TokenFacts(
            standing=TokenStanding.KNOWN,
            issued_at=now + token_left - 90 * DAY,
            expires_at=now + token_left,
        ),
        observed_at=now,
    )
