"""`mocdeck describe NAME`: one client in full, with its judgement and the reasons for it (domain.md, US-02)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from backend.cli.console import coloured, facts, put, table
from backend.cli.params import output_option
from backend.cli.root import Root
from backend.cli.words import day, moment, span_words

if TYPE_CHECKING:
    from datetime import datetime

    from backend.cli.fleetreport import Report
    from backend.client.operator import Operator
    from backend.wire.mocdeck.v1.fleet_pb2 import CertificateRecord, DeliveryPlace, Description, TokenRecord

SCHEMA: Final = "mocdeck.client/1"
_ROUTES: Final = {
    "heartbeat": "by heartbeat",
    "kubernetes": "by its Secret",
    "file": "by its login file",
    "manual": "by hand",
}


@click.command("describe")
@click.argument("name")
@output_option("text", "json", "yaml")
@click.pass_obj
def command(root: Root, name: str, output: str) -> None:
    """Show one client in full. Private keys and tokens are never shown."""
    from backend.cli.fleetreport import Selection, make_report
    from backend.cli.session import run_with_operator
    from backend.cli.status import read_fleet

    async def look(operator: Operator) -> tuple[Description, Report]:
        found = await operator.describe(name)
        fleet = await read_fleet(operator)
        return found, make_report(fleet, address=operator.credential.agent, selection=Selection())

    described, report = run_with_operator(root, look)
    if output == "text":
        put(_text(described, report))
        return
    values = _values(described, report)
    if output == "json":
        put(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        import yaml

        put(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=200).rstrip())


def _text(one: Description, report: Report) -> str:
    from backend.core.countdown import long_countdown

    line = next((line for line in report.lines if line.facts.name == one.name), None)
    parts = []
    if line is not None:
        found, severity = line.found, line.found.severity.name.lower()
        parts.append(coloured(f"{one.name}: {found.state.value} ({severity})", severity))
        parts += [f"  {reason}" for reason in found.reasons]

        def left(end: datetime | None) -> str:
            return "none" if end is None else f"{end:%Y-%m-%dT%H:%M:%SZ}, {long_countdown(end - report.now)}"

        limit = f" (limited by the {found.limited_by.value})" if found.limited_by else ""
        parts.append(
            facts(
                [
                    ("next step", found.next_step),
                    ("certificate", left(found.effective_not_after) + limit),
                    ("token", left(found.token_expires_at)),
                ]
            )
        )
    parts += ["", facts([*_identity_facts(one), *_rotation_facts(one)]), "", "Certificates", _certificates(one)]
    parts += ["", "Tokens", _tokens(one)]
    if one.history:
        rows = [[day(event.at), event.actor, event.action, event.outcome] for event in one.history]
        parts += ["", "History", table(["AT", "BY", "ACTION", "OUTCOME"], rows)]
    return "\n".join(parts)


def _identity_facts(one: Description) -> list[tuple[str, str]]:
    seen = f"{moment(one.last_seen_at)} from {one.last_seen_from}" if one.last_seen_at else "never"
    beat = one.heartbeat
    return [
        ("identity", one.id),
        ("kind", f"{one.kind}, {one.client_type}"),
        ("cluster", one.cluster),
        ("host", one.host),
        ("owner", one.owner),
        ("location", one.location),
        ("roles", ", ".join(one.roles)),
        ("created", moment(one.created_at)),
        ("revoked", f"{moment(one.revoked_at)} by {one.revoked_by}" if one.revoked_at else ""),
        ("login file", one.login_file_path),
        ("reached", _ROUTES.get(one.delivery_route, one.delivery_route)),
        *(("place", _looked(place)) for place in one.places),
        ("last seen", seen),
        ("heartbeat", moment(beat.heard_at) if beat.heard_at else "sends none"),
        ("clock", f"{beat.skew:+d} s against the agent" if beat.heard_at else ""),
        ("last error", beat.last_error),
        ("that is", _explained(beat.last_error)),
        ("version", beat.version),
        ("tags", ", ".join(f"{key}={value}" for key, value in sorted(one.tags.items()))),
    ]


def _explained(error: str) -> str:
    """What the last error is about, as `mocdeck diagnose` would say it; "" where no known message fits."""
    from backend.core.diagnosis import diagnose

    return next((f"{one.ailment.meaning} {one.ailment.avoid}".strip() for one in diagnose(error)), "")


def _rotation_facts(one: Description) -> list[tuple[str, str]]:
    """Who rotates its token of the agent's own accord, and what stands against it."""
    found = one.token_rotation
    if not found.by:
        return []  # an agent of an earlier version does not say
    who = {"flag": "by its flag autoRotate", "policy": f"by policy, rule {found.rule}"}.get(found.by)
    due = f", from {moment(found.due_at)} on" if found.due_at else ""
    overlap = f"; the old one lives on for {span_words(found.overlap_seconds)} at most"
    text = f"by the agent, {who}{due}{overlap}" if who else f"by nobody, a person does{due}"
    fault = f"since {moment(found.fault_since)}: {found.fault}" if found.fault else ""
    return [("token rotated", text), ("fails", fault)]


