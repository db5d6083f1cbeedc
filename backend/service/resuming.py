"""Going on with an operation that was stopped or failed: what is still to do, by what is observed now (US-09.4, US-16).

To resume is to plan again, for those clients only that the operation was for and that are not proved yet. So it is
looked at first, confirmed by its hash, and refused once the facts have changed. A client that has, and uses, what it
was to get since the operation began is left alone, whoever brought that about. One whose state now forbids the action
is left out, with the reason beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from backend.core.canonical import canonical_hash
from backend.core.errors import InconsistentState
from backend.core.model import ClientKind
from backend.core.plan import ActionKind, Decision, PlanDraft, Route
from backend.service.caller import Caller
from backend.service.target_sight import Proof, proof_of
from backend.service.target_terms import Terms, terms_of
from backend.store.port import Transaction
from backend.store.records import OperationRow, StoredPlan, TargetRow

FINISHED: Final = "left alone: "  # how the line of a client begins that is not touched again
_ENDED: Final = frozenset({"stopped", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """An operation's clients apart: `numbers` are still to be done, `settled` are lines for all the others."""

    numbers: tuple[int, ...]
    settled: tuple[Decision, ...]


def question_again(tx: Transaction, operation_id: str, *, parallel: int, max_failures: int) -> dict[str, Any]:
    """Return what the operation's own plan was asked, to be asked again of the rest; 0: as many as before.

    Raises:
        NotFound: there is no such operation.
        InconsistentState: it runs, or it was done.
    """
    operation = tx.operations.get(operation_id)
    _refuse_state(operation)
    asked = json.loads(tx.plans.get(operation.plan_id).body)
    return {
        **{key: asked.get(key) for key in ("action", "names", "force", "reason", "overlap_seconds", "update")},
        "parallel": parallel or operation.parallel,
        "max_failures": max_failures or asked.get("max_failures", 1),
        "resumes": operation_id,
        "chosen": chosen_of(asked),
    }


def rest_of(tx: Transaction, operation_id: str) -> Rest:
    """Tell what an operation has left from what is settled.

    Raises:
        InconsistentState: it runs, or it was done.
    """
    operation = tx.operations.get(operation_id)
    _refuse_state(operation)
    document = json.loads(tx.plans.get(operation.plan_id).body)
    terms, chosen = terms_of(tx, operation), frozenset(chosen_of(document))
    known = {int(one["number"]): one for one in document["decisions"] if one["number"]}
    numbers: list[int] = []
    settled: list[Decision] = []
    for target in tx.operations.targets(operation_id):
        why = _settled(tx, operation, target, terms, chosen)
        if why:
            settled.append(_line(known[target.identity_number], why))
        else:
            numbers.append(target.identity_number)
    return Rest(numbers=tuple(numbers), settled=tuple(settled))


def gone_line(tx: Transaction, operation_id: str, number: int) -> Decision:
    """Return the line of a client that the operation was for and that cannot be planned for any more."""
    operation = tx.operations.get(operation_id)
    document = json.loads(tx.plans.get(operation.plan_id).body)
    known = next(one for one in document["decisions"] if one["number"] == number)
    is_there = tx.identities.find_by_number(number) is not None
    why = "it is no longer part of what the operation is for" if is_there else "its identity was deleted"
    return _line(known, f"refused: {why}")


def marked(draft: PlanDraft, operation_id: str) -> PlanDraft:
    """Bind a plan to the operation that it goes on with: its hash confirms nothing else."""
    return replace(draft, hash=canonical_hash({"resumes": operation_id, "plan": draft.hash}))


def chosen_of(document: Mapping[str, Any]) -> list[int]:
    """Return the clients that an operation is for, by its present plan: those that it once was to touch."""
    chosen = document.get("chosen")
    return list(chosen) if chosen else [int(one["number"]) for one in document["decisions"] if one["runs"]]


def reopen(
    tx: Transaction, operation: OperationRow, stored: StoredPlan, caller: Caller, origin: str, now: datetime
) -> tuple[OperationRow, Sequence[TargetRow]]:
    """Let an operation run again by a fresh plan; return it and the targets whose rows changed."""
    decisions = {int(one["number"]): one for one in json.loads(stored.body)["decisions"]}
    terms, chosen = terms_of(tx, operation), frozenset(chosen_of(json.loads(stored.body)))
    before = tx.operations.targets(operation.id)
    after = [
        _again(tx, operation, target, terms, decisions[target.identity_number], now)
        if target.identity_number in chosen and target.state != "done"
        else target
        for target in before
    ]
    changed = [new for old, new in zip(before, after, strict=True) if new != old]
    for target in changed:
        tx.operations.put_target(target)
    operation = replace(
        operation,
        plan_id=stored.id,
        state="running",
        stopping=False,
        ended_at=None,
        actor=caller.name,
        origin=origin or caller.origin,
        parallel=json.loads(stored.body)["parallel"],
    )
    tx.operations.put(operation)
    return operation, changed


def proved(target: TargetRow, proof: Proof, now: datetime) -> TargetRow:
    """Return the row of a target that needs nothing any more: it was not touched again."""
    return replace(target, state="done", step="", result=proof.text, new_serial=proof.serial, ended_at=now)


def _refuse_state(operation: OperationRow) -> None:
    if operation.state in _ENDED:
        return
    why = "it still runs; follow it, or stop it" if operation.state == "running" else "it was done; nothing is left"
    raise InconsistentState(f"operation {operation.id} cannot be resumed: {why}")


def _settled(tx: Transaction, operation: OperationRow, target: TargetRow, terms: Terms, chosen: frozenset[int]) -> str:
    """Say why a target is not for a resumption; "" when it is."""
    if target.identity_number not in chosen:
        return f"{FINISHED}it was no part of it: {target.result.removeprefix(FINISHED).removeprefix('refused: ')}"
    if target.state == "done":
        return f"{FINISHED}done before: {target.result}"
    proof = proof_of(tx, operation, target, terms.parts_of(target))
    return f"{FINISHED}{proof.text}" if proof is not None else ""


def _again(
    tx: Transaction,
    operation: OperationRow,
    target: TargetRow,
    terms: Terms,
    decision: Mapping[str, Any],
    now: datetime,
) -> TargetRow:
    if decision["runs"]:
        return TargetRow(
            operation_id=target.operation_id,
            position=target.position,
            identity_number=target.identity_number,
            name=decision["name"],
            route=decision["route"],
            state="waiting",
        )
    proof = proof_of(tx, operation, target, terms.parts_of(target))
    if proof is not None:
        return proved(target, proof, now)
    return target if target.state == "failed" else replace(target, result=decision["why"])


def _line(known: Mapping[str, Any], why: str) -> Decision:
    return Decision(
        name=known["name"],
        number=int(known["number"]),
        cluster=known["cluster"],
        kind=ClientKind(known["kind"]),
        runs=False,
        why=why,
        route=Route.NONE,
        steps=(),
        certificate_now=None,
        certificate_then=None,
        token_now=None,
        token_then=None,
        downtime="",
        parts=tuple(ActionKind(part) for part in known["parts"]),
    )
