"""A forecast as text for people and as data for programs: one sheet, four forms.

A sheet is a table with lines above and below it, and the same facts as plain values. Instants are ISO 8601 in UTC; the
JSON document's form is versioned by its schema, `mocdeck.forecast.<kind>/1`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import backend
from backend.cli.console import table
from backend.cli.exits import Exit
from backend.core.countdown import countdown
from backend.core.export import harmless, quiet, stamp
from backend.core.fleet import FleetColumns

WORDS: Final = {Exit.CRITICAL: "critical", Exit.UNKNOWN: "unknown", Exit.WARNING: "warning", Exit.OK: "ok"}


def worst(codes: Iterable[Exit]) -> Exit:
    """Return the code that wins: 2 before 3 before 1 before 0 (domain.md, section 17)."""
    return min(codes, key=list(WORDS).index, default=Exit.OK)


def left(end: datetime | None, now: datetime) -> str:
    """Return the countdown to `end`; a dash for none."""
    return "-" if end is None else countdown(end - now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Whose fleet a sheet is about, and when it was read."""

    fleet: FleetColumns
    now: datetime
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One answer. `rows` are the table's cells, `words` one severity a row for its colour; `records` the rows as data.

    `values` are the answer's own facts beside its rows, under names that no head of a document has.
    """

    kind: str
    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    words: Sequence[str]
    records: list[dict[str, Any]]
    values: dict[str, Any]
    code: Exit
    nothing: str
    head: tuple[str, ...] = ()
    foot: tuple[str, ...] = field(default=())


def as_table(sheet: Sheet, source: Source) -> str:
    """Head, table and what follows from it."""
    mark = "SIMULATED  " if source.fleet.simulated else ""
    lines = [f"{mark}{source.fleet.deployment}  agent {source.address}  at {stamp(source.now)}", sheet.title]
    lines += [*sheet.head, ""]
    lines.append(table(sheet.columns, sheet.rows, severities=sheet.words) if sheet.rows else sheet.nothing)
    if sheet.foot:
        lines += ["", *sheet.foot]
    return "\n".join(lines)


def as_json(sheet: Sheet, source: Source) -> str:
    """The versioned document."""
    return json.dumps(document(sheet, source), indent=2, ensure_ascii=False)


def document(sheet: Sheet, source: Source) -> dict[str, Any]:
    """The sheet as plain values."""
    return {
        "schema": f"mocdeck.forecast.{sheet.kind}/1",
        "observed_at": stamp(source.now),
        "agent": {"address": source.address, "version": source.fleet.agent_version},
        "tool_version": backend.__version__,
        "deployment": source.fleet.deployment,
        "deployment_id": source.fleet.deployment_id,
        "simulated": source.fleet.simulated,
        "exit_code": int(sheet.code),
        **sheet.values,
        "items": sheet.records,
    }


def as_csv(sheet: Sheet, source: Source) -> str:
    """One line a row, the head's facts repeated on each; formulas are made harmless (CWE-1236)."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    names = list(sheet.records[0]) if sheet.records else [name.lower().replace(" ", "_") for name in sheet.columns]
    writer.writerow([*names, "observed_at", "agent", "deployment", "tool_version", "simulated"])
    simulated = "SIMULATED" if source.fleet.simulated else ""
    tail = [stamp(source.now), source.address, source.fleet.deployment, backend.__version__, simulated]
    for record in sheet.records:
        writer.writerow([harmless(_flat(value)) for value in [*record.values(), *tail]])
    return made.getvalue().rstrip("\n")


def as_markdown(sheet: Sheet, source: Source) -> str:
    """The table for a ticket."""
    mark = " **SIMULATED**" if source.fleet.simulated else ""
    lines = [
        f"{quiet(source.fleet.deployment)}{mark}, agent {source.address}, observed {stamp(source.now)} with mocdeck "
        f"{backend.__version__}: {quiet(sheet.title)}",
        "",
        *(f"{quiet(line)}\n" for line in sheet.head),
    ]
    if sheet.rows:
        lines += [f"| {' | '.join(sheet.columns)} |", "|" + "---|" * len(sheet.columns)]
        lines += [f"| {' | '.join(quiet(cell) for cell in row)} |" for row in sheet.rows]
    else:
        lines.append(quiet(sheet.nothing))
    return "\n".join([*lines, *(f"\n{quiet(line)}" for line in sheet.foot)])


FORMS: Final[Mapping[str, Callable[[Sheet, Source], str]]] = {
    "table": as_table,
    "json": as_json,
    "csv": as_csv,
    "markdown": as_markdown,
}


def _flat(value: object) -> object:
    if isinstance(value, list):
        return "; ".join(str(one) for one in value)
    return value
