"""The clients of one site with their verdicts: columns beside the agent's columns, and counts kept by what changes.

Owns who is judged when. A row is judged when the agent says something of it, when an instant comes at which its verdict
can change (`tui.agenda`), and when something changes that all verdicts depend on: whether the agent answers, and its
CAs. Counts of severities, states and weeks are never counted anew; they follow the verdicts. A row's index here is its
index in the columns.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from backend.core.delta import FleetDelta, unix
from backend.core.facts import ClientFacts
from backend.core.fleet import FleetColumns
from backend.core.judging import Judge, Ruling, Rulings
from backend.core.packed import extended, put
from tui.agenda import Agenda

SLICE: Final = 1500  # clients judged without a pause: some five milliseconds
NO_END: Final = 0  # in `hours`: a client without a certificate
ENDED: Final = 1  # in `hours`: its certificate has ended
HOUR: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What verdicts depend on beside the columns: the agent's time, whether it answers, and when it last did."""

    now: datetime
    alive: bool
    heard_at: datetime


class Roll:
    """One snapshot of a site's clients and everything the list needs of them."""

    def __init__(self, rulings: Rulings, columns: FleetColumns | None = None) -> None:
        self.columns = FleetColumns() if columns is None else columns
        self.book = rulings
        self.rulings = array("B")
        self.ends = array("I")  # effective ends, 0: none
        self.hours = array("I")  # NO_END, ENDED, or the hour since 1970 in which the certificate ends
        self.changes_at = array("I")
        self.counts: Counter[int] = Counter()  # clients by ruling
        self.by_hour: Counter[int] = Counter()  # clients by `hours`
        self.judged = 0  # rows judged since birth
        self.agenda = Agenda()
        self._judge = Judge(self.columns, rulings)
        self._behind: int | None = None  # rows from here on carry verdicts of other circumstances

    def __len__(self) -> int:
        return len(self.rulings)

    # What the agent says

    def take(self, delta: FleetDelta, moment: Moment) -> list[int]:
        """Apply one chunk of a change and judge what it touched; return the rows whose place may be another now."""
        for number in delta.removed:
            self._remove(number, moment)
        authorities, clusters = self.columns.authorities, self.columns.clusters
        self.columns.apply(replace(delta, removed=(), full=False))
        if self.columns.authorities != authorities or self.columns.clusters != clusters:
            self.renew()
        known = len(self)
        self.judge_new(moment)
        found = (self.columns.index_of(number) for number in dict.fromkeys(delta.clients.number))
        rows = [row for row in found if row is not None]
        self.judge_rows([row for row in rows if row < known], moment)
        return rows

    def renew(self) -> None:
        """Note that every verdict depends on something that has changed."""
        self._judge = Judge(self.columns, self.book)
        self._behind = 0 if len(self) else None

    def _remove(self, number: int, moment: Moment) -> None:
        row = self.columns.index_of(number)
        if row is None:
            return
        last = len(self) - 1
        self._uncount(row)
        for column in (self.rulings, self.ends, self.hours, self.changes_at):
            column[row] = column[last]
            column.pop()
        self.columns.remove(number)
        if row != last:
            self.agenda.put(row, self.changes_at[row])
            self.judge_rows([row], moment)

    # Judgement

    def ruling(self, row: int) -> Ruling:
        """Return a row's verdict."""
        return self.book.every[self.rulings[row]]

    def facts(self, row: int, moment: Moment) -> ClientFacts:
        """Return what a client is judged by."""
        return self.columns.facts(row, now=moment.now, agent_alive=moment.alive, agent_now=moment.heard_at)

    @property
    def is_behind(self) -> bool:
        """Tell whether rows wait to be judged under new circumstances."""
        return self._behind is not None or len(self) < len(self.columns)

    def catch_up(self, moment: Moment, limit: int = SLICE) -> list[int]:
        """Judge some of the rows that wait; return those whose verdict is another now."""
        if len(self) < len(self.columns):
            return self.judge_new(moment, limit)
        begin = self._behind or 0
        end = min(begin + limit, len(self))
        changed = self.judge_rows(range(begin, end), moment)
        self._behind = end if end < len(self) else None
        return changed

    def tick(self, moment: Moment, limit: int = SLICE) -> list[int]:
        """Judge the rows whose instant has come; return those whose verdict is another now."""
        due = self.agenda.due(unix(moment.now), self.changes_at, limit)
        return self.judge_rows(due, moment) if due else []

    def has_due(self, moment: Moment) -> bool:
        """Tell whether rows are left whose instant has come."""
        return self.agenda.has_due(unix(moment.now))

    def judge_new(self, moment: Moment, limit: int | None = None) -> list[int]:
        """Judge rows that have no verdict yet."""
        begin = len(self)
        end = len(self.columns) if limit is None else min(begin + limit, len(self.columns))
        if begin == end:
            return []
        rows = range(begin, end)
        found = self._judge.judge(rows, moment.now, agent_alive=moment.alive, agent_now=moment.heard_at)
        self.judged += len(rows)
        hours = _hours(found.ends, unix(moment.now))
        self.rulings = extended(self.rulings, found.rulings)
        self.ends = extended(self.ends, found.ends)
        self.hours = extended(self.hours, hours)
        self.changes_at = extended(self.changes_at, found.changes_at)
        self.counts.update(found.rulings)
        self.by_hour.update(hours)
        self.agenda.put_all(rows, found.changes_at)
        return list(rows)

    def judge_rows(self, rows: Sequence[int], moment: Moment) -> list[int]:
        """Judge known rows anew; return those whose verdict or end is another now."""
        found = self._judge.judge(rows, moment.now, agent_alive=moment.alive, agent_now=moment.heard_at)
        self.judged += len(rows)
        hours = _hours(found.ends, unix(moment.now))
        changed = []
        for row, ruling, end, hour in zip(rows, found.rulings, found.ends, hours, strict=True):
            if self.rulings[row] != ruling:
                self.counts[self.rulings[row]] -= 1
                self.counts[ruling] += 1
                changed.append(row)
            elif self.ends[row] != end:
                changed.append(row)
            if self.hours[row] != hour:
                self._uncount_hour(self.hours[row])
                self.by_hour[hour] += 1
        self.rulings = put(self.rulings, rows, found.rulings)
        self.ends = put(self.ends, rows, found.ends)
        self.hours = put(self.hours, rows, hours)
        for row, at in zip(rows, found.changes_at, strict=True):
            if self.changes_at[row] != at:
                self.agenda.put(row, at)
        self.changes_at = put(self.changes_at, rows, found.changes_at)
        return changed

    def _uncount(self, row: int) -> None:
        self.counts[self.rulings[row]] -= 1
        self._uncount_hour(self.hours[row])

    def _uncount_hour(self, hour: int) -> None:
        self.by_hour[hour] -= 1
        if not self.by_hour[hour]:
            del self.by_hour[hour]


def _hours(ends: Iterable[int], at: int) -> list[int]:
    return [(ENDED if end < at else end // HOUR) if end else NO_END for end in ends]
