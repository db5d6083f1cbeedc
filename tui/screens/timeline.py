"""When what ends: periods across, clusters down; what is selected is listed below, with what it needs.

Owns the selection; the counts are `tui.timeline`'s, what a client needs is core's. It looks at what the list's filter
lets through, and a plan for the selection goes the ordinary way, group by group.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final, TypeVar

from textual.widget import Widget

from tui.banner import View
from tui.columns import heading, row_line
from tui.commands import TIMELINE
from tui.format import count
from tui.lines import BLANK, Line, boxed, cut, joined, line_width, plain
from tui.screens.counting import CountingScreen
from tui.screens.deck import bindings_of
from tui.screens.scroll import Body
from tui.screens.steps_menu import plan_menu
from tui.steps import steps_words
from tui.timeline import LATE, LATER, Grouping, Scale, What, range_words
from tui.timeline_lines import WIDE, grid_lines, plan_lines
from tui.widgets.lines import Lines

PANEL_SIZE: Final = (120, 30)
PANEL_WIDTH: Final = 56

_WITHOUT: Final = {
    What.CERTIFICATE: "without a certificate",
    What.TOKEN: "without a known token",
    What.AUTHORITY: "without a known CA",
}

E = TypeVar("E", What, Scale, Grouping)


class TimelineScreen(CountingScreen):
    """The grid, and the clients of the selection."""

    scope = TIMELINE
    is_of_all_sites = True
    view_id: ClassVar[str] = "view_timeline"
    BINDINGS: ClassVar[list[object]] = [*bindings_of(TIMELINE)]  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.in_list = False  # which of the two parts has the keys
        self._top = self._grid_top = 0
        self._page = 1
        self._parts: tuple[int, list[str], int] = (1, [""], 0)  # where the rows are, which, and where the clients begin

    def compose_body(self) -> Iterable[Widget]:
        yield Body(id="body")

    def place(self) -> str:
        sites = len(self.app.sites)
        return f"{super().place() if sites == 1 else f'{sites} sites'} > timeline"

    @property
    def visible_numbers(self) -> Sequence[int]:
        return [sight.number for sight in self.selection[self._top : self._top + self._page]]

    @property
    def current_number(self) -> int | None:
        return self.cursor if self.in_list else None

    # Drawing

    def head_lines(self, view: View) -> list[Line]:
        words = [
            ("", self.what.value, "i"),
            ("by ", self.scale.plural, "z"),
            ("per ", self.grouping.value, "b"),
        ]
        line: list[tuple[str, str]] = []
        for label, word, key in words:
            line.extend([(label, "dim"), (word, "title"), (f" [{key}]   ", "dim")])
        return [super().head_lines(view)[0], cut((("ends of ", "dim"), *line), view.width)]

    def draw_body(self, view: View) -> None:
        body = self.query_one("#body", Lines)
        width, height = body.size
        if not width or not height:
            return
        self._count(view)
        if view.now is None or not self.app.model.complete:
            body.set_lines([*self._padded([BLANK, plain("  reading the fleet", "title")], height)])
            return
        room = max(1, min(len(self._grid.groups), height // 2 - 4))
        names = self._shown_groups(room)
        lines = grid_lines(self._grid, view, width, names, self)
        panel = view.width >= PANEL_SIZE[0] and self.size.height >= PANEL_SIZE[1]
        self._parts = (2 if width >= WIDE else 1, ["", *names], len(lines) + 2)
        left = height - len(lines) - (0 if panel else 1)
        list_width = width - PANEL_WIDTH - 1 if panel else width
        listed = self._padded(self._list_lines(view, list_width, left), left)
        if panel:
            frame = view.glyphs.frame
            needs = plan_lines(self.groups, view, PANEL_WIDTH - 4)
            beside = boxed("what the selection needs", needs, PANEL_WIDTH, left, *frame)
            listed = [_beside(a, b, list_width) for a, b in zip(listed, beside, strict=True)]
            body.set_lines([*lines, *listed])
        else:
            words = steps_words(self.groups) or "nothing is selected"
            body.set_lines([*lines, *listed, cut((("needs ", "dim"), (words, "title")), width)])

    def _shown_groups(self, room: int) -> list[str]:
        names = self._grid.names
        if self.group in names:
            place = names.index(self.group)
            self._grid_top = max(min(self._grid_top, place), place - room + 1)
        self._grid_top = max(0, min(self._grid_top, len(names) - room))
        return names[self._grid_top : self._grid_top + room]

    def _list_lines(self, view: View, width: int, height: int) -> list[Line]:
        model, now = self.app.model, view.now
        self._page = max(1, height - 2)
        self._top = max(min(self._top, self._row), self._row - self._page + 1, 0)
        self._top = max(0, min(self._top, len(self.selection) - self._page))
        title = f"{range_words(self.low, self.high, self.scale)}: {count(len(self.selection), 'client')}"
        title += f" of {self.group}" if self.group else ""
        lines: list[Line] = [plain(title, "title"), heading(width, model.sort.id)]
        for sight in self.selection[self._top : self._top + self._page]:
            client = model.find(sight.number)
            if client is not None and now is not None:
                at = self.in_list and sight.number == self.cursor
                lines.append(row_line(client, now, width, view.glyphs, cursor=at))
        if not self.selection:
            lines.append(plain(f"  nothing ends then{': good' if self.low <= 1 else ''}; < and > move the selection"))
        return lines

    @staticmethod
    def _padded(lines: list[Line], height: int) -> list[Line]:
        return [*lines, *([BLANK] * (height - len(lines)))][:height]

    def status(self, view: View) -> Line:
        model = self.app.model
        marked = len(model.marked)
        without = self._grid.without
        chosen = f"filter: {model.filter_text}" if model.filter_text else "no filter"
        parts = [
            (f"{marked} marked" if marked else "", "mark"),
            (f"counting {int(self._counted * 100)} %" if self._is_counting else "", "running"),
            (f"{sum(self._grid.total)} of {model.total} clients counted", "text"),
            (f"{without} {_WITHOUT[self.what]}" if without else "", "dim"),
            (chosen, "accent" if model.filter_text else "dim"),
        ]
        return joined(parts, view.width)

    # The selection

    def _select(self, low: int, high: int) -> None:
        self.low, self.high = max(LATE, min(low, high)), min(LATER, max(low, high))
        self._row = self._top = 0
        self.cursor = None

    def cmd_period_back(self) -> None:
        if self.low > LATE:
            self._select(self.low - 1, self.high - 1)

    def cmd_period_on(self) -> None:
        if self.high < LATER:
            self._select(self.low + 1, self.high + 1)

    def cmd_widen(self) -> None:
        self._select(self.low, self.high + 1)

    def cmd_narrow(self) -> None:
        self._select(self.low, max(self.low, self.high - 1))

    def _next(self, now: E) -> E:
        members: list[E] = list(type(now))
        return members[(members.index(now) + 1) % len(members)]

    def cmd_what(self) -> None:
        self.what = self._next(self.what)

    def cmd_scale(self) -> None:
        self.scale = self._next(self.scale)

    def cmd_group_by(self) -> None:
        self.grouping = self._next(self.grouping)
        self.group = ""

    def cmd_pane(self) -> None:
        self.in_list = not self.in_list and bool(self.selection)

    def cmd_plan_steps(self) -> None:
        marked = set(self.app.model.marked)
        chosen = [s for s in self.selection if s.number in marked] or self.selection
        plan_menu(self.app, [(sight.number, sight.step) for sight in chosen])

    def line_clicked(self, part: str, y: int) -> None:
        rows_at, names, clients_at = self._parts
        if rows_at <= y < rows_at + len(names):
            self.in_list, self.group = False, names[y - rows_at]
        elif 0 <= y - clients_at < min(self._page, len(self.selection) - self._top):
            self.in_list, self._row = True, self._top + y - clients_at
            self.cursor = self.selection[self._row].number
        self.draw()

    # Moving, marking, looking

    def _move(self, rows: int) -> None:
        if self.in_list:
            row = max(0, min(self._row + rows, len(self.selection) - 1))
            self.cursor = self.selection[row].number if self.selection else None
            self._row = row
            return
        names = ["", *self._grid.names]
        self.group = names[max(0, min(names.index(self.group) + rows, len(names) - 1))]
        self._row = self._top = 0
        self.cursor = None

    def cmd_down(self) -> None:
        self._move(1)

    def cmd_up(self) -> None:
        self._move(-1)

    def cmd_page_down(self) -> None:
        self._move(self._page)

    def cmd_page_up(self) -> None:
        self._move(-self._page)

    def cmd_top(self) -> None:
        self._move(-len(self.app.model.order) - 1)

    def cmd_bottom(self) -> None:
        self._move(len(self.app.model.order) + 1)

    def cmd_mark(self) -> None:
        if self.in_list and self.cursor is not None:
            self.app.model.marks ^= {self.cursor}
            self._move(1)
        else:
            self.app.notice("mark: tab leads to the clients; * marks all that are selected", "warning")

    def cmd_mark_all(self) -> None:
        self.app.model.marks |= set(self.selection.clients)

    def cmd_mark_range(self) -> None:
        numbers = self.selection.clients
        here = self._row
        marked = [place for place, number in enumerate(numbers) if number in self.app.model.marks]
        before = [place for place in marked if place <= here]
        if self.in_list and numbers:
            self.app.model.marks |= set(numbers[(before[-1] if before else here) : here + 1])

    def cmd_unmark(self) -> None:
        self.app.model.marks.clear()

    def cmd_open(self) -> None:
        from tui.screens.detail import DetailScreen

        if not self.in_list:
            self.cmd_pane()
        elif self.cursor is not None:
            self.app.push_screen(DetailScreen(self.cursor))

    def cmd_actions(self) -> None:
        from tui.screens.menu import action_menu

        action_menu(self.app)

    def selection_back(self, number: int) -> None:
        self.cursor = number

    def cmd_back(self) -> None:
        if self.in_list:
            self.in_list = False
        elif self.app.model.filter_text:
            self.clear_filter()
        else:
            self.app.cmd_back()


def _beside(left: Line, right: Line, width: int) -> Line:
    line = cut(left, width)
    return (*line, (" " * (width - line_width(line) + 1), "text"), *right)
