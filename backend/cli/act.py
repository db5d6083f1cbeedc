"""`mocdeck renew | rotate-token | repair`: look at the plan, confirm it by its hash, watch until it is seen to work."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from backend.cli.console import put, say
from backend.cli.exits import Exit
from backend.cli.params import check_out, confirmation_options, duration, output_option
from backend.cli.plansheets import EXPORT, check_export, export_sheet, operation_sheet
from backend.cli.root import Root

if TYPE_CHECKING:
    from backend.client.operator import Operator
    from backend.core.planrules import ActionKind
    from backend.wire.mocdeck.v1.operation_pb2 import Operation, Plan

F = TypeVar("F", bound=Callable[..., Any])
AskForPlan = Callable[["Operator"], Awaitable["Plan | None"]]
_TIMEOUT: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asks for, the same for every action."""

    names: tuple[str, ...] = ()
    filter_text: str = ""
    force: bool = False
    reason: str = ""
    parallel: int
    max_failures: int
    dry_run: bool
    yes: bool
    confirm: str
    wait: bool
    timeout: timedelta
    output: str
    overlap: timedelta | None = None
    out: Path | None = None
    export_path: Path | None = None


def plan_options(command: F) -> F:
    """Add what every action takes: force and reason, pace, confirmation, waiting and the form of the output."""
    for option in reversed(
        [
            click.option("--force", is_flag=True, help="Also what is not due; wants --reason."),
            click.option("--reason", default="", help="Goes into the audit trail."),
            click.option(
                "--parallel", type=click.IntRange(1, 4), default=1, show_default=True, help="Clients at a time."
            ),
            click.option(
                "--max-failures",
                type=click.IntRange(1, 100),
                default=1,
                show_default=True,
                help="Go on past failures; with so many nothing further starts.",
            ),
            waiting_options,
        ]
    ):
        command = option(command)
    return command


def waiting_options(command: F) -> F:
    """Add what every way to start an operation takes: confirmation, waiting and the form of the output."""
    for option in reversed(
        [
            EXPORT,
            confirmation_options("hash"),
            click.option("--wait/--no-wait", default=True, help="Wait until it is seen to work.  [default: wait]"),
            click.option("--timeout", type=duration, default=_TIMEOUT, help="How long to wait.  [default: 10m]"),
            output_option("text", "json"),
        ]
    ):
        command = option(command)
    return command


def _options(command: F) -> F:
    names = click.argument("names", metavar="[NAME]...", nargs=-1)
    chosen = click.option(
        "--filter", "filter_text", metavar="EXPR", default="", help="Choose clients as in the dashboard."
    )
    return names(chosen(plan_options(command)))


OVERLAP: Final = click.option("--overlap", type=duration, help="How long the old token lives on.")
OUT: Final = click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File or directory for login files that have to be carried by hand.",
)


@click.command("renew")
@_options
@click.pass_context
def renew(ctx: click.Context, /, **options: Any) -> None:
    """Renew certificates of clients that are due.

    The agent asks each client at its next heartbeat; it is done when the new certificate was used.
    """
    from backend.core.planrules import ActionKind

    _act(ctx, ActionKind.RENEW, Wish(**options))


@click.command("rotate-token")
@_options
@OVERLAP
@OUT
@click.pass_context
def rotate_token(ctx: click.Context, /, **options: Any) -> None:
    """Give clients fresh identity tokens, by heartbeat, by file or by hand."""
    from backend.core.planrules import ActionKind

    _act(ctx, ActionKind.ROTATE_TOKEN, Wish(**options))


@click.command("repair")
@_options
@OVERLAP
@OUT
@click.pass_context
def repair(ctx: click.Context, /, **options: Any) -> None:
    """Bring clients back that cannot get in: rotate the token, deliver a login file, sign in."""
    from backend.core.planrules import ActionKind

    _act(ctx, ActionKind.REPAIR, Wish(**options))


