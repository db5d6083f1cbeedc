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
    """Return an SVG that fetches no font and names its own fall-backs."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
    svg = re.sub(r"font-family: [^;]*;", f"font-family: '{FAMILY}', 'DejaVu Sans Mono', Menlo, monospace;", svg)
    svg = re.sub(r"<!-- Generated with Rich.*?-->", "", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


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
