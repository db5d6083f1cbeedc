"""What was done and refused, newest first, from the agent's audit log; the whole event below the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events

from tui.banner import View
from tui.commands import EVENTS
from tui.feed import event_line, useful_first
from tui.format import fit, grouped, instant, wrapped
from tui.gateway import EventView
from tui.lines import Line, plain
from tui.screens.deck import bindings_of
from tui.screens.dialog import Dialog
from tui.screens.scroll import ListScreen


class EventsScreen(ListScreen):
    """The newest two hundred audit events."""

    scope = EVENTS
    view_id: ClassVar[str] = "view_events"
    BINDINGS: ClassVar[list[object]] = [*bindings_of(EVENTS)]  # type: ignore[assignment]

    def titles(self, view: View) -> Line:
        tight = view.width < 100
        text = fit("WHEN", 17 if tight else 22) + fit("RESULT", 8)
        text += fit("ACTION", 16 if tight else 21) + fit("SUBJECT", 20 if tight else 25) + "BY"
        return plain(text, "head")

    def rows(self, view: View) -> Sequence[tuple[str, Line]]:
        return [(str(event.index), event_line(event, view.width - 2, full_date=True)) for event in self.app.audit]

    def below(self, view: View, key: str, height: int) -> Sequence[Line]:
        event = next((event for event in self.app.audit if str(event.index) == key), None)
        if event is None:
            return ()
        lines = [plain(view.glyphs.rule * view.width, "dim"), *whole_event(event, view.width - 2)]
        if len(lines) > height:
            lines = [*lines[: height - 1], plain("enter shows the rest", "dim")]
        return lines

    def cmd_open(self) -> None:
        """Show the event under the cursor whole."""
        event = next((event for event in self.app.audit if str(event.index) == self.cursor_key), None)
        if event is not None:
            self.app.push_screen(EventDialog(event))

    def nothing(self, view: View) -> str:
        return "no event yet; every action and every refusal will stand here"


def whole_event(event: EventView, width: int) -> list[Line]:
    """Return everything that an event says, what people look for first, its digest last."""
    lines = [
        plain(f"event {event.index}   {instant(event.at)}   by {event.actor} through {event.origin}", "text"),
        plain(f"{event.outcome}: {event.action} {event.subject}", "title"),
    ]
    for name, value in useful_first(event):
        lines.extend(plain(text) for text in wrapped(f"{name}: {value}", width))
    return [*lines, *(plain(text, "dim") for text in wrapped(f"digest {grouped(event.digest, 8)}", width))]


class EventDialog(Dialog[None]):
    """One event, whole."""

    def __init__(self, event: EventView) -> None:
        super().__init__(f"Event {event.index}")
        self.event = event

    def body(self, width: int) -> Sequence[Line]:
        return whole_event(self.event, width)

    def foot(self, width: int) -> Sequence[Line]:
        return [plain("( Close )", "title+cursor")]

    def pressed(self, event: events.Key, *, still: bool) -> None:
        if event.key in {"enter", "q"}:
            self.dismiss(None)
