"""Orders of the client list: worst first, and the columns an operator may sort by instead.

Pure. Every order is total (the client's name, then its id break ties) and independent of the passing second, so that
rows move because something happened and not because time went by. A key is one number or text a row, made by the
column; a large list is sorted in pieces, between which the screen can draw.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, count
from operator import eq
from typing import Any, Final

from backend.core.delta import LAST_SECOND, ClientFlag
from backend.core.fleet import FleetColumns
from backend.core.health import blast_radius
from backend.core.judging import Rulings
from backend.core.model import ClientKind
from tui.roll import Roll

Key = Any  # a number or a text; of one order always the same
INLINE: Final = 50_000  # rows that are sorted without a pause (some 40 ms)
_PIECE: Final = 10_000
_SAMPLE: Final = 4096
_NO_END: Final = float(2 * LAST_SECOND)  # after every client that has an end
_END_UNIT: Final = 4.0  # room for the blast radius below an end
_SEVERITY_UNIT: Final = float(2**41)  # room for an end and the radius
_GROUP_UNIT: Final = 2**44  # room for a severity and all below it
_NO_TOKEN: Final = int(ClientFlag.TOKEN_EMPTY | ClientFlag.TOKEN_UNKNOWN)
_NO_GROUP: Final = "~"  # clients of no cluster come last


class Ranks:
    """The places of clusters and kinds in their alphabets, over all sites; made once for each sorting."""

    def __init__(self, rolls: Sequence[Roll]) -> None:
        self.texts = [len(roll.columns.texts) for roll in rolls]  # how many there were
        self._clusters = _places(roll.columns.texts for roll in rolls)
        self._kinds = {kind.value: place for place, kind in enumerate(sorted(ClientKind, key=lambda k: k.value))}

    def clusters(self, roll: Roll) -> list[int]:
        """Return the rank of every text of a roll as a cluster."""
        last = len(self._clusters)
        return [self._clusters.get(text or _NO_GROUP, last) for text in roll.columns.texts]

    def kinds(self, roll: Roll) -> list[int]:
        """Return the rank of every text of a roll as a kind."""
        return [self._kinds[word] for word in roll.columns.kind_words]


def _places(texts: Iterable[Sequence[str]]) -> dict[str, int]:
    every = {text or _NO_GROUP for one in texts for text in one}
    return {text: place for place, text in enumerate(sorted(every))}


@lru_cache(maxsize=64)
def _radius(kind: str) -> float:
    found = next((known for known in ClientKind if known.value == kind), ClientKind.OTHER)
    return float(3 - blast_radius(found))


def _severities(book: Rulings) -> list[float]:
    return [int(ruling.severity) * _SEVERITY_UNIT for ruling in book.every]


def _worst(roll: Roll, rows: Sequence[int], _: Ranks) -> list[Key]:
    severity, columns = _severities(roll.book), roll.columns
    radius = [_radius(word) for word in columns.kind_words]
    rulings, ends = _of(roll.rulings, rows), _of(roll.ends, rows)
    kinds = _of(columns.column("kind"), rows)
    return [
        severity[ruling] + (end or _NO_END) * _END_UNIT + radius[kind]
        for ruling, end, kind in zip(rulings, ends, kinds, strict=True)
    ]


def _of(column: array[int], rows: Sequence[int]) -> Sequence[int]:
    """Return the values of rows; a range of them is copied in one go."""
    return column[rows.start : rows.stop] if isinstance(rows, range) else [column[row] for row in rows]


def _certificate(roll: Roll, rows: Sequence[int], _: Ranks) -> list[Key]:
    return [float(end or _NO_END) for end in _of(roll.ends, rows)]


def _token(roll: Roll, rows: Sequence[int], _: Ranks) -> list[Key]:
    expires, flags = _of(roll.columns.column("token_expires_at"), rows), _of(roll.columns.column("flags"), rows)
    return [_NO_END if bits & _NO_TOKEN else float(end or _NO_END) for end, bits in zip(expires, flags, strict=True)]


def _name(roll: Roll, rows: Sequence[int], _: Ranks) -> list[Key]:
    return texts_of(roll.columns, rows)


def _cluster(roll: Roll, rows: Sequence[int], ranks: Ranks) -> list[Key]:
    return _grouped(ranks.clusters(roll), _of(roll.columns.column("cluster"), rows), _worst(roll, rows, ranks))


def _kind(roll: Roll, rows: Sequence[int], ranks: Ranks) -> list[Key]:
    return _grouped(ranks.kinds(roll), _of(roll.columns.column("kind"), rows), _worst(roll, rows, ranks))


def _grouped(rank: Sequence[int], groups: Sequence[int], worst: Sequence[float]) -> list[Key]:
    return [rank[group] * _GROUP_UNIT + int(key) for group, key in zip(groups, worst, strict=True)]


def texts_of(columns: FleetColumns, rows: Sequence[int]) -> list[str]:
    """Return the names of rows."""
    names = columns.names
    return [names[row] for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One way to sort the list; `word` stands in the status line."""

    id: str
    key: str
    word: str
    typecode: str  # of the array that its keys fit into; "" for texts
    keys: Callable[[Roll, Sequence[int], Ranks], list[Key]]


