"""Screens with a filter: the `/` prompt, the error under it, and what is shown while it is typed.

The filter is the model's, so that every view that has it looks at the same clients.
"""

from __future__ import annotations

from backend.core.filter import FilterError, parse
from tui.history import Place
from tui.lines import Line, plain
from tui.screens.deck import DeckScreen
from tui.widgets.prompt import Prompt


class FilterScreen(DeckScreen):
    """A screen that shows what the filter lets through."""

    def __init__(self) -> None:
        super().__init__()
        self._filter_error = ""
        self._before_filter: int | None = None
        self._place_before: Place | None = None

    def selection_back(self, number: int) -> None:
        """Put the cursor on the client that had it before the filter."""

    def cmd_filter(self) -> None:
        self._before_filter = self.current_number
        self._place_before = self.app.visits.here
        self._filter_error = ""
        self.open_prompt("filter", "/", self.app.model.filter_text)

    def prompt_changed(self, purpose: str, text: str) -> None:
        if purpose != "filter":
            return
        self.apply_filter(text)

    def apply_filter(self, text: str) -> None:
        """Filter by a text; a mistake in it is told below the prompt and shows everything, never an empty list."""
        text = text.strip()
        try:
            parsed = parse(text) if text else None
        except FilterError as error:
            self._filter_error = str(error)
            text, parsed = "", None
        else:
            self._filter_error = ""
        self.app.model.choose_filter(text, parsed, self.app.clock.monotonic())

    def prompt_help(self, prompt: Prompt) -> Line:
        if prompt.purpose != "filter":
            return super().prompt_help(prompt)
        if self._filter_error:
            return plain(self._filter_error, "error")
        return plain("word  col:value  !col:value  left<7d  token<30d  sev:x!  marked  esc clears", "dim")

    def prompt_entered(self, purpose: str, text: str) -> None:
        self.apply_filter(text)
        if not self._filter_error:
            self.close_prompt()
            if self._place_before is not None and not self._place_before.is_same(self.app.visits.here):
                self.app.visits.leave(self._place_before)

    def prompt_closed(self, purpose: str) -> None:
        if purpose == "filter":
            self.clear_filter()

    def clear_filter(self) -> None:
        """Show everything again, with the cursor where it was."""
        self._filter_error = ""
        number = self.current_number
        self.app.model.choose_filter("", None, self.app.clock.monotonic())
        if self._before_filter is not None and number is None:
            self.selection_back(self._before_filter)
