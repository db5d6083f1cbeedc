"""The client list: a Line-API table that repaints only the changed cells of visible rows.

Owns the cursor and what part of the list is seen; the order, the marks and the filter are the model's. The cursor is a
client, not a row number: it follows its client wherever the list puts it. Rows exist as text only while visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from textual import events
from textual.message import Message

from tui.columns import Shown, heading, row_line
from tui.lines import BLANK, Line, plain
from tui.marks import ClientId
from tui.recent import RecentChanges
from tui.widgets.lines import Lines


class FleetTable(Lines, can_focus=True):
    """Title line and rows; `draw(now)` shows the present second."""

    DEFAULT_CSS = """
    FleetTable { height: 1fr; }
    """

    class CursorMoved(Message):
        """Another client is under the cursor."""

    empty: ClassVar[tuple[str, ...]] = ("no client yet",)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor: ClientId | None = None
        self.top = 0
        self.rows_formatted = 0  # since birth; at most the visible rows for each draw
        self.empty_lines: list[Line] = []
        self.labels: dict[int, str] = {}  # a letter for each client on screen, while one is looked for
        self.recent = RecentChanges()
        self._row = 0
        self._is_chosen = False  # the operator has moved it
        self._now: datetime | None = None

    @property
    def page(self) -> int:
        """Rows that fit below the titles."""
        return max(1, self.size.height - 1)

    @property
    def visible_numbers(self) -> Sequence[int]:
        """The clients on screen, from the top."""
        return self.app.model.order[self.top : self.top + self.page]

    @property
    def span(self) -> tuple[int, int]:
        """First and last row on screen, counted from 1; (0, 0) for an empty list."""
        shown = len(self.visible_numbers)
        return (self.top + 1, self.top + shown) if shown else (0, 0)

    def follow(self) -> None:
        """Bring cursor and scrolling in line with the model's order; the cursor stays on its client."""
        order = self.app.model.order
        if not len(order):
            self.top = self._row = 0
            return
        if not self._is_chosen and not self.app.model.complete:  # sites still come: the worst client is the first
            self._row = self.top = 0
            self._take(order[0])
            return
        place = None if self.cursor is None else self.app.model.place_of(self.cursor)
        if place is None:
            self._row = min(self._row, len(order) - 1)
            self._take(order[self._row])
        elif place != self._row:
            at_screen_row = self._row - self.top
            self._row = place
            if self.top:  # keep the client on its screen line, unless the list is shown from its beginning
                self.top = place - at_screen_row
        self._scroll_into_view()

    def move(self, rows: int) -> None:
        """Move the cursor by so many rows, as far as the list goes."""
        self.go(self._row + rows)

    def go(self, row: int) -> None:
        """Put the cursor on a row of the list; below 0 is the first, beyond the end the last."""
        order = self.app.model.order
        if not len(order):
            return
        self._is_chosen = True
        self._row = max(0, min(row, len(order) - 1))
        self._take(order[self._row])
        self._scroll_into_view()
        self.draw(self._now)

    def go_last(self) -> None:
        """Put the cursor on the last row."""
        self.go(len(self.app.model.order) - 1)

    def select(self, number: ClientId) -> None:
        """Put the cursor on a client if the list has it."""
        place = self.app.model.place_of(number)
        if place is not None:
            self.go(place)

    def _take(self, number: ClientId) -> None:
        if number != self.cursor:
            self.cursor = number
            self.post_message(self.CursorMoved())

    def _scroll_into_view(self) -> None:
        page = self.page
        if self._row < self.top:
            self.top = self._row
        elif self._row >= self.top + page:
            self.top = self._row - page + 1
        self.top = max(0, min(self.top, len(self.app.model.order) - page))

    def draw(self, now: datetime | None) -> None:
        """Show the list at `now`; rows whose text is the same are not written again."""
        self._now = now
        width, height = self.size
        if not width or not height:
            return
        self.set_lines(self._compose_lines(width, height, now))

    def _compose_lines(self, width: int, height: int, now: datetime | None) -> list[Line]:
        model = self.app.model
        shown = replace(self.app.looks.shown, sites=model.has_several_sites)
        lines: list[Line] = [heading(width, model.sort.id, shown)]
        if now is None or not len(model.order):
            lines.extend(self.empty_lines or [plain(text, "dim") for text in self.empty])
        else:
            lines.extend(self._rows(width, shown))
        lines.extend([BLANK] * (height - len(lines)))
        return lines[:height]

    def _rows(self, width: int, shown: Shown) -> list[Line]:
        model, monotonic = self.app.model, self.app.clock.monotonic()
        lines: list[Line] = []
        visible = self.visible_numbers
        self.recent.keep(visible)
        for number in visible:
            client, its_now = model.find(number), model.now_of(number, self.app.shown_at)
            if client is None or its_now is None:
                continue
            self.rows_formatted += 1
            lines.append(
                row_line(
                    client,
                    its_now,
                    width,
                    self.app.glyphs,
                    cursor=number == self.cursor,
                    shown=shown,
                    changed=self.recent.see(client, monotonic),
                    label=self.labels.get(number, ""),
                )
            )
        return lines

    def on_resize(self) -> None:
        """Show as many rows as fit now, around the same client."""
        self._scroll_into_view()
        self.draw(self._now)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse was pressed."""
        if event.y >= 1 and self.top + event.y - 1 < len(self.app.model.order):
            self.go(self.top + event.y - 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll three rows, cursor included, so that it is never out of sight."""
        event.stop()
        self.move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll three rows back."""
        event.stop()
        self.move(-3)
