"""The only place that reads the time; everything else is handed an instant.

`SystemClock` serves programs, `ManualClock` tests and histories. Instants are aware, UTC and whole seconds, rounded
down, so that no countdown is ever a second too generous.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time, monotonic time and waiting."""

    def now(self) -> datetime:
        """Wall-clock time: aware, UTC, whole seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that no administrator can set."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many monotonic seconds."""
        ...


class SystemClock:
    """The machine's clock, shifted by `offset` (used to show what a wrong clock does)."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self._offset = offset

    def now(self) -> datetime:
        """Wall-clock time plus the offset."""
        return datetime.fromtimestamp(int(time.time()), UTC) + self._offset

    def monotonic(self) -> float:
        """`time.monotonic`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """`asyncio.sleep`; never a negative wait."""
        await asyncio.sleep(max(0.0, seconds))


class ManualClock:
    """A clock that stands still until it is told; advancing wakes the sleepers in order of their instants."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._monotonic = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._tickets = 0

    def now(self) -> datetime:
        """The instant last set."""
        return self._now

    def monotonic(self) -> float:
        """Seconds advanced since birth."""
        return self._monotonic

    def set(self, now: datetime) -> None:
        """Jump the wall clock only, as an administrator or NTP would; nobody wakes."""
        self._now = now

    def advance(self, by: timedelta) -> None:
        """Move both clocks and wake whoever is due."""
        self._monotonic += by.total_seconds()
        self._now += by
        while self._sleepers and self._sleepers[0][0] <= self._monotonic:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tickets += 1
        heapq.heappush(self._sleepers, (self._monotonic + seconds, self._tickets, future))
        await future
