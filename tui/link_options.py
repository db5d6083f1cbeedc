"""What the operator says of the terminal and the link to it; a value that loads no screen library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOptions:
    """How to draw.

    `slow`: take the link for slow from the start and for good. `diff`: send changed cells only. `mouse`: ask for the
    mouse. `accessible`: for screen readers and braille displays (`tui.accessible`).
    """

    slow: bool = False
    diff: bool = True
    mouse: bool = True
    accessible: bool = False
