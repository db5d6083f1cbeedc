"""What is confirmed and has not left yet, in the running dashboard: sent when its ten seconds are over, or never.

Owns the moments at which it is dropped: the agent goes away, write mode ends, the operator takes it back. What waits
and for how long is `tui.holding`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.format import span
from tui.holding import Held, Holding, unsent

if TYPE_CHECKING:
    from tui.session import DeckApp
    from tui.sites import Site


class Outbox:
    """The held plans of one session."""

    def __init__(self, app: DeckApp) -> None:
        self._app = app
        self.holding = Holding()

    def hold(self, held: Held) -> None:
        """Keep a confirmed plan for its ten seconds; its clients lose their marks, the next key is about others."""
        self.holding.put(held)
        self._app.model.marks.clear()
        self._changed()

    def take_back(self) -> None:
        """Undo the newest plan that has not left, and give its marks back."""
        held = self.holding.take_back()
        if held is None:
            text = "undo: nothing waits to be sent; what has left can only be stopped, among the jobs"
            self._app.notice(text, "warning")
            return
        self._app.model.marks |= held.marks
        self._changed()
        self._app.notice(f"{held.what} {held.whom}: undone, nothing was sent", "title")

    def send_due(self) -> None:
        """Send what has waited long enough, if it may still be sent."""
        app = self._app
        due = self.holding.due(app.clock.monotonic())
        if not due:
            return
        self._changed()
        for held in due:
            barrier = self._barrier(app.sites[held.site])
            if barrier:
                app.notice(unsent([held], barrier), "error")
            else:
                held.send()

    def _barrier(self, site: Site) -> str:
        """Return why nothing may leave for a site now, "" when it may."""
        agent, monotonic = site.fleet.agent, self._app.clock.monotonic()
        if not agent.is_alive(monotonic):
            return f"the agent has not answered for {span(agent.away_for(monotonic))}"
        return "" if self._app.write_mode else "read-only again"

    def drop(self, why: str, site: int | None = None) -> None:
        """Send none of it, or none of what is for one site, and say so."""
        dropped = self.holding.drop(site)
        if dropped:
            self._changed()
            self._app.notice(unsent(dropped, why), "error")

    def _changed(self) -> None:
        self._app.model.held = self.holding.numbers
        self._app.notice_text = ""
        self._app.redraw()