def _act(ctx: click.Context, action: ActionKind, wish: Wish) -> None:
    if bool(wish.names) == bool(wish.filter_text):
        raise click.UsageError("name the clients, or choose them with --filter; one of the two.", ctx)

    async def ask_for_plan(operator: Operator) -> Plan | None:
        names = list(wish.names) or await _chosen(operator, wish.filter_text)
        if not names:
            say(f"No client fits {wish.filter_text!r}; nothing to do.")
            return None
        return await operator.plan(
            action,
            names,
            force=wish.force,
            reason=wish.reason,
            overlap=wish.overlap,
            parallel=wish.parallel,
            max_failures=wish.max_failures,
        )

    act(ctx, ask_for_plan, wish, all_named=bool(wish.names))


def act(ctx: click.Context, ask_for_plan: AskForPlan, wish: Wish, *, all_named: bool) -> None:
    """Ask for a plan, show it and, when it is confirmed, carry it out; ends the program with its exit code.

    `all_named` says that every client of the plan was asked for, so that one the plan refuses counts as not done.
    """
    if wish.force and not wish.reason.strip():
        raise click.UsageError("--force needs --reason, which goes into the audit trail.", ctx)
    if wish.out is not None and not wish.wait:
        raise click.UsageError(
            "--out needs --wait: login files are taken while the operation is watched; "
            "without it take each one later with `mocdeck operations login-file`.",
            ctx,
        )
    check_out(wish.out, may_be_directory=True)
    check_export(wish.export_path)
    if wish.dry_run:
        ctx.exit(int(_preview(ctx.obj, ask_for_plan, wish)))
    from backend.cli.session import sole_change

    with sole_change(ctx.obj):
        code = _carry_out(ctx.obj, ask_for_plan, wish, all_named=all_named)
    ctx.exit(int(code))


def _preview(root: Root, ask_for_plan: AskForPlan, wish: Wish) -> Exit:
    from backend.cli.follow import exit_of_plan
    from backend.cli.session import run_with_operator
    from backend.cli.words import SHOWN_HASH, plan_text, plan_values

    plan = run_with_operator(root, ask_for_plan)
    if plan is None:
        return Exit.OK
    put(json.dumps(plan_values(plan), indent=2, ensure_ascii=False) if wish.output == "json" else plan_text(plan))
    if wish.export_path is not None:
        export_sheet(root, operation_sheet(plan), wish.export_path)
    if not plan.runs:
        return exit_of_plan(plan)
    say(f"Dry run: nothing was changed. Confirm it with --confirm {plan.hash[:SHOWN_HASH]}")
    return Exit.OK


def _carry_out(root: Root, ask_for_plan: AskForPlan, wish: Wish, *, all_named: bool) -> Exit:
    """Plan, ask, start: two connections, because a person may think for longer than a connection should idle."""
    from backend.cli.confirm import confirm_plan
    from backend.cli.follow import exit_of_operation, exit_of_plan, refused_by
    from backend.cli.session import run_with_operator
    from backend.cli.words import operation_text, operation_values, plan_text

    plan = run_with_operator(root, ask_for_plan)
    if plan is None:
        return Exit.OK
    say(plan_text(plan))
    if wish.export_path is not None:
        export_sheet(root, operation_sheet(plan), wish.export_path)
    if not plan.runs:
        say("Nothing was changed.")
        return exit_of_plan(plan)
    confirm_plan(plan, yes=wish.yes, confirm=wish.confirm)
    operation = run_with_operator(root, lambda operator: _start(operator, plan, wish))
    put(
        json.dumps(operation_values(operation), indent=2, ensure_ascii=False)
        if wish.output == "json"
        else operation_text(operation)
    )
    if not wish.wait:
        say(f"Started. Watch it with `mocdeck operations show {operation.id} --follow`.")
        return Exit.OK
    return exit_of_operation(operation, excluded=refused_by(plan) if all_named else 0)


async def _chosen(operator: Operator, filter_text: str) -> list[str]:
    from backend.cli.fleetreport import Selection, make_report, names_of
    from backend.cli.status import read_fleet

    fleet = await read_fleet(operator)
    report = make_report(fleet, address=operator.credential.agent, selection=Selection(filter=filter_text))
    return names_of(report.lines)


async def _start(operator: Operator, plan: Plan, wish: Wish) -> Operation:
    from backend.cli.follow import Follower

    operation = await operator.start(plan.id, plan.hash, origin="cli")
    if not wish.wait:
        return operation
    return await Follower(operator, operation, out=wish.out).follow(wish.timeout)
