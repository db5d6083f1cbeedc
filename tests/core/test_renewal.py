"""The slot in which a certificate is renewed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.lifecycle import Validity, share
from backend.core.limits import DUE
from backend.core.renewal import renewal_slot

BORN = datetime(2026, 3, 1, tzinfo=UTC)


def validity(lifetime: timedelta) -> Validity:
    return Validity(not_before=BORN, not_after=BORN + lifetime)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.integers(min_value=1, max_value=2**159), st.integers(min_value=60, max_value=400 * 86400))
def test_a_slot_lies_in_the_middle_of_life_and_before_renewal_is_due(serial: int, seconds: int) -> None:
    life = validity(timedelta(seconds=seconds))
    slot = renewal_slot(life, serial)
    assert slot.renew_from <= slot.renew_at <= slot.renew_until
    assert slot.renew_until <= life.not_after - share(life.lifetime, DUE) + timedelta(seconds=1)
    earliest = 0.60 if life.lifetime >= timedelta(days=10) else 0.45
    assert slot.renew_from >= BORN + life.lifetime * earliest - timedelta(seconds=1)


def test_the_same_certificate_always_has_the_same_slot() -> None:
    assert renewal_slot(validity(timedelta(days=90)), 7) == renewal_slot(validity(timedelta(days=90)), 7)


def test_a_thousand_certificates_of_one_minute_spread_over_days() -> None:
    instants = {renewal_slot(validity(timedelta(days=90)), serial).renew_at for serial in range(1000)}
    assert max(instants) - min(instants) > timedelta(days=7)
    assert len(instants) > 900


@pytest.mark.parametrize(
    ("lifetime", "inside"),
    [
        (timedelta(days=10) - timedelta(seconds=1), (0.45, 0.55)),
        (timedelta(days=10), (0.60, 0.70)),
        (timedelta(days=10) + timedelta(seconds=1), (0.60, 0.70)),
    ],
)
def test_lives_under_ten_days_get_the_earlier_slot(lifetime: timedelta, inside: tuple[float, float]) -> None:
    for serial in range(50):
        slot = renewal_slot(validity(lifetime), serial)
        assert (slot.renew_from - BORN) / lifetime >= inside[0] - 1e-5
        assert (slot.renew_until - BORN) / lifetime <= inside[1] + 1e-5
