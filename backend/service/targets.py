"""One client of a running operation: what is ordered for it, and what has been observed of it since.

A target moves by observation only (pki.md 5.7): every look reads orders, certificates and deliveries again and needs no
memory but the target's row, so a killed agent goes on where the facts are. Done means in use: a renewal is done when
the new serial was used in a call, not when it was issued.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from backend.core.model import Certificate, Identity
from backend.core.plan import ActionKind
from backend.core.planrules import STORED_NOT_IN_USE
from backend.service.contact import BY_FILE, BY_HAND, BY_HEARTBEAT, BY_SECRET, patience
from backend.service.current import current_of, trusted_generations
from backend.service.target_sight import Sight, order_id, see
from backend.store.port import Transaction
from backend.store.records import Delivery, OperationRow, Order, OrderKind, TargetRow

UNDER_WAY: Final = frozenset({"ordered", "issued", "delivered"})
ENDED: Final = frozenset({"done", "failed", "skipped"})


def begin(
    tx: Transaction, operation: OperationRow, target: TargetRow, now: datetime, parts: tuple[ActionKind, ...]
) -> TargetRow:
    """Order what a target needs and return its row; nothing is ordered for an identity that is gone or revoked.

    `parts` are the single actions that its plan said. An update orders what observation still misses, so a client that
    came right by itself while it waited its turn is not touched.
    """
    identity = tx.identities.find_by_number(target.identity_number)
    if identity is None or identity.revoked_at is not None:
        what = "deleted" if identity is None else "revoked"
        return _end(replace(target, started_at=now), "failed", f"its identity was {what} after the plan", now)
    is_update = operation.action == ActionKind.UPDATE.value
    certificate = _certificate_before(tx, operation, identity, now) if is_update else _current(tx, identity, now)
    target = replace(
        target,
        state="ordered",
        started_at=now,
        old_serial=None if certificate is None else certificate.serial,
    )
    target = replace(target, step=_first_step(target, identity))
    if is_update and ActionKind.REPAIR not in parts:
        return _look_update(tx, see(tx, operation, target, now, parts), identity)
    if is_update and (ended := _in_use(see(tx, operation, target, now, parts))) is not None:
        return ended
    _order(tx, operation, target, identity, now, _ORDERS[parts[0]])
    return target


def look(
    tx: Transaction,
    operation: OperationRow,
    target: TargetRow,
    now: datetime,
    parts: tuple[ActionKind, ...],
    *,
    listening_since: datetime | None = None,
) -> TargetRow:
    """Return a target's row as the facts have it now; a target that ends takes its open orders with it.

    `listening_since` is since when this agent's process listens: nobody could answer it before.
    """
    identity = tx.identities.find_by_number(target.identity_number)
    if identity is None or identity.revoked_at is not None:
        what = "deleted" if identity is None else "revoked"
        seen = _end(target, "failed", f"its identity was {what} meanwhile", now)
    elif _lost_its_cluster(tx, operation, identity):
        why = f"its cluster {identity.cluster} was removed meanwhile; remove the identity, or take the cluster back"
        seen = _end(target, "failed", why, now)
    else:
        sight = see(tx, operation, target, now, parts)
        if operation.action == ActionKind.UPDATE.value and ActionKind.REPAIR not in parts:
            seen = _look_update(tx, sight, identity)
        else:
            seen = _LOOKS[parts[0]](sight)
        if seen.state not in ENDED:
            seen = _give_up(sight, seen, listening_since)
    if seen.state in ENDED:
        take_back(tx, operation, seen, now)
    return seen


def _lost_its_cluster(tx: Transaction, operation: OperationRow, identity: Identity) -> bool:
    """Tell whether nobody is left to bring it back to: its cluster went after the operation had begun."""
    cluster = tx.clusters.find(identity.cluster) if identity.cluster else None
    return cluster is not None and cluster.removed_at is not None and cluster.removed_at >= operation.started_at


def take_back(tx: Transaction, operation: OperationRow, target: TargetRow, now: datetime) -> None:
    """Withdraw what is still ordered for a target, so that nothing happens to it outside its operation."""
    for order in tx.orders.open_of(target.identity_number):
        if order.operation_id == operation.id:
            tx.orders.cancel(target.identity_number, order.kind)
    for delivery in tx.orders.deliveries_of(operation.id):
        if delivery.identity_number == target.identity_number and delivery.written_at is None:
            tx.orders.put_delivery(replace(delivery, written_at=now, last_error=delivery.last_error or "withdrawn"))


def _current(tx: Transaction, identity: Identity, now: datetime) -> Certificate | None:
    return current_of(tx, identity.number, trusted_generations(tx.authorities.all()), now)


def _certificate_before(
    tx: Transaction, operation: OperationRow, identity: Identity, now: datetime
) -> Certificate | None:
    """The certificate that a client had when the operation began, so that one it got since counts as new."""
    current = _current(tx, identity, now)
    if current is None or current.issued_at <= operation.started_at:
        return current
    issued = tx.certificates.of(identity.number)
    return next((found for found in issued if found.issued_at <= operation.started_at), None)


_ORDERS: Final = {
    ActionKind.RENEW: (OrderKind.RENEW,),
    ActionKind.ROTATE_TOKEN: (OrderKind.TAKE_TOKEN,),
    ActionKind.REPAIR: (OrderKind.TAKE_TOKEN, OrderKind.SIGN_IN),
}


def _order(
    tx: Transaction,
    operation: OperationRow,
    target: TargetRow,
    identity: Identity,
    now: datetime,
    kinds: tuple[OrderKind, ...],
) -> None:
    if target.route in {BY_FILE, BY_SECRET}:
        delivery = Delivery(
            id=order_id(operation, target, "file"),
            identity_number=identity.number,
            route=target.route,
            cluster=identity.cluster if target.route == BY_SECRET else "",
            place=identity.login_file_path if target.route == BY_FILE else "",
            token_id="",
            created_at=now,
            operation_id=operation.id,
        )
        tx.orders.put_delivery(delivery)
    elif target.route == BY_HEARTBEAT:
        for kind in kinds:
            tx.orders.cancel(identity.number, kind)  # one that the agent gave by itself; this one does its work
            order = Order(
                id=order_id(operation, target, kind.value),
                identity_number=identity.number,
                kind=kind,
                created_at=now,
                operation_id=operation.id,
                overlap_seconds=operation.overlap_seconds,
            )
            tx.orders.put(order)


def _first_step(target: TargetRow, identity: Identity) -> str:
    if target.route == BY_HAND:
        return "1/3 waits for you: take its login file and bring it to the client"
    if target.route == BY_FILE:
        return f"1/3 writing {identity.login_file_path}"
    if target.route == BY_SECRET:
        return f"1/3 applying its Secret in {identity.cluster}"
    return "1/3 ordered, goes out with its next heartbeat"


def _look_renew(sight: Sight) -> TargetRow:
    ended = _in_use(sight)
    if ended is not None:
        return ended
    if sight.newer:
        return replace(
            sight.target,
            state="issued",
            new_serial=sight.newer[0].serial,
            step="2/3 issued, waits for its first use",
        )
    order = sight.sign_order
    taken = order is not None and order.handed_out_at is not None
    return replace(sight.target, step="1/3 order taken, waits for the request" if taken else sight.target.step)


def _look_rotate(sight: Sight) -> TargetRow:
    target = _note_delivery(sight)
    token = sight.token
    if target.state == "failed" or token is None:
        return target
    until = f"until {token.expires_at:%Y-%m-%d %H:%M} UTC"
    if token.first_used_at is not None:
        return _end(target, "done", f"the new token is in use, {until}", sight.now)
    if sight.token_order is not None and sight.token_order.done_at is not None:
        return _end(target, "done", f"the client stored the new token, {until}", sight.now)
    if target.state == "delivered":
        where = sight.delivery.label if sight.delivery is not None else "your hands"
        return _end(target, "done", f"delivered to {where}, not yet used; good {until}", sight.now)
    return target


def _look_repair(sight: Sight) -> TargetRow:
    ended = _in_use(sight)
    if ended is not None:
        return ended
    target = _note_delivery(sight)
    if target.state == "failed":
        return target
    if sight.newer:
        return replace(
            target, state="issued", new_serial=sight.newer[0].serial, step="3/3 signed in, waits for its first call"
        )
    if target.state == "delivered":
        return replace(target, step="2/3 login file delivered, waits for the client to sign in")
    return target


def _look_update(tx: Transaction, sight: Sight, identity: Identity) -> TargetRow:
    """Token first, while the certificate that carries it works; then the certificate; done when both are proved."""
    operation, target, parts = sight.operation, sight.target, sight.parts
    proved = ""
    if ActionKind.ROTATE_TOKEN in parts:
        target = _note_delivery(sight)
        token = sight.token if target.state in {"delivered", "issued"} else None
        token = token or sight.fresh_token
        if target.state == "failed":
            return target
        if token is None:
            if sight.token_order is None:
                _order(tx, operation, target, identity, sight.now, _ORDERS[ActionKind.ROTATE_TOKEN])
            return target
        proved = f"the client stored the new token, until {token.expires_at:%Y-%m-%d %H:%M} UTC"
        target = replace(target, state="delivered", token_id=token.id)
    if ActionKind.RENEW not in parts:
        return _end(target, "done", proved, sight.now)
    ended = _in_use(replace(sight, target=target))
    if ended is not None:
        return replace(ended, result="; ".join(filter(None, (proved, ended.result))))
    if sight.newer:
        step = "certificate issued, waits for its first use"
        return replace(target, state="issued", new_serial=sight.newer[0].serial, step=step)
    if sight.sign_order is None:
        _order(tx, operation, target, identity, sight.now, _ORDERS[ActionKind.RENEW])
    taken = sight.sign_order is not None and sight.sign_order.handed_out_at is not None
    token_said = "token stored, " if proved else ""
    asked = "renewal order taken, waits for the request" if taken else "renewal goes out with its next heartbeat"
    return replace(target, step=f"{token_said}{asked}")


_LOOKS: Final = {
    ActionKind.RENEW: _look_renew,
    ActionKind.ROTATE_TOKEN: _look_rotate,
    ActionKind.REPAIR: _look_repair,
}


def _in_use(sight: Sight) -> TargetRow | None:
    used = sight.used
    if used is None:
        return None
    until = f"{used.validity.not_after:%Y-%m-%d %H:%M} UTC"
    target = replace(sight.target, new_serial=used.serial)
    return _end(target, "done", f"serial {used.serial:x} is in use, good until {until}", sight.now)


def _note_delivery(sight: Sight) -> TargetRow:
    """Fold what became of the token's way to the client into the row."""
    target = sight.target
    order, delivery = sight.token_order, sight.delivery
    if order is not None and order.done_at is not None:
        if not order.token_id:
            why = "the client cannot store a token: its login file is not writable; make it so, or deliver by hand"
            return _end(target, "failed", why, sight.now)
        return replace(target, state="delivered", token_id=order.token_id)
    if order is not None and order.handed_out_at is not None:
        return replace(target, token_id=order.token_id, step="2/3 token sent, waits for the client to confirm it")
    if delivery is None:
        return target
    if delivery.written_at is not None:
        if delivery.last_error:
            return _end(target, "failed", f"{delivery.label}: {delivery.last_error}", sight.now)
        return replace(target, state="delivered", token_id=delivery.token_id)
    if delivery.last_error:
        return replace(target, step=f"1/3 {delivery.label}: {delivery.last_error}; it is tried again")
    return target


