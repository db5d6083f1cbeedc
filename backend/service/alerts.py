"""Alerts: what was found becomes what people are told; acknowledging, silencing and testing.

Finding and telling commit together: the alert remembers what its readers know, and each notice waits in the outbox
(`backend.service.outbox`) until its sink has taken it. So a restart neither repeats a notice nor loses one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from backend.core.alerts import CLUSTER, QUIET_CEILING, Alert, Decision, Finding, Silence, decide, silence_over
from backend.core.errors import InvalidInput, NotFound
from backend.core.facts import Severity
from backend.core.handover import CLEAR
from backend.core.inert import inert
from backend.service import audit, outbox
from backend.service.alert_file import Sink
from backend.service.caller import Caller
from backend.service.world import World
from backend.store.alert_records import SinkRow
from backend.store.port import Transaction

LONGEST: Final = timedelta(days=366)  # a silence without an end is a forgotten one
_REASON: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """Everything about alerts, for a reader; alerts are worst first. `owed` counts notices a sink has not taken."""

    alerts: Sequence[Alert]
    silences: Sequence[Silence]
    sinks: Sequence[SinkRow]
    owed: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of some alerts: each as it is now (None: it is over), and how many notices were due."""

    alerts: Mapping[str, Alert | None]
    told: int


def apply_changes(
    tx: Transaction, world: World, changes: Mapping[str, Finding | None], sinks: Sequence[Sink]
) -> Applied:
    """Decide about these entities by what is seen of each (None: it is well), and owe notices for what is news."""
    now = world.clock.now()
    silences = live_silences(tx, now)
    became: dict[str, Alert | None] = {}
    told = 0
    for entity, finding in changes.items():
        alert = tx.alerts.find(entity)
        silence = silence_over(silences, entity, "" if finding is None else finding.cluster)
        decision = decide(alert, finding, silence, now)
        _write(tx, decision, alert, entity, silence)
        became[entity] = decision.alert
        if decision.is_told:
            told += 1
            outbox.owe(tx, sinks, decision.alert or alert, decision.before, decision.after, now)
            if decision.alert is None and alert is not None:
                _record_end(tx, now, alert)
    return Applied(alerts=became, told=told)


def _record_end(tx: Transaction, now: datetime, alert: Alert) -> None:
    """Keep that a problem is over; the alert's row goes, and a hand-over note has to tell of it (US-31)."""
    worst = alert.severity if alert.told is None else min(alert.severity, alert.told)
    audit.record(
        tx,
        now,
        actor="agent",
        origin="agent",
        action=CLEAR,
        subject=alert.name,
        detail={
            "entity": alert.entity,
            "severity": worst.name.lower(),
            "state": alert.state,
            "raised_at": f"{alert.raised_at:%Y-%m-%dT%H:%M:%SZ}",
        },
    )


def known_alerts(tx: Transaction) -> dict[str, Alert]:
    """Return all alerts by entity."""
    return {alert.entity: alert for alert in tx.alerts.all()}


def live_silences(tx: Transaction, now: datetime) -> dict[str, Silence]:
    """Return the silences that are not over by subject, and forget the others."""
    live = {}
    for one in tx.silences.all():
        if now < one.until:
            live[one.subject] = one
        else:
            tx.silences.delete(one.subject)
    return live


def view(tx: Transaction) -> AlertView:
    """Return alerts, silences and sinks as they are."""
    alerts = sorted(tx.alerts.all(), key=lambda alert: (alert.severity, alert.since_at, alert.name))
    return AlertView(alerts=alerts, silences=tx.silences.all(), sinks=tx.sinks.all(), owed=tx.notices.count())


def acknowledge(tx: Transaction, world: World, caller: Caller, name: str, until: datetime, reason: str) -> Silence:
    """Be quiet about an alert until `until`; it covers the present severity and what is milder.

    Raises:
        NotFound: nothing of that name is alerting.
        InvalidInput: `until` has passed or is more than a year away, or several alerts have that name.
    """
    matching = [alert for alert in tx.alerts.all() if name in (alert.entity, alert.name)]
    if not matching:
        raise NotFound(f"there is no alert about {name!r}; see `mocdeck alerts list`")
    if len(matching) > 1:
        entities = ", ".join(alert.entity for alert in matching)
        raise InvalidInput(f"several alerts are named {name!r}; say which one: {entities}")
    alert = matching[0]
    return _put(tx, world, caller, alert.entity, alert.name, until, reason, ceiling=alert.severity, is_ack=True)


