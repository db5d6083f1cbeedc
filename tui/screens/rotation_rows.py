"""Lines that are made when they are seen: a rotation of ten thousand clients costs what the screen shows of it.

A row carries the client that it stands for, "" for none, and its line or how to make it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from tui.lines import Line, cut

Row = tuple[str, Line | Callable[[], Line]]


class Rows(Sequence[Line]):
    """The lines of rows, each cut to a width when it is asked for."""

    def __init__(self, rows: Sequence[Row], width: int) -> None:
        self._rows = rows
        self._width = width

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Line: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Line]: ...
    def __getitem__(self, place: int | slice) -> Line | Sequence[Line]:
        if isinstance(place, slice):
            return [self._made(row) for row in self._rows[place]]
        return self._made(self._rows[place])

    def _made(self, row: Row) -> Line:
        line = row[1]
        return cut(line() if callable(line) else line, self._width)

    @property
    def names(self) -> list[str]:
        """The client of each line."""
        return [name for name, _ in self._rows]


def texts(lines: Sequence[Line]) -> list[Row]:
    """Return lines that stand for no client."""
    return [("", line) for line in lines]
