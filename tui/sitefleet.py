"""One site as the list knows it: its clients, its agent's clock, and the snapshot that is on its way.

Owns what an answer of the agent does. A snapshot is built beside the present one and takes its place when it is whole
and judged, so that the screen never shows half of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from backend.core.delta import FleetDelta
from backend.core.fleet import FleetColumns
from backend.core.judging import Rulings
from tui.agent_clock import AgentClock
from tui.marks import ClientId, client_id
from tui.roll import Moment, Roll


class SiteFleet:
    """The clients of one agent; `place` is its place among the sites."""

    def __init__(self, place: int, name: str, rulings: Rulings, monotonic: float) -> None:
        self.place = place
        self.agent = AgentClock(monotonic)
        self.roll = Roll(rulings)
        self.complete = False  # a whole snapshot has arrived, from the agent or from the cache
        self.is_cached = False  # what is shown comes from the cache; the agent has not answered yet
        self.generation = 0  # grows with every snapshot: rows of an earlier one are void
        self.heard_at: datetime | None = None  # the agent's time in its last answer
        self.was_alive = False
        self.followed_to: datetime | None = None  # the agent's second at which the verdicts were followed last
        self.last: Moment | None = None  # what the present verdicts are of
        self.shares_its_name = False  # another site has the same deployment
        self._name = name
        self.coming: Roll | None = None  # the snapshot that is on its way

    @property
    def name(self) -> str:
        """What the site is called: its deployment; its context until that is known, or where two share a name."""
        return self._name if self.shares_its_name else self.columns.deployment or self._name

    @property
    def columns(self) -> FleetColumns:
        """The agent's columns that are shown."""
        return self.roll.columns

    @property
    def reading(self) -> int:
        """How many clients of a snapshot have arrived that is not whole yet; 0 when none is on its way."""
        return 0 if self.coming is None else len(self.coming.columns)

    def moment(self, monotonic: float) -> Moment | None:
        """Return what verdicts depend on now; None while the agent's time is not known."""
        now = self.agent.now(monotonic)
        if now is None:
            return None
        return Moment(now=now, alive=self.agent.is_alive(monotonic), heard_at=self.heard_at or now)

    def observe(self, monotonic: float) -> Moment | None:
        """Return the present moment and remember it as the one that verdicts are of."""
        self.last = self.moment(monotonic) or self.last
        return self.last

    def id_at(self, row: int) -> ClientId:
        """Return the id of the client in a row."""
        return client_id(self.place, self.columns.column("number")[row])

    def hear(self, delta: FleetDelta, monotonic: float) -> None:
        """Take the agent's word for the time."""
        if delta.agent_time:
            self.heard_at = self._time_of(delta)
            self.agent.heard(self.heard_at, monotonic)

    def _time_of(self, delta: FleetDelta) -> datetime:
        return datetime.fromtimestamp(delta.agent_time, UTC)

    def begin(self, delta: FleetDelta) -> None:
        """Take the first chunk of a snapshot."""
        self.coming = Roll(self.roll.book, self.columns.successor())
        self.add(delta)

    def add(self, delta: FleetDelta) -> None:
        """Take another chunk of the snapshot that is on its way."""
        if self.coming is not None:
            self.coming.columns.apply(delta)

    @property
    def is_reading(self) -> bool:
        """Tell whether a snapshot is on its way."""
        return self.coming is not None

    def abandon(self) -> None:
        """Forget the part of a snapshot that has arrived; the rest will not."""
        self.coming = None

    def finish(self, monotonic: float, *, cached: bool = False) -> Iterator[None]:
        """Judge the snapshot that has arrived, pausing between slices, and show it in place of the present one."""
        coming = self.coming
        moment = self.observe(monotonic)
        if coming is None or moment is None:
            return
        coming.renew()
        while coming.is_behind:
            coming.catch_up(moment)
            yield
        self.coming = None
        self.roll = coming
        self.generation += 1
        self.complete = True
        self.is_cached = cached
        self.was_alive = moment.alive
