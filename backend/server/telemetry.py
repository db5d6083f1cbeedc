"""A running agent's metrics, put together: counters, gauges, the fleet's collector and their listener."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, disable_created_metrics

from backend.clock import Clock
from backend.server.alerting import Alerting
from backend.server.counters import Counters
from backend.server.metrics import AgentGauges, FleetCollector
from backend.server.scrape import Scrapes
from backend.server.survey import Survey
from backend.service.ticks import TickReport
from backend.store.port import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a round of the agent's work left behind; `ended` are (action, result, clients by result)."""

    running: frozenset[str]
    ended: tuple[tuple[str, str, Tally[str]], ...]


class Telemetry:
    """Metrics of one agent, served from construction to `close`."""

    def __init__(
        self, clock: Clock, survey: Survey, alerting: Alerting, waiting: Callable[[], int], *, host: str, port: int
    ) -> None:
        """Bind the listener and serve it.

        Raises:
            PortUnavailable: the address cannot be bound.
        """
        # When a label first occurred doubles the lines of counters and is asked for by nobody.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = CollectorRegistry(auto_describe=False)
        self._clock = clock
        self._running: frozenset[str] = frozenset()
        self.counters = Counters(registry, clock.monotonic)
        self._gauges = AgentGauges(waiting, alerting)
        self._gauges.started_at = int(clock.now().timestamp())
        registry.register(FleetCollector(survey, asyncio.get_running_loop(), self._gauges, clock.monotonic))
        self._scrapes = Scrapes(registry, host, port)
        self.url = self._scrapes.url

    def look_round(self, tx: Transaction, report: TickReport) -> Round:
        """Read which operations have ended since the last round, after a tick."""
        running = frozenset(row.id for row in tx.operations.running())
        gone = (self._running | set(report.operations_changed)) - running
        ended = []
        for operation_id in sorted(gone):
            row = tx.operations.get(operation_id)
            states = Tally(target.state for target in tx.operations.targets(operation_id))
            ended.append((row.action, row.state, states))
        return Round(running=running, ended=tuple(ended))

    def ticked(self, report: TickReport, seen: Round) -> None:
        """Count a round whose changes are committed."""
        self._running = seen.running
        self._gauges.ticked_at = int(self._clock.now().timestamp())
        self.counters.ticked(part for part, _ in report.errors)
        for action, result, targets in seen.ended:
            self.counters.ended(action, result, targets)

    def close(self) -> None:
        """Take no more scrapes."""
        self._scrapes.close()
