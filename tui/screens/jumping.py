"""Find a row by its letter: while a letter stands beside each row on screen, pressing one puts the cursor there."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.app import MocdeckApp
    from tui.widgets.fleet_table import FleetTable

LETTERS: Final = string.ascii_lowercase + string.ascii_uppercase + string.digits


class JumpScreen(ModalScreen[None]):
    """Nothing of its own to see: the letters stand in the list below. Any key ends it, a letter moves the cursor."""

    app: MocdeckApp  # the one app that uses these screens

    def __init__(self, table: FleetTable) -> None:
        super().__init__()
        self._table = table
        self._targets = dict(zip(LETTERS, table.visible_numbers, strict=False))

    def compose(self) -> ComposeResult:
        yield Lines(id="nothing")

    def on_mount(self) -> None:
        """Put the letters beside the rows."""
        self._table.labels = {number: letter for letter, number in self._targets.items()}
        self.app.redraw()

    def on_key(self, event: events.Key) -> None:
        """Take one key, whatever it is."""
        event.stop()
        event.prevent_default()
        self.app.note_key(event.time)
        number = self._targets.get(event.character or "")
        self._table.labels = {}
        self.dismiss(None)
        if number is not None:
            self.app.hold_order()
            self._table.select(number)
        self.app.redraw()
