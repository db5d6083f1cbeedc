"""Tokens that the agent rotates by itself, in the last 30 % of their lifetime: by `autoRotate`, or by `tokens.yaml`.

The way there is chosen here and taken elsewhere: a Secret or a login file path gets a delivery
(`backend.service.deliveries`), a client with heartbeats an order to take its token (`backend.service.heartbeat`).
Nothing is minted before the one or the other is carried out, so a client that cannot be reached keeps the token it has.
What does not work is a fault (`backend.store.records.TokenFault`): the fleet shows it, an alert tells of it, and the
audit trail has when it began (domain.md 5.3, S5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from backend.core.delivery import Route
from backend.core.lifecycle import share
from backend.core.limits import DUE
from backend.core.model import Identity, Outcome, Token
from backend.core.token_policy import RotatedBy
from backend.service import audit
from backend.service.contact import patience
from backend.service.deliveries import AUTO, owe
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import Delivery, Order, OrderKind, TokenFault

_DAY: Final = timedelta(days=1)
NO_WAY: Final = (
    "there is no way to it: it sends no heartbeats, and no Secret or login file path is known for it; give it one, or "
    "rotate its token by hand"
)
CANNOT_STORE: Final = "it cannot store a token: its login file is not writable; make it so, or rotate its token by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is open towards clients now, by identity number; read at once, because thousands may be due together."""

    orders: Mapping[int, Order]  # to take a token, given by the agent itself
    deliveries: Mapping[int, Delivery]
    beating: frozenset[int]  # of those that are due: who ever sent a heartbeat


def rotate_due(tx: Transaction, world: World) -> int:
    """Begin the rotation of every token that is due for it; return how many began now. Safe to repeat."""
    now = world.clock.now()
    due = {token.identity_number: token for token in tx.tokens.due(now, DUE)}
    asked = _Asked(
        orders={one.identity_number: one for one in tx.orders.open_by_agent() if one.kind is OrderKind.TAKE_TOKEN},
        deliveries={delivery.identity_number: delivery for delivery in tx.orders.open_deliveries()},
        beating=frozenset(beat.identity_number for beat in tx.heartbeats.all(due)),
    )
    begun = 0
    found: dict[int, TokenFault] = {}
    gone = gone_clusters(tx) if world.token_policy.rules else frozenset()
    for identity in tx.identities.some({*due, *asked.orders}):
        by = rotated_by(world, identity, gone)
        if by is RotatedBy.NOBODY or identity.revoked_at is not None:
            continue
        token = due.get(identity.number)
        if token is not None and identity.number not in asked.deliveries and identity.number not in asked.orders:
            begun += _begin(tx, world, identity, token, by, asked, now)
        fault = _fault(tx, world, identity, token, asked, now)
        if fault is not None:
            found[identity.number] = fault
    _keep_faults(tx, found.values(), now)
    return begun


def rotated_by(world: World, identity: Identity, gone: frozenset[str]) -> RotatedBy:
    """Say who rotates an identity's token; `gone` are the clusters that were removed."""
    return world.token_policy.rotated_by(
        identity.kind,
        identity.cluster,
        identity.name,
        has_flag=identity.auto_rotate,
        is_orphan=identity.cluster in gone,
    )


def gone_clusters(tx: Transaction) -> frozenset[str]:
    """Return the clusters that were removed."""
    return frozenset(cluster.name for cluster in tx.clusters.all() if cluster.removed_at is not None)


def due_at(token: Token) -> datetime:
    """When the agent begins to rotate a token: with 30 % of its lifetime left (domain.md A-2)."""
    return token.expires_at - share(token.expires_at - token.issued_at, DUE)


