"""What can be done with the selected clients without changing them: copy, see as YAML, their events, a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events

from tui.clipboard import copy
from tui.feed import OUTCOME_ROLES, useful_first
from tui.format import count, instant, shorten, wrapped
from tui.gateway import ClientDetail, EventView
from tui.lines import Line, plain
from tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from tui.app import MocdeckApp


def copy_names(app: MocdeckApp) -> None:
    """Put the names of the selected clients on the clipboard, one a line; names are no secrets."""
    names = app.selected_names()
    what = names[0] if len(names) == 1 else count(len(names), "name")
    done = copy(app, "\n".join(names))
    app.notice(f"{what}: {done}", "title")


def show_yaml(app: MocdeckApp) -> None:
    """Show the client under the cursor as YAML."""
    number, now = app.deck.current_number, app.now
    record = None if number is None or now is None else app.model.record(number, now)
    if record is None:
        app.notice("yaml: this client is gone", "warning")
        return
    import yaml

    text = yaml.safe_dump(record, sort_keys=False, allow_unicode=True, width=120)
    app.push_screen(TextDialog(str(record.get("name", "client")), text.splitlines()))


def show_events(app: MocdeckApp) -> None:
    """Ask the agent for the client's own events, and show them."""
    number = app.deck.current_number
    client = None if number is None else app.model.find(number)
    if client is None:
        return
    name = client.row.name

    def then(detail: ClientDetail) -> None:
        app.push_screen(EventsDialog(name, detail.history))

    app.run_agent_call(app.gateway.describe(name), what=f"events of {name}", then=then)


def _event_lines(event: EventView, width: int) -> list[Line]:
    """Return an event without its subject, and its detail below it."""
    role = OUTCOME_ROLES.get(event.outcome, "text")
    head: Line = (
        (f"{instant(event.at)}  ", "dim"),
        (f"{event.outcome:8}", role),
        (shorten(f"{event.action}  by {event.actor}", max(1, width - 32)), "title"),
    )
    detail = "  ".join(f"{name}={value}" for name, value in useful_first(event))
    return [head, *(plain(f"    {part}", "dim") for part in wrapped(detail, width - 4) if part)]


class TextDialog(Dialog[None]):
    """A text to read and to copy."""

    wide = 110

    def __init__(self, title: str, text: Sequence[str]) -> None:
        super().__init__(title)
        self.text = tuple(text)

    def body(self, width: int) -> Sequence[Line]:
        return [plain(line) for line in self.text]

    def foot(self, width: int) -> Sequence[Line]:
        return [(("( Close )", "title+cursor"), ("   c", "key"), (" copy", "text"))]

    def pressed(self, event: events.Key, *, still: bool) -> None:
        if event.key == "c":
            self.hint = copy(self.app, "\n".join(self.text))
        elif event.key in {"enter", "q"}:
            self.dismiss(None)


class EventsDialog(Dialog[None]):
    """The events of one client, newest first."""

    wide = 100

    def __init__(self, name: str, found: Sequence[EventView]) -> None:
        super().__init__(f"Events of {name}")
        self.found = tuple(found)

    def body(self, width: int) -> Sequence[Line]:
        if not self.found:
            return [plain("nothing was done to it yet; every action and every refusal will stand here", "dim")]
        return [line for event in self.found for line in _event_lines(event, width)]

    def foot(self, width: int) -> Sequence[Line]:
        return [(("( Close )", "title+cursor"), ("   6 shows the events of the whole site", "dim"))]

    def pressed(self, event: events.Key, *, still: bool) -> None:
        if event.key in {"enter", "q"}:
            self.dismiss(None)
