"""Everything that rows say of one target of an operation: its orders, deliveries, tokens and new certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from backend.core.model import Certificate, Heartbeat, Token
from backend.core.plan import ActionKind
from backend.service.contact import BY_FILE, BY_SECRET
from backend.service.token_line import find_current
from backend.store.port import Transaction
from backend.store.records import Delivery, OperationRow, Order, OrderKind, TargetRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What rows say of one target now; `newer` are the certificates issued since the target began, newest first.

    For an update they count from the operation's start, as does `fresh_token`, a token that has reached the client:
    what happened by itself while the target waited its turn is not done again.
    """

    operation: OperationRow
    target: TargetRow
    parts: tuple[ActionKind, ...]
    now: datetime
    newer: Sequence[Certificate]
    heartbeat: Heartbeat | None
    token_order: Order | None
    sign_order: Order | None
    delivery: Delivery | None
    token: Token | None
    fresh_token: Token | None

    @property
    def used(self) -> Certificate | None:
        """The newest of the new certificates that was used in a call."""
        return next((certificate for certificate in self.newer if certificate.first_used_at is not None), None)


def order_id(operation: OperationRow, target: TargetRow, what: str) -> str:
    """The id of a target's order or delivery: made from plan and target, so that beginning twice orders once.

    A resumed operation has another plan, so that what it orders is not taken for what was withdrawn before.
    """
    return f"{operation.plan_id}/{target.position}/{what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That a client has what an operation was to bring it, got since the operation began; `serial` if one is new."""

    text: str
    serial: int | None


def proof_of(
    tx: Transaction, operation: OperationRow, target: TargetRow, parts: tuple[ActionKind, ...]
) -> Proof | None:
    """Return the evidence that nothing is left to do for a target, counted from the operation's first start."""
    said, serial = [], None
    if ActionKind.ROTATE_TOKEN in parts:
        token = _token_since(tx, operation, target)
        if token is None:
            return None
        said.append(f"the client has a new token, until {token.expires_at:%Y-%m-%d %H:%M} UTC")
    if parts != (ActionKind.ROTATE_TOKEN,):
        new = _certificates_since(tx, operation, target)
        used = next((found for found in new if found.first_used_at is not None and found.revoked_at is None), None)
        if used is None:
            return None
        serial = used.serial
        said.append(f"serial {used.serial:x} is in use, good until {used.validity.not_after:%Y-%m-%d %H:%M} UTC")
    return Proof(text="; ".join(said), serial=serial)


def _certificates_since(tx: Transaction, operation: OperationRow, target: TargetRow) -> list[Certificate]:
    """Return what was issued after the operation had begun; one of that very second may be what it was begun for."""
    found = []
    for certificate in tx.certificates.of(target.identity_number):
        if certificate.serial == target.old_serial:
            break
        if certificate.issued_at > operation.started_at or target.old_serial is not None:
            found.append(certificate)
    return found


def see(
    tx: Transaction, operation: OperationRow, target: TargetRow, now: datetime, parts: tuple[ActionKind, ...]
) -> Sight:
    """Read a target's rows; nothing is written."""
    token_order = tx.orders.find(order_id(operation, target, OrderKind.TAKE_TOKEN.value))
    signing = OrderKind.RENEW if ActionKind.RENEW in parts else OrderKind.SIGN_IN
    file_id = order_id(operation, target, "file")
    delivery = None
    if target.route in {BY_FILE, BY_SECRET}:
        delivery = next((found for found in tx.orders.deliveries_of(operation.id) if found.id == file_id), None)
    token_id = target.token_id
    if token_order is not None:
        token_id = token_order.token_id
    elif delivery is not None:
        token_id = delivery.token_id
    return Sight(
        operation=operation,
        target=target,
        parts=parts,
        now=now,
        newer=_newer(tx, operation, target),
        heartbeat=tx.heartbeats.find(target.identity_number),
        token_order=token_order,
        sign_order=tx.orders.find(order_id(operation, target, signing.value)),
        delivery=delivery,
        token=tx.tokens.find(token_id) if token_id else None,
        fresh_token=_fresh_token(tx, operation, target),
    )


def _newer(tx: Transaction, operation: OperationRow, target: TargetRow) -> list[Certificate]:
    since = operation.started_at if _is_update(operation) else target.started_at
    newer = []
    for certificate in tx.certificates.of(target.identity_number):
        if certificate.serial == target.old_serial:
            break
        if since is not None and certificate.issued_at >= since:
            newer.append(certificate)
    return newer


def _fresh_token(tx: Transaction, operation: OperationRow, target: TargetRow) -> Token | None:
    return _token_since(tx, operation, target) if _is_update(operation) else None


def _token_since(tx: Transaction, operation: OperationRow, target: TargetRow) -> Token | None:
    token = find_current(tx, target.identity_number)
    if token is None or token.delivered_at is None or token.issued_at <= operation.started_at:
        return None
    return token


def _is_update(operation: OperationRow) -> bool:
    return operation.action == ActionKind.UPDATE.value
