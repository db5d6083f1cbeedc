"""`mocdeck rotate-ca plan | run | status | proceed | abort | finish | destroy`: the disruptive rotation of the CA.

A dry run unless the plan is given by id and hash and the deployment's name is typed (domain.md, US-15 and US-20).
"""

from __future__ import annotations

import json
import shlex
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import click

from backend.cli.console import put, say
from backend.cli.exits import Exit
from backend.cli.params import duration, output_option
from backend.cli.root import Root

if TYPE_CHECKING:
    from backend.client.operator import Operator
    from backend.wire.mocdeck.v1.authority_pb2 import Rotation, RotationMove

_TIMEOUT: Final = timedelta(minutes=30)
_REASON = click.option("--reason", default="", help="Goes into the audit trail.")
_CONFIRM = click.option(
    "--confirm", metavar="DEPLOYMENT", default="", help="The deployment's name, typed; --yes does not exist here."
)
_TIMEOUT_OPTION = click.option("--timeout", type=duration, default=_TIMEOUT, help="How long to watch.  [default: 30m]")


@click.group("rotate-ca")
def command() -> None:
    """Invoke-AksHciRotateCACertificate: plan, run and watch the disruptive rotation of the CA."""


@command.command("plan")
@output_option("text", "json")
@click.pass_context
def plan(ctx: click.Context, output: str) -> None:
    """Show readiness and what every client loses; changes nothing. Exit 5 if something forbids it."""
    ctx.exit(int(_show_plan(ctx.obj, output)))


@command.command("run")
@click.option("--plan", "plan_id", metavar="ID", default="", help="The plan to carry out; without it, a dry run.")
@click.option("--hash", "plan_hash", metavar="HASH", default="", help="The whole hash of that plan.")
@_CONFIRM
@_REASON
@click.option("--wait/--no-wait", default=True, help="Watch until it has ended.  [default: wait]")
@_TIMEOUT_OPTION
@output_option("text", "json")
@click.pass_context
def run(
    ctx: click.Context,
    plan_id: str,
    plan_hash: str,
    confirm: str,
    reason: str,
    wait: bool,
    timeout: timedelta,
    output: str,
) -> None:
    """Carry a plan out: a new CA, and every client signs in again."""
    if not plan_id:
        ctx.exit(int(_show_plan(ctx.obj, output)))
    if not plan_hash or not reason.strip():
        raise click.UsageError("--plan needs --hash, as the plan showed it, and --reason.", ctx)
    from backend.cli.confirm import confirm_by_name
    from backend.cli.rotationforms import rotation_text, rotation_values
    from backend.cli.session import run_with_operator, sole_change
    from backend.cli.status import read_fleet

    fleet = run_with_operator(ctx.obj, read_fleet)
    say(f"CA rotation of {fleet.deployment}: every one of its {len(fleet)} clients loses its connection.")
    typed = confirm_by_name("Type the deployment's name to start it:", fleet.deployment, confirm=confirm)

    async def start(operator: Operator) -> Rotation:
        started = await operator.start_rotation(plan_id, plan_hash, deployment=typed, reason=reason, origin="cli")
        return await _follow(operator, started, timeout) if wait else started

    with sole_change(ctx.obj):
        rotation = run_with_operator(ctx.obj, start)
    put(_json(rotation_values(rotation)) if output == "json" else rotation_text(rotation, all_clients=False))
    ctx.exit(int(_exit_of(rotation) if wait else Exit.OK))


@command.command("status")
@click.option("--id", "rotation_id", default="", help="Another rotation than the open or the last one.")
@click.option("--all", "all_clients", is_flag=True, help="List the clients that are back, too.")
@click.option("--follow", is_flag=True, help="Report progress until it has ended; the exit code tells how.")
@_TIMEOUT_OPTION
@output_option("text", "json")
@click.pass_context
def status(
    ctx: click.Context, rotation_id: str, all_clients: bool, follow: bool, timeout: timedelta, output: str
) -> None:
    """Show the CA generations and where the rotation stands."""
    from backend.cli.rotationforms import authorities_text, rotation_text, rotation_values
    from backend.cli.session import run_with_operator
    from backend.core.errors import NotFound

    async def look(operator: Operator) -> tuple[str, Rotation | None]:
        known = authorities_text(await operator.authorities())
        try:
            found = await operator.rotation(rotation_id)
        except NotFound:
            if rotation_id:
                raise
            return known, None
        return known, await _follow(operator, found, timeout) if follow else found

    known, rotation = run_with_operator(ctx.obj, look)
    if output == "json":
        put(_json(rotation_values(rotation) if rotation is not None else None))
    else:
        told = (
            "There never was a CA rotation." if rotation is None else rotation_text(rotation, all_clients=all_clients)
        )
        put(f"{known}\n\n{told}")
    if follow and rotation is not None:
        ctx.exit(int(_exit_of(rotation)))


