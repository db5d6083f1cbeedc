"""The moves of a CA rotation as writes: stage, publish, fence, cut over, drop (pki.md 5.6, D1 to D3).

Each function does one step inside the caller's transaction and can be repeated: whether it is still to do is read from
rows, never remembered. The phase and the version that guards it are `backend.service.rotation`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from backend.core.blast import ReturnRoute
from backend.core.errors import InconsistentState
from backend.core.model import Authority, AuthorityStatus, Bundle, Heartbeat, LastSeen
from backend.pki.trust import split_bundle, verify_chain
from backend.service import deliveries, server_certificate
from backend.service.contact import is_living
from backend.service.epochs import publish_epoch
from backend.service.fence import clear_fence
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import RotationClientRow, RotationRow


def find_authority(tx: Transaction, generation: int) -> Authority | None:
    """The row of a generation, if it has one."""
    return next((authority for authority in tx.authorities.all() if authority.generation == generation), None)


def stage(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> Authority:
    """Make the new generation: sealed key file first, on the disk, then the row that names it; then try it out.

    A key file that an interrupted attempt left is replaced: no row names it.

    Raises:
        InconsistentState: the new root does not vouch for what its key signs.
    """
    staged = world.signer.stage(rotation.to_generation, world.deployment, now, world.policy.authority_lifetime)
    tx.authorities.add(staged)
    _self_test(world, staged, now)
    return staged


def cross_both_ways(tx: Transaction, world: World, first: int, second: int, now: datetime) -> None:
    """Let two generations vouch for each other, unless they do; both keys are needed for what is missing.

    Raises:
        InconsistentState: a missing one cannot be made: a key is destroyed, or the roots never live at the same time.
    """
    for subject, issuer in ((first, second), (second, first)):
        if tx.cross.find(subject, issuer) is None:
            tx.cross.add(
                world.signer.cross_sign(subject=tx.authorities.get(subject), issuer=tx.authorities.get(issuer), now=now)
            )


def publish(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> Bundle:
    """Publish the next epoch with both roots, so that heartbeats carry the new one home before it is needed."""
    return publish_epoch(tx, world, (rotation.from_generation, rotation.to_generation), now)


def cut_over(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> int:
    """Put the new generation in the old one's place; return how many leaves of the old one stopped counting.

    The old one steps down first: the store admits one issuing generation. The agent's own certificate changes in the
    same transaction, so that what is committed can be served.

    Raises:
        InconsistentState: the staged key cannot be read, so nothing could be issued afterwards.
    """
    staged = tx.authorities.get(rotation.to_generation)
    if staged.status is not AuthorityStatus.STAGED:
        raise InconsistentState(f"CA generation {staged.generation} is {staged.status.value}, not staged; abort")
    require_key(world, staged)
    _self_test(world, staged, now)
    tx.authorities.set_status(rotation.from_generation, AuthorityStatus.DISTRUSTED)
    tx.authorities.set_status(rotation.to_generation, AuthorityStatus.ISSUING)
    publish_epoch(tx, world, (rotation.to_generation,), now, chain_cut=rotation.cause == "compromise")
    revoked = tx.certificates.revoke_generation(rotation.from_generation, now)
    clear_fence(tx)
    server_certificate.ensure(tx, world)
    _owe_login_files(tx, world, now)
    world.peers.clear()
    return revoked


def drop(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> None:
    """Undo what came before the cutover; the staged key's file goes in the next transaction (`reconcile.sweep`)."""
    staged = find_authority(tx, rotation.to_generation)
    if staged is not None and staged.status is not AuthorityStatus.DESTROYED:
        tx.authorities.set_status(staged.generation, AuthorityStatus.DESTROYED)
    if rotation.to_generation in tx.bundles.current().generations:
        publish_epoch(tx, world, (rotation.from_generation,), now)
    clear_fence(tx)
    tx.changes.touch_all()


def require_key(world: World, authority: Authority) -> None:
    """Refuse to go on when a generation's key file is not there.

    Raises:
        InconsistentState: with the file's name.
    """
    if authority.key_file not in world.signer.key_files():
        raise InconsistentState(
            f"the key of CA generation {authority.generation}, {authority.key_file}, is not in the key vault; "
            "restore it from a backup, or abort the rotation"
        )


def mark_lost(
    clients: Sequence[RotationClientRow],
    heartbeats: Mapping[int, Heartbeat],
    seen: Mapping[int, LastSeen],
    now: datetime,
) -> list[RotationClientRow]:
    """Note when each client lost the agent: its last call if it was in touch, else the cutover itself.

    Those that were out before lose nothing now. The confirmed plan named each of them, so they count as written off
    until they come back all the same.
    """
    lost = []
    for client in clients:
        if client.written_off:
            continue
        if client.route == ReturnRoute.OUT.value:
            lost.append(replace(client, written_off=client.why))
            continue
        last = seen.get(client.identity_number)
        in_touch = last is not None and is_living(heartbeats.get(client.identity_number), now)
        lost.append(replace(client, lost_at=min(last.at, now) if last is not None and in_touch else now))
    return lost


def _owe_login_files(tx: Transaction, world: World, now: datetime) -> None:
    """A fresh login file with the new root for every client that the agent can deliver one to."""
    owed = {delivery.identity_number for delivery in tx.orders.open_deliveries()}
    for identity in tx.identities.all():
        if identity.revoked_at is None and identity.number not in owed:
            deliveries.owe(tx, world, identity, now)


def _self_test(world: World, staged: Authority, now: datetime) -> None:
    """Sign a throwaway server leaf with the staged key and check it against the staged root; nothing of it is kept."""
    issuer = world.signer.of(staged)
    leaf = issuer.issue_server(world.fqdns, now, world.policy.server_lifetime, world.signer.server_key().public_key())
    verify_chain(split_bundle(leaf.pem)[0], split_bundle(staged.pem), now)
