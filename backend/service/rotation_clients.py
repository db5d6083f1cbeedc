"""The clients of a CA rotation: who they are, what was observed of them, who joined or left meanwhile.

Set-based, because every tick of an open rotation looks at the whole fleet. Rows change only when a fact did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from backend.core.model import Certificate, Heartbeat, Identity, LastSeen
from backend.core.rotation import Phase
from backend.service.ways_back import way_back_of
from backend.store.port import Transaction
from backend.store.records import RotationClientRow, RotationRow

BEFORE_CUTOVER = {Phase.PLANNED.value, Phase.STAGED.value, Phase.FENCED.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sightings:
    """What rows say of the fleet now, by identity number."""

    identities: Mapping[int, Identity]
    heartbeats: Mapping[int, Heartbeat]
    seen: Mapping[int, LastSeen]


def sight(tx: Transaction) -> Sightings:
    """Read the fleet once."""
    return Sightings(
        identities={identity.number: identity for identity in tx.identities.all()},
        heartbeats={beat.identity_number: beat for beat in tx.heartbeats.all()},
        seen={seen.identity_number: seen for seen in tx.seen.all()},
    )


def observe(
    tx: Transaction, rotation: RotationRow, sightings: Sightings, now: datetime
) -> tuple[RotationClientRow, ...]:
    """Fold the facts into the client rows, write those that changed, and return all.

    Before the cutover: who acknowledged the epoch with the new root, and who joined. After it: who has used a
    certificate of the new generation. At any time: whose identity was deleted or revoked, which takes it off the list.
    """
    known = tx.rotations.clients(rotation.id)
    changed: list[RotationClientRow] = []
    if rotation.phase in BEFORE_CUTOVER:
        informed = _informed_at(tx, rotation, sightings)
        seen = [_note_informed(client, informed) for client in known]
        seen += _newcomers(tx, rotation, known, sightings, now)
    else:
        returned = _returned_at(tx, rotation, known)
        seen = [_note_returned(client, returned) for client in known]
    seen = [_note_gone(client, sightings.identities) for client in seen]
    before = {client.identity_number: client for client in known}
    changed = [client for client in seen if before.get(client.identity_number) != client]
    if changed:
        tx.rotations.put_clients(changed)
    return tuple(seen)


def rows_for(
    tx: Transaction, rotation_id: str, identities: Iterable[Identity], now: datetime
) -> list[RotationClientRow]:
    """Rows for these identities, each with its planned way back."""
    chosen = list(identities)
    ways = way_back_of(tx, chosen, now)
    return [
        RotationClientRow(
            rotation_id=rotation_id,
            identity_number=identity.number,
            name=identity.name,
            route=ways[identity.number].route,
            why=ways[identity.number].why,
        )
        for identity in chosen
    ]


def _informed_at(tx: Transaction, rotation: RotationRow, sightings: Sightings) -> Mapping[int, datetime]:
    bundle = tx.bundles.current()
    if rotation.to_generation not in bundle.generations:
        return {}
    return {number: beat.heard_at for number, beat in sightings.heartbeats.items() if beat.epoch == bundle.epoch}


def _note_informed(client: RotationClientRow, informed: Mapping[int, datetime]) -> RotationClientRow:
    at = informed.get(client.identity_number)
    return client if client.informed_at is not None or at is None else replace(client, informed_at=at)


def _newcomers(
    tx: Transaction,
    rotation: RotationRow,
    known: Sequence[RotationClientRow],
    sightings: Sightings,
    now: datetime,
) -> list[RotationClientRow]:
    """Identities made since the plan: they too lose the agent at the cutover, so they are counted."""
    numbers = {client.identity_number for client in known}
    joined = [
        identity
        for identity in sightings.identities.values()
        if identity.number not in numbers and identity.revoked_at is None
    ]
    return rows_for(tx, rotation.id, joined, now) if joined else []


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
    return client if at is None else replace(client, returned_at=at, written_off="")


def _note_gone(client: RotationClientRow, identities: Mapping[int, Identity]) -> RotationClientRow:
    identity = identities.get(client.identity_number)
    if client.written_off or client.returned_at is not None:
        return client
    if identity is None:
        return replace(client, written_off="its identity was deleted")
    if identity.revoked_at is not None:
        return replace(client, written_off="its identity was revoked")
    return client
