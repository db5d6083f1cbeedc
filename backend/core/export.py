"""A view as a file: one table with its head, as CSV, JSON or Markdown.

Owns what every export says of itself (observation time, agent, deployment, filter, tool version, SIMULATED), and that
no cell can command a spreadsheet, a Markdown reader or a terminal. What is in a view is the view's. Instants are ISO
8601 in UTC.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from backend.core.inert import inert

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four: full width
_CELL: Final = 4000  # characters of one cell
_HEAD: Final = ("observed_at", "agent", "deployment", "filter", "tool_version", "simulated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """When, where and how a view was seen. `observed_at` is the agent's time; `filter` "" where nothing narrows it."""

    observed_at: datetime
    agent: str
    deployment: str
    tool_version: str
    filter: str = ""
    simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A view's rows in the view's order. `brief` names the columns that Markdown shows, () for all of them.

    `records` are the rows as JSON has them where that is more than one value a column; () for the columns themselves.
    """

    kind: str
    title: str
    names: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    brief: tuple[str, ...] = ()
    records: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.names) for row in self.rows):
            raise ValueError(f"a row of {self.kind} has another length than its {len(self.names)} columns")
        if self.records and len(self.records) != len(self.rows):
            raise ValueError(f"{self.kind} has {len(self.rows)} rows and {len(self.records)} records")


def stamp(moment: datetime | None) -> str:
    """An instant as ISO 8601 in UTC; "" for none."""
    return "" if moment is None else f"{moment.isoformat()[:19]}Z"


def head_values(head: Head) -> dict[str, Any]:
    """The head as part of a JSON document."""
    return {
        "observed_at": stamp(head.observed_at),
        "agent": {"address": head.agent},
        "tool_version": head.tool_version,
        "deployment": head.deployment,
        "simulated": head.simulated,
        "filter": head.filter,
    }


def harmless(cell: object) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay numbers."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA):
        return f"'{cell}"
    return "" if cell is None else cell


def quiet(text: str) -> str:
    """Text inside a Markdown table: nothing that ends the cell or starts markup."""
    for character in "\\`*_[]<>|":
        text = text.replace(character, f"\\{character}")
    return text


def as_csv(table: Table, head: Head) -> str:
    """One line a row, the head's facts repeated on each; formulas are made harmless (CWE-1236)."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow([*table.names, *_HEAD])
    tail = [
        *(stamp(head.observed_at), head.agent, head.deployment, head.filter),
        *(head.tool_version, "SIMULATED" if head.simulated else ""),
    ]
    for row in table.rows:
        writer.writerow([harmless(_plain(cell)) for cell in (*row, *tail)])
    return made.getvalue().rstrip("\n")


def as_json(table: Table, head: Head) -> str:
    """A document of its own schema, `mocdeck.KIND/1`."""
    records = table.records or [dict(zip(table.names, row, strict=True)) for row in table.rows]
    document = {
        "schema": f"mocdeck.{table.kind}/1",
        "observed_at": stamp(head.observed_at),
        "agent": head.agent,
        "deployment": head.deployment,
        "filter": head.filter,
        "tool_version": head.tool_version,
        "simulated": head.simulated,
        "count": len(table.rows),
        "items": records,
    }
    return json.dumps(_inert(document), indent=2, ensure_ascii=False)


def as_markdown(table: Table, head: Head) -> str:
    """The table for a ticket."""
    mark = " **SIMULATED**" if head.simulated else ""
    chosen = f", filter `{_code(head.filter)}`" if head.filter else ""
    shown = table.brief or table.names
    places = [table.names.index(name) for name in shown]
    lines = [
        f"{_cell(head.deployment)}{mark}, agent {_cell(head.agent)}, observed {stamp(head.observed_at)} with mocdeck "
        f"{head.tool_version}{chosen}: {_cell(table.title)}, {len(table.rows)} rows",
        "",
        f"| {' | '.join(name.replace('_', ' ').upper() for name in shown)} |",
        "|" + "---|" * len(shown),
    ]
    lines += [f"| {' | '.join(_cell(row[place]) for place in places)} |" for row in table.rows]
    return "\n".join(lines)


FORMS: Final[Mapping[str, Callable[[Table, Head], str]]] = {"csv": as_csv, "json": as_json, "markdown": as_markdown}
SUFFIXES: Final[Mapping[str, str]] = {"csv": "csv", "json": "json", "markdown": "md"}


def _plain(cell: object) -> object:
    if isinstance(cell, str):
        return inert(cell, _CELL)
    return stamp(cell) if isinstance(cell, datetime) else cell


def _cell(cell: object) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return "" if cell is None else quiet(str(_plain(cell)))


def _code(text: str) -> str:
    return inert(text, _CELL).replace("`", "'")


def _inert(value: Any) -> Any:
    """The same value with every text in it made inert."""
    if isinstance(value, Mapping):
        return {inert(str(name), _CELL): _inert(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_inert(one) for one in value]
    return (stamp(value) or None) if isinstance(value, datetime) else _plain(value)
