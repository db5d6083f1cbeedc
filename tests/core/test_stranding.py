"""When a client is beyond its own help: what is counted on, what not, and a simulated client that fails just then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.client.planner import Holding, Renew, SignIn, Situation, decide
from backend.core.evidence import Evidence
from backend.core.facts import CertificateFacts, ClientFacts, TokenFacts
from backend.core.lifecycle import Validity, share
from backend.core.limits import BACKDATE, DUE
from backend.core.model import ClientKind, TokenStanding
from backend.core.renewal import renewal_slot
from backend.core.stranding import SECOND, Outlook, stranding

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 22, 16, 52, 14, tzinfo=UTC)
TICK = timedelta(hours=6)
HORIZON = 150 * DAY
MakeClient = Callable[..., ClientFacts]


def test_without_help_it_lasts_as_long_as_the_longer_of_certificate_and_token(
    make_client: MakeClient, now: datetime
) -> None:
    ca = now + 300 * DAY
    by_token = stranding(make_client(20 * DAY, 50 * DAY), now, issuing_not_after=ca)
    assert by_token.from_at == now + 50 * DAY, "a token is refused at the second it ends (RFC 7519)"
    by_certificate = stranding(make_client(50 * DAY, 20 * DAY), now, issuing_not_after=ca)
    assert by_certificate.from_at == now + 50 * DAY + SECOND, "a certificate works in its last second (RFC 5280)"
    assert by_certificate.silent_from_at == by_certificate.from_at
    assert "does not renew by itself" in by_certificate.why


def test_a_client_that_renews_lasts_until_the_ca_ends_and_says_how_long_it_may_be_silent(
    make_client: MakeClient, now: datetime
) -> None:
    found = stranding(make_client(60 * DAY, 40 * DAY, auto_renew=True), now, issuing_not_after=now + 300 * DAY)
    assert found.from_at == now + 300 * DAY + SECOND
    assert found.silent_from_at == now + 60 * DAY + SECOND
    assert "until the CA ends" in found.why


def test_a_missed_slot_is_a_broken_promise(make_client: MakeClient, now: datetime) -> None:
    facts = replace(make_client(33 * DAY, 20 * DAY, auto_renew=True), renew_until=now - 2 * DAY)
    found = stranding(facts, now, issuing_not_after=now + 300 * DAY)
    assert found.from_at == now + 33 * DAY + SECOND
    assert "renewals have stopped" in found.why


def test_a_silent_client_is_not_counted_on(make_client: MakeClient, now: datetime) -> None:
    facts = make_client(60 * DAY, 40 * DAY, auto_renew=True, auto_rotate=True, observed_ago=2 * DAY)
    facts = replace(facts, has_heartbeat=True)
    assert stranding(facts, now, issuing_not_after=now + 300 * DAY).from_at == now + 60 * DAY + SECOND


def test_a_route_to_its_file_system_reaches_it_even_then(make_client: MakeClient, now: datetime) -> None:
    facts = make_client(60 * DAY, 40 * DAY, auto_rotate=True, observed_ago=2 * DAY)
    found = stranding(replace(facts, has_file_route=True), now, issuing_not_after=now + 300 * DAY)
    assert found.from_at == now + 300 * DAY + SECOND


def test_tokens_come_over_heartbeats_for_as_long_as_the_certificate_lives(
    make_client: MakeClient, now: datetime
) -> None:
    facts = make_client(20 * DAY, 5 * DAY, lifetime=60 * DAY, token_lifetime=10 * DAY, auto_rotate=True)
    found = stranding(replace(facts, has_heartbeat=True), now, issuing_not_after=now + 300 * DAY)
    assert found.from_at == now + 26 * DAY, "taken on the days 2, 9 and 16, each for ten days"
    assert found.silent_from_at == now + 20 * DAY + SECOND


def test_a_plan_to_be_off_beyond_both_ends_strands_it(make_client: MakeClient, now: datetime) -> None:
    facts = make_client(40 * DAY, 20 * DAY, auto_renew=True, planned_off_until=now + 40 * DAY + SECOND)
    assert stranding(facts, now, issuing_not_after=now + 300 * DAY).from_at == now + 40 * DAY + SECOND
    back = replace(facts, planned_off_until=now + 40 * DAY)
    assert stranding(back, now, issuing_not_after=now + 300 * DAY).from_at == now + 300 * DAY + SECOND


@pytest.mark.parametrize(
    ("client", "words"),
    [
        ({"identity_revoked": True}, "revoked"),
        ({"is_trusted": False}, "not trusted"),
        ({"left": -DAY, "token_left": -2 * DAY}, "neither"),
        ({"left": None, "token_standing": TokenStanding.EMPTY}, "neither"),
        ({"is_revoked": True, "token_left": -DAY}, "neither"),
    ],
)
def test_who_is_out_already_is_said_to_be(
    make_client: MakeClient, now: datetime, client: dict[str, object], words: str
) -> None:
    found = stranding(make_client(**client), now, issuing_not_after=now + 300 * DAY)
    assert found.outlook is Outlook.STRANDED
    assert found.is_stranded(now)
    assert words in found.why


def test_a_token_never_seen_makes_the_date_a_lower_bound(make_client: MakeClient, now: datetime) -> None:
    found = stranding(make_client(60 * DAY, None), now, issuing_not_after=None)
    assert (found.from_at, found.is_certain) == (now + 60 * DAY + SECOND, False)
    gone = stranding(make_client(-DAY, None), now, issuing_not_after=None)
    assert (gone.outlook, gone.from_at) == (Outlook.UNKNOWN, None)


def test_a_token_does_not_help_once_no_ca_can_issue(make_client: MakeClient, now: datetime) -> None:
    facts = make_client(10 * DAY, 60 * DAY, authority_left=20 * DAY)
    assert stranding(facts, now, issuing_not_after=now + 20 * DAY).from_at == now + 20 * DAY + SECOND


# A client stepped through time: its decisions are the client library's own, the agent's rules are written out.


def quarters(first: int, last: int) -> st.SearchStrategy[timedelta]:
    return st.integers(first * 4, last * 4).map(lambda n: n * TICK)


LIVES = st.sampled_from([10 * DAY, 30 * DAY, 90 * DAY])


@st.composite
def clients(draw: st.DrawFn) -> tuple[ClientFacts, datetime]:
    """A client with any dates, ways and habits, and the end of the CA that issues; all on the grid of one tick."""
    lifetime, token_lifetime = draw(LIVES), draw(LIVES)
    left = draw(st.none() | quarters(-3, 90).map(lambda left: min(left, lifetime - TICK)))
    token_left = min(draw(quarters(-3, 90)), token_lifetime - TICK)
    issuing_end = NOW + draw(quarters(1, 120))
    validity = None if left is None else Validity(not_before=NOW + left - lifetime, not_after=NOW + left)
    facts = ClientFacts(
        kind=ClientKind.CSI,
        name="csi-1",
        certificate=None if validity is None else CertificateFacts(validity=validity, authority_not_after=issuing_end),
        token=TokenFacts(
            standing=TokenStanding.KNOWN,
            issued_at=NOW + token_left - token_lifetime,
            expires_at=NOW + token_left,
        ),
        auto_renew=draw(st.sampled_from([True, True, False, None])),
        auto_rotate=draw(st.booleans()),
        observed_at=draw(st.sampled_from([NOW, NOW, NOW - DAY])),
        planned_off_until=draw(st.none() | quarters(1, 60).map(lambda off: NOW + off)),
        renew_until=None if validity is None else renewal_slot(validity, 1).renew_until,
        has_heartbeat=draw(st.booleans()),
        has_file_route=draw(st.sampled_from([False, False, True])),
    )
    return facts, issuing_end


class Life:
    """One client and the agent's part in its life, at `t`."""

    def __init__(self, facts: ClientFacts, issuing_end: datetime, *, is_switched_off: bool) -> None:
        e = Evidence(facts, NOW)
        self.facts, self.issuing_end = facts, issuing_end
        self.validity = None if facts.certificate is None else facts.certificate.validity
        assert facts.token.issued_at is not None
        assert facts.token.expires_at is not None
        self.expires_at = facts.token.expires_at
        self.token_lifetime = facts.token.expires_at - facts.token.issued_at
        self.wakes_at = facts.planned_off_until or NOW
        keeps_word = not e.slot_missed and (not e.late or e.planned_off)
        lives = not e.stale and not is_switched_off
        self.runs = facts.auto_renew is True and keeps_word and lives and self.has_certificate(NOW)
        self.rotates = facts.auto_rotate is True and not e.token_late and not e.token_is_dead and not is_switched_off
        self.beats = facts.has_heartbeat and lives
        self.lifetime = 90 * DAY if self.validity is None else self.validity.lifetime

    def has_certificate(self, t: datetime) -> bool:
        return self.validity is not None and t <= min(self.validity.not_after, self.issuing_end)

    def can_sign_in(self, t: datetime) -> bool:
        return t < self.expires_at and t <= self.issuing_end

    def step(self, t: datetime) -> None:
        awake = t >= self.wakes_at
        if self.runs and awake:
            self._client(t)
        reaches = self.facts.has_file_route or (self.beats and awake and self.has_certificate(t))
        if self.rotates and reaches and t >= self.expires_at - share(self.token_lifetime, DUE):
            self.expires_at = t + self.token_lifetime

    def _client(self, t: datetime) -> None:
        holding = Holding(validity=self.validity, serial=1, has_token=True, token_expires_at=self.expires_at)
        decision = decide(Situation(holding=holding), t)
        renews = isinstance(decision, Renew) and self.has_certificate(t)
        if t < self.issuing_end and (renews or (isinstance(decision, SignIn) and self.can_sign_in(t))):
            begin = t - BACKDATE
            self.validity = Validity(not_before=begin, not_after=min(begin + self.lifetime, self.issuing_end))


