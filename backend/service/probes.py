"""The trust matrix's rows, and what the prober needs: throwaway leaves of both CAs, under a key of their own.

Such a leaf opens a handshake and nothing else: it has no row, so the guard refuses every call on it. That they were
made is in the audit trail. A round that was made while the rotation moved says nothing and is dropped.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from backend.core.model import Authority, Secret
from backend.core.overlap import OverlapPhase
from backend.core.trust_matrix import NEW, OLD, LivePort, Outcome
from backend.pki.keys import KeyKind, generate_key, private_key_pem
from backend.pki.profiles import ClientTemplate
from backend.service import audit, server_certificate
from backend.service.serving import cross_behind, find_overlap, serving_authority
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import ProbeRow, RotationRow

PROBE_NAME: Final = "probe.mocdeck.invalid"  # RFC 6761, section 6.4: never a name of anybody's
LIFETIME: Final = timedelta(days=1)  # a clock that is an hour off must not look like a deviation
_PROBED: Final = frozenset(phase for phase in OverlapPhase if phase.trusts_both) | {OverlapPhase.DISTRUSTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaves:
    """One CA's side of the matrix: its root, the other's cross certificate over it, and its two probe leaves (PEM)."""

    root: str
    cross: str
    client: str
    server: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeKit:
    """What one round needs; unless the listeners serve `chain` and trust `roots`, the round would mean nothing."""

    rotation_id: str
    version: int
    made_at: datetime
    key: Secret
    sides: dict[str, Leaves]
    live: LivePort
    chain: str
    roots: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """One cell as it was expected and seen."""

    cell: str
    expected: Outcome
    observed: Outcome


def probe_kit(tx: Transaction, world: World, held: ProbeKit | None) -> ProbeKit | None:
    """Return the kit for the rotation as it stands: the one at hand while it fits, None while nothing is probed."""
    rotation = find_overlap(tx)
    if rotation is None or OverlapPhase(rotation.phase) not in _PROBED:
        return None
    now = world.clock.now()
    if held is not None and _fits(held, rotation, now):
        return held
    return _make(tx, world, rotation, now)


def _fits(held: ProbeKit, rotation: RotationRow, now: datetime) -> bool:
    is_same = (held.rotation_id, held.version) == (rotation.id, rotation.version)
    return is_same and timedelta(0) <= now - held.made_at <= LIFETIME / 2


def _make(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> ProbeKit:
    key = generate_key(KeyKind.P256)
    old, new = tx.authorities.get(rotation.from_generation), tx.authorities.get(rotation.to_generation)
    serials: list[str] = []

    def side(authority: Authority, other: Authority) -> Leaves:
        issuer = world.signer.of(authority)
        template = ClientTemplate(common_name=PROBE_NAME, identity_id=str(uuid.uuid4()), lifetime=LIFETIME)
        client = issuer.issue_client(template, key.public_key(), now)
        server = issuer.issue_server([PROBE_NAME], now, LIFETIME, key.public_key())
        serials.extend(f"{leaf.serial:x}" for leaf in (client, server))
        cross = tx.cross.find(authority.generation, other.generation)
        return Leaves(
            root=authority.pem, cross="" if cross is None else cross.pem, client=client.pem, server=server.pem
        )

    sides = {OLD: side(old, new), NEW: side(new, old)}
    serving = serving_authority(tx)
    shown = cross_behind(tx, serving, now)  # it may still be the one that the rotation before this one left
    names = {rotation.from_generation: OLD, rotation.to_generation: NEW}
    bundle = tx.bundles.current()
    audit.record(
        tx,
        now,
        actor="agent",
        origin="agent",
        action="issue_probe_certificates",
        subject=world.deployment,
        detail={"rotation": rotation.id, "phase": rotation.phase, "serials": " ".join(serials)},
    )
    return ProbeKit(
        rotation_id=rotation.id,
        version=rotation.version,
        made_at=now,
        key=Secret(private_key_pem(key).decode("ascii")),
        sides=sides,
        live=LivePort(
            serving=names[serving.generation],
            with_cross=bool(shown) and shown == sides[names[serving.generation]].cross,
            bundle=frozenset(names[one] for one in bundle.generations),
        ),
        chain=server_certificate.ensure(tx, world).chain_pem,
        roots=bundle.pem,
    )


def note_round(tx: Transaction, world: World, kit: ProbeKit, cells: Sequence[Probed]) -> str:
    """Keep what a round found; return the cells that were not as expected, "" when all were.

    A cell that was not reached is left as it was: it proves nothing, and its age shows that.
    """
    rotation = find_overlap(tx)
    if rotation is None or (rotation.id, rotation.version) != (kit.rotation_id, kit.version):
        return ""
    now = world.clock.now()
    held = {probe.cell: probe for probe in tx.rotations.probes(rotation.id)}
    seen = [one for one in cells if one.observed is not Outcome.UNKNOWN]
    tx.rotations.put_probes([_row(rotation, held.get(one.cell), one, now) for one in seen])
    return "; ".join(f"{one.cell}: {one.observed.value}" for one in seen if one.observed is not one.expected)


def _row(rotation: RotationRow, before: ProbeRow | None, one: Probed, now: datetime) -> ProbeRow:
    is_off = one.observed is not one.expected
    return ProbeRow(
        rotation_id=rotation.id,
        cell=one.cell,
        expected=one.expected.value,
        observed=one.observed.value,
        made=(0 if before is None else before.made) + 1,
        deviations=(0 if before is None else before.deviations) + is_off,
        last_at=now,
    )
