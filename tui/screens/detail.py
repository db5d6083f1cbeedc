"""One client in full; it follows its client while the list behind it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tui.banner import View
from tui.commands import DETAIL
from tui.dossier import dossier_lines
from tui.gateway import ClientDetail
from tui.lines import Line, plain
from tui.screens.deck import bindings_of
from tui.screens.scroll import ScrollScreen


class DetailScreen(ScrollScreen):
    """Everything known of one client; read anew whenever the agent says that it changed."""

    scope = DETAIL
    BINDINGS: ClassVar[list[object]] = [*bindings_of(DETAIL)]  # type: ignore[assignment]

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self._detail: ClientDetail | None = None
        self._asked_for: object = None

    @property
    def current_number(self) -> int | None:
        return self.number

    def place(self) -> str:
        client = self.app.model.find(self.number)
        return super().place() if client is None else f"{super().place()} > {client.row.name}"

    def text_lines(self, view: View) -> Sequence[Line]:
        client = self.app.model.find(self.number)
        if client is None or view.now is None:
            return [plain("this client is gone: its identity was deleted", "warning"), plain("esc goes back", "dim")]
        asking = (client.row, bool(view.failure))  # a call that failed is made again once the agent is back
        if self._asked_for != asking:
            self._asked_for = asking
            self.app.run_agent_call(
                self.app.site_of(self.number).gateway.describe(client.row.name),
                what=client.row.name,
                then=self._described,
            )
        return dossier_lines(client, self._detail, view, view.now)

    def _described(self, detail: ClientDetail) -> None:
        self._detail = detail
        self.draw()

    def cmd_actions(self) -> None:
        from tui.screens.menu import action_menu

        action_menu(self.app)
