"""Three alerts, one sink that is well and one that fails."""

from __future__ import annotations

from typing import Any

from tests.tui.staged_agent import HOUR, NOW
from tui.gateway import AlertLine, AlertsView, SinkView

WELL = SinkView(name="oncall", owed=0, failing_since=None, last_error="", sent_at=NOW - HOUR)
BROKEN = SinkView(name="pager", owed=3, failing_since=NOW - HOUR, last_error="status 500", sent_at=None)


def alert(name: str, severity: str, **changes: Any) -> AlertLine:
    values: dict[str, Any] = {
        "entity": f"client:{name}", "name": name, "cluster": "bonn-wl3", "severity": severity, "state": "LOCKED OUT",
        "summary": "certificate and token have ended.", "next_step": "repair", "raised_at": NOW - 2 * HOUR,
        "since_at": NOW - HOUR, "told": severity, "told_at": NOW - HOUR, "held": "",
    }  # fmt: skip
    return AlertLine(**(values | changes))


FOUND = AlertsView(
    alerts=(
        alert("kms-007", "expired"),
        alert("csi-012", "critical", told="", told_at=None),
        alert("caph-02", "warning", told="", told_at=None, held="an operation is under way"),
    ),
    sinks=(WELL, BROKEN),
)
