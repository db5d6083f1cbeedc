"""`mocdeck audit`: read the audit trail, or let the agent verify its chain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from backend.cli.console import put, say, table
from backend.cli.exits import Exit
from backend.cli.params import output_option
from backend.cli.root import Root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.client.operator import Operator
    from backend.core.export import Table
    from backend.wire.mocdeck.v1.fleet_pb2 import AuditRecord

SCHEMA: Final = "mocdeck.audit/1"


@click.command("audit")
@click.option("--verify", is_flag=True, help="Verify the whole chain instead; exit 65 if it is broken.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many, newest first.")
@click.option("--subject", default="", help="Only events about this client, identity, role or cluster.")
@output_option("table", "json", "csv", "markdown")
@click.pass_context
def command(ctx: click.Context, verify: bool, limit: int, subject: str, output: str) -> None:
    """Read the audit trail, newest first, or verify its chain."""
    if verify:
        ctx.exit(int(_verify(ctx.obj, output)))
    from backend.cli.session import run_with_operator

    if output == "table":
        records = run_with_operator(ctx.obj, lambda operator: operator.audit(limit=limit, subject=subject))
        rows = [
            [str(one.index), _at(one), one.actor, one.origin, one.action, one.subject, one.outcome, _detail(one)]
            for one in records
        ]
        put(table(["#", "AT", "BY", "FROM", "ACTION", "SUBJECT", "OUTCOME", "DETAIL"], rows))
        return
    put(run_with_operator(ctx.obj, lambda operator: _exported(operator, limit, subject, output)))


async def _exported(operator: Operator, limit: int, subject: str, output: str) -> str:
    from backend.cli.sighting import read_head
    from backend.core.export import as_csv, as_markdown, head_values

    head = await read_head(operator, filter=f"subject:{subject}" if subject else "")
    records = await operator.audit(limit=limit, subject=subject)
    if output == "json":
        document = {"schema": SCHEMA, **head_values(head), "events": [_values(record) for record in records]}
        return json.dumps(document, indent=2, ensure_ascii=False)
    return (as_csv if output == "csv" else as_markdown)(_table(records), head)


def _verify(root: Root, output: str) -> Exit:
    from backend.cli.session import run_with_operator

    verdict = run_with_operator(root, lambda operator: operator.verify_audit())
    if output == "json":
        values = {"intact": verdict.intact, "count": verdict.count, "head": verdict.head}
        broken = {} if verdict.intact else {"first_bad": verdict.first_bad, "why": verdict.why}
        put(json.dumps({"schema": SCHEMA, **values, **broken}, indent=2))
    elif verdict.intact:
        put(f"intact: {verdict.count} events, head {verdict.head}")
    else:
        put(f"broken at event {verdict.first_bad}: {verdict.why}")
    if verdict.intact:
        return Exit.OK
    say("The audit trail was changed outside the agent; keep a copy of the store and compare it with an earlier one.")
    return Exit.DAMAGED


def _values(record: AuditRecord) -> dict[str, Any]:
    return {
        "index": record.index,
        "at": _at(record),
        "actor": record.actor,
        "origin": record.origin,
        "action": record.action,
        "subject": record.subject,
        "outcome": record.outcome,
        "detail": dict(sorted(record.detail.items())),
        "previous": record.previous,
        "digest": record.digest,
    }


def _table(records: Sequence[AuditRecord]) -> Table:
    from backend.core.export import Table

    names = ("index", "at", "actor", "origin", "action", "subject", "outcome", "detail", "digest")
    rows = [[{**_values(record), "detail": _detail(record)}[name] for name in names] for record in records]
    return Table(kind="audit", title="audit events, newest first", names=names, rows=rows, brief=names[:-1])


def _detail(record: AuditRecord) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted(record.detail.items()) if value)


def _at(record: AuditRecord) -> str:
    from backend.cli.words import moment

    return moment(record.at)
