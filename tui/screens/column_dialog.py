"""Which columns the list shows: a box for each, applied at once and remembered for the site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual import events

from tui.columns import ALWAYS, COLUMNS, Shown, layout
from tui.format import fit, shorten
from tui.lines import Line, plain
from tui.screens.dialog import Dialog

_MEANINGS: Final = {
    "certificate": "time until the certificate can no longer be used",
    "token": "time until the identity token ends",
    "state": "how it is, and how bad",
    "next": "the right next step",
    "cluster": "where it belongs",
    "client": "its name",
    "kind": "what it is",
    "renews": "who renews its certificate",
    "owner": "who answers for it",
    "seen": "since its last call",
    "ca": "the CA generation of its certificate",
    "site": "the agent it belongs to, where several are shown",
    "host": "where it runs",
    "serial": "the last 16 digits of its certificate's serial",
}


class ColumnDialog(Dialog[None]):
    """Space turns a column on or off; what does not fit the window is left out there."""

    def __init__(self) -> None:
        super().__init__("Columns")
        self._row = 0

    def on_mount(self) -> None:
        super().on_mount()
        self._row = 0

    @property
    def _chosen(self) -> set[str]:
        shown = self.app.looks.shown
        if shown.ids:
            return {*ALWAYS, *shown.ids}
        return {column.id for column, _ in layout(self.app.size.width)}

    def body(self, width: int) -> Sequence[Line]:
        chosen = self._chosen
        lines: list[Line] = []
        for row, column in enumerate(COLUMNS):
            over = "+cursor" if row == self._row else ""
            box = "[=]" if column.id in ALWAYS else f"[{self.app.glyphs.done if column.id in chosen else ' '}]"
            sign = self.app.glyphs.cursor if over else " "
            head = f"{sign} {box} {column.title:<11} "
            lines.append(
                (
                    (head, "title" + over),
                    (fit(shorten(_MEANINGS[column.id], width - len(head)), max(1, width - len(head))), "dim" + over),
                )
            )
        return lines

    def foot(self, width: int) -> Sequence[Line]:
        automatic = "as wide as the window allows" if not self.app.looks.shown.ids else "your choice"
        return [
            plain(f"now: {automatic}; [=] is always there", "dim"),
            plain("space on or off   r what fits again   esc closes", "dim"),
        ]

    def pressed(self, event: events.Key, *, still: bool) -> None:
        if event.key in {"j", "k"}:
            self._go(1 if event.key == "j" else -1)
        elif event.key == "r":
            self._show(())
        elif event.key in {"space", "x"}:
            self._turn()
        elif event.key in {"enter", "q"}:
            self.dismiss(None)

    def _scrolled(self, key: str) -> bool:
        if key in {"up", "down"}:
            self._go(1 if key == "down" else -1)
            return True
        return super()._scrolled(key)

    def _go(self, step: int) -> None:
        self._row = max(0, min(self._row + step, len(COLUMNS) - 1))
        self.top = max(min(self.top, self._row), self._row - self._room + 1, 0)

    def _turn(self) -> None:
        name = COLUMNS[self._row].id
        if name in ALWAYS:
            self.hint = "this one always stays"
            return
        chosen = self._chosen ^ {name}
        self._show(tuple(column.id for column in COLUMNS if column.id in chosen))

    def _show(self, ids: tuple[str, ...]) -> None:
        self.app.looks.show(Shown(ids=ids))
        self.app.redraw()
