"""The clusters beside the list: shown where there is room or where tab asked for it, and a filter by one key."""

from __future__ import annotations

from typing import Final

from tui.banner import View
from tui.screens.filtering import FilterScreen
from tui.tree import Branch, branches, tree_lines
from tui.widgets.lines import Lines

AUTO_WIDTH: Final = 160
LEAST_WIDTH: Final = 120
_EVERY_SECONDS: Final = 5


class TreePane(FilterScreen):
    """The part of the home screen that knows the tree."""

    def __init__(self) -> None:
        super().__init__()
        self.in_tree = False
        self._asked_for = False
        self._tree_row = 0
        self._branches: list[Branch] = []
        self._branches_of: object = None

    @property
    def has_tree(self) -> bool:
        """Tell whether the tree is shown."""
        width = self.size.width
        fits = width >= LEAST_WIDTH and not self.app.looks.shown.wide
        return fits and (self._asked_for or self.in_tree or width >= AUTO_WIDTH)

    def draw_tree(self, view: View) -> None:
        """Show the tree as it is now."""
        self.set_class(self.has_tree, "-tree")
        self.set_class(self.has_tree and self.size.width < AUTO_WIDTH, "-instead")
        if not self.has_tree:
            self.in_tree = False
            return
        model = self.app.model
        moment = (model.total, int(view.monotonic) // _EVERY_SECONDS if model.total > 2000 else model.revision)
        if moment != self._branches_of:
            self._branches, self._branches_of = branches(model), moment
        self._tree_row = max(0, min(self._tree_row, len(self._branches) - 1))
        pane = self.query_one("#tree", Lines)
        pane.set_lines(tree_lines(self._branches, self._tree_row, view, max(3, pane.size.height), active=self.in_tree))

    def cmd_pane(self) -> None:
        """Go to the tree, or back to the list."""
        if self.size.width < LEAST_WIDTH:
            self.app.notice(f"the list of clusters needs {LEAST_WIDTH} columns; 3 shows it as a view", "warning")
            return
        self.in_tree = not self.in_tree
        self._asked_for = self.in_tree
        if self.in_tree and self.app.looks.shown.wide:
            self.app.notice("the list has the whole width now; w ends that", "warning")
            self.in_tree = self._asked_for = False

    def move_in_tree(self, rows: int) -> None:
        """Move the tree's cursor."""
        self._tree_row = max(0, min(self._tree_row + rows, len(self._branches) - 1))

    def go_in_tree(self, line: int) -> None:
        """Put the tree's cursor on one of its lines on screen."""
        room = max(1, self.query_one("#tree", Lines).size.height - 2)
        top = max(0, min(self._tree_row - room + 1, len(self._branches) - room))
        self.move_in_tree(top + line - self._tree_row)

    def open_branch(self) -> None:
        """Show only the clients of the branch under the cursor."""
        branch = self._branches[self._tree_row]
        if branch.filter is None:
            self.app.notice("no filter says `without a cluster`; view 3 shows them", "warning")
            return
        self.app.visits.leave()
        self.apply_filter(branch.filter)
        self.in_tree = False
