"""The moves of a rotation with overlap as writes (pki.md 5.3 and 5.4); each in its phase's own transaction.

A step can be repeated: whether it is still to do is read from rows. Key files come before the rows that name them
(`rotation_steps.stage`). Which move is legal is `backend.core.overlap`'s, which gates hold `core.overlap_gates`'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from backend.core.model import AuthorityStatus
from backend.core.overlap import OverlapPhase
from backend.service import server_certificate
from backend.service.epochs import publish_epoch
from backend.service.rotation_steps import cross_both_ways, find_authority, require_key, stage
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import RotationRow

Step = Callable[[Transaction, World, RotationRow, datetime], None]


def make_generation(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> None:
    """Z2: the new key and root, tried out, and the cross certificates both ways."""
    if find_authority(tx, rotation.to_generation) is None:
        stage(tx, world, rotation, now)
    cross_both_ways(tx, world, rotation.from_generation, rotation.to_generation, now)


def enter_phase(tx: Transaction, world: World, rotation: RotationRow, phase: OverlapPhase, now: datetime) -> None:
    """Make a phase true in the rows: statuses first, because an epoch is signed by whoever issues then.

    Raises:
        InconsistentState: a key that the phase needs is not in the vault; nothing was changed.
    """
    step = _STEPS.get(phase)
    if step is not None:
        step(tx, world, rotation, now)
    server_certificate.ensure(tx, world)
    world.peers.clear()
    tx.changes.touch_all()


def _trust_both(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> None:
    tx.authorities.set_status(rotation.to_generation, AuthorityStatus.TRUSTED)
    _publish(tx, world, rotation, (rotation.from_generation, rotation.to_generation), now)


def _issue_new(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> None:
    require_key(world, tx.authorities.get(rotation.to_generation))
    _switch_issuer(tx, rotation.from_generation, rotation.to_generation)


def _issue_old(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> None:
    require_key(world, tx.authorities.get(rotation.from_generation))
    _switch_issuer(tx, rotation.to_generation, rotation.from_generation)
    _forget_orders(tx, rotation)


def _switch_issuer(tx: Transaction, before: int, after: int) -> None:
    tx.authorities.set_status(before, AuthorityStatus.TRUSTED)  # first: the store admits one issuing generation
    tx.authorities.set_status(after, AuthorityStatus.ISSUING)


def _distrust_old(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> None:
    tx.authorities.set_status(rotation.from_generation, AuthorityStatus.DISTRUSTED)
    _publish(tx, world, rotation, (rotation.to_generation,), now)
    tx.certificates.revoke_generation(rotation.from_generation, now)


def _trust_old_again(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> None:
    require_key(world, tx.authorities.get(rotation.from_generation))
    tx.authorities.set_status(rotation.from_generation, AuthorityStatus.TRUSTED)
    tx.certificates.restore_generation(rotation.from_generation)
    _publish(tx, world, rotation, (rotation.from_generation, rotation.to_generation), now)


def _untrust_new(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> None:
    """The new key is never used again and goes at once; its file is shredded after the commit (`reconcile.sweep`)."""
    if rotation.to_generation in tx.bundles.current().generations:
        _publish(tx, world, rotation, (rotation.from_generation,), now)  # the key to be destroyed may have to sign it
    if find_authority(tx, rotation.to_generation) is not None:
        tx.authorities.set_status(rotation.to_generation, AuthorityStatus.DESTROYED)
    tx.certificates.revoke_generation(rotation.to_generation, now)


def _destroy_old(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> None:
    tx.authorities.set_status(rotation.from_generation, AuthorityStatus.DESTROYED)


def _publish(tx: Transaction, world: World, rotation: RotationRow, generations: tuple[int, ...], now: datetime) -> None:
    """Publish an epoch; what clients acknowledged before says nothing of this one."""
    publish_epoch(tx, world, generations, now)
    rows = tx.rotations.overlap_clients(rotation.id)
    tx.rotations.put_overlap_clients([replace(row, informed_at=None) for row in rows if row.informed_at is not None])


def _forget_orders(tx: Transaction, rotation: RotationRow) -> None:
    """On the way back every client is told anew."""
    rows = tx.rotations.overlap_clients(rotation.id)
    tx.rotations.put_overlap_clients([replace(row, ordered_at=None) for row in rows if row.ordered_at is not None])


_STEPS: Final[Mapping[OverlapPhase, Step]] = {
    OverlapPhase.TRUSTED: _trust_both,
    OverlapPhase.ISSUING: _issue_new,
    OverlapPhase.DISTRUSTED: _distrust_old,
    OverlapPhase.RETIRED: _destroy_old,
    OverlapPhase.RE_TRUSTING: _trust_old_again,
    OverlapPhase.ISSUING_OLD: _issue_old,
    OverlapPhase.UNTRUSTING_NEW: _untrust_new,
}
