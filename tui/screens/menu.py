"""Small menus over the list: the order to sort by, and every action with the reason when it is refused.

A menu chooses; it starts nothing that its key would not start, through the same gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from tui.commands import Command
from tui.format import fit, wrapped
from tui.lines import BLANK, Line, boxed, line_width, plain
from tui.palette import THEMES
from tui.sorting import ORDERS
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.app import MocdeckApp


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a menu; `key` chooses it at once."""

    key: str
    label: str
    note: str
    open: bool = True


class Menu(ModalScreen[str | None]):
    """A framed list; letters choose, the cursor and enter as well, esc leaves."""

    app: MocdeckApp  # the one app that uses these screens

    def __init__(self, title: str, entries: Sequence[Entry], chosen: str = "") -> None:
        super().__init__()
        self._title = title
        self._entries = entries
        self._top = 0
        self._row = next((row for row, entry in enumerate(entries) if entry.key == chosen), 0)

    def compose(self) -> ComposeResult:
        yield Lines(id="menu")

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        glyphs = self.app.glyphs
        room = max(20, self.size.width - 4)
        size = max(14, *(len(entry.label) + 2 for entry in self._entries))
        body: list[Line] = []
        at = [0]  # the line at which each entry begins
        for row, entry in enumerate(self._entries):
            body.extend(self._entry_lines(entry, size, room, here=row == self._row))
            at.append(len(body))
        space = self.size.height - 4  # frame, blank and foot
        self._top = max(min(self._top, at[self._row]), at[self._row + 1] - space, 0)
        shown = body[self._top : self._top + space]
        more = len(body) - self._top - len(shown)
        foot = f"enter chooses, esc leaves{f'   {more} lines more' if more > 0 else ''}"
        lines = [*shown, BLANK, plain(foot, "dim")]
        width = min(room, max(line_width(line) for line in (*body, *lines)) + 4)
        frame = glyphs.frame
        menu = self.query_one("#menu", Lines)
        menu.styles.width = width
        menu.set_lines(boxed(self._title, lines, width, min(len(lines) + 2, self.size.height), *frame))

    def _entry_lines(self, entry: Entry, size: int, room: int, *, here: bool) -> list[Line]:
        over = "+cursor" if here else ""
        role = "text" if entry.open else "dim"
        head = f"{self.app.glyphs.cursor if here else ' '} {entry.key}  "
        notes = wrapped(entry.note, max(16, room - 4 - len(head) - size))
        first: Line = ((head, "key" + over), (fit(entry.label, size), role + over), (notes[0], "dim" + over))
        return [first, *(((" " * (len(head) + size), "text"), (more, "dim")) for more in notes[1:])]

    def on_key(self, event: events.Key) -> None:
        event.stop()
        if event.key in {"escape", "q"}:
            self.dismiss(None)
        elif event.key == "enter":
            self.dismiss(self._entries[self._row].key)
        elif event.key in {"down", "j"} and not self._has(event.character):
            self._go(self._row + 1)
        elif event.key in {"up", "k"} and not self._has(event.character):
            self._go(self._row - 1)
        elif self._has(event.character):
            self.dismiss(event.character)

    def _has(self, key: str | None) -> bool:
        return any(entry.key == key for entry in self._entries)

    def _go(self, row: int) -> None:
        self._row = max(0, min(row, len(self._entries) - 1))
        self._draw()


def sort_menu(app: MocdeckApp) -> None:
    """Let the operator choose the order of the list."""
    entries = [Entry(key=order.key, label=order.id, note=order.word) for order in ORDERS]

    def chosen(key: str | None) -> None:
        for order in ORDERS:
            if order.key == key:
                app.model.choose_sort(order, app.clock.monotonic())
                app.looks.remember()
        app.deck.draw()

    app.push_screen(Menu("sort", entries, app.model.sort.key), chosen)


def theme_menu(app: MocdeckApp) -> None:
    """Let the operator choose a theme."""
    notes = {
        "dark": "for a dark ground",
        "light": "for a light ground",
        "ansi": "the terminal's own sixteen colours; half the bytes",
        "mono": "no colour at all",
    }
    entries = [Entry(key=name[0], label=name, note=notes[name]) for name in THEMES]

    def chosen(key: str | None) -> None:
        for name in THEMES:
            if name[0] == key:
                app.choose_theme(name)

    app.push_screen(Menu("theme", entries, app.looks.theme[0]), chosen)


def action_menu(app: MocdeckApp) -> None:
    """List every action for the selected clients, refused ones with their reason."""
    names = app.selected_names()
    acts = [command for command in app.keymap.of_screen(app.deck.scope) if command.mutates]
    entries = [_entry(app, command) for command in acts]

    def chosen(key: str | None) -> None:
        for command in acts:
            if command.key == key:
                app.run_command(command)

    title = names[0] if len(names) == 1 else f"{len(names)} marked clients"
    app.push_screen(Menu(title, entries), chosen)


def _entry(app: MocdeckApp, command: Command) -> Entry:
    reason = app.refusal(command)
    if reason is None and command.action is not None:
        verdict = app.situation().verdicts.get(command.action)
        note = command.help if verdict is None else verdict.why
    else:
        note = command.help if reason is None else reason.removeprefix(f"{command.label}: ")
    return Entry(key=command.key, label=command.label, note=note, open=reason is None)
