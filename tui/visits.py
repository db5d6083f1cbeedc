"""Going back to where the operator was, and on again: views with their filter and the client under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.core.filter import parse
from tui.history import History, Place
from tui.screens.filtering import FilterScreen

if TYPE_CHECKING:
    from tui.app import MocdeckApp


class Visits:
    """The history of one session, with its dashboard."""

    def __init__(self, app: MocdeckApp) -> None:
        self._app = app
        self._history = History()
        self._is_going = False

    @property
    def here(self) -> Place:
        """Where the operator is."""
        model, deck = self._app.model, self._app.deck
        return Place(view=deck.view_id, filter=model.filter_text, week=model.week, cursor=deck.current_number)

    def leave(self, place: Place | None = None) -> None:
        """Remember a place (None: the present one) before another one is shown."""
        if not self._is_going:
            self._history.leave(place or self.here)

    def back(self) -> None:
        """Go to the place before."""
        self._go(self._history.back(self.here), "there is nothing before this")

    def on(self) -> None:
        """Go to the place after."""
        self._go(self._history.on(self.here), "there is nothing after this")

    def _go(self, place: Place | None, otherwise: str) -> None:
        app = self._app
        if place is None:
            app.notice(otherwise, "dim")
            return
        monotonic = app.clock.monotonic()
        app.model.choose_filter(place.filter, parse(place.filter) if place.filter else None, monotonic)
        app.model.choose_week(place.week, monotonic)
        handler = getattr(app, f"cmd_{place.view}", None) or app.cmd_view_fleet
        self._is_going = True
        try:
            handler()
        finally:
            self._is_going = False
        if place.cursor is not None and isinstance(app.deck, FilterScreen):
            app.deck.selection_back(place.cursor)
        app.redraw()
