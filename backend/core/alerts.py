"""When somebody is told: one notice a severity change, a repeat a day at most, one clear, and quiet where it is wanted.

Pure: no clock, no store, no network. An alert belongs to one entity (a client, a CA, the agent itself) and remembers
what its readers were last told; a silence has an end and a ceiling, and whatever is worse than the ceiling breaks it
(domain.md, US-21 and L4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from backend.core.facts import Assessment, Overlay, Severity, State

REPEAT: Final = timedelta(days=1)  # US-21.1: repeats at most daily
SETTLE: Final = timedelta(minutes=2)  # a missed heartbeat or an agent's restart is not news yet
HOLD: Final = timedelta(minutes=30)  # what an operation or a rotation explains is explained for no longer than this
NOBODY: Final = "nobody: no sinks"  # who knows of an alert where alerts.yaml names no receiver
LEAST: Final = Severity.WARNING  # INFO and OK wake nobody
QUIET_CEILING: Final = Severity.UNKNOWN  # what being switched off explains; CRITICAL and EXPIRED it does not

_ROTATING: Final = frozenset({"fenced", "cutover", "re-enrolling"})  # phases in which clients are out by design
_EXPLAINED_BY_ROTATION: Final = frozenset({State.TRUST_BROKEN})
_EXPLAINED_BY_OPERATION: Final = frozenset({State.EMPTY, State.NEVER_SIGNED_IN})


class AlertEvent(Enum):
    """What a notice says has happened."""

    RAISED = "raised"
    WORSE = "worse"
    BETTER = "better"
    REPEATED = "repeated"
    CLEARED = "cleared"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is at least a warning now. `expected` says which work in progress explains it; "": none does.

    `quiet_until` is the planned-off end of a client or its cluster.
    """

    entity: str  # "client:7", "ca:1", "agent:clock"
    name: str
    cluster: str = ""
    severity: Severity
    state: str
    summary: str
    next_step: str = ""
    expected: str = ""
    quiet_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An entity that is not well, and what its readers know. `told` None: nobody was told yet; `held` says why not."""

    entity: str
    name: str
    cluster: str
    severity: Severity
    state: str
    summary: str
    next_step: str
    raised_at: datetime
    since_at: datetime  # of the present severity
    told: Severity | None = None
    told_at: datetime | None = None
    held: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Quiet for one entity, or for a cluster ("cluster:NAME"), until an instant and up to a severity.

    An acknowledgement ends with its alert; any other silence lasts until its end, or until worse breaks it.
    """

    subject: str
    name: str
    is_acknowledgement: bool
    until: datetime
    ceiling: Severity
    actor: str
    reason: str
    made_at: datetime

    def covers(self, severity: Severity, now: datetime) -> bool:
        """Tell whether it holds back a notice of that severity; severities ascend from the worst."""
        return now < self.until and severity >= self.ceiling


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of an alert. `before` and `after` are what readers knew and know now, None for "it is well".

    `is_told` says that a notice is due; `broken` that the silence met worse than it covers, and is over.
    """

    alert: Alert | None
    is_told: bool = False
    before: Severity | None = None
    after: Severity | None = None
    broken: bool = False


def decide(alert: Alert | None, finding: Finding | None, silence: Silence | None, now: datetime) -> Decision:
    """Return what becomes of an entity's alert when `finding` is what is seen of it now (None: it is well)."""
    if finding is None:
        told = None if alert is None else alert.told
        return Decision(alert=None, is_told=told is not None, before=told, after=None)
    present = _present(alert, finding, now)
    broken = silence is not None and now < silence.until and not silence.covers(finding.severity, now)
    held = _held(present, finding, silence, now)
    if held or not _is_news(present, now):
        return Decision(alert=replace(present, held=held), broken=broken)
    told_now = replace(present, told=present.severity, told_at=now, held="")
    return Decision(alert=told_now, is_told=True, before=present.told, after=present.severity, broken=broken)


