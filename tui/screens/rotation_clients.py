"""The clients of a CA rotation with overlap, as rows with a cursor: those that are waited for first.

Pure. A row says the level, its age and what produced it; the one under the cursor says more: its way, what becomes of
it if it does not move, and its last error.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from rich.cells import cell_len

from tui.format import fit, shorten, span, wrapped
from tui.glyphs import Glyphs
from tui.lines import BLANK, Line, plain
from tui.rotating import RotationClientView, RotationView
from tui.screens.rotation_rows import Row, texts

WAYS_THROUGH: Final = {
    "itself": "by itself",
    "cross": "cross certificate",
    "silent": "silent",
    "out": "out before",
}
_LEVELS: Final = ("E0", "E1", "E2", "E3", "E4", "E5", "out", "written off")
_WIDE: Final = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which client has the cursor, and which are marked."""

    chosen: str = ""
    marked: Collection[str] = ()


def ordered(rotation: RotationView) -> list[RotationClientView]:
    """Return the clients as they are listed: those that would fail, awaited ones by wave, the rest by their level.

    An awaited client that reports an error goes before the others of its wave, a careless one before everybody of its
    group.
    """
    failing = set(rotation.would_fail)

    def place(one: RotationClientView) -> tuple[bool, bool, bool, int, bool, int, str]:
        wave = one.wave if one.awaited else 0
        fine = not (one.awaited and one.last_error)
        return (one.name not in failing, not one.awaited, not one.careless, wave, fine, _rank(one), one.name)

    return sorted(rotation.clients, key=place)


def _rank(client: RotationClientView) -> int:
    if client.waived:
        return len(_LEVELS)
    return _LEVELS.index(client.level) if client.level in _LEVELS else 0


def client_rows(
    rotation: RotationView,
    listed: Sequence[RotationClientView],
    now: datetime,
    width: int,
    glyphs: Glyphs,
    choice: Choice,
) -> list[Row]:
    """Return the clients in three groups: who would fail without the old CA, who is waited for, and the rest.

    `listed` are the rotation's clients as `ordered` lays them out.
    """
    failing = set(rotation.would_fail)
    groups: list[tuple[str, list[RotationClientView]]] = [
        ("WOULD FAIL without the old CA", [one for one in listed if one.name in failing]),
        ("AWAITED: this phase waits for them", [one for one in listed if one.awaited and one.name not in failing]),
    ]
    title = "ALL OTHERS" if any(members for _, members in groups) else "CLIENTS"
    groups.append((title, [one for one in listed if not one.awaited and one.name not in failing]))
    rows: list[Row] = []
    for title, members in groups:
        if members:
            rows.extend([("", BLANK), ("", plain(f"{title} ({len(members)})", "head"))])
        for client in members:
            rows.append((client.name, partial(_row, client, now, width, glyphs, choice)))
            if client.name == choice.chosen:
                rows.extend(texts(_more(client, width)))
    return rows


def _row(client: RotationClientView, now: datetime, width: int, glyphs: Glyphs, choice: Choice) -> Line:
    over = "+cursor" if client.name == choice.chosen else ""
    sign = glyphs.cursor if over else " "
    mark = glyphs.mark if client.name in choice.marked else " "
    role = "critical" if client.careless else "title" if client.awaited else "text"
    age = "-" if client.level_at is None else span(now - client.level_at)
    first: Line = (
        (f"{sign}{mark}", "mark" + over),
        (fit(client.level if client.level.startswith("E") else "-", 3), role + over),
        (f"{age:>8}  ", "dim" + over),
        (fit(shorten(client.name, 23), 24), role + over),
        (fit(shorten(client.cluster or "-", 11), 12) if width >= _WIDE else "", "dim" + over),
        (fit(shorten(client.owner or "no owner", 11), 12), "text" + over),
    )
    room = max(4, width - sum(cell_len(text) for text, _ in first))
    note, colour = _note(client, now)
    return (*first, (fit(shorten(note, room), room) if over else shorten(note, room), colour + over))


def _note(client: RotationClientView, now: datetime) -> tuple[str, str]:
    """What matters most of a client, in one line."""
    if client.careless:
        return f"VERIFICATION IS OFF: {client.careless}", "critical"
    if client.written_off:
        return f"written off: {client.written_off}", "dim"
    if client.waived:
        return f"waived: {client.waived}", "dim"
    if client.would_fail_at is not None:
        where = f" from {client.would_fail_from}" if client.would_fail_from else ""
        return f"would have failed {span(now - client.would_fail_at)} ago{where}", "critical"
    if client.awaited and client.last_error:
        return f"its last error: {client.last_error}", "warning"
    wave = f", wave {client.wave}" if client.awaited and client.route == "itself" else ""
    way = "" if client.route == "itself" else f"; {WAYS_THROUGH.get(client.route, client.route)}"
    return f"{client.level_source or 'nothing known'}{wave}{way}", "dim"


def _more(client: RotationClientView, width: int) -> Sequence[Line]:
    """What the row has no room for."""
    facts = [
        ("accepted", client.careless),
        ("last error", client.last_error),
        ("way", WAYS_THROUGH.get(client.route, client.route)),
        ("if it does not move", client.after),
    ]
    lines: list[Line] = []
    for label, text in facts:
        if text:
            parts = wrapped(f"{label}: {text}", max(20, width - 16))
            lines.extend(plain(f"{' ' * 15}{part}", "text") for part in parts)
    return lines
