"""A client that silently stopped renewing: told by its missed slot, long before its certificate is due (pki.md 4.9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.facts import CertificateFacts, ClientFacts, NextAction, Overlay, Severity, State, TokenFacts
from backend.core.health import assess
from backend.core.lifecycle import Validity, share
from backend.core.limits import OVERDUE, SLOT_GRACE
from backend.core.model import ClientKind, TokenStanding
from backend.core.renewal import renewal_slot

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MakeClient = Callable[..., ClientFacts]


@pytest.fixture
def client(make_client: MakeClient, now: datetime) -> ClientFacts:
    """A renewing client of 90 days, 31 of them left, whose slot ended a grace ago to the second."""
    facts = make_client(31 * DAY, 80 * DAY, auto_renew=True, auto_rotate=True)
    return replace(facts, renew_until=now - share(90 * DAY, SLOT_GRACE), has_heartbeat=True)


def test_the_alarm_comes_one_second_after_slot_and_grace(client: ClientFacts, now: datetime) -> None:
    for quiet in (now - SECOND, now):
        found = assess(replace(client, observed_at=quiet), quiet)
        assert (found.state, found.severity, found.overlays) == (State.OK, Severity.OK, frozenset())
    found = assess(client, now + SECOND)
    assert found.state is State.OK
    assert found.severity is Severity.WARNING
    assert Overlay.MISSED_SLOT in found.overlays
    assert found.next_action is NextAction.AUTO_LATE
    assert "no renewal has come" in found.reasons[0]


def test_a_new_certificate_with_a_new_slot_clears_it(client: ClientFacts, now: datetime) -> None:
    later = now + DAY
    renewed = replace(
        client,
        observed_at=later,
        renew_until=later + 60 * DAY,
        certificate=CertificateFacts(
            validity=Validity(not_before=later, not_after=later + 90 * DAY), authority_not_after=later + 300 * DAY
        ),
    )
    assert assess(renewed, later).severity is Severity.OK


@pytest.mark.parametrize("change", [{"auto_renew": False}, {"auto_renew": None}, {"renew_until": None}])
def test_who_promises_no_slot_misses_none(client: ClientFacts, now: datetime, change: dict[str, object]) -> None:
    facts = replace(client, observed_at=now + DAY, **change)  # type: ignore[arg-type]
    assert Overlay.MISSED_SLOT not in assess(facts, now + DAY).overlays


def test_a_client_that_is_off_by_plan_misses_no_slot(client: ClientFacts, now: datetime) -> None:
    facts = replace(client, planned_off_until=now + 3 * DAY)
    assert Overlay.MISSED_SLOT not in assess(facts, now + DAY).overlays


@settings(max_examples=100, deadline=None, derandomize=True)
@given(serial=st.integers(1, 2**159), hours=st.integers(12, 24 * 400))
def test_for_every_serial_and_life_it_is_told_before_two_percent_and_before_overdue(serial: int, hours: int) -> None:
    """Within one slot plus grace, and never as late as the 28 % of domain.md 5.2."""
    begin = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    validity = Validity(not_before=begin, not_after=begin + timedelta(hours=hours))
    slot = renewal_slot(validity, serial)
    alarm = slot.renew_until + share(validity.lifetime, SLOT_GRACE) + SECOND
    assert alarm - slot.renew_until < share(validity.lifetime, 2 * SLOT_GRACE)
    assert validity.not_after - alarm >= share(validity.lifetime, OVERDUE)
    facts = ClientFacts(
        kind=ClientKind.CSI,
        name="csi-1",
        certificate=CertificateFacts(validity=validity, authority_not_after=validity.not_after + DAY),
        token=TokenFacts(standing=TokenStanding.KNOWN, issued_at=alarm - DAY, expires_at=alarm + 89 * DAY),
        auto_renew=True,
        auto_rotate=True,
        observed_at=alarm,
        renew_until=slot.renew_until,
        has_heartbeat=True,
    )
    assert Overlay.MISSED_SLOT in assess(facts, alarm).overlays
