"""The fleet as one screen sees it: which clients, in which order, marked or not, and how bad each is now.

Owns the list's index, the filter, the marks and the counts, over `backend.core.fleet`'s columns. A client is named by
its number everywhere, so marks and cursor survive filter, order and reconnection. It reads no clock: `monotonic` is an
argument, and `now` is the agent's time reckoned by `tui.agent_clock`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from backend.core.evidence import Evidence
from backend.core.facts import Assessment, ClientFacts, Severity, State
from backend.core.filter import Filter
from backend.core.fleet import ClientRow, FleetColumns, FleetDelta
from backend.core.fleetrecord import client_record
from backend.core.health import assess
from backend.core.model import AuthorityStatus
from backend.core.planrules import SINGLE_ACTIONS, ActionKind, Verdict, judge_alone
from backend.core.stranding import Stranding, stranding
from backend.core.subjects import SiteView, find_issuing, make_site
from tui.agent_clock import AgentClock
from tui.sorting import WORST_FIRST, Order, SortKey

WEEKS: Final = 13
LATE: Final = -1  # the ribbon's place for what has ended
_WEEK_SECONDS: Final = 7 * 86_400
_SLICE: Final = 250  # clients judged anew per second beyond the visible ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client as the list and the drawer need it."""

    row: ClientRow
    judged: Assessment
    marked: bool
    held: bool = False  # an action on it is confirmed and has not left yet


