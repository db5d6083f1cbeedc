"""Commands that write something down for others: a report, the note of a shift. None of them changes anything."""

from __future__ import annotations

from typing import Final

from tui.commands.command import Command, Group

PAPERS: Final[tuple[Command, ...]] = (
    Command(
        id="report",
        keys=(),
        key=":report",
        label="report",
        help="write this view as CSV, the screen as SVG and the newest audit events into one directory",
        group=Group.LOOK,
    ),
    Command(
        id="handover",
        keys=(),
        key=":handover",
        label="hand-over",
        help="write the note of the last eight hours for the next shift, and show it",
        group=Group.LOOK,
    ),
)
