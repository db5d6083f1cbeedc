"""Tokens that the agent rotates by itself: identities with `autoRotate`, in the last 30 % of their token's lifetime.

The way there is chosen here and taken elsewhere: a Secret or a login file path gets a delivery
(`backend.service.deliveries`), a client with heartbeats an order to take its token (`backend.service.heartbeat`).
Nothing is minted before the one or the other is carried out, so a client that cannot be reached keeps the token it has.
"""

from __future__ import annotations

from datetime import datetime

from backend.core.delivery import Route
from backend.core.lifecycle import share
from backend.core.limits import DUE
from backend.core.model import Identity, Outcome, Token
from backend.service import audit
from backend.service.deliveries import owe
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import Order, OrderKind


def rotate_due(tx: Transaction, world: World) -> int:
    """Begin the rotation of every token that is due for it; return how many began now. Safe to repeat."""
    now = world.clock.now()
    due = {token.identity_number: token for token in tx.tokens.current(None) if _is_due(token, now)}
    if not due:
        return 0
    owed = {delivery.identity_number for delivery in tx.orders.open_deliveries()}
    begun = 0
    for identity in tx.identities.some(due):
        if identity.auto_rotate and identity.revoked_at is None and identity.number not in owed:
            begun += _begin(tx, world, identity, due[identity.number], now)
    return begun


def _is_due(token: Token, now: datetime) -> bool:
    return now >= _due_at(token)


def _due_at(token: Token) -> datetime:
    return token.expires_at - share(token.expires_at - token.issued_at, DUE)


def _begin(tx: Transaction, world: World, identity: Identity, token: Token, now: datetime) -> bool:
    place = owe(tx, world, identity, now)
    if place is not None:
        way = "Secret" if place.route is Route.KUBERNETES else "login file"
    elif tx.heartbeats.find(identity.number) is not None:
        order_id = f"auto/{token.id}/{(now - _due_at(token)).days}"  # a client that cannot store is asked once a day
        is_ordered = any(order.kind is OrderKind.TAKE_TOKEN for order in tx.orders.open_of(identity.number))
        if is_ordered or tx.orders.find(order_id) is not None:
            return False
        tx.orders.put(Order(id=order_id, identity_number=identity.number, kind=OrderKind.TAKE_TOKEN, created_at=now))
        way = "heartbeat"
    else:
        return False  # no way to it: the fleet shows the token as due, and a person decides
    audit.record(
        tx,
        now,
        actor="agent",
        origin="agent",
        action="auto_rotate",
        subject=identity.name,
        outcome=Outcome.DONE,
        detail={"way": way, "old_token": token.id, "old_expires_at": token.expires_at.isoformat()},
    )
    return True
