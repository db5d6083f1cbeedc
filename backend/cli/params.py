"""Values on the command line that click has no type for: durations, and the options that many commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from backend.core.durations import parse_duration

F = TypeVar("F", bound=Callable[..., Any])


def duration(value: str | timedelta) -> timedelta:
    """Parse a duration given on the command line; defaults are durations already.

    Raises:
        click.BadParameter: with the forms that are understood.
    """
    if isinstance(value, timedelta):
        return value
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


def check_out(path: Path | None, *, may_be_directory: bool = False) -> None:
    """Refuse a path that cannot be written, before anything is changed for the sake of what goes there.

    Raises:
        click.BadParameter: it is a directory, or its own is missing or closed to us.
    """
    if path is None or (may_be_directory and path.is_dir()):
        return
    if path.is_dir():
        raise click.BadParameter(f"{path} is a directory; name a file in it.", param_hint="--out")
    if not path.parent.is_dir():
        raise click.BadParameter(f"there is no directory {path.parent}; make it first.", param_hint="--out")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise click.BadParameter(f"nothing can be written in {path.parent}; name another place.", param_hint="--out")


def output_option(*forms: str) -> Callable[[F], F]:
    """`--output`, the first form being the default."""
    return click.option(
        "-o", "--output", type=click.Choice(forms), default=forms[0], show_default=True, help="How to print it."
    )


def confirmation_options(what: str) -> Callable[[F], F]:
    """`--dry-run`, `--yes` and `--confirm`, as every changing command has them; `what` is what --confirm repeats."""

    def add(command: F) -> F:
        command = click.option("--confirm", metavar=what.upper(), default="", help=f"Confirm by repeating the {what}.")(
            command
        )
        command = click.option("-y", "--yes", is_flag=True, help="Confirm what is shown without being asked.")(command)
        return click.option("--dry-run", is_flag=True, help="Show what would happen and change nothing.")(command)

    return add
