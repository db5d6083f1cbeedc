"""One client as data: the record of the JSON documents and the row of the CSV files, the same for every reader.

Keys may be added; none changes its meaning without a new version of the documents. Instants are ISO 8601 in UTC,
durations whole seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from backend.core.export import stamp
from backend.core.facts import Assessment, ClientFacts
from backend.core.fleet import ClientRow

NAMES: Final = (
    *("severity", "state", "overlays", "next_step", "cluster", "client", "kind", "host", "owner"),
    *("certificate_not_before", "certificate_not_after", "effective_not_after", "limited_by"),
    *("certificate_seconds_left", "token_standing", "token_expires_at", "token_seconds_left", "last_seen_at"),
    *("heartbeat_at", "auto_renew", "auto_rotate", "rotated_by", "activity", "reasons"),
)
BRIEF: Final = ("severity", "state", "effective_not_after", "token_expires_at", "next_step", "cluster", "client")


def client_record(row: ClientRow, facts: ClientFacts, found: Assessment, now: datetime) -> dict[str, Any]:
    """One client as plain values; None where there is nothing."""
    certificate = None
    if facts.certificate is not None:
        certificate = {
            "not_before": stamp(row.certificate_not_before),
            "not_after": stamp(row.certificate_not_after),
            "effective_not_after": stamp(found.effective_not_after),
            "limited_by": found.limited_by.value if found.limited_by else None,
            "seconds_left": _seconds(found.effective_not_after, now),
            "generation": row.generation,
            "in_use": row.used_serial_low == row.serial_low and row.serial_low != 0,
        }
    return {
        "name": row.name,
        "cluster": row.cluster,
        "kind": row.kind.value,
        "host": row.host,
        "owner": row.owner,
        "severity": found.severity.name.lower(),
        "state": found.state.value,
        "overlays": sorted(overlay.value for overlay in found.overlays),
        "next_step": found.next_action.value,
        "certificate": certificate,
        "token": {
            "standing": facts.token.standing.value,
            "issued_at": stamp(facts.token.issued_at) or None,
            "expires_at": stamp(facts.token.expires_at) or None,
            "seconds_left": _seconds(facts.token.expires_at, now),
        },
        "last_seen_at": stamp(row.last_seen_at) or None,
        "heartbeat_at": stamp(row.heartbeat_at) or None,
        "skew_seconds": int(row.skew.total_seconds()),
        "auto_renew": facts.auto_renew,
        "auto_rotate": facts.auto_rotate,
        "rotated_by": facts.rotated_by.value,
        "planned_off_until": stamp(facts.planned_off_until) or None,
        "activity": row.activity,
        "reasons": list(found.reasons),
    }


def flat(one: dict[str, Any]) -> Sequence[object]:
    """The values of a record in the order of `NAMES`."""
    certificate, token = one["certificate"] or {}, one["token"]
    return [
        *(one["severity"], one["state"], " ".join(one["overlays"]), one["next_step"], one["cluster"]),
        *(one["name"], one["kind"], one["host"], one["owner"]),
        *(certificate.get(name) for name in ("not_before", "not_after", "effective_not_after", "limited_by")),
        *(certificate.get("seconds_left"), token["standing"], token["expires_at"], token["seconds_left"]),
        *(one["last_seen_at"], one["heartbeat_at"], one["auto_renew"], one["auto_rotate"]),
        *(one["rotated_by"], one["activity"]),
        " ".join(one["reasons"]),
    ]


def _seconds(end: datetime | None, now: datetime) -> int | None:
    return None if end is None else int((end - now).total_seconds())
