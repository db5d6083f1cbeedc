"""The canary in a rotation: whom it is shown to, with what, and what a visit proves (pki.md 4.1, 4.2 and 4.11).

A visit counts when the leaf that TLS verified is one of ours and the nonce is its identity's own in this rotation: then
the client trusts the new root, by what it did and not by what it says. In a rehearsal that root is a throwaway one, and
its key is forgotten as soon as it has signed. Listening is `backend.server.canary`'s.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from backend.core.canary import ANOTHER_NAME, CARELESS, SERVER_NAMES, CanaryKind, CanaryReport, CanaryTask
from backend.core.errors import AgentError
from backend.core.model import Authority, AuthorityStatus, Identity, Secret
from backend.core.overlap import OverlapPhase
from backend.pki.issue import Issuer, make_root
from backend.pki.keys import KeyKind, generate_key, private_key_pem
from backend.pki.trust import bundle_pem, common_name_of, fingerprint, validity_of
from backend.service import audit, guard
from backend.service.overlap_plan import REHEARSAL
from backend.service.serving import OVERLAP
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import RotationRow

LIFETIME: Final = timedelta(days=1)
_REHEARSAL_ROOT: Final = "canary.rehearsal_root"  # in meta: the rotation's id, a line end, and the throwaway root


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryKit:
    """What the doors show in one rotation, made for one bundle epoch; certificates in PEM, all over one key."""

    rotation_id: str
    epoch: int
    made_at: datetime
    key: Secret
    chains: Mapping[CanaryKind, str]
    roots: str


def canary_kit(tx: Transaction, world: World, held: CanaryKit | None) -> CanaryKit | None:
    """Return what the doors show now: the kit at hand while it fits, None while no rotation has a use for them."""
    rotation = _open_canary(tx)
    if rotation is None:
        return None
    now, epoch = world.clock.now(), tx.bundles.current().epoch
    is_same = held is not None and (held.rotation_id, held.epoch) == (rotation.id, epoch)
    if held is not None and is_same and timedelta(0) <= now - held.made_at <= LIFETIME / 2:
        return held
    return _make(tx, world, rotation, now)


def task_for(tx: Transaction, world: World, identity: Identity) -> CanaryTask | None:
    """Return what to ask of a client in the answer to its heartbeat; None when it has proved all that it can."""
    rotation = _open_canary(tx)
    if rotation is None or not world.canary_port:
        return None
    row = tx.rotations.find_overlap_client(rotation.id, identity.number)
    if row is None or (row.proved_at is not None and not row.careless):
        return None
    root = ""
    if rotation.kind == REHEARSAL:
        of, _, root = (tx.meta.find(_REHEARSAL_ROOT) or "").partition("\n")
        if of != rotation.id:
            return None  # the doors are not there yet
    return CanaryTask(
        rotation_id=rotation.id,
        port=world.canary_port,
        nonce=nonce_for(world, rotation.id, identity.number),
        rehearsal_root_pem=root,
    )


def nonce_for(world: World, rotation_id: str, identity_number: int) -> str:
    """The line that an identity hands in at the doors of one rotation; kept nowhere, as it can be made again."""
    return world.tokens.derive(f"canary {rotation_id} {identity_number}")


def note_sighting(
    tx: Transaction, world: World, *, kind: CanaryKind, nonce: str, leaf_der: bytes, address: str
) -> bool:
    """Keep what a visit proves, and tell whether the visitor was recognised; who was not has changed nothing."""
    rotation = _open_canary(tx)
    if rotation is None:
        return False
    try:
        caller = guard.authenticate(tx, world, leaf_der, address)
    except AgentError:
        return False
    number = caller.identity.number
    if not hmac.compare_digest(nonce.encode(), nonce_for(world, rotation.id, number).encode()):
        return False
    row = tx.rotations.find_overlap_client(rotation.id, number)
    if row is None:
        return False  # it joined a moment ago; the next tick takes it in, and it is asked again
    now = world.clock.now()
    if kind is CanaryKind.TRUST:
        after = replace(row, proved_at=now, proved_from=address)
    else:  # whatever it proves of the root is worth nothing until it verifies
        after = replace(row, proved_at=None, proved_from="", careless=row.careless or CARELESS[kind])
    if (row.proved_at is None, row.careless) != (after.proved_at is None, after.careless):
        tx.rotations.put_overlap_clients([after])
    if not row.careless and (after.careless or row.proved_at is None):  # a careless one comes back with every heartbeat
        _audit(tx, now, rotation, caller.name, kind, address, f"{caller.certificate.serial:x}")
    return True


def note_report(tx: Transaction, identity: Identity, report: CanaryReport) -> None:
    """Take a client's own word on its last round: it ends a charge of carelessness once it was proved anew since.

    A mended client leaves alone the doors that it went through before; that it says so counts only beside a new proof,
    and any further visit at those doors takes the proof away again.
    """
    rotation = _open_canary(tx)
    if rotation is None or rotation.id != report.rotation_id or not report.is_careful:
        return
    row = tx.rotations.find_overlap_client(rotation.id, identity.number)
    if row is not None and row.careless and row.proved_at is not None:
        tx.rotations.put_overlap_clients([replace(row, careless="")])


def failure_of(report: CanaryReport | None) -> str:
    """What a client says of why it did not recognise the agent under the new root; "" when it did, or was not asked."""
    found = None if report is None else report.find(CanaryKind.TRUST)
    return "" if found is None or found.opened else f"canary: {found.failure}"


def _open_canary(tx: Transaction) -> RotationRow | None:
    """The open rotation, if clients are to be seen at the doors: both roots are published, or it is a rehearsal."""
    rotation = tx.rotations.find_open()
    if rotation is None:
        return None
    if rotation.kind == REHEARSAL:
        return rotation
    if rotation.kind != OVERLAP:
        return None
    phase = OverlapPhase(rotation.phase)
    return rotation if phase.trusts_both and not phase.is_rollback else None


def _make(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> CanaryKit:
    key, bundle = generate_key(KeyKind.P256), tx.bundles.current()
    if rotation.kind == REHEARSAL:
        issuer = _throwaway(rotation, "rehearsal", now)
        tx.meta.put(_REHEARSAL_ROOT, f"{rotation.id}\n{issuer.authority.pem}")
    else:
        issuer = world.signer.of(tx.authorities.get(rotation.to_generation))
    signers = {CanaryKind.TRUST: issuer, CanaryKind.NEGATIVE: _throwaway(rotation, "negative", now)}
    chains, serials = {}, []
    for kind, name in SERVER_NAMES.items():
        shown = ANOTHER_NAME if kind is CanaryKind.NAME else name
        leaf = signers.get(kind, issuer).issue_server([shown], now, LIFETIME, key.public_key())
        chains[kind] = leaf.pem
        serials.append(f"{leaf.serial:x}")
    audit.record(
        tx,
        now,
        actor="agent",
        origin="agent",
        action="issue_canary_certificates",
        subject=world.deployment,
        detail={"rotation": rotation.id, "phase": rotation.phase, "serials": " ".join(serials)},
    )
    return CanaryKit(
        rotation_id=rotation.id,
        epoch=bundle.epoch,
        made_at=now,
        key=Secret(private_key_pem(key).decode("ascii")),
        chains=chains,
        roots=bundle.pem,
    )


def _throwaway(rotation: RotationRow, purpose: str, now: datetime) -> Issuer:
    """A CA that exists until its certificates are signed; its key is written nowhere."""
    key = generate_key(KeyKind.P256)
    root = make_root(rotation.to_generation, f"{purpose} {rotation.id[:8]}", key, now, LIFETIME)
    authority = Authority(
        generation=rotation.to_generation,
        subject=common_name_of(root.subject),
        validity=validity_of(root),
        fingerprint=fingerprint(root),
        pem=bundle_pem([root]),
        key_file="",
        status=AuthorityStatus.STAGED,
        created_at=now,
    )
    return Issuer(authority, key)


def _audit(
    tx: Transaction, now: datetime, rotation: RotationRow, name: str, kind: CanaryKind, address: str, serial: str
) -> None:
    audit.record(
        tx,
        now,
        actor=name,
        origin="agent",
        action="canary_seen",
        subject=name,
        detail={"rotation": rotation.id, "door": kind.value, "serial": serial, "address": address},
    )
