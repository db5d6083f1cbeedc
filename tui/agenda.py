"""Which clients are to be judged again, and when: so that a second costs what can change in it, not what there is.

Pure. Rows wait in one bucket an hour, four bytes each, and in a heap for the hour that runs. An entry is only a hint:
whoever takes a row out looks at its own instant again, so that a row that was changed or moved needs no clearing up.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Sequence
from typing import Final

from backend.core.judging import NEVER

_HOUR: Final = 3600
_ROW_BITS: Final = 32
_ROW: Final = (1 << _ROW_BITS) - 1
SPILL: Final = 20_000  # rows that move from an hour's bucket into the heap at a time


class Agenda:
    """Rows by the instant at which their verdict can change, in Unix seconds."""

    def __init__(self) -> None:
        self._near: list[int] = []
        self._far: dict[int, array[int]] = {}
        self._horizon = 0  # instants before it are in the heap

    def __len__(self) -> int:
        return len(self._near) + sum(map(len, self._far.values()))

    def put(self, row: int, at: int) -> None:
        """Say when a row is due."""
        if at == NEVER:
            return
        if at < self._horizon:
            heapq.heappush(self._near, at << _ROW_BITS | row)
            return
        bucket = self._far.get(at // _HOUR)
        if bucket is None:
            bucket = self._far[at // _HOUR] = array("I")
        bucket.append(row)

    def put_all(self, rows: Iterable[int], instants: Iterable[int]) -> None:
        """Say when many rows are due."""
        for row, at in zip(rows, instants, strict=True):
            self.put(row, at)

    def due(self, at: int, instants: Sequence[int], limit: int) -> list[int]:
        """Take out at most `limit` rows whose instant has come; `instants` are the rows' own."""
        self._spill(at, instants)
        found: dict[int, None] = {}  # an entry may be there twice
        near = self._near
        last = at << _ROW_BITS | _ROW
        while near and near[0] <= last and len(found) < limit:
            entry = heapq.heappop(near)
            row = entry & _ROW
            if row < len(instants) and instants[row] == entry >> _ROW_BITS:
                found[row] = None
        return list(found)

    def has_due(self, at: int) -> bool:
        """Tell whether an entry of the heap has come."""
        return bool(self._near) and self._near[0] >> _ROW_BITS <= at

    def _spill(self, at: int, instants: Sequence[int]) -> None:
        """Move the running hour's rows, and those of hours that were slept through, into the heap."""
        hour = at // _HOUR
        self._horizon = max(self._horizon, (hour + 1) * _HOUR)
        room = SPILL
        for past in sorted(bucket for bucket in self._far if bucket <= hour):
            rows = self._far[past]
            taken = rows[-room:]
            del rows[-room:]
            if not rows:
                del self._far[past]
            here = [row for row in taken if row < len(instants) and instants[row] // _HOUR == past]
            entries = [instants[row] << _ROW_BITS | row for row in here]
            if len(entries) > len(self._near):
                self._near.extend(entries)
                heapq.heapify(self._near)
            else:
                for entry in entries:
                    heapq.heappush(self._near, entry)
            room -= len(taken)
            if room <= 0:
                return
