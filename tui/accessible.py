"""For screen readers and braille displays: a row as one sentence, and where the real cursor stands.

A braille display follows the terminal's own cursor, which stands on the chosen row and is seen; nothing moves by
itself, since everything that is written is read out. `.` shows the present second and says the row (tui.md 1.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from textual.screen import Screen

from tui.closeup import Client
from tui.columns import next_step
from tui.format import count
from tui.lines import Line, line_text
from tui.widgets.lines import Lines

_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def in_words(left: timedelta) -> str:
    """Return a length of time in its two largest units, written out, never rounded up: `1 hour 12 minutes`."""
    seconds = int(abs(left).total_seconds())
    for place, (name, size) in enumerate(_UNITS):
        if seconds >= size:
            words = [count(seconds // size, name)]
            if place + 1 < len(_UNITS):
                smaller, unit = _UNITS[place + 1]
                rest = seconds % size // unit
                words += [count(rest, smaller)] if rest else []
            return " ".join(words)
    return "no time"


def _left(what: str, end: datetime | None, now: datetime, absent: str) -> str:
    if end is None:
        return f"{what} {absent}"
    if end < now:
        return f"{what} ended {in_words(now - end)} ago"
    return f"{what} has {in_words(end - now)} left"


def sentence(client: Client, now: datetime) -> str:
    """Say one client: what it is, how it is, how long it has, what to do next."""
    judged, row = client.judged, client.row
    where = f" in {row.cluster}" if row.cluster else ""
    parts = (
        f"{row.name}{where} is {judged.state.value.lower()}",
        _left("certificate", judged.effective_not_after, now, "absent"),
        _left("token", judged.token_expires_at, now, "unknown"),
        f"next: {next_step(client)}",
    )
    return f"{', '.join(parts)}{', marked' if client.marked else ''}"


def changed(number: int) -> str:
    """Say that the agent has news which is not shown yet."""
    return f"{count(number, 'client')} changed; . shows the present second"


def _chosen(lines: Sequence[Line]) -> int | None:
    return next((y for y, line in enumerate(lines) if any(role.endswith("+cursor") for _, role in line)), None)


def chosen_line(screen: Screen[Any]) -> str:
    """Return the text of the row that is chosen on a screen, spaces made single; empty when there is none."""
    for block in screen.query(Lines):
        y = _chosen(block.lines) if block.display else None
        if y is not None:
            return " ".join(line_text(block.lines[y]).split())
    return ""


def cursor_place(screen: Screen[Any]) -> tuple[int, int]:
    """Return the cell of the chosen row or button; without one, where the screen's own text begins."""
    home = (0, 0)
    for block in screen.query(Lines):
        if not block.display or not block.region.area:
            continue
        y = _chosen(block.lines)
        if y is not None and y < block.region.height:
            return block.region.x, block.region.y + y
        if block.id in {"body", "dialog"}:
            home = (block.region.x, block.region.y)
    return home
