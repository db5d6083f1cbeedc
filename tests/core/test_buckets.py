"""Token buckets at their boundaries: a burst, then one a step, and nobody kept out for longer than it takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backend.core.buckets import Buckets, Rate

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NOTHING = timedelta(0)
RATE = Rate(count=1, per=10 * SECOND, burst=3)


def taken(buckets: Buckets, key: str, now: datetime, times: int) -> list[int]:
    return [buckets.take(key, now) // SECOND for _ in range(times)]


def test_a_burst_passes_and_then_one_each_step() -> None:
    buckets = Buckets(RATE)
    assert taken(buckets, "a", NOW, 4) == [0, 0, 0, 10]
    assert taken(buckets, "a", NOW + 9 * SECOND, 1) == [1]
    assert taken(buckets, "a", NOW + 10 * SECOND, 2) == [0, 10]
    assert taken(buckets, "a", NOW + 3600 * SECOND, 4) == [0, 0, 0, 10]


def test_what_was_refused_does_not_count() -> None:
    buckets = Buckets(RATE)
    taken(buckets, "a", NOW, 1_000)
    assert buckets.take("a", NOW + 10 * SECOND) == NOTHING


def test_asking_counts_nothing() -> None:
    buckets = Buckets(RATE)
    assert {buckets.wait("a", NOW) for _ in range(10)} == {NOTHING}
    assert len(buckets) == 0


def test_one_key_is_nothing_to_another() -> None:
    buckets = Buckets(RATE)
    taken(buckets, "a", NOW, 10)
    assert taken(buckets, "b", NOW, 3) == [0, 0, 0]


def test_a_clock_that_was_set_back_keeps_nobody_out_for_longer_than_a_whole_burst() -> None:
    buckets = Buckets(RATE)
    taken(buckets, "a", NOW, 3)
    earlier = NOW - timedelta(days=1)
    assert buckets.wait("a", earlier) == 10 * SECOND
    assert taken(buckets, "a", earlier + 10 * SECOND, 1) == [0]


def test_parts_of_a_second_wait_for_the_whole_one() -> None:
    buckets = Buckets(Rate(count=20, per=SECOND, burst=2))
    assert taken(buckets, "a", NOW, 3) == [0, 0, 1]
    assert taken(buckets, "a", NOW + SECOND, 3) == [0, 0, 1]


def test_no_more_keys_are_remembered_than_there_is_room_for() -> None:
    buckets = Buckets(RATE, capacity=2)
    for key in ("a", "b", "a", "c"):
        buckets.take(key, NOW)
    assert len(buckets) == 2
    assert taken(buckets, "a", NOW, 2) == [0, 10]  # "a" was heard of later than "b"


def test_no_rate_lets_everything_pass_and_remembers_nothing() -> None:
    buckets = Buckets(None)
    assert set(taken(buckets, "a", NOW, 1_000)) == {0}
    assert len(buckets) == 0


@pytest.mark.parametrize(("count", "seconds", "burst"), [(0, 1, 1), (1, 0, 1), (1, 1, 0), (-1, 1, 1)])
def test_a_rate_that_lets_nothing_pass_is_refused(count: int, seconds: int, burst: int) -> None:
    with pytest.raises(ValueError, match="lets nothing pass"):
        Rate(count=count, per=seconds * SECOND, burst=burst)
