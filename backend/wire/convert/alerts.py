"""Alerts, silences and sinks on the wire. A sink's URL and authorization never travel."""

from __future__ import annotations

from backend.core.alerts import Alert, Silence
from backend.core.facts import Severity
from backend.wire.convert.instants import unix
from backend.wire.mocdeck.v1 import alert_pb2


def severity_word(severity: Severity | None) -> str:
    """A severity as the wire has it; "" for None."""
    return "" if severity is None else severity.name.lower()


def alert_row(alert: Alert) -> alert_pb2.AlertRow:
    """One alert as a message."""
    return alert_pb2.AlertRow(
        entity=alert.entity,
        name=alert.name,
        cluster=alert.cluster,
        severity=severity_word(alert.severity),
        state=alert.state,
        summary=alert.summary,
        next_step=alert.next_step,
        raised_at=unix(alert.raised_at),
        since_at=unix(alert.since_at),
        told=severity_word(alert.told),
        told_at=unix(alert.told_at),
        held=alert.held,
    )


def alert_silence(silence: Silence) -> alert_pb2.AlertSilence:
    """One silence as a message."""
    return alert_pb2.AlertSilence(
        subject=silence.subject,
        name=silence.name,
        acknowledgement=silence.is_acknowledgement,
        until=unix(silence.until),
        ceiling=severity_word(silence.ceiling),
        actor=silence.actor,
        reason=silence.reason,
        made_at=unix(silence.made_at),
    )
