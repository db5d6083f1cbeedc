"""What each view exports: its rows, in its order and behind its filter, as a table of `backend.core.export`.

Pure. The number of rows is the screen's; the columns are those of the command line's commands of the same name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from backend.core import fleetrecord
from backend.core.export import Table, stamp
from backend.core.forecast import forecast
from tui.clusterboard import ClusterSum
from tui.gateway import AlertsView, EventView, OperationView
from tui.marks import site_of
from tui.model import FleetModel
from tui.rotating import RotationClientView, RotationView


def fleet_table(model: FleetModel, now: datetime) -> Table:
    """The clients that the list shows, in its order."""
    return _clients(model, model.order, now, kind="fleet", title=f"clients, {model.sort.word}")


def selection_table(model: FleetModel, numbers: Sequence[int], now: datetime) -> Table:
    """The clients that are selected on the Timeline."""
    return _clients(model, numbers, now, kind="timeline", title="clients of the selection")


def client_table(model: FleetModel, number: int, now: datetime) -> Table:
    """One client."""
    return _clients(model, [number], now, kind="client", title="one client")


def _clients(model: FleetModel, numbers: Sequence[int], now: datetime, *, kind: str, title: str) -> Table:
    found = [(number, record) for number in numbers if (record := model.record(number, now)) is not None]
    table = Table(
        kind=kind,
        title=title,
        names=fleetrecord.NAMES,
        rows=[fleetrecord.flat(record) for _, record in found],
        brief=fleetrecord.BRIEF,
        records=[record for _, record in found],
    )
    if len(model.sites) == 1:
        return table
    sites = [model.sites[site_of(number)].name for number, _ in found]  # names are the same at several sites
    return replace(
        table,
        names=("site", *table.names),
        rows=[[site, *row] for site, row in zip(sites, table.rows, strict=True)],
        brief=("site", *table.brief),
        records=[{"site": site, **record} for site, record in zip(sites, table.records, strict=True)],
    )


def cluster_table(sums: Sequence[ClusterSum]) -> Table:
    """The clusters in the screen's order, with the number of their clients; of several sites with their site."""
    several = len({one.site.place for one in sums}) > 1
    rows: list[list[object]] = []
    for one in sums:
        info = one.info  # None: the row of those that belong to none, or a cluster that only its clients name
        state = (False, False) if info is None else (info.is_management, info.is_removed)
        off_until = "" if info is None else stamp(info.planned_off_until)
        rows.append([*((one.site.name,) if several else ()), one.name, *state, one.clients, off_until])
    names = ("name", "management", "removed", "clients", "planned_off_until")
    return Table(
        kind="clusters", title="clusters, worst first", names=("site", *names) if several else names, rows=rows
    )


def operation_table(operations: Sequence[OperationView]) -> Table:
    """Operations, newest first."""
    names = ("id", "action", "state", "actor", "reason", "started_at", "ended_at")
    counts = ("total", "done", "failed", "running", "waiting", "skipped")
    rows = [
        [
            *(one.id, one.action.value, one.state, one.actor, one.reason, stamp(one.started_at), stamp(one.ended_at)),
            *(getattr(one, count) for count in counts),
        ]
        for one in operations
    ]
    return Table(kind="operations", title="operations, newest first", names=(*names, *counts), rows=rows)


def event_table(events: Sequence[EventView]) -> Table:
    """Audit events, newest first."""
    names = ("index", "at", "actor", "origin", "action", "subject", "outcome", "detail", "digest")
    rows = [
        [
            *(one.index, stamp(one.at), one.actor, one.origin, one.action, one.subject, one.outcome),
            *(" ".join(f"{name}={value}" for name, value in one.detail if value), one.digest),
        ]
        for one in events
    ]
    return Table(kind="audit", title="audit events, newest first", names=names, rows=rows, brief=names[:-1])


def alert_table(found: AlertsView) -> Table:
    """Alerts, worst first, with the end of the quiet that each is under."""
    names = (
        *("entity", "name", "cluster", "severity", "state", "summary", "next_step", "raised_at", "since"),
        *("told", "told_at", "held", "quiet_until", "quiet_by"),
    )
    rows = []
    for one in found.alerts:
        quiet = found.quiet_over(one)
        rows.append(
            [
                *(one.entity, one.name, one.cluster, one.severity, one.state, one.summary, one.next_step),
                *(stamp(one.raised_at), stamp(one.since_at), one.told, stamp(one.told_at), one.held),
                *(("", "") if quiet is None else (stamp(quiet.until), quiet.actor)),
            ]
        )
    return Table(kind="alerts", title="alerts, worst first", names=names, rows=rows, brief=(*names[1:6], *names[8:]))


def forecast_table(model: FleetModel, now: datetime, order: Sequence[str], fleet_row: str) -> Table:
    """Until when each cluster may be off, and whether it may restart, in the screen's order."""
    found = forecast(model.site(now))
    answers = {one.name: (one.safe_off, one.reboot) for one in found.clusters}
    answers[fleet_row] = (found.fleet, found.fleet_reboot)
    rows = []
    for name in order:
        if name in answers:
            off, reboot = answers[name]
            safe = "no" if not reboot.is_safe else "unknown" if reboot.unknown else "yes"
            limit = "" if off.limiting is None else off.limiting.words
            because = "; ".join([*off.reasons, *reboot.reasons, *reboot.unknown])
            rows.append([name, off.verdict.value, stamp(off.until), limit, safe, because])
    names = ("cluster", "verdict", "safe_off_until", "limited_by", "safe_to_reboot", "reasons")
    return Table(kind="forecast", title="safe to be switched off or restarted", names=names, rows=rows)


def rotation_table(rotation: RotationView, clients: Sequence[RotationClientView]) -> Table:
    """The clients of a CA rotation as they were last observed, in the screen's order."""
    names: tuple[str, ...]
    if rotation.kind.cuts:
        names = ("client", "cluster", "kind", "owner", "route", "state", "lost_at", "returned_at", "last_error")
        rows: list[list[object]] = [
            [
                *(one.name, one.cluster, one.kind, one.owner, one.route, one.state),
                *(stamp(one.lost_at), stamp(one.returned_at), one.last_error),
            ]
            for one in clients
        ]
    else:
        names = (
            *("client", "cluster", "kind", "owner", "route", "level", "level_at", "level_source"),
            *("wave", "awaited", "waived", "written_off", "careless", "generation", "would_fail_at", "last_error"),
        )
        rows = [
            [
                *(one.name, one.cluster, one.kind, one.owner, one.route, one.level, stamp(one.level_at)),
                *(one.level_source, one.wave, one.awaited, one.waived, one.written_off, one.careless),
                *(one.generation, stamp(one.would_fail_at), one.last_error),
            ]
            for one in clients
        ]
    return Table(
        kind="rotation",
        title=f"CA rotation g{rotation.from_generation} to g{rotation.to_generation}, {rotation.phase}",
        names=names,
        rows=rows,
    )
