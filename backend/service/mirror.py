"""The fleet as the agent itself keeps it, for readers that begin: the survey feeds it, and it is never the truth.

It is the fleet of a moment ago; what changed since is read from rows by whoever copies from it. So a dashboard that
starts costs the store nothing but that, and the core a moment. Two threads meet here: the survey's, which writes, and
the core's, which copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from backend.core.delta import ClientColumns, FleetDelta
from backend.core.fleet import FleetColumns


class FleetMirror:
    """Columns with a lock. Only the survey may use `columns` outside of it: nobody else changes them."""

    def __init__(self) -> None:
        self.columns = FleetColumns()
        self._lock = Lock()

    def take(self, page: FleetDelta) -> None:
        """Take in one page of an answer."""
        with self._lock:
            self.columns.apply(page)

    def look(self) -> tuple[int, int]:
        """Return the counter up to which it is whole, 0 while it is not, and how many clients it has."""
        with self._lock:
            return self.columns.change, len(self.columns)

    def copy(self, below: int, limit: int) -> tuple[Sequence[str], ClientColumns, int]:
        """Return the last `limit` clients below a place, their texts first, and the place where they begin.

        From the end to the beginning, because a removal moves the last client into the gap: one who copies in this
        order misses nobody, whatever is removed between two copies.
        """
        with self._lock:
            stop = min(below, len(self.columns))
            start = max(stop - limit, 0)
            return *self.columns.cut(start, stop), start
