"""Paste a message, read what it is about; without one, the list of the messages that are known.

What is pasted lands here as text: it is never run, kept, sent or shown again, since whole screens get pasted and may
hold a token. Works without an agent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events

from backend.core.ailments import AILMENTS
from backend.core.diagnosis import Diagnosis, diagnose
from tui.banner import View
from tui.commands import DIAGNOSIS
from tui.format import count, wrapped
from tui.lines import BLANK, Line, cut, plain
from tui.screens.deck import bindings_of
from tui.screens.scroll import ScrollScreen

_LABEL = 9


class DiagnosisScreen(ScrollScreen):
    """What a pasted or typed message means, best candidate first."""

    scope = DIAGNOSIS
    view_id: ClassVar[str] = "diagnose"
    BINDINGS: ClassVar[list[object]] = [*bindings_of(DIAGNOSIS)]  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.found: tuple[Diagnosis, ...] | None = None  # None: nothing was pasted yet
        self._measure = ""

    def place(self) -> str:
        return "diagnose"

    def on_paste(self, event: events.Paste) -> None:
        """Take the whole text, however many lines it has."""
        event.stop()
        self._explain(event.text)

    def cmd_type_text(self) -> None:
        """Open the line."""
        self.open_prompt("message", "message:")

    def cmd_back(self) -> None:
        """Forget the text first, then leave."""
        if self.found is None:
            self.app.cmd_back()
        self.found = None
        self.top = 0

    def prompt_changed(self, purpose: str, text: str) -> None:
        if purpose == "message":
            self._explain(text)

    def prompt_entered(self, purpose: str, text: str) -> None:
        self.close_prompt()

    def prompt_closed(self, purpose: str) -> None:
        if purpose == "message":
            self.found = None

    def _explain(self, text: str) -> None:
        self.top = 0
        self.found = diagnose(text) if text.strip() else None
        self._measure = f"{count(len(text.splitlines()), 'line')}, {count(len(text), 'character')}"
        self.draw()

    def text_lines(self, view: View) -> Sequence[Line]:
        if self.found is None:
            return _known(view.width)
        if not self.found:
            return _nothing(self._measure, view.width)
        how_many = "one message fits" if len(self.found) == 1 else f"{len(self.found)} messages fit, the best first"
        head: Line = ((f"{how_many}  ", "title"), (f"esc forgets the text ({self._measure})", "dim"))
        lines: list[Line] = [cut(head, view.width)]
        for place, one in enumerate(self.found, 1):
            lines.extend([BLANK, *_diagnosis(place, one, view.width)])
        return lines


def _diagnosis(place: int, one: Diagnosis, width: int) -> list[Line]:
    row = one.ailment
    first, *rest = wrapped(f"{place}. {row.meaning}", width)
    lines = [plain(first, "title"), *(plain(f"   {more}", "title") for more in rest)]
    wording = " ... ".join(one.found)
    lines.extend(_labelled("fits", wording if one.is_whole else f"a part of: {wording}", width, "dim"))
    lines.extend(_labelled("where", row.where, width, "dim"))
    lines.extend(_labelled("do", row.action, width, "text"))
    if row.avoid:
        lines.extend(_labelled("do not", row.avoid, width, "warning"))
    lines.extend(_labelled("look", row.look, width, "key"))
    return lines


def _labelled(label: str, text: str, width: int, role: str) -> list[Line]:
    parts = wrapped(text, max(20, width - _LABEL - 3))
    heads = [label, *[""] * (len(parts) - 1)]
    return [((f"   {head}".ljust(_LABEL + 3), "dim"), (part, role)) for head, part in zip(heads, parts, strict=True)]


def _nothing(size: str, width: int) -> list[Line]:
    text = (
        f"no known message fits ({size}). Paste the line with the error itself, as the program printed it; the list of "
        "clients shows what the agent knows, and a client's detail its last error."
    )
    return [*(plain(part, "warning") for part in wrapped(text, width)), BLANK, *_known(width)]


def _known(width: int) -> list[Line]:
    text = (
        "Paste an error message here, with as many lines as you like: nothing of it is run, kept or sent. i types one. "
        "A part of a message is enough."
    )
    lines = [*(plain(part) for part in wrapped(text, width)), BLANK, plain("KNOWN MESSAGES", "head")]
    for row in AILMENTS:
        said = " ... ".join(row.said[0])
        first, *rest = wrapped(f"{said}  ({row.where})", max(20, width - 2))
        lines.extend([plain(f"  {first}"), *(plain(f"  {more}") for more in rest)])
    return lines
