"""Texts of the screen: instants, spans of time, bars and cells of an exact width.

Pure: every function gets what it shows, `now` included. Widths are terminal cells, not characters.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rich.cells import cell_len, set_cell_size

from backend.core.countdown import countdown
from tui.glyphs import Glyphs

NOTHING = "-"


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return `text` in exactly `width` cells: cut at the end, or filled with spaces (before it when `right`)."""
    if width <= 0:
        return ""
    if text.isascii():
        return (text[:width].rjust(width) if right else text[:width].ljust(width))[:width]
    if cell_len(text) >= width:
        return set_cell_size(text, width)
    gap = " " * (width - cell_len(text))
    return gap + text if right else text + gap


def shorten(text: str, width: int) -> str:
    """Return `text`, or its beginning with `~` as the last cell when it is wider than `width` cells."""
    if cell_len(text) <= width:
        return text
    if width <= 1:
        return set_cell_size(text, max(0, width))
    return set_cell_size(text, width - 1).rstrip() + "~"


def instant(at: datetime | None) -> str:
    """Return `2026-11-22 16:52:55Z`, or a dash."""
    return NOTHING if at is None else at.strftime("%Y-%m-%d %H:%M:%SZ")


def time_of_day(at: datetime) -> str:
    """Return `16:52:14Z`."""
    return at.strftime("%H:%M:%SZ")


def left_until(at: datetime | None, now: datetime, width: int) -> str:
    """Return the countdown to `at` in at most `width` cells; `??` when nobody knows the instant.

    Where two units do not fit, the smaller one goes, so that what stays is still never too generous.
    """
    if at is None:
        return "??"
    text = countdown(at - now)
    if len(text) <= width:
        return text
    first, _, rest = text.partition(" ")
    return f"{first} AGO" if rest.endswith("AGO") else first


def span(duration: timedelta) -> str:
    """Return a length of time in its largest whole unit, or two below an hour: `2s`, `3m 04s`, `5h 51m`, `9d 14h`."""
    seconds = max(0, int(duration.total_seconds()))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m {seconds % 60:02d}s"
    if seconds < 86400:
        return f"{seconds // 3600}h {seconds % 3600 // 60:02d}m"
    return f"{seconds // 86400}d {seconds % 86400 // 3600:02d}h"


def age(duration: timedelta) -> str:
    """Return for how long something has been so, in one unit: `12s`, `3m`, `5h`, `9d`."""
    return span(duration).partition(" ")[0]


def lifetime(duration: timedelta) -> str:
    """Return a lifetime as an operator says it: `90 d`, or `36 h` below three days."""
    hours = int(duration.total_seconds()) // 3600
    if hours >= 72:
        return f"{hours // 24} d" if hours % 24 == 0 else f"{hours // 24} d {hours % 24} h"
    return f"{hours} h" if hours else span(duration)


def bar(share: float, width: int, glyphs: Glyphs) -> str:
    """Return `[####....]` of exactly `width` cells; full only at a share of 1, empty only at 0."""
    inner = max(1, width - 2)
    share = min(1.0, max(0.0, share))
    filled = int(share * inner)
    if share > 0.0 and filled == 0:
        filled = 1
    return "[" + glyphs.filled * filled + glyphs.empty * (inner - filled) + "]"


def grouped(digits: str, size: int = 4) -> str:
    """Return a serial or a fingerprint in groups: `5f2a 91c0 77de`."""
    return " ".join(digits[i : i + size] for i in range(0, len(digits), size))


def wrapped(text: str, width: int) -> list[str]:
    """Return `text` in lines of at most `width` cells, broken at spaces where there are any."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        while cell_len(word) > width:
            room = width - (cell_len(line) + 1 if line else 0)
            if room < 8 and line:
                lines.append(line)
                line, room = "", width
            head = set_cell_size(word, room).rstrip() or word[:1]
            lines.append(f"{line} {head}" if line else head)
            line, word = "", word[len(head) :]
        if not line:
            line = word
        elif cell_len(line) + 1 + cell_len(word) <= width:
            line = f"{line} {word}"
        else:
            lines.append(line)
            line = word
    if line:
        lines.append(line)
    return lines or [""]


def count(number: int, noun: str, plural: str = "") -> str:
    """Return `1 client`, `2 clients`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
