"""Countdowns: two units, whole ones, never rounded up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.countdown import countdown, long_countdown, remaining_share
from backend.core.lifecycle import Validity


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(days=57, hours=20, minutes=59, seconds=59), "57d 20h"),
        (timedelta(days=26, hours=23, minutes=59), "26d 23h"),
        (timedelta(days=1), "1d 00h"),
        (timedelta(hours=23, minutes=59, seconds=59), "23h 59m"),
        (timedelta(hours=5, minutes=51), "5h 51m"),
        (timedelta(hours=1), "1h 00m"),
        (timedelta(minutes=59, seconds=59), "59m 59s"),
        (timedelta(minutes=18, seconds=22), "18m 22s"),
        (timedelta(seconds=41, milliseconds=999), "0m 41s"),
        (timedelta(0), "0m 00s"),
        (timedelta(seconds=-1), "-0m 01s AGO"),
        (-timedelta(minutes=9, seconds=40, milliseconds=900), "-9m 40s AGO"),
        (-timedelta(days=2, hours=1), "-2d 01h AGO"),
    ],
)
def test_a_countdown_shows_two_units(left: timedelta, text: str) -> None:
    assert countdown(left) == text


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(days=57, hours=20, minutes=5, seconds=12), "57d 20h 05m 12s"),
        (timedelta(seconds=41), "00h 00m 41s"),
        (-timedelta(days=3, hours=4, seconds=9), "expired 3d 04h 00m 09s ago"),
    ],
)
def test_a_long_countdown_goes_down_to_the_second(left: timedelta, text: str) -> None:
    assert long_countdown(left) == text


def test_the_share_that_is_left_stays_between_all_and_nothing() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    validity = Validity(not_before=begin, not_after=begin + timedelta(days=100))
    shares = [remaining_share(validity, begin + timedelta(days=day)) for day in (-1, 0, 70, 100, 101)]
    assert shares == [1.0, 1.0, 0.3, 0.0, 0.0]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(min_value=0, max_value=10**9))
def test_a_countdown_never_promises_more_than_there_is(seconds: int) -> None:
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    shown = sum(int(part[:-1]) * units[part[-1]] for part in countdown(timedelta(seconds=seconds)).split())
    assert shown <= seconds
