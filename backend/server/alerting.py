"""The agent's loops for alerts: look and decide, and for each sink deliver, retry and give signs of life.

The tick's own loop is watched from here, so that an agent which answers calls but no longer does its work is told of,
and its signs of life stop: the dead-man's switch at the other end then speaks up (domain.md, US-21.5).
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Final

from backend.core.alerts import Alert, Finding, pending_changes
from backend.server.survey import Submit, Survey, doubt_finding, stuck_finding
from backend.server.webhook import NotDelivered, Webhook, document
from backend.service import alerts, outbox
from backend.service.alert_file import Sink
from backend.service.outbox import Parcel
from backend.service.world import World
from backend.store.port import Transaction

log = logging.getLogger("mocdeck.alerts")
LOOK_SECONDS: Final = 10.0
_REST: Final = 50  # judging a large fleet takes a while: rest so many times as long, so that it costs 2 % of a core
_AT_ONCE: Final = 100  # changes a transaction: a fleet whose CA has ended must not stop the calls
STUCK_SECONDS: Final = 60.0  # so many rounds of the tick that a slow disk is no alarm


class Pulse:
    """When the agent's own work last went round; on the monotonic clock, which nobody sets."""

    def __init__(self, world: World) -> None:
        self._clock = world.clock
        self._beat = world.clock.monotonic()

    def beat(self) -> None:
        """It has gone round."""
        self._beat = self._clock.monotonic()

    @property
    def silent_seconds(self) -> float:
        """How long it has not."""
        return self._clock.monotonic() - self._beat

    @property
    def is_well(self) -> bool:
        """Tell whether it goes round."""
        return self.silent_seconds < STUCK_SECONDS


class Alerting:
    """Looks at the fleet every few seconds and owes notices for what is news."""

    def __init__(self, world: World, submit: Submit, survey: Survey, pulse: Pulse) -> None:
        self._world = world
        self._submit = submit
        self._survey = survey
        self._pulse = pulse
        self._known: dict[str, Alert] | None = None  # only this loop writes alerts
        self._next = world.clock.monotonic()
        self.evaluated_at = 0  # Unix seconds; 0: not yet

    async def look(self) -> None:
        """Look if it is time; called again and again.

        Raises:
            AgentError: the core cannot be reached.
        """
        begun = self._world.clock.monotonic()
        if begun < self._next:
            return
        await self.evaluate()
        ended = self._world.clock.monotonic()
        self._next = ended + max(LOOK_SECONDS, (ended - begun) * _REST)

    async def evaluate(self) -> int:
        """Look now; return how many notices became due.

        What stays as it is is settled here, from memory; the core gets the changes, some at a time.
        """
        snapshot = await self._survey.look()
        known = self._known if self._known is not None else await self._submit(alerts.known_alerts)
        self._known = None  # read anew, should what follows fail
        findings: list[Finding] = [] if self._pulse.is_well else [stuck_finding(self._pulse.silent_seconds)]
        if snapshot.doubt:  # every date would be judged by a clock that is not believed
            findings.append(doubt_finding(snapshot.doubt))
        else:
            findings += snapshot.findings
        now, is_complete = self._world.clock.now(), not snapshot.doubt
        changes = await asyncio.to_thread(
            pending_changes, known, findings, snapshot.silences, now, is_complete=is_complete
        )
        told = await self._apply(known, list(changes.items()))
        self._known = known
        self.evaluated_at = int(now.timestamp())
        if told:
            log.info("alerts", extra={"fields": {"notices": told}})
        return told

    async def _apply(self, known: dict[str, Alert], changes: list[tuple[str, Finding | None]]) -> int:
        told = 0
        for start in range(0, len(changes), _AT_ONCE):
            part = dict(changes[start : start + _AT_ONCE])
            applied = await self._submit(partial(self._apply_part, changes=part))
            told += applied.told
            for entity, alert in applied.alerts.items():
                if alert is None:
                    known.pop(entity, None)
                else:
                    known[entity] = alert
        return told

    def _apply_part(self, tx: Transaction, changes: dict[str, Finding | None]) -> alerts.Applied:
        return alerts.apply_changes(tx, self._world, changes, self._world.sinks)


class Delivery:
    """Brings one sink what it is owed."""

    def __init__(self, world: World, submit: Submit, sink: Sink, pulse: Pulse) -> None:
        self._world = world
        self._submit = submit
        self._sink = sink
        self._pulse = pulse
        self._webhook = Webhook(sink)

    async def deliver(self) -> None:
        """Send whatever is due now, one request after another; a failure is kept, and ends the round.

        Raises:
            AgentError: the core cannot be reached.
        """
        while (parcel := await self._submit(self._take)) is not None:
            if not await self._send(parcel):
                return

    def _take(self, tx: Transaction) -> Parcel | None:
        return outbox.take(tx, self._world, self._sink, is_well=self._pulse.is_well)

    async def _send(self, parcel: Parcel) -> bool:
        body = document(self._world, self._sink, parcel, self._world.clock.now())
        try:
            await self._webhook.post(body)
        except NotDelivered as failure:
            why = str(failure)
            await self._submit(lambda tx: outbox.mark_failed(tx, self._world, self._sink, why))
            log.warning("notice not delivered", extra={"fields": {"sink": self._sink.name, "why": why}})
            return False
        await self._submit(lambda tx: outbox.mark_sent(tx, self._world, self._sink, parcel))
        return True
