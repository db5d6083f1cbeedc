"""The picture that the terminal should show beside the one it was sent, and the shortest way between them.

Textual sends a changed line again from its widget's left edge; this sends the changed cells only, and because it knows
both pictures, frames that a slow link cannot take merge into one. It reads Textual's frames by private names; `missing`
says which of them this version lacks, and then the dashboard draws without it (tui.md 3.4, check 15).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual import _compositor
from textual.app import App
from textual.strip import Strip

from tui.sgr import PLAIN, Sgr, parse, step

GAP: Final = 4  # unchanged cells that cost no more than a move over them
STYLES_KEPT: Final = 4096

Cell = tuple[str, int]  # what stands in a cell, "" for the right half of a wide sign; the number of its style

_EXPECTED: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("App", "_display"): ("self", "screen", "renderable"),
    ("App", "_begin_update"): ("self",),
    ("App", "_end_update"): ("self",),
    ("LayoutUpdate", "__init__"): ("self", "strips", "region"),
    ("ChopsUpdate", "__init__"): ("self", "chops", "spans", "chop_ends"),
    ("Strip", "crop"): ("self", "start", "end"),
    ("Strip", "__iter__"): ("self",),
}


def missing(rooms: Sequence[Any] = (App, _compositor, Strip)) -> list[str]:
    """Return which of Textual's names that are used here are absent or take other arguments; normally none."""
    owners = {"App": rooms[0], "Strip": rooms[2]}
    owners |= {name: getattr(rooms[1], name, None) for name in ("LayoutUpdate", "ChopsUpdate")}
    found = []
    for (owner, name), arguments in _EXPECTED.items():
        function = getattr(owners[owner], name, None)
        if function is None or tuple(inspect.signature(function).parameters) != arguments:
            found.append(f"{owner}.{name}")
    return found


class Picture:
    """The cells that should be shown and those that were sent; `changes` brings the second to the first."""

    def __init__(self) -> None:
        self.width = 0
        self.height = 0
        self._wanted: list[list[Cell | None]] = []
        self._sent: list[list[Cell | None]] = []
        self._dirty: set[int] = set()
        self._styles: list[Sgr] = [PLAIN]
        self._numbers: dict[Sgr, int] = {PLAIN: 0}
        self._known: dict[Style, int] = {}

    def resize(self, width: int, height: int) -> None:
        """Begin anew at another size: nothing is known of what the terminal shows."""
        self.width, self.height = width, height
        self._wanted = [[None] * width for _ in range(height)]
        self.forget()

    def forget(self) -> None:
        """Take the terminal's cells as unknown: it was resized, suspended or scribbled upon."""
        self._sent = [[None] * self.width for _ in range(self.height)]
        self._dirty = set(range(self.height))

    @property
    def is_settled(self) -> bool:
        """Tell whether the terminal was sent everything."""
        return not any(self._wanted[y] != self._sent[y] for y in self._dirty)

    # Painting

    def paint(self, update: object, color_system: ColorSystem) -> bool:
        """Take a frame of Textual's in; False for a kind that this does not know."""
        if isinstance(update, _compositor.LayoutUpdate):
            for y, line in enumerate(update.strips, update.region.y):
                self._paint_line(y, update.region.x, [segment for strip in line for segment in strip], color_system)
            return True
        if isinstance(update, _compositor.ChopsUpdate):
            for y, start, end in update.spans:
                for stop, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                    if strip is not None and x < end and stop > start:
                        shown = strip if stop <= end else strip.crop(0, end - x)
                        self._paint_line(y, x, shown, color_system)
            return True
        return False

    def _paint_line(self, y: int, x: int, segments: Iterable[Segment], color_system: ColorSystem) -> None:
        if not 0 <= y < self.height:
            return
        row = self._wanted[y]
        if x and _is_right_half(row, x):
            _blank(row, x - 1)
        for text, style, control in segments:
            if control:
                continue
            number = self._number(style, color_system)
            plain = text.isascii() and text.isprintable()
            cells: list[Cell] = [(c, number) for c in text] if plain else _wide_cells(text, number)
            row[x : x + len(cells)] = cells
            x += len(cells)
        del row[self.width :]
        if _is_right_half(row, x):
            _blank(row, x)
        self._dirty.add(y)

    def _number(self, style: Style | None, color_system: ColorSystem) -> int:
        if style is None:
            return 0
        number = self._known.get(style)
        if number is None:
            sgr = parse(Strip.render_style(style, "x", color_system))
            number = self._numbers.setdefault(sgr, len(self._styles))
            if number == len(self._styles):
                self._styles.append(sgr)
            if len(self._known) >= STYLES_KEPT:
                self._known.clear()
            self._known[style] = number
        return number

    # Sending

    def changes(self) -> str:
        """Return what makes the terminal show the picture, and count it as sent; empty when it does already."""
        parts: list[str] = []
        style = PLAIN
        for y in sorted(self._dirty):
            wanted, sent = self._wanted[y], self._sent[y]
            if wanted == sent:
                continue
            place = -1  # where the terminal's cursor stands in this line
            for start, end in _runs(wanted, sent):
                if place < 0:
                    parts.append(f"\x1b[{y + 1};{start + 1}H" if start else f"\x1b[{y + 1}H")
                elif place != start:
                    parts.append(f"\x1b[{start + 1}G")
                for cell in wanted[start:end]:
                    if cell is not None and cell[0]:
                        new = self._styles[cell[1]]
                        parts.append(step(style, new) + cell[0])
                        style = new
                place = end
            self._sent[y] = list(wanted)
        self._dirty.clear()
        if style != PLAIN:
            parts.append("\x1b[m")
        return "".join(parts)


def _is_right_half(row: Sequence[Cell | None], x: int) -> bool:
    cell = row[x] if x < len(row) else None
    return cell is not None and cell[0] == ""


def _blank(row: list[Cell | None], x: int) -> None:
    """A wide sign that is painted over by half is gone: a space stands in its other half, as terminals do."""
    half = row[x]
    row[x] = (" ", half[1] if half is not None else 0)


def _wide_cells(text: str, number: int) -> list[Cell]:
    """Lay out a text that is not plain ASCII, sign by sign; what cannot be printed never reaches the wire."""
    cells: list[Cell] = []
    for start, end, width in split_graphemes(text)[0]:
        sign = "".join(c for c in text[start:end] if c.isprintable())
        if width:
            cells.append((sign or " ", number))
            cells.extend([("", number)] * (width - 1))
    return cells


def _runs(wanted: Sequence[Cell | None], sent: Sequence[Cell | None]) -> list[tuple[int, int]]:
    """Return the spans of cells to be written, near ones as one.

    A span never begins within a wide sign: a right half only comes and goes with its left one.
    """
    runs: list[tuple[int, int]] = []
    for x, (new, old) in enumerate(zip(wanted, sent, strict=True)):
        if new is None or new == old:
            continue
        if runs and x - runs[-1][1] <= GAP and None not in wanted[runs[-1][1] : x]:
            runs[-1] = (runs[-1][0], x + 1)
        else:
            runs.append((x, x + 1))
    return runs
