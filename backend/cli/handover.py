"""`mocdeck handover`: the note from one shift to the next (domain.md, US-31)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from backend.cli.console import put, say
from backend.cli.params import duration, output_option
from backend.cli.root import Root
from backend.core.durations import parse_duration

if TYPE_CHECKING:
    from backend.client.operator import Operator
    from backend.core.alerts import Alert, Silence
    from backend.core.export import Head
    from backend.core.handover import Handover, Job
    from backend.core.model import AuditEvent
    from backend.wire.mocdeck.v1.alert_pb2 import AlertRow, AlertSilence
    from backend.wire.mocdeck.v1.fleet_pb2 import AuditRecord
    from backend.wire.mocdeck.v1.operation_pb2 import Operation

_PAGE: Final = 5_000  # audit records in one answer; the agent gives no more
_OPERATIONS: Final = 200
_FORMATS: Final = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")


def _since(value: str) -> timedelta | datetime:
    """A time before now, or an instant in UTC."""
    for form in _FORMATS:
        try:
            return datetime.strptime(value.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        return parse_duration(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is neither a duration as 8h nor an instant as 2026-11-22T06:00Z."
        ) from None


@click.command("handover")
@click.option(
    "--since",
    type=_since,
    metavar="TIME",
    default="8h",
    show_default=True,
    help="Since when: 8h, 1d12h, or 2026-11-22T06:00Z (UTC).",
)
@click.option(
    "--next", "ahead", type=duration, default="8h", show_default=True, help="How far ahead to look: the next shift."
)
@output_option("text", "markdown", "json")
@click.pass_obj
def command(root: Root, since: timedelta | datetime, ahead: timedelta, output: str) -> None:
    """Write the hand-over note of a shift: what changed, what runs, what falls due.

    It changes nothing. All instants are in UTC, by the agent's clock; the same state gives the same note.
    """
    from backend.cli.session import run_with_operator
    from backend.core.handoverforms import FORMS

    note, head = run_with_operator(root, lambda operator: _read(operator, since, ahead))
    put(FORMS[output](note, head))
    if head.simulated:
        say("SIMULATED: this is a demo fleet, not a real one.")


async def _read(operator: Operator, since: timedelta | datetime, ahead: timedelta) -> tuple[Handover, Head]:
    from backend.cli.sighting import head_of
    from backend.cli.status import read_fleet
    from backend.core.alerts import NOBODY
    from backend.core.errors import InvalidInput
    from backend.core.handover import handover
    from backend.core.subjects import read_site

    fleet = await read_fleet(operator)
    head = head_of(fleet, operator.credential.agent)
    now = head.observed_at
    try:
        begin = now - since if isinstance(since, timedelta) else since
        until = now + ahead
    except OverflowError:
        raise InvalidInput("that is longer than the calendar") from None
    if begin > now or until <= now:
        raise InvalidInput(f"the shift must begin before the agent's time, {now:%Y-%m-%dT%H:%M:%SZ}, and --next be > 0")
    found = await operator.alerts()
    note = handover(
        read_site(fleet, now),
        since=begin,
        until=until,
        events=[_event(record) for record in await _audit_since(operator, begin)],
        alerts=[_alert(row, nobody="" if found.sinks else NOBODY) for row in found.alerts],
        silences=[_silence(row) for row in found.silences],
        jobs=[_job(one) for one in await operator.operations(_OPERATIONS) if not one.ended_at],
    )
    return note, head


async def _audit_since(operator: Operator, begin: datetime) -> list[AuditRecord]:
    """Read the audit back to `begin`, page by page."""
    records = list(await operator.audit(limit=_PAGE))
    while records:
        oldest = min(records, key=lambda one: one.index)
        if oldest.index <= 2 or oldest.at < int(begin.timestamp()):
            break
        after = max(1, oldest.index - 1 - _PAGE)  # after 0 stands for the newest; the first event is the agent's birth
        page = await operator.audit(after=after, limit=oldest.index - 1 - after)
        if not page:
            break
        records += page
    return records


def _event(record: AuditRecord) -> AuditEvent:
    from backend.core.model import AuditEvent, Outcome

    return AuditEvent(
        index=record.index,
        at=datetime.fromtimestamp(record.at, UTC),
        actor=record.actor,
        origin=record.origin,
        action=record.action,
        subject=record.subject,
        outcome=Outcome(record.outcome),
        detail=dict(record.detail),
        previous=record.previous,
        digest=record.digest,
    )


def _alert(row: AlertRow, *, nobody: str) -> Alert:
    from backend.core.alerts import Alert
    from backend.core.facts import Severity

    return Alert(
        entity=row.entity,
        name=row.name,
        cluster=row.cluster,
        severity=Severity[row.severity.upper()],
        state=row.state,
        summary=row.summary,
        next_step=row.next_step,
        raised_at=datetime.fromtimestamp(row.raised_at, UTC),
        since_at=datetime.fromtimestamp(row.since_at, UTC),
        told=Severity[row.told.upper()] if row.told else None,
        told_at=datetime.fromtimestamp(row.told_at, UTC) if row.told_at else None,
        held=row.held or nobody,
    )


def _silence(row: AlertSilence) -> Silence:
    from backend.core.alerts import Silence
    from backend.core.facts import Severity

    return Silence(
        subject=row.subject,
        name=row.name,
        is_acknowledgement=row.acknowledgement,
        until=datetime.fromtimestamp(row.until, UTC),
        ceiling=Severity[row.ceiling.upper()],
        actor=row.actor,
        reason=row.reason,
        made_at=datetime.fromtimestamp(row.made_at, UTC),
    )


def _job(one: Operation) -> Job:
    from backend.cli.words import action_word
    from backend.core.handover import Job

    return Job(
        id=one.id,
        action=action_word(one.action),
        state=one.state,
        actor=one.actor,
        reason=one.reason,
        started_at=datetime.fromtimestamp(one.started_at, UTC),
        total=one.total,
        done=one.done,
        failed=one.failed,
        running=one.running,
        waiting=one.waiting,
    )
