"""Cells in aligned columns of plain text. Owns widths and gaps; what is in a cell is made inert by whoever fills it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

GAP: Final = "  "


def aligned(lines: Sequence[Sequence[str]]) -> tuple[list[str], int]:
    """Return each line with its cells under those of the others, and the width of the first column."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    first = widths[0]
    widths[-1] = 0  # nothing follows it, so it needs no padding
    form = GAP.join(f"{{:<{width}}}" for width in widths)
    return [form.format(*line).rstrip() for line in lines], first