def _looked(place: DeliveryPlace) -> str:
    from backend.cli.delivery import where

    at = f", looked at {moment(place.looked_at)}" if place.looked_at else ""
    return f"{where(place)}: {place.state}, {place.sentence}{at}"


def _certificates(one: Description) -> str:
    if not one.certificates:
        return "  none"
    rows = [
        [
            "*" if record.current else "",
            record.serial,
            f"g{record.generation}",
            day(record.not_before),
            day(record.not_after),
            day(record.renew_from),
            day(record.last_used_at),
            f"{day(record.revoked_at)} {record.revoke_reason}" if record.revoked_at else "-",
        ]
        for record in one.certificates
    ]
    return table(["", "SERIAL", "CA", "FROM", "UNTIL", "RENEWS FROM", "LAST USED", "REVOKED"], rows)


def _tokens(one: Description) -> str:
    if not one.tokens:
        return "  none"
    rows = [
        [record.state, record.id, day(record.issued_at), day(record.expires_at), day(record.first_used_at)]
        for record in one.tokens
    ]
    return table(["STATE", "ID", "ISSUED", "UNTIL", "FIRST USED"], rows)


def _values(one: Description, report: Report) -> dict[str, Any]:
    from backend.cli.delivery import place_values
    from backend.cli.fleetforms import client_record
    from backend.core.export import stamp

    line = next((line for line in report.lines if line.facts.name == one.name), None)
    return {
        "schema": SCHEMA,
        "observed_at": stamp(report.now),
        "simulated": report.fleet.simulated,
        "client": client_record(report, line) if line is not None else None,
        "id": one.id,
        "name": one.name,
        "client_type": one.client_type,
        "location": one.location,
        "roles": list(one.roles),
        "login_file_path": one.login_file_path,
        "delivery_route": one.delivery_route,
        "places": [place_values(place) for place in one.places],
        "token_lifetime_seconds": one.token_lifetime_seconds,
        "token_rotation": {
            "by": one.token_rotation.by or None,
            "rule": one.token_rotation.rule,
            "due_at": moment(one.token_rotation.due_at) or None,
            "overlap_seconds": one.token_rotation.overlap_seconds,
            "fault": one.token_rotation.fault,
            "fault_since": moment(one.token_rotation.fault_since) or None,
        },
        "created_at": moment(one.created_at) or None,
        "revoked_at": moment(one.revoked_at) or None,
        "revoked_by": one.revoked_by,
        "last_seen_at": moment(one.last_seen_at) or None,
        "last_seen_from": one.last_seen_from,
        "certificates": [_certificate_values(record) for record in one.certificates],
        "tokens": [_token_values(record) for record in one.tokens],
        "tags": dict(sorted(one.tags.items())),
    }


def _certificate_values(record: CertificateRecord) -> dict[str, Any]:
    return {
        "serial": record.serial,
        "current": record.current,
        "generation": record.generation,
        "issuer": record.issuer,
        "not_before": moment(record.not_before),
        "not_after": moment(record.not_after),
        "fingerprint": record.fingerprint,
        "issued_at": moment(record.issued_at),
        "renew_from": moment(record.renew_from) or None,
        "renew_until": moment(record.renew_until) or None,
        "first_used_at": moment(record.first_used_at) or None,
        "last_used_at": moment(record.last_used_at) or None,
        "revoked_at": moment(record.revoked_at) or None,
        "revoke_reason": record.revoke_reason,
        "shortened": record.shortened,
        "pem": record.pem,
    }


def _token_values(record: TokenRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "state": record.state,
        "issued_at": moment(record.issued_at),
        "expires_at": moment(record.expires_at),
        "dies_at": moment(record.dies_at) or None,
        "first_used_at": moment(record.first_used_at) or None,
        "delivered_at": moment(record.delivered_at) or None,
    }
