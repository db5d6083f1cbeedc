"""The current view as a file in the state directory: which form, under which name, and what is said of it.

Nothing is asked of the agent and nothing is changed there, so this works in read-only mode and while the agent is away.
Files are readable by their owner only.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import backend
from backend.core.errors import AgentError
from backend.core.export import FORMS, SUFFIXES, Head, Table
from backend.pki.files import write_atomic
from tui import commands, exports
from tui.format import count
from tui.screens.detail import DetailScreen
from tui.screens.forecast import FLEET_ROW
from tui.screens.menu import Entry, Menu
from tui.screens.scroll import ListScreen

if TYPE_CHECKING:
    from tui.app import MocdeckApp

DIRECTORY: Final = "exports"
_KEYS: Final = {"c": "csv", "j": "json", "m": "markdown"}
_NOTES: Final = {
    "csv": "for a spreadsheet; formulas are made harmless",
    "json": "for a program",
    "markdown": "for a ticket",
}


def export_menu(app: MocdeckApp) -> None:
    """Ask for the form, and write the view as it was when this was called."""
    now = app.now
    table = None if now is None else _table(app, now)
    if now is None or table is None:
        app.notice("export: nothing has been heard from the agent yet", "warning")
        return
    head = Head(
        observed_at=now,
        agent=app.gateway.connection.address,
        deployment=app.model.columns.deployment or app.gateway.connection.context,
        filter=_filter(app),
        tool_version=backend.__version__,
        simulated=app.simulated,
    )
    entries = [Entry(key=key, label=form, note=_NOTES[form]) for key, form in _KEYS.items()]

    def chosen(key: str | None) -> None:
        if key in _KEYS:
            _write(app, table, head, _KEYS[key])

    app.push_screen(Menu(f"export {count(len(table.rows), 'row')}", entries), chosen)


def _write(app: MocdeckApp, table: Table, head: Head, form: str) -> None:
    path = path_for(app.state_dir, table.kind, head.observed_at, form)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(path, f"{FORMS[form](table, head)}\n".encode())
    except (AgentError, OSError) as error:
        app.notice(f"export: nothing was written to {path}: {error}", "error")
        return
    app.notice(f"{count(len(table.rows), 'row')} in {path}", "title")


def path_for(state_dir: Path, kind: str, at: datetime, form: str) -> Path:
    """Return where an export goes; its name sorts by time."""
    return state_dir / DIRECTORY / f"{kind}-{at:%Y%m%dT%H%M%SZ}.{SUFFIXES[form]}"


def _filter(app: MocdeckApp) -> str:
    if app.deck.scope != commands.FLEET:
        return ""
    week = app.model.week
    return " ".join(part for part in (app.model.filter_text, "" if week is None else f"week:{week}") if part)


def _order(app: MocdeckApp) -> list[str]:
    """The keys of the rows that a list shows."""
    deck = app.deck
    return [key for key, _ in deck.rows(deck.view())] if isinstance(deck, ListScreen) else []


def _table(app: MocdeckApp, now: datetime) -> Table | None:
    """What the present screen exports; None while the agent has not said it."""
    deck = app.deck
    match deck.scope:
        case commands.FLEET:
            return exports.fleet_table(app.model, now)
        case commands.CLUSTERS:
            return exports.cluster_table(app.model, _order(app))
        case commands.JOBS:
            return exports.operation_table(app.operations)
        case commands.EVENTS:
            return exports.event_table(app.audit)
        case commands.FORECAST:
            return exports.forecast_table(app.model, now, _order(app), FLEET_ROW)
        case commands.ALERTS:
            return None if app.alerts is None else exports.alert_table(app.alerts)
    return exports.client_table(app.model, deck.number, now) if isinstance(deck, DetailScreen) else None
