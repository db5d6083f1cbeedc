"""A fleet report as text for people and as data for programs: table, JSON, YAML, CSV and Markdown.

Instants are ISO 8601 in UTC, durations whole seconds. The JSON document's form is versioned (`SCHEMA`); keys may be
added to it, and none changes its meaning without a new version.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import backend
from backend.cli.console import table
from backend.cli.fleetreport import Line, Report
from backend.core import export, fleetrecord
from backend.core.countdown import countdown
from backend.core.export import Head, Table, quiet, stamp
from backend.core.facts import Limit
from backend.core.model import TokenStanding

if TYPE_CHECKING:
    from backend.core.forecast import SiteForecast
    from backend.core.subjects import SiteView

SCHEMA: Final = "mocdeck.status/1"
_HEADER: Final = ("SEVERITY", "STATE", "CERT LEFT", "TOKEN LEFT", "NEXT STEP", "CLUSTER", "CLIENT")
_encode: Final = json.JSONEncoder(ensure_ascii=False).encode
_TOKEN_WORDS: Final = {TokenStanding.EMPTY: "none", TokenStanding.UNKNOWN: "unknown"}


def as_table(report: Report) -> str:
    """Head, CA and one aligned line a client."""
    fleet = report.fleet
    rows = [_cells(report, line) for line in report.lines]
    severities = [line.found.severity.name.lower() for line in report.lines]
    body = table(_HEADER, rows, severities=severities, are_inert=True) if rows else _nothing(report)
    mark = "SIMULATED  " if fleet.simulated else ""
    shown = f"{len(report.lines)} of {report.total}" if report.selection.words else f"{report.total}"
    counted = ", ".join(f"{count} {word}" for word, count in report.counts.items() if count)
    head = f"{mark}{fleet.deployment}  agent {report.address}  at {stamp(report.now)}"
    held = ", HELD" if fleet.rotation_held else ""
    rotation = f"\nCA rotation: {fleet.rotation_phase}{held}" if fleet.rotation_phase else ""
    clients = f"clients {shown}" + (f": {counted}" if counted else "")
    return f"{head}\n{_authority_line(report)}{rotation}\n{clients}\n\n{body}"


def as_json(report: Report) -> str:
    """The versioned document, one client a line: `grep` reads that too, and the encoder in C writes it at once."""
    lines = [f"  {_encode(key)}: {_laid_out(value)}" for key, value in document(report).items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def _laid_out(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n    " + ",\n    ".join(map(_encode, value)) + "\n  ]"
    return _encode(value)


def as_yaml(report: Report) -> str:
    """The same document as YAML."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(document(report), Dumper=dumper, sort_keys=False, allow_unicode=True, width=200)).rstrip()


def as_csv(report: Report) -> str:
    """One line a client, the head's facts repeated on each; formulas are made harmless (CWE-1236)."""
    rows = [fleetrecord.flat(client_record(report, line)) for line in report.lines]
    return export.as_csv(Table(kind="status", title="clients", names=fleetrecord.NAMES, rows=rows), _head(report))


def _head(report: Report) -> Head:
    return Head(
        observed_at=report.now,
        agent=report.address,
        deployment=report.fleet.deployment,
        filter=report.selection.words,
        tool_version=backend.__version__,
        simulated=report.fleet.simulated,
    )


def as_markdown(report: Report) -> str:
    """The table of `as_table` for a ticket."""
    fleet = report.fleet
    mark = " **SIMULATED**" if fleet.simulated else ""
    chosen = f", filter `{quiet(report.selection.words)}`" if report.selection.words else ""
    lines = [
        f"{quiet(fleet.deployment)}{mark}, agent {report.address}, observed {stamp(report.now)} with mocdeck "
        f"{backend.__version__}{chosen}: {len(report.lines)} of {report.total} clients",
        "",
        f"| {' | '.join(_HEADER)} |",
        "|" + "---|" * len(_HEADER),
    ]
    lines += [f"| {' | '.join(quiet(cell) for cell in _cells(report, line))} |" for line in report.lines]
    return "\n".join(lines)


