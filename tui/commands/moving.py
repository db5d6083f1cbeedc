"""Commands that move the cursor or the text."""

from __future__ import annotations

from typing import Final

from tui.commands.command import (
    LISTS,
    TEXTS,
    Command,
    Group,
)


def _move(command_id: str, keys: tuple[str, ...], key: str, text: str) -> Command:
    return Command(
        id=command_id,
        keys=keys,
        key=key,
        label=command_id.replace("_", " "),
        help=text,
        group=Group.MOVE,
        scope=LISTS | TEXTS,
    )


MOVING: Final[tuple[Command, ...]] = (
    _move("down", ("j", "down"), "j", "next line"),
    _move("up", ("k", "up"), "k", "line before"),
    _move("page_down", ("pagedown",), "pgdn", "next page"),
    _move("page_up", ("pageup",), "pgup", "page before"),
    _move("top", ("g", "home"), "g", "first line"),
    _move("bottom", ("G", "end"), "G", "last line"),
)
