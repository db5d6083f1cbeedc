"""`mocdeck rotate-ca plan | rehearse | approve | start | status | destroy`, and the moves of `rotate_ca_moves`.

Planning is a dry run; a rotation starts only with its plan's id and hash, and with the deployment's name typed
(domain.md, US-15 and US-20).
"""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from backend.cli.console import put, say
from backend.cli.exits import Exit
from backend.cli.params import duration, output_option
from backend.cli.plansheets import EXPORT, check_export, export_sheet, rotation_sheet
from backend.cli.root import Root
from backend.cli.rotate_ca_moves import CONFIRM, MOVES, REASON

if TYPE_CHECKING:
    from backend.client.operator import Operator
    from backend.wire.mocdeck.v1.authority_pb2 import Rotation, RotationPlan

_TIMEOUT: Final = timedelta(minutes=30)
_TIMEOUT_OPTION = click.option("--timeout", type=duration, default=_TIMEOUT, help="How long to watch.  [default: 30m]")


@click.group("rotate-ca")
def command() -> None:
    """Invoke-AksHciRotateCACertificate, without the outage: plan, run and watch a rotation of the CA."""


for _move in MOVES:
    command.add_command(_move)


@command.command("plan")
@click.option("--disruptive", is_flag=True, help="The documented one: every client loses the agent and signs in again.")
@click.option("--compromise", is_flag=True, help="The CA's key is in other hands: disruptive, fast, chain cut.")
@click.option("--auto", "automatic", is_flag=True, help="Leave each phase as soon as its gates are met.")
@click.option("--shadow-for", type=duration, default=timedelta(0), help="Least time of the second judging, as in 2d.")
@click.option("--quiet-for", type=duration, default=timedelta(0), help="Least time without a refusal, as in 1h.")
@click.option("--stop-percent", type=click.IntRange(0, 100), help="How many of a wave may fail.  [default: 5]")
@EXPORT
@output_option("text", "json")
@click.pass_context
def plan(
    ctx: click.Context,
    disruptive: bool,
    compromise: bool,
    automatic: bool,
    shadow_for: timedelta,
    quiet_for: timedelta,
    stop_percent: int | None,
    export_path: Path | None,
    output: str,
) -> None:
    """Show readiness and how every client gets through; changes nothing. Exit 5 if something forbids it.

    Without --disruptive it is the rotation with overlap, in which no client loses the agent.
    """
    from backend.cli.session import run_with_operator

    if disruptive and compromise:
        raise click.UsageError("--compromise is disruptive already; give one of the two.", ctx)
    if (disruptive or compromise) and (automatic or shadow_for or quiet_for or stop_percent is not None):
        raise click.UsageError("--auto, --shadow-for, --quiet-for and --stop-percent go with overlap only.", ctx)
    kind = "compromise" if compromise else "disruptive" if disruptive else "overlap"

    async def ask(operator: Operator) -> RotationPlan:
        return await operator.plan_rotation(
            kind, automatic=automatic, shadow_for=shadow_for, quiet_for=quiet_for, stop_percent=stop_percent
        )

    check_export(export_path)
    made = run_with_operator(ctx.obj, ask)
    if export_path is not None:
        export_sheet(ctx.obj, rotation_sheet(made), export_path)
    ctx.exit(int(_show_plan(made, output)))


@command.command("rehearse")
@CONFIRM
@REASON
@_TIMEOUT_OPTION
@output_option("text", "json")
@click.pass_context
def rehearse(ctx: click.Context, confirm: str, reason: str, timeout: timedelta, output: str) -> None:
    """Let every living client meet the canary of a throwaway CA: who would block a rotation? Changes no client."""
    from backend.cli.confirm import confirm_by_name
    from backend.cli.session import run_with_operator, sole_change
    from backend.cli.status import read_fleet

    fleet = run_with_operator(ctx.obj, read_fleet)
    say(f"A rehearsal with the {len(fleet)} clients of {fleet.deployment}; nothing is issued and no trust changes.")
    confirm_by_name("Type the deployment's name to begin it:", fleet.deployment, confirm=confirm)

    async def go(operator: Operator) -> Rotation:
        made = await operator.plan_rotation("rehearsal")
        started = await operator.start_rotation(
            made.id, made.hash, deployment=made.deployment, reason=reason or "rehearsal", origin="cli"
        )
        return await follow(operator, started, timeout)

    with sole_change(ctx.obj):
        _end(ctx, run_with_operator(ctx.obj, go), output, watched=True)


