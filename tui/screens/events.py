"""What was done and refused, newest first, from the agent's audit log; the whole event below the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tui.banner import View
from tui.commands import EVENTS
from tui.feed import event_line
from tui.format import fit, grouped, instant, wrapped
from tui.lines import Line, plain
from tui.screens.deck import bindings_of
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
        rule = view.glyphs.rule * view.width
        lines = [
            plain(rule, "dim"),
            plain(f"event {event.index}   {instant(event.at)}   by {event.actor} through {event.origin}", "text"),
            plain(f"{event.outcome}: {event.action} {event.subject}", "title"),
        ]
        for name, value in event.detail:
            lines.extend(plain(text) for text in wrapped(f"{name}: {value}", view.width - 2))
        lines.append(plain(f"digest {grouped(event.digest, 8)}", "dim"))
        return lines[:height]

    def nothing(self, view: View) -> str:
        return "no event yet; every action and every refusal will stand here"