ORDERS: Final = (
    Order(id="worst", key="w", word="worst first", typecode="d", keys=_worst),
    Order(id="certificate", key="c", word="by certificate left", typecode="d", keys=_certificate),
    Order(id="token", key="t", word="by token left", typecode="d", keys=_token),
    Order(id="name", key="n", word="by client", typecode="", keys=_name),
    Order(id="cluster", key="l", word="by cluster, worst first", typecode="q", keys=_cluster),
    Order(id="kind", key="i", word="by kind, worst first", typecode="q", keys=_kind),
)
WORST_FIRST: Final = ORDERS[0]

Steps = Generator[float, None, "array[int]"]  # yields the share that is done


def sort_rows(rows: Sequence[int], key: Callable[[int], Key], name: Callable[[int], Key]) -> Steps:
    """Sort `rows` by their keys, equal ones by `name`; pause often enough for a screen if there are many.

    Pieces are cut at sampled keys, so that each of them is sorted by itself and in its place.
    """
    if len(rows) <= INLINE:
        return array("I", _ties_broken(sorted(rows, key=key), key, name))
    sample = sorted(key(row) for row in rows[:: max(1, len(rows) // _SAMPLE)])
    cuts = sorted(set(sample[:: max(1, len(sample) * _PIECE // len(rows))]))
    pieces: list[list[int]] = [[] for _ in range(len(cuts) + 1)]
    for begin in range(0, len(rows), _PIECE):
        for row in rows[begin : begin + _PIECE]:
            pieces[bisect_right(cuts, key(row))].append(row)
        yield 0.5 * begin / len(rows)
    made = array("I")
    pieces.reverse()
    while pieces:  # taken out one by one: to free a million numbers at once takes too long as well
        piece = pieces.pop()
        piece.sort(key=key)
        if len(piece) > _PIECE and key(piece[0]) == key(piece[-1]) and key is not name:
            made.extend((yield from sort_rows(piece, name, name)))
        else:
            made.extend(_ties_broken(piece, key, name))
        yield 0.5 + 0.5 * len(made) / len(rows)
    return made


def _ties_broken(rows: list[int], key: Callable[[int], Key], name: Callable[[int], Key]) -> list[int]:
    """Sort runs of equal keys by name."""
    found = list(map(key, rows))
    ties = list(compress(count(), map(eq, found, found[1:])))
    place = 0
    while place < len(ties):
        begin = end = ties[place]
        while place < len(ties) and ties[place] == end:
            end += 1
            place += 1
        rows[begin : end + 1] = sorted(rows[begin : end + 1], key=name)
    return rows
