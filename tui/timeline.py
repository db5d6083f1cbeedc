"""When what ends: clients counted by the week, day or hour in which a credential ends, group by group.

Pure; one pass over what the list shows, in its order. The first column holds what has ended, the last one what ends
after the thirteen periods between them, so that a row's numbers add up to its total.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from backend.core.delta import instant
from backend.core.facts import NextAction
from backend.core.fleet import ClientFlag
from tui.columns import renews
from tui.model import WEEKS, FleetModel
from tui.sitefleet import SiteFleet

LATE: Final = 0
LATER: Final = WEEKS + 1
COLUMNS: Final = WEEKS + 2
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

    number: int
    group: str
    column: int
    step: NextAction


@dataclass(slots=True, kw_only=True)
class Grid:
    """The counts. `without` clients have no such end, so they stand nowhere in it."""

    sights: list[Sight] = field(default_factory=list)
    groups: dict[str, list[int]] = field(default_factory=dict)
    total: list[int] = field(default_factory=lambda: [0] * COLUMNS)
    without: int = 0

    @property
    def names(self) -> list[str]:
        """The rows, by name."""
        return sorted(self.groups)

    def selected(self, group: str, low: int, high: int) -> list[Sight]:
        """Return who ends in some columns (both ends included), of one row or of all (""), in the list's order."""
        return [sight for sight in self.sights if low <= sight.column <= high and group in {"", sight.group}]


def count_ends(model: FleetModel, now: datetime, what: What, scale: Scale, grouping: Grouping) -> Grid:
    """Count what the list shows."""
    grid = Grid()
    group_of, end_of = _group_of(grouping), _END_OF[what]
    for client, site, row in model.listed():
        end = end_of(site, row)
        if end is None:
            grid.without += 1
            continue
        column = column_of(end, now, scale)
        group = group_of(site, row)
        grid.sights.append(Sight(client, group, column, site.roll.ruling(row).next_action))
        grid.groups.setdefault(group, [0] * COLUMNS)[column] += 1
        grid.total[column] += 1
    return grid


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