@command.command("proceed")
@_CONFIRM
@_REASON
@click.pass_obj
def proceed(root: Root, confirm: str, reason: str) -> None:
    """Go on without waiting for clients that could still be informed."""
    from backend.wire.mocdeck.v1.authority_pb2 import PROCEED

    _move(root, PROCEED, "Go on without waiting", confirm=confirm, reason=reason)


@command.command("abort")
@_CONFIRM
@_REASON
@click.pass_obj
def abort(root: Root, confirm: str, reason: str) -> None:
    """Give the rotation up; possible until the cutover."""
    from backend.wire.mocdeck.v1.authority_pb2 import ABORT

    _move(root, ABORT, "Give it up", confirm=confirm, reason=reason)


@command.command("finish")
@click.option("--write-off", "written_off", metavar="NAME", multiple=True, help="A stuck client to end without.")
@_CONFIRM
@_REASON
@click.pass_obj
def finish(root: Root, written_off: tuple[str, ...], confirm: str, reason: str) -> None:
    """End the rotation, with the clients that are stuck written off by name."""
    from backend.wire.mocdeck.v1.authority_pb2 import FINISH

    what = f"End it without {', '.join(written_off)}" if written_off else "End it"
    _move(root, FINISH, what, confirm=confirm, reason=reason, written_off=written_off)


@command.command("destroy")
@click.argument("generation", type=click.IntRange(1))
@_CONFIRM
@click.pass_obj
def destroy(root: Root, generation: int, confirm: str) -> None:
    """Destroy the key of a distrusted CA generation, for good."""
    from backend.cli.confirm import confirm_by_name
    from backend.cli.rotationforms import authorities_text
    from backend.cli.session import run_with_operator, sole_change
    from backend.cli.status import read_fleet

    fleet = run_with_operator(root, read_fleet)
    say(f"The key of CA generation {generation} of {fleet.deployment} would be destroyed, for good.")
    typed = confirm_by_name("Type the deployment's name to destroy it:", fleet.deployment, confirm=confirm)
    with sole_change(root):
        put(authorities_text(run_with_operator(root, lambda operator: operator.destroy_authority(generation, typed))))


def _show_plan(root: Root, output: str) -> Exit:
    from backend.cli.rotationforms import blockers, plan_text, plan_values
    from backend.cli.session import run_with_operator

    made = run_with_operator(root, lambda operator: operator.plan_rotation())
    put(_json(plan_values(made)) if output == "json" else plan_text(made))
    failed = blockers(made)["fail"]
    if failed:
        say(f"{failed} checks forbid it; nothing was changed.")
        return Exit.REFUSED
    say(
        f"Nothing was changed. To carry it out: mocdeck rotate-ca run --plan {made.id} --hash {made.hash} "
        f'--confirm {shlex.quote(made.deployment)} --reason "..."'
    )
    return Exit.OK


def _move(
    root: Root, move: RotationMove, what: str, *, confirm: str, reason: str, written_off: tuple[str, ...] = ()
) -> None:
    from backend.cli.confirm import confirm_by_name
    from backend.cli.rotationforms import rotation_counts, rotation_text
    from backend.cli.session import run_with_operator

    rotation = run_with_operator(root, lambda operator: operator.rotation())
    say(rotation_text(rotation, all_clients=False))
    confirm_by_name(f"{what}? Type the deployment's name:", rotation.deployment, confirm=confirm)
    # Without the lock: another run may be watching the rotation, and it is this one that it has to be told to end.
    moved = run_with_operator(
        root,
        lambda operator: operator.move_rotation(
            rotation.id, rotation.version, move, written_off=written_off, reason=reason
        ),
    )
    put(f"{moved.phase}: {rotation_counts(moved)}")


async def _follow(operator: Operator, rotation: Rotation, patience: timedelta) -> Rotation:
    """Report phases and counts until the rotation ends; the agent may be away for a moment at the cutover."""
    from backend.cli.rotationforms import rotation_counts
    from backend.clock import SystemClock
    from backend.core.errors import AgentError

    clock = SystemClock()
    started, told, lost = clock.monotonic(), "", 0
    while True:
        line = f"{rotation.phase}: {rotation_counts(rotation)}"
        if line != told:
            say(line)
            told = line
        if rotation.ended_at:
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
    if rotation.outcome != "completed":
        return Exit.REFUSED
    return Exit.PARTLY if rotation.written_off else Exit.OK


def _json(values: object) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False)
