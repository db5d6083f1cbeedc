"""Counting what the list shows for the Timeline: at once for a small fleet, in slices for a large one.

Owns what is counted, what of it is selected, and the cursor on a selected client; drawing and keys are the subclass's.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from tui.banner import View
from tui.marks import ClientId
from tui.pacing import breathe
from tui.screens.filtering import FilterScreen
from tui.steps import Step, steps_counted
from tui.timeline import LATE, NOTHING, Grid, Grouping, Scale, What, count_ends, counting

LARGE: Final = 5_000  # clients above which counting is done in slices
_EVERY_SECONDS: Final = 10  # a large fleet is counted anew at most so often while only time passes


class CountingScreen(FilterScreen):
    """The grid and its selection."""

    def __init__(self) -> None:
        super().__init__()
        self.what, self.scale, self.grouping = What.CERTIFICATE, Scale.WEEKS, Grouping.CLUSTER
        self.low, self.high = LATE, LATE + 1
        self.group = ""  # "" is the row of all
        self.cursor: ClientId | None = None
        self.groups: list[tuple[Step, int]] = []  # what the selection needs
        self.selection = NOTHING
        self._row = 0
        self._grid = Grid()
        self._of: tuple[object, ...] = ((),)
        self._is_counting = False
        self._counted = 1.0
        self._selected_of: tuple[object, ...] = ()

    def _count(self, view: View) -> None:
        if view.now is None:
            return
        model = self.app.model
        chosen = (self.what, self.scale, self.grouping, model.filter_text, model.week)
        seconds = int(view.now.timestamp())
        pace = seconds // _EVERY_SECONDS if model.total > LARGE else (seconds // 60, model.revision)
        wanted = (chosen, len(model.order), pace)
        if wanted != self._of and not (self._is_counting and chosen == self._of[0]):
            self._of = wanted
            if model.total > LARGE:
                work = counting(model, view.now, self.what, self.scale, self.grouping)
                self._is_counting = True
                self.run_worker(self._count_slowly(work), group="timeline", exclusive=True, exit_on_error=False)
            else:
                self._take(count_ends(model, view.now, self.what, self.scale, self.grouping))
        self._choose()

    async def _count_slowly(self, work: Generator[float, None, Grid]) -> None:
        """Count a large fleet without keeping a key waiting."""
        while True:
            try:
                self._counted = next(work)
            except StopIteration as end:
                self._take(end.value)
                break
            await breathe()
        self.draw()

    def _take(self, grid: Grid) -> None:
        self._grid, self._counted, self._is_counting = grid, 1.0, False
        self._selected_of = ()

    def _choose(self) -> None:
        """Select anew if grid, row or columns are others."""
        if self.group not in self._grid.groups:
            self.group = ""
        wanted = (id(self._grid), self.group, self.low, self.high)
        if wanted != self._selected_of:
            self._selected_of = wanted
            self.selection = self._grid.selected(self.group, self.low, self.high)
            self.groups = steps_counted(self.selection.steps())
        self._follow()

    def _follow(self) -> None:
        """Keep the cursor on its client while it is selected."""
        last = len(self.selection) - 1
        self._row = max(0, min(self._row, last))
        if last >= 0 and self.selection[self._row].number != self.cursor:
            place = self.selection.find(self.cursor)
            self._row = self._row if place is None else place
        self.cursor = self.selection[self._row].number if last >= 0 else None
