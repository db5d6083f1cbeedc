"""The list's index: which clients are shown, in which order, over the rolls of all sites.

Owns sorting, filtering and finding a client's place. While a list is made, a row of any site is one number: its site's
offset and its row there. What is shown are ids, so that a row that goes or moves does no harm until the list is made
anew. A small list is made at once; a large one in steps that the screen takes between keys, and what touches only a few
clients moves only those.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, MutableSequence, Sequence
from itertools import compress
from typing import Final

from backend.core.delta import EPOCH
from backend.core.filter import Filter
from backend.core.filterterms import Term
from tui.marks import ClientId, MarkedSet, client_id, number_of, site_of
from tui.matching import STEP, Question, match, narrows
from tui.sitefleet import SiteFleet
from tui.sorting import INLINE, WORST_FIRST, Key, Order, Ranks, sort_rows

_THIN: Final = 64
SMALL: Final = 5_000  # a list up to here is always sorted anew
_PIECE: Final = 20_000
Work = Generator[float, None, None]  # yields the share that is done


class _Rows:
    """What row numbers mean: the sites' offsets at the time when a list was made."""

    def __init__(self, sites: Sequence[SiteFleet]) -> None:
        self.sites = sites
        self.offsets = [0]
        for site in sites:
            self.offsets.append(self.offsets[-1] + len(site.roll))
        self._generations = [site.generation for site in sites]

    def __len__(self) -> int:
        return self.offsets[-1]

    @property
    def is_void(self) -> bool:
        """Tell whether a row may mean another client now."""
        return [site.generation for site in self.sites] != self._generations or len(self) != sum(
            len(site.roll) for site in self.sites
        )

    def split(self, row: int) -> tuple[SiteFleet, int]:
        """Return a row's site and its row there."""
        place = bisect_right(self.offsets, row) - 1 if len(self.sites) > 1 else 0
        return self.sites[place], row - self.offsets[place]

    def of(self, client: ClientId) -> int | None:
        """Return the row of a client, None when it has none."""
        place = site_of(client)
        own = self.sites[place].columns.index_of(number_of(client)) if place < len(self.sites) else None
        if own is None or self.offsets[place] + own >= self.offsets[place + 1]:
            return None
        return self.offsets[place] + own

    def name(self, row: int) -> tuple[str, ClientId]:
        """Return what breaks ties."""
        site, own = self.split(row)
        return site.columns.names[own], site.id_at(own)


class _ByName:
    """The keys of a list by name: the names themselves, which are there already."""

    def __init__(self, rows: _Rows) -> None:
        self._rows = rows

    def __getitem__(self, row: int) -> str:
        return self._rows.name(row)[0]


