"""`:report`: what an incident ticket wants, in one directory: the view as CSV, the screen as SVG, the newest audit.

Files are readable by their owner only. It changes nothing, and works while the agent is away with what was heard
before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from backend.core.errors import AgentError
from backend.core.export import Head, Table, as_csv, as_json
from tui import exports
from tui.picture import picture
from tui.screens.exporting import head_of, table_of, written

if TYPE_CHECKING:
    from tui.app import MocdeckApp

DIRECTORY: Final = "reports"
EVENTS: Final = 1_000  # audit events in a report, the newest


def write_report(app: MocdeckApp) -> None:
    """Write the three files of the screen as it is now, and say where they are."""
    head, whole = head_of(app), head_of(app, of_site=True)  # the filter narrows the view, not the audit
    if head is None or whole is None:
        app.notice("report: nothing has been heard from the agent yet", "warning")
        return
    table = table_of(app, head.observed_at) or exports.fleet_table(app.model, head.observed_at)
    drawn = picture(app, head, table.title)
    app.run_agent_call(_audit(app), what="report", then=lambda audit: _write(app, head, whole, table, drawn, audit))


async def _audit(app: MocdeckApp) -> Table:
    try:
        return exports.event_table(await app.gateway.events(EVENTS))
    except AgentError:  # away, or not allowed to look: what the screen has is what there is
        return exports.event_table(app.audit)


def _write(app: MocdeckApp, head: Head, whole: Head, table: Table, drawn: str, audit: Table) -> None:
    folder = app.state_dir / DIRECTORY / f"{head.observed_at:%Y%m%dT%H%M%SZ}-{table.kind}"
    files: dict[Path, str] = {
        folder / f"{table.kind}.csv": f"{as_csv(table, head)}\n",
        folder / "screen.svg": drawn,
        folder / "audit.json": f"{as_json(audit, whole)}\n",
    }
    if all(written(app, "report", path, text) for path, text in files.items()):
        app.notice(f"report: {len(table.rows)} rows, the screen and {len(audit.rows)} events in {folder}", "title")
