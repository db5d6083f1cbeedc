"""What the whole fleet looks like now: read once, judged off the core's thread, shared by metrics and alerts.

The core is asked only for what changed since the last look, at most every five seconds, however many ask. Judging ten
thousand clients takes a moment of a worker thread and none of the core's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol, TypeVar

from backend.core.alerts import LEAST, Finding, Silence, expectation
from backend.core.delta import EPOCH, AuthorityInfo, FleetDelta, unix
from backend.core.facts import Assessment, NextAction, Overlay, Severity, State
from backend.core.fleet import FleetColumns
from backend.core.health import assess, assess_authority
from backend.core.model import AuthorityStatus
from backend.service import fleet
from backend.service.alerts import live_silences
from backend.service.clock_trust import is_doubted
from backend.service.world import World
from backend.store.alert_records import SinkRow
from backend.store.port import Transaction

FRESH_SECONDS: Final = 5.0
SINK_PATIENCE: Final = timedelta(minutes=5)
T = TypeVar("T")
_LIVE: Final = frozenset({AuthorityStatus.ISSUING, AuthorityStatus.TRUSTED})


class Submit(Protocol):
    """How work reaches the core."""

    def __call__(self, work: Callable[[Transaction], T]) -> Awaitable[T]:
        """Run it in a transaction and return its value."""
        ...


class ClientFigures(NamedTuple):
    """One client in numbers; instants in Unix seconds, 0 for none."""

    name: str
    kind: str
    cluster: str
    certificate_not_after: int
    effective_not_after: int
    token_expires_at: int
    heartbeat_at: int
    last_seen_at: int
    sends_heartbeats: bool
    skew: int
    state: State
    severity: Severity
    overlays: frozenset[Overlay]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The fleet at one instant. `doubt`: why the agent's clock is not believed, "" when it is."""

    now: datetime
    clients: Sequence[ClientFigures]
    findings: Sequence[Finding]
    authorities: Sequence[AuthorityInfo]
    bundle_epoch: int
    rotation_phase: str
    running: Sequence[tuple[str, int]]  # action of each running operation, and its targets that are not through
    sinks: Sequence[SinkRow]
    owed: dict[str, int]
    alerts: Mapping[tuple[Severity, bool], int]  # by severity and whether they are held back
    silences: Mapping[str, Silence]
    doubt: str
    held: str  # what holds the open CA rotation, "" when nothing does


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    running: Sequence[tuple[str, int]]
    sinks: Sequence[SinkRow]
    owed: dict[str, int]
    alerts: Mapping[tuple[Severity, bool], int]
    silences: Mapping[str, Silence]
    doubt: str
    held: str
    faults: Mapping[int, str]  # why the agent cannot rotate a client's token, by identity number


