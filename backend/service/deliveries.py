"""Login files: their text in MOC's format, and those that the agent owes to a path on its own machine.

A delivery is a row before it is a file (pki.md 5.7): `prepare` mints and commits, the server's core writes the file,
`mark_written` or `mark_failed` commits what came of it. A crash in between leaves an open delivery, whose next attempt
mints anew: the token itself is kept nowhere. The token that the client holds goes on meanwhile.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import yaml

from backend.core.model import ClientType, Identity, Outcome, Secret
from backend.service import audit
from backend.service.fence import is_fenced
from backend.service.token_line import mark_token_delivered, rotate_token
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import FileDelivery

FIRST_RETRY: Final = timedelta(seconds=30)
LONGEST_RETRY: Final = timedelta(hours=1)
MOST_AT_ONCE: Final = 32  # minting takes a millisecond each, and after a CA cutover a whole fleet may be owed its files
_DOUBLINGS: Final = 7  # 30 s doubled seven times is past the longest wait

# The words of MOC's login file; HOST has none there and reads as an external client (moc/protocol.md 3.4, 5.1).
_CLIENT_TYPES: Final = {
    ClientType.CONTROLPLANE: "ControlPlane",
    ClientType.EXTERNALCLIENT: "ExternalClient",
    ClientType.NODE: "Node",
    ClientType.ADMIN: "Admin",
    ClientType.BAREMETAL: "BareMetal",
    ClientType.LOADBALANCER: "LoadBalancer",
    ClientType.HOST: "ExternalClient",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedFile:
    """A login file to write now, whole and 0600; `content` holds the token."""

    delivery_id: str
    identity_name: str
    token_id: str
    path: Path
    content: Secret


def login_file(world: World, tx: Transaction, identity: Identity, token: Secret) -> str:
    """Return the YAML text of a login file: MOC's keys, all of them (moc/protocol.md 3.4).

    `certificate` is base64 of the current bundle's PEM text, so a client trusts whatever the deployment trusts now.
    """
    document = {
        "name": identity.name,
        "token": token.reveal(),
        "certificate": base64.b64encode(tx.bundles.current().pem.encode("ascii")).decode("ascii"),
        "clienttype": _CLIENT_TYPES[identity.client_type],
        "cloudfqdn": identity.cloud_fqdn or world.fqdns[0],
        "cloudport": identity.cloud_port or world.port,
        "cloudauthport": identity.cloud_auth_port or world.auth_port,
        "location": identity.location,
        "type": "CA-Signed",
    }
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=False, allow_unicode=True, width=2**31)


def prepare(tx: Transaction, world: World) -> list[PreparedFile]:
    """Mint tokens for owed login files that are due, some at a time, and return what to write once this is committed.

    Call it again until it returns nothing. Nothing is due while issuing is fenced: the bundle is about to change. A
    failed attempt waits 30 s, then twice as long each time, up to an hour.
    """
    if is_fenced(tx):
        return []
    now = world.clock.now()
    files: list[PreparedFile] = []
    for delivery in tx.orders.open_deliveries():
        identity = tx.identities.find_by_number(delivery.identity_number)
        if identity is None or identity.revoked_at is not None:
            tx.orders.put_delivery(replace(delivery, written_at=now, last_error="the identity is revoked or gone"))
        elif len(files) < MOST_AT_ONCE and _is_due(tx, delivery, now):
            files.append(_prepare_one(tx, world, identity, delivery))
    return files


def mark_written(tx: Transaction, world: World, file: PreparedFile) -> None:
    """Note that a prepared file is on disk; when its token was rotated away meanwhile, the file stays owed."""
    now = world.clock.now()
    delivery = _find_open(tx, file.delivery_id)
    if delivery is None:
        return
    if delivery.token_id != file.token_id or not mark_token_delivered(tx, file.token_id, now):
        tx.orders.put_delivery(replace(delivery, last_error="the token was rotated while its file was being written"))
        return
    tx.orders.put_delivery(replace(delivery, written_at=now, last_error=""))
    _audit(tx, now, delivery, Outcome.DONE, {"token": file.token_id})


def mark_failed(tx: Transaction, world: World, file: PreparedFile, why: str) -> None:
    """Note that a prepared file could not be written; it stays owed and is tried again later."""
    delivery = _find_open(tx, file.delivery_id)
    if delivery is None:
        return
    tx.orders.put_delivery(replace(delivery, last_error=why))
    _audit(tx, world.clock.now(), delivery, Outcome.FAILED, {"why": why})


def _prepare_one(tx: Transaction, world: World, identity: Identity, delivery: FileDelivery) -> PreparedFile:
    record, token = rotate_token(tx, world, identity, overlap=_overlap_of(tx, delivery))
    tx.orders.put_delivery(replace(delivery, token_id=record.id, attempts=delivery.attempts + 1))
    audit.record(
        tx,
        record.issued_at,
        actor="agent",
        origin="agent",
        action="rotate_token",
        subject=identity.name,
        detail={"token": record.id, "expires_at": record.expires_at.isoformat(), "file": delivery.path},
    )
    return PreparedFile(
        delivery_id=delivery.id,
        identity_name=identity.name,
        token_id=record.id,
        path=Path(delivery.path),
        content=Secret(login_file(world, tx, identity, token)),
    )


def _overlap_of(tx: Transaction, delivery: FileDelivery) -> timedelta | None:
    if not delivery.operation_id:
        return None
    seconds = tx.operations.get(delivery.operation_id).overlap_seconds
    return None if seconds < 0 else timedelta(seconds=seconds)


def _is_due(tx: Transaction, delivery: FileDelivery, now: datetime) -> bool:
    token = tx.tokens.find(delivery.token_id) if delivery.token_id else None
    if token is None:
        return True
    wait: timedelta = FIRST_RETRY * 2 ** min(delivery.attempts - 1, _DOUBLINGS)
    return now >= token.issued_at + min(wait, LONGEST_RETRY)


def _find_open(tx: Transaction, delivery_id: str) -> FileDelivery | None:
    return next((delivery for delivery in tx.orders.open_deliveries() if delivery.id == delivery_id), None)


def _audit(tx: Transaction, now: datetime, delivery: FileDelivery, outcome: Outcome, detail: dict[str, str]) -> None:
    identity = tx.identities.find_by_number(delivery.identity_number)
    audit.record(
        tx,
        now,
        actor="agent",
        origin="agent",
        action="write_login_file",
        subject="" if identity is None else identity.name,
        outcome=outcome,
        detail={"file": delivery.path, **detail},
    )
