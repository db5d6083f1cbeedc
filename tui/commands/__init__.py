"""The registry of commands: every key, its word, its help, and whether it changes anything.

One list, made from a module per group. Bindings, the footer, the help screen, the `:` line and the gate are made from
it, so a command that is not here does not exist, and one that changes something cannot forget to say so. A command's
handler is the method `cmd_<id>` of the screen it is given to, or of the app. It knows no widget and no agent.
"""

from __future__ import annotations

from typing import Final

from tui.commands.acting import ACTING
from tui.commands.command import (
    ALERTS,
    CLUSTERS,
    DETAIL,
    DIAGNOSIS,
    EVENTS,
    EVERYWHERE,
    FLEET,
    FORECAST,
    HELP,
    JOBS,
    LISTS,
    NOTE,
    OPERATION,
    OVERLAP,
    REHEARSAL,
    ROTATION,
    ROTATION_PLAN,
    TEXTS,
    TIMELINE,
    Command,
    Group,
    Needs,
)
from tui.commands.looking import LOOKING
from tui.commands.marking import MARKING
from tui.commands.moving import MOVING
from tui.commands.papers import PAPERS
from tui.commands.program import PROGRAM
from tui.commands.replaying import REPLAYING
from tui.commands.rotating import ROTATING
from tui.commands.runway import RUNWAY
from tui.commands.timeline import GRID
from tui.commands.views import VIEWS

__all__ = [
    "ALERTS",
    "BY_ID",
    "CLUSTERS",
    "COMMANDS",
    "DETAIL",
    "DIAGNOSIS",
    "EVENTS",
    "EVERYWHERE",
    "FLEET",
    "FORECAST",
    "HELP",
    "JOBS",
    "LISTS",
    "NOTE",
    "OPERATION",
    "OVERLAP",
    "REHEARSAL",
    "ROTATION",
    "ROTATION_PLAN",
    "TEXTS",
    "TIMELINE",
    "Command",
    "Group",
    "Needs",
    "complete",
    "of_screen",
]

COMMANDS: Final[tuple[Command, ...]] = (
    *ACTING,
    *ROTATING,
    *LOOKING,
    *GRID,
    *RUNWAY,
    *PAPERS,
    *MARKING,
    *MOVING,
    *VIEWS,
    *REPLAYING,
    *PROGRAM,
)
BY_ID: Final = {command.id: command for command in COMMANDS}


def of_screen(scope: str) -> tuple[Command, ...]:
    """Return the commands that a screen has, in the registry's order."""
    return tuple(command for command in COMMANDS if scope in command.scope)


def complete(typed: str, scope: str) -> tuple[Command, ...]:
    """Return the commands of a screen whose name begins with what was typed, then those that contain it."""
    word = typed.strip().lower().replace("-", "_").replace(" ", "_")
    commands = of_screen(scope)
    first = [command for command in commands if command.id.startswith(word)]
    return (*first, *(command for command in commands if word in command.id and command not in first))