class Survey:
    """Keeps the fleet's columns up to date by what changed; lives on one event loop."""

    def __init__(self, world: World, submit: Submit) -> None:
        self._world = world
        self._submit = submit
        self._columns = world.mirror.columns
        self._at = fleet.Position.after(0)
        self._lock = asyncio.Lock()
        self._last: Snapshot | None = None
        self._taken = 0.0
        self.reads = 0  # of the core, ever

    async def look(self) -> Snapshot:
        """Return the present snapshot, at most five seconds old.

        Raises:
            AgentError: the core cannot be read.
        """
        async with self._lock:
            age = self._world.clock.monotonic() - self._taken
            if self._last is not None and age < FRESH_SECONDS:
                return self._last
            self.reads += 1
            await self._follow()
            await self._tell_of_ends()
            reading = await self._submit(self._read)
            self._last = await asyncio.to_thread(self._judge, reading)
            self._taken = self._world.clock.monotonic()
            return self._last

    async def read_columns(self, read: Callable[[FleetColumns, datetime], T]) -> T:
        """Read the columns as of the last look, on a worker's thread; nothing changes them meanwhile."""
        async with self._lock:
            return await asyncio.to_thread(read, self._columns, self._columns.agent_time or EPOCH)

    async def _follow(self) -> None:
        """Bring the columns up to date, a page at a time: calls get their turn in between."""
        is_complete = False
        while not is_complete:
            page, after = await self._submit(self._page)
            await asyncio.to_thread(self._world.mirror.take, page)
            self._at, is_complete = after, page.last

    async def _tell_of_ends(self) -> None:
        """Touch the clients whose certificate has ended since the last look: another may be theirs now.

        A certificate ends without anybody writing a row, so readers would hold what was true when theirs was read.
        """
        if self._last is None or self._columns.agent_time is None:
            return
        ended = await asyncio.to_thread(self._ended, unix(self._last.now), unix(self._columns.agent_time))
        if ended:
            await self._submit(lambda tx: tx.changes.touch_many(ended))
            await self._follow()

    def _ended(self, after: int, now: int) -> list[int]:
        numbers, ends = self._columns.column("number"), self._columns.column("certificate_not_after")
        return [numbers[index] for index, end in enumerate(ends) if after <= end < now]

    def _page(self, tx: Transaction) -> tuple[FleetDelta, fleet.Position]:
        return fleet.read_page(tx, self._world, self._at)

    def _read(self, tx: Transaction) -> _Reading:
        return _Reading(
            running=[
                (row.action, sum(target.ended_at is None for target in tx.operations.targets(row.id)))
                for row in tx.operations.running()
            ],
            sinks=tx.sinks.all(),
            owed=tx.notices.count(),
            alerts=tx.alerts.tally(),
            silences=live_silences(tx, self._world.clock.now()),
            doubt=is_doubted(tx),
            held=_held(tx),
            faults={fault.identity_number: fault.why for fault in tx.token_faults.all()},
        )

    def _judge(self, reading: _Reading) -> Snapshot:
        columns = self._columns
        now = columns.agent_time or EPOCH
        findings: list[Finding] = []
        clients = [self._client(index, now, findings, reading.faults) for index in range(len(columns))]
        findings += self._authority_findings(now)
        findings += [_sink_finding(row) for row in reading.sinks if _is_news(row, now)]
        findings += [_held_finding(reading.held)] if reading.held else []
        return Snapshot(
            now=now,
            clients=clients,
            findings=findings,
            authorities=columns.authorities,
            bundle_epoch=columns.bundle_epoch,
            rotation_phase=columns.rotation_phase,
            running=reading.running,
            sinks=reading.sinks,
            owed=reading.owed,
            alerts=reading.alerts,
            silences=reading.silences,
            doubt=reading.doubt,
            held=reading.held,
        )

    def _client(self, index: int, now: datetime, findings: list[Finding], faults: Mapping[int, str]) -> ClientFigures:
        columns = self._columns
        facts = columns.facts(index, now=now, agent_alive=True, agent_now=now)
        judged = assess(facts, now)
        cluster = columns.text("cluster", index)
        if judged.severity <= LEAST:
            step = judged.next_action
            number = columns.column("number")[index]
            findings.append(
                Finding(
                    entity=f"client:{number}",
                    name=facts.name,
                    cluster=cluster,
                    severity=judged.severity,
                    state=judged.state.value,
                    summary=_summary(judged, faults.get(number, "")),
                    next_step="" if step is NextAction.NONE else step.value,
                    expected=expectation(judged, columns.rotation_phase),
                    quiet_until=facts.planned_off_until if Overlay.PLANNED_OFF in judged.overlays else None,
                )
            )
        ends = judged.effective_not_after
        return ClientFigures(
            name=facts.name,
            kind=columns.text("kind", index),
            cluster=cluster,
            certificate_not_after=columns.column("certificate_not_after")[index],
            effective_not_after=0 if ends is None else int((ends - EPOCH).total_seconds()),
            token_expires_at=columns.column("token_expires_at")[index],
            heartbeat_at=columns.column("heartbeat_at")[index],
            last_seen_at=columns.column("last_seen_at")[index],
            sends_heartbeats=columns.column("heartbeat_interval")[index] > 0,
            skew=columns.column("skew")[index],
            state=judged.state,
            severity=judged.severity,
            overlays=judged.overlays,
        )

    def _authority_findings(self, now: datetime) -> list[Finding]:
        found = []
        for authority in self._columns.authorities:
            judged = assess_authority(authority.validity, now, longest_leaf=self._world.policy.client_lifetime)
            if authority.status in _LIVE and judged.severity <= LEAST:
                found.append(
                    Finding(
                        entity=f"ca:{authority.generation}",
                        name=f"CA generation {authority.generation}",
                        severity=judged.severity,
                        state=judged.state,
                        summary=judged.reason,
                        next_step="plan a CA rotation",
                    )
                )
        return found


def _summary(judged: Assessment, fault: str) -> str:
    """What is wrong, in a sentence; a rotation of the token that fails says why, because nobody was asked to do it."""
    said = judged.reasons[0] if judged.reasons else ""
    return f"{said} The agent cannot rotate its token: {fault}." if fault else said


def doubt_finding(why: str) -> Finding:
    """The agent's own clock is not believed; until it is, nothing else can be judged."""
    return Finding(
        entity="agent:clock",
        name="agent's clock",
        severity=Severity.CRITICAL,
        state="DOUBTED",
        summary=why,
        next_step="set the clock right, then restart the agent",
    )


def stuck_finding(silent_seconds: float) -> Finding:
    """The agent's own work has stopped."""
    return Finding(
        entity="agent:tick",
        name="agent's work",
        severity=Severity.CRITICAL,
        state="STUCK",
        summary=f"the agent has not got round to its own work for {silent_seconds:.0f} s; see its log",
        next_step="look at the agent's log and disk",
    )


def _held(tx: Transaction) -> str:
    rotation = tx.rotations.find_open()
    return f"in {rotation.phase}: {rotation.held}" if rotation is not None and rotation.held else ""


def _held_finding(why: str) -> Finding:
    """A CA rotation waits for a person; no client loses anything, and both CAs stay trusted for as long."""
    return Finding(
        entity="agent:rotation",
        name="CA rotation",
        severity=Severity.WARNING,
        state="HELD",
        summary=f"the CA rotation is held {why}",
        next_step="see `mocdeck rotate-ca status`, then advance or roll back",
    )


def _is_news(row: SinkRow, now: datetime) -> bool:
    return row.failing_since_at is not None and now - row.failing_since_at >= SINK_PATIENCE


def _sink_finding(row: SinkRow) -> Finding:
    return Finding(
        entity=f"sink:{row.name}",
        name=f"sink {row.name}",
        severity=Severity.WARNING,
        state="FAILING",
        summary=f"notifications to {row.name} do not arrive: {row.last_error}",
        next_step="see `mocdeck alerts list`, mend the sink, then `mocdeck alerts test`",
    )
