"""Screens that are a list of lines: scrolling, and a cursor where there is something to choose.

The subclass gives the lines and, for a list, what each line stands for; keys and drawing are here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import events
from textual.widget import Widget

from tui.banner import View
from tui.lines import BLANK, Line
from tui.screens.deck import DeckScreen
from tui.widgets.lines import Lines


class Body(Lines):
    """The lines between header and status; their screen draws them again when their size becomes known or changes."""

    def on_resize(self) -> None:
        """Fill the new size."""
        if isinstance(self.screen, DeckScreen):
            self.screen.draw()

    def on_click(self, event: events.Click) -> None:
        """Tell the screen which line was clicked."""
        if isinstance(self.screen, DeckScreen):
            self.screen.line_clicked(self.id or "", event.y)


class ScrollScreen(DeckScreen):
    """A text that may be longer than the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.top = 0
        self.length = 0

    def compose_body(self) -> Iterable[Widget]:
        yield Body(id="body")

    def text_lines(self, view: View) -> Sequence[Line]:
        """Return the whole text."""
        raise NotImplementedError

    @property
    def page(self) -> int:
        """Lines that fit."""
        return max(1, self.query_one("#body", Lines).size.height)

    def draw_body(self, view: View) -> None:
        body = self.query_one("#body", Lines)
        lines = self.text_lines(view)
        self.length = len(lines)
        self.top = max(0, min(self.top, self.length - self.page))
        shown = list(lines[self.top : self.top + self.page])
        shown.extend([BLANK] * (self.page - len(shown)))
        body.set_lines(shown)

    def status(self, view: View) -> Line:
        if self.length <= self.page:
            return ()
        last = min(self.top + self.page, self.length)
        return ((f"lines {self.top + 1}-{last} of {self.length}   j k scroll", "dim"),)

    def _scroll(self, lines: int) -> None:
        self.top = max(0, min(self.top + lines, self.length - self.page))

    def cmd_down(self) -> None:
        self._scroll(1)

    def cmd_up(self) -> None:
        self._scroll(-1)

    def cmd_page_down(self) -> None:
        self._scroll(self.page)

    def cmd_page_up(self) -> None:
        self._scroll(-self.page)

    def cmd_top(self) -> None:
        self._scroll(-self.length)

    def cmd_bottom(self) -> None:
        self._scroll(self.length)


class ListScreen(DeckScreen):
    """Titles, rows with a cursor, and a lower part about the row under it."""

    def __init__(self) -> None:
        super().__init__()
        self.cursor_key = ""
        self._row = 0
        self._top = 0
        self._keys_shown: list[str] = []
        self._space = 1

    def compose_body(self) -> Iterable[Widget]:
        yield Body(id="body")

    def rows(self, view: View) -> Sequence[tuple[str, Line]]:
        """Return a stable key and the line of each row."""
        raise NotImplementedError

    def titles(self, view: View) -> Line:
        """Return the line above the rows."""
        return ()

    def below(self, view: View, key: str, height: int) -> Sequence[Line]:
        """Return what is to be said of the row under the cursor; half of the body at most is given to it."""
        return ()

    def nothing(self, view: View) -> str:
        """Return what is said when there is no row."""
        return "nothing here yet"

    def draw_body(self, view: View) -> None:
        body = self.query_one("#body", Lines)
        height = body.size.height
        rows = list(self.rows(view))
        self._keys_shown = [key for key, _ in rows]
        if self.cursor_key in self._keys_shown:
            self._row = self._keys_shown.index(self.cursor_key)
        self._row = max(0, min(self._row, len(rows) - 1))
        self.cursor_key = self._keys_shown[self._row] if rows else ""
        lower = list(self.below(view, self.cursor_key, height // 2)) if rows else []
        space = max(1, height - 1 - len(lower))
        self._space = space
        self._top = max(min(self._top, self._row), self._row - space + 1, 0)
        lines: list[Line] = [(("  ", "head"), *self.titles(view))]
        for place, (_, line) in enumerate(rows[self._top : self._top + space], self._top):
            over = "+cursor" if place == self._row else ""
            sign = view.glyphs.cursor if over else " "
            lines.append(((f"{sign} ", "mark" + over), *((text, role + over) for text, role in line)))
        if not rows:
            lines.extend([BLANK, ((f"  {self.nothing(view)}", "dim"),)])
        lines.extend([BLANK] * (height - len(lines) - len(lower)))
        body.set_lines([*lines, *lower][:height])

    def line_clicked(self, part: str, y: int) -> None:
        if y >= 1 and self._top + y - 1 < min(len(self._keys_shown), self._top + self._space):
            self._go(self._top + y - 1)
            self.draw()

    def _go(self, row: int) -> None:
        self._row = max(0, min(row, len(self._keys_shown) - 1))
        self.cursor_key = self._keys_shown[self._row] if self._keys_shown else ""

    def cmd_down(self) -> None:
        self._go(self._row + 1)

    def cmd_up(self) -> None:
        self._go(self._row - 1)

    def cmd_page_down(self) -> None:
        self._go(self._row + 10)

    def cmd_page_up(self) -> None:
        self._go(self._row - 10)

    def cmd_top(self) -> None:
        self._go(0)

    def cmd_bottom(self) -> None:
        self._go(len(self._keys_shown) - 1)

    def cmd_open(self) -> None:
        """Open the row under the cursor, where there is more to see."""
