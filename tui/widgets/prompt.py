"""The one line an operator types into: a filter, a command or a reason.

Owns the text while it is open and says what was typed; what it means is the screen's. Pasted text lands here as text
and nowhere else as keys.
"""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from tui.lines import plain
from tui.widgets.lines import Lines


class Prompt(Horizontal):
    """A sigil and an input, hidden until `open`."""

    class Changed(Message):
        """The text is now `text`."""

        def __init__(self, purpose: str, text: str) -> None:
            super().__init__()
            self.purpose = purpose
            self.text = text

    class Entered(Message):
        """Enter was pressed on `text`."""

        def __init__(self, purpose: str, text: str) -> None:
            super().__init__()
            self.purpose = purpose
            self.text = text

    class Closed(Message):
        """Escape was pressed."""

        def __init__(self, purpose: str) -> None:
            super().__init__()
            self.purpose = purpose

    class Moved(Message):
        """Another line of what is offered was asked for."""

        def __init__(self, rows: int) -> None:
            super().__init__()
            self.rows = rows

    def __init__(self) -> None:
        super().__init__()
        self.purpose = ""
        self.completer: Callable[[str], str | None] | None = None

    def compose(self) -> ComposeResult:
        yield Lines(id="sigil")
        entry = Input(id="entry", compact=True, select_on_focus=False)
        entry.cursor_blink = False
        yield entry

    @property
    def is_open(self) -> bool:
        """Tell whether the operator is typing here."""
        return bool(self.purpose)

    @property
    def entry(self) -> Input:
        """The input itself."""
        return self.query_one("#entry", Input)

    def open(
        self, purpose: str, sigil: str, text: str = "", *, completer: Callable[[str], str | None] | None = None
    ) -> None:
        """Show the prompt with `text` in it and take the keys."""
        self.purpose = purpose
        self.completer = completer
        label = self.query_one("#sigil", Lines)
        label.styles.width = len(sigil) + 1
        label.set_lines([plain(f"{sigil} ", "key")])
        with self.prevent(Input.Changed):
            self.entry.value = text
        self.entry.cursor_position = len(text)
        self.display = True
        self.entry.focus()

    def close(self) -> None:
        """Hide the prompt; whoever opened it takes the keys back."""
        self.purpose = ""
        self.display = False

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_open:
            self.post_message(self.Changed(self.purpose, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.is_open:
            self.post_message(self.Entered(self.purpose, event.value))

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and self.is_open:
            event.stop()
            event.prevent_default()
            self.post_message(self.Closed(self.purpose))
        elif event.key in {"up", "down"} and self.is_open:
            event.stop()
            event.prevent_default()
            self.post_message(self.Moved(1 if event.key == "down" else -1))
        elif event.key == "tab" and self.is_open:
            event.stop()
            event.prevent_default()
            longer = None if self.completer is None else self.completer(self.entry.value)
            if longer is not None:
                self.entry.value = longer
                self.entry.cursor_position = len(longer)
