"""The hand-over note of a shift: what changed since an instant, what is under way, and what falls due next (US-31).

Pure, and deterministic: the same events, alerts, operations and fleet give the same note, in the same order. Owns what
belongs on the note; how it is printed is the reader's. A problem that nobody was told of is on the note as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backend.core.alerts import Alert, Silence
from backend.core.away import Item, absence
from backend.core.facts import Severity
from backend.core.model import AuditEvent, Outcome
from backend.core.subjects import SiteView

CLEAR: Final = "clear_alert"  # the audit's word for a problem that is over
_RETOLD: Final = frozenset({CLEAR, "notify"})  # what other parts of the note tell, or what changes nothing
_ROUTINE: Final = frozenset({"agent", "rpc"})  # origins that are no person's doing
_SHOWN: Final = (
    *("plan_hash", "plan", "operation", "clients", "state", "result", "serial_before", "serial_after", "until"),
    *("reason", "why"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An operation that has not ended; the counts are of its clients."""

    id: str
    action: str
    state: str
    actor: str
    reason: str
    started_at: datetime
    total: int
    done: int
    failed: int
    running: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A problem that is over: since when it was one, and how bad readers knew it."""

    at: datetime
    name: str
    severity: str
    state: str
    raised_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing somebody did or was refused, from the audit; `detail` is what of it a reader acts on."""

    index: int
    at: datetime
    actor: str
    origin: str
    action: str
    subject: str
    outcome: str
    detail: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routine:
    """What clients and agent did by themselves, counted by action and outcome; refusals by who was refused as well."""

    action: str
    outcome: str
    actor: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """The note for `since` to `now`. `due` reaches to `until`; `ending` are silences that end by then, soonest first.

    `standing` counts the alerts that are neither new nor worse.
    """

    since: datetime
    now: datetime
    until: datetime
    counts: tuple[tuple[str, int], ...]
    new: tuple[Alert, ...]
    worse: tuple[Alert, ...]
    standing: int
    cleared: tuple[Cleared, ...]
    deeds: tuple[Deed, ...]
    routine: tuple[Routine, ...]
    ending: tuple[Silence, ...]
    jobs: tuple[Job, ...]
    rotation_phase: str
    due: tuple[Item, ...]


def handover(
    site: SiteView,
    *,
    since: datetime,
    until: datetime,
    events: Iterable[AuditEvent],
    alerts: Iterable[Alert],
    silences: Iterable[Silence],
    jobs: Iterable[Job],
) -> Handover:
    """Make the note. `events` may come in any order; those before `since` and after the site's `now` do not count.

    Raises:
        ValueError: `since` is after the agent's time, or `until` is not.
    """
    now = site.now
    if since > now:
        raise ValueError(f"{since:%Y-%m-%dT%H:%M:%SZ} is after the agent's time, {now:%Y-%m-%dT%H:%M:%SZ}")
    inside = sorted((event for event in events if since <= event.at <= now), key=lambda event: event.index)
    present = sorted(alerts, key=lambda alert: (alert.severity, alert.since_at, alert.name, alert.entity))
    new = tuple(alert for alert in present if alert.raised_at >= since)
    worse = tuple(alert for alert in present if alert.raised_at < since <= alert.since_at)
    return Handover(
        since=since,
        now=now,
        until=until,
        counts=_counts(site),
        new=new,
        worse=worse,
        standing=len(present) - len(new) - len(worse),
        cleared=tuple(_cleared(event) for event in inside if event.action == CLEAR),
        deeds=tuple(_deed(event) for event in inside if _is_deed(event)),
        routine=_routine(inside),
        ending=_ending(silences, now, until),
        jobs=tuple(sorted(jobs, key=lambda job: (job.started_at, job.id))),
        rotation_phase=site.rotation_phase,
        due=absence(site, until).items,
    )


def _counts(site: SiteView) -> tuple[tuple[str, int], ...]:
    found = [subject.found.severity for subject in site.subjects]
    return tuple((severity.name.lower(), found.count(severity)) for severity in Severity)


def _cleared(event: AuditEvent) -> Cleared:
    word = event.detail.get
    return Cleared(
        at=event.at,
        name=event.subject,
        severity=word("severity", ""),
        state=word("state", ""),
        raised_at=word("raised_at", ""),
    )


def _is_deed(event: AuditEvent) -> bool:
    """Persons' doings, and whatever was refused or failed or belongs to an operation, a rotation or the clock."""
    if event.action in _RETOLD:
        return event.outcome is not Outcome.DONE
    return event.origin not in _ROUTINE or event.outcome is Outcome.FAILED or event.action in _AGENT_DEEDS


_AGENT_DEEDS: Final = frozenset(
    {
        *("end_operation", "start_ca_rotation", "ca_rotation", "proceed_ca_rotation", "destroy_authority"),
        *("distrust_clock", "trust_clock", "reconcile", "init_agent", "publish_bundle"),
        *("create_identity", "update_identity", "delete_identity", "revoke_identity", "put_cluster", "remove_cluster"),
        *("create_role", "update_role", "delete_role", "assign_role", "remove_role"),
    }
)


def _deed(event: AuditEvent) -> Deed:
    detail = _chosen(event.detail)
    return Deed(
        index=event.index,
        at=event.at,
        actor=event.actor,
        origin=event.origin,
        action=event.action,
        subject=event.subject,
        outcome=event.outcome.value,
        detail=detail,
    )


def _chosen(detail: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, detail[name]) for name in _SHOWN if detail.get(name))


def _routine(events: Sequence[AuditEvent]) -> tuple[Routine, ...]:
    counted: dict[tuple[str, str, str], int] = {}
    for event in events:
        if event.action != CLEAR and not _is_deed(event):
            who = event.actor if event.outcome is Outcome.REFUSED else ""
            key = (event.action, event.outcome.value, who)
            counted[key] = counted.get(key, 0) + 1
    return tuple(
        Routine(action=action, outcome=word, actor=who, count=n) for (action, word, who), n in sorted(counted.items())
    )


def _ending(silences: Iterable[Silence], now: datetime, until: datetime) -> tuple[Silence, ...]:
    chosen = [silence for silence in silences if now < silence.until <= until]
    return tuple(sorted(chosen, key=lambda silence: (silence.until, silence.name, silence.subject)))
