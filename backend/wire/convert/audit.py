"""Audit events on the wire, in full: a reader can check the chain by itself."""

from __future__ import annotations

from typing import Final

from backend.core.errors import InvalidInput
from backend.core.model import AuditEvent, Outcome
from backend.wire.convert.checks import quoted
from backend.wire.convert.instants import known_instant, unix
from backend.wire.mocdeck.v1 import fleet_pb2

_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}


def audit_record(event: AuditEvent) -> fleet_pb2.AuditRecord:
    """One link of the chain as a message."""
    return fleet_pb2.AuditRecord(
        index=event.index,
        at=unix(event.at),
        actor=event.actor,
        origin=event.origin,
        action=event.action,
        subject=event.subject,
        outcome=event.outcome.value,
        detail=event.detail,
        previous=event.previous,
        digest=event.digest,
    )


def audit_event(record: fleet_pb2.AuditRecord) -> AuditEvent:
    """One link of the chain from a message, texts as they came: the digest is over them.

    Raises:
        InvalidInput: the outcome is none of the known ones, or the instant is missing.
    """
    outcome = _OUTCOMES.get(record.outcome)
    if outcome is None:
        raise InvalidInput(f"audit record {record.index} has the unknown outcome {quoted(record.outcome)}")
    return AuditEvent(
        index=record.index,
        at=known_instant(record.at, f"instant of audit record {record.index}"),
        actor=record.actor,
        origin=record.origin,
        action=record.action,
        subject=record.subject,
        outcome=outcome,
        detail=dict(record.detail),
        previous=record.previous,
        digest=record.digest,
    )
