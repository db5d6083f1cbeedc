"""Fill the block between the help markers of README.md with the help of every command; `--check` only compares."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.cli.root import cli  # noqa: E402 - the path above makes it importable from a plain checkout

BEGIN = "<!-- help:begin -->"
END = "<!-- help:end -->"
WIDTH = 110


def help_block() -> str:
    """Every command with its usage, first sentence and options, in the order of `mocdeck --help`."""
    root = click.Context(cli, info_name="mocdeck", max_content_width=WIDTH, terminal_width=WIDTH)
    parts = ["```text", cli.get_help(root).rstrip(), "```"]
    for command, context in _walk(cli, root):
        parts += ["", f"**`{context.command_path}`**: {_sentence(command)}", "", "```text", _compact(command, context)]
        parts.append("```")
    return "\n".join(parts)


def _walk(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context, max_content_width=WIDTH, terminal_width=WIDTH)
        if isinstance(command, click.Group):
            yield from _walk(command, inner)
        else:
            yield command, inner


def _sentence(command: click.Command) -> str:
    return " ".join((command.help or "").replace("\b", "").split("\n\n")[0].split())


def _compact(command: click.Command, context: click.Context) -> str:
    formatter = context.make_formatter()
    command.format_usage(context, formatter)
    options = [one for one in command.get_params(context) if isinstance(one, click.Option)]
    rows = [record for option in options if (record := option.get_help_record(context))]
    rows = [(names, text) for names, text in rows if "--help" not in names]
    if rows:
        formatter.write_dl(rows)
    return formatter.getvalue().rstrip()


def filled(text: str) -> str:
    """Return `text` with the block between the markers made anew.

    Raises:
        ValueError: the markers are not both there, in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md needs the markers {BEGIN} and {END}, in this order")
    return f"{before}{BEGIN}\n\n{help_block()}\n\n{END}{after}"


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
        print(f"{arguments.file.name}: the help is not that of the commands; run scripts/readme.py", file=sys.stderr)
        return 1
    arguments.file.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
