"""Login files: their text in MOC's format, and those that the agent owes to a path or to a Kubernetes Secret.

A delivery is a row before it is a file (pki.md 5.7): `due` says where to look, `prepare` mints and commits what the
look found ready, the server puts it there, `mark_written` or `mark_failed` commits what came of it. Nothing is minted
for a place that cannot be reached (`mark_unreachable`). A crash in between leaves an open delivery: if the next look
finds its very file, that is all (`settle`); else it mints anew, since the token itself is kept nowhere. The token that
the client holds goes on meanwhile.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import yaml

from backend.core.delivery import Place, Route, first_ready
from backend.core.model import ClientType, Identity, Outcome, Secret
from backend.service import audit
from backend.service.fence import is_fenced
from backend.service.reach import ways_now
from backend.service.token_line import mark_token_delivered, rotate_token
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import Delivery

AUTO: Final = "auto/"  # how the ids of deliveries and orders begin that the agent rotates tokens with by itself
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
class Owed:
    """A delivery that is due: look at its place first."""

    delivery_id: str
    identity_name: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedFile:
    """A login file to put in its place now; `content` holds the token."""

    delivery_id: str
    identity_name: str
    token_id: str
    place: Place
    content: Secret

    @property
    def path(self) -> Path:
        """The path to write, whole and 0600, by the file route."""
        return Path(self.place.where)


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


def owe(tx: Transaction, world: World, identity: Identity, now: datetime, *, delivery_id: str = "") -> Place | None:
    """Owe a client a fresh login file at the best of its places; None: it has none, so somebody must carry one.

    `delivery_id` is what the delivery is to be known by; "": any id.
    """
    way = first_ready(ways_now(world.delivery, world.reach, identity, now))
    places = world.delivery.places_of(identity)
    if not places:
        return None
    place = places[0] if way is None else way.place
    tx.orders.put_delivery(
        Delivery(
            id=delivery_id or str(uuid.uuid4()),
            identity_number=identity.number,
            route=place.route.value,
            cluster=place.cluster,
            place=place.where,
            token_id="",
            created_at=now,
        )
    )
    return place


def due(tx: Transaction, world: World, lane: str = "") -> list[Owed]:
    """Return owed login files whose time has come, some at a time, for a look at their places.

    `lane` is a cluster's name; "" has the files, and Secrets of clusters that delivery.yaml no longer knows. Nothing is
    due while issuing is fenced: the bundle is about to change. A failed attempt waits 30 s, then twice as long each
    time, up to an hour.
    """
    if is_fenced(tx):
        return []
    now = world.clock.now()
    found: list[Owed] = []
    for delivery in tx.orders.open_deliveries():
        identity = tx.identities.find_by_number(delivery.identity_number)
        if identity is None or identity.revoked_at is not None:
            tx.orders.put_delivery(replace(delivery, written_at=now, last_error="the identity is revoked or gone"))
            continue
        place = _place_of(world, identity, delivery)
        if place.cluster == lane and len(found) < MOST_AT_ONCE and _is_due(delivery, now):
            found.append(Owed(delivery_id=delivery.id, identity_name=identity.name, place=place))
    return found


def prepare(tx: Transaction, world: World, only: Collection[str] | None = None, lane: str = "") -> list[PreparedFile]:
    """Mint tokens for owed login files that are due, some at a time, and return what to write once this is committed.

    `only` names the deliveries whose places were found ready. Call it again until it returns nothing.
    """
    files = []
    for owed in due(tx, world, lane):
        delivery = _find_open(tx, owed.delivery_id)
        if delivery is not None and (only is None or owed.delivery_id in only) and owed.place.where:
            identity = tx.identities.get_by_number(delivery.identity_number)
            files.append(_prepare_one(tx, world, identity, delivery, owed.place))
    return files


def settle(tx: Transaction, world: World, owed: Owed, held: Secret) -> bool:
    """Close a delivery whose very login file lies in its place already: an attempt arrived and was not marked."""
    delivery = _find_open(tx, owed.delivery_id)
    record = None if delivery is None or not delivery.token_id else tx.tokens.find(delivery.token_id)
    if delivery is None or record is None:
        return False
    identity = tx.identities.get_by_number(delivery.identity_number)
    token = _token_in(held)
    if token is None or not world.tokens.recognises(token, record):
        return False
    if login_file(world, tx, identity, token) != held.reveal():
        return False  # the bundle or an address has changed since
    return _close(tx, world, delivery)


def mark_unreachable(tx: Transaction, world: World, owed: Owed, why: str) -> None:
    """Note that a place was found not ready; nothing was minted, and it is looked at again later."""
    delivery = _find_open(tx, owed.delivery_id)
    if delivery is None:
        return
    now = world.clock.now()
    place = owed.place.where or delivery.place
    tx.orders.put_delivery(replace(delivery, attempts=delivery.attempts + 1, tried_at=now, place=place, last_error=why))
    _audit(tx, now, delivery, Outcome.FAILED, {"why": why})


def mark_written(tx: Transaction, world: World, file: PreparedFile) -> None:
    """Note that a prepared file is on disk; when its token was rotated away meanwhile, the file stays owed."""
    delivery = _find_open(tx, file.delivery_id)
    if delivery is None:
        return
    if delivery.token_id != file.token_id or not _close(tx, world, delivery):
        tx.orders.put_delivery(replace(delivery, last_error="the token was rotated while its file was being written"))


def mark_failed(tx: Transaction, world: World, file: PreparedFile, why: str) -> None:
    """Note that a prepared file could not be written; it stays owed and is tried again later."""
    delivery = _find_open(tx, file.delivery_id)
    if delivery is None:
        return
    tx.orders.put_delivery(replace(delivery, last_error=why))
    _audit(tx, world.clock.now(), delivery, Outcome.FAILED, {"why": why})


def _close(tx: Transaction, world: World, delivery: Delivery) -> bool:
    now = world.clock.now()
    if not mark_token_delivered(tx, delivery.token_id, now):
        return False
    tx.orders.put_delivery(replace(delivery, written_at=now, last_error=""))
    _audit(tx, now, delivery, Outcome.DONE, {"token": delivery.token_id})
    return True


def _prepare_one(tx: Transaction, world: World, identity: Identity, delivery: Delivery, place: Place) -> PreparedFile:
    record, token = rotate_token(tx, world, identity, overlap=_overlap_of(tx, world, identity, delivery))
    tx.orders.put_delivery(
        replace(
            delivery,
            token_id=record.id,
            place=place.where,
            cluster=place.cluster,
            attempts=delivery.attempts + 1,
            tried_at=record.issued_at,
        )
    )
    audit.record(
        tx,
        record.issued_at,
        actor="agent",
        origin="agent",
        action="rotate_token",
        subject=identity.name,
        detail={"token": record.id, "expires_at": record.expires_at.isoformat(), "file": str(place)},
    )
    return PreparedFile(
        delivery_id=delivery.id,
        identity_name=identity.name,
        token_id=record.id,
        place=place,
        content=Secret(login_file(world, tx, identity, token)),
    )


def _overlap_of(tx: Transaction, world: World, identity: Identity, delivery: Delivery) -> timedelta | None:
    if delivery.id.startswith(AUTO):
        return world.token_policy.overlap_for(identity.kind, identity.cluster, identity.name)
    if not delivery.operation_id:
        return None
    seconds = tx.operations.get(delivery.operation_id).overlap_seconds
    return None if seconds < 0 else timedelta(seconds=seconds)


def _place_of(world: World, identity: Identity, delivery: Delivery) -> Place:
    """Where a delivery goes: a path as it was ordered, a Secret as it is configured now ("": nowhere)."""
    if delivery.route == Route.FILE.value:
        return Place(route=Route.FILE, where=delivery.place)
    places = world.delivery.places_of(identity)
    found = next((place for place in places if place.route is Route.KUBERNETES), None)
    return found or Place(route=Route.KUBERNETES, where="")


def _token_in(held: Secret) -> Secret | None:
    document = yaml.safe_load(held.reveal())  # `backend.delivery` hands out nothing but login files
    token = document.get("token") if isinstance(document, dict) else None
    return Secret(token) if isinstance(token, str) and token else None


def _is_due(delivery: Delivery, now: datetime) -> bool:
    if delivery.tried_at is None:
        return True
    wait: timedelta = FIRST_RETRY * 2 ** min(max(delivery.attempts, 1) - 1, _DOUBLINGS)
    return now >= delivery.tried_at + min(wait, LONGEST_RETRY)


def _find_open(tx: Transaction, delivery_id: str) -> Delivery | None:
    return next((delivery for delivery in tx.orders.open_deliveries() if delivery.id == delivery_id), None)


def _audit(tx: Transaction, now: datetime, delivery: Delivery, outcome: Outcome, detail: dict[str, str]) -> None:
    identity = tx.identities.find_by_number(delivery.identity_number)
    audit.record(
        tx,
        now,
        actor="agent",
        origin="agent",
        action="write_login_file",
        subject="" if identity is None else identity.name,
        outcome=outcome,
        detail={"file": delivery.label, **detail},
    )