def _give_up(sight: Sight, target: TargetRow, listening_since: datetime | None) -> TargetRow:
    """End a target that got no answer in time; one that waits for a person waits as long as its token lives.

    An agent that was away gives everybody the whole time again: who found nobody has backed off.
    """
    now = sight.now
    if target.route == BY_HAND:
        return _give_up_by_hand(sight, target)
    last = _last_sign(sight) if listening_since is None else max(_last_sign(sight), listening_since)
    if now - last <= patience(sight.heartbeat):
        return target
    unused = _unused(sight, target)
    return _end(target, "failed", unused or f"no answer: {_advice(sight, target)}", now)


def _unused(sight: Sight, target: TargetRow) -> str:
    """Say that a client has what it was given and goes on without it; empty when that is not what happened."""
    if target.state == "issued":
        stored = f"certificate {target.new_serial:x}" if target.new_serial is not None else "its new certificate"
        return (
            f"{STORED_NOT_IN_USE}: {stored} was issued and no call was made with it; restart the client{_said(sight)}"
        )
    if target.state == "delivered" and sight.delivery is not None:
        return (
            f"{STORED_NOT_IN_USE}: the login file is at {sight.delivery.label} and nobody signed in with it; "
            f"start the client, or restart it{_said(sight)}"
        )
    return ""


