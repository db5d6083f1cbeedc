"""Operations with their progress, newest first; the clients of the one under the cursor below.

An operation lives in the agent: leaving this screen, or losing the connection, stops nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tui.banner import View
from tui.commands import JOBS, Command
from tui.feed import operation_line, target_line
from tui.format import count
from tui.gateway import OperationView
from tui.lines import Line, plain
from tui.screens.deck import bindings_of
from tui.screens.scroll import ListScreen
from tui.screens.stop_dialog import ask_to_stop, resume_refusal, stop_refusal

_ORDER = {"failed": 0, "running": 1, "waiting": 2}


class JobsScreen(ListScreen):
    """All operations the agent remembers."""

    scope = JOBS
    view_id: ClassVar[str] = "view_jobs"
    BINDINGS: ClassVar[list[object]] = [*bindings_of(JOBS)]  # type: ignore[assignment]

    def titles(self, view: View) -> Line:
        return plain("STARTED   ACTION       STATE      PROGRESS", "head")

    def rows(self, view: View) -> Sequence[tuple[str, Line]]:
        return [(operation.id, operation_line(operation, view, view.width - 2)) for operation in self.app.operations]

    def _current(self) -> OperationView | None:
        return next((operation for operation in self.app.operations if operation.id == self.cursor_key), None)

    def below(self, view: View, key: str, height: int) -> Sequence[Line]:
        operation = self._current()
        if operation is None:
            return ()
        targets = sorted(operation.targets, key=lambda target: (_ORDER.get(target.state, 3), target.name))
        reason = f"   reason: {operation.reason}" if operation.reason else ""
        lines: list[Line] = [
            plain(view.glyphs.rule * view.width, "dim"),
            plain(f"{count(operation.total, 'client')}, by {operation.actor}{reason}   id {operation.id}", "dim"),
        ]
        lines.extend(target_line(target, view.width) for target in targets[: max(0, height - 3)])
        hidden = len(targets) - max(0, height - 3)
        if hidden > 0:
            lines.append(plain(f"{hidden} more; failed and running ones stand first", "dim"))
        return lines

    def nothing(self, view: View) -> str:
        return "no operation yet; R, T or S on a client plans one"

    def refusal(self, command: Command) -> str | None:
        if command.id == "resume":
            return resume_refusal(self._current())
        return stop_refusal(self._current()) if command.id == "stop" else None

    def cmd_stop(self) -> None:
        """Stop the operation under the cursor after the steps that are under way."""
        operation = self._current()
        if operation is not None:
            ask_to_stop(self.app, operation, self.app.current_site, lambda _: None)

    def cmd_resume(self) -> None:
        """Plan what the operation under the cursor has left."""
        operation = self._current()
        if operation is not None:
            from tui.screens.actions import start_resumption

            start_resumption(self.app, operation)

    def cmd_open(self) -> None:
        """Show the progress screen of the operation."""
        operation = self._current()
        if operation is not None:
            from tui.screens.actions import open_operation

            open_operation(self.app, operation)