def as_ics(report: Report) -> str:
    """What ends, as a calendar: one entry a cluster and week."""
    from backend.core import icalendar
    from backend.core.icalendar import ends_of

    lines = [(report.fleet.text("cluster", line.index), line) for line in report.lines]
    ends = [end for cluster, line in lines for end in ends_of(line.facts.name, cluster, line.found)]
    return icalendar.as_ics(ends, _head(report)).removesuffix("\n")  # whoever prints it ends the last line


FORMS: Final[Mapping[str, Callable[[Report], str]]] = {
    "table": as_table,
    "json": as_json,
    "yaml": as_yaml,
    "csv": as_csv,
    "markdown": as_markdown,
    "ics": as_ics,
}


def document(report: Report) -> dict[str, Any]:
    """The whole report as plain values."""
    from backend.cli.forecastrecords import client_forecasts, cluster_forecasts, site_record

    fleet = report.fleet
    site, ahead = forecast_of(report)
    by_client, by_cluster = client_forecasts(site), cluster_forecasts(ahead)
    return {
        "schema": SCHEMA,
        "observed_at": stamp(report.now),
        "agent": {"address": report.address, "version": fleet.agent_version},
        "tool_version": backend.__version__,
        "deployment": fleet.deployment,
        "deployment_id": fleet.deployment_id,
        "simulated": fleet.simulated,
        "filter": report.selection.words,
        "rotation_phase": fleet.rotation_phase,
        "bundle_epoch": fleet.bundle_epoch,
        "counts": {**report.counts, "shown": len(report.lines), "total": report.total},
        "clients": [{**client_record(report, line), **by_client[line.facts.name]} for line in report.lines],
        "authorities": [
            {
                "generation": info.generation,
                "subject": info.subject,
                "status": info.status.value,
                "not_before": stamp(info.validity.not_before),
                "not_after": stamp(info.validity.not_after),
                "fingerprint": info.fingerprint,
                "severity": found.severity.name.lower() if found else None,
                "state": found.state if found else None,
                "reason": found.reason if found else "",
            }
            for info, found in report.authorities
        ],
        "clusters": [
            {
                "name": cluster.name,
                "management": cluster.is_management,
                "removed": cluster.is_removed,
                "planned_off_until": stamp(cluster.planned_off_until) or None,
                **by_cluster.get(cluster.name, {}),
            }
            for cluster in fleet.clusters
        ],
        "forecast": site_record(ahead),
    }


def forecast_of(report: Report) -> tuple[SiteView, SiteForecast]:
    """Return what is coming for all clients of a report, whatever was selected."""
    from backend.core.forecast import forecast
    from backend.core.subjects import make_site

    site = make_site(report.fleet, report.now, ((line.index, line.facts, line.found) for line in report.everyone))
    return site, forecast(site)


def client_record(report: Report, line: Line) -> dict[str, Any]:
    """One client of a report as plain values; None where there is nothing."""
    return fleetrecord.client_record(report.fleet.row(line.index), line.facts, line.found, report.now)


def _cells(report: Report, line: Line) -> list[str]:
    found, token = line.found, line.facts.token
    end = found.effective_not_after
    left = "none" if end is None else countdown(end - report.now)
    if found.limited_by is Limit.AUTHORITY:
        left += " (CA)"
    token_left = countdown(token.expires_at - report.now) if token.expires_at else _TOKEN_WORDS.get(token.standing, "")
    overlays = sorted(overlay.value for overlay in found.overlays) if found.overlays else []
    return [
        found.severity.name.lower(),
        ", ".join([found.state.value, *overlays]),
        left,
        token_left,
        found.next_step,
        report.fleet.text("cluster", line.index) or "-",
        line.facts.name,
    ]


def _authority_line(report: Report) -> str:
    parts = []
    for info, found in report.authorities:
        if found is not None:
            left = countdown(info.validity.left(report.now))
            parts.append(f"CA g{info.generation} {left} ({found.severity.name.lower()})")
    return "  ".join(parts) or "CA unknown"


def _nothing(report: Report) -> str:
    if report.selection.words:
        return f"No client fits: {report.selection.words}"
    return "The site has no clients yet; create identities with `mocdeck identity create`."
