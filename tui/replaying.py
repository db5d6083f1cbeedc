"""A recording in place of an agent: what it said comes again, at the pace and from the place that are chosen.

The screen does not know. Its clock is the recording's: it runs faster or slower, stands still, and jumps; the agent's
time follows it, so that every countdown is the one that was shown. Whatever would change something is refused here too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Final, NoReturn, TypeVar, cast

from backend.clock import Clock
from backend.core.errors import AgentError, NotFound
from backend.core.fleet import ClientColumns, FleetDelta
from backend.core.inert import inert
from tui.gateway import (
    AlertsView,
    ClientDetail,
    Connection,
    EventView,
    Gateway,
    OperationView,
    Unreachable,
)
from tui.plainvalues import NotAValue, from_json
from tui.rotating import RotationView
from tui.tape import Entry, Tape, TapeInvalid

T = TypeVar("T")

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
_AHEAD: Final = 3.0  # seconds: an answer was recorded a little after the change that led to its question
_STEP: Final = 0.5  # seconds of real time after which a wait looks again
_LEAST: Final = 0.01


class RecordedOnly(AgentError):
    """A recording was asked for something that only an agent can do."""

    reason: ClassVar[str] = "not_supported"


class ReplayClock:
    """The recording's time: seconds from its beginning, at `speed`, from 0 to `length`."""

    def __init__(self, real: Clock, length: float) -> None:
        self._real = real
        self.length = length
        self.speed = 1.0
        self.jumps = 0  # how often the place was chosen by hand
        self.paused = False
        self._from = 0.0
        self._since = real.monotonic()

    @property
    def real(self) -> Clock:
        """The clock of this computer, for what has nothing to do with the recording."""
        return self._real

    def now(self) -> datetime:
        """The wall clock of this computer, for names of files."""
        return self._real.now()

    def monotonic(self) -> float:
        """The place in the recording."""
        if self.paused:
            return self._from
        return min(self.length, self._from + (self._real.monotonic() - self._since) * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Wait until the recording is that much further, or somebody jumps."""
        await self.until(self.monotonic() + max(0.0, seconds))

    async def until(self, place: float) -> None:
        """Wait until the recording has come to a place, or somebody jumps."""
        jumps = self.jumps
        while self.monotonic() < place and self.jumps == jumps:
            left = (place - self.monotonic()) / self.speed
            stands = self.paused or self.is_over
            await self._real.sleep(_STEP if stands else min(_STEP, max(_LEAST, left)))

    @property
    def is_over(self) -> bool:
        """Tell whether the end is reached."""
        return self.monotonic() >= self.length

    def _anchor(self, place: float) -> None:
        self._from = min(self.length, max(0.0, place))
        self._since = self._real.monotonic()

    def pause(self, *, on: bool) -> None:
        """Stand still, or go on; going on at the end begins anew."""
        if not on and self.is_over:
            self.seek(0.0)
        self._anchor(self.monotonic())
        self.paused = on

    def seek(self, place: float) -> None:
        """Jump."""
        self._anchor(place)
        self.jumps += 1

    def change_speed(self, steps: int) -> None:
        """Go that many steps of `SPEEDS` faster, or slower."""
        self._anchor(self.monotonic())
        self.speed = SPEEDS[min(len(SPEEDS) - 1, max(0, SPEEDS.index(self.speed) + steps))]


def replay(tape: Tape, real: Clock) -> tuple[list[Gateway], ReplayClock]:
    """Return the gateways that play a recording, one a site, and its clock, which the dashboard has to use.

    Raises:
        TapeInvalid: there is nothing on it to show.
    """
    clock = ReplayClock(real, tape.length)
    sites = tape.head.get("sites")
    places = [ReplayGateway(tape, clock, place) for place in range(len(sites) if isinstance(sites, list) else 1)]
    if not any(one.has_snapshot for one in places):
        raise TapeInvalid(f"{tape.path} has no snapshot of a fleet on it; the recording ended before one came")
    return [cast(Gateway, one) for one in places], clock


class ReplayGateway:
    """`tui.gateway.Gateway` over a recording; what an agent alone can answer raises `RecordedOnly`."""

    def __init__(self, tape: Tape, clock: ReplayClock, site: int = 0) -> None:
        self._tape = tape
        self._site = site
        self._clock = clock
        entries = [entry for entry in tape.entries if entry.site == site]
        self._stream = [entry for entry in entries if entry.kind in {"fleet", "lost"}]
        self._stream_at = [entry.at for entry in self._stream]
        self._next = 0
        self._jumps = -1  # the first look begins like a jump: with a whole snapshot
        self._answers: dict[tuple[str, str], list[Entry]] = {}
        for entry in entries:
            self._answers.setdefault((entry.kind, entry.key), []).append(entry)
        self._snapshots = self._whole_snapshots()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        async def refuse(*_: Any, **__: Any) -> NoReturn:
            raise RecordedOnly(f"{name.replace('_', ' ')}: this is a recording; there is no agent that could do it")

        return refuse

    @property
    def connection(self) -> Connection:
        """Where the recording was made."""
        sites = self._tape.head.get("sites")
        known = sites[self._site] if isinstance(sites, list) else {}
        where = known if isinstance(known, dict) else {}
        return Connection(
            context=inert(str(where.get("context", ""))),
            address=inert(str(where.get("address", ""))),
            identity="",
            certificate_not_after=None,
            token_expires_at=None,
            tag=inert(str(self._tape.head.get("site_tag", ""))),
        )

    @property
    def has_snapshot(self) -> bool:
        """Tell whether this site was ever seen whole."""
        return bool(self._snapshots)

    def _whole_snapshots(self) -> list[int]:
        """The places in the stream where a snapshot begins that comes to its end."""
        found: list[int] = []
        begun: int | None = None
        for place, entry in enumerate(self._stream):
            chunk = entry.value if entry.kind == "fleet" and isinstance(entry.value, dict) else {}
            if chunk.get("full") is True:
                begun = place
            if begun is not None and chunk.get("last") is True:
                found.append(begun)
                begun = None
        return found

    def _value(self, kind: type[T], entry: Entry) -> T:
        try:
            return from_json(kind, entry.value)
        except NotAValue as error:
            raise TapeInvalid(f"{self._tape.path}, {entry.at:.1f} s: {error}") from None

    # The fleet

    async def watch(self, since: int) -> AsyncIterator[FleetDelta]:
        """Yield what the agent said, each at its time; after a jump, all that leads to the new place."""
        if not self._snapshots:
            await self._tell_the_loss()
        while True:
            if self._jumps != self._clock.jumps or not since:
                since = 1
                for delta in self._rebuild():
                    yield delta
            if self._next >= len(self._stream):
                await self._clock.until(self._clock.length + 1)
                continue
            entry = self._stream[self._next]
            if entry.at > self._clock.monotonic():
                await self._clock.until(entry.at)
                continue
            self._next += 1
            if entry.kind == "lost":
                raise Unreachable(inert(str(entry.value), 1000))
            yield self._value(FleetDelta, entry)

    async def _tell_the_loss(self) -> NoReturn:
        """What a site that never answered said when it was tried."""
        await self._clock.until(self._stream_at[0] if self._stream else 0.0)
        said = [str(entry.value) for entry in self._stream if entry.kind == "lost"]
        raise Unreachable(inert(said[0], 1000) if said else "this agent had not answered while it was recorded")

    def _rebuild(self) -> list[FleetDelta]:
        """Go to the clock's place: everything since the last whole snapshot before it, whose first chunk is full."""
        self._jumps = self._clock.jumps
        now = self._clock.monotonic()
        end = bisect_right(self._stream_at, now)
        begin = max((place for place in self._snapshots if place < end), default=self._snapshots[0])
        end = max(end, begin + 1)
        is_lost = self._stream[end - 1].kind == "lost"
        self._next = end - is_lost  # the loss itself is told when the stream goes on from here
        entries = [entry for entry in self._stream[begin:end] if entry.kind == "fleet"]
        deltas = [self._value(FleetDelta, entry) for entry in entries]
        newest = deltas[-1]
        if newest.last and newest.agent_time and not is_lost:  # a sign of life, for the time that the agent has here
            since = max(0, int(now - entries[-1].at))
            nothing = {"names": (), "clients": ClientColumns(), "removed": (), "authorities": (), "clusters": ()}
            deltas.append(replace(newest, full=False, agent_time=newest.agent_time + since, **nothing))  # type: ignore[arg-type]
        return deltas

    # Answers

    def _latest(self, kind: type[T], word: str, key: str = "") -> T | None:
        entries = self._answers.get((word, key), [])
        known = bisect_right([entry.at for entry in entries], self._clock.monotonic() + _AHEAD)
        return self._value(kind, entries[known - 1]) if known else None

    async def describe(self, name: str) -> ClientDetail:
        """Return a client's page as it was when it was last opened."""
        found = self._latest(ClientDetail, "describe", name)
        if found is None:
            raise NotFound("the recording does not have this page: nobody had opened it by then")
        return found

    async def operation(self, operation_id: str) -> OperationView:
        """Return one operation."""
        found = self._latest(OperationView, "operation", operation_id)
        if found is None:
            raise NotFound("the recording does not have this operation")
        return found

    async def operations(self) -> Sequence[OperationView]:
        """Return the operations that were known, newest first."""
        keys = [key for kind, key in self._answers if kind == "operation"]
        found = [one for key in keys if (one := self._latest(OperationView, "operation", key)) is not None]
        return sorted(found, key=lambda one: (one.started_at, one.id), reverse=True)

    async def rotation(self) -> RotationView | None:
        """Return the CA rotation."""
        return self._latest(RotationView, "rotation")

    async def events(self, limit: int = 200) -> Sequence[EventView]:
        """Return the newest audit events that were known."""
        until = self._clock.monotonic() + _AHEAD
        lists = [entry for entry in self._answers.get(("events", ""), []) if entry.at <= until]
        values = [replace(entry, value=one) for entry in lists if isinstance(entry.value, list) for one in entry.value]
        events = [self._value(EventView, value) for value in values]
        return sorted(events, key=lambda event: event.index, reverse=True)[:limit]

    async def alerts(self) -> AlertsView:
        """Return the alerts."""
        return self._latest(AlertsView, "alerts") or AlertsView()

    async def close(self) -> None:
        """Nothing is open."""