@command.command("approve")
@click.option("--plan", "plan_id", metavar="ID", required=True, help="The plan that somebody else made.")
@click.option("--hash", "plan_hash", metavar="HASH", required=True, help="The whole hash of that plan.")
@CONFIRM
@click.pass_obj
def approve(root: Root, plan_id: str, plan_hash: str, confirm: str) -> None:
    """Approve a plan as the second person, where the agent asks for one."""
    from backend.cli.confirm import confirm_by_name
    from backend.cli.session import run_with_operator
    from backend.cli.status import read_fleet

    fleet = run_with_operator(root, read_fleet)
    typed = confirm_by_name("Type the deployment's name to approve the plan:", fleet.deployment, confirm=confirm)
    name = run_with_operator(root, lambda operator: operator.approve_rotation(plan_id, plan_hash, typed))
    put(f"Plan {plan_id} is approved by {name}, for as long as the plan is good.")


@command.command("start")
@click.option("--plan", "plan_id", metavar="ID", required=True, help="The plan to carry out.")
@click.option("--hash", "plan_hash", metavar="HASH", required=True, help="The whole hash of that plan.")
@CONFIRM
@REASON
@click.option("--wait/--no-wait", default=True, help="Watch until it has ended or waits for you.  [default: wait]")
@_TIMEOUT_OPTION
@output_option("text", "json")
@click.pass_context
def start(
    ctx: click.Context,
    plan_id: str,
    plan_hash: str,
    confirm: str,
    reason: str,
    wait: bool,
    timeout: timedelta,
    output: str,
) -> None:
    """Carry a plan out: a new CA takes the place of the old one."""
    if not reason.strip():
        raise click.UsageError("--plan needs --hash, as the plan showed it, and --reason.", ctx)
    from backend.cli.confirm import confirm_by_name
    from backend.cli.session import run_with_operator, sole_change
    from backend.cli.status import read_fleet

    fleet = run_with_operator(ctx.obj, read_fleet)
    say(f"CA rotation of {fleet.deployment}, with {len(fleet)} clients, as plan {plan_id} showed it.")
    typed = confirm_by_name("Type the deployment's name to start it:", fleet.deployment, confirm=confirm)

    async def go(operator: Operator) -> Rotation:
        started = await operator.start_rotation(plan_id, plan_hash, deployment=typed, reason=reason, origin="cli")
        return await follow(operator, started, timeout) if wait else started

    with sole_change(ctx.obj):
        _end(ctx, run_with_operator(ctx.obj, go), output, watched=wait)


@command.command("status")
@click.option("--id", "rotation_id", default="", help="Another rotation than the open or the last one.")
@click.option("--all", "all_clients", is_flag=True, help="List the clients that nobody waits for, too.")
@click.option("--follow", "is_followed", is_flag=True, help="Report progress until it has ended or waits for you.")
@_TIMEOUT_OPTION
@output_option("text", "json")
@click.pass_context
def status(
    ctx: click.Context, rotation_id: str, all_clients: bool, is_followed: bool, timeout: timedelta, output: str
) -> None:
    """Show the CA generations and where the rotation stands."""
    from backend.cli.rotationforms import authorities_text, json_text, rotation_text, rotation_values
    from backend.cli.session import run_with_operator
    from backend.core.errors import NotFound

    async def look(operator: Operator) -> tuple[str, Rotation | None]:
        try:
            found = await operator.rotation(rotation_id)
        except NotFound:
            if rotation_id:
                raise
            return authorities_text(await operator.authorities()), None
        found = await follow(operator, found, timeout) if is_followed else found
        return authorities_text(await operator.authorities()), found

    known, rotation = run_with_operator(ctx.obj, look)
    if output == "json":
        put(json_text(rotation_values(rotation) if rotation is not None else None))
    else:
        told = (
            "There never was a CA rotation." if rotation is None else rotation_text(rotation, all_clients=all_clients)
        )
        put(f"{known}\n\n{told}")
    if is_followed and rotation is not None:
        ctx.exit(int(_exit_of(rotation)))


