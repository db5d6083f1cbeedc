"""The options that say how the dashboard draws; the same ones wherever it is opened from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

C = TypeVar("C", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option("--slow", is_flag=True, help="Spare a slow link: plain colours, no mouse, a tick every five seconds."),
    click.option(
        "--accessible",
        is_flag=True,
        help="For screen readers and braille displays: a cursor on the row, ASCII, no boxes, nothing moves by itself.",
    ),
    click.option("--no-mouse", "mouse", is_flag=True, flag_value=False, default=True, help="Leave the mouse alone."),
    click.option(
        "--no-diff", "diff", is_flag=True, flag_value=False, default=True, help="Send whole lines, not changed cells."
    ),
)


def screen_options(command: C) -> C:
    """Give a command `slow`, `accessible`, `mouse` and `diff`, as keywords that are truth values."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
