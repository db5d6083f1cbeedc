"""Columns of integers and names in as few bytes as their values need, for fleets of a million clients.

Owns how a column is kept and widened; what it means is `backend.core.fleet`'s. An integer column starts with the
narrowest type its caller expects and is widened once a value needs more, so that no value is ever refused or cut. Names
are kept sixty-four to a string: a string of its own would cost five times what most names hold.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_WIDER: Final = {"b": "h", "h": "i", "i": "q", "B": "H", "H": "I", "I": "Q"}
_PAGE_BITS: Final = 8
_PAGE: Final = 1 << _PAGE_BITS
BLOCK: Final = 64  # names in one string
_SEPARATOR: Final = "\n"  # never in a text that is inert


def extended(column: array[int], values: Iterable[int]) -> array[int]:
    """Append values and return the column, a wider one if they need it.

    Raises:
        OverflowError: a value does not fit into 64 bits.
    """
    listed = values if isinstance(values, list) else list(values)
    while True:
        try:
            column.fromlist(listed)  # all of them or none
        except OverflowError:
            column = _widened(column)
        else:
            return column


def put(column: array[int], rows: Sequence[int], values: Sequence[int]) -> array[int]:
    """Set values at rows and return the column, a wider one if they need it."""
    for row, value in zip(rows, values, strict=True):
        try:
            column[row] = value
        except OverflowError:
            while True:
                column = _widened(column)
                try:
                    column[row] = value
                    break
                except OverflowError:
                    continue
    return column


def _widened(column: array[int]) -> array[int]:
    wider = _WIDER.get(column.typecode)
    if wider is None:
        raise OverflowError("a fleet column has a value of more than 64 bits; the sender is broken")
    return array(wider, column)


class NumberIndex:
    """Where each identity number stands: four bytes a number while numbers are dense, a page of them at worst."""

    def __init__(self) -> None:
        self._pages: dict[int, array[int]] = {}

    def get(self, number: int) -> int | None:
        """Return the row of a number, None when it has none."""
        page = self._pages.get(number >> _PAGE_BITS)
        row = 0 if page is None else page[number & (_PAGE - 1)]  # one more than the row; 0: none
        return row - 1 if row else None

    def put(self, number: int, row: int) -> None:
        """Say where a number stands."""
        page = self._pages.get(number >> _PAGE_BITS)
        if page is None:
            page = self._pages[number >> _PAGE_BITS] = array("I", bytes(4 * _PAGE))
        page[number & (_PAGE - 1)] = row + 1

    def pop(self, number: int) -> int | None:
        """Forget a number; return the row it had."""
        row = self.get(number)
        if row is not None:
            self._pages[number >> _PAGE_BITS][number & (_PAGE - 1)] = 0
        return row


class Names:
    """Texts by position, packed; no text may hold a line feed."""

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._tail: list[str] = []
        self._open: tuple[int, list[str]] = (-1, [])  # the block that was taken apart last

    def __len__(self) -> int:
        return len(self._blocks) * BLOCK + len(self._tail)

    def __getitem__(self, row: int) -> str:
        block, place = divmod(row, BLOCK)
        if block == len(self._blocks):
            return self._tail[place]
        return self._opened(block)[place]

    def cut(self, start: int, stop: int) -> list[str]:
        """Return the texts from `start` to `stop`; leaves no trace, so that another thread may be reading."""
        found: list[str] = []
        for block in range(start // BLOCK, -(-stop // BLOCK)):
            whole = self._blocks[block].split(_SEPARATOR) if block < len(self._blocks) else self._tail
            found += whole[max(start - block * BLOCK, 0) : stop - block * BLOCK]
        return found

    def _opened(self, block: int) -> list[str]:
        if self._open[0] != block:
            self._open = (block, self._blocks[block].split(_SEPARATOR))
        return self._open[1]

    def extend(self, texts: Iterable[str]) -> None:
        """Append texts."""
        tail = self._tail
        tail.extend(texts)
        whole = len(tail) - len(tail) % BLOCK
        for begin in range(0, whole, BLOCK):
            self._blocks.append(_SEPARATOR.join(tail[begin : begin + BLOCK]))
        del tail[:whole]

    def __setitem__(self, row: int, text: str) -> None:
        block, place = divmod(row, BLOCK)
        if block == len(self._blocks):
            self._tail[place] = text
            return
        texts = self._opened(block)
        if texts[place] != text:
            texts[place] = text
            self._blocks[block] = _SEPARATOR.join(texts)

    def pop(self) -> str:
        """Remove the last text and return it."""
        if not self._tail:
            self._tail = list(self._opened(len(self._blocks) - 1))
            self._blocks.pop()
            self._open = (-1, [])
        return self._tail.pop()

    def blocks(self, begin: int, end: int) -> Iterator[str]:
        """Yield blocks of texts in order, `BLOCK` of them joined by line feeds; the last block may hold fewer."""
        yield from self._blocks[begin:end]
        if self._tail and begin <= len(self._blocks) < end:
            yield _SEPARATOR.join(self._tail)

    def __iter__(self) -> Iterator[str]:
        for block in self._blocks:
            yield from block.split(_SEPARATOR)
        yield from self._tail
