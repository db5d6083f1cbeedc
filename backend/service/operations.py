"""Operations: a confirmed plan carried out target by target, and only as far as it is seen to work.

Starting writes rows and touches no client; `tick` folds observed facts into the rows and starts the next targets, as
many at a time as the plan said. The first failed target stops what has not started, or as many as the plan allows to
fail. There is no other memory than the rows and the plan, so the tick after a crash is like any other tick.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from backend.core.errors import InconsistentState, InvalidInput, PlanChanged
from backend.core.model import Outcome
from backend.service import audit
from backend.service.caller import Caller
from backend.service.carried import LoginFile, take_login_file
from backend.service.confirmation import refuse_confirmation
from backend.service.fence import forbids_operations
from backend.service.operation_view import OperationView, TargetView, view
from backend.service.planning import (
    OPERATION,
    PlanView,
    document_of,
    draft,
    plan,
    plan_resumption,
    unlooked,
    what_changed,
)
from backend.service.resuming import proved, reopen
from backend.service.target_sight import proof_of
from backend.service.target_terms import Terms, terms_of
from backend.service.targets import UNDER_WAY, begin, look
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import OperationRow, StoredPlan, TargetRow

__all__ = [
    "LoginFile",
    "OperationView",
    "PlanView",
    "TargetView",
    "get",
    "plan",
    "plan_resumption",
    "recent",
    "start",
    "stop",
    "take_login_file",
    "tick",
    "unlooked_of",
]

RECENT: Final = 50


def start(tx: Transaction, world: World, caller: Caller, *, plan_id: str, hash: str, origin: str = "") -> OperationView:
    """Carry a plan out; one that goes on with an operation lets that one run again.

    Raises:
        NotFound: there is no such plan.
        ConfirmationRefused: the hash is another one, the plan is too old or was started before.
        PlanChanged: the facts are no longer those of the plan; the text names what changed.
        InconsistentState: a CA rotation is open, or another operation works on one of the clients.
    """
    now = world.clock.now()
    stored = tx.plans.get(plan_id)
    refuse_confirmation(stored, OPERATION, hash, now)
    forbidden = forbids_operations(tx)
    if forbidden:
        raise InconsistentState(forbidden)
    document = json.loads(stored.body)
    runs = [decision for decision in document["decisions"] if decision["runs"]]
    if not runs:
        raise InconsistentState("the plan has nothing to do; see the reasons beside its clients")
    _refuse_overlap(tx, {decision["number"] for decision in runs})
    fresh = draft(tx, world, document)
    if fresh.hash != stored.hash:
        changed = "; ".join(what_changed(document, document_of(document, fresh)))
        raise PlanChanged(f"since the plan was made, {changed or 'its facts have changed'}; look at a new plan")
    if document.get("resumes"):
        operation = _resumed(tx, stored, document["resumes"], caller, origin, now)
    else:
        operation = _operation(stored, document, caller, origin, now)
        known = [decision for decision in document["decisions"] if decision["number"]]
        tx.operations.add(operation, [_target(operation, i, d) for i, d in enumerate(known)])
    tx.plans.mark_started(stored.id)
    _audit(
        tx,
        now,
        caller.name,
        operation.origin,
        "resume_operation" if document.get("resumes") else "start_operation",
        operation,
        {
            "plan": stored.id,
            "plan_hash": stored.hash,
            "clients": ", ".join(decision["name"] for decision in runs),
            "left_alone": str(len(document["decisions"]) - len(runs)),
            "reason": operation.reason,
        },
    )
    return view(tx, operation)


def unlooked_of(tx: Transaction, world: World, plan_id: str, hash: str) -> tuple[str, ...]:
    """Name the clients of a plan at whose delivery places somebody has to look before it can start."""
    stored = tx.plans.get(plan_id)
    if stored.kind != OPERATION or stored.started or stored.hash != hash:
        return ()  # `start` says what is wrong with it
    return unlooked(tx, world, json.loads(stored.body))


def tick(tx: Transaction, world: World) -> tuple[str, ...]:
    """Advance every running operation by what is observed now; return the ids of those that changed."""
    now = world.clock.now()
    since = world.watch.listening_since
    return tuple(operation.id for operation in tx.operations.running() if _advance(tx, operation, now, since))


def stop(tx: Transaction, world: World, caller: Caller, operation_id: str) -> OperationView:
    """Start no further target; those under way end by themselves.

    Raises:
        NotFound: there is no such operation.
        InconsistentState: it has ended.
    """
    now = world.clock.now()
    operation = tx.operations.get(operation_id)
    if operation.state != "running":
        raise InconsistentState(f"operation {operation_id} has ended ({operation.state}); there is nothing to stop")
    if not operation.stopping:
        operation = replace(operation, stopping=True)
        tx.operations.put(operation)
        _audit(tx, now, caller.name, caller.origin, "stop_operation", operation, {})
        _advance(tx, operation, now, world.watch.listening_since)
    return get(tx, operation_id)


def get(tx: Transaction, operation_id: str) -> OperationView:
    """Return one operation; raise `NotFound`."""
    return view(tx, tx.operations.get(operation_id))


def recent(tx: Transaction, limit: int = 0) -> Sequence[OperationView]:
    """Return operations, newest first; `limit` 0: fifty."""
    return [view(tx, operation) for operation in tx.operations.recent(limit or RECENT)]


def _resumed(
    tx: Transaction, stored: StoredPlan, operation_id: str, caller: Caller, origin: str, now: datetime
) -> OperationRow:
    """Let an ended operation run again; what was proved meanwhile is noted as done."""
    _refuse_origin(origin)
    operation, changed = reopen(tx, tx.operations.get(operation_id), stored, caller, origin, now)
    for target in changed:
        if target.state == "done":
            _audit_target(tx, now, operation, target)
    return operation


def _refuse_origin(origin: str) -> None:
    if origin not in {"", "rpc", "cli", "tui"}:
        raise InvalidInput(f"the origin is tui or cli, not {origin[:20]!r}")


def _refuse_overlap(tx: Transaction, numbers: Iterable[int]) -> None:
    wanted = set(numbers)
    for operation in tx.operations.running():
        for target in tx.operations.targets(operation.id):
            if target.identity_number in wanted and target.ended_at is None:
                raise InconsistentState(
                    f"operation {operation.id} already works on {target.name!r}; wait for it, or stop it"
                )


def _operation(
    stored: StoredPlan, document: Mapping[str, Any], caller: Caller, origin: str, now: datetime
) -> OperationRow:
    _refuse_origin(origin)
    return OperationRow(
        id=str(uuid.uuid4()),
        plan_id=stored.id,
        action=document["action"],
        state="running",
        actor=caller.name,
        origin=origin or caller.origin,
        parallel=document["parallel"],
        reason=document["reason"],
        overlap_seconds=document["overlap_seconds"],
        started_at=now,
    )


def _target(operation: OperationRow, position: int, decision: Mapping[str, Any]) -> TargetRow:
    return TargetRow(
        operation_id=operation.id,
        position=position,
        identity_number=decision["number"],
        name=decision["name"],
        route=decision["route"],
        state="waiting" if decision["runs"] else "skipped",
        result="" if decision["runs"] else decision["why"],
        ended_at=None if decision["runs"] else operation.started_at,
    )


def _advance(tx: Transaction, operation: OperationRow, now: datetime, listening_since: datetime | None) -> bool:
    terms = terms_of(tx, operation)
    before = tx.operations.targets(operation.id)
    targets = [
        look(tx, operation, target, now, terms.parts_of(target), listening_since=listening_since)
        if target.state in UNDER_WAY
        else target
        for target in before
    ]
    targets = _begin_next(tx, operation, _hold_back(operation, targets, terms, now), terms, now)
    changed = [new for old, new in zip(before, targets, strict=True) if new != old]
    for target in changed:
        tx.operations.put_target(target)
        if target.ended_at is not None:
            _audit_target(tx, now, operation, target)
    is_over = not any(target.state in UNDER_WAY for target in targets)
    if is_over:
        _finish(tx, operation, targets, now)
    return bool(changed) or is_over


def _begin_next(
    tx: Transaction, operation: OperationRow, targets: list[TargetRow], terms: Terms, now: datetime
) -> list[TargetRow]:
    """Begin what waits, in order, as many at a time as the plan said and its order rules allow."""
    for index, target in enumerate(targets):
        if target.state != "waiting":
            continue
        under_way = [other for other in targets if other.state in UNDER_WAY]
        if len(under_way) >= operation.parallel or terms.must_wait(target, under_way):
            break
        parts = terms.parts_of(target)
        proof = proof_of(tx, operation, target, parts) if terms.is_resumed else None
        targets[index] = proved(target, proof, now) if proof else begin(tx, operation, target, now, parts)
        if targets[index].state not in UNDER_WAY:
            # It could not begin, which is a failure like any other, and may be the one that stops the rest.
            targets[index + 1 :] = _hold_back(operation, targets, terms, now)[index + 1 :]
    return targets


def _hold_back(operation: OperationRow, targets: Sequence[TargetRow], terms: Terms, now: datetime) -> list[TargetRow]:
    """Skip what waits once as many targets have failed as the plan allows, or somebody said stop."""
    failed = [one.name for one in targets if one.state == "failed" and one.identity_number in terms.runs]
    if len(failed) >= terms.max_failures:
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        why = f"not started, because {', '.join(failed[:3])}{more} failed"
    elif operation.stopping:
        why = "not started, because the operation was stopped"
    else:
        return list(targets)
    return [
        replace(target, state="skipped", result=why, ended_at=now) if target.state == "waiting" else target
        for target in targets
    ]


def _finish(tx: Transaction, operation: OperationRow, targets: Sequence[TargetRow], now: datetime) -> None:
    if any(target.state == "failed" for target in targets):
        state = "failed"
    elif operation.stopping and any(target.state == "skipped" for target in targets):
        state = "stopped"
    else:
        state = "done"
    operation = replace(operation, state=state, ended_at=now)
    tx.operations.put(operation)
    counts = Counter(target.state for target in targets)
    detail = {word: str(counts[word]) for word in ("done", "failed", "skipped")}
    _audit(tx, now, "agent", "agent", "end_operation", operation, {"state": state, **detail})


def _audit(
    tx: Transaction,
    now: datetime,
    actor: str,
    origin: str,
    action: str,
    operation: OperationRow,
    detail: Mapping[str, str],
) -> None:
    audit.record(
        tx,
        now,
        actor=actor,
        origin=origin,
        action=action,
        subject=operation.id,
        detail={"kind": operation.action, **detail},
    )


def _audit_target(tx: Transaction, now: datetime, operation: OperationRow, target: TargetRow) -> None:
    before = None if target.old_serial is None else tx.certificates.find(target.old_serial)
    after = None if target.new_serial is None else tx.certificates.find(target.new_serial)
    audit.record(
        tx,
        now,
        actor=operation.actor,
        origin=operation.origin,
        action=operation.action,
        subject=target.name,
        outcome=Outcome.FAILED if target.state == "failed" else Outcome.DONE,
        detail={
            "operation": operation.id,
            "state": target.state,
            "result": target.result,
            "serial_before": "" if before is None else f"{before.serial:x}",
            "not_after_before": "" if before is None else before.validity.not_after.isoformat(),
            "serial_after": "" if after is None else f"{after.serial:x}",
            "not_after_after": "" if after is None else after.validity.not_after.isoformat(),
            "token": target.token_id,
            "reason": operation.reason,
        },
    )
