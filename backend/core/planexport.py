"""A plan as a file for whoever approves it (US-14.4): all that it would do, its hash, and the lines for a signature.

Pure; made from the plan as it was shown, so what is approved is what its hash confirms. An operation's plan and a CA
rotation's are the same sheet: facts, warnings, tables. Every text is made inert and no cell commands its reader.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from backend.core.export import Head, Table, as_csv, head_values, quiet, stamp
from backend.core.inert import inert

_CELL: Final = 4000
SIGNATURE: Final = ("Approved by", "Date and time (UTC)", "Reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One table of a sheet; `empty` is what it says without rows."""

    title: str
    names: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    empty: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSheet:
    """A plan to be approved. `parts` begin with the clients, which are the rows of the CSV file.

    `kind` names the file and the JSON schema: "plan" or "rotation-plan". `values` are the plan as JSON has it.
    """

    kind: str
    title: str
    facts: Sequence[tuple[str, str]]
    warnings: Sequence[str]
    parts: Sequence[Part]
    values: Mapping[str, Any]


def plan_markdown(sheet: PlanSheet, head: Head) -> str:
    """The sheet for a ticket or a printer."""
    mark = " **SIMULATED**" if head.simulated else ""
    lines = [
        f"# {_text(sheet.title)}{mark}",
        "",
        f"{_text(head.deployment)}, agent {_text(head.agent)}, planned as of {stamp(head.observed_at)} with mocdeck "
        f"{head.tool_version}. Nothing has been changed.",
        "",
        *(f"- {_text(label)}: {_text(value)}" for label, value in sheet.facts if value),
    ]
    if sheet.warnings:
        lines += ["", "## Warnings", "", *(f"- {_text(warning)}" for warning in sheet.warnings)]
    for part in sheet.parts:
        lines += ["", f"## {_text(part.title)}", ""]
        if not part.rows:
            lines.append(part.empty)
            continue
        lines += [f"| {' | '.join(part.names)} |", "|" + "---|" * len(part.names)]
        lines += [f"| {' | '.join(_text(cell) for cell in row)} |" for row in part.rows]
    lines += ["", "## Approval", "", *(f"- {line}: ______________________" for line in SIGNATURE)]
    return "\n".join(lines)


def plan_json(sheet: PlanSheet, head: Head) -> str:
    """The plan as a document, with the head that every export has."""
    return json.dumps(_inert({**sheet.values, **head_values(head)}), indent=2, ensure_ascii=False)


def plan_csv(sheet: PlanSheet, head: Head) -> str:
    """The clients, one a line."""
    part = sheet.parts[0]
    names = tuple(name.lower().replace(" ", "_") for name in part.names)
    return as_csv(Table(kind=sheet.kind, title=sheet.title, names=names, rows=part.rows), head)


PLAN_FORMS: Final[Mapping[str, Callable[[PlanSheet, Head], str]]] = {
    "csv": plan_csv,
    "json": plan_json,
    "markdown": plan_markdown,
}


def _text(text: str) -> str:
    return quiet(inert(text, _CELL))


def _inert(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {inert(str(name), _CELL): _inert(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_inert(one) for one in value]
    return inert(value, _CELL) if isinstance(value, str) else value
