"""The hand-over note from what the dashboard has: the same note as `mocdeck handover`, made from the same core.

Pure: values of the gateway in, a note out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from backend.core.alerts import NOBODY, Alert, Silence
from backend.core.facts import Severity
from backend.core.handover import Handover, Job, handover
from backend.core.model import AuditEvent, Outcome
from backend.core.subjects import SiteView
from tui.gateway import AlertLine, AlertsView, EventView, OperationView, SilenceView

SHIFT: Final = timedelta(hours=8)  # backwards and forwards, as `mocdeck handover` does without options


def shift_note(
    site: SiteView, events: Iterable[EventView], found: AlertsView, operations: Iterable[OperationView]
) -> Handover:
    """Return the note of the last eight hours, with what falls due in the next eight."""
    return handover(
        site,
        since=site.now - SHIFT,
        until=site.now + SHIFT,
        events=[_event(one) for one in events],
        alerts=[_alert(one, nobody="" if found.sinks else NOBODY) for one in found.alerts],
        silences=[_silence(one, one.until) for one in found.silences if one.until is not None],
        jobs=[_job(one) for one in operations if one.ended_at is None],
    )


def _event(one: EventView) -> AuditEvent:
    return AuditEvent(
        index=one.index,
        at=one.at,
        actor=one.actor,
        origin=one.origin,
        action=one.action,
        subject=one.subject,
        outcome=Outcome(one.outcome),
        detail=dict(one.detail),
        previous="",  # the chain is verified by the agent, not by a note
        digest=one.digest,
    )


def _alert(one: AlertLine, *, nobody: str) -> Alert:
    return Alert(
        entity=one.entity,
        name=one.name,
        cluster=one.cluster,
        severity=_severity(one.severity),
        state=one.state,
        summary=one.summary,
        next_step=one.next_step,
        raised_at=one.raised_at,
        since_at=one.since_at,
        told=_severity(one.told) if one.told else None,
        told_at=one.told_at,
        held=one.held or nobody,
    )


def _silence(one: SilenceView, until: datetime) -> Silence:
    return Silence(
        subject=one.subject,
        name=one.name,
        is_acknowledgement=one.is_acknowledgement,
        until=until,
        ceiling=_severity(one.ceiling),
        actor=one.actor,
        reason=one.reason,
        made_at=until,  # the screen was not told when; the note does not say it either
    )


def _severity(word: str) -> Severity:
    return Severity.__members__.get(word.upper(), Severity.UNKNOWN)  # a word of a later agent is not dropped


def _job(one: OperationView) -> Job:
    return Job(
        id=one.id,
        action=one.action.value.replace("_", " "),
        state=one.state,
        actor=one.actor,
        reason=one.reason,
        started_at=one.started_at,
        total=one.total,
        done=one.done,
        failed=one.failed,
        running=one.running,
        waiting=one.waiting,
    )
