"""Commands of the CA rotation: before it, while one with overlap runs, and of a rehearsal."""

from __future__ import annotations

from typing import Final

from tui.commands.command import OVERLAP, REHEARSAL, ROTATION_PLAN, Command, Group

_PLAN: Final = frozenset({ROTATION_PLAN})
_OVERLAP: Final = frozenset({OVERLAP})


def _act(
    command_id: str, key: str, label: str, text: str, scope: frozenset[str] = _OVERLAP, *, footer: bool = True
) -> Command:
    return Command(
        id=command_id,
        keys=(key,),
        key=key,
        label=label,
        help=text,
        group=Group.ACT,
        scope=scope,
        mutates=True,
        footer=footer,
    )


def _look(command_id: str, key: str, label: str, text: str, *, footer: bool = True) -> Command:
    return Command(
        id=command_id, keys=(key,), key=key, label=label, help=text, group=Group.LOOK, scope=_PLAN, footer=footer
    )


ROTATING: Final[tuple[Command, ...]] = (
    _act("confirm_rotation", "C", "confirm", "confirm this plan: type the deployment's name and give a reason", _PLAN),
    _look("plan_overlap", "o", "overlap", "plan the rotation in which no client loses the agent"),
    _look("plan_disruptive", "d", "disruptive", "plan the rotation in which every client loses the agent"),
    _look("plan_compromise", "c", "compromise", "plan the rotation after the CA's key was stolen", footer=False),
    _look("plan_rehearsal", "r", "rehearsal", "plan a rehearsal, which changes nothing and says who would block"),
    _look("settings", "s", "settings", "change how a rotation with overlap goes on, and plan anew"),
    _act("approve", "A", "approve", "approve a plan that somebody else made, as the second person", _PLAN),
    _look("last_rotation", "l", "last one", "show how the last CA rotation ended"),
    _act("advance", "P", "go on", "leave this phase, whose gates are met; takes off a hold and vouches for the clock"),
    _act("hold", "H", "hold", "stop every move until somebody goes on; no client loses anything"),
    _act("roll_back", "B", "roll back", "go back to the old CA, possible until its key is destroyed"),
    _act("end_rehearsal", "B", "end it", "end the rehearsal early; nothing was changed by it", frozenset({REHEARSAL})),
    _act("waive", "V", "waive", "wait no longer for the marked clients, or the one under the cursor"),
    _act("give_up", "W", "write off", "give those clients up: their certificates are revoked, nobody waits for them"),
    _act("automatic", "M", "automatic", "from here on leave each phase as soon as its gates are met"),
    _act("destroy_key", "D", "destroy key", "destroy the old CA's key, which ends the rotation: no way back after it"),
    Command(
        id="mark_awaited",
        keys=("space",),
        key="space",
        label="mark",
        help="mark or unmark the client under the cursor, to waive or write off several",
        group=Group.MARK,
        scope=_OVERLAP,
    ),
    Command(
        id="mark_all_awaited",
        keys=("asterisk",),
        key="*",
        label="mark awaited",
        help="mark every client that this phase waits for",
        group=Group.MARK,
        scope=_OVERLAP,
    ),
    Command(
        id="unmark_awaited",
        keys=("U",),
        key="U",
        label="unmark",
        help="remove every mark",
        group=Group.MARK,
        scope=_OVERLAP,
    ),
)
