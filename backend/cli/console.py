"""Standard output carries data, standard error everything said to a person; colour only where a terminal shows it.

Owns the two channels, the questions on a terminal, and aligned plain tables. Texts from agents are made inert before
they are printed, whatever they passed through.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import click

from backend.core.aligned import GAP, aligned
from backend.core.inert import inert

_COLOURS: Final[Mapping[str, dict[str, object]]] = {
    "expired": {"fg": "red", "bold": True, "reverse": True},
    "critical": {"fg": "red", "bold": True},
    "unknown": {"fg": "magenta"},
    "warning": {"fg": "yellow"},
    "info": {"fg": "cyan"},
}
_CELL: Final = 400


def put(text: str) -> None:
    """Write data to standard output."""
    click.echo(text, color=wants_colour())


def say(text: str) -> None:
    """Tell a person something, on standard error."""
    click.echo(text, err=True, color=False)


def wants_colour() -> bool:
    """Tell whether standard output is a terminal that may be coloured (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def can_ask() -> bool:
    """Tell whether a person is there to answer: both the question and the answer have a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> str:
    """Put a question on standard error and return the line that was typed, without spaces around it."""
    click.echo(f"{question} ", err=True, nl=False)
    return sys.stdin.readline().strip()


def coloured(text: str, severity: str) -> str:
    """Return `text` in the colour of a severity's word; plain where no colour is wanted."""
    style = _COLOURS.get(severity)
    return click.style(text, **style) if style and wants_colour() else text  # type: ignore[arg-type]


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, severities: Sequence[str] = (), are_inert: bool = False
) -> str:
    """Return an aligned table; `severities`, one a row, colour the first column.

    `are_inert`: the cells come from the fleet's columns, where every text was made inert already.
    """
    cleaned = rows if are_inert else [[inert(cell, limit=_CELL) for cell in row] for row in rows]
    made, first = aligned([header, *cleaned])
    if severities and wants_colour():
        made[1:] = [
            coloured(line[:first], word) + line[first:] for line, word in zip(made[1:], severities, strict=True)
        ]
    return "\n".join(made)


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return `name  value` lines, aligned; empty values are left out."""
    shown = [(name, inert(value, limit=2000)) for name, value in pairs if value]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"{name.ljust(width)}{GAP}{value}" for name, value in shown)
