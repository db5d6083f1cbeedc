"""When what ends: clients counted by the week, day or hour in which a credential ends, group by group.

Pure; one pass over what the list shows, in its order. The first column holds what has ended, the last one what ends
after the thirteen periods between them, so that a row's numbers add up to its total.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, cast, overload

from backend.core.delta import instant
from backend.core.facts import NextAction
from backend.core.fleet import ClientFlag
from tui.columns import renews
from tui.marks import ClientId
from tui.model import WEEKS, FleetModel
from tui.sitefleet import SiteFleet

LATE: Final = 0
LATER: Final = WEEKS + 1
COLUMNS: Final = WEEKS + 2
SLICE: Final = 2_000  # clients counted without a pause
_STEPS: Final = tuple(NextAction)
_STEP_PLACES: Final = {step: place for place, step in enumerate(_STEPS)}
NO_CLUSTER: Final = "no cluster"
_NO_TOKEN: Final = int(ClientFlag.TOKEN_EMPTY | ClientFlag.TOKEN_UNKNOWN)


class What(Enum):
    """Which end is looked at; the value is its word."""

    CERTIFICATE = "certificates"
    TOKEN = "tokens"  # noqa: S105 - a word
    AUTHORITY = "CA"


class Scale(Enum):
    """How long one period is."""

    WEEKS = ("weeks", "week", timedelta(days=7))
    DAYS = ("days", "day", timedelta(days=1))
    HOURS = ("hours", "hour", timedelta(hours=1))

    @property
    def plural(self) -> str:
        """`weeks`."""
        return self.value[0]

    @property
    def singular(self) -> str:
        """`week`."""
        return self.value[1]

    @property
    def length(self) -> timedelta:
        """One period."""
        return self.value[2]


class Grouping(Enum):
    """What a row stands for."""

    CLUSTER = "cluster"
    KIND = "kind"
    MODE = "renewal"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Sight:
    """One client in the grid."""

    number: ClientId
    column: int
    step: NextAction


class Grid:
    """The counts, and who stands where, in the list's order; about 14 bytes a client. `without` have no such end."""

    def __init__(self) -> None:
        self.groups: dict[str, list[int]] = {}
        self.total = [0] * COLUMNS
        self.without = 0
        self.clients = array("Q")
        self._columns = bytearray()
        self._steps = bytearray()
        self._rows = array("I")
        self._places: dict[str, int] = {}

    def add(self, client: ClientId, group: str, column: int, step: NextAction) -> None:
        """Count one client."""
        self.clients.append(client)
        self._columns.append(column)
        self._steps.append(_STEP_PLACES[step])
        self._rows.append(self._places.setdefault(group, len(self._places)))
        self.groups.setdefault(group, [0] * COLUMNS)[column] += 1
        self.total[column] += 1

    @property
    def names(self) -> list[str]:
        """The rows, by name."""
        return sorted(self.groups)

    def selected(self, group: str, low: int, high: int) -> Selection:
        """Return who ends in some columns (both ends included), of one row or of all (""), in the list's order."""
        places = (place for place, column in enumerate(self._columns) if low <= column <= high)
        if group:
            row, rows = self._places.get(group), self._rows
            places = (place for place in places if rows[place] == row)
        return Selection(self, array("I", places))

    def sight(self, place: int) -> Sight:
        """Return one client."""
        return Sight(self.clients[place], self._columns[place], _STEPS[self._steps[place]])

    def steps(self, places: Sequence[int]) -> Counter[NextAction]:
        """Return how many of some clients have which next step."""
        return Counter({_STEPS[step]: n for step, n in Counter(map(self._steps.__getitem__, places)).items()})


