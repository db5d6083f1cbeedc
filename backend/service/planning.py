"""Plans of operations: the facts of the clients in question, judged by `core.plan`, kept as they were shown.

Planning writes the plan and nothing else. Which clients an update is about is `backend.service.update`'s.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from backend.core.delivery import DELIVERED
from backend.core.delta import unix
from backend.core.errors import InvalidInput
from backend.core.plan import ActionKind, Decision, PlanDraft, make_plan
from backend.core.update import UpdateScope
from backend.service.caller import Caller
from backend.service.plan_facts import facts_of
from backend.service.resuming import gone_line, marked, question_again, rest_of
from backend.service.update import Selection, refuse_plan, select
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import StoredPlan

OPERATION: Final = "operation"  # the kind of stored plan that is made here
DEFAULT_OVERLAP: Final = -1  # the agent's own


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A stored plan as it is shown; its hash is what a confirmation must repeat, before `expires_at`.

    `resumes` is the id of the operation that it goes on with; "": it begins one.
    """

    id: str
    draft: PlanDraft
    made_at: datetime
    expires_at: datetime
    overlap_seconds: int
    resumes: str = ""

    @property
    def hash(self) -> str:
        """Hex SHA-256 over facts and decisions."""
        return self.draft.hash


def plan(
    tx: Transaction,
    world: World,
    caller: Caller,
    *,
    action: ActionKind,
    names: Sequence[str] = (),
    force: bool = False,
    reason: str = "",
    overlap_seconds: int = DEFAULT_OVERLAP,
    parallel: int = 1,
    max_failures: int = 1,
    update: UpdateScope | None = None,
) -> PlanView:
    """Say what an action would do to these clients, and keep the answer for its confirmation.

    `update` says whom an UPDATE is about, in place of names.

    Raises:
        InvalidInput: no client is named, `force` without a reason, too many at a time or to fail; or an update by
            names.
        NotFound: a client, or the cluster of an update, is not there.
        InconsistentState: an order rule forbids to plan an update now (domain.md 16.6).
    """
    question = question_of(
        action=action,
        names=names,
        force=force,
        reason=reason,
        overlap_seconds=overlap_seconds,
        parallel=parallel,
        max_failures=max_failures,
        update=update,
    )
    return _keep(tx, world, caller, question)


def plan_resumption(
    tx: Transaction, world: World, caller: Caller, operation_id: str, *, parallel: int = 0, max_failures: int = 0
) -> PlanView:
    """Say what is still to do of an operation that was stopped or failed, and keep the answer for its confirmation.

    Force, reason and overlap are those of the operation; `parallel` and `max_failures` 0: so are these.

    Raises:
        NotFound: there is no such operation.
        InconsistentState: it runs, it was done, or an order rule forbids to plan now (domain.md 16.6).
        InvalidInput: too many at a time or to fail.
    """
    return _keep(tx, world, caller, question_again(tx, operation_id, parallel=parallel, max_failures=max_failures))


def _keep(tx: Transaction, world: World, caller: Caller, question: Mapping[str, Any]) -> PlanView:
    now = world.clock.now()
    made = draft(tx, world, question)
    if question["update"] is not None:
        refuse_plan(tx, world, caller, made)
    stored = StoredPlan(
        id=str(uuid.uuid4()),
        kind=OPERATION,
        hash=made.hash,
        made_at=now,
        expires_at=now + world.policy.plan_lifetime,
        actor=caller.name,
        body=json.dumps(document_of(question, made), sort_keys=True),
    )
    tx.plans.add(stored)
    tx.plans.trim(caller.name, world.policy.open_plans)
    return PlanView(
        id=stored.id,
        draft=made,
        made_at=now,
        expires_at=stored.expires_at,
        overlap_seconds=question["overlap_seconds"],
        resumes=question.get("resumes") or "",
    )


def question_of(
    *,
    action: ActionKind,
    names: Sequence[str] = (),
    force: bool = False,
    reason: str = "",
    overlap_seconds: int = DEFAULT_OVERLAP,
    parallel: int = 1,
    max_failures: int = 1,
    update: UpdateScope | None = None,
) -> dict[str, Any]:
    """What a plan is asked, as it is kept; raise `InvalidInput` for what cannot be asked."""
    if overlap_seconds < DEFAULT_OVERLAP:
        raise InvalidInput(f"an overlap of {overlap_seconds} s is none; give 0 or more, or -1 for the agent's own")
    if (action is ActionKind.UPDATE) != (update is not None) or (update is not None and names):
        raise InvalidInput("an update is for management or for one cluster, any other action for the clients named")
    return {
        "action": action.value,
        "names": list(dict.fromkeys(names)),
        "force": force,
        "reason": reason,
        "overlap_seconds": overlap_seconds,
        "parallel": parallel,
        "max_failures": max_failures,
        "update": None if update is None else asdict(update),
    }


