"""A hand-over note as text, Markdown and JSON. Sections always stand in the same order, empty ones with a word."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from backend.core.alerts import Alert
from backend.core.aligned import aligned
from backend.core.countdown import countdown
from backend.core.export import Head, head_values, quiet, stamp
from backend.core.handover import Deed, Handover
from backend.core.inert import inert

SCHEMA: Final = "mocdeck.handover/1"
_CELL: Final = 400

Section = tuple[str, tuple[str, ...], list[list[str]], str]  # title, columns, rows, what an empty one says


def sections(note: Handover) -> list[Section]:
    """The note's tables, in reading order."""
    return [
        ("New problems", _ALERT, [_alert(one) for one in note.new], "none"),
        ("Problems that got worse", _ALERT, [_alert(one) for one in note.worse], "none"),
        (
            "Cleared",
            ("AT", "NAME", "WAS", "STATE", "SINCE"),
            [[stamp(one.at), one.name, one.severity, one.state, one.raised_at] for one in note.cleared],
            "none",
        ),
        (
            "Done and refused",
            ("AT", "BY", "FROM", "ACTION", "SUBJECT", "RESULT", "DETAIL"),
            [_deed(one) for one in note.deeds],
            "nobody did anything",
        ),
        (
            "By themselves",
            ("ACTION", "RESULT", "WHO", "TIMES"),
            [[one.action, one.outcome, one.actor or "-", str(one.count)] for one in note.routine],
            "nothing",
        ),
        (
            "Running operations",
            ("OPERATION", "ACTION", "STATE", "BY", "SINCE", "CLIENTS", "REASON"),
            [
                [
                    *(one.id, one.action, one.state, one.actor, stamp(one.started_at)),
                    f"{one.done} done, {one.failed} failed, {one.running} running, {one.waiting} waiting",
                    one.reason or "-",
                ]
                for one in note.jobs
            ],
            "none",
        ),
        (
            f"Acknowledgements and silences that end by {stamp(note.until)}",
            ("UNTIL", "NAME", "HOW", "BY", "REASON"),
            [
                [
                    stamp(one.until),
                    one.name,
                    "acknowledged" if one.is_acknowledgement else "silenced",
                    one.actor,
                    one.reason or "-",
                ]
                for one in note.ending
            ],
            "none",
        ),
        (
            f"Falls due by {stamp(note.until)}",
            ("WHEN", "WHAT", "CLUSTER", "CLIENT", "OWNER", "WHY"),
            [
                [
                    "now" if one.at <= note.now else f"{stamp(one.at)} (in {countdown(one.at - note.now)})",
                    *(one.matter.value, one.cluster or "-", one.name, one.owner or "-", one.why or "-"),
                ]
                for one in note.due
            ],
            "nothing",
        ),
    ]


def as_text(note: Handover, head: Head) -> str:
    """Plain text for a terminal or a message."""
    mark = "SIMULATED  " if head.simulated else ""
    lines = [
        f"{mark}Hand-over of {head.deployment}  agent {head.agent}",
        _span(note, head),
        _state(note),
    ]
    for title, columns, rows, nothing in sections(note):
        lines += ["", f"{title}: {len(rows) or nothing}"]
        if rows:
            lines += aligned([columns, *[[inert(cell, _CELL) for cell in row] for row in rows]])[0]
    return "\n".join(lines)


def as_markdown(note: Handover, head: Head) -> str:
    """The same for a ticket or a wiki."""
    mark = " **SIMULATED**" if head.simulated else ""
    lines = [f"# Hand-over of {_cell(head.deployment)}{mark}", "", _span(note, head), "", f"{_state(note)}"]
    for title, columns, rows, nothing in sections(note):
        lines += ["", f"## {title}: {len(rows) or nothing}"]
        if rows:
            lines += ["", f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
            lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def as_json(note: Handover, head: Head) -> str:
    """The versioned document."""
    return json.dumps(document(note, head), indent=2, ensure_ascii=False)


def document(note: Handover, head: Head) -> dict[str, Any]:
    """The note as plain values."""
    named = ("new", "worse", "cleared", "deeds", "by_itself", "operations", "ending", "due")
    parts: dict[str, Any] = {}
    for name, (_, columns, rows, _) in zip(named, sections(note), strict=True):
        keys = [column.lower() for column in columns]
        parts[name] = [dict(zip(keys, (inert(cell, _CELL) for cell in row), strict=True)) for row in rows]
    for row, deed in zip(parts["deeds"], note.deeds, strict=True):
        row["index"], row["detail"] = deed.index, {name: inert(value, _CELL) for name, value in deed.detail}
    return {
        "schema": SCHEMA,
        **head_values(head),
        "since": stamp(note.since),
        "until": stamp(note.until),
        "counts": dict(note.counts),
        "standing": note.standing,
        "rotation_phase": note.rotation_phase,
        **parts,
    }


FORMS: Final[Mapping[str, Callable[[Handover, Head], str]]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": as_json,
}
_ALERT: Final = ("SEVERITY", "NAME", "CLUSTER", "STATE", "SINCE", "TOLD", "WHY")


def _alert(one: Alert) -> list[str]:
    told = one.held or (f"told {stamp(one.told_at)}" if one.told is not None else "nobody yet")
    return [one.severity.name.lower(), one.name, one.cluster or "-", one.state, stamp(one.since_at), told, one.summary]


def _deed(one: Deed) -> list[str]:
    detail = " ".join(f"{name}={value}" for name, value in one.detail)
    return [stamp(one.at), one.actor or "-", one.origin, one.action, one.subject, one.outcome, detail or "-"]


def _span(note: Handover, head: Head) -> str:
    return f"From {stamp(note.since)} to {stamp(note.now)} (UTC), made by mocdeck {head.tool_version}"


def _state(note: Handover) -> str:
    counted: Sequence[str] = [f"{count} {word}" for word, count in note.counts if count]
    rotation = f"; CA rotation: {note.rotation_phase}" if note.rotation_phase else ""
    return f"State now: {', '.join(counted) or 'no clients'}; {note.standing} problems stand as before{rotation}"


def _cell(text: str) -> str:
    return quiet(inert(text, _CELL))
