"""What is set right when the agent starts: keys and rows compared, half-made steps brought to an end (pki.md 5.7).

A key file without a row is reported, and shredded when an interrupted step made it; a row whose key file is missing
stops the agent with both names, because going on would be a guess. Running it again finds nothing more to do.
"""

from __future__ import annotations

from backend.core.errors import InconsistentState
from backend.core.model import AuthorityStatus
from backend.service import audit
from backend.service.clock_trust import is_doubted, vouch
from backend.service.clock_watch import JUMP
from backend.service.epochs import ensure_signed
from backend.service.fence import FENCE_KEY, clear_fence, is_fenced
from backend.service.signer import key_file_name
from backend.service.world import World
from backend.store.port import Transaction


def reconcile(tx: Transaction, world: World) -> tuple[str, ...]:
    """Compare keys with rows and return a sentence for each thing that was found or mended.

    Raises:
        InconsistentState: a generation's key file is missing, or the rows contradict each other. Nothing was changed.
    """
    _require_keys(tx, world)
    findings = [*_sweep_orphans(tx, world), *sweep(tx, world), *_mend_fence(tx)]
    head = tx.audit.head()
    is_sane = head is None or head.at - world.clock.now() <= JUMP
    if is_doubted(tx) and is_sane and tx.rotations.find_open() is None:
        vouch(tx, world, "the agent was started anew and no CA rotation is open")
        findings.append("the clock had jumped before the last stop; it is believed again since the agent was restarted")
    if ensure_signed(tx, world):
        findings.append(
            f"trust bundle epoch {tx.bundles.current().epoch} of an older program was unsigned; it is signed now, and "
            "the chain by which sleeping clients follow begins there"
        )
    now = world.clock.now()
    for finding in findings:
        audit.record(
            tx,
            now,
            actor="agent",
            origin="agent",
            action="reconcile",
            subject=world.deployment,
            detail={"found": finding},
        )
    return tuple(findings)


def sweep(tx: Transaction, world: World) -> tuple[str, ...]:
    """Shred key files of destroyed generations.

    Call it in a transaction of its own, never in the one that destroyed them: were that one rolled back, the row would
    come back to life without its key.
    """
    held = set(world.signer.key_files())
    swept = []
    for authority in tx.authorities.all():
        if authority.status is AuthorityStatus.DESTROYED and authority.key_file in held:
            world.signer.destroy(authority.key_file)
            swept.append(
                f"the key file {authority.key_file} of the destroyed CA generation {authority.generation} was shredded"
            )
    return tuple(swept)


def _require_keys(tx: Transaction, world: World) -> None:
    held = set(world.signer.key_files())
    missing = [
        authority.key_file
        for authority in tx.authorities.all()
        if authority.status is not AuthorityStatus.DESTROYED and authority.key_file not in held
    ]
    if missing:
        raise InconsistentState(
            f"the store names CA keys that are not in {world.agent_directory / 'keys'}: {', '.join(missing)}; "
            "restore the key files and the store from the same backup"
        )


def _sweep_orphans(tx: Transaction, world: World) -> list[str]:
    named = {authority.key_file for authority in tx.authorities.all()}
    rotation = tx.rotations.find_open()
    found = []
    for name in world.signer.key_files():
        if name in named:
            continue
        if rotation is not None and name == key_file_name(rotation.to_generation):
            world.signer.destroy(name)
            found.append(f"the key file {name} of an interrupted CA rotation was shredded; the rotation makes it anew")
        else:
            found.append(
                f"the key file {name} belongs to no CA generation in the store; "
                "if the store was restored from an older backup, keep the file and restore the newer store"
            )
    return found


def _mend_fence(tx: Transaction) -> list[str]:
    """A fence belongs to an open rotation; one without would stop issuing for ever."""
    if not is_fenced(tx) or tx.rotations.find_open() is not None:
        return []
    why = tx.meta.find(FENCE_KEY)
    clear_fence(tx)
    return [f"issuing was fenced ({why}) without an open CA rotation; it goes on"]
