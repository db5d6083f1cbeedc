"""The alerts of the staged fleet: whoever is at least a warning, as an agent tells it, and two sinks that are well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from backend.core.facts import Severity
from backend.core.fleet import FleetColumns
from backend.core.health import assess
from scripts.stage.fleet import NOW, Seed, snapshot
from tui.gateway import AlertLine, AlertsView, SilenceView, SinkView

_RAISED: Final = timedelta(hours=2)


def alerts(seeds: Sequence[Seed], now: datetime) -> AlertsView:
    """Return what is not well, worst first; of the mildest nobody was told yet, and one is acknowledged."""
    columns = FleetColumns()
    columns.apply(snapshot(seeds, at=now))
    judged = []
    for index in range(len(columns)):
        row = columns.row(index)
        found = assess(columns.facts(index, now=now, agent_alive=True, agent_now=now), now)
        if found.severity <= Severity.WARNING:
            judged.append((found.sort_key, row, found))
    lines = []
    for _, row, found in sorted(judged, key=lambda one: one[0]):
        word = found.severity.name.lower()
        is_told = found.severity is not Severity.WARNING
        lines.append(
            AlertLine(
                entity=f"client:{row.number}",
                name=row.name,
                cluster=row.cluster,
                severity=word,
                state=found.state.value,
                summary=found.reasons[0] if found.reasons else found.state.value,
                next_step=found.next_step,
                raised_at=NOW - _RAISED - timedelta(minutes=row.number),
                since_at=NOW - timedelta(minutes=7 * row.number),
                told=word if is_told else "",
                told_at=NOW - timedelta(minutes=7 * row.number) if is_told else None,
                held="",
            )
        )
    return AlertsView(alerts=tuple(lines), silences=_silences(lines), sinks=_SINKS)


def _silences(lines: Sequence[AlertLine]) -> tuple[SilenceView, ...]:
    return tuple(
        SilenceView(
            subject=one.entity,
            name=one.name,
            is_acknowledgement=True,
            until=NOW + timedelta(days=1),
            ceiling=one.severity,
            actor="ops-anna",
            reason="OPS-4498, vendor is on site tomorrow",
        )
        for one in lines[2:3]
    )


_SINKS: Final = tuple(
    SinkView(name=name, owed=0, failing_since=None, last_error="", sent_at=NOW - timedelta(minutes=minutes))
    for name, minutes in (("oncall", 31), ("chat", 7))
)
