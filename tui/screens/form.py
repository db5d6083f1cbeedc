"""Dialogs with fields: what has to be typed before a key may start something, and what of it is still missing.

Enter and tab only move between fields; nothing but `y` on the last line acts, and only on a still keyboard. A field
that confirms takes no paste, because a pasted name proves no reading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from textual import events

from tui.format import shorten
from tui.lines import Line, plain
from tui.screens.dialog import Dialog, button_line, edited, field_line

T = TypeVar("T")


@dataclass(kw_only=True)
class Field:
    """One line to type into. `lacks` says what is wrong with a text, in a word or two; "" when it will do."""

    label: str
    lacks: Callable[[str], str]
    may_paste: bool = False
    limit: int = 200
    text: str = ""


class FormDialog(Dialog[T]):
    """Fields, then Cancel and one action."""

    confirms = True

    def __init__(self, title: str, action: str, fields: Sequence[Field]) -> None:
        super().__init__(title)
        self.action = action
        self.fields = list(fields)
        self.at = 0  # the field that is typed into; their number: the buttons

    def result(self) -> T:
        """Return what the dialog ends with when it is confirmed."""
        raise NotImplementedError

    def barrier(self) -> str:
        """Return why it cannot be confirmed at all now, "" when only the fields decide."""
        return self.locked_by()

    def standing(self, width: int) -> Sequence[Line]:
        """Return lines that stay in sight above the fields."""
        return ()

    @property
    def missing(self) -> str:
        """What is still missing, barrier first."""
        lacking = [self.barrier(), *(field.lacks(field.text) for field in self.fields)]
        return ", ".join(text for text in lacking if text)

    def foot(self, width: int) -> Sequence[Line]:
        lines = [
            field_line(field.label, field.text, width, active=place == self.at)
            for place, field in enumerate(self.fields)
        ]
        missing = self.missing
        lines.append(
            button_line(self.action, locked="see below" if missing else "", focused=self.at == len(self.fields))
        )
        if missing:
            lines.append(plain(shorten(f"locked, it lacks: {missing}", width), "warning"))
        else:
            lines.append(plain("y acts when this line has the cursor; enter never does", "dim"))
        return [*self.standing(width), *lines]

    def pressed(self, event: events.Key, *, still: bool) -> None:
        if event.key == "enter" and self.at == len(self.fields):
            self.hint = "enter starts nothing: y does, esc leaves"
        elif event.key in {"tab", "enter"}:
            self.at = (self.at + 1) % (len(self.fields) + 1)
        elif event.key == "shift+tab":
            self.at = (self.at - 1) % (len(self.fields) + 1)
        elif self.at < len(self.fields):
            self._type(self.fields[self.at], event)
        elif event.key == "y":
            self._confirm(still=still)

    def _type(self, field: Field, event: events.Key) -> None:
        if self.is_burst and not field.may_paste:
            field.text = ""
            self.hint = "that came faster than anyone types, so it was not taken: type it"
            return
        after = edited(field.text, event, field.limit)
        field.text = field.text if after is None else after

    def _confirm(self, *, still: bool) -> None:
        if self.missing:
            self.hint = f"not started, it lacks: {self.missing}"
        elif not still:
            self.too_soon()
        else:
            self.dismiss(self.result())

    def pasted(self, text: str) -> None:
        field = self.fields[self.at] if self.at < len(self.fields) else None
        if field is None or not field.may_paste:
            super().pasted(text)
        else:
            cleaned = " ".join("".join(c if c.isprintable() else " " for c in text).split())
            field.text = (field.text + cleaned)[: field.limit]


def exactly(wanted: str, what: str) -> Callable[[str], str]:
    """Return a check for a text that has to be typed as it is, capitals included; it says how far that has got."""

    def lacks(text: str) -> str:
        if text == wanted:
            return ""
        if not text:
            return what
        return f"{what} (unfinished)" if wanted.startswith(text) else f"{what} (differs)"

    return lacks


def some(what: str) -> Callable[[str], str]:
    """Return a check for a text that must not be empty."""
    return lambda text: "" if text.strip() else what


def anything(text: str) -> str:
    """Accept every text, an empty one too."""
    return ""
