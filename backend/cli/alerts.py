"""`mocdeck alerts list | ack | silence | test`: who is told of what, quiet for a time, and whether notices arrive."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from backend.cli.console import put, say, table
from backend.cli.exits import Exit
from backend.cli.params import confirmation_options, duration, output_option
from backend.cli.root import Root

if TYPE_CHECKING:
    from backend.client.operator import Operator
    from backend.core.export import Head, Table
    from backend.wire.mocdeck.v1.alert_pb2 import AlertList, AlertRow, AlertSilence, AlertSink

SCHEMA: Final = "mocdeck.alerts/1"
ALERT_NAMES: Final = (
    *("entity", "name", "cluster", "severity", "state", "summary", "next_step"),
    *("raised_at", "since", "told", "told_at", "held"),
)
_LOOK_SECONDS: Final = 0.5
_FOR = click.option("--for", "span", type=duration, required=True, help="How long, as 36h or 14d; at most a year.")
_REASON = click.option("--reason", default="", help="Kept in the audit trail and shown to the others.")


@click.group("alerts")
def command() -> None:
    """List alerts; acknowledge, silence and test notifications.

    Whom the agent tells stands in alerts.yaml in its directory.
    """


@command.command("list")
@output_option("table", "json", "csv", "markdown")
@click.pass_obj
def list_(root: Root, output: str) -> None:
    """List what is not well and who was told, silences, and how the sinks are doing.

    As CSV and Markdown it is the alerts alone.
    """
    from backend.cli.session import run_with_operator
    from backend.core.export import FORMS, head_values

    found, head = run_with_operator(root, lambda operator: _read(operator, is_exported=output != "table"))
    if head is None:
        put(_text(found))
    elif output == "json":
        put(json.dumps({**_values(found), **head_values(head)}, indent=2, ensure_ascii=False))
    else:
        put(FORMS[output](_table(found), head))
    for sink in found.sinks:
        if sink.failing_since_at:
            say(f"Sink {sink.name} takes no notices: {sink.last_error}")


async def _read(operator: Operator, *, is_exported: bool) -> tuple[AlertList, Head | None]:
    from backend.cli.sighting import read_head

    return await operator.alerts(), await read_head(operator) if is_exported else None


def _table(found: AlertList) -> Table:
    from backend.core.export import Table

    records = [_alert_values(one) for one in found.alerts]
    return Table(
        kind="alerts",
        title="alerts, worst first",
        names=ALERT_NAMES,
        rows=[[record[name] for name in ALERT_NAMES] for record in records],
        brief=("severity", "name", "cluster", "state", "since", "told", "held", "summary"),
    )


@command.command("ack")
@click.argument("name")
@_FOR
@_REASON
@confirmation_options("name")
@click.pass_obj
def ack(root: Root, name: str, span: timedelta, reason: str, dry_run: bool, yes: bool, confirm: str) -> None:
    """Be quiet about the alert NAME for a time; it is told again when it gets worse, and ends with the alert."""
    from backend.cli.confirm import confirm_change
    from backend.cli.session import run_with_operator

    present = run_with_operator(root, lambda operator: operator.alerts())
    matching = [alert for alert in present.alerts if name in (alert.name, alert.entity)]
    for alert in matching:
        say(f"{alert.severity.upper()} {alert.name} ({alert.entity}): {alert.summary}")
    if dry_run:
        say(f"Dry run: {'it' if matching else 'nothing, as there is no such alert,'} would be acknowledged.")
        return
    if matching:
        confirm_change(f"Be quiet about {name}?", name, yes=yes, confirm=confirm)

    async def work(operator: Operator) -> AlertSilence:
        return await operator.acknowledge_alert(name, await _until(operator, span), reason=reason, origin="cli")

    put(_said(run_with_operator(root, work)))


@command.command("silence")
@click.argument("name")
@click.option("--cluster", "is_cluster", is_flag=True, help="NAME is a cluster; all of its clients are meant.")
@click.option("--for", "span", type=duration, help="How long, as 36h or 14d; at most a year.")
@click.option("--end", is_flag=True, help="End the silence now.")
@_REASON
@confirmation_options("name")
@click.pass_obj
def silence(
    root: Root,
    name: str,
    is_cluster: bool,
    span: timedelta | None,
    end: bool,
    reason: str,
    dry_run: bool,
    yes: bool,
    confirm: str,
) -> None:
    """Be quiet about the client NAME, or a cluster, for a time; CRITICAL and EXPIRED are told all the same."""
    from backend.cli.confirm import confirm_change
    from backend.cli.session import run_with_operator

    if (span is None) is not end:
        raise click.UsageError("say either how long with --for, or --end.")
    if dry_run:
        say(f"Dry run: {name} would be {'told of again' if end else 'silenced'}.")
        return
    question = f"Tell of {name} again?" if end else f"Be quiet about {name}?"
    confirm_change(question, name, yes=yes, confirm=confirm)

    async def work(operator: Operator) -> AlertSilence:
        until = None if span is None else await _until(operator, span)
        return await operator.silence_alerts(name, until, is_cluster=is_cluster, reason=reason, origin="cli")

    made = run_with_operator(root, work)
    put(_said(made) if made.until else f"{name} is no longer silenced")


@command.command("test")
@click.argument("sink", default="")
@click.option("--timeout", type=duration, default="20s", show_default=True, help="Wait no longer than this.")
@click.pass_context
def test(ctx: click.Context, sink: str, timeout: timedelta) -> None:
    """Send a test notice to every sink, or to SINK, and tell whether it was taken; exit 7 if one was not."""
    from backend.cli.session import run_with_operator

    outcome = run_with_operator(ctx.obj, lambda operator: _try(operator, sink, timeout.total_seconds()))
    for name, why in outcome.items():
        put(f"{name}: {why or 'taken'}")
    if any(outcome.values()):
        ctx.exit(int(Exit.UNVERIFIED))


async def _until(operator: Operator, span: timedelta) -> datetime:
    """The end of a silence, by the agent's clock: this computer's may be off."""
    return datetime.fromtimestamp((await operator.alerts()).agent_time, UTC) + span


async def _try(operator: Operator, sink: str, seconds: float) -> dict[str, str]:
    """Send, then look until every sink has taken or refused it; the values say why not."""
    before = {one.name: one for one in (await operator.alerts()).sinks}
    names = (await operator.test_alerts(sink, origin="cli")).sinks
    outcome = dict.fromkeys(names, "no answer yet; see `mocdeck alerts list`")
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        for now in (await operator.alerts()).sinks:
            if now.name in outcome and _was_tried(before.get(now.name), now):
                outcome[now.name] = now.last_error
        if not any(why.startswith("no answer yet") for why in outcome.values()):
            break
        await asyncio.sleep(_LOOK_SECONDS)
    return outcome


def _was_tried(before: AlertSink | None, now: AlertSink) -> bool:
    """Tell whether notices were taken or refused meanwhile; a sign of life does not count."""
    if before is None:
        return bool(now.tried_at)
    return now.deliveries > before.deliveries or now.failures > before.failures


def _text(found: AlertList) -> str:
    from backend.cli.words import day

    parts = [_alerts_text(found)]
    if found.silences:
        rows = [
            [
                one.name,
                "acknowledged" if one.acknowledgement else "silenced",
                day(one.until),
                one.ceiling,
                one.actor,
                one.reason or "-",
            ]
            for one in found.silences
        ]
        parts.append(table(["QUIET ABOUT", "HOW", "UNTIL", "UP TO", "BY", "REASON"], rows))
    if found.sinks:
        rows = [
            [
                one.name,
                f"failing since {day(one.failing_since_at)}" if one.failing_since_at else "ok",
                str(one.owed),
                str(one.deliveries),
                day(one.sent_at),
                one.last_error or "-",
            ]
            for one in found.sinks
        ]
        parts.append(table(["SINK", "STATE", "OWED", "TAKEN", "LAST", "ERROR"], rows))
    else:
        parts.append("Nobody is told: there are no sinks in the agent's alerts.yaml.")
    return "\n\n".join(parts)


def _alerts_text(found: AlertList) -> str:
    from backend.cli.words import day
    from backend.core.alerts import NOBODY

    if not found.alerts:
        return "No alerts."
    known = "-" if found.sinks else NOBODY
    rows = [
        [
            one.severity.upper(),
            one.name,
            one.cluster or "-",
            one.state,
            day(one.since_at),
            one.held or (known if not found.sinks or one.told != one.severity else f"told {day(one.told_at)}"),
            one.summary,
        ]
        for one in found.alerts
    ]
    severities = [one.severity for one in found.alerts]
    return table(["SEVERITY", "NAME", "CLUSTER", "STATE", "SINCE", "TOLD", "WHY"], rows, severities=severities)


def _said(made: AlertSilence) -> str:
    from backend.cli.words import day

    return f"quiet about {made.name} until {day(made.until)}, unless it gets worse than {made.ceiling}"


def _values(found: AlertList) -> dict[str, Any]:
    from backend.cli.words import moment

    return {
        "schema": SCHEMA,
        "agent_time": moment(found.agent_time),
        "alerts": [_alert_values(one) for one in found.alerts],
        "silences": [
            {
                "subject": one.subject,
                "name": one.name,
                "acknowledgement": one.acknowledgement,
                "until": moment(one.until),
                "up_to": one.ceiling,
                "actor": one.actor,
                "reason": one.reason,
                "made_at": moment(one.made_at),
            }
            for one in found.silences
        ],
        "sinks": [
            {
                "name": one.name,
                "owed": one.owed,
                "deliveries": one.deliveries,
                "failures": one.failures,
                "failing_since": moment(one.failing_since_at) or None,
                "last_error": one.last_error,
                "tried_at": moment(one.tried_at) or None,
                "sent_at": moment(one.sent_at) or None,
                "next_at": moment(one.next_at) or None,
            }
            for one in found.sinks
        ],
    }


def _alert_values(one: AlertRow) -> dict[str, Any]:
    from backend.cli.words import moment

    return {
        "entity": one.entity,
        "name": one.name,
        "cluster": one.cluster,
        "severity": one.severity,
        "state": one.state,
        "summary": one.summary,
        "next_step": one.next_step,
        "raised_at": moment(one.raised_at),
        "since": moment(one.since_at),
        "told": one.told or None,
        "told_at": moment(one.told_at) or None,
        "held": one.held,
    }
