"""The Timeline as lines: the grid with its selection, and the panel that says what the selection needs.

Pure. The selection is told by a ruler line and by words, so that it can be seen without colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from rich.cells import cell_len

from backend.core.countdown import countdown
from backend.core.limits import CLIENT_LIFETIME
from backend.core.subjects import find_issuing
from tui.banner import View
from tui.format import fit, lifetime, shorten, wrapped
from tui.lines import BLANK, Line, plain
from tui.model import WEEKS
from tui.steps import Step
from tui.timeline import COLUMNS, LATE, LATER, Grid, Scale, period_word, starts

WIDE: Final = 110
_TOTAL: Final = 6


class Selected(Protocol):
    """What of the grid is selected; the screen."""

    low: int
    high: int
    group: str
    in_list: bool
    scale: Scale


def sizes(width: int) -> tuple[int, int]:
    """Return the cells of a row's name and of each column; what is left over is the name's."""
    cell = max(3, min(7, (width - 12 - _TOTAL) // COLUMNS))
    return max(6, min(26, width - 2 - cell * COLUMNS - _TOTAL)), cell


def grid_lines(grid: Grid, view: View, width: int, names: Sequence[str], at: Selected) -> list[Line]:
    """Return heading, all, the given rows, how many more there are, and the ruler of the selection."""
    name, cell = sizes(width)
    lines = [_heading(name, cell, at)]
    if width >= WIDE and view.now is not None:
        begin = "".join(text.rjust(cell) for text in starts(view.now, at.scale))
        lines.append(plain(" " * (2 + name) + begin, "dim"))
    lines.append(_row("ALL", grid.total, view, name, cell, at, here=at.group == "", head=True))
    lines.extend(_row(group, grid.groups[group], view, name, cell, at, here=at.group == group) for group in names)
    hidden = [group for group in grid.groups if group not in set(names)]
    if hidden:
        rest = [sum(grid.groups[group][column] for group in hidden) for column in range(COLUMNS)]
        lines.append(_row(f"{len(hidden)} more", rest, view, name, cell, at, here=False))
    before = " " * (2 + name + cell * at.low + 1)
    lines.append(((before, "text"), ("^" * (cell * (at.high - at.low + 1) - 1), "accent"), ("  < > + -", "dim")))
    return lines


def _heading(name: int, cell: int, at: Selected) -> Line:
    line: list[tuple[str, str]] = [("  ", "head"), (fit(at.scale.singular, name), "head")]
    for column in range(COLUMNS):
        word = _heading_word(column, cell)
        inside = at.low <= column <= at.high
        line.extend([(" " * (cell - len(word)), "head"), (word, "head+match" if inside else "head")])
    line.append(("total".rjust(_TOTAL), "head"))
    return tuple(line)


def _heading_word(column: int, cell: int) -> str:
    """Return a column's name in fewer than so many cells; `late` may touch the row's name, which ends with a space."""
    if column == LATE:
        return "late" if cell > 3 else "ago"
    if column == LATER and cell < 6:
        return f">{WEEKS - 1}" if cell > 3 else "+"
    return period_word(column)


def _row(
    title: str, counts: Sequence[int], view: View, name: int, cell: int, at: Selected, *, here: bool, head: bool = False
) -> Line:
    over = "+cursor" if here and not at.in_list else ""
    sign = f"{view.glyphs.cursor if here else ' '} "
    line: list[tuple[str, str]] = [
        (sign, "mark" + over),
        (fit(_name(title, name - 1), name), ("title" if head or here else "text") + over),
    ]
    for column, number in enumerate(counts):
        role = "dim" if not number else "expired" if column == LATE else "critical" if column == 1 else "text"
        text = str(number) if number else "."
        line.append((fit(text, cell, right=True) if len(text) < cell else f" {text}"[:cell], role + over))
    line.append((str(sum(counts)).rjust(_TOTAL), "text" + over))
    return tuple(line)


def _name(text: str, width: int) -> str:
    """Return a row's name; where there is little room its end, in which names of one site differ."""
    if width >= 10 or cell_len(text) <= width:
        return shorten(text, width)
    return f"~{text[-(width - 1) :]}"


def plan_lines(groups: Sequence[tuple[Step, int]], view: View, width: int) -> list[Line]:
    """Return what the selection needs, how a plan would go about it, and whether the CA stands in the way."""
    if not groups:
        return [plain("nothing is selected", "dim")]
    lines: list[Line] = []
    for step, number in groups:
        role = "title" if step.command else "dim"
        head = f"{number:>5}  {step.words:<16}"
        notes = wrapped(step.note, max(12, width - len(head)))
        lines.append(((head, role), (notes[0], "dim")))
        lines.extend(plain(" " * len(head) + note, "dim") for note in notes[1:])
    lines.append(BLANK)
    if any(step.action is not None for step, _ in groups):
        for text in (
            "order      node agents, management, workload",
            "rate       one at a time, more where you ask for it",
            "stop rule  nothing further starts after a failure",
        ):
            lines.append(plain(shorten(text, width), "text"))
        lines.extend([BLANK, (("P", "key"), ("  review and run, group by group", "text"))])
    lines.append((("e", "key"), ("  export what is selected", "text")))
    lines.append(BLANK)
    if view.now is not None:
        lines.extend(plain(text, "warning") for text in wrapped(authority_note(view, view.now), width) if text)
    return lines


def authority_note(view: View, now: datetime) -> str:
    """Return the sentence for a CA that ends before a certificate made now would; "" while it does not."""
    issuing = find_issuing(view.model.columns.authorities)
    if issuing is None or issuing.validity.left(now) >= CLIENT_LIFETIME:
        return ""
    left = countdown(issuing.validity.left(now))
    return (
        f"CA g{issuing.generation} ends in {left}: a certificate made now ends with it, not after "
        f"{lifetime(CLIENT_LIFETIME)}. Plan the CA rotation (X)."
    )
