"""The outbox of notices: owed in the transaction that made them, removed when their sink has taken them.

At most one notice is owed to a sink about an entity: a newer one takes the place of the older, and two that cancel out
leave none, so a sink that was away for a week gets the present and no flood. One that was tried may have arrived, so it
is never cancelled, only followed. Every notice has an id that stays the same from try to try: a receiver that sees it
twice, after a crash between its answer and our commit, can drop it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from backend.core.alerts import Alert, AlertEvent, event_for
from backend.core.facts import Severity
from backend.core.inert import inert
from backend.core.model import Outcome
from backend.service import audit
from backend.service.alert_file import Sink
from backend.service.world import World
from backend.store.alert_records import NoticeRow, SinkRow
from backend.store.port import Transaction

BATCH: Final = 100  # notices in one request: some 50 kB
FIRST_WAIT: Final = timedelta(seconds=10)
LONGEST_WAIT: Final = timedelta(minutes=15)
_ERROR: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What a sink is to be sent now: notices, or a sign of life when there are none."""

    notices: tuple[NoticeRow, ...]


def settle_sinks(tx: Transaction, world: World, sinks: Sequence[Sink]) -> None:
    """Bring the rows in line with the configuration, at the agent's start.

    A sink that is no more is owed nothing; a new one is owed a notice of every alert that others know of.
    """
    now = world.clock.now()
    wanted = {sink.name for sink in sinks}
    known = {row.name for row in tx.sinks.all()}
    for name in known - wanted:
        tx.sinks.delete(name)
        tx.notices.drop_sink(name)
    for sink in sinks:
        if sink.name in known:
            continue
        tx.sinks.put(SinkRow(name=sink.name))
        for alert in tx.alerts.all():
            if alert.told is not None:
                owe(tx, [sink], alert, None, alert.told, now)


def owe(
    tx: Transaction,
    sinks: Sequence[Sink],
    alert: Alert | None,
    before: Severity | None,
    after: Severity | None,
    now: datetime,
) -> None:
    """Owe each sink whatever the change from `before` to `after` is to it."""
    if alert is None:
        return
    for sink in sinks:
        if alert.entity == sink_entity(sink.name):
            continue  # that it does not answer is for the others to hear
        waiting = tx.notices.find(sink.name, alert.entity)
        started = before if waiting is None else waiting.before
        event = event_for(sink.least, started, after)
        if waiting is not None:
            tx.notices.drop([waiting.id])
            if event is None and waiting.attempts:
                event = AlertEvent.CLEARED  # it may have been heard of
            elif event is AlertEvent.REPEATED and not waiting.attempts and waiting.event is not AlertEvent.REPEATED:
                event = None  # there and back again, and nobody knew
        if event is not None:
            tx.notices.add(_notice(sink, alert, event, started, after, now))


def owe_test(tx: Transaction, sink: Sink, actor: str, now: datetime) -> None:
    """Owe a test notice, and end the wait after earlier failures."""
    waiting = tx.notices.find(sink.name, "test")
    if waiting is not None:
        tx.notices.drop([waiting.id])
    alert = Alert(
        entity="test",
        name="test",
        cluster="",
        severity=Severity.INFO,
        state="TEST",
        summary=f"{actor} sent this to see that notices arrive; nothing is wrong.",
        next_step="",
        raised_at=now,
        since_at=now,
    )
    tx.notices.add(_notice(sink, alert, AlertEvent.TEST, None, None, now))
    tx.sinks.put(replace(tx.sinks.find(sink.name) or SinkRow(name=sink.name), next_at=None))


def take(tx: Transaction, world: World, sink: Sink, *, is_well: bool) -> Parcel | None:
    """Return what to send to a sink now, with the try already counted; None: nothing is due.

    `is_well`: the agent's own work goes on, so that a sign of life would be true.
    """
    now = world.clock.now()
    row = tx.sinks.find(sink.name) or SinkRow(name=sink.name)
    if row.next_at is not None and timedelta(0) < row.next_at - now <= LONGEST_WAIT:
        return None  # a wait longer than the longest comes from a clock that went back
    owed = tx.notices.owed(sink.name, BATCH)
    if owed:
        tx.notices.mark_tried(notice.id for notice in owed)
        return Parcel(notices=tuple(owed))
    return Parcel(notices=()) if is_well and _is_alive_due(row, sink, now) else None


def mark_sent(tx: Transaction, world: World, sink: Sink, parcel: Parcel) -> None:
    """The sink has taken it."""
    now = world.clock.now()
    row = tx.sinks.find(sink.name) or SinkRow(name=sink.name)
    tx.notices.drop(notice.id for notice in parcel.notices)
    if row.failing_since_at is not None:
        _record(tx, world, sink, Outcome.DONE, {"tries": str(row.attempts), "since": row.failing_since_at.isoformat()})
    tx.sinks.put(
        replace(
            row,
            attempts=0,
            deliveries=row.deliveries + len(parcel.notices),
            next_at=None,
            failing_since_at=None,
            last_error="",
            tried_at=now,
            sent_at=now,
            alive_at=row.alive_at if parcel.notices else now,
        )
    )


def mark_failed(tx: Transaction, world: World, sink: Sink, why: str) -> None:
    """The sink did not take it: wait, longer each time, and try again for as long as it takes."""
    now = world.clock.now()
    row = tx.sinks.find(sink.name) or SinkRow(name=sink.name)
    wait = min(FIRST_WAIT * 2 ** min(row.attempts, 16), LONGEST_WAIT)
    if row.failing_since_at is None:  # one link in the audit chain for its beginning, one for its end
        _record(tx, world, sink, Outcome.FAILED, {"why": why})
    tx.sinks.put(
        replace(
            row,
            attempts=row.attempts + 1,
            failures=row.failures + 1,
            next_at=now + wait,
            failing_since_at=row.failing_since_at or now,
            last_error=inert(why, _ERROR),
            tried_at=now,
        )
    )


def sink_entity(name: str) -> str:
    """The entity of a sink that does not answer."""
    return f"sink:{name}"


def _is_alive_due(row: SinkRow, sink: Sink, now: datetime) -> bool:
    if not sink.alive_every:
        return False
    return row.alive_at is None or not timedelta(0) <= now - row.alive_at < sink.alive_every


def _notice(
    sink: Sink, alert: Alert, event: AlertEvent, before: Severity | None, after: Severity | None, now: datetime
) -> NoticeRow:
    is_over = event is AlertEvent.CLEARED
    return NoticeRow(
        id=str(uuid.uuid4()),
        sink=sink.name,
        entity=alert.entity,
        name=alert.name,
        cluster=alert.cluster,
        event=event,
        before=before,
        after=after,
        state="" if is_over else alert.state,
        summary=_relief(alert, after) if is_over else alert.summary,
        next_step="" if is_over else alert.next_step,
        since_at=now if is_over else alert.since_at,
        created_at=now,
    )


def _relief(alert: Alert, after: Severity | None) -> str:
    """What a sink reads that asked for worse than there is now."""
    if after is None:
        return f"{alert.name} is well again, or was removed."
    return f"{alert.name} is no worse than {after.name.lower()} now."


def _record(tx: Transaction, world: World, sink: Sink, outcome: Outcome, detail: dict[str, str]) -> None:
    now = world.clock.now()
    audit.record(
        tx,
        now,
        actor="agent",
        origin="agent",
        action="notify",
        subject=sink.name,
        outcome=outcome,
        detail={**detail, "to": sink.place},
    )