def _said(sight: Sight) -> str:
    error = "" if sight.heartbeat is None else sight.heartbeat.last_error
    return f"; its last error: {error}" if error else ""


def _give_up_by_hand(sight: Sight, target: TargetRow) -> TargetRow:
    if target.state != "ordered" and (sight.token is None or not sight.token.is_alive(sight.now)):
        return _end(
            target, "failed", "the token of its login file ended before it was used; repair it again", sight.now
        )
    if not sight.operation.stopping:
        return target
    if target.state == "ordered":
        return _end(target, "skipped", "stopped before its login file was taken; nothing was changed", sight.now)
    why = "stopped before its login file was used; the file stays good until its token ends"
    return _end(target, "failed", why, sight.now)


def _last_sign(sight: Sight) -> datetime:
    """When the target last made progress: began, was told, was delivered to, got a certificate."""
    order_times = [order.handed_out_at for order in (sight.token_order, sight.sign_order) if order is not None]
    order_times += [order.done_at for order in (sight.token_order, sight.sign_order) if order is not None]
    written_at = None if sight.delivery is None else sight.delivery.written_at
    known = [sight.target.started_at, written_at, *order_times, *(found.issued_at for found in sight.newer[:1])]
    return max((at for at in known if at is not None), default=sight.now)


def _advice(sight: Sight, target: TargetRow) -> str:
    said = _said(sight)
    if target.route in {BY_FILE, BY_SECRET}:
        return f"its login file could not be delivered; {target.step.partition(' ')[2]}"
    orders = [order for order in (sight.token_order, sight.sign_order) if order is not None]
    order = next((found for found in orders if found.done_at is None), orders[-1] if orders else None)
    if order is not None and order.handed_out_at is not None:
        return f"the client took the order and did not carry it out; look at its log{said}"
    return f"the client sent no heartbeat; see whether it runs, then repair it{said}"


def _end(target: TargetRow, state: str, result: str, now: datetime) -> TargetRow:
    return replace(target, state=state, step="", result=result, ended_at=now)
