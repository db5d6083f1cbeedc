"""The one Textual theme of true-colour terminals, and the filter that removes every colour where none are wanted.

Other terminals get Textual's `ansi-dark`, which draws with the terminal's own sixteen colours.
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


class NoColours(LineFilter):
    """Keeps bold, underline and reverse, and drops colours, so that no colour sequence is written at all."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without colours; the background does not matter then."""
        return [
            Segment(text, None if style is None else style.without_color, control) for text, style, control in segments
        ]