CLUSTER: Final = "cluster:"  # begins the subject of a cluster's silence


def silence_over(silences: Mapping[str, Silence], entity: str, cluster: str) -> Silence | None:
    """Return the silence that an entity is under, its own before its cluster's."""
    own = silences.get(entity)
    return own if own is not None or not cluster else silences.get(CLUSTER + cluster)


def pending_changes(
    known: Mapping[str, Alert],
    findings: Sequence[Finding],
    silences: Mapping[str, Silence],
    now: datetime,
    *,
    is_complete: bool,
) -> dict[str, Finding | None]:
    """Return the entities whose alert would change, with what is seen of each; most of a fleet stays as it is.

    `is_complete` False: an entity that is not among the findings is not taken for well.
    """
    found = {finding.entity: finding for finding in findings}
    changes: dict[str, Finding | None] = {}
    for entity, finding in found.items():
        decision = decide(known.get(entity), finding, silence_over(silences, entity, finding.cluster), now)
        if decision.broken or decision.alert != known.get(entity):
            changes[entity] = finding
    if is_complete:
        changes.update((entity, None) for entity in known if entity not in found)
    return changes


def event_for(least: Severity, before: Severity | None, after: Severity | None) -> AlertEvent | None:
    """Return what a reader who asked for `least` and worse is told of a change; None: nothing.

    `before` and `after` None mean "well"; the same severity twice is a repeat.
    """
    knew = before is not None and before <= least
    knows = after is not None and after <= least
    if not knew and not knows:
        return None
    if not knew:
        return AlertEvent.RAISED
    if not knows:
        return AlertEvent.CLEARED
    if before == after:
        return AlertEvent.REPEATED
    assert before is not None and after is not None  # noqa: S101, PT018 - for the type checker: both are known above
    return AlertEvent.WORSE if after < before else AlertEvent.BETTER


def expectation(assessment: Assessment, rotation_phase: str) -> str:
    """Say which work in progress explains a client's state, "" when none does (US-21.4: expected transients only)."""
    is_unheard = assessment.severity is Severity.UNKNOWN
    if rotation_phase in _ROTATING and (is_unheard or assessment.state in _EXPLAINED_BY_ROTATION):
        return "the CA is being rotated"
    if Overlay.ACTION_RUNNING in assessment.overlays and (is_unheard or assessment.state in _EXPLAINED_BY_OPERATION):
        return "an operation is working on it"
    return ""


def _present(alert: Alert | None, finding: Finding, now: datetime) -> Alert:
    """Return the alert with what is seen now, its readers' knowledge kept."""
    is_same = alert is not None and alert.severity is finding.severity
    return Alert(
        entity=finding.entity,
        name=finding.name,
        cluster=finding.cluster,
        severity=finding.severity,
        state=finding.state,
        summary=finding.summary,
        next_step=finding.next_step,
        raised_at=now if alert is None else alert.raised_at,
        since_at=alert.since_at if alert is not None and is_same else now,
        told=None if alert is None else alert.told,
        told_at=None if alert is None else alert.told_at,
    )


def _held(alert: Alert, finding: Finding, silence: Silence | None, now: datetime) -> str:
    """Say why nobody is told, "" when nothing holds the notice back."""
    if silence is not None and silence.covers(alert.severity, now):
        return f"{'acknowledged' if silence.is_acknowledgement else 'silenced'} until {silence.until:%Y-%m-%d %H:%MZ}"
    off = finding.quiet_until
    if off is not None and now < off and alert.severity >= QUIET_CEILING:
        return f"planned off until {off:%Y-%m-%d %H:%MZ}"
    if finding.expected and now - alert.since_at < HOLD:
        return finding.expected
    if alert.severity is Severity.UNKNOWN and now - alert.since_at < SETTLE:
        return "it may be heard again in a moment"
    return ""


def _is_news(alert: Alert, now: datetime) -> bool:
    if alert.told is not alert.severity or alert.told_at is None:
        return True
    return now - alert.told_at >= REPEAT