def first_failure(life: Life) -> datetime | None:
    """The first tick at which neither certificate nor token opens the agent; None within the horizon."""
    t = NOW
    while t <= NOW + HORIZON:
        life.step(t)
        if not life.has_certificate(t) and not life.can_sign_in(t):
            return t
        t += TICK
    return None


@settings(max_examples=120, deadline=None, derandomize=True)
@given(case=clients())
def test_the_forecast_is_the_first_failure_of_a_client_stepped_through_time(
    case: tuple[ClientFacts, datetime],
) -> None:
    facts, issuing_end = case
    found = stranding(facts, NOW, issuing_not_after=issuing_end)
    for forecast, is_off in ((found.from_at, False), (found.silent_from_at, True)):
        failed_at = first_failure(Life(facts, issuing_end, is_switched_off=is_off))
        assert failed_at is not None
        if found.outlook is Outlook.STRANDED:
            assert failed_at == NOW
        else:
            assert forecast is not None
            assert timedelta(0) <= failed_at - forecast < TICK


def test_a_forecast_that_counts_on_the_agents_rotations_says_by_whose_word(
    make_client: MakeClient, now: datetime
) -> None:
    by_flag = make_client(60 * DAY, 40 * DAY, auto_renew=True, auto_rotate=True)
    end = now + 365 * DAY
    assert stranding(by_flag, now, issuing_not_after=end).why.endswith("by its flag autoRotate.")
    by_policy = replace(by_flag, rotates_by_policy=True)
    assert stranding(by_policy, now, issuing_not_after=end).why.endswith("The agent rotates its token, by policy.")
    assert "rotates" not in stranding(replace(by_flag, auto_rotate=False), now, issuing_not_after=end).why
