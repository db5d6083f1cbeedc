"""Fill the made blocks of README.md: commands, exit codes and the dashboard's keys; `--check` only compares.

The blocks come from the program itself, so the README cannot promise a key or an option that is not there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.cli.exits import MEANINGS  # noqa: E402 - the path above makes it importable from a plain checkout
from backend.cli.root import cli  # noqa: E402 - likewise
from tui.commands import COMMANDS, EVERYWHERE, Command, Group  # noqa: E402 - likewise

WIDTH: Final = 100
CHOICES: Final = 40  # characters from which on a list of choices stands in the text instead of in the left column
# Options that mean the same wherever they stand: the README says it once, a command only names them.
SHARED: Final = ("--dry-run", "--yes", "--confirm", "--output", "--reason", "--log-format")

Row = tuple[str, str]
Found = tuple[click.Command, click.Context]


def help_block() -> str:
    """Every command with its usage, first sentence and options, in the order of `mocdeck --help`."""
    root = _context(cli, None, "mocdeck")
    blocks = [[_usage(cli, root), *_table(_options(cli, root), root)]]
    joined = False  # single commands in a row share a block
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        if command is None or command.hidden:
            continue
        is_group = isinstance(command, click.Group)
        if is_group or not joined:
            blocks.append([])
        for found in _walk(command, _context(command, root, name)):
            blocks[-1] += ["", *_described(*found)]
        joined = not is_group
    return "\n\n".join("```text\n" + "\n".join(lines).strip("\n") + "\n```" for lines in blocks)


def exit_block() -> str:
    """The exit codes as a table."""
    return "\n".join(
        ["| code | meaning |", "|---:|---|", *(f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items())]
    )


def keys_block() -> str:
    """The dashboard's keys, a table for each heading of its help screen."""
    parts: list[str] = []
    for group in Group:
        parts += ["", f"**{group.value}**", "", "| key | `:` name | what it does | on |", "|---|---|---|---|"]
        parts += [_key_row(command) for command in COMMANDS if command.group is group]
    return "\n".join(parts).strip()


BLOCKS: Final[Mapping[str, Callable[[], str]]] = {"keys": keys_block, "help": help_block, "exits": exit_block}
_KEY_NAMES: Final = {"pagedown": "pgdn", "pageup": "pgup"}


def _key_row(command: Command) -> str:
    names = [command.key, *(_KEY_NAMES.get(key, key) for key in command.keys[1:])]
    keys = " ".join(f"`{name}`" for name in names)
    where = "every screen" if command.scope == EVERYWHERE else ", ".join(sorted(command.scope))
    return f"| {keys} | {command.id.replace('_', '-')} | {command.help.replace('|', chr(92) + '|')} | {where} |"


def _context(command: click.Command, parent: click.Context | None, name: str) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, max_content_width=WIDTH, terminal_width=WIDTH)


def _walk(command: click.Command, context: click.Context) -> Iterator[Found]:
    """The command itself, or what a group holds."""
    if not isinstance(command, click.Group):
        yield command, context
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None and not inner.hidden:
            yield from _walk(inner, _context(inner, context, name))


def _described(command: click.Command, context: click.Context) -> Iterator[str]:
    yield _usage(command, context)
    yield f"  {_sentence(command)}"
    options = _options(command, context)
    yield from _table([row for row in options if not _is_shared(row)], context)
    shared = "  ".join(names.removeprefix("-y, ").removeprefix("-o, ") for names, _ in filter(_is_shared, options))
    if shared:
        yield f"    {shared}"


def _is_shared(row: Row) -> bool:
    return any(f" {name} " in f" {row[0]} " for name in SHARED)


def _usage(command: click.Command, context: click.Context) -> str:
    pieces = [piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]"]
    return " ".join([context.command_path, *pieces])


def _sentence(command: click.Command) -> str:
    return " ".join((command.help or "").replace("\b", "").split("\n\n")[0].split())


def _options(command: click.Command, context: click.Context) -> list[Row]:
    options = [one for one in command.get_params(context) if isinstance(one, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context))]
    return [_narrow(names, text) for names, text in records if "--help" not in names]


def _narrow(names: str, text: str) -> Row:
    """Move a long list of choices from the name of an option to its text."""
    name, _, choices = names.partition(" [")
    if len(choices) < CHOICES:
        return names, text
    return f"{name} {name.lstrip('-').upper()}", f"{text} One of {choices.rstrip(']').replace('|', ', ')}.".strip()


def _table(rows: list[Row], context: click.Context) -> list[str]:
    if not rows:
        return []
    formatter = context.make_formatter()
    with formatter.indentation():
        formatter.indent()
        formatter.write_dl(rows, col_max=34)
    return formatter.getvalue().rstrip().splitlines()


def filled(text: str) -> str:
    """Return `text` with every made block anew.

    Raises:
        ValueError: the two markers of a block are not there, in order.
    """
    for name, make in BLOCKS.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"README.md needs the markers {begin} and {end}, in this order")
        text = f"{before}{begin}\n\n{make()}\n\n{end}{after}"
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare and change nothing")
    parser.add_argument("--file", type=Path, default=ROOT / "README.md")
    arguments = parser.parse_args()
    text = arguments.file.read_text(encoding="utf-8")
    try:
        wanted = filled(text)
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    if wanted == text:
        return 0
    if arguments.check:
        print(f"{arguments.file.name}: its made blocks differ from the program; run: make readme", file=sys.stderr)
        return 1
    arguments.file.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
