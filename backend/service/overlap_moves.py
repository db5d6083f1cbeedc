"""What an operator decides in a rotation with overlap: to go on, to hold, to go back; whom not to wait for; the end.

Every decision names the version it was made on, is refused when the rotation has moved since, and is audited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from backend.core.errors import IllegalTransition, InconsistentState, InvalidInput
from backend.core.model import RevokeReason
from backend.core.overlap import OverlapEvent, OverlapPhase, forward_event, next_phase
from backend.core.overlap_gates import overlap_gates
from backend.service import audit
from backend.service.caller import Caller
from backend.service.clock_trust import is_doubted, vouch
from backend.service.overlap import hold, move_on
from backend.service.overlap_clients import observe
from backend.service.overlap_phase import enter, facts_of
from backend.service.rehearsal import ABORTED, end_rehearsal
from backend.service.rotation_steps import require_key
from backend.service.serving import OVERLAP
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import OverlapClientRow, RotationRow


def advance(
    tx: Transaction, world: World, caller: Caller, rotation: RotationRow, reason: str, *, automatic: bool
) -> None:
    """Take off a hold, vouch for the clock, set the mode, and leave the phase if its gates are met.

    Raises:
        InconsistentState: nothing held it and a gate is not met; the text names the gates.
    """
    now = world.clock.now()
    doubted = is_doubted(tx)
    if doubted:
        vouch(tx, world, f"{caller.name} vouched for it")
    was = rotation
    if rotation.held or rotation.automatic is not automatic:
        rotation = replace(rotation, version=rotation.version + 1, held="", automatic=automatic)
        tx.rotations.put(rotation)
    phase = OverlapPhase(rotation.phase)
    event = forward_event(phase)
    seen = observe(tx, world, rotation, now)
    gates = overlap_gates(facts_of(tx, world, rotation, seen.clients, now), now)
    open_gates = [f"{gate.test}: {gate.why}" for gate in gates if not gate.met]
    may_move = event is not None and event is not OverlapEvent.RETIRE and phase is not OverlapPhase.PLANNED
    if may_move and not open_gates:
        move_on(tx, world, rotation, event, now, caller, reason=reason)  # type: ignore[arg-type] # not None here
    elif rotation is was and not doubted:
        if event is OverlapEvent.RETIRE and not open_gates:
            raise InconsistentState(
                f"only destroying the key of CA g{rotation.from_generation} is left: "
                f"`mocdeck rotate-ca destroy {rotation.from_generation}`; until then `rollback` works"
            )
        raise InconsistentState(f"CA rotation {rotation.id} stays in {phase.value}: {'; '.join(open_gates)}")
    _audit(tx, world, caller, rotation, "advance_ca_rotation", now, reason=reason, held=was.held, clock=doubted)


def hold_rotation(tx: Transaction, world: World, caller: Caller, rotation: RotationRow, reason: str) -> None:
    """Stop every move until somebody advances it, and end the automatic mode: whoever holds it wants to look.

    Raises:
        InvalidInput: no reason is given.
    """
    if not reason.strip():
        raise InvalidInput("holding a rotation needs a reason; whoever finds it held wants to know")
    manual = replace(rotation, automatic=False)
    hold(tx, world, manual, f"{caller.name}: {reason}", world.clock.now(), caller)


def roll_back(tx: Transaction, world: World, caller: Caller, rotation: RotationRow, reason: str) -> None:
    """Begin the way back; before anything was made it simply ends.

    Raises:
        InvalidInput: no reason is given.
        IllegalTransition: it is on its way back already, or it has ended.
        InconsistentState: the old key is not there any more.
    """
    now = world.clock.now()
    if not reason.strip():
        raise InvalidInput("rolling back needs a reason; it is kept in the audit trail")
    if rotation.kind != OVERLAP:
        end_rehearsal(tx, world, rotation, now, ABORTED, caller, reason=reason)
        return
    phase = OverlapPhase(rotation.phase)
    rotation = replace(rotation, held="")
    if phase is OverlapPhase.PLANNED:
        enter(tx, world, rotation, OverlapEvent.ABORT, now, outcome="aborted", caller=caller, reason=reason)
        return
    next_phase(phase, OverlapEvent.ROLL_BACK)  # refused before anything is touched
    require_key(world, tx.authorities.get(rotation.from_generation))
    move_on(tx, world, rotation, OverlapEvent.ROLL_BACK, now, caller, reason=reason)


def decide_clients(
    tx: Transaction,
    world: World,
    caller: Caller,
    rotation: RotationRow,
    names: Sequence[str],
    reason: str,
    *,
    write_off: bool,
) -> None:
    """Wait no longer for clients named one by one: waive them, or write them off, which revokes their certificates.

    Raises:
        InvalidInput: no reason, no name, or the name of nobody in the rotation.
    """
    now = world.clock.now()
    if not reason.strip():
        raise InvalidInput("not waiting for a client needs a reason; it is kept in the audit trail")
    by_name = {row.name: row for row in tx.rotations.overlap_clients(rotation.id)}
    unknown = sorted(set(names) - set(by_name))
    if unknown or not names:
        raise InvalidInput(
            f"the rotation has no client {', '.join(unknown)}" if unknown else "name at least one client"
        )
    chosen = [by_name[name] for name in sorted(set(names))]
    if write_off:
        for row in chosen:
            tx.certificates.revoke_of(row.identity_number, now, RevokeReason.CERTIFICATE)
        world.peers.clear()
    tx.rotations.put_overlap_clients([_decided(row, caller, reason, write_off=write_off) for row in chosen])
    tx.rotations.put(replace(rotation, version=rotation.version + 1))
    action = "write_off_client" if write_off else "waive_client"
    _audit(tx, world, caller, rotation, action, now, clients=", ".join(row.name for row in chosen), reason=reason)


def retire(tx: Transaction, world: World, caller: Caller, rotation: RotationRow) -> None:
    """Destroy the old key: the end of the rotation and of every way back.

    Raises:
        IllegalTransition: the old CA is still trusted.
        InconsistentState: a gate is not met.
    """
    now = world.clock.now()
    if rotation.phase != OverlapPhase.DISTRUSTED.value:
        raise IllegalTransition(rotation.phase, OverlapEvent.RETIRE.value)
    seen = observe(tx, world, rotation, now)
    gates = overlap_gates(facts_of(tx, world, rotation, seen.clients, now), now)
    open_gates = [f"{gate.test}: {gate.why}" for gate in gates if not gate.met]
    if open_gates:
        raise InconsistentState(f"the key of CA g{rotation.from_generation} is kept: {'; '.join(open_gates)}")
    move_on(tx, world, rotation, OverlapEvent.RETIRE, now, caller)


def _decided(row: OverlapClientRow, caller: Caller, reason: str, *, write_off: bool) -> OverlapClientRow:
    if write_off:
        return replace(row, written_off=reason, decided_by=caller.name)
    return replace(row, waived=reason, decided_by=caller.name)


def _audit(
    tx: Transaction, world: World, caller: Caller, rotation: RotationRow, action: str, now: datetime, **detail: str
) -> None:
    audit.record(
        tx,
        now,
        actor=caller.name,
        origin=caller.origin,
        action=action,
        subject=world.deployment,
        detail={"rotation": rotation.id, "phase": rotation.phase, **detail},
    )
