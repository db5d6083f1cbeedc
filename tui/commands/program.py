"""Commands about the program itself: help, the command line, write mode, the way out."""

from __future__ import annotations

from typing import Final

from tui.commands.command import (
    Command,
    Group,
)

PROGRAM: Final[tuple[Command, ...]] = (
    Command(
        id="help",
        keys=("question_mark",),
        key="?",
        label="help",
        help="the keys of this screen",
        group=Group.PROGRAM,
        footer=True,
    ),
    Command(
        id="command_line",
        keys=("colon", "ctrl+p"),
        key=":",
        label="cmd",
        help="type a command by name; tab completes",
        group=Group.PROGRAM,
        footer=True,
    ),
    Command(
        id="write",
        keys=(),
        key=":write",
        label="write mode",
        help="allow changes in this session; asks for a reason",
        group=Group.PROGRAM,
        argument="REASON",
    ),
    Command(
        id="readonly",
        keys=(),
        key=":readonly",
        label="read-only",
        help="refuse every change again",
        group=Group.PROGRAM,
    ),
    Command(
        id="theme",
        keys=(),
        key=":theme",
        label="theme",
        help="dark, light, ansi (the terminal's own colours) or mono (none); remembered for this site",
        group=Group.PROGRAM,
        argument="NAME",
    ),
    Command(
        id="keep_filter",
        keys=(),
        key=":keep-filter",
        label="keep filter",
        help="start with the present filter at this site from now on; without a filter, with none",
        group=Group.PROGRAM,
    ),
    Command(
        id="suspend",
        keys=("ctrl+z",),
        key="ctrl+z",
        label="suspend",
        help="back to the shell; fg returns",
        group=Group.PROGRAM,
    ),
    Command(
        id="redraw",
        keys=("ctrl+l",),
        key="ctrl+l",
        label="redraw",
        help="draw the whole screen again, after something else has written on it",
        group=Group.PROGRAM,
    ),
    Command(
        id="back",
        keys=("escape",),
        key="esc",
        label="back",
        help="close, clear the filter, or go back",
        group=Group.PROGRAM,
    ),
    Command(
        id="quit",
        keys=("q",),
        key="q",
        label="quit",
        help="leave this screen; on the first one, the program",
        group=Group.PROGRAM,
        footer=True,
    ),
)
