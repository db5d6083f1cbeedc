"""Commands that choose what an action is about."""

from __future__ import annotations

from typing import Final

from tui.commands.command import (
    FLEET,
    TIMELINE,
    Command,
    Group,
)


def _mark(command_id: str, keys: tuple[str, ...], key: str, label: str, text: str, *, footer: bool = False) -> Command:
    return Command(
        id=command_id,
        keys=keys,
        key=key,
        label=label,
        help=text,
        group=Group.MARK,
        scope=frozenset({FLEET, TIMELINE}),
        footer=footer,
    )


MARKING: Final[tuple[Command, ...]] = (
    _mark("mark", ("space",), "space", "mark", "mark or unmark this client", footer=True),
    _mark("mark_range", ("V",), "V", "range", "mark everything from the last mark to here"),
    _mark("mark_all", ("asterisk",), "*", "mark all", "mark every client that the filter shows"),
    _mark("unmark", ("U",), "U", "unmark", "remove every mark"),
)
