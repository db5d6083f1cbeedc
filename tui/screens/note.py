"""`:handover`: the note of a shift, written to a file for the next one and shown here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from backend.core.errors import AccessDenied
from backend.core.export import Head
from backend.core.handover import Handover
from backend.core.handoverforms import as_markdown, as_text, sections
from backend.core.inert import inert
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
    """A text that was made once, in paragraphs with their roles, and where it was written to."""

    scope = NOTE
    BINDINGS: ClassVar[list[object]] = [*bindings_of(NOTE)]  # type: ignore[assignment]

    def __init__(self, title: str, paragraphs: Sequence[tuple[str, str]], where: str) -> None:
        super().__init__()
        self._title = title
        self._paragraphs = paragraphs
        self._where = where

    def place(self) -> str:
        return self._title

    def text_lines(self, view: View) -> Sequence[Line]:
        role = "dim" if self._where.startswith("written") else "warning"
        lines = [plain(part, role) for part in wrapped(self._where, view.width)]
        return [*lines, BLANK, *(line for text, role in self._paragraphs for line in _fitted(text, role, view.width))]


def _fitted(text: str, role: str, width: int) -> Sequence[Line]:
    """One paragraph, in as many lines as it takes; what follows is indented."""
    first, *rest = [text] if len(text) <= width else wrapped(text, width - 4)
    return [plain(first, role), *(plain(f"    {part}", "dim") for part in rest)]


def paragraphs_of(note: Handover, head: Head) -> list[tuple[str, str]]:
    """Return the note for a screen of any width: a row is a paragraph, so that nothing is cut off at the right."""
    begin, *_ = as_text(note, head).partition("\n\n")
    made = [(line, "title" if not place else "text") for place, line in enumerate(begin.splitlines())]
    for title, _, rows, nothing in sections(note):
        made += [("", "text"), (f"{title}: {len(rows) or nothing}", "head" if rows else "dim")]
        made += [(inert("  ".join(cell for cell in row if cell != "-"), 2_000), "text") for row in rows]
    return made


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
    paragraphs = paragraphs_of(note, head)
    if len(events) == EVENTS and min(event.at for event in events) > now - SHIFT:
        cut = f"Only the newest {EVENTS} events were read; `mocdeck handover` reads all of them."
        paragraphs.insert(0, (cut, "warning"))
    app.push_screen(NoteScreen("hand-over", paragraphs, where))
