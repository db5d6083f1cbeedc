"""Waits between tries, jumps of the clock, and orders that come too fast."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.client.backoff import FIRST, LONGEST, Backoff, retry_cap
from backend.client.clock_watch import ClockWatch
from backend.client.heartbeat import Order, OrderKind
from backend.client.orders import MOST, WITHIN_SECONDS, OrderBook
from backend.core.model import Secret

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.integers(min_value=0), st.integers(min_value=1, max_value=5000), st.integers(min_value=60, max_value=10**8))
def test_a_wait_never_exceeds_its_cap_and_there_is_always_a_next(seed: int, failures: int, life: int) -> None:
    cap = retry_cap(timedelta(seconds=life))
    backoff = Backoff(random.Random(seed), cap=cap)  # noqa: S311 - jitter
    for _ in range(min(failures, 200)):
        assert timedelta(0) <= backoff.fail() <= min(cap, LONGEST)


def test_waits_double_from_thirty_seconds_and_start_over_after_a_success() -> None:
    backoff = Backoff(random.Random(1))  # noqa: S311 - jitter
    limits = []
    for _ in range(9):
        limits.append(backoff.limit())
        backoff.fail()
    assert limits[:3] == [FIRST, FIRST * 2, FIRST * 4]
    assert limits[-1] == LONGEST
    backoff.succeed()
    assert backoff.limit() == FIRST


@pytest.mark.parametrize(
    ("life", "cap"),
    [
        (timedelta(hours=100) - timedelta(seconds=100), timedelta(hours=1) - timedelta(seconds=1)),
        (timedelta(hours=100), timedelta(hours=1)),
        (timedelta(hours=101), timedelta(hours=1)),
        (None, timedelta(hours=1)),
    ],
)
def test_the_cap_is_an_hour_or_a_hundredth_of_life(life: timedelta | None, cap: timedelta) -> None:
    assert retry_cap(life) == cap


def test_the_agents_own_hint_is_the_least_wait() -> None:
    backoff = Backoff(random.Random(1))  # noqa: S311 - jitter
    assert backoff.fail(at_least=timedelta(minutes=10)) >= timedelta(minutes=10)


@pytest.mark.parametrize(
    ("wall", "monotonic", "by"),
    [
        (60, 0.0, None),
        (61, 0.0, 61),  # the machine slept
        (-60, 0.0, None),
        (-61, 0.0, -61),  # the clock was set back
        (0, 60.0, None),
        (0, 61.0, -61),  # the wall clock stands still
        (8 * 3600, 8 * 3600.0, None),  # time went by
        (400 * 86400, 5.0, 400 * 86400 - 5),
    ],
)
def test_a_jump_is_more_than_a_minute_between_the_clocks(wall: int, monotonic: float, by: int | None) -> None:
    jump = ClockWatch(NOON, 100.0).find_jump(NOON + timedelta(seconds=wall), 100.0 + monotonic)
    assert (jump.by if jump else None) == (timedelta(seconds=by) if by is not None else None)


def test_a_clock_that_creeps_away_is_found_too_and_each_jump_is_told_once() -> None:
    watch = ClockWatch(NOON, 0.0)
    found = [watch.find_jump(NOON, float(seconds)) for seconds in range(5, 130, 5)]
    assert [jump.by.total_seconds() for jump in found if jump] == [-65.0]


def order(number: int) -> Order:
    return Order(id=f"o{number}", kind=OrderKind.RENEW_NOW)


def test_the_seventh_order_in_ten_minutes_waits_and_is_taken_up_later() -> None:
    book = OrderBook("")
    for number in range(MOST):
        assert book.hear(order(number), 10.0 * number)
        book.finish()
    assert not book.hear(order(99), 60.0)
    assert "orders" in book.complaint
    assert not book.hear(order(99), WITHIN_SECONDS - 1)
    assert book.hear(order(99), WITHIN_SECONDS)
    assert book.complaint == ""


def test_an_order_done_before_the_restart_is_not_done_again() -> None:
    book = OrderBook("o1")
    assert not book.hear(order(1), 0.0)
    assert book.open is None
    assert book.hear(order(2), 0.0)


def test_a_fresh_token_is_taken_each_time_as_only_the_last_one_counts() -> None:
    book = OrderBook("o1")
    for number in range(2 * MOST):
        fresh = Order(id="o1", kind=OrderKind.TAKE_TOKEN, token=Secret(f"t{number}"))
        assert book.hear(fresh, 0.0)
        assert book.open is fresh
    assert book.finish() == "o1"


def test_an_order_that_the_agent_withdraws_is_dropped() -> None:
    book = OrderBook("")
    book.hear(order(1), 0.0)
    book.hear(None, 1.0)
    assert book.open is None
