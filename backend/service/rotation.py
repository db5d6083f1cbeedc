"""The CA rotation: phases made true in the world, one move a transaction (pki.md 5.6).

`core.rotation` says which phase may follow which; here the rows follow. A tick does at most one move, guarded by the
rotation's version, and whether a step was done is read from rows: a kill between any two ticks loses nothing. Every
move ends with the invariants of pki.md 5.2; one that does not hold undoes the move.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Final

from backend.core.errors import ConfirmationRefused, InconsistentState, InvalidInput, NotFound, OldVersion, PlanChanged
from backend.core.model import AuthorityStatus
from backend.core.rotation import ClientStanding, Event, Phase, advance, gates
from backend.service import audit
from backend.service.caller import Caller
from backend.service.clock_trust import doubt, is_doubted, vouch
from backend.service.fence import set_fence
from backend.service.operations import refuse_confirmation
from backend.service.rotation_checks import require_invariants
from backend.service.rotation_clients import Sightings, observe, rows_for, sight
from backend.service.rotation_plan import RotationPlanView, draft_rotation, plan_rotation, what_changed
from backend.service.rotation_steps import cut_over, drop, find_authority, mark_lost, publish, stage
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


class Move(Enum):
    """What an operator may do to an open rotation; the numbers are the wire's."""

    PROCEED = 1
    ABORT = 2
    FINISH = 3


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
    refuse_confirmation(stored, "rotation", hash, now)
    if origin not in {"", "rpc", "cli", "tui"}:
        raise InvalidInput(f"the origin is tui or cli, not {origin[:20]!r}")
    fresh = draft_rotation(tx, world, caller, now)
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
    )
    tx.rotations.add(rotation, rows_for(tx, world, rotation.id, tx.identities.all(), now))
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
    sightings = sight(tx)
    clients = observe(tx, world, rotation, sightings, now)
    if doubt(tx, world):
        return ""
    match Phase(rotation.phase):
        case Phase.PLANNED:
            return _stage(tx, world, rotation, now)
        case Phase.STAGED:
            return _inform(tx, world, rotation, clients, now)
        case Phase.FENCED:
            return _cut_over(tx, world, rotation, clients, sightings, now)
        case Phase.CUTOVER:
            return _enter(tx, world, rotation, Event.REOPEN, now)
        case Phase.RE_ENROLLING:
            waiting = [
                standing for standing in standings(rotation, clients, sightings.heartbeats, now) if _is_away(standing)
            ]
            return "" if waiting else _enter(tx, world, rotation, Event.VERIFY, now)
        case Phase.VERIFIED:
            return _enter(tx, world, rotation, Event.COMPLETE, now, outcome="completed")
        case _:
            raise InconsistentState(f"CA rotation {rotation.id} is open in phase {rotation.phase}; report this")


def move(
    tx: Transaction,
    world: World,
    caller: Caller,
    *,
    rotation_id: str,
    version: int,
    move: Move,
    written_off: Sequence[str] = (),
    reason: str = "",
) -> RotationView:
    """Carry out an operator's decision on an open rotation that was looked at in `version`.

    Raises:
        NotFound: there is no such rotation.
        OldVersion: it has moved since; look again.
        IllegalTransition: the phase does not allow the move.
        InvalidInput: a write-off without a reason, or without the name of every client that is not back.
    """
    now = world.clock.now()
    rotation = tx.rotations.get(rotation_id)
    if rotation.ended_at is not None:
        raise InconsistentState(f"CA rotation {rotation_id} has ended ({rotation.outcome}); nothing is left to decide")
    if version != rotation.version:
        raise OldVersion(f"CA rotation {rotation_id} is at version {rotation.version}, not {version}; look at it again")
    match move:
        case Move.PROCEED:
            _proceed(tx, world, caller, rotation, reason, now)
        case Move.ABORT:
            advance(Phase(rotation.phase), Event.ABORT)  # before anything is undone
            drop(tx, rotation, now)
            _enter(tx, world, rotation, Event.ABORT, now, outcome="aborted", caller=caller, reason=reason)
        case Move.FINISH:
            _write_off(tx, world, caller, rotation, written_off, reason, now)
    return get(tx, world, rotation_id)


def destroy(tx: Transaction, world: World, caller: Caller, *, generation: int, deployment: str) -> AuthoritiesView:
    """Give up the key of a distrusted generation for good; its file is shredded right after the commit.

    Raises:
        NotFound: there is no such generation.
        ConfirmationRefused: the deployment's name is not typed exactly.
        InconsistentState: the generation is not distrusted, or a rotation is open.
    """
    now = world.clock.now()
    authority = tx.authorities.get(generation)
    if deployment != world.deployment:
        raise ConfirmationRefused("the name typed is not the deployment's; type it exactly")
    rotation = tx.rotations.find_open()
    if rotation is not None:
        raise InconsistentState(f"CA rotation {rotation.id} is open; destroy keys after it has ended")
    if authority.status is not AuthorityStatus.DISTRUSTED:
        raise InconsistentState(
            f"CA generation {generation} is {authority.status.value}; only the key of a distrusted one may be destroyed"
        )
    tx.authorities.set_status(generation, AuthorityStatus.DESTROYED)
    tx.changes.touch_all()
    audit.record(
        tx,
        now,
        actor=caller.name,
        origin=caller.origin,
        action="destroy_authority",
        subject=world.deployment,
        detail={"generation": str(generation), "fingerprint": authority.fingerprint, "key_file": authority.key_file},
    )
    return authorities(tx)