@command.command("destroy")
@click.argument("generation", type=click.IntRange(1))
@CONFIRM
@click.pass_obj
def destroy(root: Root, generation: int, confirm: str) -> None:
    """Destroy the key of a distrusted CA generation, for good: the end of a rotation with overlap."""
    from backend.cli.confirm import confirm_by_name
    from backend.cli.rotationforms import authorities_text
    from backend.cli.session import run_with_operator, sole_change
    from backend.cli.status import read_fleet

    fleet = run_with_operator(root, read_fleet)
    say(f"The key of CA generation {generation} of {fleet.deployment} would be destroyed: no way back then.")
    typed = confirm_by_name("Type the deployment's name to destroy it:", fleet.deployment, confirm=confirm)
    with sole_change(root):
        put(authorities_text(run_with_operator(root, lambda operator: operator.destroy_authority(generation, typed))))


def _show_plan(made: RotationPlan, output: str) -> Exit:
    from backend.cli.rotationforms import blockers, json_text, plan_text, plan_values

    put(json_text(plan_values(made)) if output == "json" else plan_text(made))
    failed = blockers(made)["fail"]
    if failed:
        say(f"{failed} checks forbid it; nothing was changed.")
        return Exit.REFUSED
    if made.wants_approval:
        say(f"Somebody else has to approve it: mocdeck rotate-ca approve --plan {made.id} --hash {made.hash}")
    say(
        f"Nothing was changed. To carry it out: mocdeck rotate-ca start --plan {made.id} --hash {made.hash} "
        f'--confirm {shlex.quote(made.deployment)} --reason "..."'
    )
    return Exit.OK


def _end(ctx: click.Context, rotation: Rotation, output: str, *, watched: bool) -> None:
    from backend.cli.rotationforms import json_text, rotation_text, rotation_values

    put(json_text(rotation_values(rotation)) if output == "json" else rotation_text(rotation, all_clients=False))
    ctx.exit(int(_exit_of(rotation) if watched else Exit.OK))


async def follow(operator: Operator, rotation: Rotation, patience: timedelta) -> Rotation:
    """Report phases and counts until the rotation ends or only a person can move it on.

    The agent may be away for a moment, at the cutover of a disruptive rotation or for any other reason.
    """
    from backend.cli.rotationforms import rotation_counts, waits_for_a_person
    from backend.clock import SystemClock
    from backend.core.errors import AgentError

    clock = SystemClock()
    started, told, lost = clock.monotonic(), "", 0
    while True:
        line = f"{rotation.phase}: {rotation_counts(rotation)}"
        if line != told:
            say(line)
            told = line
        if rotation.ended_at or waits_for_a_person(rotation):
            return rotation
        if clock.monotonic() - started >= patience.total_seconds():
            say(f"Not ended after {patience}; the agent goes on. Watch it with `mocdeck rotate-ca status --follow`.")
            return rotation
        await clock.sleep(1.0)
        try:
            rotation = await operator.rotation(rotation.id)
            lost = 0
        except AgentError as error:
            lost += 1
            if error.reason not in {"unreachable", "fenced"} or lost > 30:
                raise


def _exit_of(rotation: Rotation) -> Exit:
    if not rotation.ended_at:
        return Exit.UNVERIFIED
    if rotation.outcome not in {"completed", "rehearsed"}:
        return Exit.REFUSED
    if rotation.kind == "disruptive":
        return Exit.PARTLY if rotation.written_off else Exit.OK
    if rotation.kind == "rehearsal":
        is_partly = any(one.route == "itself" and one.level not in {"E3", "E4", "E5"} for one in rotation.clients)
    else:
        is_partly = any(one.written_off for one in rotation.clients)
    return Exit.PARTLY if is_partly else Exit.OK