class FleetModel:
    """All clients of the site, the list's index over them, and what the operator chose to see."""

    def __init__(self, monotonic: float) -> None:
        self.columns = FleetColumns()
        self.agent = AgentClock(monotonic)
        self.marks: set[int] = set()
        self.held: frozenset[int] = frozenset()  # see tui.holding
        self.order: list[int] = []
        self.sort: Order = WORST_FIRST
        self.filter: Filter | None = None
        self.filter_text = ""
        self.week: int | None = None
        self.complete = False  # a whole snapshot has arrived
        self.needs_reorder = False
        self.revision = 0  # grows whenever a judgement or the index changes
        self._judged: dict[int, Assessment] = {}
        self._keys: dict[int, SortKey] = {}
        self._place: dict[int, int] = {}
        self._severities: Counter[Severity] = Counter()
        self._states: Counter[State] = Counter()
        self._numbers: list[int] = []
        self._next_slice = 0
        self._alive = False
        self.heard_at: datetime | None = None  # the agent's time in its last answer

    # What the agent says

    def apply(self, deltas: Sequence[FleetDelta], monotonic: float) -> frozenset[int]:
        """Take a complete answer of the agent; return the numbers of the clients that it touched."""
        touched: set[int] = set()
        for delta in deltas:
            touched.update(self.columns.apply(delta))
        if self.columns.agent_time is not None:
            self.heard_at = self.columns.agent_time
            self.agent.heard(self.columns.agent_time, monotonic)
        self.complete = self.complete or any(delta.last for delta in deltas)
        known = len(self._judged)
        gone = [number for number in touched if number in self._judged and self.columns.index_of(number) is None]
        for number in gone:
            self._forget(number)
        if self._alive:
            self._judge(touched, monotonic)
        else:
            self.judge_all(monotonic)
        if gone or len(self._judged) != known:
            self._numbers = list(self._judged)
            self.needs_reorder = True
        return frozenset(touched)

    def _forget(self, number: int) -> None:
        judged = self._judged.pop(number)
        self._severities[judged.severity] -= 1
        self._states[judged.state] -= 1
        self._keys.pop(number, None)
        self.marks.discard(number)

    # Judgement

    def judge_all(self, monotonic: float) -> None:
        """Judge every client anew: the agent came, went away or came back."""
        self._alive = self.agent.is_alive(monotonic)
        self._numbers = [self.columns.row(i).number for i in range(len(self.columns))]
        self._judge(self._numbers, monotonic)

    def tick(self, monotonic: float, visible: Iterable[int]) -> None:
        """Judge the visible clients and a slice of the others; everybody once in `len / 250` seconds."""
        if self.agent.is_alive(monotonic) is not self._alive:
            self.judge_all(monotonic)
            return
        numbers = self._numbers
        start = self._next_slice if self._next_slice < len(numbers) else 0
        self._next_slice = start + _SLICE
        shown = set(visible)
        self._judge([*shown, *(n for n in numbers[start : start + _SLICE] if n not in shown)], monotonic)

    def _judge(self, numbers: Iterable[int], monotonic: float) -> None:
        now = self.agent.now(monotonic)
        if now is None:
            return
        for number in numbers:
            index = self.columns.index_of(number)
            if index is None:
                continue
            judged = assess(self._facts(index, now), now)
            before = self._judged.get(number)
            self._judged[number] = judged
            key = self.sort.sort_key(self.columns.row(index), judged)
            if self._keys.get(number) != key:
                self._keys[number] = key
                self.needs_reorder = True
            if before is None or before.severity is not judged.severity or before.state is not judged.state:
                self._count(before, judged)

    def _facts(self, index: int, now: datetime) -> ClientFacts:
        return self.columns.facts(index, now=now, agent_alive=self._alive, agent_now=self.heard_at or now)

    def _count(self, before: Assessment | None, judged: Assessment) -> None:
        if before is not None:
            self._severities[before.severity] -= 1
            self._states[before.state] -= 1
        self._severities[judged.severity] += 1
        self._states[judged.state] += 1
        self.revision += 1
        self.needs_reorder = True

    # The list

    def reorder(self, monotonic: float) -> None:
        """Filter and sort anew."""
        now = self.agent.now(monotonic)
        self.needs_reorder = False
        numbers: Iterable[int] = self._judged if now is None else self._matching(now)
        self.order = sorted(numbers, key=self._keys.__getitem__)
        self._place = {number: place for place, number in enumerate(self.order)}
        self.revision += 1

    def _matching(self, now: datetime) -> list[int]:
        found = []
        for number, judged in self._judged.items():
            if self.week is not None and week_of(judged.effective_not_after, now) != self.week:
                continue
            if self.filter is not None and not self._matches(number, judged, now):
                continue
            found.append(number)
        return found

    def _matches(self, number: int, judged: Assessment, now: datetime) -> bool:
        index = self.columns.index_of(number)
        if self.filter is None or index is None:
            return index is not None
        row = self.columns.row(index)
        return self.filter.matches(row, self._facts(index, now), judged, number in self.marks, now)

    def listed(self, *, everything: bool = False) -> Iterator[tuple[int, int, Assessment]]:
        """Give number, place in the columns, and judgement of what the list shows, in its order; or of every client."""
        for number in self._judged if everything else self.order:
            index, judged = self.columns.index_of(number), self._judged.get(number)
            if index is not None and judged is not None:
                yield number, index, judged

    def choose_filter(self, text: str, parsed: Filter | None, monotonic: float) -> None:
        """Show only what `parsed` matches; None shows everything."""
        self.filter_text = text
        self.filter = parsed
        self.reorder(monotonic)

    def choose_sort(self, order: Order, monotonic: float) -> None:
        """Sort by another column."""
        self.sort = order
        for number, judged in self._judged.items():
            index = self.columns.index_of(number)
            if index is not None:
                self._keys[number] = order.sort_key(self.columns.row(index), judged)
        self.reorder(monotonic)

    def choose_week(self, week: int | None, monotonic: float) -> None:
        """Show only what ends in one week of the ribbon (`LATE`: what has ended); None shows every week."""
        self.week = week
        self.reorder(monotonic)

    def place_of(self, number: int) -> int | None:
        """Return where in the list a client stands, None when it is not in it."""
        return self._place.get(number)

    def find(self, number: int) -> Client | None:
        """Return a client by its number."""
        judged = self._judged.get(number)
        index = self.columns.index_of(number)
        if judged is None or index is None:
            return None
        return Client(row=self.columns.row(index), judged=judged, marked=number in self.marks, held=number in self.held)

    def find_named(self, name: str) -> Client | None:
        """Return a client by its name."""
        for number in self._judged:
            client = self.find(number)
            if client is not None and client.row.name == name:
                return client
        return None

    def verdicts(self, number: int, now: datetime) -> dict[ActionKind, Verdict]:
        """Return what core decides about each single action for one client: possible or refused, and why."""
        index, judged = self.columns.index_of(number), self._judged.get(number)
        if index is None or judged is None:
            return {}
        evidence = Evidence(self._facts(index, now), now)
        issuing = [a for a in self.columns.authorities if a.status is AuthorityStatus.ISSUING]
        can_issue = any(not authority.validity.is_expired(now) for authority in issuing) or not issuing
        return {action: judge_alone(action, evidence, judged, can_issue=can_issue) for action in SINGLE_ACTIONS}

    def record(self, number: int, now: datetime) -> dict[str, Any] | None:
        """Return one client as data, judged as it is shown; None when it is gone."""
        index, judged = self.columns.index_of(number), self._judged.get(number)
        if index is None or judged is None:
            return None
        return client_record(self.columns.row(index), self._facts(index, now), judged, now)

    # What is coming

    def site(self, now: datetime) -> SiteView:
        """Return every client with its present judgement and its forecast; costs about 15 us a client."""
        found = []
        for index, number in enumerate(self.columns.column("number")):
            judged = self._judged.get(number)
            if judged is not None:
                found.append((index, self._facts(index, now), judged))
        return make_site(self.columns, now, found)

    def stranding(self, number: int, now: datetime) -> Stranding | None:
        """Return from when on one client cannot recover by itself."""
        index = self.columns.index_of(number)
        if index is None:
            return None
        issuing = find_issuing(self.columns.authorities)
        not_after = None if issuing is None else issuing.validity.not_after
        return stranding(self._facts(index, now), now, issuing_not_after=not_after)

    # Totals

    @property
    def total(self) -> int:
        """How many clients the site has."""
        return len(self._judged)

    @property
    def marked(self) -> tuple[int, ...]:
        """The marked clients that exist, in the list's order, those outside the filter last."""
        last = len(self.order)
        return tuple(sorted(self.marks & self._judged.keys(), key=lambda n: (self._place.get(n, last), n)))

    def severity_count(self, severity: Severity) -> int:
        """Return how many clients are this bad; equals the number of such rows without a filter."""
        return self._severities[severity]

    def state_count(self, state: State) -> int:
        """Return how many clients are in a state."""
        return self._states[state]

    def weeks(self, now: datetime) -> list[int]:
        """Return how many certificates have ended, then how many end in each of the next thirteen weeks."""
        counts = [0] * (WEEKS + 1)
        for judged in self._judged.values():
            week = week_of(judged.effective_not_after, now)
            if week is not None and week < WEEKS:
                counts[week + 1] += 1
        return counts


def week_of(end: datetime | None, now: datetime) -> int | None:
    """Return the week of the ribbon in which `end` lies: `LATE` once it has passed, 0 for the next seven days."""
    if end is None:
        return None
    left = (end - now).total_seconds()
    return LATE if left < 0 else int(left // _WEEK_SECONDS)
