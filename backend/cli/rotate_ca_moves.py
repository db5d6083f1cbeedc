"""What an operator tells an open CA rotation on the command line; each asks for the deployment's name.

`advance`, `hold`, `rollback`, `waive` and `write-off` are for one with overlap; `proceed`, `abort` and `finish` for the
disruptive one. The agent refuses what is for the other kind, and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from backend.cli.console import put, say
from backend.cli.root import Root

if TYPE_CHECKING:
    from backend.wire.mocdeck.v1.authority_pb2 import RotationMove

REASON = click.option("--reason", default="", help="Goes into the audit trail.")
CONFIRM = click.option(
    "--confirm", metavar="DEPLOYMENT", default="", help="The deployment's name, typed; --yes does not exist here."
)


@click.command("advance")
@click.option("--auto", "automatic", is_flag=True, help="And leave each later phase as soon as its gates are met.")
@CONFIRM
@REASON
@click.pass_obj
def advance(root: Root, automatic: bool, confirm: str, reason: str) -> None:
    """Take off a hold and leave the phase, if its gates are met."""
    from backend.wire.mocdeck.v1.authority_pb2 import ADVANCE, AUTOMATIC

    _move(root, AUTOMATIC if automatic else ADVANCE, "Go on", confirm=confirm, reason=reason)


@click.command("hold")
@CONFIRM
@REASON
@click.pass_obj
def hold(root: Root, confirm: str, reason: str) -> None:
    """Stop every move until somebody advances it, and end the automatic mode; no client loses anything."""
    from backend.wire.mocdeck.v1.authority_pb2 import HOLD

    _move(root, HOLD, "Hold it", confirm=confirm, reason=reason)


@click.command("rollback")
@CONFIRM
@REASON
@click.pass_obj
def rollback(root: Root, confirm: str, reason: str) -> None:
    """Go back to the old CA; possible until its key is destroyed. Ends a rehearsal."""
    from backend.wire.mocdeck.v1.authority_pb2 import ROLL_BACK

    _move(root, ROLL_BACK, "Roll it back", confirm=confirm, reason=reason)


@click.command("waive")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@CONFIRM
@REASON
@click.pass_obj
def waive(root: Root, names: tuple[str, ...], confirm: str, reason: str) -> None:
    """Wait no longer for these clients; their certificates stay as they are."""
    from backend.wire.mocdeck.v1.authority_pb2 import WAIVE

    what = f"Go on without waiting for {', '.join(names)}"
    _move(root, WAIVE, what, confirm=confirm, reason=reason, written_off=names)


@click.command("write-off")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@CONFIRM
@REASON
@click.pass_obj
def write_off(root: Root, names: tuple[str, ...], confirm: str, reason: str) -> None:
    """Give these dead clients up: their certificates are revoked, and nobody waits for them."""
    from backend.wire.mocdeck.v1.authority_pb2 import WRITE_OFF

    what = f"Revoke the certificates of {', '.join(names)} and go on without them"
    _move(root, WRITE_OFF, what, confirm=confirm, reason=reason, written_off=names)


@click.command("proceed")
@CONFIRM
@REASON
@click.pass_obj
def proceed(root: Root, confirm: str, reason: str) -> None:
    """Disruptive: go on without waiting for clients that could still be informed."""
    from backend.wire.mocdeck.v1.authority_pb2 import PROCEED

    _move(root, PROCEED, "Go on without waiting", confirm=confirm, reason=reason)


@click.command("abort")
@CONFIRM
@REASON
@click.pass_obj
def abort(root: Root, confirm: str, reason: str) -> None:
    """Disruptive: give the rotation up; possible until the cutover."""
    from backend.wire.mocdeck.v1.authority_pb2 import ABORT

    _move(root, ABORT, "Give it up", confirm=confirm, reason=reason)


@click.command("finish")
@click.option("--write-off", "written_off", metavar="NAME", multiple=True, help="A stuck client to end without.")
@CONFIRM
@REASON
@click.pass_obj
def finish(root: Root, written_off: tuple[str, ...], confirm: str, reason: str) -> None:
    """Disruptive: end the rotation, with the clients that are stuck written off by name."""
    from backend.wire.mocdeck.v1.authority_pb2 import FINISH

    what = f"End it without {', '.join(written_off)}" if written_off else "End it"
    _move(root, FINISH, what, confirm=confirm, reason=reason, written_off=written_off)


MOVES: Final = (advance, hold, rollback, waive, write_off, proceed, abort, finish)


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
