"""Text in fixed lines, repainted by the changed cell span of each changed line, and not at all when nothing changed.

Everything on the screen that is not an input is made of these (`tui.lines`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from backend.core.inert import inert
from tui.lines import Line, ascii_cells, changed_span, line_text

if TYPE_CHECKING:
    from tui.app import MocdeckApp

_NO_LINE: Final = Style(underline=False)


class Lines(Widget):
    """A block of lines; `set_lines` repaints only what differs from what is shown."""

    DEFAULT_CSS = """
    Lines { height: auto; }
    """
    ALLOW_SELECT: ClassVar[bool] = False
    app: MocdeckApp  # the one app that uses these widgets

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._styles_of: dict[str, Style] = {}
        self.repainted = 0  # lines asked to be repainted since birth

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown."""
        return self._lines

    @property
    def text(self) -> str:
        """What is shown, without roles."""
        return "\n".join(line_text(line) for line in self._lines)

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show `lines`; nothing is written for those that already stand there."""
        old = self._lines
        new = list(lines)
        if old == new:
            return
        self._lines = new
        if len(old) != len(new):
            self.repainted += len(new)
            self.refresh(layout=self.styles.height is not None and self.styles.height.is_auto)
            return
        regions = []
        for y, (was, now) in enumerate(zip(old, new, strict=True)):
            span = changed_span(was, now)
            if span is not None:
                end = span[1] if _is_filled(was) == _is_filled(now) else max(span[1], self.size.width)
                regions.append(Region(span[0], y, max(1, end - span[0]), 1))
        self.repainted += len(regions)
        area = Region(0, 0, self.size.width, self.size.height)
        visible = [region.intersection(area) for region in regions]
        visible = [region for region in visible if region.area]
        if visible:
            self.refresh(*visible)

    def role_style(self, role: str) -> Style:
        """Return the style of a role on this widget's background."""
        style = self._styles_of.get(role)
        if style is None:
            style = self.rich_style
            for name in role.split("+"):
                style += self.app.palette.get(name, Style())
            self._styles_of[role] = style
        return style

    def notify_style_update(self) -> None:
        """Forget the cached styles; the theme or a class has changed."""
        self._styles_of.clear()
        super().notify_style_update()

    def _drawable(self, text: str) -> str:
        """Return what may be drawn of a text: whatever came in elsewhere, no control leaves through a widget."""
        if not text.isprintable():
            text = inert(text, len(text))
        return ascii_cells(text) if self.app.glyphs.is_ascii and not text.isascii() else text

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return as many lines as there are."""
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        """Draw one line, cut or filled to the widget's width."""
        width = self.size.width
        base = self.role_style("text")
        if y >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[y]
        segments = [
            part for text, role in line for part in _underlined(Segment(self._drawable(text), self.role_style(role)))
        ]
        fill = self.role_style("text+cursor") if _is_filled(line) else base
        return Strip(segments).adjust_cell_length(width, fill)


def _underlined(segment: Segment) -> list[Segment]:
    """Return a segment with no line under the blanks around its text: a cell is filled with them, they say nothing."""
    text, style, _ = segment
    if style is None or not style.underline or text == text.strip(" "):
        return [segment]
    inner, plain_style = text.strip(" "), style + _NO_LINE
    before = len(text) - len(text.lstrip(" ")) if inner else len(text)
    parts = [(text[:before], plain_style), (inner, style), (text[before + len(inner) :], plain_style)]
    return [Segment(part, given) for part, given in parts if part]


def _is_filled(line: Line) -> bool:
    """Tell whether the cursor's ground goes on behind the end of a line."""
    return bool(line) and line[-1][1].endswith("+cursor")