class Listing:
    """Which clients are shown, in which order."""

    def __init__(self, sites: Sequence[SiteFleet], marks: MarkedSet) -> None:
        self.sites = sites
        self.marks = marks
        self.sort: Order = WORST_FIRST
        self.filter: Filter | None = None
        self.week: int | None = None
        self.shown: array[int] = array("Q")  # ids
        self._rows = _Rows(sites)
        self._base: array[int] = array("I")  # every row in order
        self._keys: MutableSequence[Key] | _ByName = []
        self._mask = b""  # one byte a row: does it match
        self._ranks = Ranks([])
        self._touched: set[ClientId] | None = set()  # None: any

    def touch(self, clients: Iterable[ClientId]) -> None:
        """Note that the place of some clients may be another now."""
        if self._touched is not None:
            self._touched.update(clients)

    def touch_all(self) -> None:
        """Note that any client's place may be another now."""
        self._touched = None

    def place_of(self, client: ClientId) -> int | None:
        """Return where a client stands in the list, None when it is not in it."""
        row = None if self._rows.is_void else self._rows.of(client)
        if row is not None:
            place = self._place_in_shown(row)
            if place < len(self.shown) and self.shown[place] == client:
                return place
        try:
            return self.shown.index(client)  # the list is not in line with the rolls just now
        except ValueError:
            return None

    def _place_in_base(self, row: int) -> int:
        return self._place(len(self._base), self._base.__getitem__, row)

    def _place_in_shown(self, row: int) -> int:
        return self._place(len(self.shown), lambda place: self._rows.of(self.shown[place]) or 0, row)

    def _place(self, size: int, row_at: Callable[[int], int], row: int) -> int:
        """Return the first place whose row does not belong before this one."""
        key, name = self._keys[row], self._rows.name(row)
        low, high = 0, size
        while low < high:
            middle = (low + high) // 2
            there = row_at(middle)
            other = self._keys[there]
            if other < key or (other == key and self._rows.name(there) < name):
                low = middle + 1
            else:
                high = middle
        return low

    # Making the list

    def refresh(self, monotonic: float) -> Work:
        """Bring the list in line with what was touched, by the cheapest way."""
        touched, self._touched = self._touched, set()
        if touched is None or self._rows.is_void or len(self._rows) <= SMALL or self._has_new_groups():
            yield from self.resort(monotonic)
            return
        rows = [row for client in touched if (row := self._rows.of(client)) is not None]
        keys = self._keys_of(rows)
        moved = [(row, key) for row, key in zip(rows, keys, strict=True) if self._keys[row] != key]
        if len(moved) > _affordable(len(self._rows)):
            yield from self.resort(monotonic)
        elif self.filter is None and self.week is None:
            for row, key in moved:
                self._move(row, key)
        else:
            for row, key in moved:
                self._move_in_base(row, key)
            yield from self.choose(monotonic, None)

    def _has_new_groups(self) -> bool:
        """Tell whether there may be a cluster or a kind that has no rank yet."""
        return self.sort.typecode == "q" and self._ranks.texts != [len(site.columns.texts) for site in self.sites]

    def _keys_of(self, rows: Sequence[int]) -> list[Key]:
        found = []
        for row in rows:
            site, own = self._rows.split(row)
            found.extend(self.sort.keys(site.roll, (own,), self._ranks))
        return found

    def _move(self, row: int, key: Key) -> None:
        client = self._rows.name(row)[1]
        del self.shown[self._place_in_shown(row)]
        self._move_in_base(row, key)
        self.shown.insert(self._place_in_shown(row), client)

    def _move_in_base(self, row: int, key: Key) -> None:
        del self._base[self._place_in_base(row)]
        if not isinstance(self._keys, _ByName):
            self._keys[row] = key
        self._base.insert(self._place_in_base(row), row)

    def resort(self, monotonic: float) -> Work:
        """Sort anew and choose anew."""
        self._touched = set()
        rows = _Rows(self.sites)
        keys: MutableSequence[Key] = array(self.sort.typecode) if self.sort.typecode else []
        ranks = Ranks([site.roll for site in self.sites])
        for place, site in enumerate(self.sites):
            size = rows.offsets[place + 1] - rows.offsets[place]
            for begin in range(0, size, _PIECE):
                keys.extend(self.sort.keys(site.roll, range(begin, min(begin + _PIECE, size)), ranks))
                if len(rows) > INLINE:
                    yield 0.3 * len(keys) / len(rows)
        steps = sort_rows(range(len(rows)), keys.__getitem__, rows.name)
        while True:
            try:
                yield 0.3 + 0.6 * next(steps)
            except StopIteration as end:
                self._base, self._rows = end.value, rows
                self._keys = keys if self.sort.typecode else _ByName(rows)
                self._ranks, self._mask = ranks, b""
                break
        yield from self.choose(monotonic, None)

    def choose(self, monotonic: float, before: Filter | None) -> Work:
        """Choose by filter and week; what narrows the filter `before` is asked only of what that found."""
        rows = self._rows
        if rows.is_void:
            yield from self.resort(monotonic)
            return
        terms = narrows(before, self.filter) if before is not None and len(self._mask) == len(rows) else None
        mask = self._mask if terms is not None else None
        found: list[bytes] = []
        if terms is None:
            terms = () if self.filter is None else self.filter.terms
        if self.filter is None and self.week is None:
            found.append(b"\x01" * len(rows))
        else:
            for place, site in enumerate(rows.sites):
                asked = self._question(site, terms, monotonic)
                for begin in range(rows.offsets[place], rows.offsets[place + 1], STEP):
                    among = None if mask is None else mask[begin : min(begin + STEP, rows.offsets[place + 1])]
                    found.append(match(site.roll, asked, begin - rows.offsets[place], among))
                    if len(rows) > INLINE:
                        yield 0.9
        yield from self._show(rows, b"".join(found))

    def _question(self, site: SiteFleet, terms: Sequence[Term], monotonic: float) -> Question:
        moment = site.moment(monotonic)
        marked = [site.columns.index_of(number_of(c)) for c in self.marks if site_of(c) == site.place]
        return Question(
            terms=tuple(terms),
            week=self.week,
            now=EPOCH if moment is None else moment.now,
            site=site.name,
            marked=frozenset(row for row in marked if row is not None),
        )

    def _show(self, rows: _Rows, mask: bytes) -> Work:
        ids = self._ids(rows)
        shown: array[int] = array("Q")
        base = self._base
        if mask.count(1) * _THIN < len(mask):  # sorting the few is less than looking through all
            few = sorted(compress(range(len(mask)), mask), key=lambda row: (self._keys[row], rows.name(row)))
            base = array("I", few)
        has_gaps = len(base) == len(mask) and 0 in mask
        for begin in range(0, len(base), _PIECE):
            part = base[begin : begin + _PIECE]
            if has_gaps:
                part = array("I", compress(part, map(mask.__getitem__, part)))
            shown.extend(map(ids.__getitem__, part))
            if len(rows) > INLINE:
                yield 0.95
        self.shown, self._mask = shown, mask

    def _ids(self, rows: _Rows) -> array[int]:
        if len(rows.sites) == 1:
            return rows.sites[0].columns.column("number")  # the first site's ids are its numbers
        ids: array[int] = array("Q")
        for place, site in enumerate(rows.sites):
            numbers = site.columns.column("number")[: rows.offsets[place + 1] - rows.offsets[place]]
            ids.extend([client_id(site.place, number) for number in numbers])
        return ids


def _affordable(size: int) -> int:
    """Return how many clients may be moved one by one in some thirty milliseconds; each moves half the list's bytes."""
    return int(30 / (0.1 + size * 1.2e-6))
