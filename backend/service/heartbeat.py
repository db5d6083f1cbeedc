"""Heartbeats: what a living client says of itself, and the orders, trust and tokens that it takes home.

The agent never holds a client's key, so it can only order; an order stays open until the client reports it done or the
effect is seen. A fresh token is minted in the transaction of the answer that carries it and is kept nowhere: when the
client's next heartbeat does not name it, it is taken as lost, ended, and another one goes out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from backend.core.canary import CanaryReport, CanaryTask
from backend.core.errors import AccessDenied
from backend.core.inert import inert
from backend.core.model import Heartbeat, Identity, Outcome, Secret
from backend.pki.epochs import Link
from backend.service import audit, canary
from backend.service.caller import Caller
from backend.service.epochs import links_since
from backend.service.fence import is_fenced
from backend.service.token_line import find_current, mark_token_delivered, rotate_token
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import Order, OrderKind

SHORTEST: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(hours=1)  # a longer interval would hide a dead client for half a day
_MOST_SKEW: Final = timedelta(days=10_000)  # beyond this the difference is noise, and columns hold 32 bits
_TEXT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One heartbeat as it came in. `token_id` is the jti in the client's login file; `done_order` its last order.

    `renews_itself` tells a client that is not set to renew from one whose loop is broken; None: it did not say, and
    `loop_alive` stands for both.
    """

    serial: int
    epoch: int
    clock: datetime
    loop_alive: bool
    last_error: str = ""
    interval: timedelta = timedelta(0)
    version: str = ""
    token_id: str = ""
    can_store_token: bool = False
    done_order: str = ""
    renews_itself: bool | None = None
    canary_report: CanaryReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatAnswer:
    """What goes back; `bundle_pem` is empty for a client at the present epoch, `login_token` comes with TAKE_TOKEN.

    `chain` proves to a client that has an epoch how the bundle follows from that one. `interval` is the one wished for,
    to a client that named none; zero: as before.
    """

    agent_time: datetime
    interval: timedelta
    epoch: int
    bundle_pem: str
    order: Order | None
    login_token: Secret | None
    chain: tuple[Link, ...] = ()
    canary_task: CanaryTask | None = None


def beat(tx: Transaction, world: World, caller: Caller, beat: Beat) -> BeatAnswer:
    """Take a client's heartbeat and answer with its oldest open order.

    Raises:
        AccessDenied: the identity was deleted while the call was on its way.
    """
    now = world.clock.now()
    identity = tx.identities.find_by_number(caller.identity.number)
    if identity is None:
        raise AccessDenied(f"the identity {caller.name!r} is gone; ask for a new login file")
    tx.heartbeats.put(_heartbeat(identity, caller, beat, now))
    # Its own loop is better evidence than a tag. A session without regular heartbeats has none to speak of.
    renews = beat.loop_alive if beat.renews_itself is None else beat.renews_itself
    if (beat.loop_alive or beat.interval > timedelta(0)) and identity.auto_renew is not renews:
        tx.identities.put(replace(identity, auto_renew=renews))
    if beat.token_id:
        _note_token(tx, identity, beat.token_id, now)
    if beat.canary_report is not None:
        canary.note_report(tx, identity, beat.canary_report)
    bundle = tx.bundles.current()
    order, token = _next_order(tx, world, identity, beat, now)
    return BeatAnswer(
        agent_time=now,
        interval=timedelta(0) if beat.interval > timedelta(0) else world.policy.heartbeat,
        epoch=bundle.epoch,
        bundle_pem="" if beat.epoch == bundle.epoch else bundle.pem,
        order=order,
        login_token=token,
        chain=links_since(tx, beat.epoch) if 0 < beat.epoch < bundle.epoch else (),
        canary_task=canary.task_for(tx, world, identity),
    )


def _heartbeat(identity: Identity, caller: Caller, beat: Beat, now: datetime) -> Heartbeat:
    interval = min(max(beat.interval, SHORTEST), LONGEST) if beat.interval > timedelta(0) else timedelta(0)
    return Heartbeat(
        identity_number=identity.number,
        heard_at=now,
        interval=interval,
        address=caller.address,
        serial=beat.serial,
        epoch=beat.epoch,
        skew=min(max(beat.clock - now, -_MOST_SKEW), _MOST_SKEW),
        loop_alive=beat.loop_alive,
        last_error=inert(beat.last_error or canary.failure_of(beat.canary_report), _TEXT),
        version=inert(beat.version),
    )


def _note_token(tx: Transaction, identity: Identity, token_id: str, now: datetime) -> None:
    token = tx.tokens.find(token_id)
    if token is not None and token.identity_number == identity.number and token.delivered_at is None:
        mark_token_delivered(tx, token_id, now)


def _next_order(
    tx: Transaction, world: World, identity: Identity, beat: Beat, now: datetime
) -> tuple[Order | None, Secret | None]:
    """Close what the client has done, and hand out the oldest order that is left."""
    for order in tx.orders.open_of(identity.number):
        if _is_done(order, beat):
            tx.orders.put(replace(order, done_at=now))
            continue
        if is_fenced(tx):
            return None, None  # it could neither renew nor sign in now; the order waits
        if order.kind is not OrderKind.TAKE_TOKEN:
            if order.handed_out_at is None:
                order = replace(order, handed_out_at=now)
                tx.orders.put(order)
            return order, None
        if beat.can_store_token:
            return _hand_out_token(tx, world, identity, order, now) if _is_due(tx, order, now) else (None, None)
        # Closed without a token id: the operation that waits for it reads that as "cannot store".
        tx.orders.put(replace(order, token_id="", done_at=now))
    return None, None


def _is_done(order: Order, beat: Beat) -> bool:
    if order.kind is OrderKind.TAKE_TOKEN:  # its word is not enough: the file must hold the very token
        return bool(order.token_id) and beat.token_id == order.token_id
    return order.handed_out_at is not None and beat.done_order == order.id


def _is_due(tx: Transaction, order: Order, now: datetime) -> bool:
    """Tell whether a token goes out now: at once, at once again if it was lost, and then after twice the time each.

    A client whose disk is full says for weeks that it could store one; each try is a signature and a link of the chain.
    """
    lost = tx.tokens.find(order.token_id) if order.token_id else None
    if lost is None or order.handed_out_at is None:
        return True
    return now - lost.issued_at >= min(lost.issued_at - order.handed_out_at, LONGEST)


def _hand_out_token(
    tx: Transaction, world: World, identity: Identity, order: Order, now: datetime
) -> tuple[Order, Secret]:
    overlap = None if order.overlap_seconds < 0 else timedelta(seconds=order.overlap_seconds)
    before = find_current(tx, identity.number)
    record, token = rotate_token(tx, world, identity, overlap=overlap)
    # The first hand-out counts: an operation measures from it how long the client has not answered.
    order = replace(order, handed_out_at=order.handed_out_at or now, token_id=record.id)
    tx.orders.put(order)
    audit.record(
        tx,
        now,
        actor="agent",
        origin="agent",
        action="rotate_token",
        subject=identity.name,
        outcome=Outcome.DONE,
        detail={
            "token": record.id,
            "token_before": "" if before is None else before.id,
            "expires_at": record.expires_at.isoformat(),
            "expires_at_before": "" if before is None else before.expires_at.isoformat(),
            "route": "heartbeat",
            "operation": order.operation_id,
        },
    )
    return order, token
