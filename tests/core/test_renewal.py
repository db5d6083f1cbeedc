"""The slot in which a certificate is renewed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from hashlib import sha256

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


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(min_value=1, max_value=2**159), st.integers(min_value=1, max_value=400 * 86400))
def test_a_slot_is_the_exact_share_of_life_rounded_down(serial: int, seconds: int) -> None:
    """Agent and client reckon it apart, perhaps in different versions: any other rounding would set them at odds."""
    life = validity(timedelta(seconds=seconds))
    digest = sha256(f"renewal slot {serial:x}".encode()).digest()
    parts = [Fraction(int.from_bytes(digest[place : place + 4]), 2**32) for place in (0, 4)]
    earliest, spread = (Fraction(60, 100), Fraction(10, 100))
    if life.lifetime < timedelta(days=10):
        earliest, spread = (Fraction(45, 100), Fraction(5, 100))
    start = earliest + spread * parts[0]
    end = min(start + Fraction(5, 100), 1 - DUE)
    slot = renewal_slot(life, serial)
    exact = [start, end, start + (end - start) * parts[1]]
    assert [slot.renew_from, slot.renew_until, slot.renew_at] == [
        BORN + timedelta(seconds=int(seconds * share_of_life)) for share_of_life in exact
    ]


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
