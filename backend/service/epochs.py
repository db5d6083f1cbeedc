"""Publishing trust bundle epochs: each one is signed by the CA before it and by its own (pki.md 4.6, 5.1).

The chain begins at the first epoch that was signed: at the agent's birth or, where an older program published, at the
first start of this one. What a chain proves to a client is `backend.pki.epochs`'.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime

from backend.core.errors import InconsistentState
from backend.core.model import Bundle
from backend.pki.epochs import Link, Statement, read_statement, state
from backend.pki.trust import bundle_pem, split_bundle
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import SignedStatement


def publish_first(tx: Transaction, world: World, generation: int, now: datetime) -> Bundle:
    """Publish the epoch with which a deployment is born."""
    bundle = _bundle(tx, 1, (generation,), now)
    tx.bundles.add(bundle)
    _sign(tx, world, bundle, None, now, chain_cut=False)
    return bundle


def publish_epoch(
    tx: Transaction, world: World, generations: Sequence[int], now: datetime, *, chain_cut: bool = False
) -> Bundle:
    """Append an epoch with these generations' roots, in order; every reader's rows are told.

    It is signed by the CA that the epoch before named as issuing and by the one that issues as this is called, so
    generations change their status first. `chain_cut` leaves the first signature out, for a CA that may be in wrong
    hands: whoever trusts that one alone then does not come along by itself.

    Raises:
        InconsistentState: the issuing CA is not among the generations, or a key that has to sign is destroyed.
    """
    ensure_signed(tx, world)
    present = tx.bundles.current()
    kept = tx.statements.find(present.epoch)
    bundle = _bundle(tx, present.epoch + 1, tuple(generations), now)
    tx.bundles.add(bundle)
    _sign(tx, world, bundle, None if kept is None else read_statement(kept.statement), now, chain_cut=chain_cut)
    tx.changes.touch_all()
    return bundle


def ensure_signed(tx: Transaction, world: World) -> bool:
    """Sign the present epoch if an older program published it; tell whether the chain begins there now."""
    bundle = tx.bundles.current()
    if tx.statements.find(bundle.epoch) is not None or tx.authorities.issuing().generation not in bundle.generations:
        return False
    _sign(tx, world, bundle, None, world.clock.now(), chain_cut=False)
    return True


def links_since(tx: Transaction, epoch: int) -> tuple[Link, ...]:
    """Return the chain from `epoch` on, that epoch included, as far as it was signed; 0: all of it."""
    bundles = {bundle.epoch: bundle for bundle in tx.bundles.since(epoch)}
    return tuple(
        Link(
            statement=kept.statement,
            signature=base64.b64decode(kept.signature),
            previous_signature=base64.b64decode(kept.previous_signature),
            bundle_pem=bundles[kept.epoch].pem,
        )
        for kept in tx.statements.since(epoch)
    )


def _bundle(tx: Transaction, epoch: int, generations: tuple[int, ...], now: datetime) -> Bundle:
    pem = bundle_pem(split_bundle(tx.authorities.get(generation).pem)[0] for generation in generations)
    return Bundle(epoch=epoch, generations=generations, pem=pem, created_at=now)


def _sign(
    tx: Transaction, world: World, bundle: Bundle, previous: Statement | None, now: datetime, *, chain_cut: bool
) -> None:
    issuing = tx.authorities.issuing()
    if issuing.generation not in bundle.generations:
        raise InconsistentState(
            f"trust bundle epoch {bundle.epoch} would be without CA generation {issuing.generation}, which is issuing; "
            "let another generation issue first"
        )
    statement = state(
        deployment_id=world.deployment_id,
        epoch=bundle.epoch,
        created_at=bundle.created_at,
        bundle_pem=bundle.pem,
        issuer=issuing.fingerprint,
        previous=previous,
        chain_cut=chain_cut,
    )
    before = b"" if previous is None or chain_cut else _sign_as_before(tx, world, previous, statement)
    tx.statements.add(
        SignedStatement(
            epoch=bundle.epoch,
            statement=statement.text,
            signature=_text(world.signer.of(issuing).sign_statement(statement)),
            previous_signature=_text(before),
            signed_at=now,
        )
    )


def _sign_as_before(tx: Transaction, world: World, previous: Statement, statement: Statement) -> bytes:
    signer = next((one for one in tx.authorities.all() if one.fingerprint == previous.issuer), None)
    if signer is None:
        raise InconsistentState(
            f"the CA that signed trust bundle epoch {previous.epoch} is not in the store; restore it from a backup"
        )
    return world.signer.of(signer).sign_statement(statement)


def _text(signature: bytes) -> str:
    return base64.b64encode(signature).decode("ascii")