def silence(
    tx: Transaction, world: World, caller: Caller, name: str, until: datetime | None, reason: str, *, is_cluster: bool
) -> Silence | None:
    """Be quiet about a client or a cluster until `until`, as long as it is no worse than UNKNOWN; None ends a silence.

    A client that alerts already is covered up to its present severity.

    Raises:
        NotFound: there is no such client or cluster, or no silence to end.
        InvalidInput: `until` has passed or is more than a year away.
    """
    subject, shown = _subject(tx, name, is_cluster=is_cluster)
    if until is None:
        if tx.silences.find(subject) is None:
            raise NotFound(f"nothing is silenced about {shown!r}; see `mocdeck alerts list`")
        tx.silences.delete(subject)
        _record(tx, world, caller, "end_silence", shown, {"subject": subject})
        return None
    alert = tx.alerts.find(subject)
    ceiling = QUIET_CEILING if alert is None else min(QUIET_CEILING, alert.severity)
    return _put(tx, world, caller, subject, shown, until, reason, ceiling=ceiling, is_ack=False)


def test_sinks(tx: Transaction, world: World, caller: Caller, sink: str, sinks: Sequence[Sink]) -> tuple[str, ...]:
    """Owe a test notice to one sink ("": to all), to be tried at once; return their names.

    Raises:
        NotFound: there is no such sink, or there are none at all.
    """
    chosen = [one for one in sinks if sink in ("", one.name)]
    if not chosen:
        missing = f"there is no sink {sink!r}" if sink else "there are no sinks"
        raise NotFound(f"{missing}; name it in alerts.yaml in the agent's directory and restart the agent")
    now = world.clock.now()
    for one in chosen:
        outbox.owe_test(tx, one, caller.name, now)
    names = tuple(one.name for one in chosen)
    _record(tx, world, caller, "test_alerts", world.deployment, {"sinks": ", ".join(names)})
    return names


def _write(tx: Transaction, decision: Decision, before: Alert | None, entity: str, over: Silence | None) -> None:
    if decision.alert is None:
        tx.alerts.delete(entity)
    elif decision.alert != before:
        tx.alerts.put(decision.alert)
    if over is None or over.subject != entity:  # a cluster's silence stays for its other clients
        return
    if decision.broken or (decision.alert is None and over.is_acknowledgement):
        tx.silences.delete(entity)


def _subject(tx: Transaction, name: str, *, is_cluster: bool) -> tuple[str, str]:
    if is_cluster:
        if tx.clusters.find(name) is None:
            raise NotFound(f"there is no cluster {name!r}; see `mocdeck cluster list`")
        return CLUSTER + name, name
    for key in (name, *(alert.entity for alert in tx.alerts.all() if alert.name == name)):
        alert = tx.alerts.find(key)
        if alert is not None:
            return alert.entity, alert.name
    held = tx.silences.find(name)
    if held is not None:
        return held.subject, held.name
    return f"client:{tx.identities.get(name).number}", name


def _put(
    tx: Transaction,
    world: World,
    caller: Caller,
    subject: str,
    name: str,
    until: datetime,
    reason: str,
    *,
    ceiling: Severity,
    is_ack: bool,
) -> Silence:
    now = world.clock.now()
    if not now < until <= now + LONGEST:
        raise InvalidInput(f"a silence must end in the future and within a year, not at {until:%Y-%m-%d %H:%MZ}")
    made = Silence(
        subject=subject,
        name=name,
        is_acknowledgement=is_ack,
        until=until,
        ceiling=ceiling,
        actor=caller.name,
        reason=inert(reason, _REASON),
        made_at=now,
    )
    tx.silences.put(made)
    detail = {"subject": subject, "until": until.isoformat(), "covers": ceiling.name.lower(), "reason": made.reason}
    _record(tx, world, caller, "acknowledge_alert" if is_ack else "silence_alerts", name, detail)
    return made


def _record(
    tx: Transaction, world: World, caller: Caller, action: str, subject: str, detail: Mapping[str, str]
) -> None:
    now = world.clock.now()
    audit.record(tx, now, actor=caller.name, origin=caller.origin, action=action, subject=subject, detail=detail)
