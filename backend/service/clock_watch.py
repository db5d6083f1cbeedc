"""Notices when the wall clock moves otherwise than the monotonic one, which dies with the process: so in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from backend.clock import Clock

JUMP: Final = timedelta(seconds=60)  # pki.md, invariant I8


@dataclass(slots=True)
class ClockWatch:
    """The last look at both clocks; lives as long as the process, because a monotonic clock starts anew with it.

    `listening_since` is the first look: before it this process can have heard nobody.
    """

    wall: datetime | None = None
    monotonic: float = 0.0
    listening_since: datetime | None = None

    def jumped(self, clock: Clock) -> timedelta:
        """How far the wall clock has moved against the monotonic one since the last look that was believed."""
        if self.wall is None:
            return timedelta(0)
        return (clock.now() - self.wall) - timedelta(seconds=clock.monotonic() - self.monotonic)

    def believe(self, clock: Clock) -> None:
        """Take both clocks as they are now for right."""
        self.wall, self.monotonic = clock.now(), clock.monotonic()
        if self.listening_since is None:
            self.listening_since = self.wall