def unlooked(tx: Transaction, world: World, question: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the clients at whose delivery places somebody has to look before a plan may count on them."""
    now = world.clock.now()
    made = draft(tx, world, question)
    reached = [decision.number for decision in made.decisions if decision.route in DELIVERED]
    return tuple(
        identity.name
        for identity in tx.identities.some(reached)
        if not all(world.reach.is_fresh(identity.name, place, now) for place in world.delivery.places_of(identity))
    )


def draft(tx: Transaction, world: World, question: Mapping[str, Any]) -> PlanDraft:
    """Answer a plan's question from the facts of now; asking again is how a confirmation is checked."""
    chosen = _chosen(tx, world, question)
    made = make_plan(
        ActionKind(question["action"]),
        chosen.facts,
        world.clock.now(),
        force=question["force"],
        reason=question["reason"],
        parallel=question["parallel"],
        max_failures=question.get("max_failures", 1),  # absent in plans of an earlier version
        authority_not_after=tx.authorities.issuing().validity.not_after,
        absent=chosen.absent,
        notes=chosen.notes,
    )
    resumed = question.get("resumes")
    return marked(made, resumed) if resumed else made


def _chosen(tx: Transaction, world: World, question: Mapping[str, Any]) -> Selection:
    if question.get("resumes"):
        return _chosen_again(tx, world, question, question["resumes"])
    scope = question.get("update")  # absent in plans of an earlier version
    if scope is not None:
        return select(tx, world, UpdateScope(**scope))
    identities = [tx.identities.get(name) for name in question["names"]]
    return Selection(facts=facts_of(tx, world, identities), absent=(), notes=())


def _chosen_again(tx: Transaction, world: World, question: Mapping[str, Any], operation_id: str) -> Selection:
    """What is left of an operation, with a line for each of its other clients."""
    rest = rest_of(tx, operation_id)
    left = frozenset(rest.numbers)
    if question.get("update") is not None:
        found = select(tx, world, UpdateScope(**question["update"]))
        facts, notes = [client for client in found.facts if client.number in left], found.notes
    else:
        facts, notes = facts_of(tx, world, list(tx.identities.some(left))), ()
    gone = left - {client.number for client in facts}
    lines = (*(gone_line(tx, operation_id, number) for number in sorted(gone)), *rest.settled)
    return Selection(facts=facts, absent=lines, notes=notes)


def document_of(question: Mapping[str, Any], made: PlanDraft) -> dict[str, Any]:
    """The plan as a JSON document: its question, its decisions, its warnings."""
    asked = {key: question.get(key) for key in ("action", "names", "force", "reason", "overlap_seconds", "update")}
    decisions = [_decision_document(decision) for decision in made.decisions]
    pace = {"parallel": made.parallel, "max_failures": made.max_failures}
    document = {**asked, **pace, "decisions": decisions, "warnings": list(made.warnings)}
    resumption = {key: question[key] for key in ("resumes", "chosen")} if question.get("resumes") else {}
    return {**document, **resumption}


def what_changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name what differs between a plan and the same plan made now, client by client."""
    then = {_key(decision): decision for decision in before["decisions"]}
    now = {_key(decision): decision for decision in after["decisions"]}
    found = [f"{then[number]['name']} is gone" for number in then if number not in now]
    for number, decision in now.items():
        old = then.get(number)
        if old is None:
            found.append(f"{decision['name']} is new")
            continue
        found += [
            f"{decision['name']}: {word} was {old[key]}, is {decision[key]}"
            for key, word in (("why", "the reason"), ("route", "the route"))
            if old[key] != decision[key]
        ]
        found += [
            f"{decision['name']}: its {word} ends at another time"
            for key, word in (("certificate_now", "certificate"), ("token_now", "token"))
            if old[key] != decision[key]
        ]
    return found


def _key(decision: Mapping[str, Any]) -> tuple[int, str]:
    """Tell lines apart: clients by number, whatever their name is now, and those never seen by what they are."""
    number = int(decision["number"])
    return number, "" if number else str(decision["name"])


def _decision_document(decision: Decision) -> dict[str, Any]:
    return {
        "name": decision.name,
        "number": decision.number,
        "cluster": decision.cluster,
        "kind": decision.kind.value,
        "runs": decision.runs,
        "why": decision.why,
        "route": decision.route.value,
        "steps": list(decision.steps),
        "certificate_now": unix(decision.certificate_now),
        "certificate_then": unix(decision.certificate_then),
        "token_now": unix(decision.token_now),
        "token_then": unix(decision.token_then),
        "downtime": decision.downtime,
        "parts": [part.value for part in decision.parts],
        "route_why": decision.route_why,
    }
