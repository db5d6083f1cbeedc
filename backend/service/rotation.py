"""The CA rotation: phases made true in the world, one move a transaction (pki.md 5.6).

`core.rotation` says which phase may follow which; here the rows follow. A tick does at most one move, guarded by the
rotation's version, and whether a step was done is read from rows: a kill between any two ticks loses nothing. Every
move ends with the invariants of pki.md 5.2; one that does not hold undoes the move.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Final

from backend.core.errors import ConfirmationRefused, InconsistentState, InvalidInput, NotFound, PlanChanged
from backend.core.model import AuthorityStatus
from backend.core.rotation import Event, Phase, gates
from backend.service import audit
from backend.service.caller import Caller
from backend.service.clock_trust import doubt
from backend.service.confirmation import refuse_confirmation
from backend.service.fence import set_fence
from backend.service.rotation_checks import require_invariants
from backend.service.rotation_clients import Observed, observe
from backend.service.rotation_moves import Move, destroy, move
from backend.service.rotation_phase import enter, is_away
from backend.service.rotation_plan import (
    COMPROMISE,
    ROTATION,
    RotationPlanView,
    draft_rotation,
    plan_rotation,
    what_changed,
)
from backend.service.rotation_steps import cut_over, find_authority, mark_lost, publish, stage
from backend.service.rotation_view import AuthoritiesView, RotationView, authorities, facts_of, standings, view
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import RotationClientRow, RotationRow

__all__ = [
    "AuthoritiesView",
    "Move",
    "RotationPlanView",
    "RotationView",
    "authorities",
    "destroy",
    "get",
    "move",
    "plan_rotation",
    "start_rotation",
    "tick",
]

STAGE: Final = "stage"
PUBLISH: Final = "publish"
CUT_OVER: Final = "cut over"


def start_rotation(
    tx: Transaction,
    world: World,
    caller: Caller,
    *,
    plan_id: str,
    hash: str,
    deployment: str,
    reason: str,
    origin: str = "",
) -> RotationView:
    """Begin a rotation that was planned and confirmed; the first move is the next tick's.

    Raises:
        NotFound: there is no such plan.
        ConfirmationRefused: the deployment's name is not typed exactly, the hash is another one, or the plan too old.
        PlanChanged: the clients or their ways back are no longer those of the plan.
        InconsistentState: a readiness check fails.
    """
    now = world.clock.now()
    stored = tx.plans.get(plan_id)
    if deployment != world.deployment:
        raise ConfirmationRefused("the name typed is not the deployment's; type it exactly as the plan shows it")
    kind = stored.kind if stored.kind == COMPROMISE else ROTATION
    refuse_confirmation(stored, kind, hash, now)
    if origin not in {"", "rpc", "cli", "tui"}:
        raise InvalidInput(f"the origin is tui or cli, not {origin[:20]!r}")
    fresh = draft_rotation(tx, world, caller, now, kind=kind)
    failed = [check for check in fresh.checks if check.result == "fail"]
    if failed:
        raise InconsistentState("; ".join(f"{check.test}: {check.details}" for check in failed))
    if fresh.hash != stored.hash:
        changed = "; ".join(what_changed(json.loads(stored.body), fresh))
        raise PlanChanged(f"since the plan was made, {changed or 'its facts have changed'}; look at a new plan")
    rotation = RotationRow(
        id=str(uuid.uuid4()),
        phase=Phase.PLANNED.value,
        version=1,
        from_generation=fresh.from_generation,
        to_generation=fresh.to_generation,
        plan_id=stored.id,
        plan_hash=stored.hash,
        actor=caller.name,
        reason=reason,
        started_at=now,
        phase_at=now,
        cause="compromise" if kind == COMPROMISE else "routine",
    )
    clients = [
        RotationClientRow(
            rotation_id=rotation.id,
            identity_number=client.number,
            name=client.name,
            route=client.route.value,
            why=client.why,
        )
        for client in fresh.clients
    ]
    tx.rotations.add(rotation, clients)
    tx.plans.mark_started(stored.id)
    audit.record(
        tx,
        now,
        actor=caller.name,
        origin=origin or caller.origin,
        action="start_ca_rotation",
        subject=world.deployment,
        detail={
            "rotation": rotation.id,
            "plan": stored.id,
            "plan_hash": stored.hash,
            "from_generation": str(rotation.from_generation),
            "to_generation": str(rotation.to_generation),
            "clients": str(len(fresh.clients)),
            "cause": rotation.cause,
            "reason": reason,
        },
    )
    return get(tx, world, rotation.id)


def get(tx: Transaction, world: World, rotation_id: str = "") -> RotationView:
    """Return a rotation; without an id the open one, or the last.

    Raises:
        NotFound: there is none.
    """
    rotation = tx.rotations.get(rotation_id) if rotation_id else tx.rotations.find_open() or tx.rotations.find_last()
    if rotation is None:
        raise NotFound("this deployment's CA was never rotated; plan a rotation first")
    return view(tx, world, rotation)


def tick(tx: Transaction, world: World) -> str:
    """Do at most one move of the open rotation; return what moved, "" when nothing did."""
    rotation = tx.rotations.find_open()
    if rotation is None:
        return ""
    now = world.clock.now()
    observed = observe(tx, world, rotation, now)
    if doubt(tx, world):
        return ""
    match Phase(rotation.phase):
        case Phase.PLANNED:
            return _stage(tx, world, rotation, now)
        case Phase.STAGED:
            return _inform(tx, world, rotation, observed, now)
        case Phase.FENCED:
            return _cut_over(tx, world, rotation, observed, now)
        case Phase.CUTOVER:
            return enter(tx, world, rotation, Event.REOPEN, now)
        case Phase.RE_ENROLLING:
            stands = standings(rotation, observed.clients, observed.heartbeats, now)
            return "" if any(map(is_away, stands)) else enter(tx, world, rotation, Event.VERIFY, now)
        case Phase.VERIFIED:
            if rotation.cause == "compromise":  # the key is worth nothing but harm; its file goes after the commit
                tx.authorities.set_status(rotation.from_generation, AuthorityStatus.DESTROYED)
            return enter(tx, world, rotation, Event.COMPLETE, now, outcome="completed")
        case _:
            raise InconsistentState(f"CA rotation {rotation.id} is open in phase {rotation.phase}; report this")


def _stage(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> str:
    """Two ticks: the intent is committed before any file is written, so that an orphan can be told from a stranger."""
    if STAGE not in {step for step, _, _ in tx.rotations.steps(rotation.id)}:
        tx.rotations.intent(rotation.id, STAGE, now)
        return f"{STAGE}: begun"
    if find_authority(tx, rotation.to_generation) is None:
        stage(tx, world, rotation, now)
    tx.rotations.finish(rotation.id, STAGE, now)
    return enter(tx, world, rotation, Event.STAGE, now)


def _inform(tx: Transaction, world: World, rotation: RotationRow, observed: Observed, now: datetime) -> str:
    """Publish both roots first, then wait until every living client has taken the new one home.

    After a compromise nothing is published ahead: whoever has the old key could do the same.
    """
    if rotation.cause != "compromise" and rotation.to_generation not in tx.bundles.current().generations:
        tx.rotations.intent(rotation.id, PUBLISH, now)
        bundle = publish(tx, world, rotation, now)
        tx.rotations.finish(rotation.id, PUBLISH, now)
        audit.record(
            tx,
            now,
            actor="agent",
            origin="agent",
            action="publish_bundle",
            subject=world.deployment,
            detail={"rotation": rotation.id, "epoch": str(bundle.epoch), "generations": str(bundle.generations)},
        )
        require_invariants(tx, rotation)
        return f"{PUBLISH}: epoch {bundle.epoch}"
    if not all(gate.met for gate in gates(facts_of(tx, rotation, observed.clients), now)):
        return ""
    set_fence(tx, f"CA rotation {rotation.id}")
    return enter(tx, world, rotation, Event.FENCE, now)


def _cut_over(tx: Transaction, world: World, rotation: RotationRow, observed: Observed, now: datetime) -> str:
    """One transaction: issuer, bundle, revocations, the agent's own certificate, lost marks, owed files, phase."""
    tx.rotations.intent(rotation.id, CUT_OVER, now)
    seen = {found.identity_number: found for found in tx.seen.all()}
    revoked = cut_over(tx, world, rotation, now)
    tx.rotations.put_clients(mark_lost(observed.clients, observed.heartbeats, seen, now))
    tx.rotations.finish(rotation.id, CUT_OVER, now)
    return enter(tx, world, rotation, Event.CUT_OVER, now, revoked=str(revoked))
