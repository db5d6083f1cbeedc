"""The present screen as an SVG file: self-contained, and saying of itself when and where it was seen.

No font is fetched and no script runs; the text is what the screen shows, so no key and no token can be in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from backend.core.export import Head, stamp
from backend.core.inert import inert

if TYPE_CHECKING:
    from textual.app import App

FAMILY: Final = "Cascadia Mono"


def picture(app: App[Any], head: Head, title: str) -> str:
    """Return the topmost screen as it is drawn now."""
    return described(self_contained(app.export_screenshot(title="mocdeck")), head, title)


def self_contained(svg: str) -> str:
    """Return an SVG that fetches no font and names its own fall-backs, without what only makes it long."""
    svg = shortened(svg)
    svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
    svg = re.sub(r"font-family: [^;]*;", f"font-family: '{FAMILY}', 'DejaVu Sans Mono', Menlo, monospace;", svg)
    svg = re.sub(r"<!-- Generated with Rich.*?-->", "", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


_CELLS: Final = re.compile(
    r'<rect fill="(?P<fill>[^"]*)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" width="(?P<width>[\d.]+)" height="24\.65" '
    r'shape-rendering="crispEdges"/>'
)
_RUN: Final = re.compile(f"(?:{re.sub('[?]P<[a-z]+>', '?:', _CELLS.pattern)})+")


def shortened(svg: str) -> str:
    """Return the same picture in about half the bytes.

    Cells beside each other in one colour become one rectangle; a text that is only blanks goes, and so does the
    clipping of each line, since every text has its exact length.
    """
    svg = re.sub(r'<clipPath id="[^"]*-line-\d+">.*?</clipPath>\s*', "", svg, flags=re.DOTALL)
    svg = re.sub(r' clip-path="url\(#[^)"]*-line-\d+\)"', "", svg)
    svg = svg.replace("&#160;", "\u00a0")
    svg = re.sub("<text class=[^>]*>\u00a0*</text>", "", svg)
    return _RUN.sub(lambda run: _joined(run[0]), svg)


def _joined(run: str) -> str:
    """A run of cells with their neighbours of the same colour as one."""
    made: list[list[Any]] = []  # fill, y, x, end
    for cell in _CELLS.finditer(run):
        x, width = float(cell["x"]), float(cell["width"])
        if made and made[-1][:2] == [cell["fill"], cell["y"]] and abs(made[-1][3] - x) < _SAME:
            made[-1][3] = x + width
        else:
            made.append([cell["fill"], cell["y"], x, x + width])
    tail = 'height="24.65" shape-rendering="crispEdges"/>'
    return "".join(
        f'<rect fill="{fill}" x="{x:g}" y="{y}" width="{round(end - x, 2):g}" {tail}' for fill, y, x, end in made
    )


_SAME: Final = 0.2  # of a cell's 12.2: positions are rounded


def described(svg: str, head: Head, title: str) -> str:
    """Put title and description into an SVG, where readers and screen readers look for them."""
    parts = [
        "SIMULATED" if head.simulated else "",
        f"observed {stamp(head.observed_at)}",
        f"agent {head.agent}",
        f"deployment {head.deployment}",
        f"filter {head.filter}" if head.filter else "",
        f"mocdeck {head.tool_version}",
    ]
    text = "; ".join(part for part in parts if part)
    words = f"<title>{escape(inert(title))}</title><desc>{escape(inert(text, 2000))}</desc>"
    opening = re.search(r"<svg\b[^>]*>", svg)
    return svg if opening is None else f"{svg[: opening.end()]}\n{words}{svg[opening.end() :]}"