class Selection(Sequence[Sight]):
    """Some clients of a grid, in its order."""

    def __init__(self, grid: Grid, places: array[int]) -> None:
        self._grid = grid
        self._places = places
        self.clients = array("Q", map(grid.clients.__getitem__, places))

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Sight: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sight]: ...
    def __getitem__(self, index: int | slice) -> Sight | list[Sight]:
        if isinstance(index, slice):
            return [self._grid.sight(place) for place in self._places[index]]
        return self._grid.sight(self._places[index])

    def find(self, client: ClientId | None) -> int | None:
        """Return where a client stands, None when it is not selected."""
        try:
            return None if client is None else self.clients.index(client)
        except ValueError:
            return None

    def steps(self) -> Counter[NextAction]:
        """Return how many of them have which next step."""
        return self._grid.steps(self._places)


NOTHING: Final = Selection(Grid(), array("I"))


def counting(
    model: FleetModel, now: datetime, what: What, scale: Scale, grouping: Grouping
) -> Generator[float, None, Grid]:
    """Count what the list shows, a slice at a time; yields how far it is."""
    grid = Grid()
    group_of, end_of = _group_of(grouping), _END_OF[what]
    for done, (client, site, row) in enumerate(model.listed(), 1):
        if not done % SLICE:
            yield done / max(1, len(model.order))
        end = end_of(site, row)
        if end is None:
            grid.without += 1
        else:
            step = site.roll.ruling(row).next_action
            grid.add(client, group_of(site, row), column_of(end, now, scale), step)
    return grid


def count_ends(model: FleetModel, now: datetime, what: What, scale: Scale, grouping: Grouping) -> Grid:
    """Count what the list shows, in one go."""
    work = counting(model, now, what, scale, grouping)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast("Grid", end.value)


def column_of(end: datetime, now: datetime, scale: Scale) -> int:
    """Return the column of an end: its last second still belongs to the period before the next begins."""
    if end < now:
        return LATE
    return min(LATER, 1 + int((end - now) // scale.length))


def _group_of(grouping: Grouping) -> Callable[[SiteFleet, int], str]:
    if grouping is Grouping.KIND:
        return lambda site, row: site.columns.text("kind", row)
    if grouping is Grouping.MODE:
        return lambda site, row: renews(ClientFlag(site.columns.column("flags")[row]))
    if grouping is Grouping.SITE:
        return lambda site, _: site.name
    return lambda site, row: site.columns.text("cluster", row) or NO_CLUSTER


def _certificate(site: SiteFleet, row: int) -> datetime | None:
    return instant(site.roll.ends[row])


def _token(site: SiteFleet, row: int) -> datetime | None:
    bits = site.columns.column("flags")[row]
    return None if bits & _NO_TOKEN else instant(site.columns.column("token_expires_at")[row])


def _authority(site: SiteFleet, row: int) -> datetime | None:
    found = site.columns.authority_of(site.columns.column("generation")[row])
    return None if found is None else found.validity.not_after


_END_OF: Final = {What.CERTIFICATE: _certificate, What.TOKEN: _token, What.AUTHORITY: _authority}


def period_word(column: int) -> str:
    """Return a column's name: `late`, `0`, `12`, `later`."""
    return "late" if column == LATE else "later" if column == LATER else str(column - 1)


def range_words(low: int, high: int, scale: Scale) -> str:
    """Return what is selected: `late to week 0`, `weeks 3 to 5`, `week 2`."""
    first, last = period_word(low), period_word(high)
    if low == high:
        return first if low in {LATE, LATER} else f"{scale.singular} {first}"
    if low != LATE and high != LATER:
        return f"{scale.plural} {first} to {last}"
    return f"{first if low == LATE else f'{scale.singular} {first}'} to " + (
        last if high == LATER else f"{scale.singular} {last}"
    )


def starts(now: datetime, scale: Scale) -> Sequence[str]:
    """Return when each period begins, as a date or as a time of day; nothing for the first and the last column."""
    form = "%H:%M" if scale is Scale.HOURS else "%m-%d"
    return ["", *((now + scale.length * period).strftime(form) for period in range(WEEKS)), ""]
