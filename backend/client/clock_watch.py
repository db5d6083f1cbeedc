"""Notices that the wall clock and the monotonic clock went apart: a suspended machine, or a clock that was set.

Pure: it is handed both readings at every wake and keeps the pair that it compares with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

TOLERATED: Final = timedelta(seconds=60)  # pki.md 5.2, I8: a jump is more than that


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """The wall clock moved by `by` more than the monotonic one; negative: it was set back, or stood still."""

    by: timedelta

    @property
    def sentence(self) -> str:
        """What to tell people; a suspended machine and a clock set forward look the same from inside."""
        seconds = abs(int(self.by.total_seconds()))
        if self.by > timedelta(0):
            return f"the clock jumped {seconds} s ahead: this machine slept, or its clock was set"
        return f"the clock fell {seconds} s back: it was set, or stood still"


class ClockWatch:
    """Compares each pair of readings with the first one, so that a clock which creeps away is found too."""

    def __init__(self, wall: datetime, monotonic: float) -> None:
        self._wall = wall
        self._monotonic = monotonic

    def find_jump(self, wall: datetime, monotonic: float) -> Jump | None:
        """Return the jump since the last one, if it is more than a minute; the present pair is then the new start."""
        by = (wall - self._wall) - timedelta(seconds=monotonic - self._monotonic)
        if abs(by) <= TOLERATED:
            return None
        self._wall = wall
        self._monotonic = monotonic
        return Jump(by=by)
