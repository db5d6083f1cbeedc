"""Telling clients to renew, in waves, on the way to the new CA or back (pki.md 4.16).

A wave begins when everybody of the one before has moved, was waived or written off. Whoever sends heartbeats gets the
order, also one that nobody waits for; it is handed out again by the heartbeat itself until it is done.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime

from backend.core.overlap import OverlapClient, OverlapPhase, Route
from backend.core.overlap_gates import OverlapFacts, open_wave
from backend.service.contact import patience
from backend.service.overlap_clients import Seen
from backend.store.port import Transaction
from backend.store.records import Order, OrderKind, OverlapClientRow, RotationRow

_RENEWING = {OverlapPhase.ISSUING, OverlapPhase.SERVING, OverlapPhase.DRAINING, OverlapPhase.REISSUING_BACK}


def give_orders(tx: Transaction, rotation: RotationRow, seen: Seen, facts: OverlapFacts, now: datetime) -> None:
    """Order the open wave, and everybody in later phases who reports and is not where the phase wants it."""
    if facts.phase not in _RENEWING:
        return
    target = rotation.from_generation if facts.phase.is_rollback else rotation.to_generation
    wave = 4 if facts.phase in {OverlapPhase.SERVING, OverlapPhase.DRAINING} else open_wave(facts) or 4
    there = {one.number for one in seen.clients if _is_there(one, target)}
    due = [row for row in seen.rows if row.identity_number not in there and _is_due(row, seen, wave, now)]
    for row in due:
        _order(tx, rotation, row, now)
    if due:
        tx.rotations.put_overlap_clients([replace(row, ordered_at=now) for row in due])


def _is_there(one: OverlapClient, target: int) -> bool:
    """Tell whether nothing but the wanted CA's certificates can be in its hands, or nobody saw one there yet."""
    return one.generation in {0, target} and one.unused_generation in {0, target}


def _is_due(row: OverlapClientRow, seen: Seen, wave: int, now: datetime) -> bool:
    """Who is silent gets the order when it is back."""
    beat = seen.heartbeats.get(row.identity_number)
    if beat is None or row.written_off or row.wave > wave:
        return False
    if row.ordered_at is not None and now - row.ordered_at <= patience(beat):
        return False  # it may be on its way; whoever says "done" and has not moved is told again
    return row.route in {Route.ITSELF.value, Route.CROSS.value}


def _order(tx: Transaction, rotation: RotationRow, row: OverlapClientRow, now: datetime) -> None:
    if any(order.kind is OrderKind.RENEW for order in tx.orders.open_of(row.identity_number)):
        return  # an operation has ordered the same
    tx.orders.put(
        Order(
            id=str(uuid.uuid4()),
            identity_number=row.identity_number,
            kind=OrderKind.RENEW,
            created_at=now,
            operation_id=rotation.id,
        )
    )
