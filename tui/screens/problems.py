"""What of the operator's settings was not taken, told once at the start."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from tui.format import wrapped
from tui.lines import BLANK, Line, plain
from tui.screens.dialog import Dialog


class ProblemsDialog(Dialog[None]):
    """Every mistake in the settings, with what holds instead."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("Your settings")
        self.problems = tuple(problems)

    def body(self, width: int) -> Sequence[Line]:
        lines: list[Line] = [plain("The dashboard works; these parts of your settings were not taken:"), BLANK]
        for problem in self.problems:
            parts = wrapped(problem, width - 2)
            lines.append(plain(f"- {parts[0]}", "warning"))
            lines.extend(plain(f"  {part}", "warning") for part in parts[1:])
        return lines

    def foot(self, width: int) -> Sequence[Line]:
        return [(("( Close )", "title+cursor"), ("   enter or esc", "dim"))]

    def pressed(self, event: events.Key, *, still: bool) -> None:
        if event.key in {"enter", "q"}:
            self.dismiss(None)
