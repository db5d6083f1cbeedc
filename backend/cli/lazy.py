"""A group whose commands are modules that are imported when they run.

The summaries stand in the group's own table, so that `--help` and completion of a command's name import nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
from click.shell_completion import CompletionItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Where a command lies, and its one line for lists."""

    module: str
    attribute: str
    summary: str


class LazyGroup(click.Group):
    """A click group with commands by name, each loaded at first use."""

    def __init__(self, *args: Any, later: Mapping[str, Later] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._later = dict(later or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names in the order of the table, which goes from looking to changing."""
        return [*self._later, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load and return one command."""
        later = self._later.get(cmd_name)
        if later is None:
            return super().get_command(ctx, cmd_name)
        command = getattr(importlib.import_module(later.module), later.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{later.module}.{later.attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, later.summary) for name, later in self._later.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name from the table, and options as click does."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=later.summary)
            for name, later in self._later.items()
            if name.startswith(incomplete)
        ]
