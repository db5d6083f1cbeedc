"""The home screen: every client of the site, worst first, with two countdowns and the next step.

Owns the sort menu, the marks' keys and where the panes stand; what they show is the model's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui.banner import View, ribbon_bars, ribbon_lines, status_line
from tui.commands import FLEET
from tui.drawer import drawer_lines
from tui.feed import pane_lines
from tui.lines import Line, plain
from tui.marks import site_of
from tui.model import LATE, WEEKS
from tui.screens.deck import bindings_of
from tui.screens.scroll import Body
from tui.screens.tree_pane import TreePane
from tui.sitesline import sites_line
from tui.widgets.fleet_table import FleetTable
from tui.widgets.lines import Lines

DRAWER_SIZE = (120, 30)
PANE_SIZE = (140, 36)
RIBBON_SIZE = (80, 20)
BAR_LINES = 4
SITES_HEIGHT = 16  # lower windows have no line to spare for the sites


class FleetScreen(TreePane):
    """Table, drawer and feed."""

    scope = FLEET
    is_of_all_sites = True
    view_id: ClassVar[str] = "view_fleet"
    BINDINGS: ClassVar[list[object]] = [*bindings_of(FLEET)]  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self._drawn_revision = -1
        self._range_from: int | None = None
        self._weeks: list[int] = []
        self._weeks_of: tuple[int, int] = (-1, -1)

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(id="body"):
            with Horizontal(id="row"):
                yield Body(id="tree")
                yield FleetTable(id="table")
                yield Lines(id="drawer")
            yield Lines(id="pane")

    @property
    def table(self) -> FleetTable:
        """The client list."""
        return self.query_one(FleetTable)

    @property
    def current_number(self) -> int | None:
        return self.table.cursor if len(self.app.model.order) else None

    def line_clicked(self, part: str, y: int) -> None:
        if part == "tree":
            self.in_tree = True
            self.go_in_tree(y - 1)
            self.draw()

    def forget_changes(self) -> None:
        self.table.recent.forget()

    def focus_body(self) -> None:
        self.table.focus()

    def on_mount(self) -> None:
        self.focus_body()
        super().on_mount()

    def resized(self, width: int, height: int) -> None:
        has_room = width >= DRAWER_SIZE[0] and height >= DRAWER_SIZE[1]
        self.set_class(has_room and not self.app.looks.shown.wide, "-drawer")
        self.set_class(width >= PANE_SIZE[0] and height >= PANE_SIZE[1], "-pane")

    def place(self) -> str:
        sites = len(self.app.sites)
        return f"site {super().place()}" if sites == 1 else f"{sites} sites"

    # Drawing

    def head_lines(self, view: View) -> list[Line]:
        lines = super().head_lines(view)
        if view.model.has_several_sites and self.size.height >= SITES_HEIGHT:
            moments = {"monotonic": view.monotonic, "shown_at": view.shown_at}
            lines.append(sites_line(view.model.sites, view.glyphs, view.width, view.failed, **moments))
        if self.size.width < RIBBON_SIZE[0] or self.size.height < RIBBON_SIZE[1] or view.now is None:
            return lines
        moment = (self.app.model.revision, int(view.now.timestamp()) // 60)
        if moment != self._weeks_of:
            self._weeks, self._weeks_of = self.app.model.weeks(view.now), moment
        if self.size.height >= PANE_SIZE[1]:
            lines.extend(ribbon_bars(view, self._weeks, BAR_LINES))
        lines.extend(ribbon_lines(view, self._weeks))
        return lines

    def draw_body(self, view: View) -> None:
        model, table = self.app.model, self.table
        self.draw_tree(view)
        if model.revision != self._drawn_revision:
            self._drawn_revision = model.revision
            table.follow()
        table.empty_lines = self._empty_lines(view)
        table.draw(view.now)
        client = None if table.cursor is None or not model.order else model.find(table.cursor)
        if self.has_class("-drawer"):
            drawer = self.query_one("#drawer", Lines)
            drawer.set_lines(drawer_lines(client, view, drawer.size.width, drawer.size.height))
        if self.has_class("-pane"):
            pane = self.query_one("#pane", Lines)
            width, height = pane.size
            events = self.app.newest_events(height)
            pane.set_lines(pane_lines(self.app.under_way(), events, view, width, height))

    def _empty_lines(self, view: View) -> list[Line]:
        model = self.app.model
        if model.filter_text or model.week is not None:
            what = f"`{model.filter_text}`" if model.filter_text else ""
            if model.week is not None:
                week = "late" if model.week == LATE else f"week {model.week}"
                what = f"{what} in {week}" if what else week
            return [plain(""), plain(f"  no client matches {what}", "title"), plain("  esc clears it", "dim")]
        if view.now is None:
            address = self.app.gateway.connection.address
            return [plain(""), plain(f"  waiting for the agent at {address}", "title"), plain("  q quits", "dim")]
        if not model.complete:
            return [plain(""), plain("  reading the fleet", "title")]
        return [
            plain(""),
            plain("  this site has no client yet", "title"),
            plain("  `mocdeck identity create` makes the first one", "dim"),
        ]

    def status(self, view: View) -> Line:
        first, last = self.table.span
        newest = ""
        for event in self.app.newest_events(1):
            newest = f"{event.at:%H:%M:%S} {event.outcome} {event.action} {event.subject}"
        return status_line(view, first=first, last=last, newest=newest)

    # Moving

    def _move(self, rows: int) -> None:
        if self.in_tree:
            self.move_in_tree(rows)
            return
        self.app.hold_order()
        self.table.move(rows)

    def cmd_down(self) -> None:
        self._move(1)

    def cmd_up(self) -> None:
        self._move(-1)

    def cmd_page_down(self) -> None:
        self._move(self.table.page)

    def cmd_page_up(self) -> None:
        self._move(-self.table.page)

    def cmd_top(self) -> None:
        self._move(-self.app.model.total - 1)

    def cmd_bottom(self) -> None:
        self._move(self.app.model.total + 1)

    # Marking

    def cmd_mark(self) -> None:
        number = self.current_number
        if number is None:
            return
        self.app.model.marks ^= {number}
        self._range_from = number
        self._move(1)

    def cmd_mark_range(self) -> None:
        model, number = self.app.model, self.current_number
        here = None if number is None else model.place_of(number)
        start = None if self._range_from is None else model.place_of(self._range_from)
        if here is None:
            return
        low, high = sorted((here, here if start is None else start))
        model.marks |= set(model.order[low : high + 1])
        self._range_from = number

    def cmd_mark_all(self) -> None:
        self.app.model.marks |= set(self.app.model.order)

    def cmd_unmark(self) -> None:
        self.app.model.marks.clear()
        self._range_from = None

    # Looking

    def cmd_detail(self) -> None:
        from tui.screens.detail import DetailScreen

        if self.in_tree:
            self.open_branch()
            return
        number = self.current_number
        if number is not None:
            self.app.push_screen(DetailScreen(number))

    def cmd_actions(self) -> None:
        from tui.screens.menu import action_menu

        action_menu(self.app)

    def cmd_wide(self) -> None:
        shown = self.app.looks.shown
        self.app.looks.show(replace(shown, wide=not shown.wide))
        self.resized(self.size.width, self.size.height)
        self.call_after_refresh(self.draw)

    def cmd_columns(self) -> None:
        from tui.screens.column_dialog import ColumnDialog

        self.app.push_screen(ColumnDialog())

    def cmd_jump(self) -> None:
        from tui.screens.jumping import JumpScreen

        self.app.push_screen(JumpScreen(self.table))

    def cmd_plan_steps(self) -> None:
        from tui.screens.steps_menu import plan_menu

        found = (self.app.model.find(number) for number in self.app.selected_numbers())
        plan_menu(self.app, [(one.id, one.judged.next_action) for one in found if one is not None])

    def cmd_sort(self) -> None:
        from tui.screens.menu import sort_menu

        sort_menu(self.app)

    def selection_back(self, number: int) -> None:
        self.table.select(number)

    def cmd_back(self) -> None:
        if self.in_tree:
            self.cmd_pane()
        elif self.app.model.week is not None:
            self.app.model.choose_week(None, self.app.clock.monotonic())
        elif self.app.model.filter_text:
            self.clear_filter()
        elif self.app.notice_text:
            self.app.notice_text = ""

    def cmd_weeks(self) -> None:
        chosen = LATE if self.app.model.week is None else None
        self.app.model.choose_week(chosen, self.app.clock.monotonic())

    def _week(self, step: int) -> None:
        week = self.app.model.week
        if week is not None:
            self.app.model.choose_week(max(LATE, min(WEEKS - 1, week + step)), self.app.clock.monotonic())

    def cmd_week_back(self) -> None:
        self._week(-1)

    def cmd_week_on(self) -> None:
        self._week(1)

    def on_screen_resume(self) -> None:
        """Come home: the current site is the cursor's again."""
        if self.table.cursor is not None and self.app.screen is self:
            self.app.enter_site(site_of(self.table.cursor))
        super().on_screen_resume()

    def on_fleet_table_cursor_moved(self) -> None:
        """Show the client under the cursor in the drawer."""
        if self.table.cursor is not None and self.app.screen is self:
            self.app.enter_site(site_of(self.table.cursor))
        self.app.deck.draw()
