"""Plans of operations: the facts of the named clients, judged by `core.plan`, kept as they were shown.

Planning writes the plan and nothing else. The facts are taken from the same columns that the screen reads, so a plan
cannot know another state than the row it was made from.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from backend.core.delta import unix
from backend.core.errors import InvalidInput
from backend.core.plan import ActionKind, Decision, PlanDraft, PlanFacts, make_plan
from backend.service.caller import Caller
from backend.service.contact import is_living
from backend.service.current import current_certificate, trusted_generations
from backend.service.fleet import columns_of
from backend.service.token_line import find_current
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import StoredPlan

OPERATION: Final = "operation"  # the kind of stored plan that is made here
DEFAULT_OVERLAP: Final = -1  # the agent's own


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A stored plan as it is shown; its hash is what a confirmation must repeat, before `expires_at`."""

    id: str
    draft: PlanDraft
    made_at: datetime
    expires_at: datetime
    overlap_seconds: int

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
    names: Sequence[str],
    force: bool = False,
    reason: str = "",
    overlap_seconds: int = DEFAULT_OVERLAP,
    parallel: int = 1,
) -> PlanView:
    """Say what an action would do to these clients, and keep the answer for its confirmation.

    Raises:
        InvalidInput: no client is named, `force` without a reason, or too many at a time.
        NotFound: a client is not there.
    """
    now = world.clock.now()
    if overlap_seconds < DEFAULT_OVERLAP:
        raise InvalidInput(f"an overlap of {overlap_seconds} s is none; give 0 or more, or -1 for the agent's own")
    question = {
        "action": action.value,
        "names": list(dict.fromkeys(names)),
        "force": force,
        "reason": reason,
        "overlap_seconds": overlap_seconds,
        "parallel": parallel,
    }
    made = draft(tx, world, question)
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
    return PlanView(
        id=stored.id, draft=made, made_at=now, expires_at=stored.expires_at, overlap_seconds=overlap_seconds
    )


def draft(tx: Transaction, world: World, question: Mapping[str, Any]) -> PlanDraft:
    """Answer a plan's question from the facts of now; asking again is how a confirmation is checked."""
    return make_plan(
        ActionKind(question["action"]),
        _facts(tx, world, question["names"]),
        world.clock.now(),
        force=question["force"],
        reason=question["reason"],
        parallel=question["parallel"],
        authority_not_after=tx.authorities.issuing().validity.not_after,
    )


def document_of(question: Mapping[str, Any], made: PlanDraft) -> dict[str, Any]:
    """The plan as a JSON document: its question, its decisions, its warnings."""
    asked = {key: question[key] for key in ("action", "names", "force", "reason", "overlap_seconds")}
    decisions = [_decision_document(decision) for decision in made.decisions]
    return {**asked, "parallel": made.parallel, "decisions": decisions, "warnings": list(made.warnings)}


def what_changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name what differs between a plan and the same plan made now, client by client."""
    then = {decision["number"]: decision for decision in before["decisions"]}
    now = {decision["number"]: decision for decision in after["decisions"]}
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
    }


def _facts(tx: Transaction, world: World, names: Iterable[str]) -> list[PlanFacts]:
    now = world.clock.now()
    identities = [tx.identities.get(name) for name in names]
    columns = columns_of(tx, world, [identity.number for identity in identities])
    trusted = trusted_generations(tx.authorities.all())
    management = {cluster.name for cluster in tx.clusters.all() if cluster.is_management}
    found = []
    for identity in identities:
        index = columns.index_of(identity.number)
        if index is None:
            continue
        facts = columns.facts(index, now=now, agent_alive=True, agent_now=now)
        certificate = current_certificate(tx.certificates.of(identity.number), trusted, now)
        token = find_current(tx, identity.number)
        found.append(
            PlanFacts(
                number=identity.number,
                facts=replace(facts, name=identity.name),  # the name itself, which also names it in a later call
                cluster=identity.cluster,
                is_management=identity.cluster in management,
                serial=0 if certificate is None else certificate.serial,
                token_id="" if token is None else token.id,
                certificate_lifetime=world.policy.client_lifetime if certificate is None else certificate.requested,
                token_lifetime=identity.token_lifetime,
                heartbeat_alive=is_living(tx.heartbeats.find(identity.number), now),
                login_file_path=identity.login_file_path,
            )
        )
    return found
