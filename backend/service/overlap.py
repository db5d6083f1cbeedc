"""The CA rotation with overlap: phases made true in the world, at most one move a tick (pki.md 5.3 and 5.4).

The rows are the position: a kill between any two ticks loses nothing, and the next tick goes on where the last commit
ended. In manual mode a phase is left when an operator says so and its gates are met; in automatic mode when they are
met. Nothing moves while somebody holds it, while the clock is in doubt, or when rows and phase disagree.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import datetime
from typing import Final

from backend.core.errors import ConfirmationRefused, InconsistentState, InvalidInput, PlanChanged
from backend.core.overlap import OverlapEvent, OverlapPhase, forward_event
from backend.core.overlap_gates import OverlapFacts, overlap_gates, would_fail
from backend.service import audit
from backend.service.approval import require_approval
from backend.service.caller import Caller
from backend.service.clock_trust import doubt
from backend.service.confirmation import refuse_confirmation
from backend.service.overlap_clients import Seen, first_rows, observe
from backend.service.overlap_phase import enter, facts_of, failing_wave, position_fault
from backend.service.overlap_plan import OverlapPlan, changed_since, draft_overlap, settings_of
from backend.service.overlap_steps import make_generation
from backend.service.overlap_waves import give_orders
from backend.service.rehearsal import REHEARSING
from backend.service.serving import OVERLAP
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import RotationRow, StoredPlan

STAGE: Final = "stage"


def start_overlap(
    tx: Transaction,
    world: World,
    caller: Caller,
    stored: StoredPlan,
    *,
    hash: str,
    deployment: str,
    reason: str,
    origin: str,
) -> RotationRow:
    """Begin a rotation with overlap, or a rehearsal, that was planned and confirmed; the first move is the next tick's.

    Raises:
        ConfirmationRefused: name, hash or age do not fit, or the second person's approval is missing.
        PlanChanged: the clients or their ways are no longer those of the plan.
        InconsistentState: a readiness check fails.
    """
    now = world.clock.now()
    if deployment != world.deployment:
        raise ConfirmationRefused("the name typed is not the deployment's; type it exactly as the plan shows it")
    refuse_confirmation(stored, stored.kind, hash, now)
    if origin not in {"", "rpc", "cli", "tui"}:
        raise InvalidInput(f"the origin is tui or cli, not {origin[:20]!r}")
    if stored.kind == OVERLAP:
        require_approval(tx, world, caller, stored, now)
    document = json.loads(stored.body)
    fresh = draft_overlap(tx, world, caller, settings_of(document["settings"]), now, kind=stored.kind)
    failed = [check for check in fresh.checks if check.result == "fail"]
    if failed:
        raise InconsistentState("; ".join(f"{check.test}: {check.details}" for check in failed))
    if fresh.hash != stored.hash:
        changed = "; ".join(changed_since(document, fresh))
        raise PlanChanged(f"since the plan was made, {changed or 'its facts have changed'}; look at a new plan")
    return _begin(tx, world, caller, stored, fresh, reason, origin, now)


def _begin(
    tx: Transaction,
    world: World,
    caller: Caller,
    stored: StoredPlan,
    fresh: OverlapPlan,
    reason: str,
    origin: str,
    now: datetime,
) -> RotationRow:
    rotation = RotationRow(
        id=str(uuid.uuid4()),
        phase=OverlapPhase.PLANNED.value if fresh.kind == OVERLAP else REHEARSING,
        version=1,
        from_generation=fresh.from_generation,
        to_generation=fresh.to_generation,
        plan_id=stored.id,
        plan_hash=stored.hash,
        actor=caller.name,
        reason=reason,
        started_at=now,
        phase_at=now,
        kind=fresh.kind,
        automatic=fresh.settings.automatic,
        settings=json.loads(stored.body)["settings"],
    )
    tx.rotations.add(rotation, [])
    tx.rotations.put_overlap_clients(first_rows(rotation.id, fresh.clients))
    tx.plans.mark_started(stored.id)
    audit.record(
        tx,
        now,
        actor=caller.name,
        origin=origin or caller.origin,
        action="start_ca_rotation" if fresh.kind == OVERLAP else "rehearse_ca_rotation",
        subject=world.deployment,
        detail={
            "rotation": rotation.id,
            "kind": fresh.kind,
            "plan": stored.id,
            "plan_hash": stored.hash,
            "from_generation": str(rotation.from_generation),
            "to_generation": str(rotation.to_generation),
            "clients": str(len(fresh.clients)),
            "mode": "automatic" if rotation.automatic else "manual",
            "reason": reason,
        },
    )
    return rotation


def tick_overlap(tx: Transaction, world: World, rotation: RotationRow) -> str:
    """Do at most one move; return what moved, "" when nothing did, or while the last look still rests."""
    began = world.clock.monotonic()
    if not world.pace.is_due(began):
        return ""
    moved = _tick(tx, world, rotation, world.clock.now())
    world.pace.took(began, world.clock.monotonic())
    return moved


def _tick(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> str:
    seen = observe(tx, world, rotation, now)
    if doubt(tx, world):
        return ""
    fault = position_fault(tx, rotation)
    if fault:
        return hold(tx, world, rotation, fault, now)
    phase = OverlapPhase(rotation.phase)
    if phase is OverlapPhase.PLANNED:
        return _stage(tx, world, rotation, now)
    facts = facts_of(tx, world, rotation, seen.clients, now)
    return _watch(tx, world, rotation, seen, facts, now) or _go_on(tx, world, rotation, facts, now)


def _watch(tx: Transaction, world: World, rotation: RotationRow, seen: Seen, facts: OverlapFacts, now: datetime) -> str:
    """Hold, or go one phase back, for what was observed; else tell the next clients to renew."""
    phase = facts.phase
    if facts.probes.deviation and not rotation.held:
        return hold(tx, world, rotation, f"a probe found what the truth table forbids: {facts.probes.deviation}", now)
    wave = failing_wave(facts, now) if phase in {OverlapPhase.ISSUING, OverlapPhase.REISSUING_BACK} else 0
    if wave and not rotation.held:
        return hold(tx, world, rotation, f"more of wave {wave} failed than the stop rule allows", now)
    if phase is OverlapPhase.SHADOW and would_fail(facts):
        return enter(tx, world, rotation, OverlapEvent.FIND_STRAGGLER, now)
    if not rotation.held:
        give_orders(tx, rotation, seen, facts, now)
    return ""


def _go_on(tx: Transaction, world: World, rotation: RotationRow, facts: OverlapFacts, now: datetime) -> str:
    event = forward_event(facts.phase)
    if event is None or event is OverlapEvent.RETIRE or not (rotation.automatic or facts.phase.is_rollback):
        return ""  # destroying a key is a confirmation of its own
    if not all(gate.met for gate in overlap_gates(facts, now)):
        return ""
    return move_on(tx, world, rotation, event, now)


def move_on(
    tx: Transaction,
    world: World,
    rotation: RotationRow,
    event: OverlapEvent,
    now: datetime,
    caller: Caller | None = None,
    **detail: str,
) -> str:
    """Enter the next phase; the last one of a way back ends the rotation with its own outcome."""
    ends = event is OverlapEvent.GO_BACK and rotation.phase == OverlapPhase.UNTRUSTING_NEW.value
    outcome = "rolled_back" if ends else "completed" if event is OverlapEvent.RETIRE else ""
    return enter(tx, world, rotation, event, now, outcome=outcome, caller=caller, **detail)


def _stage(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> str:
    """Two ticks: the intent is committed before any file is written, so that an orphan can be told from a stranger."""
    if STAGE not in {step for step, _, _ in tx.rotations.steps(rotation.id)}:
        tx.rotations.intent(rotation.id, STAGE, now)
        return f"{STAGE}: begun"
    make_generation(tx, world, rotation, now)
    tx.rotations.finish(rotation.id, STAGE, now)
    return enter(tx, world, rotation, OverlapEvent.STAGE, now)


def hold(
    tx: Transaction, world: World, rotation: RotationRow, why: str, now: datetime, caller: Caller | None = None
) -> str:
    """Stop every move until somebody has looked; clients lose nothing by it. "" when it is held for that already."""
    if rotation.held == why:
        return ""
    tx.rotations.put(replace(rotation, version=rotation.version + 1, held=why))
    tx.changes.touch_all()
    audit.record(
        tx,
        now,
        actor="agent" if caller is None else caller.name,
        origin="agent" if caller is None else caller.origin,
        action="hold_ca_rotation",
        subject=world.deployment,
        detail={"rotation": rotation.id, "phase": rotation.phase, "why": why},
    )
    return "held"
