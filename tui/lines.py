"""Lines of text with roles: the values that widgets show and the rule for what of them must be repainted.

A line is a tuple of (text, role) segments; a role is a name of `tui.palette`, and `warning+cursor` lays one over the
other. Nothing here parses markup, so text that came from a client stays text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, get_character_cell_size, set_cell_size

Line = tuple[tuple[str, str], ...]
BLANK: Line = ()


def plain(text: str, role: str = "text") -> Line:
    """Return a line of one segment."""
    return ((text, role),)


def line_text(line: Line) -> str:
    """Return a line without its roles."""
    return "".join(text for text, _ in line)


def line_width(line: Line) -> int:
    """Return the cells that a line takes."""
    return sum(cell_len(text) for text, _ in line)


def changed_span(old: Line, new: Line) -> tuple[int, int] | None:
    """Return the first cell and the cell after the last in which two lines differ, None when they are the same."""
    if old == new:
        return None
    shared = min(len(old), len(new))
    start = 0
    first = 0
    while first < shared and old[first] == new[first]:
        start += cell_len(new[first][0])
        first += 1
    end = max(line_width(old), line_width(new))
    if len(old) == len(new):
        last = len(new) - 1
        tail = 0
        while last > first and old[last] == new[last]:
            tail += cell_len(new[last][0])
            last -= 1
        if line_width(old) == line_width(new):
            end -= tail
    return start, end


def ascii_cells(text: str) -> str:
    """Return `text` with every other character as question marks, in the same number of cells."""
    return "".join(c if c.isascii() else "?" * get_character_cell_size(c) for c in text)


def joined(parts: Iterable[tuple[str, str]], width: int, separator: str = " | ") -> Line:
    """Join as many of the parts, in order, as fit into `width` cells; empty ones are left out."""
    line: list[tuple[str, str]] = []
    used = 0
    for text, role in parts:
        if not text:
            continue
        needed = cell_len(text) + (cell_len(separator) if line else 0)
        if used + needed > width:
            break
        if line:
            line.append((separator, "dim"))
        line.append((text, role))
        used += needed
    return tuple(line)


def spread(left: Line, right: Line, width: int) -> Line:
    """Put `right` at the right edge of `width` cells; it gives way when both do not fit."""
    gap = width - line_width(left) - line_width(right)
    return left if gap < 2 else (*left, (" " * gap, "text"), *right)


def cut(line: Line, width: int) -> Line:
    """Return the first `width` cells of a line."""
    if line_width(line) <= width:
        return line
    kept: list[tuple[str, str]] = []
    for text, role in line:
        size = cell_len(text)
        kept.append((text if size <= width else set_cell_size(text, width), role))
        width -= size
        if width <= 0:
            break
    return tuple(kept)


def shortened(line: Line, width: int) -> Line:
    """Return a line in at most `width` cells; one that was cut ends with `~`."""
    if line_width(line) <= width:
        return line
    kept = cut(line, width - 1)
    return (*kept, ("~", kept[-1][1] if kept else "text"))


def boxed(title: str, body: Sequence[Line], width: int, height: int, corner: str = "+", rule: str = "-") -> list[Line]:
    """Draw a frame of `width` by `height` cells around lines, of blanks for a blank corner; the rest is cut off."""
    side = {"+": "|", " ": " "}.get(corner, "│")
    ends = ("┌", "┐") if corner == "┌" else (corner, corner)
    feet = ("└", "┘") if corner == "┌" else (corner, corner)
    head = f" {title} " if title else ""
    head = set_cell_size(head, width - 4) if cell_len(head) > width - 4 else head
    lines: list[Line] = [
        (
            (ends[0] + rule, "dim"),
            (head, "head"),
            (rule * (width - 3 - cell_len(head)) + ends[1], "dim"),
        )
    ]
    inner = width - 4
    for y in range(height - 2):
        content = cut(body[y], inner) if y < len(body) else BLANK
        gap = " " * (inner - line_width(content))
        lines.append(((f"{side} ", "dim"), *content, (f"{gap} {side}", "dim")))
    lines.append(((feet[0] + rule * (width - 2) + feet[1], "dim"),))
    return lines
