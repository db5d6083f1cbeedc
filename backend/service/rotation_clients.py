"""The clients of a CA rotation: who they are, what was observed of them, who joined or left meanwhile.

Set-based, because every tick of an open rotation looks at the whole fleet. Rows change only when a fact did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from backend.core.blast import ReturnRoute
from backend.core.model import Certificate, Heartbeat, Identity
from backend.core.rotation import Phase
from backend.service.contact import is_living, is_unheard_yet
from backend.service.ways_back import place_text, ways_back
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import RotationClientRow, RotationRow

SILENT: Final = "It fell silent before it had the new root"
_SILENCED: Final = {ReturnRoute.FILE.value, ReturnRoute.MANUAL.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A rotation's client rows after a look, and what was read of the clients that it still depends on."""

    clients: tuple[RotationClientRow, ...]
    identities: Mapping[int, Identity]
    heartbeats: Mapping[int, Heartbeat]


def observe(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> Observed:
    """Fold the facts into the client rows, write those that changed, and return all.

    Before the cutover: who acknowledged the epoch with the new root, who fell silent, and who joined. After it: who has
    used a certificate of the new generation; only those who are still away are read. At any time: whose identity was
    deleted or revoked, which takes it off the list.
    """
    known = tx.rotations.clients(rotation.id)
    is_early = Phase(rotation.phase).is_before_cutover
    away = None if is_early else [client.identity_number for client in known if client.returned_at is None]
    identities = {found.number: found for found in (tx.identities.all() if away is None else tx.identities.some(away))}
    heartbeats = {beat.identity_number: beat for beat in tx.heartbeats.all(away)}
    observed = Observed(clients=tuple(known), identities=identities, heartbeats=heartbeats)
    if is_early:
        informed = _informed_at(tx, rotation, observed)
        since = world.watch.listening_since
        seen = [_note_contact(world, client, observed, informed, since, now) for client in known]
        seen += _newcomers(tx, world, rotation, observed, now)
    else:
        returned = _returned_at(tx, rotation, known)
        seen = [_note_returned(client, returned) for client in known]
    seen = [_note_gone(client, identities) for client in seen]
    before = {client.identity_number: client for client in known}
    changed = [client for client in seen if before.get(client.identity_number) != client]
    if changed:
        tx.rotations.put_clients(changed)
    return Observed(clients=tuple(seen), identities=identities, heartbeats=heartbeats)


def _informed_at(tx: Transaction, rotation: RotationRow, observed: Observed) -> Mapping[int, datetime]:
    bundle = tx.bundles.current()
    if rotation.to_generation not in bundle.generations:
        return {}
    return {number: beat.heard_at for number, beat in observed.heartbeats.items() if beat.epoch == bundle.epoch}


def _note_contact(
    world: World,
    client: RotationClientRow,
    observed: Observed,
    informed: Mapping[int, datetime],
    listening_since: datetime | None,
    now: datetime,
) -> RotationClientRow:
    """Note that a client has the new root, or fell silent before it had: then nobody waits for it any longer."""
    number = client.identity_number
    at, beat, identity = informed.get(number), observed.heartbeats.get(number), observed.identities.get(number)
    if client.informed_at is None and at is not None:
        if client.route in _SILENCED and client.why.startswith(SILENT):
            why = "It reported again before the cutover, has the new root and signs in with its token."
            return replace(client, informed_at=at, route=ReturnRoute.ITSELF.value, why=why)
        return replace(client, informed_at=at)
    is_waited_for = client.route == ReturnRoute.ITSELF.value and client.informed_at is None
    if not is_waited_for or identity is None or is_living(beat, now) or is_unheard_yet(beat, listening_since, now):
        return client
    since = "" if beat is None else f" (last heard at {beat.heard_at:%Y-%m-%d %H:%M:%S} UTC)"
    place = place_text(world, identity, now)
    if place:
        why = f"{SILENT}{since}; the agent writes a fresh login file to {place}."
        return replace(client, route=ReturnRoute.FILE.value, why=why)
    return replace(client, route=ReturnRoute.MANUAL.value, why=f"{SILENT}{since}: somebody must carry a file to it.")


def _newcomers(
    tx: Transaction, world: World, rotation: RotationRow, observed: Observed, now: datetime
) -> list[RotationClientRow]:
    """Identities made since the plan: they too lose the agent at the cutover, so they are counted."""
    numbers = {client.identity_number for client in observed.clients}
    joined = [
        identity
        for identity in observed.identities.values()
        if identity.number not in numbers and identity.revoked_at is None
    ]
    ways = ways_back(tx, world, joined, now) if joined else {}
    return [
        RotationClientRow(
            rotation_id=rotation.id,
            identity_number=identity.number,
            name=identity.name,
            route=ways[identity.number].route.value,
            why=ways[identity.number].why,
        )
        for identity in joined
    ]


def _returned_at(tx: Transaction, rotation: RotationRow, known: Sequence[RotationClientRow]) -> Mapping[int, datetime]:
    away = [client.identity_number for client in known if client.returned_at is None]
    if not away:
        return {}
    return {
        certificate.identity_number: certificate.first_used_at
        for certificate in tx.certificates.for_fleet(away)
        if certificate.first_used_at is not None and _is_new(certificate, rotation)
    }


def _is_new(certificate: Certificate, rotation: RotationRow) -> bool:
    return certificate.generation == rotation.to_generation


def _note_returned(client: RotationClientRow, returned: Mapping[int, datetime]) -> RotationClientRow:
    at = returned.get(client.identity_number)
    return client if at is None else replace(client, returned_at=at)


def _note_gone(client: RotationClientRow, identities: Mapping[int, Identity]) -> RotationClientRow:
    identity = identities.get(client.identity_number)
    if client.written_off or client.returned_at is not None:
        return client
    if identity is None:
        return replace(client, written_off="its identity was deleted")
    if identity.revoked_at is not None:
        return replace(client, written_off="its identity was revoked")
    return client