def _stage(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> str:
    """Two ticks: the intent is committed before any file is written, so that an orphan can be told from a stranger."""
    if STAGE not in {step for step, _, _ in tx.rotations.steps(rotation.id)}:
        tx.rotations.intent(rotation.id, STAGE, now)
        return f"{STAGE}: begun"
    if find_authority(tx, rotation.to_generation) is None:
        stage(tx, world, rotation, now)
    tx.rotations.finish(rotation.id, STAGE, now)
    return _enter(tx, world, rotation, Event.STAGE, now)


def _inform(
    tx: Transaction,
    world: World,
    rotation: RotationRow,
    clients: Sequence[RotationClientRow],
    now: datetime,
) -> str:
    """Publish both roots first, then wait until every living client has taken the new one home."""
    if rotation.to_generation not in tx.bundles.current().generations:
        tx.rotations.intent(rotation.id, PUBLISH, now)
        bundle = publish(tx, rotation, now)
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
    if not all(gate.met for gate in gates(facts_of(tx, rotation, clients), now)):
        return ""
    set_fence(tx, f"CA rotation {rotation.id}")
    return _enter(tx, world, rotation, Event.FENCE, now)


def _cut_over(
    tx: Transaction,
    world: World,
    rotation: RotationRow,
    clients: Sequence[RotationClientRow],
    sightings: Sightings,
    now: datetime,
) -> str:
    """One transaction: issuer, bundle, revocations, the agent's own certificate, lost marks, owed files, phase."""
    tx.rotations.intent(rotation.id, CUT_OVER, now)
    revoked = cut_over(tx, world, rotation, now)
    tx.rotations.put_clients(mark_lost(clients, sightings.heartbeats, sightings.seen, now))
    tx.rotations.finish(rotation.id, CUT_OVER, now)
    return _enter(tx, world, rotation, Event.CUT_OVER, now, revoked=str(revoked))


def _enter(
    tx: Transaction,
    world: World,
    rotation: RotationRow,
    event: Event,
    now: datetime,
    *,
    outcome: str = "",
    caller: Caller | None = None,
    **detail: str,
) -> str:
    """Write the phase that an event leads to, with its audit event, and check the invariants."""
    phase = advance(Phase(rotation.phase), event)
    after = replace(
        rotation,
        phase=phase.value,
        version=rotation.version + 1,
        phase_at=now,
        proceed=False,
        outcome=outcome,
        ended_at=now if outcome else None,
    )
    tx.rotations.put(after)
    audit.record(
        tx,
        now,
        actor="agent" if caller is None else caller.name,
        origin="agent" if caller is None else caller.origin,
        action="ca_rotation",
        subject=world.deployment,
        detail={
            "rotation": rotation.id,
            "before": rotation.phase,
            "after": phase.value,
            "version": str(after.version),
            "plan_hash": rotation.plan_hash,
            **detail,
        },
    )
    require_invariants(tx, after)
    return phase.value


def _proceed(tx: Transaction, world: World, caller: Caller, rotation: RotationRow, reason: str, now: datetime) -> None:
    """Stop waiting: for the clients in STAGED, and in any phase for the clock, which a person now vouches for."""
    frozen = is_doubted(tx)
    if frozen:
        vouch(tx, world, f"{caller.name} vouched for it")
    elif rotation.phase != Phase.STAGED.value or rotation.proceed:
        raise InconsistentState(
            f"CA rotation {rotation.id} waits for nothing that PROCEED could pass; look at its gates"
        )
    waits = rotation.phase == Phase.STAGED.value
    tx.rotations.put(replace(rotation, version=rotation.version + 1, proceed=waits))
    audit.record(
        tx,
        now,
        actor=caller.name,
        origin=caller.origin,
        action="proceed_ca_rotation",
        subject=world.deployment,
        detail={"rotation": rotation.id, "phase": rotation.phase, "reason": reason, "past": frozen or "the clients"},
    )


def _write_off(
    tx: Transaction,
    world: World,
    caller: Caller,
    rotation: RotationRow,
    names: Sequence[str],
    reason: str,
    now: datetime,
) -> None:
    advance(Phase(rotation.phase), Event.VERIFY)  # refused before RE-ENROLLING
    if not reason.strip():
        raise InvalidInput("writing clients off needs a reason; it is kept in the audit trail")
    sightings = sight(tx)
    clients = observe(tx, world, rotation, sightings, now)
    by_name = {client.name: client for client in clients}
    unknown = sorted(set(names) - set(by_name))
    if unknown:
        raise InvalidInput(f"the rotation has no clients named {', '.join(unknown)}")
    states = zip(clients, standings(rotation, clients, sightings.heartbeats, now), strict=True)
    away = {client.name for client, standing in states if _is_away(standing)}
    unnamed = sorted(away - set(names))
    if unnamed:
        raise InvalidInput(f"these clients are not back and were not named: {', '.join(unnamed)}; name each of them")
    tx.rotations.put_clients([replace(by_name[name], written_off=reason) for name in sorted(away)])
    _enter(
        tx,
        world,
        rotation,
        Event.VERIFY,
        now,
        caller=caller,
        reason=reason,
        written_off=", ".join(sorted(away)),
    )


def _is_away(standing: ClientStanding) -> bool:
    return standing not in {ClientStanding.RETURNED, ClientStanding.WRITTEN_OFF}
