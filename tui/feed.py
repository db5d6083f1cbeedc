"""Operations and events as lines: for the pane below the list, and for the screens 5 and 6.

Pure; what an operation does is told by its counts, which sum to its total.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.banner import View
from tui.format import bar, fit, shorten
from tui.gateway import EventView, OperationTargetView, OperationView
from tui.lines import Line, boxed, plain

OUTCOME_ROLES: Final = {"done": "text", "refused": "warning", "failed": "critical"}
_TARGET_ROLES: Final = {"failed": "critical", "running": "running", "done": "text"}


def operation_line(operation: OperationView, view: View, width: int) -> Line:
    """Return one operation: when, what, how far, and its five counts."""
    ended = operation.done + operation.failed + operation.skipped
    share = ended / operation.total if operation.total else 1.0
    wide = width >= 100
    counts = [
        (f"{operation.done} done" if wide else f"{operation.done} of {operation.total} done", "text"),
        (f"{operation.failed} failed", "critical" if operation.failed else "dim"),
        (f"{operation.running} running", "running" if operation.running else "dim"),
        (f"{operation.waiting} waiting", "text" if operation.waiting else "dim"),
        (f"{operation.skipped} skipped", "text" if operation.skipped else "dim"),
    ]
    line: list[tuple[str, str]] = [
        (f"{operation.started_at:%H:%M:%S}  ", "dim"),
        (fit(operation.action.value.replace("_", " "), 13), "title"),
        (fit(operation.state, 11), "running" if operation.ended_at is None else "text"),
        (bar(share, 12, view.glyphs) + " ", "running" if operation.ended_at is None else "dim"),
    ]
    for text, role in counts:
        if wide or not text.startswith("0 ") or text.endswith("done"):
            line.extend([(text, role), (" ", "text")])
    if wide:
        line.append((f"of {operation.total}  by {operation.actor}  {shorten(operation.reason, 24)}", "dim"))
    return tuple(line)


def target_line(target: OperationTargetView, width: int) -> Line:
    """Return one client of an operation."""
    new = f"  serial {target.old_serial[-8:] or '-'} -> {target.new_serial[-8:]}" if target.new_serial else ""
    return (
        (fit(shorten(target.name, 26), 27), "text"),
        (fit(target.state, 10), _TARGET_ROLES.get(target.state, "dim")),
        (shorten(f"{target.result or target.step}{new}", max(8, width - 40)), "text"),
    )


_USEFUL: Final = (
    *("serial", "serial_after", "serial_before", "operation", "plan", "rotation", "state", "result", "reason", "why"),
    *("way", "token", "not_after", "not_after_after", "expires_at", "generation", "phase", "to", "written_off"),
)
_PLACE: Final = {name: place for place, name in enumerate(_USEFUL)}


def useful_first(event: EventView) -> list[tuple[str, str]]:
    """Return what an event's detail says, the fields that people look for first, empty ones left out."""
    said = [(name, value) for name, value in event.detail if value]
    return sorted(said, key=lambda field: _PLACE.get(field[0], len(_PLACE)))


def event_line(event: EventView, width: int, *, full_date: bool = False) -> Line:
    """Return one audit event."""
    at = f"{event.at:%H:%M:%S}"
    if full_date:
        at = f"{event.at:%Y-%m-%d %H:%M:%SZ}" if width >= 98 else f"{event.at:%m-%d %H:%M:%SZ}"
    tight = width < 98
    detail = "  ".join(f"{key}={value}" for key, value in useful_first(event))
    head: Line = (
        (f"{at}  ", "dim"),
        (fit(event.outcome, 8), OUTCOME_ROLES.get(event.outcome, "text")),
        (fit(shorten(event.action, 15 if tight else 20), 16 if tight else 21), "title"),
        (fit(shorten(event.subject, 19 if tight else 24), 20 if tight else 25), "text"),
    )
    room = width - sum(len(text) for text, _ in head)
    return (*head, (shorten(f"by {event.actor}  {detail}", max(0, room)), "dim"))


def pane_lines(
    operations: Sequence[OperationView], audit: Sequence[EventView], view: View, width: int, height: int
) -> list[Line]:
    """Return the pane under the list: running operations first, then the newest events."""
    if width < 40 or height < 3:
        return []
    frame = view.glyphs.frame
    running = [operation for operation in operations if operation.ended_at is None]
    body = [operation_line(operation, view, width - 4) for operation in running[: height - 2]]
    body.extend(event_line(event, width - 4) for event in audit[: height - 2 - len(body)])
    if not body:
        body = [plain("nothing has happened yet", "dim")]
    return boxed(f"events and operations ({len(running)} running)", body, width, height, *frame)
