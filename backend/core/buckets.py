"""Token buckets: how often something may happen for a key, such as an address, in memory and bounded.

Kept as one instant a key (the generic cell rate algorithm): when its bucket will be full again. Pure but for that
memory: the time comes with each question. The memory is lost with the process, which only lets somebody begin anew.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

CAPACITY: Final = 10_000  # keys remembered; the one not heard of for longest leaves first
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`count` events each `per`, and `burst` at once after a rest."""

    count: int
    per: timedelta
    burst: int

    def __post_init__(self) -> None:
        if self.count < 1 or self.burst < 1 or self.per <= timedelta(0):
            raise ValueError(f"a rate of {self.count} each {self.per} with {self.burst} at once lets nothing pass")

    @property
    def step(self) -> timedelta:
        """How long one event takes to be made up for."""
        return self.per / self.count


class Buckets:
    """One bucket a key; for one thread."""

    def __init__(self, rate: Rate | None, capacity: int = CAPACITY) -> None:
        """`rate` None lets everything pass and remembers nothing."""
        self._rate = rate
        self._capacity = capacity
        self._full_at: OrderedDict[str, datetime] = OrderedDict()

    def wait(self, key: str, now: datetime) -> timedelta:
        """How long until one more may happen, in whole seconds, rounded up; zero when it may now."""
        if self._rate is None:
            return timedelta(0)
        room = self._rate.step * self._rate.burst
        over = self._full(key, now, room) + self._rate.step - now - room
        return timedelta(0) if over <= timedelta(0) else -(-over // _SECOND) * _SECOND

    def take(self, key: str, now: datetime) -> timedelta:
        """Count one event if it may happen now; return what `wait` said, zero when it was counted."""
        wait = self.wait(key, now)
        if self._rate is None or wait > timedelta(0):
            return wait
        self._full_at[key] = self._full(key, now, self._rate.step * self._rate.burst) + self._rate.step
        self._full_at.move_to_end(key)
        while len(self._full_at) > self._capacity:
            self._full_at.popitem(last=False)
        return wait

    def _full(self, key: str, now: datetime, room: timedelta) -> datetime:
        """When the bucket is full."""
        full_at = self._full_at.get(key, now)
        if full_at > now + room:  # the clock was set back: that must not keep anybody out for as long
            full_at = self._full_at[key] = now + room
        return max(full_at, now)

    def __len__(self) -> int:
        return len(self._full_at)
