"""The stock table of the screen library with the same fleet, as the measure beside ours: `table_program CLIENTS`.

Each second the visible countdowns, in hours, minutes and seconds, are set cell by cell; each `j` moves the cursor and
is counted in the line above.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Static

from backend.clock import SystemClock
from tests.tui.pty_program import fleet

DAY = timedelta(days=1)


class TableApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("keys 0", id="keys")
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        self.clock = SystemClock()
        self.began = self.clock.monotonic()
        self.keys = 0
        self.seeds = fleet(int(sys.argv[1]))
        table = self.query_one(DataTable)
        for name in ("client", "state", "next", "cluster", "kind", "certificate", "token"):
            table.add_column(name, key=name)
        for seed in self.seeds:
            table.add_row(seed.name, "DUE", "renew there", seed.cluster, seed.kind, "", "", key=seed.name)
        table.focus()
        self.tick()
        self.set_interval(1.0, self.tick)

    def tick(self) -> None:
        table = self.query_one(DataTable)
        passed = timedelta(seconds=int(self.clock.monotonic() - self.began))
        top = int(table.scroll_y)
        for seed in self.seeds[top : top + self.size.height]:
            table.update_cell(seed.name, "certificate", str((seed.left or DAY) - passed))
            table.update_cell(seed.name, "token", str((seed.token or DAY) - passed))

    def on_key(self, event: object) -> None:
        if getattr(event, "key", "") == "j":
            self.keys += 1
            self.query_one(DataTable).action_cursor_down()
            self.query_one("#keys", Static).update(f"keys {self.keys}")


if __name__ == "__main__":
    TableApp().run()
