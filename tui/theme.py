"""Textual's side of each theme: grounds and inputs for dark and light, and the filter that removes every colour.

`ansi` and `mono` are Textual's `ansi-dark`, which draws with the terminal's own sixteen colours; `mono` drops those
as well. What stands on the ground is drawn by `tui.palette`.
"""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

NIGHT: Final = Theme(
    name="mocdeck-night",
    primary="#7cb7ff",
    secondary="#9fb3c8",
    warning="#e3b341",
    error="#ff7b72",
    success="#d7dde4",
    accent="#7cb7ff",
    foreground="#d7dde4",
    background="#14181d",
    surface="#14181d",
    panel="#1b2128",
    boost="#1b2128",
    dark=True,
    variables={
        "block-cursor-background": "#2d3743",
        "block-cursor-foreground": "#e6edf3",
        "input-cursor-background": "#d7dde4",
        "input-cursor-foreground": "#14181d",
        "input-selection-background": "#2d3743",
    },
)


DAY: Final = Theme(
    name="mocdeck-day",
    primary="#0550ae",
    secondary="#34495e",
    warning="#7a4f01",
    error="#a40e26",
    success="#1f2933",
    accent="#0550ae",
    foreground="#1f2933",
    background="#fbfcfd",
    surface="#fbfcfd",
    panel="#eef2f6",
    boost="#eef2f6",
    dark=False,
    variables={
        "block-cursor-background": "#d3dfec",
        "block-cursor-foreground": "#0b1016",
        "input-cursor-background": "#1f2933",
        "input-cursor-foreground": "#fbfcfd",
        "input-selection-background": "#d3dfec",
    },
)
GROUNDS: Final = {"dark": NIGHT.name, "light": DAY.name, "ansi": "ansi-dark", "mono": "ansi-dark"}


class NoColours(LineFilter):
    """Keeps bold, underline and reverse, and drops colours, so that no colour sequence is written at all."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without colours; the background does not matter then."""
        return [
            Segment(text, None if style is None else style.without_color, control) for text, style, control in segments
        ]
