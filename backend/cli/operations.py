"""`mocdeck operations list | show | stop | resume | login-file`: what was started, and how far it is."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backend.cli.act import OUT, Wish, act, waiting_options
from backend.cli.console import put, say, table
from backend.cli.params import check_out, confirmation_options, duration, output_option
from backend.cli.root import Root

if TYPE_CHECKING:
    from backend.client.operator import Operator
    from backend.wire.mocdeck.v1.operation_pb2 import Operation, Plan


@click.group("operations")
def command() -> None:
    """Look at operations, follow, stop or resume them."""


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
@output_option("table", "json", "csv", "markdown")
@click.pass_obj
def list_(root: Root, limit: int, output: str) -> None:
    """List operations, newest first."""
    from backend.cli.session import run_with_operator
    from backend.cli.words import action_word, day, operation_counts, operation_values

    if output in {"csv", "markdown"}:
        put(run_with_operator(root, lambda operator: _exported(operator, limit, output)))
        return
    found = run_with_operator(root, lambda operator: operator.operations(limit))
    if output == "json":
        put(json.dumps([operation_values(operation) for operation in found], indent=2, ensure_ascii=False))
        return
    rows = [
        [one.id, action_word(one.action), one.state, day(one.started_at), one.actor, operation_counts(one)]
        for one in found
    ]
    put(table(["OPERATION", "ACTION", "STATE", "STARTED", "BY", "CLIENTS"], rows))


async def _exported(operator: Operator, limit: int, output: str) -> str:
    """The list as a table for a file or a ticket."""
    from backend.cli.sighting import read_head
    from backend.cli.words import operation_values
    from backend.core.export import FORMS, Table

    head = await read_head(operator)
    names = ("id", "action", "state", "actor", "reason", "started_at", "ended_at", "plan_id")
    counts = ("total", "done", "failed", "running", "waiting", "skipped")
    values = [operation_values(one) for one in await operator.operations(limit)]
    rows = [[*(one[name] for name in names), *(one["counts"][name] for name in counts)] for one in values]
    made = Table(kind="operations", title="operations, newest first", names=(*names, *counts), rows=rows)
    return FORMS[output](made, head)


@command.command("show")
@click.argument("operation_id", metavar="ID")
@click.option("--follow", is_flag=True, help="Report progress until it has ended.")
@click.option("--timeout", type=duration, help="Follow no longer than this.")
@output_option("text", "json")
@click.pass_context
def show(ctx: click.Context, operation_id: str, follow: bool, timeout: timedelta | None, output: str) -> None:
    """Show one operation; with --follow the exit code tells how it ended."""
    from backend.cli.follow import Follower, exit_of_operation
    from backend.cli.session import run_with_operator
    from backend.cli.words import operation_text, operation_values

    async def look(operator: Operator) -> Operation:
        operation = await operator.operation(operation_id)
        return await Follower(operator, operation, out=None).follow(timeout) if follow else operation

    found = run_with_operator(ctx.obj, look)
    put(
        json.dumps(operation_values(found), indent=2, ensure_ascii=False) if output == "json" else operation_text(found)
    )
    if follow:
        ctx.exit(int(exit_of_operation(found)))


@command.command("stop")
@click.argument("operation_id", metavar="ID")
@confirmation_options("id")
@click.pass_obj
def stop(root: Root, operation_id: str, dry_run: bool, yes: bool, confirm: str) -> None:
    """Let clients under way end and start no further one."""
    from backend.cli.confirm import confirm_change
    from backend.cli.session import run_with_operator
    from backend.cli.words import operation_counts, operation_text

    present = run_with_operator(root, lambda operator: operator.operation(operation_id))
    say(operation_text(present))
    if dry_run:
        say(f"Dry run: {present.waiting} clients that wait would not be started.")
        return
    confirm_change(f"Stop operation {operation_id}?", operation_id, yes=yes, confirm=confirm)
    put(operation_counts(run_with_operator(root, lambda operator: operator.stop(operation_id))))


@command.command("resume")
@click.argument("operation_id", metavar="ID")
@click.option("--parallel", type=click.IntRange(1, 4), help="Clients at a time.  [default: as before]")
@click.option(
    "--max-failures",
    type=click.IntRange(1, 100),
    help="Go on past failures; with so many nothing further starts.  [default: as before]",
)
@waiting_options
@OUT
@click.pass_context
def resume(
    ctx: click.Context, /, operation_id: str, parallel: int | None, max_failures: int | None, **options: Any
) -> None:
    """Go on with an operation that was stopped or failed.

    What is still to do is planned anew, by what is observed now, with the force, reason and overlap that it had.
    Clients that were done, or came to use what they were to get since it began, are left alone. One whose state
    forbids the action now is left out, and the plan says why.
    """
    wish = Wish(parallel=parallel or 0, max_failures=max_failures or 0, **options)

    async def ask_for_plan(operator: Operator) -> Plan:
        return await operator.plan_resumption(operation_id, parallel=wish.parallel, max_failures=wish.max_failures)

    act(ctx, ask_for_plan, wish, all_named=True)


@command.command("login-file")
@click.argument("operation_id", metavar="ID")
@click.argument("name")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Where to write it, mode 0600."
)
@click.pass_obj
def take_login_file(root: Root, operation_id: str, name: str, out: Path) -> None:
    """Take the fresh login file of a client that waits for delivery by hand.

    Each call makes a new token and ends the one before it.
    """
    check_out(out)
    from backend.cli.follow import deliver
    from backend.cli.session import run_with_operator

    deliver(run_with_operator(root, lambda operator: operator.take_login_file(operation_id, name)), out)
