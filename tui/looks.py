"""How the dashboard looks to this operator: theme, columns and order, and what of it is remembered for the site.

Owns switching themes while the dashboard runs, and when the memory is read and written. A filter comes back only where
somebody asked for it: rows that are hidden without anybody having said so are how a fire is missed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.core.filter import FilterError, parse
from tui import palette
from tui.columns import COLUMNS, Shown
from tui.memory import Memory, Remembered
from tui.sorting import ORDERS
from tui.theme import GROUNDS, NoColours

if TYPE_CHECKING:
    from tui.session import DeckApp


class Looks:
    """Theme, columns and memory of one session. `fixed` is a theme that was asked for at the start, "" for none."""

    def __init__(self, app: DeckApp, memory: Memory, *, fixed: str, fitting: str, colourless: bool) -> None:
        self._app = app
        self._memory = memory
        self._fixed = fixed or ("mono" if colourless else "")
        self.theme = self._fixed or fitting
        self.shown = Shown()

    @property
    def _site(self) -> str:
        return "+".join(sorted(site.gateway.connection.context for site in self._app.sites))

    def use_theme(self, name: str) -> None:
        """Draw everything with another theme from now on."""
        app = self._app
        self.theme = name
        app.palette = palette.THEMES[name]
        app.ansi_color = None
        app._filters = [one for one in app._filters if not isinstance(one, NoColours)]
        if name == "mono":
            app._filters.append(NoColours())
        app.theme = GROUNDS[name]
        if app.is_running:
            for screen in app.screen_stack:
                for node in screen.walk_children(with_self=True):
                    node.notify_style_update()
                screen.refresh(layout=True)

    def show(self, shown: Shown) -> None:
        """Show other columns, and remember them."""
        self.shown = shown
        self.remember()

    def restore(self) -> None:
        """Bring back what is remembered of this site; whatever of it has no meaning any more is left out."""
        kept = self._memory.of(self._site)
        app = self._app
        if kept.theme in palette.THEMES and not self._fixed:
            self.use_theme(kept.theme)
        known = {column.id for column in COLUMNS}
        self.shown = Shown(ids=tuple(name for name in kept.columns if name in known), wide=kept.wide)
        order = next((order for order in ORDERS if order.id == kept.sort), None)
        if order is not None:
            app.model.choose_sort(order, app.clock.monotonic())
        self._restore_filter(kept.filter)

    def _restore_filter(self, text: str) -> None:
        try:
            parsed = parse(text) if text else None
        except FilterError:
            return
        if parsed is not None:
            self._app.model.choose_filter(text, parsed, self._app.clock.monotonic())
            self._app.notice(f"shown with the kept filter {text}; esc clears it", "warning")

    def remember(self, *, chosen_theme: str = "") -> None:
        """Remember order, columns and width; a theme when one was chosen."""
        kept = self._memory.of(self._site)
        self._memory.keep(
            self._site,
            replace(
                kept,
                sort=self._app.model.sort.id,
                columns=self.shown.ids,
                wide=self.shown.wide,
                theme=chosen_theme or kept.theme,
            ),
        )

    def keep_filter(self) -> str:
        """Start with the present filter from now on; return it."""
        text = self._app.model.filter_text
        kept: Remembered = self._memory.of(self._site)
        self._memory.keep(self._site, replace(kept, filter=text))
        return text