def _begin(
    tx: Transaction, world: World, identity: Identity, token: Token, by: RotatedBy, asked: _Asked, now: datetime
) -> bool:
    if identity.number not in asked.beating and not world.delivery.places_of(identity):
        return False  # no way to it, which is a fault: the fleet shows it, and a person decides
    place = owe(tx, world, identity, now, delivery_id=f"{AUTO}{token.id}")
    if place is not None:
        way = "Secret" if place.route is Route.KUBERNETES else "login file"
    else:
        order_id = _order_id(token, now)
        is_ordered = any(order.kind is OrderKind.TAKE_TOKEN for order in tx.orders.open_of(identity.number))
        if is_ordered or tx.orders.find(order_id) is not None:
            return False
        overlap = world.token_policy.overlap_for(identity.kind, identity.cluster, identity.name)
        tx.orders.put(
            Order(
                id=order_id,
                identity_number=identity.number,
                kind=OrderKind.TAKE_TOKEN,
                created_at=now,
                overlap_seconds=-1 if overlap is None else int(overlap.total_seconds()),
            )
        )
        way = "heartbeat"
    rule = world.token_policy.rule_for(identity.kind, identity.cluster, identity.name)
    audit.record(
        tx,
        now,
        actor="agent",
        origin="agent",
        action="auto_rotate",
        subject=identity.name,
        outcome=Outcome.DONE,
        detail={
            "way": way,
            "by": by.value,
            "rule": rule.name if rule is not None and by is RotatedBy.POLICY else "",
            "old_token": token.id,
            "old_expires_at": token.expires_at.isoformat(),
        },
    )
    return True


def _order_id(token: Token, now: datetime) -> str:
    """A client that cannot store is asked once a day."""
    return f"{AUTO}{token.id}/{(now - due_at(token)).days}"


def _fault(
    tx: Transaction, world: World, identity: Identity, token: Token | None, asked: _Asked, now: datetime
) -> TokenFault | None:
    """Return what keeps a client's token from being rotated, by what is observed now; None: nothing is known to."""
    delivery, order = asked.deliveries.get(identity.number), asked.orders.get(identity.number)
    why, token_id = "", "" if token is None else token.id
    if delivery is not None and delivery.id.startswith(AUTO) and delivery.last_error:
        why = f"{delivery.label}: {delivery.last_error}"
    elif order is not None:
        why, token_id = _order_fault(tx, world, order, now), token_id or order.token_id
    if not why and token is not None and delivery is None:
        why = _no_way(tx, world, identity, token, asked, now)
    if not why:
        return None
    return TokenFault(identity_number=identity.number, token_id=token_id, why=why, since_at=now)


def _order_fault(tx: Transaction, world: World, order: Order, now: datetime) -> str:
    """Tell a client that takes tokens and does not keep them, which every new token would otherwise hide."""
    if order.handed_out_at is None or not order.token_id:
        return ""
    since = max(order.handed_out_at, world.watch.listening_since or order.handed_out_at)
    if now - since <= patience(tx.heartbeats.find(order.identity_number)):
        return ""
    return (
        f"it was given a new token at {order.handed_out_at:%Y-%m-%d %H:%M} UTC and has not stored it; see whether its "
        "disk is full, or rotate its token by hand"
    )


def _no_way(tx: Transaction, world: World, identity: Identity, token: Token, asked: _Asked, now: datetime) -> str:
    if world.delivery.places_of(identity):
        return ""
    if identity.number not in asked.beating:
        return NO_WAY
    orders = [tx.orders.find(_order_id(token, at)) for at in (now, now - _DAY)]
    last = next((order for order in orders if order is not None and order.done_at is not None), None)
    return CANNOT_STORE if last is not None and not last.token_id else ""


def _keep_faults(tx: Transaction, found: Iterable[TokenFault], now: datetime) -> None:
    """Write what is new, forget what is over; the audit trail has each when it began, and when it changed."""
    known = {fault.identity_number: fault for fault in tx.token_faults.all()}
    present = {fault.identity_number: fault for fault in found}
    for number in known.keys() - present.keys():
        tx.token_faults.delete(number)
    for number, fault in present.items():
        before = known.get(number)
        if before is not None and (before.why, before.token_id) == (fault.why, fault.token_id):
            continue
        tx.token_faults.put(fault if before is None else replace(fault, since_at=before.since_at))
        audit.record(
            tx,
            now,
            actor="agent",
            origin="agent",
            action="auto_rotate",
            subject=tx.identities.get_by_number(number).name,
            outcome=Outcome.FAILED,
            detail={"token": fault.token_id, "why": fault.why},
        )
