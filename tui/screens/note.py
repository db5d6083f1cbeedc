"""`:handover`: the note of a shift, written to a file for the next one and shown here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from backend.core.errors import AccessDenied
from backend.core.handoverforms import as_markdown, as_text
from tui.banner import View
from tui.commands import NOTE
from tui.format import wrapped
from tui.gateway import AlertsView, EventView, OperationView
from tui.lines import BLANK, Line, plain
from tui.screens.deck import bindings_of
from tui.screens.exporting import head_of, written
from tui.screens.scroll import ScrollScreen
from tui.shift import SHIFT, shift_note

if TYPE_CHECKING:
    from tui.app import MocdeckApp

DIRECTORY: Final = "handovers"
EVENTS: Final = 5_000  # as many as the agent gives at once
Facts = tuple[Sequence[EventView], AlertsView, Sequence[OperationView]]


class NoteScreen(ScrollScreen):
    """A text that was made once, and where it was written to."""

    scope = NOTE
    BINDINGS: ClassVar[list[object]] = [*bindings_of(NOTE)]  # type: ignore[assignment]

    def __init__(self, title: str, lines: Sequence[str], where: str) -> None:
        super().__init__()
        self._title = title
        self._text = lines
        self._where = where

    def place(self) -> str:
        return self._title

    def text_lines(self, view: View) -> Sequence[Line]:
        role = "dim" if self._where.startswith("written") else "warning"
        lines = [plain(part, role) for part in wrapped(self._where, view.width)]
        return [*lines, BLANK, *(line for text in self._text for line in _fitted(text, view.width))]


def _fitted(text: str, width: int) -> Sequence[Line]:
    """One line of the note, in as many as it takes; what follows is indented."""
    if len(text) <= width:
        return [plain(text)]
    first, *rest = wrapped(text, width - 4)
    return [plain(first), *(plain(f"    {part}", "dim") for part in rest)]


def hand_over(app: MocdeckApp) -> None:
    """Ask the agent what the last eight hours were, write the note and show it."""
    if app.now is None:
        app.notice("hand-over: nothing has been heard from the agent yet", "warning")
        return
    app.run_agent_call(_facts(app), what="hand-over", then=lambda facts: _show(app, facts))


async def _facts(app: MocdeckApp) -> Facts:
    events = await app.gateway.events(EVENTS)
    try:
        found = await app.gateway.alerts()
    except AccessDenied:
        found = AlertsView()
    return events, found, await app.gateway.operations()


def _show(app: MocdeckApp, facts: Facts) -> None:
    head = head_of(app, of_site=True)
    if head is None:
        return
    now = head.observed_at
    events, found, operations = facts
    note = shift_note(app.model.site(now), events, found, operations)
    path = app.state_dir / DIRECTORY / f"handover-{now:%Y%m%dT%H%M%SZ}.md"
    where = f"written to {path}" if written(app, "hand-over", path, f"{as_markdown(note, head)}\n") else "not written"
    lines = as_text(note, head).splitlines()
    if len(events) == EVENTS and min(event.at for event in events) > now - SHIFT:
        lines.insert(0, f"Only the newest {EVENTS} events were read; `mocdeck handover` reads all of them.")
    app.push_screen(NoteScreen("hand-over", lines, where))
